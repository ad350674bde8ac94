"""Casts of sizes that integer arithmetic can replace, and when nobody can tell the difference."""

from __future__ import annotations

from onnx_lint.semantics.certainty import Certainty, Kind
from onnx_lint.semantics.domain.sites import Conversion
from onnx_lint.semantics.domain.values import Size
from onnx_lint.source import ir
from onnx_lint.target import BOTH
from onnx_lint_rules.rewriting import Code, is_written_call

_TRUNCATING = ("int", "math.floor", "math.trunc")
_WHOLE = ("int", "operator.index", "math.floor", "math.ceil", "math.trunc")
_LIVE = frozenset({"+", "-", "*", "/"})
"""Operators by which a tensor takes a size that is a value of the graph as it takes a number."""


def simplified(cast: Conversion) -> Code | None:
    """An expression without the cast that is equal when what it is given is a size; ``None`` if there is none.

    ``int(x.shape[0])`` is ``x.shape[0]``; for sizes (below 2**53, where floats are exact) and a positive constant k,
    ``int(n / k)`` and ``math.floor(n / k)`` are ``n // k``, and ``math.ceil(n / k)`` is ``(n + k - 1) // k``.
    (``-(-n // k)`` would do in Python, but ONNX rounds integer division towards zero.)
    """
    argument = cast.argument
    if argument is None or not is_written_call(cast.node, cast.converter):
        return None
    if cast.converter in _WHOLE and (is_count(argument) or (isinstance(argument, ir.Name) and _is_dimension(cast))):
        return Code.of(cast, argument)
    if not isinstance(argument, ir.BinOp) or argument.op != "/":
        return None
    divisor, left = _positive(argument.right), argument.left
    if divisor is None or not (is_count(left) or (isinstance(left, ir.Name) and _is_dimension(cast))):
        return None
    number = Code.of(cast, argument.right)
    if cast.converter in _TRUNCATING:
        return Code.of(cast, left).operator("//", number)
    if cast.converter == "math.ceil":
        return Code.of(cast, left).operator("+", divisor - 1).operator("//", number)
    return None


def is_needless(cast: Conversion) -> bool:
    """Whether the cast does nothing, for any caller, and no export needs it.

    It is given an integer for certain, and the result goes right into arithmetic with a tensor, which takes a value of
    the graph as well as a number. Elsewhere the number may be needed: as the size of a kernel, a repetition, a count of
    groups. So it may where the code asks whether it is being exported.
    """
    argument = cast.argument
    if argument is None or tuple(cast.engines) != BOTH or cast.converter not in _WHOLE:
        return False
    certain = Certainty(cast.unit, cast.node)
    if certain.kind(argument) is not Kind.INT or not _is_the_function(cast, certain):
        return False
    inner: object = cast.node
    for outer in reversed(certain.around):
        if not isinstance(outer, ir.BinOp) or outer.op not in _LIVE:
            return False
        other = outer.right if outer.left is inner else outer.left
        kind = certain.kind(other)
        if kind is Kind.TENSOR:
            return True
        if kind is not Kind.INT or outer.op == "/":
            return False
        inner = outer
    return False


def _is_the_function(cast: Conversion, certain: Certainty) -> bool:
    """Whether what is called can be nothing else than the converter."""
    name = certain.full_name(cast.node.func) if isinstance(cast.node, ir.Call) else None
    return name is not None and name.removeprefix("builtins.") == cast.converter


def _is_dimension(cast: Conversion) -> bool:
    subject = cast.subject
    return isinstance(subject, Size) and not subject.boolean and subject.axis is not None


def _positive(node: ir.Expr) -> int | None:
    is_one = isinstance(node, ir.Const) and type(node.value) is int and node.value > 0
    return node.value if is_one and isinstance(node, ir.Const) and isinstance(node.value, int) else None


def is_count(node: ir.Expr) -> bool:
    """Whether an expression has the form of an integer that is not negative: sizes, constants, their sums, products
    and quotients."""
    if isinstance(node, ir.Const):
        return type(node.value) is int
    if isinstance(node, ir.Subscript):
        whole = isinstance(node.value, ir.Attribute) and node.value.attr == "shape"
        return (whole or _is_size_call(node.value, 0)) and not isinstance(node.index, ir.Slice)
    if isinstance(node, ir.BinOp) and node.op in ("+", "*", "//", "%"):
        divides = node.op in ("//", "%")
        return is_count(node.left) and (_positive(node.right) is not None if divides else is_count(node.right))
    return _is_size_call(node, 1) or (_is_method(node, "numel") and isinstance(node, ir.Call) and not node.args)


def _is_method(node: ir.Expr, name: str) -> bool:
    return isinstance(node, ir.Call) and isinstance(node.func, ir.Attribute) and node.func.attr == name


def _is_size_call(node: ir.Expr, arguments: int) -> bool:
    """``x.size(i)`` with one argument, or ``x.size()`` with none."""
    return _is_method(node, "size") and isinstance(node, ir.Call) and len(node.args) == arguments and not node.keywords
