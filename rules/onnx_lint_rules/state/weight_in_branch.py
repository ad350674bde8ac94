"""ONX721 weight-in-branch."""

from __future__ import annotations

from collections.abc import Iterator

from onnx_lint.rule import Finding, Rule
from onnx_lint.semantics.domain.sites import WeightRead
from onnx_lint.target import fails, measured, warns
from onnx_lint_rules.wording import construct

_WARNS = warns("warns about it")


class WeightInBranch(Rule[WeightRead]):
    """Python control flow that depends on a parameter, a buffer or another tensor that is not an input.

    ## Why it breaks export

    The value is fixed when the export starts, and torchscript, which warns about every such branch, is right. The
    dynamo engine does not look at the values of tensors: it stops with "Could not guard on data-dependent expression".
    An `assert` is right in both.

    ## Example

    ```python
    def __init__(self):
        super().__init__()
        self.scale = nn.Parameter(torch.tensor(3.0))

    def forward(self, x):
        if self.scale > 0:
            return x * self.scale
        return x
    ```

    Use instead:

    ```python
    def __init__(self):
        super().__init__()
        self.scale = nn.Parameter(torch.tensor(3.0))

    def forward(self, x):
        return torch.where(self.scale > 0, x * self.scale, x)
    ```

    ## References

    - PyTorch documentation, "torch.export": "Control Flow - Static vs. Dynamic"
    """

    code = "ONX721"
    name = "weight-in-branch"
    effects = measured(torchscript=_WARNS, dynamo=fails("does not know its value and stops"))
    messages = ("Could not guard on data-dependent expression",)

    def check(self, read: WeightRead, /) -> Iterator[Finding]:
        if read.how != "data":
            help = "use `torch.where`, or keep the value as a Python number besides"
            effects = measured(torchscript=_WARNS) if read.how in ("assert", "torch._assert") else self.effects
            subject = f"{construct(read.how)} depends on a tensor of the model"
            yield self.at(read, subject, effects=effects, help=help)
