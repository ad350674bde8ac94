"""Attribute access: ``value.name`` for every kind of value."""

from __future__ import annotations

from onnx_lint.semantics import torch_kinds
from onnx_lint.semantics.domain.dtypes import dtype_named
from onnx_lint.semantics.domain.lattice import element_of, is_certain, is_none, known
from onnx_lint.semantics.domain.origin import StepKind
from onnx_lint.semantics.domain.parts import assert_never
from onnx_lint.semantics.domain.sites import AttributeRead, WeightRead
from onnx_lint.semantics.domain.sizes import shape_value
from onnx_lint.semantics.domain.values import (
    STATIC,
    UNKNOWN,
    Alternatives,
    Array,
    Bound,
    ClassValue,
    Const,
    Dict,
    EngineFlag,
    ExternalInstance,
    ExternalValue,
    Frozen,
    Function,
    Instance,
    ModuleValue,
    Partial,
    RangeValue,
    Seq,
    Single,
    Size,
    Static,
    Super,
    Tensor,
    Unknown,
    Value,
)
from onnx_lint.semantics.evaluation.frame import Frame
from onnx_lint.semantics.known_names import CONTAINER_METHODS
from onnx_lint.source import ir

_SEQUENCE_METHODS = frozenset(
    {"append", "extend", "insert", "pop", "remove", "reverse", "sort", "index", "count", "copy", "clear", "add",
     "update", "union", "numel", "discard"}
)  # fmt: skip
_RESULT_FIELDS = frozenset(
    {"values", "indices", "sign", "logabsdet", "eigenvalues", "eigenvectors", "U", "S", "V", "Vh", "Q", "R", "L", "LU",
     "pivots", "info", "solution", "residuals", "min", "max", "inverse", "data", "batch_sizes"}
)  # fmt: skip
"""Fields of the named tuples that torch returns."""
_DICT_METHODS = frozenset(
    {"get", "items", "keys", "values", "pop", "update", "setdefault", "copy", "clear", "popitem", "move_to_end",
     "to_tuple"}
)  # fmt: skip
_TENSOR_FIELDS = frozenset({"shape", "ndim", "dtype", "device"})
"""What no dict has: where a value may be a dict or a tensor, it is the tensor's."""
_CONSTANTS = frozenset(
    {"math.pi", "math.e", "math.inf", "math.tau", "math.nan", "numpy.pi", "numpy.inf", "numpy.newaxis"}
)


def attribute_expression(frame: Frame, node: ir.Attribute) -> Value:
    """Evaluate ``value.attr``."""
    if isinstance(node.value, ir.Name) and frame.env is not None:
        narrowed = frame.env.names.get(f"{node.value.id}.{node.attr}")
        if narrowed is not None:
            return frame.read(narrowed)
    return frame.read(attribute(frame, node, frame.interp.evaluate(frame, node.value)))


def attribute(frame: Frame, node: ir.Attribute, value: Value) -> Value:
    """The attribute of a value that has been evaluated."""
    if isinstance(value, Alternatives):
        return known(_attribute(frame, node, v) for v in value.values if not is_none(v))
    return _attribute(frame, node, value)


def _attribute(frame: Frame, node: ir.Attribute, value: Single) -> Value:
    name = node.attr
    if name == "data" and not isinstance(value, (Tensor, Unknown)):
        frame.note_other(node, value)
    match value:
        case Instance():
            return frame.interp.instance_attribute(frame, node, value, name)
        case Tensor():
            return _tensor_attribute(frame, node, value, name)
        case ExternalValue():
            return _external_attribute(frame, value, name)
        case ModuleValue():
            return _module_attribute(frame, value, name)
        case Seq():
            if name in _SEQUENCE_METHODS:
                return Bound(name, value)
            return element_of(value) if value.items() and name in _RESULT_FIELDS else UNKNOWN
        case Dict():
            if name in _DICT_METHODS:
                return Bound(name, value)
            found = value.entries.get(name)
            if found is None and value.rest is not None and name not in _TENSOR_FIELDS:
                found = value.rest
            return found if found is not None else UNKNOWN
        case Super():
            return frame.interp.super_attribute(frame, value, name)
        case ClassValue():
            return frame.interp.class_attribute(frame, value.cls, name, None)
        case Array():
            if name in ("T", "real", "imag", "flat"):
                return value
            return STATIC if name in ("shape", "dtype", "ndim") else Bound(name, value)
        case Size() | Frozen():
            return Bound(name, value)
        case ExternalInstance():
            return _external_instance_attribute(frame, value, name)
        case Const():
            return Bound(name, value)
        case Static():
            is_plain = value.type is not None and value.type != "device"
            return Bound(name, value) if is_plain else _static_attribute(frame, value, name)
        case Function() | Partial():
            if name in ("func", "__wrapped__"):
                return value.function if isinstance(value, Partial) else value
            if name == "__name__" and isinstance(value, Function):
                return Const(value.function.name)
            return Bound(name, value) if name == "apply" else STATIC
        case Bound() | RangeValue():
            return STATIC
        case Unknown() | EngineFlag():
            # only tensors and arrays have a shape, and in traced code it is a tensor
            return presumed_shape(frame, node) if name == "shape" else Bound(name, value)
    assert_never(value)


