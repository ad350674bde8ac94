"""Python's functions on what can be iterated: containers made of others, ``zip``, ``map``, ``itertools``."""

from __future__ import annotations

from collections.abc import Hashable

from onnx_lint.semantics.catalogue.registry import Call, Model, models
from onnx_lint.semantics.domain.lattice import alternatives, join_all
from onnx_lint.semantics.domain.values import (
    UNKNOWN,
    Arguments,
    Const,
    Dict,
    RangeValue,
    Seq,
    Static,
    Value,
)
from onnx_lint.semantics.evaluation.frame import Frame

_MAX_LENGTH = 16
"""Iterables of at most that many known elements keep them."""
_MAX_CALLS = 4
"""``map`` over at most that many known elements is interpreted element by element."""


def _collect(kind: str) -> Model:
    def model(frame: Frame, call: Call) -> Value:
        if not call.args.positional:
            return Seq(kind, ())
        return join_all([_collected(frame, call, kind, v) for v in alternatives(call.first)]) or UNKNOWN

    return model


def _collected(frame: Frame, call: Call, kind: str, value: Value) -> Value:
    if isinstance(value, Seq):
        if kind == "set" or value.kind == "set":
            return Seq(kind, None, join_all(value.items()), value.origin)
        kept = kind if value.kind != "shape" or kind != "tuple" else "shape"
        return Seq(kept, value.elements, value.element, value.origin, value.parameter, value.first_axis)
    if isinstance(value, RangeValue) and value.bound is None and value.length is not None:
        if value.length <= _MAX_LENGTH and kind != "set":
            return Seq(kind, tuple([Const(i) for i in range(value.length)]))
    return Seq(kind, None, frame.interp.element(frame, value, call.argument_node(), kind))


for _name, _kind in (("list", "list"), ("tuple", "tuple"), ("set", "set"), ("frozenset", "set")):
    models(f"builtins.{_name}")(_collect(_kind))


@models("builtins.dict", "collections.OrderedDict")
def _dict(frame: Frame, call: Call) -> Value:
    args = call.args
    entries: dict[Hashable, Value] = {name: value for name, value in args.keyword.items()}  # noqa: C416 - other key type
    if not args.positional:
        return Dict(entries, args.double_star)
    first = args.positional[0]
    if isinstance(first, Dict):
        return Dict({**first.entries, **entries}, first.rest)
    pair = frame.interp.element(frame, first)
    if isinstance(pair, Seq) and pair.elements is not None and len(pair.elements) == 2:
        return Dict(entries, pair.elements[1])
    return Dict(entries, UNKNOWN)


def _repeated(frame: Frame, call: Call, index: int, value: Value, length: int) -> tuple[Value, ...]:
    """The first items of something that is zipped: one by one where they are known."""
    if isinstance(value, Seq) and value.elements is not None:
        return value.elements[:length]
    return (frame.interp.element(frame, value, call.argument_node(index), "zip"),) * length


@models("builtins.zip", "itertools.zip_longest")
def _zip(frame: Frame, call: Call) -> Value:
    values, star = call.args.positional, call.args.star
    known = [v.elements for v in values if isinstance(v, Seq) and v.elements is not None]
    if known and star is None and call.short == "zip" and min(map(len, known)) <= _MAX_LENGTH:
        # as long as those that are known: what is zipped is of one length, most often
        length = min(map(len, known))
        rows = [_repeated(frame, call, i, v, length) for i, v in enumerate(values)]
        return Seq("iterator", tuple([Seq("tuple", row) for row in zip(*rows, strict=True)]))
    items = [frame.interp.element(frame, v, call.argument_node(i), "zip") for i, v in enumerate(values)]
    if star is not None:
        return Seq("iterator", None, Seq("tuple", None, frame.interp.element(frame, star)))
    return Seq("iterator", None, Seq("tuple", tuple(items)))


@models("builtins.enumerate")
def _enumerate(frame: Frame, call: Call) -> Value:
    value = call.first
    if isinstance(value, Seq) and value.elements is not None and len(value.elements) <= _MAX_LENGTH:
        return Seq("iterator", tuple([Seq("tuple", (Const(i), e)) for i, e in enumerate(value.elements)]))
    item = frame.interp.element(frame, value, call.argument_node(), "enumerate")
    return Seq("iterator", None, Seq("tuple", (Static("int"), item)))


@models("builtins.reversed")
def _reversed(frame: Frame, call: Call) -> Value:
    value = call.first
    if isinstance(value, Seq) and value.elements is not None:
        return Seq("iterator", tuple(reversed(value.elements)))
    if isinstance(value, RangeValue):
        return value
    return Seq("iterator", None, frame.interp.element(frame, value, call.argument_node(), "reversed"))


@models("builtins.map")
def _map(frame: Frame, call: Call) -> Value:
    if len(call.args.positional) < 2:
        return UNKNOWN
    function, *sequences = call.args.positional
    if len(sequences) == 1 and isinstance(sequences[0], Seq) and sequences[0].elements is not None:
        if 0 < len(sequences[0].elements) <= _MAX_CALLS:
            out = [frame.interp.apply(frame, call.node, function, Arguments((e,))) for e in sequences[0].elements]
            return Seq("iterator", tuple(out))
    items = [frame.interp.element(frame, s, call.argument_node(i + 1), "map") for i, s in enumerate(sequences)]
    return Seq("iterator", None, frame.interp.apply(frame, call.node, function, Arguments(tuple(items))))


@models("builtins.filter")
def _filter(frame: Frame, call: Call) -> Value:
    if len(call.args.positional) < 2:
        return UNKNOWN
    item = frame.interp.element(frame, call.args.positional[1], call.argument_node(1), "filter")
    return Seq("iterator", None, item)


@models("builtins.next")
def _next(frame: Frame, call: Call) -> Value:
    return frame.interp.element(frame, call.first, call.argument_node(), "next")


@models("builtins.iter")
def _iter(frame: Frame, call: Call) -> Value:
    value = call.first
    if isinstance(value, Seq):
        return Seq("iterator", value.elements, value.element)
    return Seq("iterator", None, frame.interp.element(frame, value, call.argument_node(), "iter"))


@models("functools.reduce")
def _reduce(frame: Frame, call: Call) -> Value:
    if len(call.args.positional) < 2:
        return UNKNOWN
    function, sequence = call.args.positional[:2]
    item = frame.interp.element(frame, sequence, call.argument_node(1), "reduce")
    result = frame.interp.apply(frame, call.node, function, Arguments((item, item)))
    return result if result is not UNKNOWN else item


@models("itertools.repeat")
def _repeat(frame: Frame, call: Call) -> Value:
    return Seq("iterator", None, call.first)


@models("itertools.chain")
def _chain(frame: Frame, call: Call) -> Value:
    values = call.args.positional
    items = [frame.interp.element(frame, v, call.argument_node(i), "chain") for i, v in enumerate(values)]
    return Seq("iterator", None, join_all(items) or UNKNOWN)


@models("itertools.product")
def _product(frame: Frame, call: Call) -> Value:
    values = call.args.positional
    items = [frame.interp.element(frame, v, call.argument_node(i), "product") for i, v in enumerate(values)]
    return Seq("iterator", None, Seq("tuple", tuple(items)))
