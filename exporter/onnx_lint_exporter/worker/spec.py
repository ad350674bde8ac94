"""The grammar of input specifications: ``x:float32[n=2,3,h=224]``. Plain Python; also read by the parent.

::

    input  = name ":" kind [ "=" value ]
    kind   = dtype "[" dims "]"  |  "int" | "float" | "bool" | "str" | "none"
    dims   = dim { "," dim }             (an empty list is a scalar tensor)
    dim    = size  |  axis [ "=" size [ "|" size ] ]

An axis name is a dynamic axis, shared by name over all inputs; ``=2`` is its size in the example, ``|6`` the one in the
second input (else one more). For an integer tensor the value is the exclusive upper bound, or ``low..high``; for a
floating one ``low..high`` bounds an even distribution (else standard normal). A kind without brackets is a plain
Python argument.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

DTYPES = [
    "float32",
    "float64",
    "float16",
    "bfloat16",
    "int64",
    "int32",
    "int16",
    "int8",
    "uint8",
    "bool",
    "complex64",
    "complex128",
]
_ALIASES = {"float": "float32", "double": "float64", "half": "float16", "int": "int64", "long": "int64"}
_INPUT = re.compile(
    r"^\s*(?P<name>[A-Za-z_]\w*)\s*:\s*(?P<kind>\w+)\s*(?P<dims>\[[^\]]*\])?\s*(?:=(?P<value>.*))?$", re.S
)
_DIM = re.compile(r"^(?P<axis>[A-Za-z_]\w*)(?:=(?P<first>\d+)(?:\|(?P<second>\d+))?)?$")
_RANGE = re.compile(r"^(?:(?P<low>-?[\d.]+(?:e-?\d+)?)\.\.)?(?P<high>-?[\d.]+(?:e-?\d+)?)$")


class SpecError(ValueError):
    """A specification that cannot be read; the message says where and what to write instead."""


@dataclass(frozen=True)
class Dim:
    """One dimension: a fixed size, or a dynamic axis with its size in the example and in the second input."""

    first: int
    second: int
    axis: str | None = None


@dataclass(frozen=True)
class InputSpec:
    """One argument of ``forward``: a tensor (`dtype` and `dims`) or a plain Python value."""

    name: str
    dtype: str | None = None
    dims: tuple[Dim, ...] = ()
    low: float | None = None
    high: float | None = None
    value: bool | int | float | str | None = None


@dataclass
class _Axis:
    first: int | None = None
    second: int | None = None


@dataclass
class _Reading:
    axes: dict[str, _Axis] = field(default_factory=dict)
    fixed: set[int] = field(default_factory=set)


def parse(texts: Sequence[str]) -> list[InputSpec]:
    """Read the specifications of all inputs together, since axes are shared by name.

    Sizes that are not given are at least 2, and all example sizes of axes differ pairwise, so that a mixed-up axis
    shows. Raises `SpecError`.
    """
    reading = _Reading()
    split: list[tuple[re.Match[str], list[int | str] | None]] = []
    for text in texts:
        match = _INPUT.match(text)
        if not match:
            raise SpecError(f"cannot read the input {text!r}: write NAME:DTYPE[SIZES], for example 'x:float32[n=2,3]'")
        if any(match["name"] == other["name"] for other, _ in split):
            raise SpecError(f"the input {match['name']!r} is given twice")
        dims = _dims(match["dims"], text, reading) if match["dims"] is not None else None
        split.append((match, dims))
    _choose_sizes(reading)
    return [_input(match, dims, reading) for match, dims in split]


def _dims(text: str, whole: str, reading: _Reading) -> list[int | str]:
    dims: list[int | str] = []
    for part in filter(None, (piece.strip() for piece in text[1:-1].split(","))):
        if part.isdigit():
            dims.append(int(part))
            reading.fixed.add(int(part))
            continue
        match = _DIM.match(part)
        if not match:
            raise SpecError(f"cannot read the size {part!r} in {whole!r}: write 3, n, n=2 or n=2|6")
        axis = reading.axes.setdefault(match["axis"], _Axis())
        for which in ("first", "second"):
            if match[which] is not None:
                given = int(match[which])
                if getattr(axis, which) not in (None, given):
                    raise SpecError(f"the axis {match['axis']!r} has two sizes: {getattr(axis, which)} and {given}")
                setattr(axis, which, given)
        dims.append(match["axis"])
    return dims


def _choose_sizes(reading: _Reading) -> None:
    taken = {axis.first for axis in reading.axes.values() if axis.first is not None} | reading.fixed
    size = 2
    for axis in reading.axes.values():
        if axis.first is None:
            while size in taken:
                size += 1
            axis.first = size
            taken.add(size)
        if axis.second is None:
            axis.second = axis.first + 1


def _input(match: re.Match[str], dims: list[int | str] | None, reading: _Reading) -> InputSpec:
    name, kind, value = match["name"], match["kind"], match["value"]
    if dims is None:
        return InputSpec(name, value=_plain(kind, value, match.string))
    dtype = _ALIASES.get(kind, kind)
    if dtype not in DTYPES:
        raise SpecError(f"unknown dtype {kind!r} in {match.string!r}: one of {', '.join(DTYPES)}")
    sizes = []
    for dim in dims:
        if isinstance(dim, int):
            sizes.append(Dim(dim, dim))
        else:
            axis = reading.axes[dim]
            sizes.append(Dim(axis.first or 0, axis.second or 0, dim))
    low = high = None
    if value:
        bounds = _RANGE.match(value.strip())
        if not bounds:
            raise SpecError(f"cannot read the range {value!r} in {match.string!r}: write =HIGH or =LOW..HIGH")
        low, high = float(bounds["low"] or 0), float(bounds["high"])
        if low >= high:
            raise SpecError(f"the range {value!r} in {match.string!r} is empty")
    return InputSpec(name, dtype, tuple(sizes), low, high)


def _plain(kind: str, value: str | None, whole: str) -> bool | int | float | str | None:
    if kind == "none":
        return None
    if value is None:
        raise SpecError(f"{whole!r}: a tensor needs brackets (x:{kind}[n,3]), a plain argument a value (k:int=3)")
    if kind == "bool":
        known = {"true": True, "1": True, "false": False, "0": False}
        if value.strip().lower() in known:
            return known[value.strip().lower()]
    elif kind in ("int", "float"):
        try:
            return int(value) if kind == "int" else float(value)
        except ValueError:
            pass  # reported below, with the other unreadable values
    elif kind == "str":
        return value
    raise SpecError(f"cannot read the value in {whole!r}: the kinds of plain arguments are int, float, bool, str, none")
