"""Sizes and tensors in the words of the code: ``float32[B, 64, H // 2]`` where it says ``B, C, H, W = x.shape``."""

from __future__ import annotations

from collections.abc import Iterable

from onnx_lint.project.modules import Unit
from onnx_lint.semantics.domain import dims
from onnx_lint.semantics.domain.dims import Dim, Expression, Symbol
from onnx_lint.semantics.domain.shapes import TensorType
from onnx_lint.semantics.evaluation.state import Analysis


def named(dim: Dim, analysis: Analysis, unit: Unit) -> Dim:
    """A size by the names that the code of a unit gives it."""
    if not isinstance(dim, Expression):
        return dim
    found: dict[Symbol, Dim] = {}
    for symbol in dims.symbols(dim):
        name = analysis.symbol_names.get((unit, symbol))
        if name is not None:
            found[symbol] = dims.symbol(name, low=symbol.low, high=symbol.high, varies=symbol.varies)
    return dims.substitute(dim, found) if found else dim


def type_text(type: TensorType, analysis: Analysis, unit: Unit) -> str | None:
    """A tensor as a type: ``float32[B, 64, H // 2]``; ``None`` if neither shape nor dtype is known."""
    if type.shape is None:
        return None if type.dtype is None else f"{type.dtype}[…]"
    shape = ", ".join(str(named(dim, analysis, unit)) for dim in type.shape)
    return f"{type.dtype or 'tensor'}[{shape}]"


def varying(shape: Iterable[Dim]) -> list[int]:
    """The dimensions that the export makes dynamic: those that change between runs, by their numbers."""
    return [axis for axis, dim in enumerate(shape) if dims.varies(dim)]
