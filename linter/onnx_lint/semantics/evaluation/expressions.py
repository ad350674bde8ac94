"""Expressions: from IR to values."""

from __future__ import annotations

from onnx_lint.semantics.domain.lattice import (
    alternatives,
    bounded,
    grown,
    hazard_among,
    is_none,
    join,
    join_all,
    join_under,
    known,
    under,
)
from onnx_lint.semantics.domain.parts import traced_parts
from onnx_lint.semantics.domain.sites import Formatting
from onnx_lint.semantics.domain.text import joined_text
from onnx_lint.semantics.domain.truth import as_value, combine, engines_of, static_truth
from onnx_lint.semantics.domain.values import (
    NONE,
    STATIC,
    UNKNOWN,
    Alternatives,
    ClassValue,
    Const,
    Dict,
    EngineFlag,
    ExternalValue,
    Function,
    RangeValue,
    Seq,
    Static,
    Unknown,
    Value,
)
from onnx_lint.semantics.evaluation.frame import Frame
from onnx_lint.source import ir

_MAX_LENGTH = 64
"""Displays longer than that are not known element by element."""
_MAX_COMPREHENSION = 8
"""Comprehensions with at most that many turns are known by length."""


# ----------------------------------------------------------------------------------------------------------- names
def constant(frame: Frame, node: ir.Const) -> Value:
    return Const(node.value)


def opaque(frame: Frame, node: ir.Opaque) -> Value:
    return STATIC


def name(frame: Frame, node: ir.Name) -> Value:
    env = frame.env
    while env is not None:
        value = env.names.get(node.id)
        if value is not None:
            held = frame.read(value) if frame.env is not None and frame.env.store.cells else value
            return under(held, frame.engines) if isinstance(held, Alternatives) else held
        env = env.parent
    return frame.read(frame.interp.global_value(frame.analysis, frame.module, node.id))


def walrus(frame: Frame, node: ir.Walrus) -> Value:
    value = frame.interp.evaluate(frame, node.value)
    if frame.env is not None and node.target:
        frame.env.names[node.target] = value
    return value


# -------------------------------------------------------------------------------------------------- boolean, choice
_PLAIN = (EngineFlag, Const, Static, Unknown)
"""What is a flag, or may be one."""


def boolean(frame: Frame, node: ir.BoolOp) -> Value:
    """``left and right``, ``left or right``: one of the two."""
    interp = frame.interp
    left = interp.evaluate(frame, node.left)
    truth = interp.truth(frame, node.left, left, node.op)
    stops = node.op == "or"
    if truth is stops:
        return left
    yes, no = engines_of(truth, frame.engines)
    going, stopping = (no, yes) if stops else (yes, no)
    with frame.on_way(going or frame.engines):
        interp.narrow(frame, node.left, not stops)
        right = interp.evaluate(frame, node.right)
    if truth is (not stops):
        return right
    if isinstance(left, EngineFlag) or isinstance(right, EngineFlag):
        if isinstance(left, _PLAIN) and isinstance(right, _PLAIN):
            return as_value(combine(static_truth(left), static_truth(right), node.op))
    if isinstance(left, EngineFlag):
        return join_under(Const(stops), stopping, right, going)
    # the left operand is the result only where it is true (or) or false (and)
    kept = [v for v in alternatives(left) if static_truth(v) is not (not stops)]
    if stops:
        kept = [v for v in kept if not is_none(v)]
    elif right.is_traced:
        kept = [v for v in kept if v.is_traced]
    if going == stopping or not kept:
        return known([*kept, right])
    return join_under(under(known(kept), stopping), stopping, right, going)


def ternary(frame: Frame, node: ir.IfExp) -> Value:
    """``body if test else orelse``."""
    truth = frame.interp.condition(frame, node.test, "ternary", node)
    yes, no = engines_of(truth, frame.engines)
    results: list[tuple[Value, int]] = []
    for engines, expression, outcome in ((yes, node.body, True), (no, node.orelse, False)):
        if engines:
            with frame.on_way(engines):
                frame.interp.narrow(frame, node.test, outcome)
                if not (yes and no and _reads_none(frame, expression)):
                    results.append((frame.interp.evaluate(frame, expression), engines))
    if not results:
        return UNKNOWN
    return join_under(*results[0], *results[1]) if len(results) == 2 else results[0][0]


def _reads_none(frame: Frame, node: ir.Expr) -> bool:
    """Whether an expression takes an attribute, an item or a call of a name that is ``None``. Python raises there, so
    that no value comes of it: ``a.shape if a is not None else b.shape`` is the first where no `b` is given."""
    inner = node
    while True:
        match inner:
            case ir.Attribute() | ir.Subscript():
                inner = inner.value
            case ir.Call():
                inner = inner.func
            case ir.Name():
                return inner is not node and is_none(frame.interp.evaluate(frame, inner))
            case _:
                return False


# -------------------------------------------------------------------------------------------------------- displays
def sequence(frame: Frame, node: ir.Sequence) -> Value:
    """``[a, *b]``, ``(a, b)``, ``{a, b}``."""
    out: list[Value] = []
    loose: Value | None = None
    unknown_length = False
    for element in node.elements:
        if isinstance(element, ir.Starred):
            value = frame.interp.evaluate(frame, element.value)
            parts, one = frame.interp.spread(frame, value, element.value)
            if parts is not None:
                out.extend(parts)
            else:
                unknown_length = True
                loose = one if loose is None else join(loose, one)
        else:
            out.append(frame.interp.evaluate(frame, element))
    if node.kind == "set" and not unknown_length:
        return bounded(members(out))
    if unknown_length or len(out) > _MAX_LENGTH:
        if loose is not None:
            out.append(loose)
        return bounded(Seq(node.kind, None, join_all(out)))
    return bounded(Seq(node.kind, tuple(out)))


