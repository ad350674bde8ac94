"""Operators: arithmetic and comparison of values, membership, identity."""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

from onnx_lint.semantics.domain import torch_version
from onnx_lint.semantics.domain.dims import UNKNOWN_SIZE, Dim
from onnx_lint.semantics.domain.exact_type import are_same, classes_in
from onnx_lint.semantics.domain.lattice import (
    alternatives,
    element_of,
    hazard_among,
    is_certain,
    is_live,
    join_all,
    join_ways,
    pairs,
    truth_among,
    type_name,
)
from onnx_lint.semantics.domain.parts import traced_parts
from onnx_lint.semantics.domain.sites import Branch, Conversion, Formatting
from onnx_lint.semantics.domain.sizes import calculated, compared
from onnx_lint.semantics.domain.text import percent_of_text
from onnx_lint.semantics.domain.truth import as_value, combine, negate, static_truth
from onnx_lint.semantics.domain.values import (
    STATIC,
    UNKNOWN,
    Alternatives,
    Array,
    Bound,
    ClassValue,
    Const,
    Dict,
    EngineFlag,
    ExternalInstance,
    ExternalValue,
    Frozen,
    Instance,
    Seq,
    Single,
    Size,
    Static,
    Tensor,
    Unknown,
    Value,
)
from onnx_lint.semantics.evaluation.frame import Frame
from onnx_lint.source import ir

_MAX_FOLDED = 1 << 62
"""Constants beyond are not computed with."""
_MAX_LENGTH = 64
"""Sequences longer than that are not known element by element."""


# ------------------------------------------------------------------------------------------------------ arithmetic
def binary_operation(frame: Frame, node: ir.BinOp) -> Value:
    """``left + right`` and the like."""
    left = frame.interp.evaluate(frame, node.left)
    return binary(frame, node, node.op, left, frame.interp.evaluate(frame, node.right))


def binary(frame: Frame, node: ir.Expr | ir.Stmt | None, op: str, left: Value, right: Value) -> Value:
    """The result of an arithmetic operator."""
    if isinstance(left, Alternatives) or isinstance(right, Alternatives):
        ways = [(_binary(frame, node, op, a, b), engines) for a, b, engines in pairs(left, right)]
        return join_ways([way for way in ways if way[0] is not UNKNOWN]) or UNKNOWN
    return _binary(frame, node, op, left, right)


def _binary(frame: Frame, node: ir.Expr | ir.Stmt | None, op: str, left: Single, right: Single) -> Value:
    if isinstance(left, Const) and isinstance(left.value, str) and op == "%":
        text = percent_of_text(left.value, right)
        if text is not None:
            return text
    if isinstance(left, Const) and isinstance(right, Const):
        return _fold(op, left.value, right.value)
    if isinstance(left, Tensor) or isinstance(right, Tensor):
        if (isinstance(left, Unknown) or isinstance(right, Unknown)) and not (left.is_traced or right.is_traced):
            return UNKNOWN  # a tensor that is traced if the other one is
        return frame.interp.shape_of_operation(frame, node, op, (left, right), _tensor_result(left, right))
    if isinstance(left, Seq) or isinstance(right, Seq):
        return _sequence_operator(frame, node, op, left, right)
    if op == "%" and type_name(left) == "str":
        if node is not None and any(traced_parts(right)):
            frame.emit(Formatting, node, right, how="%")
        return Static("str")
    if isinstance(left, Array) or isinstance(right, Array):
        return left if isinstance(left, Array) else right
    if isinstance(left, Size) or isinstance(right, Size):
        return _size_result(op, left, right)
    if isinstance(left, Frozen) or isinstance(right, Frozen):
        if isinstance(left, Unknown) or isinstance(right, Unknown):
            return UNKNOWN
        return _frozen_result(left, right, _integer(op, left, right), calculated(op, left, right))
    if op in "&|" and (isinstance(left, EngineFlag) or isinstance(right, EngineFlag)):
        return as_value(combine(static_truth(left), static_truth(right), "and" if op == "&" else "or"))
    if isinstance(left, (Static, Const)) and isinstance(right, (Static, Const)):
        return Static(_number_type(op, type_name(left), type_name(right)))
    return UNKNOWN


