"""How rules speak of code and values, so that all messages sound alike."""

from __future__ import annotations

from onnx_lint.semantics.domain.dims import Expression, varies
from onnx_lint.semantics.domain.origin import StepKind
from onnx_lint.semantics.domain.parts import origin_of
from onnx_lint.semantics.domain.sites import Site
from onnx_lint.semantics.domain.values import Array, Frozen, Size, Tensor, Value
from onnx_lint.source import ir
from onnx_lint.target import FINE, Effects

_LONGEST = 48

_CONSTRUCTS = {
    "ternary": "the conditional expression",
    "filter": "the filter of a comprehension",
    "==": "the comparison",
    "!=": "the comparison",
}


def quoted(site: Site, node: ir.Expr | ir.Stmt | None = None) -> str:
    """The source of a node (by default the site's own), on one line, in backticks, cut where it is long."""
    text = " ".join(site.text_of(site.node if node is None else node).split())
    return f"`{text if len(text) <= _LONGEST else text[: _LONGEST - 1] + '…'}`"


def construct(keyword: str) -> str:
    """A branch's keyword as the subject of a sentence."""
    return _CONSTRUCTS.get(keyword, f"`{keyword}`")


def described(value: Value) -> str:
    """What a traced value is, for a sentence."""
    if isinstance(value, Size):
        return _size(value)
    if isinstance(value, Tensor):
        return f"the values of input `{value.parameter}`" if value.parameter is not None else "the values of a tensor"
    if isinstance(value, Frozen):
        return "a number read from a tensor" if value.from_data else "a number read from a size"
    if isinstance(value, Array):
        return "a NumPy array made from a tensor"
    return "a traced value"


def _size(value: Size) -> str:
    """What a size is: by input and dimension, by what it is computed from, or by its number where that is fixed."""
    dim, is_fixed = value.dim, varies(value.dim) is False
    if value.parameter is not None and value.axis is not None:
        text = f"dimension {value.axis} of input `{value.parameter}`"
        if is_fixed and value.boolean:
            # what decides may be that it is fixed, or the bounds of one that is not: dynamic sizes begin at 2
            return f"{text}, in a comparison that always comes out the same"
        return text if not is_fixed else f"{text}, which is fixed"
    if is_fixed and value.boolean:
        return "a comparison of sizes that always comes out the same"
    if is_fixed:
        return "a size of a traced tensor that is fixed"
    if isinstance(dim, Expression) and not value.boolean and len(str(dim)) <= _LONGEST:
        return f"a size of a traced tensor (`{dim}`)"
    return "a size of a traced tensor"


def where_live(value: Value, effects: Effects) -> Effects:
    """The effects under the engines for which a value is part of the graph. Under the others it was frozen, and
    reported, where it was read."""
    if not isinstance(value, Frozen):
        return effects
    return {engine: effect if value.live & engine.bit else FINE for engine, effect in effects.items()}


def depends_on_search(value: Value) -> bool:
    """Whether a size is that of a tensor that was searched for: by ``nonzero``, a mask, ``unique``."""
    origin = origin_of(value)
    return origin is not None and any(step.kind is StepKind.TENSOR for step in origin.steps())
