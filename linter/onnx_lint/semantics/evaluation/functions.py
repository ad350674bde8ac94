"""Functions of the project: interpreted once for each kind of arguments, and what they gave used again."""

from __future__ import annotations

from collections.abc import Hashable, Iterator

from onnx_lint.semantics.domain.engines import DYNAMO
from onnx_lint.semantics.domain.environment import Environment
from onnx_lint.semantics.domain.lattice import (
    alternatives,
    bounded,
    general,
    join_all,
    join_ways,
    loosest,
    map_arguments,
    vague_result,
)
from onnx_lint.semantics.domain.parts import children
from onnx_lint.semantics.domain.renaming import Renaming
from onnx_lint.semantics.domain.store import EMPTY, Store, is_one, join_stores
from onnx_lint.semantics.domain.values import (
    NONE,
    UNKNOWN,
    Address,
    Arguments,
    Const,
    Function,
    Instance,
    Partial,
    Seq,
    Static,
    Tensor,
    Value,
)
from onnx_lint.semantics.evaluation.decorators import CUSTOM, SCRIPTED, decorator_names, qualified_name
from onnx_lint.semantics.evaluation.frame import Frame
from onnx_lint.semantics.evaluation.state import (
    MAX_ALL_CONTEXTS,
    MAX_CONTEXTS,
    MAX_LOOSE,
    MAX_RECURSION,
    Analysis,
    Call,
    Effect,
    Summary,
)
from onnx_lint.source import ir


# ----------------------------------------------------------------------------------------------------------- calls
def invoke(frame: Frame, node: ir.Expr | None, function: Function, receiver: Value | None, args: Arguments) -> Value:
    """Call a project function: bind its parameters, interpret its body, remember the result."""
    analysis = frame.analysis
    if function.opaque:
        _enter_opaque(frame, node, function, receiver, args)
        return _opaque_result(frame, function, args)
    if frame.records_sites and analysis.shown is None and _is_training_only(analysis, function, receiver, args):
        return vague_result(args)
    if frame.env is None:
        return UNKNOWN
    limit = analysis.limit(frame.depth)
    if limit is not None:
        frame.summary.cut_off = limit
        return UNKNOWN
    call = _Call(frame, function, args if receiver is None else args.after(receiver))
    kinds = frame.summary.kinds_of(call.code)
    if call.key not in kinds and len(kinds) >= MAX_CONTEXTS:
        call = _Call(frame, function, map_arguments(call.given, general))
    else:
        kinds.add(call.key)
    summary = analysis.summaries.get(call.key)
    if summary is None and analysis.contexts[call.code] >= MAX_ALL_CONTEXTS:
        call = _Call(frame, function, map_arguments(call.given, loosest))
        receiver = None if receiver is None else loosest(receiver)
        summary = analysis.summaries.get(call.key)
    if summary is None:
        if call.key in analysis.active or analysis.nested[call.code] >= MAX_RECURSION:
            analysis.limits_met += 1
            return _recursive_result(args)
        if analysis.contexts[call.code] >= MAX_ALL_CONTEXTS + MAX_LOOSE:
            analysis.limits_met += 1
            frame.summary.crowded |= {(function.unit, function.function, qualified_name(function))}
            return _recursive_result(args)
    is_new = summary is None
    if summary is not None and analysis.search is None:
        summary.in_search = False
    if summary is None:
        summary = _summarise(frame, node, call, receiver)
    elif frame.records_sites or analysis.search is None:
        analysis.spent += summary.cost
    if summary.dependency is not None:
        analysis.tracker.read(summary.dependency)
    at = node.at if node is not None else None
    frame.summary.calls.append(Call(summary, call.inputs, frame.unit, at, frame.qualified))
    return _use(frame, summary, call.inputs, is_new=is_new)