def _number_type(op: str, left: str | None, right: str | None) -> str | None:
    if left == right == "str":
        return "str"
    if left == right == "int":
        return "float" if op == "/" else "int"
    return "float" if {left, right} <= {"int", "float"} else None


def _tensor_result(left: Value, right: Value) -> Value:
    tensors = [v for v in (left, right) if isinstance(v, Tensor)]
    traced = left.is_traced or right.is_traced
    presumed = all(t.presumed for t in tensors)
    origin = next((v.origin for v in (left, right) if v.is_traced and v.origin is not None), None)
    return Tensor(traced, presumed, origin, None, all(t.is_shape for t in tensors))


def _integer(op: str, left: Value, right: Value) -> str | None:
    """The type of a number computed from one that was read, where it is an integer."""
    return "int" if op != "/" and type_name(left) == type_name(right) == "int" else None


def _size_result(op: str, left: Value, right: Value) -> Value:
    size, other = (left, right) if isinstance(left, Size) else (right, left)
    if isinstance(other, (ExternalInstance, Instance, Dict)):
        return UNKNOWN
    return Size(size.origin, presumed=isinstance(other, Unknown), dim=calculated(op, left, right))


def _frozen_result(left: Value, right: Value, result: str | None, dim: Dim = UNKNOWN_SIZE) -> Value:
    """A number computed from one that was read: live for the engines for which one that it is computed from is."""
    read = [v for v in (left, right) if isinstance(v, Frozen)]
    live = read[0].live
    for value in read[1:]:
        live |= value.live
    return Frozen(any(v.from_data for v in read), result, read[0].origin, live, dim)


def _sequence_operator(frame: Frame, node: ir.Expr | ir.Stmt | None, op: str, left: Value, right: Value) -> Value:
    if op == "+" and isinstance(left, Seq) and isinstance(right, Seq):
        if left.elements is not None and right.elements is not None:
            if len(left.elements) + len(right.elements) <= _MAX_LENGTH:
                return Seq(left.kind if left.kind != "shape" else "tuple", (*left.elements, *right.elements))
        return Seq(left.kind, None, join_all((*left.items(), *right.items())), left.origin or right.origin)
    sequence, other = (left, right) if isinstance(left, Seq) else (right, left)
    assert isinstance(sequence, Seq)
    if op == "*":
        if isinstance(other, (Size, Frozen)) and is_live(other) and isinstance(node, ir.BinOp):
            frame.emit(Conversion, node, other, converter="repetition", argument=None)
        if isinstance(other, Const) and isinstance(other.value, int) and sequence.elements is not None:
            if 0 <= other.value * len(sequence.elements) <= _MAX_LENGTH:
                return Seq(sequence.kind, sequence.elements * other.value)
        return Seq(sequence.kind, None, element_of(sequence) if sequence.items() else None, sequence.origin)
    return UNKNOWN


_FOLDS: dict[str, Callable[[Any, Any], Any]] = {
    "+": operator.add, "-": operator.sub, "*": operator.mul, "/": operator.truediv, "//": operator.floordiv,
    "%": operator.mod, "&": operator.and_, "|": operator.or_, "^": operator.xor,
    "<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge, "==": operator.eq, "!=": operator.ne,
}  # fmt: skip


def _fold(op: str, left: object, right: object) -> Value:
    """Compute with two constants where that is cheap and certain."""
    if isinstance(left, str) and isinstance(right, str):
        if op == "+" and len(left) + len(right) < 1000:
            return Const(left + right)
        if op in ("==", "!=", "<", "<=", ">", ">="):
            return Const(_FOLDS[op](left, right))
        return Static("str")
    if isinstance(left, (int, float)) and isinstance(right, (int, float)) and op in _FOLDS:
        if abs(left) < _MAX_FOLDED and abs(right) < _MAX_FOLDED:
            if op in ("/", "//", "%") and right == 0:
                return STATIC
            if op in ("&", "|", "^") and not (isinstance(left, int) and isinstance(right, int)):
                return STATIC
            return Const(_FOLDS[op](left, right))
    if op in ("==", "!="):
        return Const((left == right) == (op == "=="))
    return STATIC


