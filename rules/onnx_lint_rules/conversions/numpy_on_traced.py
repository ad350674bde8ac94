"""ONX204 numpy-on-traced."""

from __future__ import annotations

from collections.abc import Iterator

from onnx_lint.diagnostic import Applicability, Fix
from onnx_lint.rule import Finding, Rule
from onnx_lint.semantics.domain.sites import NumpyCall
from onnx_lint.semantics.domain.values import Frozen, Size, Tensor
from onnx_lint.source import ir
from onnx_lint.target import FINE, Effects, fails, measured, wrong
from onnx_lint_rules.rewriting import Code, is_written_call, replacement
from onnx_lint_rules.wording import described, quoted, where_live

_SAME_IN_TORCH = frozenset(
    [
        "abs",
        "ceil",
        "cos",
        "exp",
        "floor",
        "log",
        "log2",
        "log10",
        "round",
        "sign",
        "sin",
        "sqrt",
        "square",
        "tan",
        "tanh",
    ]
)
_COUNTS = frozenset({"numpy.prod", "numpy.arange", "numpy.zeros", "numpy.ones", "numpy.full", "numpy.empty"})
"""NumPy functions that dynamo follows when they are given sizes."""

_BAKED_IN = wrong("bakes the result in as a constant")
_FAILS = fails("fails to export it")


class NumpyOnTraced(Rule[NumpyCall]):
    """NumPy used on a tensor or a size in traced code.

    ## Why it breaks export

    NumPy runs outside the trace: its result is baked in as a constant, and inputs that only pass through NumPy vanish
    from the model. Torchscript warns "Converting a tensor to a NumPy array might cause the trace to be incorrect" and
    "torch.from_numpy results are registered as constants in the trace". The dynamo engine translates NumPy functions on
    tensors to torch where it knows them; NumPy functions on sizes mostly fail there.

    ## Example

    ```python
    def forward(self, x):
        y = np.concatenate((x.numpy(), x.numpy()), axis=1)
        return torch.from_numpy(y)
    ```

    Use instead:

    ```python
    def forward(self, x):
        return torch.cat((x, x), dim=1)
    ```

    ## References

    - PyTorch documentation, "TorchScript-based ONNX Exporter": "Avoid NumPy and built-in Python operators"
    """

    code = "ONX204"
    name = "numpy-on-traced"
    effects = measured(torchscript=_BAKED_IN, dynamo=FINE)
    messages = (
        "Converting a tensor to a NumPy array might cause the trace to be incorrect",
        ".numpy() is not supported for tensor subclasses",
    )

    def check(self, call: NumpyCall, /) -> Iterator[Finding]:
        short = call.numpy_function.rpartition(".")[2]
        subject = f"NumPy computes with {described(call.subject)} in {quoted(call)}"
        help = f"use `torch.{short}`" if short in _SAME_IN_TORCH else "use the torch function of the same meaning"
        if isinstance(call.subject, (Size, Frozen)):
            help = "use Python arithmetic on the size (`**`, `//`, `math.prod`)"
        elif short == "numpy":
            help = "stay in torch"
        yield self.at(call, subject, effects=_effects(call), help=help, fix=_fix(call, short))


def _effects(call: NumpyCall) -> Effects:
    """Measured with torch 2.13: dynamo translates NumPy for tensors, and for sizes where they only count."""
    is_number = isinstance(call.subject, (Size, Frozen)) and call.numpy_function != "torch.from_numpy"
    counts = call.numpy_function in _COUNTS and not call.depends_on_data
    effects = measured(torchscript=_BAKED_IN, dynamo=_FAILS if is_number and not counts else FINE)
    return effects if call.numpy_function == "torch.from_numpy" else where_live(call.subject, effects)


def _fix(call: NumpyCall, short: str) -> Fix | None:
    node = call.node
    if short not in _SAME_IN_TORCH or not isinstance(call.subject, Tensor):
        return None
    if "torch" not in call.unit.module.bindings or not isinstance(node, ir.Call) or not is_written_call(node, short):
        return None
    edit = replacement(call, node.func, Code(f"torch.{short}"))
    return None if edit is None else Fix(f"Use `torch.{short}`", Applicability.UNSAFE, (edit,))
