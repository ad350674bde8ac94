"""Readers of arguments: from what an argument is to what a model needs, or `NotKnown`."""

from __future__ import annotations

from onnx_lint.semantics.catalogue.shapes.registry import NotKnown
from onnx_lint.semantics.domain.dims import UNKNOWN_SIZE, VARYING_SIZE, Dim, Expression, UnknownSize
from onnx_lint.semantics.domain.shapes import UNKNOWN, Number, Repeated, Shape, ShapeError, TensorType, Value


def tensor(value: Value) -> TensorType:
    """A tensor.

    Raises:
        NotKnown: it is not one.
    """
    if isinstance(value, TensorType):
        return value
    raise NotKnown


def shape_of(value: Value) -> Shape:
    """The shape of a tensor; that of a number is ``()``.

    Raises:
        NotKnown: the rank is not known.
    """
    if isinstance(value, TensorType):
        if value.shape is None:
            raise NotKnown
        return value.shape
    if isinstance(value, int | float | complex | Expression | UnknownSize | Number):
        return ()
    raise NotKnown


def size(value: Value) -> Dim:
    """An integer, known or not.

    Raises:
        NotKnown: it is not an integer.
    """
    if isinstance(value, int | Expression | UnknownSize):
        return int(value) if isinstance(value, bool) else value
    if isinstance(value, Number) and value.type == "int":
        return UNKNOWN_SIZE
    if isinstance(value, TensorType) and value.shape == () and value.dtype == "int64":
        return VARYING_SIZE
    raise NotKnown


def integer(value: Value) -> int:
    """An integer that is known.

    Raises:
        NotKnown: it is not one.
    """
    if isinstance(value, int):
        return int(value)
    raise NotKnown


def _any_size(value: Value) -> Dim:
    return UNKNOWN_SIZE if value is UNKNOWN else size(value)


MOST_ITEMS = 4096
"""How many items or layers a model enumerates; programs with more of them are not looked at."""


def count(value: Value) -> int:
    """A known integer that a model counts to.

    Raises:
        NotKnown: it is not known, or too large.
    """
    found = integer(value)
    if found > MOST_ITEMS:
        raise NotKnown
    return found


def flag(value: Value) -> bool:
    """A truth value that is known; None counts as false.

    Raises:
        NotKnown: it is not known.
    """
    if value is None:
        return False
    if isinstance(value, int):
        return bool(value)
    raise NotKnown


def items(value: Value) -> tuple[Value, ...]:
    """The items of a tuple or list.

    Raises:
        NotKnown: it is not one of known length.
    """
    if isinstance(value, tuple):
        return value
    raise NotKnown


def sizes(value: Value) -> Shape:
    """A tuple of integers, as ``(*size)`` or as one tuple in it; a single integer is a tuple of one.

    Raises:
        NotKnown: it is something else.
    """
    if not isinstance(value, tuple):
        return (size(value),)
    if len(value) == 1 and isinstance(value[0], tuple):
        return sizes(value[0])
    # of several, each is an integer, known or not; one alone may be all of them
    return tuple(map(_any_size, value)) if len(value) > 1 else tuple(map(size, value))


def sizes_of(value: Value, count: int) -> Shape:
    """`count` integers, given as that many or as one for all; unknown ones for what is not known.

    Raises:
        NotKnown: it is something else.
    """
    if value is UNKNOWN or isinstance(value, Repeated):
        return (UNKNOWN_SIZE,) * count
    found = tuple(map(_any_size, value)) if isinstance(value, tuple) else sizes(value)
    if len(found) == 1:
        return found * count
    if len(found) != count:
        raise NotKnown
    return found


def axis(value: Value, rank: int) -> int:
    """An axis, counted from the front. A tensor without dimensions has axis 0 too.

    Raises:
        NotKnown: it is not a known integer.
        ShapeError: there is no such axis.
    """
    at = integer(value)
    bound = max(rank, 1)
    if not -bound <= at < bound:
        raise ShapeError(f"dimension {at} of a tensor of {rank} dimensions")
    return at % bound


def axes(value: Value, rank: int) -> tuple[int, ...]:
    """Several axes, counted from the front.

    Raises:
        NotKnown: they are not known integers.
        ShapeError: one does not exist.
    """
    if isinstance(value, tuple) and len(value) == 1 and isinstance(value[0], tuple):
        return axes(value[0], rank)
    return tuple(axis(v, rank) for v in value) if isinstance(value, tuple) else (axis(value, rank),)


def text(value: Value) -> str:
    """A string.

    Raises:
        NotKnown: it is not one.
    """
    if isinstance(value, str):
        return value
    raise NotKnown


def replaced(shape: Shape, at: int, *dims: Dim) -> Shape:
    """A shape with one dimension replaced by others, or by none."""
    return (*shape[:at], *dims, *shape[at + 1 :])