def unary_operation(frame: Frame, node: ir.UnaryOp) -> Value:
    """``-value``, ``~value``, ``not value``."""
    if node.op == "not":
        return as_value(negate(frame.interp.condition(frame, node.value, "not", node)))
    value = frame.interp.evaluate(frame, node.value)
    match value:
        case Const():
            if isinstance(value.value, (int, float)) and node.op in "+-":
                return Const(-value.value if node.op == "-" else value.value)
            return Static(type_name(value))
        case Size():
            return Size(value.origin, dim=-value.dim if node.op == "-" else UNKNOWN_SIZE)
        case Tensor():
            result = Tensor(value.traced, value.presumed, value.origin, None, value.is_shape)
            return frame.interp.shape_of_operation(frame, node, node.op, (value,), result)
    return value


# ------------------------------------------------------------------------------------------------------ comparison
def comparison(frame: Frame, node: ir.Compare) -> Value:
    """``a < b``, and chains of comparisons."""
    left = frame.interp.evaluate(frame, node.left)
    result: Value | None = None
    before: Value | None = None
    for op, expression in node.rest:
        right = frame.interp.evaluate(frame, expression)
        if before is not None:  # `a < b < c` asks for the truth of `a < b`
            frame.interp.truth(frame, node, before, frame.keyword or "and")
        before = _compare(frame, node, op, left, right)
        result = before if result is None else _both(result, before)
        left = right
    assert result is not None
    return result


def _both(first: Value, second: Value) -> Value:
    if isinstance(first, Const) and isinstance(second, Const):
        return Const(bool(first.value) and bool(second.value))
    return second if second.is_traced else first if first.is_traced else Static("bool")


def _compare(frame: Frame, node: ir.Expr, op: str, left: Value, right: Value) -> Value:
    if op in ("is", "is not") or (op in ("==", "!=") and isinstance(right, Const) and right.value is None):
        return _identity(left, right, op in ("is", "=="))
    if op in ("in", "not in"):
        return _membership(frame, node, left, right, op == "in")
    if not isinstance(left, Alternatives) and not isinstance(right, Alternatives):
        return _compare_one(frame, node, op, left, right)
    ways = [(_compare_one(frame, node, op, a, b), engines) for a, b, engines in pairs(left, right)]
    traced = 0
    for result, engines in ways:
        traced |= engines if result.is_traced else 0
    # where it may be traced, that is what it is
    return join_ways([way for way in ways if way[0].is_traced or way[1] & ~traced]) or UNKNOWN


def _identity(left: Value, right: Value, positive: bool) -> Value:
    if not (isinstance(right, Const) and right.value is None):
        if isinstance(left, Const) and isinstance(right, Const) and isinstance(right.value, bool):
            return Const((left.value is right.value) == positive)
        same = {are_same(a, b) for a in alternatives(left) for b in alternatives(right)}
        answer = same.pop() if len(same) == 1 else None
        return Static("bool") if answer is None else Const(answer == positive)
    is_none = truth_among(left, is_none_or_unknown)
    return as_value(is_none if positive else negate(is_none))


def is_none_or_unknown(value: Single) -> bool | None:
    """Whether a value is ``None``; ``None`` when that is not known. A method that something unknown is said to have
    may be an attribute of any value."""
    match value:
        case Const():
            return value.value is None
        case Unknown():
            return None
        case Static():
            return None if value.type is None else value.type == "NoneType"
        case Bound() if isinstance(value.function, str):
            return None if isinstance(value.receiver, (Unknown, Static)) else False
    return False


def _size_comparison(size: Size, dim: Dim = UNKNOWN_SIZE) -> Size:
    return Size(size.origin, boolean=True, parameter=size.parameter, axis=size.axis, dim=dim)


