"""Methods of Python's lists, dicts and strings."""

from __future__ import annotations

from onnx_lint.semantics.catalogue.registry import Call, models_method
from onnx_lint.semantics.domain.engines import DYNAMO
from onnx_lint.semantics.domain.lattice import (
    alternatives,
    element_of,
    grown,
    hazard_among,
    join,
    join_all,
)
from onnx_lint.semantics.domain.origin import StepKind
from onnx_lint.semantics.domain.parts import traced_parts
from onnx_lint.semantics.domain.sites import Conversion, ListIndex
from onnx_lint.semantics.domain.values import (
    NONE,
    UNKNOWN,
    Const,
    Dict,
    Frozen,
    Seq,
    Size,
    Static,
    Value,
)
from onnx_lint.semantics.evaluation.frame import Frame

_MAX_LENGTH = 64
"""Lists longer than that are not known element by element."""


# ----------------------------------------------------------------------------------------------------------- lists
def with_elements(value: Seq, elements: tuple[Value, ...]) -> Seq:
    """The same sequence holding other elements; not known one by one when they are many."""
    if len(elements) > _MAX_LENGTH:
        return Seq(value.kind, None, join_all(elements), value.origin, addresses=value.addresses)
    return Seq(value.kind, elements, None, value.origin, addresses=value.addresses)


def with_one_more(value: Seq, part: Value) -> Seq:
    """The same sequence holding one value more, at an unknown place."""
    return Seq(value.kind, None, join_all((*value.items(), part)), value.origin, addresses=value.addresses)


def appended(value: Seq, part: Value) -> Seq:
    """The same sequence with one value more at its end."""
    return with_one_more(value, part) if value.elements is None else with_elements(value, (*value.elements, part))


@models_method(Seq, "append")
def _append(frame: Frame, call: Call, value: Seq) -> Value:
    if call.args.positional:
        frame.write(value, appended(value, call.first))
    return NONE


@models_method(Seq, "extend", "update")
def _extend(frame: Frame, call: Call, value: Seq) -> Value:
    given = call.first
    if not call.args.positional:
        return NONE
    if isinstance(given, Seq) and given.elements is not None and value.elements is not None and call.name == "extend":
        frame.write(value, with_elements(value, (*value.elements, *given.elements)))
    else:
        frame.write(value, with_one_more(value, frame.interp.element(frame, given)))
    return NONE


@models_method(Seq, "insert", "add")
def _insert(frame: Frame, call: Call, value: Seq) -> Value:
    given = call.args.positional
    if call.name == "insert" and len(given) == 2 and value.elements is not None and isinstance(given[0], Const):
        if isinstance(given[0].value, int):
            elements = list(value.elements)
            elements.insert(given[0].value, given[1])
            frame.write(value, with_elements(value, tuple(elements)))
            return NONE
    if given:
        frame.write(value, with_one_more(value, given[-1]))
    return NONE


@models_method(Seq, "pop")
def _pop(frame: Frame, call: Call, value: Seq) -> Value:
    given = call.args.positional[0] if call.args.positional else Const(-1)
    if value.kind != "set" and value.elements and isinstance(given, Const) and isinstance(given.value, int):
        if -len(value.elements) <= given.value < len(value.elements):
            elements = list(value.elements)
            popped = elements.pop(given.value)
            frame.write(value, with_elements(value, tuple(elements)))
            return popped
    if value.kind == "set" and value.elements:  # which one is not known
        frame.write(value, Seq("set", None, element_of(value), value.origin, addresses=value.addresses))
    return element_of(value) if value.items() else UNKNOWN


@models_method(Seq, "clear")
def _clear(frame: Frame, call: Call, value: Seq) -> Value:
    frame.write(value, with_elements(value, ()))
    return NONE


@models_method(Seq, "reverse")
def _reverse(frame: Frame, call: Call, value: Seq) -> Value:
    if value.elements is not None:
        frame.write(value, with_elements(value, tuple(reversed(value.elements))))
    return NONE


@models_method(Seq, "sort", "remove", "discard")
def _reorder(frame: Frame, call: Call, value: Seq) -> Value:
    if value.elements:
        frame.write(value, Seq(value.kind, None, element_of(value), value.origin, addresses=value.addresses))
    return NONE


