"""Methods of tensors, of sizes and numbers read from them, and of what must be a tensor."""

from __future__ import annotations

from onnx_lint.semantics import torch_kinds
from onnx_lint.semantics.catalogue import torch_results
from onnx_lint.semantics.catalogue.conversions import read
from onnx_lint.semantics.catalogue.registry import Call, models_method
from onnx_lint.semantics.catalogue.torch_functions import tensor_from
from onnx_lint.semantics.domain.engines import DYNAMO, TORCHSCRIPT
from onnx_lint.semantics.domain.lattice import one_of
from onnx_lint.semantics.domain.origin import Origin, StepKind
from onnx_lint.semantics.domain.sizes import join_of, part_of_shape, shape_value
from onnx_lint.semantics.domain.values import (
    UNKNOWN,
    Const,
    EngineFlag,
    Frozen,
    Seq,
    Size,
    Static,
    Tensor,
    Unknown,
    Value,
)
from onnx_lint.semantics.evaluation.frame import Frame


# --------------------------------------------------------------------------------------------------------- tensors
@models_method(Tensor, "item", "tolist", "numpy")
def _read(frame: Frame, call: Call, tensor: Tensor) -> Value:
    return read(frame, call, tensor)


def _origin(frame: Frame, call: Call, value: Value) -> Origin | None:
    return value.origin if call.node is None else frame.origin(call.node, StepKind.SIZE, "", value.origin)


@models_method(Tensor, "size")
def _size_of(frame: Frame, call: Call, tensor: Tensor) -> Value:
    index = call.args.get(0, "dim")
    origin = _origin(frame, call, tensor)
    shape = shape_value(tensor, origin)
    if index is None:
        return shape
    axis = index.value if isinstance(index, Const) and isinstance(index.value, int) else None
    if not tensor.traced:
        known = shape.elements if axis is not None else None
        return (
            known[axis]
            if known is not None and axis is not None and -len(known) <= axis < len(known)
            else Static("int")
        )
    return Size(origin, dim=join_of(shape.elements)) if axis is None else part_of_shape(shape, axis, origin)


@models_method(Tensor, "numel", "nelement")
def _numel(frame: Frame, call: Call, tensor: Tensor) -> Value:
    return Size(_origin(frame, call, tensor), dim=tensor.type.numel) if tensor.traced else Static("int")


@models_method(Tensor, "dim", "ndimension")
def _rank(frame: Frame, call: Call, tensor: Tensor) -> Value:
    return Static("int") if tensor.type.rank is None else Const(tensor.type.rank)


@models_method(Tensor, "get_device", "element_size")
def _number(frame: Frame, call: Call, tensor: Tensor) -> Value:
    return Static("int")


@models_method(
    Tensor, "data_ptr", "storage", "untyped_storage", "backward", "register_hook", "retain_grad", "__len__",
    "__bool__", "__int__", "__float__",
)  # fmt: skip
def _nothing_known(frame: Frame, call: Call, tensor: Tensor) -> Value:
    return UNKNOWN


@models_method(Tensor, "new_tensor")
def _new_tensor(frame: Frame, call: Call, tensor: Tensor) -> Value:
    return tensor_from(frame, Call("Tensor.new_tensor", call.node, call.args))


@models_method(Tensor, "new_zeros", "new_ones", "new_empty", "new_full", "new_empty_strided")
def _new(frame: Frame, call: Call, tensor: Tensor) -> Value:
    """They stay live: as traced as the size they are given."""
    traced = any(a.is_traced for a in call.args.all())
    return Tensor(traced, False, next((a.origin for a in call.args.all() if a.origin is not None), None))


@models_method(Tensor)
def _any(frame: Frame, call: Call, tensor: Tensor) -> Value:
    """Any other method: what data says of it."""
    result = torch_results.method_result(frame, call, tensor)
    if result is not None:
        return result
    return Tensor(True, True, tensor.origin) if tensor.presumed and tensor.traced else UNKNOWN


# ----------------------------------------------------------------------------------------------- sizes and numbers
@models_method(Size, "item", "tolist")
def _item_of_size(frame: Frame, call: Call, size: Size) -> Value:
    return read(frame, Call("item", call.node, call.args), size)


@models_method(Size, "is_integer")
def _is_integer(frame: Frame, call: Call, size: Size) -> Value:
    """dynamo keeps the example's answer; under torchscript, where a size is a tensor, there is no such method (run
    with torch 2.13)."""
    return one_of([(Size(size.origin, boolean=True), DYNAMO), (Static("bool"), TORCHSCRIPT)])


@models_method(Size, "bit_length")
def _of_number(frame: Frame, call: Call, size: Size) -> Value:
    return Static()


@models_method(Size)
def _of_size(frame: Frame, call: Call, size: Size) -> Value:
    """Under tracing a size is a tensor without dimensions."""
    return Tensor(True, True, size.origin)


@models_method(Frozen)
def _of_frozen(frame: Frame, call: Call, number: Frozen) -> Value:
    return number


# ------------------------------------------------------------------------------------------------ something unknown
@models_method(Unknown)
@models_method(EngineFlag)
def _unknown(frame: Frame, call: Call, receiver: Value) -> Value:
    """A method of something unknown: its name can tell that it is a tensor."""
    name, node = call.name, call.node
    if name == "size" and node is not None and receiver is UNKNOWN:
        if call.args.positional:
            return Size(frame.origin(node, StepKind.SIZE)) if isinstance(call.first, Const) else UNKNOWN
        if not call.args.keyword:
            origin = frame.origin(node, StepKind.SIZE)
            return Seq("shape", None, Size(origin), origin)
    if receiver is UNKNOWN and torch_kinds.is_tensor_only_method(name):
        return torch_results.method_result(frame, call, Tensor(True, True)) or UNKNOWN
    return UNKNOWN
