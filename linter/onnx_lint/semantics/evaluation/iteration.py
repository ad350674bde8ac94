"""Taking values apart: loops, unpacking, stars."""

from __future__ import annotations

from onnx_lint.semantics.domain.sites import Iteration, RangeLoop
from onnx_lint.semantics.domain.values import (
    STATIC,
    UNKNOWN,
    Alternatives,
    Array,
    Const,
    Dict,
    ExternalInstance,
    Frozen,
    Instance,
    RangeValue,
    Seq,
    Size,
    Static,
    Tensor,
    Value,
    alternatives,
    element_of,
    join,
    join_all,
)
from onnx_lint.semantics.evaluation import calls, expressions
from onnx_lint.semantics.evaluation.frame import Frame
from onnx_lint.source import ir

MAX_UNROLLED = 6
"""Loops over that many known, unlike elements are interpreted element by element."""


def widen(sequence: Seq, value: Value) -> None:
    """Let a list hold one value more, at an unknown place. Lists are shared objects, here as in Python."""
    held = join_all(list(sequence.items()))
    sequence.element = value if held is None else join(held, value)
    sequence.elements = None


def append(frame: Frame, sequence: Seq, value: Value) -> None:
    """``list.append``: exact outside loops, widening inside."""
    if sequence.elements is not None and not frame.exits and len(sequence.elements) < 64:
        sequence.elements = (*sequence.elements, value)
    else:
        widen(sequence, value)


def loop_elements(frame: Frame, iterable: Value, node: ir.Expr, how: str, statement: ir.Stmt) -> list[Value] | None:
    """The elements of a short sequence of unlike values, for unrolling; ``None`` if one pass will do."""
    if isinstance(iterable, Seq) and iterable.elements is not None and 0 < len(iterable.elements) <= MAX_UNROLLED:
        if len({e.key() for e in iterable.elements}) > 1 and not frame.exits:
            return list(iterable.elements)
    return None


def element(
    frame: Frame,
    value: Value,
    node: ir.Expr | None,
    how: str | None,
    *,
    statement: ir.Stmt | ir.Expr | None = None,
) -> Value:
    """What iterating over a value yields. With `how`, iterating over a traced tensor or range is reported at `node`."""
    if isinstance(value, Alternatives):
        if any(isinstance(v, (Seq, Dict, RangeValue)) for v in value.values):
            how = None  # taken apart because it is a sequence; the tensor is another way's
        parts = [element(frame, v, node, how, statement=statement) for v in value.values]
        return join_all([p for p in parts if p is not STATIC] or parts) or UNKNOWN
    if isinstance(value, Seq):
        return element_of(value) if value.items() else UNKNOWN
    if isinstance(value, Tensor):
        if value.traced and not value.presumed and how is not None and node is not None:
            frame.emit(Iteration(*frame.base(node, value), how))
        return Tensor(value.traced, value.presumed, value.origin)
    if isinstance(value, RangeValue):
        if value.is_traced and value.bound is not None and how is not None and node is not None:
            frame.emit(RangeLoop(*frame.base(node, value.bound)))
        return Static("int")
    if isinstance(value, Dict):
        return Static("str")
    if isinstance(value, ExternalInstance):
        return module_items(frame, value)
    if isinstance(value, Instance):
        return _instance_element(frame, value, node)
    if isinstance(value, Array):
        return value
    if isinstance(value, (Static, Const)):
        return Static("str") if isinstance(value, Const) and isinstance(value.value, str) else STATIC
    if isinstance(value, Frozen):
        return Frozen(value.from_data, None, value.origin, value.live)
    return UNKNOWN


def module_items(frame: Frame, value: ExternalInstance) -> Value:
    """What a ``ModuleList``, ``Sequential`` or the like holds."""
    items = value.items
    if items is None:
        return STATIC
    if isinstance(items, Seq):
        return element_of(items) if items.items() else STATIC
    if isinstance(items, Dict):
        return join_all(items.values()) or STATIC
    return items


def _instance_element(frame: Frame, value: Instance, node: ir.Expr | None) -> Value:
    if value.cls.find("__iter__") is not None and node is not None:
        return element(frame, calls.call_method(frame, node, value, "__iter__", []), None, None)
    items = container_items(frame, value)
    return items if items is not None else STATIC if value.cls.is_module else UNKNOWN


def container_items(frame: Frame, value: Instance) -> Value | None:
    """What a project subclass of ``nn.Sequential`` or ``nn.ModuleList`` holds: what it was made or extended with."""
    from onnx_lint.semantics.evaluation import objects

    if not any(value.cls.is_subclass(f"torch.nn.{c}") for c in ("Sequential", "ModuleList", "ModuleDict")):
        return None
    objects.initialise(frame, value)
    held = [v for k, v in value.attributes.items() if k.startswith("[") or not k.startswith("_")]
    modules = [v for v in held if isinstance(v, (Instance, ExternalInstance, Alternatives))]
    return join_all(modules) or STATIC


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


def _unpack_one(frame: Frame, value: Value, count: int, star: int | None, node: ir.Expr) -> list[Value] | None:
    if isinstance(value, Seq):
        if value.elements is not None:
            return _known(value, count, star)
        if value.kind == "shape" and value.is_traced:
            return [_shape_part(frame, value, i, count, star, node) for i in range(count)]
        one = element_of(value) if value.items() else UNKNOWN
    elif isinstance(value, Const):
        return None  # None where the other alternative is what gets unpacked
    elif isinstance(value, RangeValue):
        one = Static("int")
    else:
        # with a star there are as many as the example has; without one the number is fixed, and right
        one = element(frame, value, node, "unpack" if star is None else "star")
    return [Seq("list", None, one) if i == star else one for i in range(count)]


def _known(value: Seq, count: int, star: int | None) -> list[Value] | None:
    assert value.elements is not None
    elements = value.elements
    if star is None:
        return list(elements) if len(elements) == count else None
    behind = count - star - 1
    if len(elements) < count - 1:
        return None
    middle = elements[star : len(elements) - behind]
    return [*elements[:star], Seq("list", tuple(middle)), *elements[len(elements) - behind :]]


def _shape_part(frame: Frame, shape: Seq, index: int, count: int, star: int | None, node: ir.Expr) -> Value:
    if index == star:
        return Seq("shape", None, shape.element, shape.origin)
    axis = shape.first_axis + index if star is None or index < star else None
    return Size(frame.origin(node, "size", "", shape.origin), parameter=shape.parameter, axis=axis)


def spread(frame: Frame, value: Value, node: ir.Expr) -> tuple[list[Value] | None, Value]:
    """``*value`` in a call or display: the elements when they are known, else ``None`` and what each may be."""
    if isinstance(value, Seq) and value.elements is not None:
        return list(value.elements), UNKNOWN
    return None, element(frame, value, node, "star")


__all__ = [
    "append",
    "container_items",
    "element",
    "expressions",
    "loop_elements",
    "module_items",
    "spread",
    "unpack",
    "widen",
]
