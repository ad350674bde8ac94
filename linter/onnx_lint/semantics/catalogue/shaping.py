"""Shape and dtype of what operations return: values as the models of `shapes` see them, and back.

The kind of a result (a tensor, a tuple of two, a size) is known before; what is added here is what each tensor in it
looks like. Nothing is added where a model does not know it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import reduce

from onnx_lint.semantics.catalogue import conflicts, demands, last_sizes, shapes
from onnx_lint.semantics.catalogue.shapes import registry
from onnx_lint.semantics.catalogue.shapes.indexing import ELLIPSIS, Index, Slice
from onnx_lint.semantics.catalogue.shapes.module_registry import MODULES
from onnx_lint.semantics.domain import dtypes
from onnx_lint.semantics.domain.demands import Demand
from onnx_lint.semantics.domain.dims import FIXED_SIZE, UNKNOWN_SIZE, VARYING_SIZE, Dim, Expression, UnknownSize
from onnx_lint.semantics.domain.shapes import UNKNOWN as NOT_KNOWN
from onnx_lint.semantics.domain.shapes import (
    UNSEEN,
    UNTYPED,
    Number,
    Repeated,
    Shape,
    TensorType,
    join_dims,
    join_types,
    unseen,
)
from onnx_lint.semantics.domain.shapes import Value as Described
from onnx_lint.semantics.domain.values import (
    STATIC,
    Alternatives,
    Arguments,
    Const,
    ExternalInstance,
    ExternalValue,
    Frozen,
    Seq,
    Size,
    Static,
    Tensor,
    Value,
)
from onnx_lint.semantics.evaluation.frame import Frame
from onnx_lint.semantics.evaluation.interface import Part
from onnx_lint.source import ir

_NUMBERS: dict[str, Described] = {
    "int": FIXED_SIZE, "float": Number("float"), "bool": Number("bool"), "complex": Number("complex"), "NoneType": None,
    "str": NOT_KNOWN, "device": None,
}  # fmt: skip
_MAX_ITEMS = 64
"""Lists of tensors up to that length are known one by one."""


# ------------------------------------------------------------------------------------------------------- describing
def described(value: Value) -> Described:
    """What a model of a shape is told of a value. Something fixed of which the type is not known may be a size."""
    match value:
        case Tensor():
            return value.type
        case Const():
            held = value.value
            return held if held is None or isinstance(held, (bool, int, float, complex, str)) else NOT_KNOWN
        case Size():
            return Number("bool") if value.boolean else value.dim
        case Static():
            return FIXED_SIZE if value.type is None else _NUMBERS.get(value.type, NOT_KNOWN)
        case Frozen():
            return _number(value)
        case Seq() if value.elements is not None:
            return tuple([described(part) for part in value.elements])
        case Seq():
            return Repeated(NOT_KNOWN if value.element is None else described(value.element))
        case ExternalValue():
            return dtypes.dtype_named(value.name) or NOT_KNOWN
        case Alternatives():
            return _either([described(one) for one in value.values])
    return NOT_KNOWN


def _number(value: Frozen) -> Described:
    if value.type == "int":
        return VARYING_SIZE if value.from_data else value.dim
    return Number("float") if value.type == "float" else Number("bool") if value.type == "bool" else NOT_KNOWN


def _either(parts: list[Described]) -> Described:
    """One of several: a tensor, a size, or not known."""
    if all(isinstance(p, TensorType) for p in parts):
        merged = parts[0]
        for part in parts[1:]:
            assert isinstance(merged, TensorType) and isinstance(part, TensorType)
            merged = join_types(merged, part)
        return merged
    sizes = [p for p in parts if isinstance(p, int | Expression | UnknownSize) and not isinstance(p, bool)]
    if len(sizes) == len(parts):
        return reduce(join_dims, sizes)
    if not any(isinstance(p, TensorType) for p in parts) and None not in parts:
        return FIXED_SIZE
    return NOT_KNOWN


# ----------------------------------------------------------------------------------------------------------- typing
def typed(value: Value, found: Described) -> Value:
    """A value with what a model says of it."""
    if found is NOT_KNOWN:
        return value
    match value:
        case Tensor() if isinstance(found, TensorType):
            return with_type(value, found)
        case Size() if isinstance(found, int | Expression | UnknownSize) and not value.boolean:
            return Size(value.origin, False, value.parameter, value.axis, value.presumed, found)
        case Seq() if isinstance(found, tuple):
            if value.elements is not None:
                if len(value.elements) != len(found):
                    return value
                parts = tuple([typed(v, f) for v, f in zip(value.elements, found, strict=True)])
            elif value.element is not None and len(found) <= _MAX_ITEMS:
                parts = tuple([typed(value.element, f) for f in found])
            else:
                return value
            return Seq(value.kind, parts, None, value.origin, value.parameter, value.first_axis, value.addresses)
        case Seq() if isinstance(found, Repeated) and value.elements is None and value.element is not None:
            element = typed(value.element, found.item)
            return Seq(value.kind, None, element, value.origin, value.parameter, value.first_axis, value.addresses)
    return value


def with_type(tensor: Tensor, type: TensorType) -> Tensor:
    """The same tensor with another type."""
    return Tensor(
        tensor.traced, tensor.presumed, tensor.origin, tensor.parameter, tensor.is_shape, tensor.addresses, type
    )


def _wants_shape(value: Value) -> bool:
    """Whether there is something in a result of which the shape can be told."""
    if isinstance(value, Seq):
        return any(_wants_shape(part) for part in value.items())
    return isinstance(value, (Tensor, Size))


# ------------------------------------------------------------------------------------------------------- operations
_PARAMETERS = frozenset({"torch.nn.Parameter", "torch.nn.parameter.Parameter", "torch.nn.Buffer"})
_SAME = frozenset({
    "relu", "gelu", "sigmoid", "tanh", "exp", "log", "sqrt", "rsqrt", "abs", "neg", "clamp", "clip", "dropout", "silu",
    "softmax", "log_softmax", "clone", "contiguous", "detach", "float", "half", "double", "to", "long", "int", "bool",
    "masked_fill", "type", "type_as", "cuda", "cpu", "sin", "cos", "pow", "square", "round", "floor", "ceil", "erf",
    "hardtanh", "hardswish", "relu6", "leaky_relu", "elu", "selu", "mish", "softplus", "normalize", "requires_grad_",
    "requires_grad", "bfloat16", "nan_to_num", "reciprocal", "log1p", "expm1", "sign", "logical_not", "isnan", "isinf",
})  # fmt: skip
"""Functions and methods of which the result has the shape of the first argument, whatever that is."""


_RESIZED = frozenset(
    {"pad", "roll", "flip", "narrow", "cumsum", "interpolate", "upsample", "index_select", "tril", "triu"}
)
"""Likewise for the number of dimensions, not for their sizes."""


def function(frame: Frame, node: ir.Call | None, name: str, args: Arguments, result: Value) -> Value:
    """The result of a function outside the project, with shapes."""
    if not _wants_shape(result) or args.star is not None or args.double_star is not None:
        return result
    if name in _PARAMETERS:
        return typed(result, described(args.get(0, "data") or Static("float")))
    positional = [described(a) for a in args.positional]
    named = {k: described(v) for k, v in args.keyword.items()}
    for at, demand in demands.of_function(name, positional, named):
        given = positional[at] if at < len(positional) else NOT_KNOWN
        if isinstance(given, TensorType) and given.shape is None:
            _demand(frame, given, demand)
            positional[at] = _assumed(given, demand)
    outcome = shapes.call(name, positional, named)
    conflicts.note(frame, node, result, outcome)
    last = last_sizes.of_function(name.rpartition(".")[2], positional)
    return _result(name, positional, result, outcome.result, last)


def _demand(frame: Frame, of: Described, demand: Demand | None) -> None:
    if demand is not None and isinstance(of, TensorType):
        frame.demand(of.like, Demand(demand.rank, {}, demand.dtype, demand.last) if of.is_resized else demand)


def _assumed(given: TensorType, demand: Demand | None) -> TensorType:
    """A tensor of unknown shape after something was demanded of it: what follows can rely on it."""
    if demand is None or demand.rank is None:
        return given
    sizes = [demand.sizes.get(a, demand.sizes.get(a - demand.rank, UNKNOWN_SIZE)) for a in range(demand.rank)]
    return TensorType(tuple(sizes), given.dtype or demand.dtype)


def method(frame: Frame, node: ir.Call | None, name: str, receiver: Tensor, args: Arguments, result: Value) -> Value:
    """The result of a method of a tensor, with shapes."""
    if not _wants_shape(result) or args.star is not None or args.double_star is not None:
        return result
    positional = [described(a) for a in args.positional]
    keyword = {k: described(v) for k, v in args.keyword.items()}
    given = receiver.type
    for at, wanted in demands.of_function(f"torch.{name}", [given, *positional], keyword):
        if at:
            _demand(frame, [given, *positional][at], wanted)
    if given.shape is None:
        demand = demands.of_method(name, [*positional, *keyword.values()])
        _demand(frame, given, demand)
        given = _assumed(given, demand)
    outcome = shapes.method(name, given, positional, keyword)
    conflicts.note(frame, node, result, outcome)
    return _result(
        name, [given, *positional], result, outcome.result, last_sizes.of_function(name, [given, *positional])
    )


def _result(name: str, given: Sequence[Described], result: Value, found: Described, last: Dim | None) -> Value:
    first = given[0] if given else None
    short = name.rpartition(".")[2]
    if last is None and isinstance(first, TensorType) and short in _SAME:
        last = first.last_size
    if isinstance(found, TensorType) and found.shape is None and isinstance(first, TensorType):
        if first.is_unseen and short in _SAME:
            found = TensorType(None, found.dtype, is_unseen=True)
    if isinstance(first, TensorType) and first.like is not None and short in _SAME | _RESIZED:
        known = found if isinstance(found, TensorType) else TensorType()
        if known.shape is None:
            found = TensorType(None, known.dtype, first.like, first.is_resized or short in _RESIZED)
    return _with_last(typed(result, found), last)


def _with_last(result: Value, last: Dim | None) -> Value:
    """A tensor of unknown rank with the size of its last dimension, if that is known."""
    if last is None or not isinstance(result, Tensor) or result.type.shape is not None:
        return result
    return with_type(result, replace(result.type, last=last))


def module(frame: Frame, node: ir.Call | None, called: ExternalInstance, args: Arguments, result: Value) -> Value:
    """The result of calling a module of ``torch.nn``, with shapes."""
    if not _wants_shape(result) or args.star is not None or args.double_star is not None:
        return result
    positional, keyword = settings_of(called)
    inputs = [described(a) for a in args.positional]
    named = {k: described(v) for k, v in args.keyword.items()}
    if inputs and isinstance(inputs[0], TensorType) and inputs[0].shape is None:
        demand = demands.of_module(called.name, positional, keyword)
        _demand(frame, inputs[0], demand)
        inputs[0] = _assumed(inputs[0], demand)
    outcome = shapes.module(called.name, positional, keyword, inputs, named)
    conflicts.note(frame, node, result, outcome)
    found = outcome.result
    if isinstance(result, Tensor) and (found is NOT_KNOWN or (isinstance(found, TensorType) and found.dtype is None)):
        found = TensorType(
            found.shape if isinstance(found, TensorType) else None, _dtype_of_module(called.name, inputs)
        )
    last = last_sizes.of_module(called.name, positional, keyword)
    return _result(_FUNCTION_OF.get(called.name.rpartition(".")[2], ""), inputs, result, found, last)


def _dtype_of_module(name: str, inputs: Sequence[Described]) -> str | None:
    """What a module with weights returns is of their type."""
    demand = demands.of_module(name, [], {})
    if demand is not None and demand.dtype == dtypes.DEFAULT_FLOAT:
        return demand.dtype
    given = inputs[0] if inputs else None
    return unseen(given).dtype if isinstance(given, TensorType) else None


_FUNCTION_OF = {
    "ReLU": "relu", "GELU": "gelu", "Sigmoid": "sigmoid", "Tanh": "tanh", "Dropout": "dropout", "SiLU": "silu",
    "Identity": "clone", "Softmax": "softmax", "LayerNorm": "normalize", "Dropout2d": "dropout", "ELU": "elu",
    "LeakyReLU": "leaky_relu", "Hardswish": "hardswish", "Softplus": "softplus", "Mish": "mish",
}  # fmt: skip


def settings_of(called: ExternalInstance) -> tuple[list[Described], Mapping[str, Described]]:
    """What a module was made with; fixed values that are not known where that was not seen."""
    made, model = called.settings, MODULES.get(called.name)
    if made is None or made.star is not None:
        return [], {} if model is None else {p.name: FIXED_SIZE for p in model.init}
    positional = [_setting(a) for a in made.positional]
    named = {k: _setting(v) for k, v in made.keyword.items()}
    if made.double_star is not None and model is not None:
        for parameter in model.init[len(positional) :]:
            named.setdefault(parameter.name, FIXED_SIZE)
    if not isinstance(named.get("dtype"), str):
        named.pop("dtype", None)  # handed on from a parameter of which the default is the default dtype
    return positional, named


def _setting(value: Value) -> Described:
    """A setting of a module: fixed, if nothing else is known."""
    found = described(value)
    return FIXED_SIZE if found is NOT_KNOWN or isinstance(found, Repeated) else found


def attribute_of_module(called: ExternalInstance, name: str) -> Value | None:
    """A parameter, buffer or setting of a module of ``torch.nn``; ``None`` when it has none of that name."""
    positional, keyword = settings_of(called)
    tensors = shapes.parameters_of(called.name, positional, keyword)
    if tensors is not None and name in tensors:
        return Tensor(False, type=tensors[name])
    if name in _TENSORS:
        return Tensor(False)
    model = MODULES.get(called.name)
    if model is None or called.settings is None:
        return None
    try:
        made = registry.bind(model.init, positional, keyword, lenient=True)
    except registry.BindingError:
        return None
    if name not in made:
        return None
    spatial = _PER_AXIS.search(called.name)
    found = made[name]
    if spatial is not None and name in ("kernel_size", "stride", "padding", "dilation") and "Pool" not in called.name:
        found = found if isinstance(found, tuple | str) else (found,) * int(spatial.group(1))
    return _fixed(found)


_TENSORS = frozenset({"weight", "bias", "running_mean", "running_var", "in_proj_weight", "in_proj_bias"})
_PER_AXIS = re.compile(r"Conv\w*([123])d$")


def _fixed(found: Described) -> Value:
    """A setting of a module as a value: it does not change any more."""
    if found is None or isinstance(found, (bool, int, float, complex, str)):
        return Const(found)
    if isinstance(found, tuple):
        return Seq("tuple", tuple([_fixed(part) for part in found]))
    return Static("int") if isinstance(found, Expression) else STATIC


def operation(frame: Frame, node: ir.Expr | ir.Stmt | None, op: str, operands: Sequence[Value], result: Value) -> Value:
    """The result of an operator, with shapes."""
    if not isinstance(result, Tensor):
        return result
    given = [described(v) for v in operands]
    if op in ("~", "&", "|", "^"):
        for one in given:
            _demand(frame, one, demands.of_index())
    types = [g for g in given if isinstance(g, TensorType)]
    first = next((t for t in types if t.like is not None), UNTYPED)
    like = first.like
    for at, value in enumerate(operands):
        if isinstance(value, Static) and value.type is None:  # any number: it leaves floating point as it is
            is_float = any(t.dtype is not None and not dtypes.is_integral(t.dtype) for t in types)
            given[at] = Number("float") if is_float else NOT_KNOWN
    if len(types) == len(given) == 2 and any(t.is_unseen for t in types):
        # what a part of the model returns is most often as large as what it is added to
        other = next((t for t in types if not t.is_unseen), UNSEEN)
        given = [other if isinstance(g, TensorType) and g.is_unseen else g for g in given]
    outcome = shapes.operator(op, *given)
    conflicts.note(frame, node, result, outcome)
    found = outcome.result if isinstance(outcome.result, TensorType) else TensorType()
    if found.shape is None and op != "@" and len(types) == len(given) == 2:
        found = TensorType(_beside(types, operands), found.dtype)
    if found.shape is None and types and all(t.is_unseen for t in types):
        found = TensorType(None, found.dtype, is_unseen=True)
    if found.shape is None and like is not None and not any(_may_raise_rank(v, like) for v in operands):
        found = TensorType(None, found.dtype, like, first.is_resized)
    if found.shape is None:
        tensors = [(g, not v.is_traced) for g, v in zip(given, operands, strict=True) if isinstance(g, TensorType)]
        last = last_sizes.of_function("matmul", given) if op == "@" else last_sizes.of_operation(tensors)
        found = replace(found, last=last) if last is not None else found
    return with_type(result, found)


def _beside(types: Sequence[TensorType], operands: Sequence[Value]) -> Shape | None:
    """The shape of an operation on a tensor and one of which the rank is not known: a parameter or buffer of the model
    has no more dimensions than what it is applied to; nor has, beside one of three dimensions or more, what is
    computed. It is as large, or of size 1."""
    known = [t.shape for t in types if t.shape is not None]
    others = [v for t, v in zip(types, operands, strict=True) if t.shape is None]
    if len(known) != 1 or (others[0].is_traced and len(known[0]) < _FEATURES):
        return None
    alone = UNKNOWN_SIZE if others[0].is_traced else FIXED_SIZE
    return tuple([alone if size == 1 else size for size in known[0]])


_FEATURES = 3
"""The fewest dimensions of what layers pass on, the batch included: sequences or images of features."""


def _may_raise_rank(value: Value, like: str) -> bool:
    """Whether an operation of this with the input `like` may have more dimensions than the input. A parameter of the
    model has no more than what it is applied to."""
    if isinstance(value, Tensor):
        return value.traced and value.type.like != like and value.type.shape != ()
    return not isinstance(value, (Const, Static, Size, Frozen))


def subscript(frame: Frame, tensor: Tensor, index: Sequence[Part], result: Value) -> Value:
    """``tensor[index]``, with shapes; a slice in the index is given as its three parts."""
    if not isinstance(result, Tensor):
        return result
    parts: list[Index] = []
    for part in index:
        if isinstance(part, tuple):
            parts.append(Slice(*[None if p is None else described(p) for p in part]))
        elif isinstance(part, Const) and part.value is ...:
            parts.append(ELLIPSIS)
        else:
            parts.append(described(part))
            _demand(frame, described(part), demands.of_index())
    if tensor.type.like is not None and ELLIPSIS in parts:
        behind = parts[parts.index(ELLIPSIS) + 1 :]
        _demand(frame, tensor.type, Demand(last=sum(p is not None for p in behind)))
    found = shapes.index(tensor.type, *parts).result
    if tensor.type.like is not None and all(isinstance(p, Slice) for p in parts):
        found = TensorType(None, tensor.type.dtype, tensor.type.like, True)
    return typed(result, found) if isinstance(found, TensorType) else result


def attribute(name: str, tensor: Tensor, result: Value) -> Value:
    """``tensor.T`` and the like, with shapes."""
    if name in ("data", "grad"):
        return typed(result, tensor.type)
    return typed(result, shapes.attribute(name, tensor.type).result)


def item(tensor: Tensor, result: Value) -> Value:
    """What iterating over a tensor yields, with shapes."""
    shape = tensor.type.shape
    return typed(result, TensorType(shape[1:] if shape else None, tensor.type.dtype))
