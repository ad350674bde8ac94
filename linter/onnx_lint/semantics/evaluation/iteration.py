"""Taking values apart: loops, unpacking, stars."""

from __future__ import annotations

from onnx_lint.semantics.domain.demands import Demand
from onnx_lint.semantics.domain.lattice import alternatives, element_of, is_certain, join, join_all
from onnx_lint.semantics.domain.origin import StepKind
from onnx_lint.semantics.domain.parts import assert_never
from onnx_lint.semantics.domain.sites import Iteration, RangeLoop
from onnx_lint.semantics.domain.sizes import part_of_shape
from onnx_lint.semantics.domain.values import (
    STATIC,
    UNKNOWN,
    Alternatives,
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
from onnx_lint.source import ir

MAX_UNROLLED = 6
"""Loops over that many known, unlike elements are interpreted element by element."""


def loop_elements(frame: Frame, iterable: Value) -> tuple[Value, ...] | None:
    """The elements of a short sequence of unlike values, for unrolling; ``None`` if one pass will do."""
    if isinstance(iterable, Seq) and iterable.elements is not None and 0 < len(iterable.elements) <= MAX_UNROLLED:
        if (len(iterable.elements) == 1 or len({e.key() for e in iterable.elements}) > 1) and not frame.exits:
            return iterable.elements
    return None


def element(
    frame: Frame,
    value: Value,
    node: ir.Expr | None = None,
    how: str | None = None,
    *,
    statement: ir.Stmt | ir.Expr | None = None,
) -> Value:
    """What iterating over a value yields. With `how`, iterating over a traced tensor or range is reported at `node`."""
    if isinstance(value, Alternatives):
        if any(isinstance(v, (Seq, Dict, RangeValue)) for v in value.values):
            how = None  # taken apart because it is a sequence; the tensor is another way's
        parts = [_element(frame, v, node, how) for v in value.values]
        return join_all([p for p in parts if p is not STATIC] or parts) or UNKNOWN
    return _element(frame, value, node, how)


def _is_unbound(node: ir.Expr) -> bool:
    """Whether an expression is ``x.unbind(…)`` or ``torch.unbind(x, …)``, of another dimension than the last: that
    one holds what the weights or the format of the data say, most often."""
    if not isinstance(node, ir.Call) or not isinstance(node.func, ir.Attribute) or node.func.attr != "unbind":
        return False
    given = [*node.args, *(value for _, value in node.keywords)]
    return not any(isinstance(g, ir.Const) and g.value == -1 for g in given)


def _element(frame: Frame, value: Single, node: ir.Expr | None, how: str | None) -> Value:
    match value:
        case Seq():
            item = element_of(value) if value.items() else UNKNOWN
            if node is not None and how is not None and _is_unbound(node) and is_certain(item):
                frame.emit(Iteration, node, Size(item.origin), how=how)  # as many as the dimension is long
            return item
        case Tensor():
            if is_certain(value) and how is not None and node is not None:
                frame.emit(Iteration, node, value, how=how)
            return frame.interp.shape_of_item(value, Tensor(value.traced, value.presumed, value.origin))
        case RangeValue():
            if value.bound is not None and value.bound.is_traced and how is not None and node is not None:
                frame.emit(RangeLoop, node, value.bound)
            return Static("int")
        case Dict():
            return Static("str")
        case ExternalInstance():
            return _module_items(value)
        case Instance():
            return _instance_element(frame, value, node)
        case Array():
            return value
        case Const():
            return Static("str") if isinstance(value.value, str) else STATIC
        case Static():
            return STATIC
        case Frozen():
            return Frozen(value.from_data, None, value.origin, value.live)
        case (
            Unknown() | EngineFlag() | Size() | ExternalValue() | ClassValue() | Function() | Bound() | Partial()
            | ModuleValue() | Super()
        ):  # fmt: skip
            return UNKNOWN
    assert_never(value)


# ------------------------------------------------------------------------------------------------------- containers
def parts_of_module(frame: Frame, value: Value) -> Value | None:
    """What a ``ModuleList``, ``Sequential`` or the like holds, or a project subclass of one, which holds what it was
    made or extended with; ``None`` for other values."""
    if isinstance(value, ExternalInstance):
        return _module_items(value)
    if not isinstance(value, Instance):
        return None
    if not any(value.cls.is_subclass(f"torch.nn.{c}") for c in ("Sequential", "ModuleList", "ModuleDict")):
        return None
    attributes = frame.interp.attributes_of(frame, value)
    held = [v for k, v in attributes.items() if k.startswith("[") or not k.startswith("_")]
    modules = [v for v in held if isinstance(v, (Instance, ExternalInstance, Alternatives))]
    return join_all(modules) or STATIC


def _module_items(value: ExternalInstance) -> Value:
    items = value.items
    if items is None:
        return STATIC
    parts = items.items() if isinstance(items, Seq) else items.values()
    return join_all(parts) or STATIC


def _instance_element(frame: Frame, value: Instance, node: ir.Expr | None) -> Value:
    found = value.cls.find_method("__iter__") if node is not None else None
    if found is not None:
        owner, unit, statement = found
        function = Function(unit, statement, None, owner)
        return element(frame, frame.interp.invoke(frame, node, function, value, Arguments()))
    items = parts_of_module(frame, value)
    return items if items is not None else STATIC if value.cls.is_module else UNKNOWN


# --------------------------------------------------------------------------------------------------- unpacking, stars
def unpack(frame: Frame, value: Value, count: int, star: int | None, node: ir.Expr) -> list[Value]:
    """The values for `count` targets, of which the one at `star` takes a list."""
    candidates = alternatives(value)
    fitting = [v for v in candidates if isinstance(v, Seq) and _fits(v, count, star)]
    # what is unpacked here is the alternative that fits; a tensor is another way's
    ways = [w for w in (_unpack_one(frame, v, count, star, node) for v in fitting or candidates) if w is not None]
    if not ways:
        return [UNKNOWN] * count
    out = ways[0]
    for way in ways[1:]:
        out = [join(a, b) for a, b in zip(out, way, strict=True)]
    return out


def _fits(value: Seq, count: int, star: int | None) -> bool:
    if value.elements is None:
        return True
    return len(value.elements) == count if star is None else len(value.elements) >= count - 1


def _unpack_one(frame: Frame, value: Single, count: int, star: int | None, node: ir.Expr) -> list[Value] | None:
    if isinstance(value, Seq):
        if value.kind == "shape" and value.elements is None and star is None:
            frame.demand(value.parameter, Demand(value.first_axis + count))
        if value.kind == "shape" and value.is_traced:
            if not _fits(value, count, star):
                # the number of dimensions was taken to be another one: it gives way to what the program says here
                value = Seq("shape", None, Size(value.origin), value.origin)
            return [_shape_part(frame, value, i, count, star, node) for i in range(count)]
        if value.elements is not None:
            return _known(value.elements, count, star)
        one = element_of(value) if value.items() else UNKNOWN
    elif isinstance(value, Const):
        return None  # None where the other alternative is what gets unpacked
    elif isinstance(value, RangeValue):
        one = Static("int")
    elif isinstance(value, Tensor) and star is None and _is_of_module(node):
        # a model that takes the result of a part apart knows that it is a tuple: by a setting that was not seen
        one = Tensor(value.traced, True, value.origin)
    else:
        # with a star there are as many as the example has; without one the number is fixed, and right
        one = element(frame, value, node, "unpack" if star is None else "star")
    return [frame.owned(Seq("list", None, one)) if i == star else one for i in range(count)]


def _is_of_module(node: ir.Expr) -> bool:
    """Whether an expression calls an attribute of the object itself: ``self.encoder(x)``, mostly a module."""
    func = node.func if isinstance(node, ir.Call) else None
    return isinstance(func, ir.Attribute) and isinstance(func.value, ir.Name) and func.value.id == "self"


def _known(elements: tuple[Value, ...], count: int, star: int | None) -> list[Value] | None:
    if star is None:
        return list(elements) if len(elements) == count else None
    behind = count - star - 1
    if len(elements) < count - 1:
        return None
    middle = elements[star : len(elements) - behind]
    return [*elements[:star], Seq("list", tuple(middle)), *elements[len(elements) - behind :]]


def _shape_part(frame: Frame, shape: Seq, index: int, count: int, star: int | None, node: ir.Expr) -> Value:
    """The part of a shape that goes to the target at `index` of `count`."""
    is_behind = star is not None and index > star
    if index == star:
        if shape.elements is not None:
            return Seq("shape", shape.elements[index : len(shape.elements) - (count - index - 1)], None, shape.origin)
        return Seq("shape", None, shape.element, shape.origin)
    origin = frame.origin(node, StepKind.SIZE, "", shape.origin)
    if is_behind and shape.elements is None and (index < count - 1 or shape.last is None):
        return Size(origin, parameter=shape.parameter)
    if shape.elements is None and shape.last is not None and index == count - 1:
        return Size(origin, parameter=shape.parameter, axis=None if is_behind else index, dim=shape.last)
    return part_of_shape(shape, index - count if is_behind else index, origin)


def spread(frame: Frame, value: Value, node: ir.Expr) -> tuple[tuple[Value, ...] | None, Value]:
    """``*value`` in a call or display: the elements when they are known, else ``None`` and what each may be."""
    if isinstance(value, Seq) and value.elements is not None:
        return value.elements, UNKNOWN
    return None, element(frame, value, node, "star")