class _Call:
    """A call before it is interpreted: what it can read, and the key under which its summary is kept."""

    __slots__ = ("code", "function", "given", "inputs", "key")

    def __init__(self, frame: Frame, function: Function, given: Arguments) -> None:
        assert frame.env is not None
        self.function, self.given = function, given
        store = frame.env.store
        self.code = _code(frame.analysis, store, function)
        reached = list(_reached(frame.analysis, store, function, given))
        self.inputs: tuple[Value, ...] = (*given.all(), *(value for _, value in reached))
        """All values that the call can read: its arguments, what functions close over, attributes that were written."""
        self.key: Hashable = (
            self.code,
            given.key(),
            tuple([(label, value.key()) for label, value in reached]),
            frame.engines,
            frame.records_sites,
            _identities(self.inputs, frame.flow),
            store.outside(frame.flow),
        )


def _code(analysis: Analysis, store: Store, function: Function) -> Hashable:
    """What counts as one function where bounds count calls. Chunks with the same text share their IR, hence the unit;
    what a decorator makes of each function is a function of its own."""
    around = _closed_over(analysis, store, function)
    return function.unit, function.function, tuple([(v.unit, v.function) for _, v in around if isinstance(v, Function)])


def _reached(
    analysis: Analysis, store: Store, function: Function, given: Arguments
) -> Iterator[tuple[Hashable, Value]]:
    """What a call can read besides its arguments, in an order that depends on these alone."""
    pending: list[Value] = [v for v in reversed(given.all()) if v.depth or v.has_addresses or isinstance(v, Function)]
    pending.append(function)
    seen: set[int] = set()
    looked_at: set[Address] = set()
    while pending:
        value = pending.pop()
        if id(value) in seen or not (value.depth or value.has_addresses or isinstance(value, Function)):
            continue
        seen.add(id(value))
        if isinstance(value, Function):
            for name, held in _closed_over(analysis, store, value):
                yield name, held
                pending.append(held)
            continue
        for address in value.addresses:
            if address in store.fields and address not in looked_at:
                looked_at.add(address)
                own = store.fields[address]
                yield own.key(), NONE
                for name, cell in sorted(own.items()):
                    if cell.now.is_traced or _is_of_a_run(cell.now):
                        now = store.read(cell.now)
                        yield name, now
                        pending.append(now)
        pending.extend(reversed(children(value)))


def _is_of_a_run(value: Value) -> bool:
    """Whether a value is, or holds, an object that is not the same in every run."""
    if isinstance(value, Instance):
        return any(address.flow is not None for address in value.addresses)
    return value.has_addresses


def _closed_over(analysis: Analysis, store: Store, function: Function) -> Iterator[tuple[str, Value]]:
    """The names of enclosing functions that a function reads."""
    if function.closure is not None:
        for name in sorted(analysis.last_reads(function.function)):
            held = function.closure.get(name)
            if held is not None and not (isinstance(held, Function) and held.function is function.function):
                yield name, store.read(held)


def _identities(inputs: tuple[Value, ...], flow: object) -> Hashable:
    """Which of the objects that a call can read are the same, and which are one for certain."""
    pending = [v for v in reversed(inputs) if v.has_addresses]
    if not pending:
        return None
    order: dict[Address, int] = {}
    out: list[tuple[tuple[int, bool], ...]] = []
    seen: set[int] = set()
    while pending:
        value = pending.pop()
        if not value.has_addresses or id(value) in seen:
            continue
        seen.add(id(value))
        if value.addresses:
            out.append(tuple([(order.setdefault(a, len(order)), is_one(a, flow)) for a in value.addresses]))
        pending.extend(reversed(children(value)))
    return tuple(out)


def _summarise(frame: Frame, node: ir.Expr | None, call: _Call, receiver: Value | None) -> Summary:
    """Interpret a call and remember what it gave."""
    analysis, tracker = frame.analysis, frame.analysis.tracker
    analysis.contexts[call.code] += 1
    analysis.active.add(call.key)
    analysis.nested[call.code] += 1
    summary = Summary(inputs=call.inputs, flow=frame.flow, since=analysis.made)
    summary.in_search = analysis.search is not None
    spent, met = analysis.spent, analysis.limits_met
    try:
        summary.dependency = tracker.node(call.key)
        tracker.compute(summary.dependency, lambda: _interpret(frame, node, call, receiver, summary))
        if frame.records_sites and analysis.project.is_editor:
            analysis.of_unit.setdefault(call.function.unit, []).append(summary)
    finally:
        analysis.active.discard(call.key)
        analysis.nested[call.code] -= 1
        if not analysis.nested[call.code]:
            del analysis.nested[call.code]  # in an editor, it would keep the texts that were typed over
    analysis.summaries[call.key] = summary
    summary.cost = analysis.spent - spent
    if analysis.is_for_now(met):
        analysis.limited.append(lambda: analysis.forget(call.key))
    return summary