def mapping(frame: Frame, node: ir.Mapping) -> Value:
    """``{key: value, **other}``."""
    entries: dict[object, Value] = {}
    rest: Value | None = None
    first = Dict({}) if any(key is None for key, _ in node.items) else None
    for key_node, value_node in node.items:
        value = frame.interp.evaluate(frame, value_node)
        if key_node is None:
            for one in alternatives(value):
                if isinstance(one, Dict):
                    entries.update(one.entries)
                    rest = one.rest if rest is None else rest
                else:
                    rest = UNKNOWN
            continue
        key = frame.interp.evaluate(frame, key_node)
        if isinstance(key, Const) and isinstance(key.value, (str, int, bool, float, type(None))):
            entries[key.value] = value
        else:
            rest = value if rest is None else join(rest, value)
    return bounded(Dict(entries, rest) if first is None else grown(first, entries, rest))


def comprehension(frame: Frame, node: ir.Comprehension) -> Value:
    """``[element for target in iterable if test]``: one turn stands for all."""
    interp, before = frame.interp, frame.env
    if before is None:
        return UNKNOWN
    length: int | None = None
    outer, frame.in_comprehension = frame.in_comprehension, True
    with frame.on_way(frame.engines):
        for generator in node.generators:
            iterable = interp.evaluate(frame, generator.iter)
            if len(node.generators) == 1 and not generator.ifs:
                length = _length(iterable)
            element = interp.element(frame, iterable, generator.iter, "comprehension")
            interp.assign(frame, generator.target, element, None)
            for test in generator.ifs:
                interp.condition(frame, test, "filter", node)
                interp.narrow(frame, test, True)
        key = interp.evaluate(frame, node.key) if node.key is not None else None
        element = interp.evaluate(frame, node.element)
        each = None if length is None else _picked(frame, node, iterable, length)
    frame.in_comprehension = outer
    if each is not None:
        return bounded(members(each) if node.kind == "set" else Seq(node.kind, tuple(each)))
    if node.kind == "dict":
        return bounded(Dict({}, element)) if key is not None else UNKNOWN
    if length is not None and 0 < length <= _MAX_COMPREHENSION and node.kind != "set":
        return bounded(Seq(node.kind, (element,) * length))
    return bounded(Seq(node.kind, None, element))


def members(values: list[Value]) -> Seq:
    """A set of these: one by one, each once, where they are classes, functions and constants; else all as one. Their
    order says nothing."""
    held = {one.key(): one for one in values}
    if len(held) <= _MAX_LENGTH and all(isinstance(v, (Const, ClassValue, ExternalValue)) for v in held.values()):
        return Seq("set", tuple(held.values()))
    return Seq("set", None, join_all(values))


def _picked(frame: Frame, node: ir.Comprehension, iterable: Value, length: int) -> list[Value] | None:
    """The elements of ``[a for a, b in pairs]`` and ``[f"layer{i}" for i in …]``: names and texts, one for each of a
    known sequence of constant things."""
    is_picking = isinstance(node.element, (ir.Name, ir.Format)) and node.kind != "dict" and length <= _MAX_LENGTH
    if not is_picking or not isinstance(iterable, Seq) or iterable.elements is None or iterable.is_traced:
        return None
    found: list[Value] = []
    for element in iterable.elements:
        frame.interp.assign(frame, node.generators[0].target, element, None)
        found.append(frame.interp.evaluate(frame, node.element))
    return found


def _length(value: Value) -> int | None:
    if isinstance(value, Seq) and value.elements is not None:
        return len(value.elements)
    return value.length if isinstance(value, RangeValue) else None


def formatted(frame: Frame, node: ir.Format) -> Value:
    """An f-string."""
    reported = False
    values: list[Value] = []
    for part in node.values:
        value = frame.interp.evaluate(frame, part)
        values.append(value)
        number = hazard_among(traced_parts(value, 0))
        if not reported and number is not None:
            frame.emit(Formatting, part, number, how="f-string")
            reported = True
    known = joined_text(node.between, values) if node.between is not None else None
    return Static("str") if known is None else known


# ------------------------------------------------------------------------------------------------------- functions
def lambda_(frame: Frame, node: ir.Lambda) -> Value:
    held = frame.analysis.lambdas.get(node)
    if held is None:
        body = (ir.Return(node.body.at, node.body),)
        held = ir.FunctionDef(node.at, "<lambda>", node.params, body, (), None, False, False, True)
        frame.analysis.lambdas[node] = held
    return Function(frame.unit, held, frame.env)


def awaited(frame: Frame, node: ir.Await) -> Value:
    """``await``, ``yield``, ``yield from``."""
    value = frame.interp.evaluate(frame, node.value) if node.value is not None else NONE
    if node.kind == "yield":
        frame.yields.append(value)
    elif node.kind == "yield from":
        frame.yields.append(frame.interp.element(frame, value, node.value, None))
    return UNKNOWN


def starred(frame: Frame, node: ir.Starred) -> Value:
    return frame.interp.evaluate(frame, node.value)
