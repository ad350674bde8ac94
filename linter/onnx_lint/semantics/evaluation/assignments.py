"""Assignments: what statements bind to names, attributes and items."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from onnx_lint.semantics.domain.dims import UNKNOWN_SIZE, Expression
from onnx_lint.semantics.domain.lattice import alternatives, grown, join, join_all
from onnx_lint.semantics.domain.parts import children
from onnx_lint.semantics.domain.shapes import TensorType
from onnx_lint.semantics.domain.sites import AliasedChange
from onnx_lint.semantics.domain.sizes import dim_of, may_be_ranked
from onnx_lint.semantics.domain.values import (
    UNKNOWN,
    Arguments,
    Const,
    Dict,
    Frozen,
    Instance,
    Seq,
    Single,
    Size,
    Tensor,
    Value,
)
from onnx_lint.semantics.evaluation import index_writes, state_writes, views
from onnx_lint.semantics.evaluation.frame import Frame
from onnx_lint.semantics.evaluation.state import Shown
from onnx_lint.source import ir

_IN_PLACE = {
    "|": "torch.Tensor.__ior__", "&": "torch.Tensor.__iand__", "^": "torch.Tensor.__ixor__",
    "<<": "torch.Tensor.__ilshift__", ">>": "torch.Tensor.__irshift__", "//": "torch.Tensor.__ifloordiv__",
}  # fmt: skip
"""Methods behind operators that are recorded as operators of their own when they change a tensor in place."""
_MAX_LENGTH = 64
"""Lists longer than that are not known element by element."""


def assign(frame: Frame, target: ir.Expr, value: Value, source: ir.Expr | None) -> None:
    """Bind `value` to a target; `source` is the expression it came from, for places."""
    if isinstance(target, ir.Name):
        if frame.env is not None:
            frame.env.names[target.id] = value
            state_writes.name(frame, target, value)
            if frame.records_sites:
                _note(frame, target, value)
    elif isinstance(target, ir.Sequence):
        _unpack(frame, target, value, source)
    elif isinstance(target, ir.Attribute):
        state_writes.attribute(frame, target, value)
        for receiver in alternatives(frame.interp.evaluate(frame, target.value)):
            if isinstance(receiver, Instance):
                frame.interp.set_attribute(frame, receiver, target.attr, value)
    elif isinstance(target, ir.Subscript):
        _assign_item(frame, target, value)
    elif isinstance(target, ir.Starred):
        frame.interp.assign(frame, target.value, value, source)


def _note(frame: Frame, target: ir.Name, value: Value) -> None:
    """What a name holds, for whoever wants to see it; and what the program calls a size."""
    analysis = frame.analysis
    if isinstance(value, Size) and isinstance(value.dim, Expression) and value.dim.symbol is not None:
        if target.id.strip("_"):
            analysis.symbol_names.setdefault((frame.unit, value.dim.symbol), target.id)
    if frame.summary.assigned is not None:
        frame.summary.assigned[target.at] = value
    if analysis.shown is not None:
        shown = analysis.shown if analysis.search is None else analysis.shown_in_search
        key = (frame.unit, target.at)
        for kind, type in _described(value):
            before = shown.get(key)
            if before is None:
                shown[key] = Shown(target.id, kind, type)
            else:
                before.add(kind, type)


def _described(value: Value) -> Iterator[tuple[str, TensorType]]:
    """The tensors and sizes that a value may be."""
    for one in alternatives(value):
        if isinstance(one, Tensor):
            yield "tensor", one.type
        elif isinstance(one, (Size, Frozen)) and not (isinstance(one, Size) and one.boolean):
            yield "size", TensorType((one.dim,))


def _assign_item(frame: Frame, target: ir.Subscript, value: Value) -> None:
    container = frame.interp.evaluate(frame, target.value)
    index = frame.interp.evaluate(frame, target.index)
    if value.is_traced:
        state_writes.content(frame, target, target, value)
    index_writes.note(frame, target, container, index, value)
    if isinstance(target.value, ir.Name):
        views.changed(frame, target, target.value)
    for one in alternatives(container):
        content = _with_item(one, index, value)
        if content is not None:
            frame.write(one, content)


def _with_item(container: Single, index: Value, value: Value) -> Value | None:
    """What a container holds after ``container[index] = value``; ``None`` when that says nothing."""
    match container:
        case Dict():
            entries, rest = dict(container.entries), container.rest
            if isinstance(index, Const) and isinstance(index.value, (str, int, bool, type(None))):
                entries[index.value] = value
            else:  # any of them may be meant
                entries = {key: join(held, value) for key, held in entries.items()}
                rest = value if rest is None else join(rest, value)
            return grown(container, entries, rest)
        case Seq() if container.kind == "list":
            if container.elements is not None and isinstance(index, Const) and isinstance(index.value, int):
                elements = list(container.elements)
                if -len(elements) <= index.value < len(elements):
                    elements[index.value] = value
                    return Seq("list", tuple(elements), None, container.origin, addresses=container.addresses)
            return with_one_more(container, value)
        case Tensor() if not container.traced and (value.is_traced or index.is_traced):
            # a buffer of constants that receives computed values
            origin = container.origin or value.origin or index.origin
            return Tensor(True, container.presumed, origin, None, False, container.addresses, container.type)
    return None


def with_one_more(sequence: Seq, value: Value) -> Seq:
    """A sequence that holds one value more, at an unknown place."""
    element = join_all((*sequence.items(), value))
    return Seq(sequence.kind, None, element, sequence.origin, addresses=sequence.addresses)


def _unpack(frame: Frame, target: ir.Sequence, value: Value, source: ir.Expr | None) -> None:
    count = len(target.elements)
    star = next((i for i, e in enumerate(target.elements) if isinstance(e, ir.Starred)), None)
    values = frame.interp.unpack(frame, value, count, star, source or target)
    for element, part in zip(target.elements, values, strict=True):
        frame.interp.assign(frame, element, part, None)
    if star is None and source is not None:
        _narrow_rank(frame, source, values)


def _narrow_rank(frame: Frame, source: ir.Expr, sizes: Sequence[Value]) -> None:
    """``B, C, H, W = x.shape`` went well: a tensor of unknown rank has that many dimensions from here on."""
    read = source.func if isinstance(source, ir.Call) and not source.args and not source.keywords else source
    if not isinstance(read, ir.Attribute) or read.attr not in ("shape", "size") or not isinstance(read.value, ir.Name):
        return
    held = frame.env.names.get(read.value.id) if frame.env is not None else None
    if frame.env is not None and isinstance(held, Tensor) and may_be_ranked(held):
        shape = tuple([dim_of(size) or UNKNOWN_SIZE for size in sizes])
        frame.env.names[read.value.id] = replace(held, type=TensorType(shape, held.type.dtype))


def _pairs(frame: Frame, target: ir.Sequence, source: ir.Sequence) -> list[tuple[Value, ir.Expr | None]] | None:
    """The value for each target of ``a, b, c = *x.shape, d``, with its expression; ``None`` if that cannot be told."""
    stars = [e for e in source.elements if isinstance(e, ir.Starred)]
    spread = len(target.elements) - (len(source.elements) - len(stars))
    if any(isinstance(e, ir.Starred) for e in target.elements) or len(stars) > 1 or spread < 0:
        return None
    if not stars and spread:
        return None
    pairs: list[tuple[Value, ir.Expr | None]] = []
    for element in source.elements:
        if isinstance(element, ir.Starred):
            value = frame.interp.evaluate(frame, element.value)
            pairs += [(part, None) for part in frame.interp.unpack(frame, value, spread, None, element.value)]
        else:
            pairs.append((frame.interp.evaluate(frame, element), element))
    return pairs


def assignment(frame: Frame, node: ir.Assign) -> None:
    """``target = value``, with any number of targets."""
    if (
        isinstance(node.value, ir.Sequence)
        and len(node.targets) == 1
        and isinstance(target := node.targets[0], ir.Sequence)
        and (pairs := _pairs(frame, target, node.value)) is not None
    ):
        for element, (part, expression) in zip(target.elements, pairs, strict=True):
            frame.interp.assign(frame, element, part, expression)
            if expression is not None:
                views.bind(frame, element, expression)
        return
    value = frame.interp.evaluate(frame, node.value)
    if node.annotation is not None and value is UNKNOWN:
        value = frame.interp.annotated(frame.analysis, frame.module, node.annotation) or value
    for target in node.targets:
        frame.interp.assign(frame, target, value, node.value)
        views.bind(frame, target, node.value)


def declaration(frame: Frame, node: ir.Declare) -> None:
    """``name: annotation`` binds nothing."""


def augmented_assignment(frame: Frame, node: ir.AugAssign) -> None:
    """``target += value`` and the like: lists change in place, other values are replaced."""
    target = node.target
    before = frame.interp.evaluate(frame, target)
    right = frame.interp.evaluate(frame, node.value)
    if isinstance(target, ir.Name) and isinstance(before, (Size, Tensor)):
        _report_alias(frame, node, target.id, before)
        views.changed(frame, node, target)
        if isinstance(before, Tensor) and node.op in _IN_PLACE:
            frame.interp.note_operator(frame, node, _IN_PLACE[node.op], Arguments((before, right)))
    if isinstance(before, Seq) and before.kind == "list" and node.op == "+":
        frame.write(before, extended(frame, before, right))
        return
    value = frame.interp.binary(frame, node, node.op, before, right)
    if isinstance(target, ir.Attribute):
        state_writes.augmented(frame, target, value)
    elif isinstance(target, ir.Subscript):
        state_writes.content(frame, target, target, value, is_augmented=True)
        if isinstance(target.value, ir.Name):
            views.changed(frame, target, target.value)
    if not isinstance(target, ir.Subscript):
        frame.interp.assign(frame, target, value, None)


def extended(frame: Frame, sequence: Seq, more: Value) -> Seq:
    """A list with what iterating over `more` yields behind it."""
    if isinstance(more, Seq) and more.elements is not None and sequence.elements is not None:
        elements = (*sequence.elements, *more.elements)
        if len(elements) <= _MAX_LENGTH:
            return Seq(sequence.kind, elements, None, sequence.origin, addresses=sequence.addresses)
    parts = more.items() if isinstance(more, Seq) else (frame.interp.element(frame, more),)
    out = sequence
    for part in parts:
        out = with_one_more(out, part)
    return out


def _report_alias(frame: Frame, node: ir.AugAssign, name: str, value: Size | Tensor) -> None:
    """Report ``n += k`` on a size that another name holds too: under tracing a size is a tensor, changed in place."""
    if isinstance(value, Tensor):
        if value.is_shape:
            frame.emit(AliasedChange, node, value, name=name, alias="", operator=node.op)
        return
    if frame.env is None or frame.function is None or not frame.records_sites:
        return
    last = frame.analysis.last_reads(frame.function)
    # by their types, which is cheap: there may be as many names as statements
    holders = [
        other
        for other, held in frame.env.names.items()
        if held is value or (((kind := type(held)) is Seq or kind is Dict) and any(p is value for p in children(held)))
    ]
    for other in holders:
        # an alias that nobody reads afterwards does no harm
        if other != name and last.get(other.partition(".")[0], -1) > node.at:
            frame.emit(AliasedChange, node, value, name=name, alias=other, operator=node.op)
            return


def delete(frame: Frame, node: ir.Delete) -> None:
    """``del name``, ``del d[key]``."""
    for target in node.targets:
        if isinstance(target, ir.Name) and frame.env is not None:
            frame.env.names.pop(target.id, None)
        elif isinstance(target, ir.Subscript):
            for one in alternatives(frame.interp.evaluate(frame, target.value)):
                index = frame.interp.evaluate(frame, target.index)
                if isinstance(one, Dict) and isinstance(index, Const) and index.value in one.entries:
                    entries = {k: v for k, v in one.entries.items() if k != index.value}
                    frame.write(one, Dict(entries, one.rest, one.addresses))
