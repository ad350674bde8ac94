"""Data types of tensors by their names in torch, and how they combine.

The rules are those of ``torch.result_type`` (c10/core/ScalarType.cpp, aten/src/ATen/native/TypeProperties.cpp); tests
compare them with the installed torch for all pairs. The default floating-point type is taken to be ``float32``.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal, TypeAlias

DEFAULT_FLOAT = "float32"
DEFAULT_COMPLEX = "complex64"

_SIGNED = ("int8", "int16", "int32", "int64")
_FLOATS = ("float16", "bfloat16", "float32", "float64")
_COMPLEX = ("complex32", "complex64", "complex128")
_UNUSUAL = (
    "uint16", "uint32", "uint64", "float8_e4m3fn", "float8_e5m2", "float8_e4m3fnuz", "float8_e5m2fnuz",
    "quint8", "qint8", "qint32",
)  # fmt: skip
DTYPES = frozenset(("bool", "uint8", *_SIGNED, *_FLOATS, *_COMPLEX, *_UNUSUAL))
_ALIASES = {
    "float": "float32", "double": "float64", "half": "float16", "long": "int64", "int": "int32", "short": "int16",
    "cfloat": "complex64", "cdouble": "complex128", "chalf": "complex32",
}  # fmt: skip
_COMPLEX_OF = {"float16": "complex32", "bfloat16": "complex64", "float32": "complex64", "float64": "complex128"}
_REAL_OF = {"complex32": "float16", "complex64": "float32", "complex128": "float64"}

NumberType: TypeAlias = Literal["bool", "int", "float", "complex"]


def dtype_named(name: str) -> str | None:
    """The dtype of a name as ``float32``, ``torch.float32`` or ``torch.long``; None if there is none of that name."""
    plain = name.removeprefix("torch.")
    plain = _ALIASES.get(plain, plain)
    return plain if plain in DTYPES else None


def category(dtype: str) -> int:
    """0 for bool, 1 for integers, 2 for floating point, 3 for complex numbers."""
    return 3 if dtype in _COMPLEX else 2 if dtype.startswith(("float", "bfloat")) else 0 if dtype == "bool" else 1


def is_integral(dtype: str) -> bool:
    """Whether values are integers or truth values."""
    return category(dtype) < 2


def is_complex(dtype: str) -> bool:
    """Whether values are complex numbers."""
    return category(dtype) == 3


def as_float(dtype: str) -> str:
    """The type in which functions such as ``sin`` give their results: integers become the default type."""
    return DEFAULT_FLOAT if is_integral(dtype) else dtype


def as_real(dtype: str) -> str:
    """The type of the parts of a complex number; others as they are."""
    return _REAL_OF.get(dtype, dtype)


def as_complex(dtype: str) -> str | None:
    """The complex type of the same precision; None if there is none."""
    return dtype if is_complex(dtype) else _COMPLEX_OF.get(as_float(dtype))


def promote(left: str, right: str) -> str | None:
    """``torch.promote_types``; None where torch raises or the types are not modelled."""
    if left == right:
        return left
    if left in _UNUSUAL or right in _UNUSUAL:
        return None
    low, high = sorted((left, right), key=category)
    if category(low) == category(high):
        return _promote_equals(low, high)
    if category(high) == 3 and category(low) == 2:
        other = as_complex(low)
        return _larger(_COMPLEX, high, other) if other is not None else None
    return high


def _promote_equals(left: str, right: str) -> str | None:
    group = {1: _SIGNED, 2: _FLOATS, 3: _COMPLEX}[category(left)]
    if {left, right} == {"float16", "bfloat16"}:
        return "float32"
    if "uint8" in (left, right):
        signed = right if left == "uint8" else left
        return "int16" if signed == "int8" else signed
    return _larger(group, left, right)


def _larger(group: tuple[str, ...], left: str, right: str) -> str:
    return max(left, right, key=group.index)


@dataclass(frozen=True, slots=True)
class Operand:
    """What takes part in a promotion: a dtype, and whether it comes from a tensor with dimensions (``tensor``), one
    without (``scalar``), or a Python number (``number``); ``unknown`` if it is one of the first two."""

    dtype: str
    source: Literal["tensor", "scalar", "number", "unknown"]


def number_operand(kind: NumberType) -> Operand:
    """The operand that a Python number is."""
    of = {"bool": "bool", "int": "int64", "float": DEFAULT_FLOAT, "complex": DEFAULT_COMPLEX}
    return Operand(of[kind], "number")


def result_type(operands: Iterable[Operand]) -> str | None:
    """``torch.result_type`` of any number of operands; None if it is not known or if torch raises."""
    listed = list(dict.fromkeys(operands))  # equal ones count once: of unknown ones both cases are looked at
    for i, operand in enumerate(listed):
        if operand.source == "unknown":
            either = {
                result_type([*listed[:i], Operand(operand.dtype, "tensor"), *listed[i + 1 :]]),
                result_type([*listed[:i], Operand(operand.dtype, "scalar"), *listed[i + 1 :]]),
            }
            return either.pop() if len(either) == 1 else None
    found: dict[str, str] = {}
    for operand in listed:
        known = found.get(operand.source)
        both = operand.dtype if known is None else promote(known, operand.dtype)
        if both is None:
            return None
        found[operand.source] = both
    result = _combine(found.get("scalar"), found.get("number"))
    return _combine(found.get("tensor"), result)


def _combine(higher: str | None, lower: str | None) -> str | None:
    """A tensor with dimensions decides within its category, a Python number only lifts to its own category."""
    if higher is None or lower is None:
        return higher or lower
    if category(higher) == 3:
        return higher
    if category(higher) == 2:
        return as_complex(higher) if category(lower) == 3 else higher
    return promote(higher, lower) if higher == "bool" or category(lower) >= 2 else higher