def _use(frame: Frame, summary: Summary, inputs: tuple[Value, ...], *, is_new: bool) -> Value:
    """What a call gives this caller, and does to its objects; `is_new`: it was interpreted for this very caller."""
    if summary.demands and frame.analysis.search is not None:
        if is_new:
            frame.summary.demands += summary.demands
        else:
            for name, demand in summary.demands:
                frame.demand(name, demand)
    renaming = Renaming()
    if (not is_new or frame.in_comprehension) and (summary.effects or _speaks_of_caller(summary.value)):
        flow, analysis = frame.flow, frame.analysis

        def fresh(address: Address) -> Address:
            is_new = address.flow is summary.flow and address.order > summary.since
            return analysis.address(flow, many=address.many or frame.in_comprehension) if is_new else address

        renaming = Renaming.between(summary.inputs, inputs, fresh)
    if summary.effects and frame.env is not None:
        store = frame.env.store
        for effect in summary.effects:
            before = None if effect.before is None else renaming.value(effect.before)
            now = renaming.value(effect.now)
            store = store.put(renaming.address(effect.address), effect.field, before, now)
            if effect.field is not None:  # what was known of the attribute by a test holds no longer
                ending = f".{effect.field}"
                for key in [k for k in frame.env.names if k.endswith(ending)]:
                    del frame.env.names[key]
        frame.env.store = store
    return renaming.value(summary.value)


def _speaks_of_caller(value: Value) -> bool:
    """Whether a value speaks of objects or origins, which differ from caller to caller."""
    return value.has_addresses or value.is_traced or isinstance(value, (Function, Partial))


def _is_training_only(analysis: Analysis, function: Function, receiver: Value | None, args: Arguments) -> bool:
    """Losses are reached from ``forward`` only when it is given targets."""
    subject = receiver if receiver is not None else next(iter(args.positional), None)
    owners = [function.owner, subject.cls if isinstance(subject, Instance) else None]
    classes = [(owner.module.name, owner.name) for owner in owners if owner is not None]
    return analysis.project.policy.is_training_only(function.function.name, classes)


def _recursive_result(args: Arguments) -> Value:
    """What a call gives while the same call is being interpreted: of the kind it is given, presumably."""
    tensor = next((v for a in args.all() for v in alternatives(a) if isinstance(v, Tensor) and v.traced), None)
    return Tensor(True, True, tensor.origin) if tensor is not None else UNKNOWN


def _enter_opaque(
    frame: Frame, node: ir.Expr | None, function: Function, receiver: Value | None, args: Arguments
) -> None:
    """What there is to see in a call of a function that not every engine traces."""
    names = decorator_names(function.function)
    if names & CUSTOM and node is not None:
        frame.interp.note_operator(frame, node, "torch.library.custom_op", args)
    if names & SCRIPTED and frame.engines & DYNAMO and frame.env is not None:
        plain = Function(function.unit, function.function, function.closure, function.owner)
        with frame.on_way(DYNAMO):
            frame.interp.invoke(frame, node, plain, receiver, args)


def _opaque_result(frame: Frame, function: Function, args: Arguments) -> Value:
    """A scripted function: its annotation says what it returns; TorchScript's default is a tensor."""
    if function.function.returns is not None:
        value = frame.interp.annotated(frame.analysis, function.unit.module, function.function.returns)
        if value is not None:
            return value
    return vague_result(args) if not any(a.is_traced for a in args.all()) else Tensor(True, True)


