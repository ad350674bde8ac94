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
"""Certain, true for some engines only, or not known."""


def negate(value: Truth) -> Truth:
    if isinstance(value, EngineFlag):
        return EngineFlag(ALL_ENGINES & ~value.true_for)
    return None if value is None else not value


def combine(left: Truth, right: Truth, op: str) -> Truth:
    """The truth of ``left and right`` or ``left or right`` (`op`)."""
    if left is None or right is None:
        certain = op == "or"
        return certain if right is certain or left is certain else None
    if isinstance(left, EngineFlag) or isinstance(right, EngineFlag):
        a, b = _mask(left), _mask(right)
        mask = a | b if op == "or" else a & b
        return EngineFlag(mask) if 0 < mask < ALL_ENGINES else bool(mask)
    return (left or right) if op == "or" else (left and right)


def _mask(value: bool | EngineFlag) -> int:
    if isinstance(value, EngineFlag):
        return value.true_for
    return ALL_ENGINES if value else 0


def engines_of(value: Truth, engines: int) -> tuple[int, int]:
    """The engines that go the true way and those that go the false way."""
    if value is None:
        return engines, engines
    if isinstance(value, EngineFlag):
        return engines & value.true_for, engines & ~value.true_for
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
