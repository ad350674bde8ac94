"""Truth, as far as it is known: certain, certain for some engines, or unknown."""

from __future__ import annotations

from typing import TypeAlias

from onnx_lint.semantics.domain.engines import ALL_ENGINES
from onnx_lint.semantics.domain.values import (
    FALSE,
    TRUE,
    Const,
    Dict,
    EngineFlag,
    ExternalInstance,
    ExternalValue,
    Function,
    Instance,
    Seq,
    Static,
    Value,
)

Truth: TypeAlias = "bool | EngineFlag | None"
"""Certain, not the same for all engines, or not known for any."""


def truth_of(true_for: int, false_for: int) -> Truth:
    """The truth of what may be true under the first engines, and false under the second ones; of an engine in neither
    nothing is asked."""
    if not false_for:
        return True
    if not true_for:
        return False
    return None if true_for == false_for else EngineFlag(true_for, false_for)


def true_under(engines: int) -> Truth:
    """The truth of what is true under these engines, and false under all others."""
    return truth_of(engines, ALL_ENGINES & ~engines)


def negate(value: Truth) -> Truth:
    if isinstance(value, EngineFlag):
        return EngineFlag(value.false_for, value.true_for)
    return None if value is None else not value


def combine(left: Truth, right: Truth, op: str) -> Truth:
    """The truth of ``left and right`` or ``left or right`` (`op`)."""
    true, false = engines_of(left, ALL_ENGINES)
    right_true, right_false = engines_of(right, ALL_ENGINES)
    if op == "or":
        return truth_of(true | (right_true & false), false & right_false)
    return truth_of(true & right_true, false | (right_false & true))


def engines_of(value: Truth, engines: int) -> tuple[int, int]:
    """The engines that may go the true way and those that may go the false way."""
    if value is None:
        return engines, engines
    if isinstance(value, EngineFlag):
        return engines & value.true_for, engines & value.false_for
    return (engines, 0) if value else (0, engines)


def static_truth(value: Value) -> Truth:
    """The truth of a value that is not traced, where known."""
    match value:
        case Const():
            known = isinstance(value.value, (bool, int, float, str, bytes, type(None)))
            return bool(value.value) if known else True
        case EngineFlag():
            return value
        case Seq() if value.elements is not None:
            return bool(value.elements) or (False if value.kind == "tuple" else None)
        case Dict() if value.entries:
            return True
        case Function() | ExternalValue():
            return True
        case Instance():
            return None if value.cls.find("__len__") or value.cls.find("__bool__") else True
        case ExternalInstance():
            return None if value.items is not None else True
    return None


def as_value(result: Truth) -> Value:
    """The Python value of a truth."""
    if isinstance(result, EngineFlag):
        return result
    return Static("bool") if result is None else TRUE if result else FALSE
