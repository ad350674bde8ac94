"""Indexing: integers, slices, None, Ellipsis, masks and tensors of indices."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Final

from onnx_lint.semantics.catalogue.shapes import arguments as read
from onnx_lint.semantics.catalogue.shapes.registry import Call, NotKnown
from onnx_lint.semantics.catalogue.shapes.views import slice_length
from onnx_lint.semantics.domain.dims import UNKNOWN_SIZE, VARYING_SIZE, Dim, Expression, UnknownSize
from onnx_lint.semantics.domain.shapes import Number, Shape, ShapeError, TensorType, Value


@dataclass(frozen=True, slots=True)
class Slice:
    """``start:stop:step`` in an index; the parts are integers, None or unknown."""

    start: Value = None
    stop: Value = None
    step: Value = None


class Ellipsis_(Enum):
    """The type of `ELLIPSIS`."""

    ELLIPSIS = "..."


ELLIPSIS: Final = Ellipsis_.ELLIPSIS

Index = Value | Slice | Ellipsis_


def indexed(call: Call, x: TensorType, index: tuple[Index, ...]) -> TensorType:
    """The type of ``x[index]``.

    Raises:
        NotKnown: an index is not known, or the rank is not.
        ShapeError: there are too many indices.
    """
    if x.shape is None:
        raise NotKnown
    parts: list[Index] = [_as_tensor(p) if isinstance(p, tuple) else p for p in index]
    used = sum(_consumes(p) for p in parts)
    left = len(x.shape) - used
    if left < 0:
        raise ShapeError(f"too many indices for a tensor of {len(x.shape)} dimensions")
    if ELLIPSIS not in parts:
        parts.append(ELLIPSIS)
    result: list[Dim] = []
    advanced: list[Shape] = []
    place: int | None = None
    gap = False
    """Whether a slice or None stood between tensors of indices: their dimensions then come first."""
    open_gap = False
    at = 0
    for part in parts:
        kind = _advanced_shape(call, part, x.shape[at : at + _consumes(part)])
        if kind is not None:
            gap = gap or (open_gap and bool(advanced))
            open_gap = False
            place = len(result) if place is None else place
            advanced.append(kind)
            at += _consumes(part)
        elif isinstance(part, Slice):
            open_gap = True
            result.append(_sliced(x.shape[at], part))
            at += 1
        elif part is None:
            open_gap = True
            result.append(1)
        elif part is ELLIPSIS:
            open_gap = open_gap or left > 0
            result.extend(x.shape[at : at + left])
            at += left
        else:
            raise NotKnown
    if not any(isinstance(p, TensorType | bool) for p in parts):
        return TensorType(tuple(result), x.dtype)
    shape = call.broadcast(*advanced)
    place = 0 if gap or place is None else place
    return TensorType((*result[:place], *shape, *result[place:]), x.dtype)


def _as_tensor(part: tuple[Value, ...]) -> TensorType:
    """A list of indices is like a tensor of them."""
    if all(isinstance(p, bool) for p in part) and part:
        return TensorType((len(part),), "bool")
    if all(isinstance(p, int | Expression | UnknownSize) for p in part):
        return TensorType((len(part),), "int64")
    raise NotKnown


def _consumes(part: Index) -> int:
    """How many dimensions an index takes."""
    if part is None or part is ELLIPSIS or isinstance(part, bool):
        return 0
    if isinstance(part, TensorType) and part.dtype in ("bool", "uint8"):
        return len(read.shape_of(part))
    if isinstance(part, TensorType) and part.dtype is None:
        raise NotKnown
    return 1


def _advanced_shape(call: Call, part: Index, taken: Shape) -> Shape | None:
    """The shape that an index of a tensor or an integer gives; None for the other indices."""
    if isinstance(part, bool):
        return (int(part),)
    if isinstance(part, TensorType):
        if part.dtype in ("bool", "uint8"):
            for mask, of in zip(read.shape_of(part), taken, strict=True):
                call.equal(mask, of, "a mask has the size of what it selects from")
            return (VARYING_SIZE,)
        return read.shape_of(part)
    if isinstance(part, int | Expression | UnknownSize | Number):
        return ()
    return None


def _sliced(whole: Dim, part: Slice) -> Dim:
    start = None if part.start is None else _bound(part.start)
    stop = None if part.stop is None else _bound(part.stop)
    if isinstance(whole, UnknownSize) and part.step in (None, 1) and _is_of_one(start, stop):
        return 1
    return slice_length(whole, start, stop, 1 if part.step is None else _bound(part.step))


def _is_of_one(start: Dim | None, stop: Dim | None) -> bool:
    """Whether a slice is one of a single item, ``[i : i + 1]`` or ``[-1:]``: who writes that has such an item, as with
    ``[i]``."""
    first = 0 if start is None else start
    if isinstance(first, int) and isinstance(stop, int):
        return stop - first == 1 and (first < 0) == (stop < 0)
    return first == -1 and stop is None


def _bound(value: Value) -> Dim:
    try:
        return read.size(value)
    except NotKnown:  # the rank of the result does not depend on it
        return UNKNOWN_SIZE
