"""Models of operators: shape and dtype of what torch, einops and torchvision return.

This is how the interpreter calls them. Arguments and results are `Value` (`domain/shapes.py`): tensors as `TensorType`,
integers as ``int`` or `Dim`, dtypes as strings, lists and tuples as ``tuple``, `UNKNOWN` for what is not known.

    from onnx_lint.semantics.catalogue import shapes

    B, H, W = symbol("B", varies=True), symbol("H", varies=True), symbol("W", varies=True)
    x = TensorType((B, 3, H, W), "float32")

    shapes.call("torch.cat", ((x, x),), {"dim": 1}).result                  # float32[B, 6, H, W]
    shapes.call("torch.nn.functional.pad", (x, (1, 1))).result              # float32[B, 3, H, W + 2]
    shapes.method("flatten", x, (2,)).result                                # float32[B, 3, H * W]
    shapes.method("permute", x, (0, 2, 3, 1)).result                        # float32[B, H, W, 3]
    shapes.attribute("shape", x).result                                     # (B, 3, H, W)
    shapes.index(x, ELLIPSIS, None, Slice(1, None)).result                  # float32[B, 3, H, 1, max(W - 1, 0)]
    shapes.operator("*", x, 2.0).result                                     # float32[B, 3, H, W]
    shapes.module("torch.nn.Conv2d", (3, 64, 3), {"stride": 2, "padding": 1}, (x,)).result
                                                                            # float32[B, 64, ceil(H / 2), ceil(W / 2)]
    shapes.parameters_of("torch.nn.Linear", (8, 4))                         # {"weight": float32[4, 8], "bias": …}
    shapes.call("einops.rearrange", (x, "b c h w -> b (h w) c")).result     # float32[B, H * W, 3]

Each gives an `Outcome`. `result` is `UNKNOWN`, or has unknown parts, where the arguments do not determine it; a name or
a signature without a model gives `UNKNOWN`, never a guess. `constraints` are what the call demands of its sizes
(`domain/equations.py`), for `solve`: with ``x: float32[B, C, H, W]`` the convolution above demands ``C == 3``. `error`
says why the call fails for all values of the sizes; the result is then `UNKNOWN`.

Names are full names after imports are resolved (``torch.nn.functional.relu``, ``torch.Tensor.view``). Methods find the
function of the same name; ``add_`` and the like give their receiver. A list as index is a tuple in ``index``:
``x[[0, 1]]`` is ``index(x, (0, 1))``, ``x[0, 1]`` is ``index(x, 0,
1)``. The sizes of inputs are at least 0 unless their symbols say
more; give `low=2` for a dynamic dimension under ``torch.export``, which never sees 0 and 1, and more is known.

A model of a further function is one entry: a function with `@shape` or `@result` in the file of its family. Proof is
``tools/prove_shapes.py``: every model against PyTorch's own samples.
"""

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
    torchvision,
    views,
)  # fmt: skip
from onnx_lint.semantics.catalogue.shapes.indexing import ELLIPSIS, Index, Slice, indexed
from onnx_lint.semantics.catalogue.shapes.module_registry import MODULES
from onnx_lint.semantics.catalogue.shapes.registry import MODELS, BindingError, Call, NotKnown
from onnx_lint.semantics.catalogue.shapes.spellings import (
    CHANGES_SHAPE,
    OPERATORS,
    SPECIAL_METHODS,
    UNARY_OPERATORS,
)  # fmt: skip
from onnx_lint.semantics.domain.dims import Dim
from onnx_lint.semantics.domain.equations import Constraint
from onnx_lint.semantics.domain.shapes import UNKNOWN, ShapeError, TensorType, Value, general_type

__all__ = [
    "ELLIPSIS", "FAMILIES", "Outcome", "Slice", "attribute", "call", "index", "method", "module", "operator",
    "parameters_of",
]  # fmt: skip

FAMILIES = (
    convolution, creation, einops, joining, linear_algebra, losses, module_functions, module_layers, module_sequences,
    normalization, pointwise, products, reductions, selection, spectral, tensor_methods, torchvision, views,
)  # fmt: skip
"""The modules that register models when they are imported."""

elementwise.register_generated()


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a call gives: its result, what it demands of sizes, and why it must fail, if it must."""

    result: Value
    constraints: tuple[Constraint, ...] = ()
    error: str | None = None
    sizes: tuple[Dim, ...] = ()
    """The two sizes that the error is about, if it is about two."""


NOTHING = Outcome(UNKNOWN)

_REFUSED = (BindingError, IndexError, ValueError, ZeroDivisionError, OverflowError)
"""Fewer or more dimensions than a model reads, a stride of 0, an infinite factor: torch refuses such a call, and the
models do not say why."""


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
    return _outcome(model.run, bound)


def _outcome(run: Callable[[Call, dict[str, Value]], Value], given: dict[str, Value]) -> Outcome:
    """What a model says of a call. Sizes that cannot be are not told further: then only the ranks are gone by."""
    context = Call()
    error: str | None = None
    sizes: tuple[Dim, ...] = ()
    try:
        return Outcome(run(context, given), tuple(context.constraints))
    except ShapeError as refused:
        error, sizes = str(refused), refused.sizes
    except _REFUSED:
        pass
    try:
        result = run(Call(), {name: _general(value) for name, value in given.items()})
    except (ShapeError, *_REFUSED):
        result = UNKNOWN
    return Outcome(result, tuple(context.constraints), error, sizes)


def _general(value: Value) -> Value:
    """Of the tensors in an argument only the ranks."""
    if isinstance(value, TensorType):
        return general_type(value)
    return tuple([_general(part) for part in value]) if isinstance(value, tuple) else value


def method(
    name: str, receiver: Value, positional: Sequence[Value] = (), keyword: Mapping[str, Value] | None = None
) -> Outcome:
    """Calls a method of ``torch.Tensor`` by its name (``view``)."""
    name = SPECIAL_METHODS.get(name, name)
    for prefix in ("torch.Tensor.", "torch."):
        if prefix + name in MODELS:
            return call(prefix + name, (receiver, *positional), keyword)
    if name.endswith("_") and not name.startswith("__"):
        kept = call_in_place(name.removesuffix("_"), receiver, positional, keyword)
        if kept is not None:
            return kept
    return NOTHING


def operator(symbol: str, *operands: Value) -> Outcome:
    """An operation as it is written (``+``, ``@``, ``<``), with two operands of which one is a tensor, or ``-x``."""
    return call((UNARY_OPERATORS if len(operands) == 1 else OPERATORS).get(symbol, ""), operands)


def call_in_place(
    name: str, receiver: Value, positional: Sequence[Value], keyword: Mapping[str, Value] | None
) -> Outcome | None:
    """What an in-place method returns: its receiver, of the same shape and dtype, but for a few."""
    if name in CHANGES_SHAPE:
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
    return _outcome(lambda call, given: model.run(call, constructed, given), bound)


def parameters_of(
    name: str, settings: Sequence[Value], settings_keyword: Mapping[str, Value] | None = None
) -> dict[str, TensorType] | None:
    """The parameters and buffers of an instance by name (``weight``, ``out_proj.bias``); None if they are not known."""
    model = MODULES.get(name)
    if model is None:
        return None
    try:
        return model.tensors(registry.bind(model.init, settings, settings_keyword or {}, lenient=True))
    except (NotKnown, *_REFUSED):
        return None


def attribute(name: str, receiver: Value) -> Outcome:
    """``receiver.name``."""
    return call(f"torch.Tensor.{name} (attribute)", (receiver,))