@models_method(Seq, "copy", "union")
def _copy(frame: Frame, call: Call, value: Seq) -> Value:
    if call.name == "union" and call.args.positional:
        others = [frame.interp.element(frame, one) for one in call.args.positional]
        return Seq(value.kind, None, join_all((*value.items(), *others)), value.origin)
    return Seq(value.kind, value.elements, value.element, value.origin)


@models_method(Seq, "index", "count")
def _index(frame: Frame, call: Call, value: Seq) -> Value:
    return Static("int")


@models_method(Seq, "numel")
def _numel(frame: Frame, call: Call, value: Seq) -> Value:
    """``torch.Size.numel`` makes a Python number."""
    part = next(traced_parts(value), None)
    if part is None or call.node is None:
        return Static("int")
    frame.emit(Conversion, call.node, part, converter="numel", argument=None)
    return Frozen(False, "int", frame.origin(call.node, StepKind.READ, "", part.origin), DYNAMO & frame.engines)


# ----------------------------------------------------------------------------------------------------------- dicts
@models_method(Dict, "get", "pop", "setdefault")
def _get(frame: Frame, call: Call, value: Dict) -> Value:
    given = call.args.positional[0] if call.args.positional else None
    asked = alternatives(given) if call.name == "get" and given is not None else ()
    number = hazard_among(v for v in asked if isinstance(v, (Size, Frozen)))
    if number is not None and call.node is not None:
        frame.emit(ListIndex, call.node, number, container="dict.get")
    default = call.args.positional[1] if len(call.args.positional) > 1 else NONE
    if isinstance(given, Const) and isinstance(given.value, (str, int)):
        if given.value in value.entries:
            if call.name == "pop":
                entries = {k: v for k, v in value.entries.items() if k != given.value}
                frame.write(value, Dict(entries, value.rest, value.addresses))
            return value.entries[given.value]
        if call.name == "setdefault":
            held = default if value.rest is None else join(default, value.rest)
            frame.write(value, grown(value, {**value.entries, given.value: held}, value.rest))
            return held
        # a constant key that is not among the entries: only what stands under unknown keys can be it
        return default if value.rest is None else join(default, value.rest)
    every = join_all(value.values())
    return join(default, every) if every is not None else default


@models_method(Dict, "items")
def _items(frame: Frame, call: Call, value: Dict) -> Value:
    if value.rest is None and value.entries:
        return Seq("list", tuple([Seq("tuple", (Const(k), v)) for k, v in value.entries.items()]))
    every = join_all(value.values())
    return Seq("list", None, Seq("tuple", (Static("str"), every if every is not None else UNKNOWN)))


@models_method(Dict, "values")
def _values(frame: Frame, call: Call, value: Dict) -> Value:
    if value.rest is None and value.entries:
        return Seq("list", tuple(value.entries.values()))
    return Seq("list", None, join_all(value.values()))


@models_method(Dict, "keys")
def _keys(frame: Frame, call: Call, value: Dict) -> Value:
    return Seq("list", None, Static("str"))


@models_method(Dict, "update")
def _update(frame: Frame, call: Call, value: Dict) -> Value:
    entries, rest = {**value.entries}, value.rest
    given = call.first
    if isinstance(given, Dict):
        entries.update(given.entries)
        rest = join_all([r for r in (rest, given.rest) if r is not None])
    elif call.args.positional:
        rest = UNKNOWN
    entries.update(call.args.keyword)
    frame.write(value, grown(value, entries, rest))
    return NONE


@models_method(Dict, "clear")
def _clear_dict(frame: Frame, call: Call, value: Dict) -> Value:
    frame.write(value, Dict({}, None, value.addresses))
    return NONE


@models_method(Dict, "copy")
def _copy_dict(frame: Frame, call: Call, value: Dict) -> Value:
    return Dict(value.entries, value.rest)


@models_method(Dict, "to_tuple")
def _to_tuple(frame: Frame, call: Call, value: Dict) -> Value:
    return Seq("tuple", None, join_all(value.values()))