def presumed_shape(frame: Frame, node: ir.Expr) -> Value:
    """The shape of something unknown that must be a tensor."""
    origin = frame.origin(node, StepKind.SIZE)
    return Seq("shape", None, Size(origin), origin)


def _static_attribute(frame: Frame, value: Static, name: str) -> Value:
    if torch_kinds.is_tensor_only_method(name) or frame.interp.is_distinctive(frame.analysis, name):
        return Bound(name, value)
    return STATIC


def _tensor_attribute(frame: Frame, node: ir.Attribute, value: Tensor, name: str) -> Value:
    if name == "shape":
        return shape_of(frame, node, value)
    kind = torch_kinds.attribute_kind(name)
    if kind == "tensor":
        if name == "data" and is_certain(value):
            frame.emit(AttributeRead, node, value, attribute=name, receiver=node.value)
        elif name == "data" and not value.traced and not value.presumed:
            frame.emit(WeightRead, node, value, how="data")
        result = Tensor(value.traced, value.presumed and name in ("data", "T", "real"), value.origin)
        return frame.interp.shape_of_attribute(name, value, result)
    if kind == "method" or kind is None:
        if value.presumed and kind is None:
            return UNKNOWN if not name.startswith("_") else STATIC
        return Bound(name, value)
    if name == "ndim" and value.type.rank is not None:
        return Const(value.type.rank)
    if name == "dtype" and value.type.dtype is not None:
        return ExternalValue(f"torch.{value.type.dtype}")
    if name == "device":
        return Static("device")
    return Static(kind if kind in ("int", "float", "bool", "str") else None)


def shape_of(frame: Frame, node: ir.Expr, value: Tensor) -> Value:
    """``x.shape``: sizes are traced when the tensor is, plain numbers when it is a constant."""
    return shape_value(value, frame.origin(node, StepKind.SIZE, "", value.origin))


def _external_attribute(frame: Frame, value: ExternalValue, name: str) -> Value:
    if name == "__name__" and value.name.startswith("torch."):
        return Const(value.name.rpartition(".")[2])
    full = f"{value.name}.{name}"
    if full in _CONSTANTS:
        return Static("float")
    if full.startswith("torch.") and torch_kinds.is_plain_constant(full) and dtype_named(full) is None:
        return STATIC
    return frame.interp.external(full)


def _module_attribute(frame: Frame, value: ModuleValue, name: str) -> Value:
    if value.source is not None:
        if frame.analysis.project.resolve_name(value.source, name) is not None:
            return frame.interp.global_value(frame.analysis, value.source, name)
    found = frame.analysis.project.module(f"{value.name}.{name}", value.source or frame.module)
    return ModuleValue(found.name, found.source) if found is not None else UNKNOWN


def _external_instance_attribute(frame: Frame, value: ExternalInstance, name: str) -> Value:
    if name == "training":
        return Const(False)
    if isinstance(value.items, Dict) and name in value.items.entries:
        return value.items.entries[name]
    if name in ("forward", "__call__"):
        return value
    if value.args is not None and name in value.args:
        return value.args[name]
    found = frame.interp.attribute_of_module(value, name)
    if found is not None:
        return found
    return Bound(name, value) if value.items is not None or name in CONTAINER_METHODS else STATIC
