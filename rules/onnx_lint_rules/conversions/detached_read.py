"""Where `.data` and `.detach()` come to the same thing, whatever happens to the tensor before and afterwards."""

from __future__ import annotations

from onnx_lint.semantics.certainty import Certainty
from onnx_lint.semantics.domain.sites import AttributeRead
from onnx_lint.source import ir
from onnx_lint.target import BOTH

_NEW = frozenset(
    {"sum", "mean", "max", "min", "amax", "amin", "abs", "neg", "exp", "log", "sqrt", "rsqrt", "square", "sin", "cos",
     "tanh", "sigmoid", "relu", "sign", "floor", "ceil", "clone", "argmax", "argmin", "std", "var", "norm", "cumsum",
     "softmax", "isnan", "isfinite", "item", "tolist"}
)  # fmt: skip
"""Methods that give a new tensor or a number, and take nothing but numbers."""
_JOINING = frozenset({"torch.cat", "torch.concat", "torch.stack"})
"""Functions that copy tensors into a new one, and keep none of them for the backward pass."""


def is_only_read(read: AttributeRead) -> bool:
    """Whether what `.data` gives is read within its expression, and kept by nobody.

    A write through `.detach()` counts for autograd, one through `.data` does not, nor one to the tensor itself that
    follows: a backward pass would raise that did not. So the result may have no name, be no argument, view or target,
    and be no operand that autograd keeps (a factor of something that needs a gradient). Under `torch.func.vmap`, where
    `.data` raises, `.detach()` gives a value: not in a file that names it.
    """
    if tuple(read.engines) != BOTH:
        return False
    certain = Certainty(read.unit, read.node)
    if not certain.is_tensor(read.receiver) or "vmap" in read.unit.module.whole_text:
        return False
    inner: object = read.node
    around = list(reversed(certain.around))
    while around and isinstance(around[0], ir.Subscript) and around[0].value is inner:
        inner = around.pop(0)  # a view, which is only read as well
    outer = around[0] if around else None
    if isinstance(outer, ir.UnaryOp):
        return outer.op == "-"
    if isinstance(outer, ir.BinOp):
        other = outer.right if outer.left is inner else outer.left
        adds = outer.op in ("+", "-") and certain.kind(other) is not None
        return adds or (outer.op in ("*", "/") and certain.is_number(other))
    if isinstance(outer, ir.Attribute):
        call = around[1] if len(around) > 1 else None
        return outer.attr in _NEW and isinstance(call, ir.Call) and call.func is outer and _takes_constants(call)
    if isinstance(outer, ir.Sequence) and len(around) > 1 and isinstance(joined := around[1], ir.Call):
        is_first = bool(joined.args) and joined.args[0] is outer
        no_out = all(name == "dim" for name, _ in joined.keywords)
        return is_first and no_out and certain.full_name(joined.func) in _JOINING
    return False


def _takes_constants(call: ir.Call) -> bool:
    values = [*call.args, *(value for name, value in call.keywords if name in ("dim", "keepdim"))]
    return len(values) == len(call.args) + len(call.keywords) and all(map(_is_constant, values))


def _is_constant(node: ir.Expr) -> bool:
    if isinstance(node, ir.UnaryOp):
        return node.op == "-" and _is_constant(node.value)
    return isinstance(node, ir.Const)
