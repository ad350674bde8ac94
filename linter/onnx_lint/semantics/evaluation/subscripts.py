"""Subscripts and slices: what is taken out of a value."""

from __future__ import annotations

from onnx_lint.semantics.domain.demands import Demand
from onnx_lint.semantics.domain.lattice import alternatives, each, element_of, hazard_among, join_all
from onnx_lint.semantics.domain.origin import StepKind
from onnx_lint.semantics.domain.parts import assert_never, traced_parts
from onnx_lint.semantics.domain.sites import IndexRead, ListIndex
from onnx_lint.semantics.domain.sizes import join_of, part_of_shape
from onnx_lint.semantics.domain.text import item_of_text
from onnx_lint.semantics.domain.values import (
    NONE,
    STATIC,
    UNKNOWN,
    Arguments,
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
from onnx_lint.semantics.evaluation.interface import Part
from onnx_lint.source import ir

_MAX_AXES = 8
"""Slices of a shape with at most that many dimensions keep their numbers."""


def subscript(frame: Frame, node: ir.Subscript) -> Value:
    """``value[index]``."""
    value = frame.interp.evaluate(frame, node.value)
    index = frame.interp.evaluate(frame, node.index)
    return each(value, lambda one: _item(frame, node, one, index))


def _item(frame: Frame, node: ir.Subscript, value: Single, index: Value) -> Value:
    match value:
        case Tensor():
            if value.presumed and isinstance(index, Const) and isinstance(index.value, str):
                return Tensor(value.traced, True, value.origin)
            traced = value.traced or index.is_traced
            if value.traced and not value.presumed and _is_negative_pair(index):
                frame.emit(IndexRead, node, value, form="negative pair")
            origin = value.origin or index.origin
            is_mask = isinstance(node.index, ir.Compare) or (isinstance(index, Tensor) and index.type.dtype == "bool")
            if traced and is_mask:  # a mask: how much it lets through depends on data
                origin = frame.origin(node, StepKind.TENSOR, "", origin)
            result = Tensor(traced, value.presumed, origin, None, value.is_shape)
            return frame.interp.shape_of_subscript(frame, value, _index_parts(frame, node.index, index), result)
        case Seq():
            return _sequence_item(frame, node, value, index)
        case Dict():
            return _dict_item(frame, node, value, index)
        case ExternalInstance():
            return _module_item(frame, node, value, index)
        case Instance():
            found = value.cls.find_method("__getitem__")
            if found is not None:
                owner, unit, statement = found
                function = Function(unit, statement, None, owner)
                return frame.interp.invoke(frame, node, function, value, Arguments((index,)))
            return frame.interp.parts_of_module(frame, value) or UNKNOWN
        case RangeValue():
            return Static("int")
        case Array() | Frozen() | ExternalValue() | ClassValue():
            return value
        case Const():
            return _text_item(frame, node, value, index)
        case Static():
            return STATIC
        case Unknown() | EngineFlag() | Size() | Function() | Bound() | Partial() | ModuleValue() | Super():
            return UNKNOWN
    assert_never(value)


def _is_negative_pair(index: Value) -> bool:
    """Whether an index has several lists of integers, with a negative one among them."""
    if not isinstance(index, Seq) or index.kind != "tuple" or index.elements is None:
        return False
    lists = [part.elements for part in index.elements if isinstance(part, Seq) and part.elements]
    numbers = [e.value for elements in lists for e in elements or () if isinstance(e, Const)]
    return len(lists) > 1 and any(isinstance(n, int) and n < 0 for n in numbers)


def _index_parts(frame: Frame, node: ir.Expr, index: Value) -> tuple[Part, ...]:
    """An index of a tensor, part by part; slices as their start, stop and step."""
    if not isinstance(node, ir.Sequence) or node.kind != "tuple":
        nodes: tuple[ir.Expr, ...] = (node,)
        values: tuple[Value, ...] = (index,)
        if isinstance(index, Seq) and index.kind == "tuple" and index.elements is not None:
            return index.elements
    elif isinstance(index, Seq) and index.elements is not None and len(index.elements) == len(node.elements):
        nodes, values = node.elements, index.elements
    else:
        return (UNKNOWN,)
    return tuple([
        (_bound(frame, n.lower), _bound(frame, n.upper), _bound(frame, n.step)) if isinstance(n, ir.Slice) else v
        for n, v in zip(nodes, values, strict=True)
    ])  # fmt: skip


def _bound(frame: Frame, node: ir.Expr | None) -> Value | None:
    """A bound of a slice, which was evaluated before: again, if that neither calls nor reports anything."""
    if node is None:
        return None
    if not _is_simple(node):
        return UNKNOWN
    outer, frame.records_sites = frame.records_sites, False
    try:
        return frame.interp.evaluate(frame, node)
    finally:
        frame.records_sites = outer


def _is_simple(node: ir.Expr) -> bool:
    match node:
        case ir.Name() | ir.Const():
            return True
        case ir.Attribute() | ir.UnaryOp():
            return _is_simple(node.value)
        case ir.BinOp():
            return _is_simple(node.left) and _is_simple(node.right)
        case ir.Subscript():
            return _is_simple(node.value) and _is_simple(node.index)
    return False


def _dict_item(frame: Frame, node: ir.Subscript, value: Dict, index: Value) -> Value:
    if isinstance(index, Const) and isinstance(index.value, (str, int, bool)):
        if index.value in value.entries:
            return value.entries[index.value]
        if value.rest is not None:
            return value.rest
    if isinstance(node.index, ir.IfExp) and not isinstance(index, Const):
        # two texts are any text once they are joined
        either = (node.index.body, node.index.orelse)
        found = [value.entries.get(part.value) for part in either if isinstance(part, ir.Const)]
        held = [one for one in found if one is not None]
        if len(held) == len(either):
            return join_all(held) or UNKNOWN
    asked = alternatives(index)
    if isinstance(node.index, ir.Format):  # the key is text that is made of a traced value
        asked = tuple([v for part in node.index.values for v in alternatives(frame.interp.evaluate(frame, part))])
    number = hazard_among(v for v in asked if isinstance(v, (Size, Frozen)))
    if number is not None:
        frame.emit(ListIndex, node, number, container="dict")
    return value.rest if value.rest is not None else join_all(value.values()) or UNKNOWN


def _module_item(frame: Frame, node: ir.Subscript, value: ExternalInstance, index: Value) -> Value:
    number = hazard_among(traced_parts(index, 0))
    if number is not None:
        frame.emit(ListIndex, node, number, container="ModuleList")
    if isinstance(value.items, Seq) and value.items.elements and isinstance(index, Const):
        if isinstance(index.value, int) and -len(value.items.elements) <= index.value < len(value.items.elements):
            return value.items.elements[index.value]
    if isinstance(value.items, Dict) and isinstance(index, Const) and index.value in value.items.entries:
        return value.items.entries[index.value]
    if isinstance(node.index, ir.Slice):
        return value
    return frame.interp.parts_of_module(frame, value) or STATIC


def _sequence_item(frame: Frame, node: ir.Subscript, value: Seq, index: Value) -> Value:
    if isinstance(node.index, ir.Slice):
        return _slice_of(frame, value, node.index)
    number = hazard_among(traced_parts(index, 0))
    if number is not None:
        frame.emit(ListIndex, node, number, container=value.kind)
    elements = value.elements
    if isinstance(index, Const) and isinstance(index.value, int):
        if value.kind == "shape" and value.is_traced:
            if index.value < 0:
                frame.demand(value.parameter, Demand(last=-index.value))
            return part_of_shape(value, index.value, frame.origin(node, StepKind.SIZE, "", value.origin))
        if elements is not None:
            return elements[index.value] if -len(elements) <= index.value < len(elements) else UNKNOWN
    if value.kind == "shape" and value.is_traced:
        dim = join_of(value.elements)
        return Size(frame.origin(node, StepKind.SIZE, "", value.origin), dim=dim)
    return element_of(value) if value.items() else UNKNOWN


def _text_item(frame: Frame, node: ir.Subscript, value: Const, index: Value) -> Value:
    if not isinstance(value.value, str):
        return STATIC
    at = index.value if isinstance(index, Const) else None
    if isinstance(node.index, ir.Slice):
        written = (node.index.lower, node.index.upper, node.index.step)
        bounds = [NONE if part is None else frame.interp.evaluate(frame, part) for part in written]
        if not all(isinstance(b, Const) for b in bounds):
            return Static("str")
        at = slice(*[b.value for b in bounds if isinstance(b, Const)])
    item = item_of_text(value.value, at)
    return Static("str") if item is None else item


def _slice_of(frame: Frame, value: Seq, node: ir.Slice) -> Value:
    bounds: list[int | None] = []
    for part in (node.lower, node.upper, node.step):
        if part is None:
            bounds.append(None)
            continue
        bound = frame.interp.evaluate(frame, part)
        if isinstance(bound, Const) and (bound.value is None or isinstance(bound.value, int)):
            bounds.append(bound.value)
            continue
        number = hazard_among(traced_parts(bound, 0))
        if number is not None and value.kind != "shape":
            frame.emit(ListIndex, part, number, container=value.kind)
        return Seq(value.kind, None, element_of(value) if value.items() else None, value.origin)
    lower, upper, step = bounds
    if value.elements is not None and step != 0:
        return Seq(value.kind, value.elements[lower:upper:step], origin=value.origin)
    element = element_of(value) if value.items() else None
    if value.kind == "shape" and value.is_traced:
        return _slice_of_shape(frame, value, element, lower, upper, step)
    return Seq(value.kind, None, element, value.origin)


def _slice_of_shape(
    frame: Frame, value: Seq, element: Value | None, lower: int | None, upper: int | None, step: int | None
) -> Value:
    start = lower or 0
    if step is None and lower is not None and -_MAX_AXES <= lower < 0 and upper is None:
        frame.demand(value.parameter, Demand(last=-lower))
        parts = [part_of_shape(value, i, value.origin) for i in range(lower, 0)]
        return Seq("shape", tuple(parts), origin=value.origin)
    if step is None and upper is not None and 0 <= start < upper <= _MAX_AXES:
        axes = range(start, upper)
        parts = [Size(value.origin, parameter=value.parameter, axis=value.first_axis + i) for i in axes]
        return Seq("shape", tuple(parts), origin=value.origin)
    # of what ends before the last dimension it is not known how many there are
    named = value.parameter if start >= 0 and step is None and upper is None else None
    last = value.last if upper is None and step is None else None
    return Seq("shape", None, element, value.origin, named, value.first_axis + max(start, 0), last=last)


def slice_(frame: Frame, node: ir.Slice) -> Value:
    """``a:b:c`` inside a subscript: as traced as its bounds."""
    parts = [frame.interp.evaluate(frame, p) for p in (node.lower, node.upper, node.step) if p is not None]
    traced = next((v for p in parts for v in alternatives(p) if v.is_traced), None)
    return traced if traced is not None else STATIC
