"""ONX208 traced-format."""

from __future__ import annotations

from collections.abc import Iterator

from onnx_lint.rule import Finding, Rule
from onnx_lint.semantics.domain.sites import Formatting
from onnx_lint.target import Verdict, measured
from onnx_lint_rules.wording import described


class TracedFormat(Rule[Formatting]):
    """A tensor or a size formatted into text.

    ## Why it breaks export

    Text is not part of an ONNX model. Making it reads the value, and torchscript warns: "Converting a tensor to a
    Python number might cause the trace to be incorrect". In a message the text does no harm, so this is for your
    information; text that is used as a key freezes what it says.

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
    verdicts = measured(torchscript=Verdict.WARNS, dynamo=Verdict.FINE)

    def check(self, text: Formatting, /) -> Iterator[Finding]:
        message = f"text is made of {described(text.subject)}: torchscript warns, and keeps what the example gave"
        help = "format such a message only when it is needed, outside of `forward`"
        yield self.at(text, message, help=help)
