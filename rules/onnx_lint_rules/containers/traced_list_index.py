"""ONX210 traced-list-index."""

from __future__ import annotations

from collections.abc import Iterator

from onnx_lint.rule import Finding, Rule
from onnx_lint.semantics.domain.sites import ListIndex
from onnx_lint.target import fails, measured, wrong
from onnx_lint_rules.wording import described, where_live

_KEPT = wrong("silently keeps the example's element")
_DEFAULT = wrong("silently takes the default, since it never finds the key")
_FAILS_OR_SAME = fails("fails or silently keeps the example's element", after="fails or does the same")
_FAILS = fails("fails to export it")


class TracedListIndex(Rule[ListIndex]):
    """A Python list, tuple, dict or `ModuleList` indexed by a size or a tensor.

    ## Why it breaks export

    Python looks the element up while the model is traced; the exported model uses the one that the example chose. The
    tracer does **not** warn about it. The dynamo engine fails, since it must know the index ("Could not extract
    specialized integer from data-dependent expression", "conflicts between user-specified ranges and inferred ranges"),
    or keeps the example's choice as well. A dict indexed by a size fails in both engines.

    ## Example

    ```python
    def forward(self, x, level: torch.Tensor):
        outputs = [x, x + 1, x * 2]
        return outputs[level]
    ```

    Use instead:

    ```python
    def forward(self, x, level: torch.Tensor):
        outputs = torch.stack([x, x + 1, x * 2])
        return outputs[level]
    ```

    ## References

    - PyTorch documentation, "TorchScript-based ONNX Exporter": "Tracing vs Scripting"
    """

    code = "ONX210"
    name = "traced-list-index"
    effects = measured(torchscript=_KEPT, dynamo=_FAILS_OR_SAME)
    messages = ("Converting a tensor to a Python index might cause the trace to be incorrect",)

    def check(self, index: ListIndex, /) -> Iterator[Finding]:
        subject, effects = f"a Python {index.container} is indexed by {described(index.subject)}", self.effects
        if index.container == "dict":
            effects = measured(torchscript=_FAILS, dynamo=_FAILS)
        elif index.container == "dict.get":
            subject = f"`get` looks {described(index.subject)} up in a dict"
            effects = measured(torchscript=_DEFAULT, dynamo=_FAILS)
        help = "stack the elements into a tensor and index that"
        yield self.at(index, subject, effects=where_live(index.subject, effects), help=help)
