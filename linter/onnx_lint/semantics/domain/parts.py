"""The parts of values: what containers hold, what a function closes over; and walks over them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NoReturn

from onnx_lint.semantics.domain.origin import Origin
from onnx_lint.semantics.domain.values import (
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
    Function,
    Instance,
    ModuleValue,
    Partial,
    RangeValue,
    Seq,
    Size,
    Static,
    Super,
    Tensor,
    Unknown,
    Value,
)


def assert_never(value: NoReturn) -> NoReturn:
    """Reached by no kind of value: a `match` that forgets one is an error of the type checker here."""
    raise AssertionError(f"a kind of value without a case: {value!r}")


def children(value: Value) -> tuple[Value, ...]:
    """The values inside a value, one level down."""
    match value:
        case Seq():
            return value.items()
        case Dict():
            return value.values()
        case Alternatives():
            return value.values
        case ExternalInstance():
            return () if value.items is None else (value.items,)
        case Bound() | Super():
            return (value.receiver,)
        case Partial():
            return (value.function, *value.args.all())
        case RangeValue():
            return () if value.bound is None else (value.bound,)
        case (
            Unknown() | Static() | Const() | EngineFlag() | Tensor() | Size() | Frozen() | Array() | ExternalValue()
            | Instance() | ClassValue() | Function() | ModuleValue()
        ):  # fmt: skip
            return ()
    assert_never(value)


def values_in(value: Value, depth: int = 3) -> Iterator[Value]:
    """A value and all values inside it, each object once, down to `depth` containers."""
    seen: set[int] = set()
    pending: list[tuple[Value, int]] = [(value, depth)]
    while pending:
        current, left = pending.pop()
        if id(current) in seen:
            continue
        seen.add(id(current))
        yield current
        inner = left if isinstance(current, Alternatives) else left - 1
        if left:
            pending.extend((part, inner) for part in reversed(children(current)))


def traced_parts(value: Value, depth: int = 3) -> Iterator[Tensor | Size | Frozen | Array]:
    """The traced tensors, sizes, numbers and arrays that a value holds, down to `depth` containers; alternatives cost
    no depth."""
    if isinstance(value, (Tensor, Size, Frozen, Array)):
        if value.is_traced:
            yield value
        return
    seen: set[int] = set()
    pending: list[tuple[Value, int]] = [(value, depth)]
    while pending:
        current, left = pending.pop()
        if not current.is_traced or id(current) in seen:
            continue
        seen.add(id(current))
        if isinstance(current, (Tensor, Size, Frozen, Array)):
            yield current
        elif isinstance(current, Alternatives):
            pending.extend((part, left) for part in reversed(current.values))
        elif left and isinstance(current, Seq):
            pending.extend((part, left - 1) for part in reversed(current.items()))
        elif left and isinstance(current, Dict):
            pending.extend((part, left - 1) for part in reversed(current.values()))


def certain_parts(values: tuple[Value, ...]) -> list[Tensor | Size | Frozen | Array]:
    """The parts of values that are traced for certain."""
    return [p for v in values for p in traced_parts(v) if not (isinstance(p, Tensor) and p.presumed)]


def depends_on_data(value: Value) -> bool:
    """Whether a traced part of the value depends on what a tensor holds."""
    return any(isinstance(p, (Tensor, Array)) or (isinstance(p, Frozen) and p.from_data) for p in traced_parts(value))


def origin_of(value: Value) -> Origin | None:
    """The origin of a value, or of the first value inside it that has one."""
    return next((v.origin for v in values_in(value, 6) if v.origin is not None), None)
