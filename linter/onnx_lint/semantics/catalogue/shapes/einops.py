"""The functions of einops: ``rearrange``, ``reduce``, ``repeat`` and ``einsum``.

Patterns are read as einops 0.8 reads them: names, ``1``, ``()``, groups in parentheses and ``...``.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from onnx_lint.semantics.catalogue.shapes import arguments as read
from onnx_lint.semantics.catalogue.shapes.dtype_rules import promoted
from onnx_lint.semantics.catalogue.shapes.products import einsum_shape
from onnx_lint.semantics.catalogue.shapes.registry import Call, Model, NotKnown, Parameter, register
from onnx_lint.semantics.domain.dims import UNKNOWN_SIZE, Dim
from onnx_lint.semantics.domain.shapes import UNKNOWN, Shape, ShapeError, TensorType, Value, product

_ELLIPSIS = "..."


@dataclass(frozen=True, slots=True)
class Group:
    """One dimension of a side of a pattern: the axes that it is made of; none of them for 1."""

    axes: tuple[str, ...]


def parsed(side: str) -> list[Group]:
    """The dimensions of one side of a pattern.

    Raises:
        NotKnown: it is not a pattern.
    """
    tokens = re.findall(r"\.\.\.|\w+|[()]", side)
    if "".join(tokens) != re.sub(r"\s", "", side):
        raise NotKnown
    groups: list[Group] = []
    inside: list[str] | None = None
    for token in tokens:
        if token == "(":
            inside = []
        elif token == ")":
            if inside is None:
                raise NotKnown
            groups.append(Group(tuple(inside)))
            inside = None
        elif inside is not None:
            inside += [] if token == "1" else [token]
        else:
            groups.append(Group(() if token == "1" else (token,)))
    return groups


def _axes_of(call: Call, groups: list[Group], shape: Shape, given: Mapping[str, Dim]) -> dict[str, Dim | Shape]:
    """The sizes of axes: those given, and those that follow from the shape."""
    dots = [i for i, g in enumerate(groups) if g.axes == (_ELLIPSIS,)]
    extra = len(shape) - len(groups) + len(dots)
    if extra < 0 or (extra and not dots):
        raise ShapeError(f"{len(shape)} dimensions for a pattern of {len(groups)}")
    known: dict[str, Dim | Shape] = dict(given)
    at = 0
    for group in groups:
        if group.axes == (_ELLIPSIS,):
            known[_ELLIPSIS] = shape[at : at + extra]
            at += extra
            continue
        _split(call, group, shape[at], known)
        at += 1
    return known


def _split(call: Call, group: Group, dim: Dim, known: dict[str, Dim | Shape]) -> None:
    """The one axis in a group that is not known is what is left of the dimension."""
    fresh = [a for a in group.axes if a not in known and not a.isdigit()]
    if _ELLIPSIS in group.axes or len(fresh) > 1:
        raise NotKnown
    rest = product(_size(known, a) for a in group.axes if a not in fresh)
    if not fresh:
        call.equal(dim, rest, "axes of a pattern")
        return
    call.multiple(dim, rest, "axes of a pattern")
    known[fresh[0]] = dim // rest if rest != 0 else UNKNOWN_SIZE


def _size(known: Mapping[str, Dim | Shape], axis: str) -> Dim:
    if axis.isdigit():
        return int(axis)
    if axis not in known:
        raise NotKnown
    found = known[axis]
    return product(found) if isinstance(found, tuple) else found


def _arranged(groups: list[Group], known: Mapping[str, Dim | Shape]) -> Shape:
    dims: list[Dim] = []
    for group in groups:
        if group.axes == (_ELLIPSIS,):
            batch = known.get(_ELLIPSIS, ())
            dims.extend(batch if isinstance(batch, tuple) else (batch,))
        else:
            dims.append(product(_size(known, a) for a in group.axes))
    return tuple(dims)


def rearranged(call: Call, shape: Shape, pattern: str, lengths: Mapping[str, Dim]) -> Shape:
    """The shape that a pattern with ``->`` gives.

    Raises:
        NotKnown: the pattern is not one.
        ShapeError: the shape does not fit it.
    """
    left, arrow, right = pattern.partition("->")
    if not arrow:
        raise NotKnown
    return _arranged(parsed(right), _axes_of(call, parsed(left), shape, lengths))


def _input(value: Value) -> TensorType:
    """The tensor; a list of tensors of one shape is stacked in front."""
    if isinstance(value, tuple) and value:
        first = read.tensor(value[0])
        return TensorType((len(value), *read.shape_of(first)), promoted("t")({"t": value}))
    return read.tensor(value)


def _rearrange(call: Call, bound: dict[str, Value]) -> Value:
    x = _input(bound["tensor"])
    lengths = {
        n: _length(v) for n, v in bound.items() if n not in ("tensor", "pattern", "reduction")
    }  # fmt: skip
    pattern = read.text(bound["pattern"])
    if x.shape is None:
        return TensorType(_without_input(pattern, lengths), x.dtype)
    return TensorType(rearranged(call, x.shape, pattern, lengths), x.dtype)


def _length(value: Value) -> Dim:
    try:
        return read.size(value)
    except NotKnown:
        return UNKNOWN_SIZE


def _without_input(pattern: str, lengths: Mapping[str, Dim]) -> Shape | None:
    """The rank follows from the pattern alone, if it has no ``...``."""
    right = parsed(pattern.partition("->")[2])
    if any(_ELLIPSIS in g.axes for g in right):
        return None
    names = {a: lengths.get(a, UNKNOWN_SIZE) for g in right for a in g.axes}
    return _arranged(right, names)


def _einsum(call: Call, bound: dict[str, Value]) -> Value:
    """Operands first, the equation last; axes have whole words as names."""
    *operands, equation = read.items(bound["operands"])
    names = sorted(set(re.findall(r"[a-zA-Z_]\w*", read.text(equation))))
    letters = {n: chr(ord("a") + i) for i, n in enumerate(names)}
    short = re.sub(r"[a-zA-Z_]\w*", lambda m: letters[m.group()], read.text(equation)).replace(" ", "")
    shapes = [read.shape_of(v) for v in operands]
    return TensorType(einsum_shape(call, short, shapes), promoted("t")({"t": tuple(operands)}))


def _run(call: Call, bound: dict[str, Value]) -> Value:
    try:
        return _einsum(call, bound) if "operands" in bound else _rearrange(call, bound)
    except NotKnown:
        return UNKNOWN


def _parameter(name: str) -> Parameter:
    return Parameter(name, None, required=True)


_ARRANGING = Model((_parameter("tensor"), _parameter("pattern")), _run, takes_names=True)
register("einops.rearrange", _ARRANGING)
register("einops.repeat", _ARRANGING)
register("einops.reduce", Model((*_ARRANGING.parameters, _parameter("reduction")), _run, takes_names=True))
register("einops.einsum", Model((Parameter("operands", (), required=False, variadic=True),), _run))
