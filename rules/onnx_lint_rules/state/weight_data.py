"""ONX722 weight-data."""

from __future__ import annotations

from collections.abc import Iterator

from onnx_lint.rule import Finding, Rule
from onnx_lint.semantics.domain.sites import WeightRead
from onnx_lint.source import ir
from onnx_lint.source.enclosing import enclosing
from onnx_lint.target import fails, measured
from onnx_lint_rules.wording import quoted


class WeightData(Rule[WeightRead]):
    """`.data` of a parameter or buffer in `forward`.

    ## Why it breaks export

    The dynamo engine cannot export `.data` of a parameter: ".numpy() is not supported for tensor subclasses", and
    writing through it kills the interpreter. The torchscript engine is right, since the weight is a constant.

    ## Example

    ```python
    def __init__(self):
        super().__init__()
        self.scale = nn.Parameter(torch.ones(4))

    def forward(self, x):
        return x * self.scale.data
    ```

    Use instead:

    ```python
    def __init__(self):
        super().__init__()
        self.scale = nn.Parameter(torch.ones(4))

    def forward(self, x):
        return x * self.scale.detach()
    ```

    ## References

    - PyTorch documentation, "TorchScript-based ONNX Exporter": "Avoid Tensor.data"
    """

    code = "ONX722"
    name = "weight-data"
    effects = measured(dynamo=fails("fails to export it"))
    messages = (".numpy() is not supported for tensor subclasses",)

    def check(self, read: WeightRead, /) -> Iterator[Finding]:
        if read.how == "data" and not _asks_for_kind(read):
            yield self.at(read, f"{quoted(read)} is not followed", help="use `.detach()`")


def _asks_for_kind(read: WeightRead) -> bool:
    """Whether only the size, type or place of the weight is wanted: that is right."""
    around = enclosing(read.unit.chunk.lowered.body, read.node)
    outer = around[-1] if around else None
    return isinstance(outer, ir.Attribute) and outer.attr in (
        "shape",
        "size",
        "dtype",
        "device",
        "ndim",
        "dim",
        "numel",
    )
