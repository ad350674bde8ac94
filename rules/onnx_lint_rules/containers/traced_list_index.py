"""ONX210 traced-list-index."""

from __future__ import annotations

from collections.abc import Iterator

from onnx_lint.rule import Finding, Rule
from onnx_lint.semantics.domain.sites import ListIndex
from onnx_lint.target import Engine, Verdict, measured
from onnx_lint_rules.wording import described


class TracedListIndex(Rule[ListIndex]):
    """A Python list, tuple, dict or `ModuleList` indexed by a size or a tensor.

    ## Why it breaks export

    Python looks the element up while the model is traced; the exported model uses the one that the example chose. The
    tracer does **not** warn of it. The dynamo engine fails, since it must know the index ("Could not extract
    specialized integer from data-dependent expression", "conflicts between user-specified ranges and inferred
    ranges"), or keeps the example's choice as well. A dict indexed by a size fails in both engines.

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
    verdicts = measured(torchscript=Verdict.SILENTLY_WRONG, dynamo=Verdict.FAILS)

    def check(self, index: ListIndex, /) -> Iterator[Finding]:
        verdicts = dict(self.verdicts)
        if index.container == "dict":
            verdicts[Engine.TORCHSCRIPT] = Verdict.FAILS
            message = f"a dict is indexed by {described(index.subject)}: both engines fail"
        elif index.container == "dict.get":
            message = (
                f"`get` looks {described(index.subject)} up in a dict: torchscript never finds it and takes the "
                "default without a warning, dynamo fails"
            )
        else:
            message = (
                f"a Python {index.container} is indexed by {described(index.subject)}: torchscript keeps the example's "
                "element without a warning, dynamo fails or does the same"
            )
        yield self.at(index, message, verdicts=verdicts, help="stack the elements into a tensor and index that")
