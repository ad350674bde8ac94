"""Shapes that annotations give: ``Float[Tensor, "b 3 h w"]`` of jaxtyping, ``TensorType["b", 3, "h", "w"]`` of
torchtyping. What such annotations mean is in the documentation of jaxtyping, "Array annotations" (0.3), and in the
README of torchtyping (0.1).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from onnx_lint.project.meanings import External
from onnx_lint.project.modules import SourceModule, ValueBinding
from onnx_lint.semantics.domain import dtypes
from onnx_lint.semantics.domain.demands import SMALLEST, Demand
from onnx_lint.semantics.domain.dims import UNKNOWN_SIZE, Dim, Expression, Symbol, UnknownSize, floor_div, symbol
from onnx_lint.semantics.domain.values import Function
from onnx_lint.semantics.evaluation.state import Analysis
from onnx_lint.source import ir
from onnx_lint.source.lower import lower_expression

_JAXTYPING = re.compile(r"jaxtyping\.(\w+)")
_TORCHTYPING = "torchtyping.TensorType"
_OF_ANY_SIZE = {"Float": dtypes.DEFAULT_FLOAT, "Bool": "bool", "Int": "", "UInt": "", "Integer": "", "Complex": None}
"""The dtypes of annotations that leave the number of bits open; empty where only floating point is ruled out."""
_OPTIONAL = ("Optional", "typing.Optional")
_DEPTH = 4


def of_parameters(analysis: Analysis, function: Function) -> dict[str, Demand]:
    """What the annotations of a function say of the shapes of its parameters, by their names."""
    params, module = function.function.params, function.unit.module
    found: dict[str, Demand] = {}
    for param in (*params.positional, *params.keyword):
        if param.annotation is not None:
            demand = of_annotation(analysis, module, param.annotation)
            if demand is not None:
                found[param.name] = demand
    return found


def of_annotation(analysis: Analysis, module: SourceModule, annotation: ir.Expr, depth: int = _DEPTH) -> Demand | None:
    """What an annotation says of a tensor's shape; ``None`` where it says nothing of it."""
    if depth == 0:
        return None
    if isinstance(annotation, ir.BinOp) and annotation.op == "|":
        either = [of_annotation(analysis, module, side, depth - 1) for side in (annotation.left, annotation.right)]
        known = [one for one in either if one is not None]
        return known[0] if len(known) == 1 else None
    if isinstance(annotation, ir.Const) and isinstance(annotation.value, str):
        inner = lower_expression(annotation.value)
        return None if inner is None else of_annotation(analysis, module, inner, depth - 1)
    if isinstance(annotation, (ir.Name, ir.Attribute)):
        meaning = analysis.project.resolve(module, annotation)
        if isinstance(meaning, ValueBinding):  # an alias: `Image = Float[Tensor, "b c h w"]`
            return of_annotation(analysis, meaning.unit.module, meaning.value, depth - 1)
    if not isinstance(annotation, ir.Subscript):
        return None
    meaning = analysis.project.resolve(module, annotation.value)
    name = meaning.name if isinstance(meaning, External) else ""
    index = annotation.index
    parts = index.elements if isinstance(index, ir.Sequence) else (index,)
    if name in _OPTIONAL and len(parts) == 1:
        return of_annotation(analysis, module, parts[0], depth - 1)
    if name == _TORCHTYPING:
        return _torchtyping(parts)
    match = _JAXTYPING.fullmatch(name)
    if match is None or len(parts) != 2 or not isinstance(parts[1], ir.Const) or not isinstance(parts[1].value, str):
        return None
    kind = match.group(1)
    return _demand(map(_jax_size, parts[1].value.split()), _OF_ANY_SIZE.get(kind, dtypes.dtype_named(kind.lower())))


def _torchtyping(parts: Iterable[ir.Expr]) -> Demand | None:
    sizes: list[Dim | None] = []
    dtype: str | None = None
    for part in parts:
        if isinstance(part, ir.Slice):  # "name": size
            sizes.append(_size(part.upper) if isinstance(part.upper, ir.Const) else None)
        elif isinstance(part, ir.Const) and isinstance(part.value, str):
            sizes.append(_named(part.value))
        elif isinstance(part, ir.Const):
            is_any = part.value is None
            sizes.append(None if part.value is ... else UNKNOWN_SIZE if is_any else _size(part))
        elif isinstance(part, ir.UnaryOp):
            sizes.append(UNKNOWN_SIZE)  # -1
        else:
            dtype = dtypes.dtype_named(ir.dotted(part) or "") or dtype
    return _demand(sizes, dtype)


def _demand(sizes: Iterable[Dim | None], dtype: str | None) -> Demand:
    """What sizes say, ``None`` among them for any number of dimensions."""
    known = list(sizes)
    if None in known:
        return Demand(None, {}, dtype)
    stated = {axis: size for axis, size in enumerate(known) if size is not None}
    numbers = {axis: size for axis, size in stated.items() if isinstance(size, int)}
    names = {a: s for a, s in stated.items() if not isinstance(s, (int, UnknownSize))}
    return Demand(len(known), numbers, dtype, names=names)


def _jax_size(token: str) -> Dim | None:
    """One dimension of a jaxtyping string: ``b``, ``3``, ``c=3``, ``#b``, ``?b``, ``_``, ``h//2``; ``None`` for any
    number of them."""
    if token == "..." or token.startswith("*"):
        return None
    if token.startswith("#"):
        return UNKNOWN_SIZE  # that size, or 1
    token = token.lstrip("?").rpartition("=")[2]
    if token.startswith("_") or not token:
        return UNKNOWN_SIZE
    node = lower_expression(token)
    return UNKNOWN_SIZE if node is None else _size(node)


def _size(node: ir.Expr | None) -> Dim:
    if isinstance(node, ir.Const) and isinstance(node.value, int):
        return UNKNOWN_SIZE if node.value < 0 else node.value
    if isinstance(node, ir.Name):
        return _named(node.id)
    if isinstance(node, ir.BinOp):
        left, right = _size(node.left), _size(node.right)
        if node.op == "//":
            return UNKNOWN_SIZE if right == 0 else floor_div(left, right)
        if node.op in "+-*":
            return left + right if node.op == "+" else left - right if node.op == "-" else left * right
    return UNKNOWN_SIZE


def _named(name: str) -> Dim:
    return symbol(name, low=SMALLEST, varies=True)


def unified(found: Mapping[str, Demand], hints: Mapping[str, Demand]) -> dict[str, Demand]:
    """Demands that were found, with what annotations say of the same inputs. A name means one size wherever it stands:
    what fixes it for one input does so for all."""
    both = {**found, **{name: hint.and_also(found.get(name, Demand())) for name, hint in hints.items()}}
    sizes: dict[Symbol, Dim] = {}
    for demand in both.values():
        for axis, named in demand.names.items():
            size, letter = demand.size_at(axis), named.symbol if isinstance(named, Expression) else None
            if size is not None and letter is not None:
                sizes.setdefault(letter, size)
    return {name: demand.with_sizes(sizes) for name, demand in both.items()}
