"""What is known of tensors: shape and dtype; and the values that models of operators take and give.

A `Value` is what stands at an argument or a result of a call:

===================  =================================================================================================
`TensorType`         a tensor
``int``, `Dim`       an integer, known, symbolic, or an unknown size
``float``, ``bool``  a Python number; ``complex`` likewise
`Number`             a Python number of which only the type is known
``str``              a string; dtypes are strings as ``float32`` or ``torch.float32``
``None``             Python's None
``tuple``            a tuple or a list of known length; ``torch.Size`` is a tuple of dims
`Repeated`           a tuple or a list of unknown length
`UNKNOWN`            nothing is known
===================  =================================================================================================
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from enum import Enum
from typing import Final, TypeAlias

from onnx_lint.semantics.domain import dtypes
from onnx_lint.semantics.domain.dims import (
    FIXED_SIZE,
    UNKNOWN_SIZE,
    VARYING_SIZE,
    Dim,
    Expression,
    UnknownSize,
    bounds,
    equal,
    varies,
)  # fmt: skip
from onnx_lint.semantics.domain.dtypes import NumberType, Operand
from onnx_lint.semantics.domain.equations import Constraint, Equation

Shape: TypeAlias = tuple[Dim, ...]


class Unknown(Enum):
    """The type of `UNKNOWN`."""

    UNKNOWN = "unknown"


UNKNOWN: Final = Unknown.UNKNOWN


@dataclass(frozen=True, slots=True)
class TensorType:
    """A tensor. `shape` is None if the rank is not known, `dtype` (``float32``) if that is not known."""

    shape: Shape | None = None
    dtype: str | None = None

    like: str | None = None
    """The input of the model that has as many dimensions, while it is not known how many."""
    is_resized: bool = False
    """Whether its sizes may be others than those of the input `like`."""
    is_unseen: bool = False
    """It comes from a part of the model that was not seen, such as one that configuration chooses: where another way
    says what the tensor is, that counts."""
    last: Dim | None = None
    """The size of its last dimension, while it is not known how many there are."""

    @property
    def last_size(self) -> Dim | None:
        """The size of its last dimension; ``None`` if it is not known or there is none."""
        return self.last if self.shape is None else self.shape[-1] if self.shape else None

    @property
    def rank(self) -> int | None:
        """The number of dimensions; None if it is not known."""
        return None if self.shape is None else len(self.shape)

    @property
    def numel(self) -> Dim:
        """The number of elements."""
        return UNKNOWN_SIZE if self.shape is None else product(self.shape)

    def __str__(self) -> str:
        shape = "[…]" if self.shape is None else f"[{', '.join(map(str, self.shape))}]"
        return f"{self.dtype or 'tensor'}{shape}"


UNTYPED = TensorType()
"""A tensor of which neither shape nor dtype is known."""
UNSEEN = TensorType(is_unseen=True)
"""A tensor from a part of the model that was not seen."""


def unseen(given: TensorType) -> TensorType:
    """What a part of the model that was not seen returns of a tensor: of floating-point numbers, others of the type."""
    is_float = given.dtype is not None and dtypes.category(given.dtype) == 2
    return TensorType(None, given.dtype, is_unseen=True) if is_float else UNSEEN


@dataclass(frozen=True, slots=True)
class Number:
    """A Python number of which only the type is known."""

    type: NumberType


@dataclass(frozen=True, slots=True)
class Repeated:
    """A tuple or list of unknown length of which all items are like `item`."""

    item: Value


Value: TypeAlias = (
    TensorType | Dim | float | bool | complex | str | Number | tuple["Value", ...] | Repeated | Unknown | None
)  # a string inside of `X | Y` does not evaluate under Python 3.10


def join_dims(first: Dim, second: Dim) -> Dim:
    """A size that is one of two. One that may change on one of two ways may change."""
    if isinstance(first, UnknownSize) or isinstance(second, UnknownSize) or first != second:
        found = {varies(first), varies(second)}
        return VARYING_SIZE if True in found else UNKNOWN_SIZE if None in found else FIXED_SIZE
    return first


def join_types(first: TensorType, second: TensorType) -> TensorType:
    """A tensor that is one of two."""
    if first is second or first == second:
        return first
    if first.is_unseen or second.is_unseen:
        if first.is_unseen and second.is_unseen:
            return UNSEEN if first.dtype != second.dtype else first
        return second if first.is_unseen else first
    dtype = first.dtype if first.dtype == second.dtype else None
    like = first.like if first.like == second.like else None
    if first.shape is None or second.shape is None or len(first.shape) != len(second.shape):
        sizes = first.last_size, second.last_size
        last = None if sizes[0] is None or sizes[1] is None else join_dims(sizes[0], sizes[1])
        is_resized = like is not None and (first.is_resized or second.is_resized)
        return TensorType(None, dtype, like, is_resized, last=last)
    return TensorType(tuple(map(join_dims, first.shape, second.shape)), dtype)


def join_known(first: TensorType, second: TensorType) -> TensorType:
    """A tensor that is one of two, by what is known of either."""
    joined = join_types(first, second)
    shape, dtype = joined.shape, joined.dtype
    if first.shape is None or second.shape is None:
        known = first if second.shape is None else second
        shape = known.shape if first.is_unseen or second.is_unseen else general_type(known).shape
    return TensorType(shape, dtype if first.dtype and second.dtype else first.dtype or second.dtype)


def general_dim(dim: Dim) -> Dim:
    """Of a size only whether it may change."""
    return dim if isinstance(dim, UnknownSize) else UnknownSize(varies(dim))


def general_type(type: TensorType) -> TensorType:
    """Of a shape only the number of dimensions and which of them may change."""
    if type.shape is None:
        return type if type.last is None else replace(type, last=general_dim(type.last))
    return TensorType(tuple(map(general_dim, type.shape)), type.dtype)


class ShapeError(ValueError):
    """A call that fails for every value of the sizes; the message says why."""

    def __init__(self, message: str, *sizes: Dim) -> None:
        super().__init__(message)
        self.sizes = sizes
        """The two sizes that contradict each other; none where it is something else that does not fit."""


def product(dims: Iterable[Dim]) -> Dim:
    """The product of sizes."""
    total: Dim = 1
    for dim in dims:
        total = total * dim
    return total


def size_like(*dims: Dim) -> UnknownSize:
    """A size computed from others in a way that is not known: whether it varies follows from them."""
    found = {varies(d) for d in dims}
    return UNKNOWN_SIZE if None in found else VARYING_SIZE if True in found else FIXED_SIZE


def broadcast(shapes: Sequence[Shape]) -> tuple[Shape, list[Constraint]]:
    """The shape of an elementwise operation on tensors of these shapes, and what it demands of them.

    Two sizes that may differ, none of them known to be other than 1, give an unknown size.

    Raises:
        ShapeError: the shapes cannot be broadcast, whatever the sizes are.
    """
    rank = max((len(s) for s in shapes), default=0)
    constraints: list[Constraint] = []
    result: list[Dim] = []
    for axis in range(-rank, 0):
        dim: Dim = 1
        for shape in shapes:
            if len(shape) >= -axis:
                dim = _broadcast_dim(dim, shape[axis], constraints)
        result.append(dim)
    return tuple(result), constraints


def _broadcast_dim(left: Dim, right: Dim, constraints: list[Constraint]) -> Dim:
    if left == 1:
        return right
    if right == 1:
        return left
    same = equal(left, right)
    if same:
        return left
    left_real, right_real = _is_not_one(left), _is_not_one(right)
    if same is False and left_real and right_real:
        numbers = (left, right) if isinstance(left, int) and isinstance(right, int) else ()
        raise ShapeError(f"sizes {left} and {right} cannot be broadcast", *numbers)
    if left_real and right_real:
        constraints.append(Equation(left, right, "broadcasting"))
        return left if isinstance(left, int) or not isinstance(right, int) else right
    if left_real or right_real:
        return left if left_real else right
    return size_like(left, right)


def _is_not_one(dim: Dim) -> bool:
    low, high = bounds(dim)
    return (low is not None and low > 1) or (high is not None and high < 1)


def operand(value: Value) -> Operand | None:
    """What a tensor or a number contributes to the dtype of a result; None if that is not known."""
    if isinstance(value, TensorType):
        if value.dtype is None:
            return None
        if value.rank is None:
            return Operand(value.dtype, "unknown")
        return Operand(value.dtype, "tensor" if value.rank else "scalar")
    kind = number_type(value)
    return dtypes.number_operand(kind) if kind is not None else None


def number_type(value: Value) -> NumberType | None:
    """The type of a Python number; None for anything else."""
    if isinstance(value, Number):
        return value.type
    if isinstance(value, bool):
        return "bool"
    if isinstance(value, int | Expression | UnknownSize):
        return "int"
    if isinstance(value, float):
        return "float"
    return "complex" if isinstance(value, complex) else None
