"""ONX209 tensor-from-traced."""

from __future__ import annotations

from collections.abc import Iterator

from onnx_lint.rule import Finding, Rule
from onnx_lint.semantics.domain.sites import TensorFrom
from onnx_lint.semantics.domain.values import Array, Frozen, Size, Tensor
from onnx_lint.target import FINE, Effects, fails, measured, warns, wrong
from onnx_lint_rules.wording import described

_CONSTANT = wrong("makes it a constant")
_SUSPECTED = warns("warns that it may be a constant")
_FAILS = fails("fails, since it fixes the size")
_FIXED = fails("keeps the size of the example, so that another one fails")


class TensorFromTraced(Rule[TensorFrom]):
    """`torch.tensor` or `torch.as_tensor` of a traced size or tensor.

    ## Why it breaks export

    "TracerWarning: torch.tensor results are registered as constants in the trace". Of a single size torchscript makes a
    live value in spite of the warning; of a list it takes the numbers of the example. Changing such a tensor in place
    is wrong even for the example. The dynamo engine follows `torch.tensor`, but `torch.as_tensor`, `torch.Tensor` and
    the like fix the size and fail with "conflicts between user-specified ranges and inferred ranges".

    ## Example

    ```python
    def forward(self, x):
        size = torch.tensor([x.shape[0], x.shape[1]])
        return x.sum() * size
    ```

    Use instead:

    ```python
    def forward(self, x):
        size = torch.stack([torch.full((), x.shape[0]), torch.full((), x.shape[1])])
        return x.sum() * size
    ```

    ## References

    - PyTorch documentation, "TorchScript-based ONNX Exporter": "Avoid NumPy and built-in Python operators"
    - pytorch/pytorch#132134
    """

    code = "ONX209"
    name = "tensor-from-traced"
    effects = measured(torchscript=_CONSTANT, dynamo=FINE)
    messages = ("torch.tensor results are registered as constants in the trace",)

    def check(self, made: TensorFrom, /) -> Iterator[Finding]:
        if not made.is_traced:
            return
        subject = f"`{_shown(made)}` is given {described(made.subject)}"
        help = "build it from live values: `torch.full((), n)`, `torch.stack([...])`, `x.new_tensor(n)`, `torch.arange`"
        yield self.at(made, subject, effects=_effects(made), help=help)


def _shown(made: TensorFrom) -> str:
    return "new_tensor" if made.constructor.endswith("new_tensor") else made.constructor


def _effects(made: TensorFrom) -> Effects:
    """Measured with torch 2.13: what counts is one value or several, and the function."""
    name, subject = _shown(made), made.subject
    if isinstance(subject, Tensor) and name == "torch.Tensor":
        return measured(torchscript=_SUSPECTED)  # a copy, which stays live
    if isinstance(subject, Size) and not made.is_sequence and name.endswith("Tensor"):
        return measured(torchscript=_FIXED)  # a legacy constructor takes it for the size of the tensor
    dynamo = FINE if name in ("torch.tensor", "new_tensor") else _FAILS
    if isinstance(subject, (Frozen, Array)):
        # the number was frozen, and is reported, where it was read; dynamo goes on computing with it
        is_live = isinstance(subject, Frozen) and subject.live
        return measured(torchscript=_SUSPECTED, dynamo=dynamo if is_live else FINE)
    if made.is_sequence:
        return measured(torchscript=_CONSTANT, dynamo=dynamo)
    silent = name in ("new_tensor", "torch.asarray")
    return measured(torchscript=FINE if silent else _SUSPECTED, dynamo=dynamo)