# ------------------------------------------------------------------------------------------------- interpreting one
def _interpret(frame: Frame, node: ir.Expr | None, call: _Call, receiver: Value | None, summary: Summary) -> None:
    """Interpret the body of a function, and fill in its summary."""
    function = call.function
    definition, unit = function.function, function.unit
    inner = _frame_of(frame, node, function, receiver, summary)
    frame.analysis.tracker.read(unit.dependency)
    assert inner.env is not None
    before = inner.env.store
    frame.interp.bind(inner, function, call.given)
    frame.interp.execute(inner, definition.body)
    last = inner.env
    stores = [env.store for _, _, env in inner.returns] + ([last.store] if last is not None else [])
    after = before
    for index, store in enumerate(stores):
        after = store if index == 0 else join_stores(after, store)
    summary.value = bounded(_returned(inner, function, last is not None, after))
    _note_effects(frame, summary, before, after)


def _frame_of(
    frame: Frame, node: ir.Expr | None, function: Function, receiver: Value | None, summary: Summary
) -> Frame:
    """The frame of a function that is called at `node`."""
    definition, unit, analysis = function.function, function.unit, frame.analysis
    name = qualified_name(function)
    if analysis.project.is_editor and frame.records_sites:
        summary.values, summary.assigned = {}, {}
    if frame.records_sites:
        summary.traced = (unit, definition)
    summary.name = name
    is_closure = function.closure is not None
    inner = Frame(
        analysis,
        unit,
        Environment({}, function.closure, frame.env.store if frame.env is not None else EMPTY),
        function=definition,
        qualified=name,
        owner=function.owner or (frame.owner if is_closure else None),
        receiver=receiver if receiver is not None else (frame.receiver if is_closure else None),
        depth=frame.depth + 1,
        engines=frame.engines,
        records_sites=frame.records_sites,
        summary=summary,
        flow=frame.flow,
    )
    if frame.checks and definition.is_lambda:
        inner.checks = frame.checks
    return inner


def _returned(inner: Frame, function: Function, falls_through: bool, after: Store) -> Value:
    """What a function returns, when its body has been interpreted."""
    definition = function.function
    if definition.is_generator:
        return Seq("generator", None, join_all([after.read(v) for v in inner.yields]))
    if definition.is_async:
        return UNKNOWN
    found = [(env.store.read(value), expression, env.engines) for value, expression, env in inner.returns]
    inner.summary.returned = [(value, expression) for value, expression, _ in found]
    values = [(value, engines) for value, _, engines in found]
    if falls_through:
        values.append((NONE, inner.engines))
    known = [(v, engines) for v, engines in values if v is not UNKNOWN]
    if len(known) < len(values) and known and all(isinstance(v, (Const, Static)) for v, _ in known):
        known = []
    result = join_ways(known) or UNKNOWN
    if result is UNKNOWN and definition.returns is not None:
        typed = inner.interp.annotated(inner.analysis, function.unit.module, definition.returns)
        if typed is not None and values:
            return typed
    return result  # unknown, too, when it only raises


def _note_effects(frame: Frame, summary: Summary, before: Store, after: Store) -> None:
    """What a call wrote: to objects that are older than the call, and to the attributes of new ones that it hands
    out; what new containers hold is in the values themselves."""
    if after is before:
        return

    def is_new(address: Address) -> bool:
        return address.flow is summary.flow and address.order > summary.since

    effects: list[Effect] = []
    of_new: list[Effect] = []
    for address, name, now in after.changes(before):
        was = before.content(address, name, after)
        effect = Effect(address, name, was, after.read(now))
        if not is_new(address):
            effects.append(effect)
        elif name is not None:
            of_new.append(effect)
    if of_new:
        reachable = _addresses_in([summary.value, *(e.now for e in effects)])
        while True:
            handed_out = [e for e in of_new if e.address in reachable]
            more = _addresses_in([e.now for e in handed_out]) - reachable
            if not more:
                break
            reachable |= more
        effects += handed_out
    summary.effects = tuple(effects)


def _addresses_in(values: list[Value]) -> set[Address]:
    """The addresses in values, at any depth."""
    found: set[Address] = set()
    seen: set[int] = set()
    pending = list(values)
    while pending:
        value = pending.pop()
        if value.has_addresses and id(value) not in seen:
            seen.add(id(value))
            found.update(value.addresses)
            pending.extend(children(value))
    return found
