"""ONX208 traced-format."""

from __future__ import annotations

from collections.abc import Iterator

from onnx_lint.rule import Finding, Rule
from onnx_lint.semantics.domain.sites import Formatting
from onnx_lint.semantics.domain.values import Frozen
from onnx_lint.target import FINE, fails, measured, warns
from onnx_lint_rules.wording import described, where_live

_KEPT = warns("keeps what the example gave, with a warning")


class TracedFormat(Rule[Formatting]):
    """A tensor or a size formatted into text.

    ## Why it breaks export

    Text is not part of an ONNX model. Making it reads the value, and torchscript warns: "Converting a tensor to a
    Python number might cause the trace to be incorrect". In a message the text does no harm, so this is informational;
    text that is used as a key freezes what it says. The dynamo engine formats a size, but fails on the number that
    `len()` or `int()` has made of one.

    ## Example

    ```python
    def forward(self, x):
        self.note = f"{x.shape[0]} rows"
        return x + 1
    ```

    Use instead:

    ```python
    def forward(self, x):
        return x + 1
    ```

    ## References

    - PyTorch documentation, "TorchScript-based ONNX Exporter": "Avoid Python Built-in Types"
    """

    code = "ONX208"
    name = "traced-format"
    effects = measured(torchscript=_KEPT, dynamo=FINE)

    def check(self, text: Formatting, /) -> Iterator[Finding]:
        number = isinstance(text.subject, Frozen) and not text.depends_on_data
        refused = number and text.how != "format" and not text.only_checks  # `str.format` goes through
        effects = measured(torchscript=_KEPT, dynamo=fails("fails to export it") if refused else FINE)
        subject = f"text is made of {described(text.subject)}"
        help = "format such a message only when it is needed, outside of `forward`"
        yield self.at(text, subject, effects=where_live(text.subject, effects), help=help)