def _compare_one(frame: Frame, node: ir.Expr, op: str, left: Single, right: Single) -> Value:
    if isinstance(left, Tensor) or isinstance(right, Tensor):
        if type_name(left) == "str" or type_name(right) == "str":
            return Static("bool")
        for size, other in ((left, right), (right, left)):
            if isinstance(size, Size) and isinstance(other, Tensor) and other.presumed:
                return _size_comparison(size)  # traced, whatever the other one is
        return frame.interp.shape_of_operation(frame, node, op, (left, right), _tensor_result(left, right))
    if isinstance(left, Seq) or isinstance(right, Seq):
        return _compare_sequences(frame, node, left, right)
    if isinstance(left, Const) and isinstance(right, Const) and op in _FOLDS:
        result = _fold(op, left.value, right.value)
        return result if isinstance(result, Const) else Static("bool")
    if isinstance(left, Array) or isinstance(right, Array):
        return left if isinstance(left, Array) else right
    if isinstance(left, Size) or isinstance(right, Size):
        size, other = (left, right) if isinstance(left, Size) else (right, left)
        if type_name(other) == "str" or (isinstance(other, Const) and other.value is None):
            return Static("bool")
        assert isinstance(size, Size)
        return _size_comparison(size, compared(op, left, right))
    if isinstance(left, Frozen) or isinstance(right, Frozen):
        return _frozen_result(left, right, "bool", compared(op, left, right))
    if isinstance(left, Unknown) or isinstance(right, Unknown):
        return UNKNOWN
    if isinstance(left, ExternalValue) and left.name == torch_version.NAME and isinstance(right, Const):
        answer = torch_version.compared(op, right.value) if isinstance(right.value, str) else None
        return Static("bool") if answer is None else Const(answer)
    same = are_same(left, right) if op in ("==", "!=") else None
    return Static("bool") if same is None else Const(same == (op == "=="))


def _compare_sequences(frame: Frame, node: ir.Expr, left: Value, right: Value) -> Value:
    """Sequences compare element by element, each time asking for the truth."""
    if not (isinstance(left, Seq) and isinstance(right, Seq)):
        return Static("bool")
    if left.elements is not None and right.elements is not None and len(left.elements) != len(right.elements):
        return Static("bool")
    part = next((p for s in (left, right) for p in traced_parts(s, 1)), None)
    if part is None or not is_certain(part):
        return Static("bool")
    frame.emit(Branch, node, part, keyword=frame.keyword or "==")
    return Static("bool")


def _membership(frame: Frame, node: ir.Expr, left: Value, right: Value, positive: bool) -> Value:
    """``left in right``: known when every alternative says the same."""
    answers = {_contains(frame, node, left, container) for container in alternatives(right)}
    answer = answers.pop() if len(answers) == 1 else None
    return Static("bool") if answer is None else Const(answer == positive)


def _is_among(left: Value, classes: tuple[Single, ...] | None) -> bool | None:
    """Whether a class is one of these; ``None`` where that is not known for all that it may be."""
    answers: set[bool | None] = set()
    for one in alternatives(left):
        same = [are_same(one, other) for other in classes or ()]
        answers.add(None if classes is None else True if True in same else None if None in same else False)
    return answers.pop() if len(answers) == 1 else None


def _contains(frame: Frame, node: ir.Expr, left: Value, container: Single) -> bool | None:
    match container:
        case Const() if isinstance(container.value, str):
            if isinstance(left, Const) and isinstance(left.value, str):
                return left.value in container.value
        case Dict():
            if isinstance(left, Const) and container.rest is None and isinstance(left.value, str):
                return left.value in container.entries
        case Seq():
            traced = hazard_among(traced_parts(left, 0))
            if traced is None:
                traced = hazard_among(traced_parts(container, 1))
            if traced is not None:
                frame.emit(Conversion, node, traced, converter="in", argument=None)
                return None
            if isinstance(left, Const) and container.elements is not None:
                if all(isinstance(e, Const) for e in container.elements):
                    return left.key() in {e.key() for e in container.elements}
            if any(isinstance(one, (ClassValue, ExternalValue)) for one in alternatives(left)):
                return _is_among(left, classes_in(container))
        case Tensor() if is_certain(container):
            frame.emit(Conversion, node, container, converter="in", argument=None)
    return None
