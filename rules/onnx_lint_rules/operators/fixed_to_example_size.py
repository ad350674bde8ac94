"""ONX604 fixed-to-example-size."""

from __future__ import annotations

from collections.abc import Iterator

from onnx_lint.rule import Finding, Rule
from onnx_lint.semantics.domain.dims import varies
from onnx_lint.semantics.domain.sites import OperatorCall
from onnx_lint.semantics.domain.values import Const, Tensor
from onnx_lint.target import Effect, Engine, fails, measured, wrong
from onnx_lint_rules.operators.known import depends_on_size, described, effects, entry_of
from onnx_lint_rules.operators.replacements import instead_of
from onnx_lint_rules.wording import quoted

_FAILS = fails("keeps the size of the example, so that another one fails")
_REFUSED = fails("fails to export it where that size is dynamic")
_WRONG = wrong("keeps the size of the example, so that another one is wrong")


class FixedToExampleSize(Rule[OperatorCall]):
    """An operator or module that is exported for the size of the example.

    ## Why it breaks export

    The example is right, another size fails or is wrong: inside these functions of torch a size is a Python number.
    `nn.MultiheadAttention` and all layers that contain one are exported by torchscript for the length of the example,
    and ONNX Runtime fails in a Reshape node for any other; another batch size is fine. Adaptive pooling to more than
    one element keeps the window of the example under dynamo, and `chunk` of a dynamic dimension is refused there.

    ## Example

    ```python
    def __init__(self):
        super().__init__()
        self.attention = nn.MultiheadAttention(4, 2, batch_first=True)

    def forward(self, x):
        return self.attention(x, x, x)[0]
    ```

    Use instead:

    ```python
    def __init__(self):
        super().__init__()
        self.project = nn.Linear(4, 12)

    def forward(self, x):
        q, k, v = self.project(x)[:, None].chunk(3, dim=-1)
        return F.scaled_dot_product_attention(q, k, v)[:, 0]
    ```

    ## References

    - pytorch/pytorch#99613
    - pytorch/pytorch#42653
    """

    code = "ONX604"
    name = "fixed-to-example-size"
    effects = measured(torchscript=_FAILS)
    messages = ("Non-zero status code returned while running Reshape node", "The input tensor cannot be reshaped")

    def check(self, call: OperatorCall, /) -> Iterator[Finding]:
        if call.name in ("torch.chunk", "torch.Tensor.chunk"):
            if _cuts_dynamic_dimension(call):
                subject, refused = f"{quoted(call)} cuts a dynamic dimension", measured(dynamo=_REFUSED)
                yield self.at(call, subject, effects=refused, help="slice at `x.shape[dim] // 2`", by_size=True)
            return
        entry = entry_of(call)
        if entry is None:
            return
        wanted: dict[Engine, Effect | None] = {}
        for engine, outcome in entry.outcomes.items():
            harm = _WRONG if outcome.verdict != "fails" else _FAILS if outcome.stage.startswith("run") else _REFUSED
            wanted[engine] = harm if depends_on_size(outcome) else None
        if held := effects(entry, wanted):
            yield self.at(call, described(call), effects=held, help=instead_of(call.name), by_size=True)


def _cuts_dynamic_dimension(call: OperatorCall) -> bool:
    """Whether the shapes say so, or it is the first dimension and they do not say otherwise."""
    tensor, number = call.given(0, "input"), call.given(2, "dim") or Const(0)
    if not isinstance(tensor, Tensor) or not isinstance(number, Const) or not isinstance(axis := number.value, int):
        return False
    shape = tensor.type.shape
    if shape is None or not -len(shape) <= axis < len(shape):
        return axis == 0
    return varies(shape[axis]) is True or (axis == 0 and varies(shape[axis]) is None)
