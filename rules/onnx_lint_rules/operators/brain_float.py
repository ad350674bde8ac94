"""ONX607 brain-float."""

from __future__ import annotations

from collections.abc import Iterator

from onnx_lint.rule import Finding, Rule
from onnx_lint.semantics.domain.sites import OperatorCall
from onnx_lint.semantics.domain.values import Const, ExternalValue, Value
from onnx_lint.target import fails, measured
from onnx_lint_rules.wording import quoted

_FAILS = fails("exports what ONNX Runtime cannot run on a CPU")


class BrainFloat(Rule[OperatorCall]):
    """Computation in `bfloat16`, by a cast in `forward` or by `torch.autocast`.

    ## Why it breaks export

    Both engines export it, and ONNX Runtime refuses the model on a CPU: "Could not find an implementation for MatMul",
    since it has kernels for few operators of that type. `float16` runs there, with less range; the result of
    `torch.autocast` in `float16` differs from PyTorch's by rounding. Export in `float32`, and convert the finished
    model where a smaller one is wanted.

    ## Example

    ```python
    def forward(self, x):
        return (x.bfloat16() * 2).float()
    ```

    Use instead:

    ```python
    def forward(self, x):
        return x * 2
    ```

    ## References

    - microsoft/onnxruntime#1764
    - pytorch/pytorch#91528
    """

    code = "ONX607"
    name = "brain-float"
    effects = measured(torchscript=_FAILS, dynamo=_FAILS)
    messages = ("NOT_IMPLEMENTED : Could not find an implementation for",)

    def check(self, call: OperatorCall, /) -> Iterator[Finding]:
        if call.name.endswith("autocast"):
            if not _is_active(call):
                return
            subject = f"{quoted(call)} computes in `bfloat16`"
        elif call.name in ("torch.Tensor.bfloat16", "torch.Tensor.to", "torch.Tensor.type"):
            subject = f"{quoted(call)} is of the type `bfloat16`"
        else:
            return
        yield self.at(call, subject, help="export in `float32`, and convert the finished model", by_size=False)


def _is_active(call: OperatorCall) -> bool:
    """Whether it is surely switched on for a CPU, where `bfloat16` is also what it takes by itself."""
    device, dtype = call.given(0, "device_type"), call.given(1, "dtype")
    is_named = isinstance(dtype, ExternalValue) and dtype.name == "torch.bfloat16"
    return _is(device, "cpu") and (dtype is None or is_named) and _is(call.given(2, "enabled") or Const(True), True)


def _is(value: Value | None, wanted: object) -> bool:
    return isinstance(value, Const) and value.value == wanted
