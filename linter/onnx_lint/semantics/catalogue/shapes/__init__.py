"""Models of operators."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from onnx_lint.semantics.catalogue.shapes import (
    convolution,
    creation,
    einops,
    elementwise,
    joining,
    linear_algebra,
    losses,
    module_functions,
    module_layers,
    module_sequences,
    normalization,
    pointwise,
    products,
    reductions,
    registry,
    selection,
    spectral,
    tensor_methods,
    views,
)  # fmt: skip
from onnx_lint.semantics.catalogue.shapes.indexing import ELLIPSIS, Index, Slice, indexed
from onnx_lint.semantics.catalogue.shapes.module_registry import MODULES
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
        bound = registry.bind(
            model.parameters, positional, keyword or {}, lenient=model.is_generated, takes_names=model.takes_names
        )
    except BindingError:
        return NOTHING
    return _outcome(lambda context: model.run(context, bound))


def _outcome(run: Callable[[Call], Value]) -> Outcome:
    context = Call()
    try:
        result = run(context)
    except ShapeError as error:
        return Outcome(UNKNOWN, tuple(context.constraints), str(error))
    return Outcome(result, tuple(context.constraints))


def method(
    name: str, receiver: Value, positional: Sequence[Value] = (), keyword: Mapping[str, Value] | None = None
) -> Outcome:
    """Calls a method of ``torch.Tensor`` by its name (``view``)."""
    name = _SPECIAL.get(name, name)
    for prefix in ("torch.Tensor.", "torch."):
        if prefix + name in MODELS:
            return call(prefix + name, (receiver, *positional), keyword)
    if name.endswith("_") and not name.startswith("__"):
        kept = call_in_place(name.removesuffix("_"), receiver, positional, keyword)
        if kept is not None:
            return kept
    return NOTHING


_CHANGES_SHAPE = frozenset({
    "resize", "resize_as", "set", "t", "transpose", "swapaxes", "swapdims", "squeeze", "unsqueeze", "as_strided", "rename", "addbmm",
})  # fmt: skip


_OPERATORS = {
    "+": "torch.add", "-": "torch.sub", "*": "torch.mul", "/": "torch.div", "//": "torch.floor_divide",
    "%": "torch.remainder", "**": "torch.pow", "@": "torch.matmul", "&": "torch.bitwise_and", "|": "torch.bitwise_or",
    "^": "torch.bitwise_xor", "<<": "torch.bitwise_left_shift", ">>": "torch.bitwise_right_shift", "<": "torch.lt",
    "<=": "torch.le", ">": "torch.gt", ">=": "torch.ge", "==": "torch.eq", "!=": "torch.ne",
}  # fmt: skip
_UNARY = {"-": "torch.neg", "+": "torch.positive", "~": "torch.bitwise_not"}


def operator(symbol: str, *operands: Value) -> Outcome:
    """An operation as it is written (``+``, ``@``, ``<``), with two operands of which one is a tensor, or ``-x``."""
    return call((_UNARY if len(operands) == 1 else _OPERATORS).get(symbol, ""), operands)


_SPECIAL = {
    "__add__": "add", "__radd__": "add", "__sub__": "sub", "__mul__": "mul", "__rmul__": "mul", "__truediv__": "div",
    "__div__": "div", "__floordiv__": "floor_divide", "__mod__": "remainder", "__pow__": "pow", "__and__": "bitwise_and",
    "__or__": "bitwise_or", "__xor__": "bitwise_xor", "__rand__": "bitwise_and", "__ror__": "bitwise_or",
    "__rxor__": "bitwise_xor", "__lshift__": "bitwise_left_shift", "__rshift__": "bitwise_right_shift", "__lt__": "lt",
    "__le__": "le", "__gt__": "gt", "__ge__": "ge", "__eq__": "eq", "__ne__": "ne", "__neg__": "neg", "__abs__": "abs",
    "__invert__": "bitwise_not", "__pos__": "positive",
}  # fmt: skip


def call_in_place(
    name: str, receiver: Value, positional: Sequence[Value], keyword: Mapping[str, Value] | None
) -> Outcome | None:
    """What an in-place method returns: its receiver, of the same shape and dtype, but for a few."""
    if name in _CHANGES_SHAPE:
        return method(name, receiver, positional, keyword)
    return Outcome(receiver) if isinstance(receiver, TensorType) else None


def index(receiver: Value, *at: Index) -> Outcome:
    """``receiver[at]``; a list as index is a tuple in `at`."""
    if not isinstance(receiver, TensorType):
        return NOTHING
    context = Call()
    try:
        result = indexed(context, receiver, at)
    except NotKnown:
        return Outcome(TensorType(None, receiver.dtype))
    except ShapeError as error:
        return Outcome(UNKNOWN, tuple(context.constraints), str(error))
    return Outcome(result, tuple(context.constraints))


def module(
    name: str,
    settings: Sequence[Value],
    settings_keyword: Mapping[str, Value],
    inputs: Sequence[Value],
    inputs_keyword: Mapping[str, Value] | None = None,
) -> Outcome:
    """Calls an instance of a class of ``torch.nn`` (``torch.nn.Linear``) that was constructed with `settings`."""
    model = MODULES.get(name)
    if model is None:
        return NOTHING
    try:
        constructed = registry.bind(model.init, settings, settings_keyword, lenient=True)
        bound = registry.bind(model.forward, inputs, inputs_keyword or {})
    except BindingError:
        return NOTHING
    return _outcome(lambda call: model.run(call, constructed, bound))


def parameters_of(
    name: str, settings: Sequence[Value], settings_keyword: Mapping[str, Value] | None = None
) -> dict[str, TensorType] | None:
    """The parameters and buffers of an instance by name (``weight``, ``out_proj.bias``); None if they are not known."""
    model = MODULES.get(name)
    if model is None:
        return None
    try:
        return model.tensors(registry.bind(model.init, settings, settings_keyword or {}, lenient=True))
    except (BindingError, NotKnown):
        return None


def attribute(name: str, receiver: Value) -> Outcome:
    """``receiver.name``."""
    return call(f"torch.Tensor.{name} (attribute)", (receiver,))
