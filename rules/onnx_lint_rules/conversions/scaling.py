"""Roots of sizes that scale."""

from __future__ import annotations

from onnx_lint.semantics.domain.sites import Conversion
from onnx_lint.source import ir
from onnx_lint.source.enclosing import enclosing

_ROUNDING = frozenset({"int", "round", "math.floor", "math.ceil"})


def is_factor(cast: Conversion) -> bool:
    """Whether the root of a size is but a factor, as attention is scaled by the size of its heads; a dimension of an
    input is what whoever exports makes it."""
    if cast.converter != "math.sqrt" or cast.fixed_dimension is not None:
        return False
    around = enclosing(cast.unit.chunk.lowered.body, cast.node)
    multiplies = bool(around) and isinstance(last := around[-1], ir.BinOp) and last.op in ("*", "/")
    return multiplies and not any(isinstance(n, ir.Call) and ir.dotted(n.func) in _ROUNDING for n in around)
