"""Casts of sizes that integer arithmetic can replace without changing any eager result."""

from __future__ import annotations

from onnx_lint.semantics.domain.sites import Conversion
from onnx_lint.semantics.domain.values import Size
from onnx_lint.source import ir
from onnx_lint_rules.wording import atom


def simplified(cast: Conversion) -> str | None:
    """The source of an equal expression without the cast, or ``None``.

    ``int(x.shape[0])`` is ``x.shape[0]``; for sizes and a positive constant k, ``int(n / k)`` and ``math.floor(n / k)``
    are ``n // k``, and ``math.ceil(n / k)`` is ``(n + k - 1) // k``. (``-(-n // k)`` would do in Python, but ONNX
    rounds integer division towards zero.)
    """
    argument = cast.argument
    if argument is None:
        return None
    if cast.converter in ("int", "operator.index", "math.floor", "math.ceil", "math.trunc"):
        if is_count(argument) or (isinstance(argument, ir.Name) and _is_dimension(cast)):
            return atom(cast, argument)
    if not isinstance(argument, ir.BinOp) or argument.op != "/" or not _is_positive(argument.right):
        return None
    left = argument.left
    if not (is_count(left) or (isinstance(left, ir.Name) and _is_dimension(cast))):
        return None
    number = cast.text_of(argument.right)
    if cast.converter in ("int", "math.floor", "math.trunc"):
        return f"({atom(cast, left)} // {number})"
    if cast.converter == "math.ceil":
        assert isinstance(argument.right, ir.Const) and isinstance(argument.right.value, int)
        return f"(({cast.text_of(left)} + {argument.right.value - 1}) // {number})"
    return None


def _is_dimension(cast: Conversion) -> bool:
    subject = cast.subject
    return isinstance(subject, Size) and not subject.boolean and subject.axis is not None


def _is_positive(node: ir.Expr) -> bool:
    return isinstance(node, ir.Const) and type(node.value) is int and node.value > 0


def is_count(node: ir.Expr) -> bool:
    """Whether an expression is an integer that is not negative, by its form alone: sizes, constants, their sums,
    products and quotients."""
    if isinstance(node, ir.Const):
        return type(node.value) is int
    if isinstance(node, ir.Subscript):
        whole = isinstance(node.value, ir.Attribute) and node.value.attr == "shape"
        return (whole or _is_size_call(node.value, 0)) and not isinstance(node.index, ir.Slice)
    if isinstance(node, ir.BinOp) and node.op in ("+", "*", "//", "%"):
        divides = node.op in ("//", "%")
        return is_count(node.left) and (_is_positive(node.right) if divides else is_count(node.right))
    return _is_size_call(node, 1) or (_is_method(node, "numel") and isinstance(node, ir.Call) and not node.args)


def _is_method(node: ir.Expr, name: str) -> bool:
    return isinstance(node, ir.Call) and isinstance(node.func, ir.Attribute) and node.func.attr == name


def _is_size_call(node: ir.Expr, arguments: int) -> bool:
    """``x.size(i)`` with one argument, or ``x.size()`` with none."""
    return _is_method(node, "size") and isinstance(node, ir.Call) and len(node.args) == arguments and not node.keywords
