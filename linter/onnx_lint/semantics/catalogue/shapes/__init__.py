"""Models of operators."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from onnx_lint.semantics.catalogue.shapes import (
    convolution, creation, joining, linear_algebra, losses, normalization, products, reductions, registry, selection,
    spectral, tensor_methods, views,
)  # fmt: skip
from onnx_lint.semantics.catalogue.shapes.indexing import ELLIPSIS, Slice, indexed
from onnx_lint.semantics.catalogue.shapes.registry import MODELS, BindingError, Call, NotKnown
from onnx_lint.semantics.domain.equations import Constraint
from onnx_lint.semantics.domain.shapes import UNKNOWN, ShapeError, TensorType, Value

__all__ = ["ELLIPSIS", "Outcome", "Slice", "call", "method", "registry", "views"]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a call gives: its result, what it demands of sizes, and why it must fail, if it must."""

    result: Value
    constraints: tuple[Constraint, ...] = ()
    error: str | None = None


NOTHING = Outcome(UNKNOWN)


def call(name: str, positional: Sequence[Value], keyword: Mapping[str, Value] | None = None) -> Outcome:
    """Calls a function by its full name (``torch.cat``)."""
    model = MODELS.get(name)
    if model is None:
        return NOTHING
    try:
        bound = registry.bind(model.parameters, positional, keyword or {})
    except BindingError:
        return NOTHING
    context = Call()
    try:
        result = model.run(context, bound)
    except ShapeError as error:
        return Outcome(UNKNOWN, tuple(context.constraints), str(error))
    return Outcome(result, tuple(context.constraints))


def method(
    name: str, receiver: Value, positional: Sequence[Value] = (), keyword: Mapping[str, Value] | None = None
) -> Outcome:
    """Calls a method of ``torch.Tensor`` by its name (``view``)."""
    for prefix in ("torch.Tensor.", "torch."):
        if prefix + name in MODELS:
            return call(prefix + name, (receiver, *positional), keyword)
    if name.endswith("_") and not name.startswith("__"):
        kept = call_in_place(name.removesuffix("_"), receiver, positional, keyword)
        if kept is not None:
            return kept
    return NOTHING


_CHANGES_SHAPE = frozenset({
    "resize", "resize_as", "set", "t", "transpose", "swapaxes", "swapdims", "squeeze", "unsqueeze", "as_strided", "rename",
})  # fmt: skip


def call_in_place(
    name: str, receiver: Value, positional: Sequence[Value], keyword: Mapping[str, Value] | None
) -> Outcome | None:
    """What an in-place method returns: its receiver, of the same shape and dtype, but for a few."""
    if name in _CHANGES_SHAPE:
        return method(name, receiver, positional, keyword)
    return Outcome(receiver) if isinstance(receiver, TensorType) else None


def index(receiver: Value, at: object) -> Outcome:
    """``receiver[at]``."""
    context = Call()
    try:
        if not isinstance(receiver, TensorType):
            return NOTHING
        result: Value = indexed(context, receiver, at)  # type: ignore[arg-type]
    except NotKnown:
        return Outcome(TensorType(None, receiver.dtype))
    except ShapeError as error:
        return Outcome(UNKNOWN, tuple(context.constraints), str(error))
    return Outcome(result, tuple(context.constraints))


def attribute(name: str, receiver: Value) -> Outcome:
    """``receiver.name``."""
    return call(f"torch.Tensor.{name} (attribute)", (receiver,))
