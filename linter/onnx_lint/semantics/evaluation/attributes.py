"""Attribute access: ``value.name`` for every kind of value."""

from __future__ import annotations

from onnx_lint.semantics import duck_typing
from onnx_lint.semantics.catalogue import torch_functions
from onnx_lint.semantics.domain.sites import AttributeRead
from onnx_lint.semantics.domain.values import (
    STATIC,
    UNKNOWN,
    Alternatives,
    Array,
    Bound,
    ClassValue,
    Const,
    Dict,
    ExternalInstance,
    ExternalValue,
    Frozen,
    Function,
    Instance,
    ModuleValue,
    Partial,
    RangeValue,
    Seq,
    Size,
    Static,
    Super,
    Tensor,
    Unknown,
    Value,
    element_of,
    join_all,
)
from onnx_lint.semantics.evaluation import calls, expressions, objects
from onnx_lint.semantics.evaluation.frame import Frame
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
    {
        "get",
        "items",
        "keys",
        "values",
        "pop",
        "update",
        "setdefault",
        "copy",
        "clear",
        "popitem",
        "move_to_end",
        "to_tuple",
    }
)


def attribute(frame: Frame, node: ir.Attribute) -> Value:
    """Evaluate ``value.attr``."""
    if isinstance(node.value, ir.Name) and frame.env is not None:
        narrowed = frame.env.names.get(f"{node.value.id}.{node.attr}")
        if narrowed is not None:
            return narrowed
    value = expressions.evaluate(frame, node.value)
    return of(frame, node, value)


def of(frame: Frame, node: ir.Attribute, value: Value) -> Value:
    """The attribute of a value that has been evaluated."""
    if isinstance(value, Alternatives):
        parts = [_of(frame, node, v) for v in value.values if not (isinstance(v, Const) and v.value is None)]
        known = [p for p in parts if p is not UNKNOWN]
        return join_all(known or parts) or UNKNOWN
    return _of(frame, node, value)


def _of(frame: Frame, node: ir.Attribute, value: Value) -> Value:
    name = node.attr
    if name == "data" and not isinstance(value, (Tensor, Unknown)):
        frame.note_other(node, value)
    if isinstance(value, Instance):
        return objects.attribute(frame, node, value, name)
    if isinstance(value, Tensor):
        return _tensor_attribute(frame, node, value, name)
    if isinstance(value, ExternalValue):
        return external_attribute(value, name)
    if isinstance(value, ModuleValue):
        return _module_attribute(frame, value, name)
    if isinstance(value, Seq):
        if name in _SEQUENCE_METHODS:
            return Bound(name, value)
        return element_of(value) if value.items() and name in _RESULT_FIELDS else UNKNOWN
    if isinstance(value, Dict):
        if name in _DICT_METHODS:
            return Bound(name, value)
        found = value.entries.get(name)
        return found if found is not None else value.rest if value.rest is not None else UNKNOWN
    if isinstance(value, Super):
        return objects.super_attribute(frame, value, name)
    if isinstance(value, ClassValue):
        return objects.class_attribute(frame, value.cls, name, None)
    if isinstance(value, (Size, Frozen, Array)):
        if isinstance(value, Array) and name in ("T", "real", "imag", "flat"):
            return value
        if isinstance(value, Array) and name in ("shape", "dtype", "ndim"):
            return STATIC
        return Bound(name, value)
    if isinstance(value, ExternalInstance):
        return _external_instance_attribute(value, name)
    if isinstance(value, (Const, Static)):
        return (
            Bound(name, value)
            if isinstance(value, Const) or value.type is not None
            else _static_attribute(frame, value, name)
        )
    if isinstance(value, (Function, Partial)):
        if name in ("func", "__wrapped__"):
            return value.function if isinstance(value, Partial) else value
        return Bound(name, value) if name == "apply" else STATIC
    if isinstance(value, Bound):
        return STATIC
    if isinstance(value, RangeValue):
        return STATIC
    if name in ("shape", "size"):  # only tensors and arrays have one, and in traced code it is a tensor
        return presumed_shape(frame, node) if name == "shape" else Bound(name, value)
    return Bound(name, value)


def presumed_shape(frame: Frame, node: ir.Expr) -> Value:
    origin = frame.origin(node, "size")
    return Seq("shape", None, Size(origin), origin)


def _static_attribute(frame: Frame, value: Static, name: str) -> Value:
    if torch_functions.is_tensor_only(name) or duck_typing.is_telling(frame.analysis, name):
        return Bound(name, value)
    return STATIC


def _tensor_attribute(frame: Frame, node: ir.Attribute, value: Tensor, name: str) -> Value:
    if name == "shape":
        return shape_of(frame, node, value)
    kind = torch_functions.attribute_kind(name)
    if kind == "tensor":
        if name == "data" and value.traced and not value.presumed:
            frame.emit(AttributeRead(*frame.base(node, value), name, node.value))
        return Tensor(value.traced, value.presumed and name in ("data", "T", "real"), value.origin)
    if kind == "method" or kind is None:
        if value.presumed and kind is None:
            return UNKNOWN if not name.startswith("_") else STATIC
        return Bound(name, value)
    return Static(kind if kind in ("int", "float", "bool", "str") else None)


def shape_of(frame: Frame, node: ir.Expr, value: Tensor) -> Value:
    """``x.shape``: sizes are traced when the tensor is, plain numbers when it is a constant."""
    if not value.traced:
        return Seq("shape", None, Static("int"))
    origin = frame.origin(node, "size", "", value.origin)
    return Seq("shape", None, Size(origin), origin, value.parameter)


def external_attribute(value: ExternalValue, name: str) -> Value:
    full = f"{value.name}.{name}"
    constant = torch_functions.constant(full)
    return constant if constant is not None else expressions.external(full)


def _module_attribute(frame: Frame, value: ModuleValue, name: str) -> Value:
    if value.source is not None:
        if frame.analysis.project.resolve_name(value.source, name) is not None:
            return expressions.global_value(frame.analysis, value.source, name)
    found = frame.analysis.project.module(f"{value.name}.{name}")
    return ModuleValue(found.name, found.source) if found is not None else UNKNOWN


def _external_instance_attribute(value: ExternalInstance, name: str) -> Value:
    if name in ("weight", "bias", "running_mean", "running_var", "in_proj_weight", "in_proj_bias"):
        return Tensor(False)
    if name == "training":
        return Const(False)
    if value.items is not None and isinstance(value.items, Dict) and name in value.items.entries:
        return value.items.entries[name]
    if name in ("forward", "__call__"):
        return value
    if value.args is not None and name in value.args:
        return value.args[name]
    if value.items is not None or name in _MODULE_METHODS:
        return Bound(name, value)
    return STATIC


_MODULE_METHODS = frozenset(
    {"parameters", "named_parameters", "buffers", "named_buffers", "modules", "children", "named_children",
     "named_modules", "state_dict", "register_buffer", "register_parameter", "add_module", "register_module", "eval",
     "train", "to", "cuda", "cpu", "half", "float", "requires_grad_", "apply", "get_submodule", "type", "append",
     "extend", "insert", "keys", "values", "items"}
)  # fmt: skip

expressions.DISPATCH[ir.Attribute] = attribute

__all__ = ["attribute", "calls", "external_attribute", "of", "presumed_shape", "shape_of"]
