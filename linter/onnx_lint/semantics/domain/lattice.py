"""The order of values: what stands for several of them.

`join` is commutative, associative and idempotent up to keys, and `UNKNOWN` absorbs; `widen` ends every ascending chain.
``tests/semantics/test_laws.py`` checks these laws on generated values.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Mapping

from onnx_lint.semantics.domain.engines import ALL_ENGINES
from onnx_lint.semantics.domain.parts import assert_never
from onnx_lint.semantics.domain.shapes import general_dim, general_type, join_dims, join_types, unseen
from onnx_lint.semantics.domain.truth import Truth, as_value, engines_of, static_truth, truth_of
from onnx_lint.semantics.domain.values import (
    MAX_ADDRESSES,
    UNKNOWN,
    UNSEEN,
    Addresses,
    Alternative,
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

LIMIT = 6
"""How many alternatives are kept apart."""
MAX_NESTING = 12
"""Containers nested more deeply are not known inside."""
_WIDENED_NESTING = 4
"""The same for what grows in a loop."""
MAX_KEYS = 512
"""Of a dict that grows by writes, or is one of several with other keys: beyond so many, none is known by itself."""


# ---------------------------------------------------------------------------------------------------- alternatives
def alternatives(value: Value) -> tuple[Single, ...]:
    """The values that `value` may be."""
    return value.values if isinstance(value, Alternatives) else (value,)


def each(value: Value, of: Callable[[Single], Value]) -> Value:
    """What `of` gives for the alternatives of `value`, together; one for which nothing is known does not count where
    another one says something."""
    if not isinstance(value, Alternatives):
        return of(value)
    return known(of(v) for v in value.values)


def known(results: Iterable[Value]) -> Value:
    """The join of results, without those that are unknown unless all are."""
    given = list(results)
    return join_all([r for r in given if r is not UNKNOWN]) or UNKNOWN


# ------------------------------------------------------------------------------------------------------------ join
def join(first: Value, second: Value) -> Value:
    """The least value that stands for both."""
    if first is second:
        return first
    if isinstance(first, Unknown) or isinstance(second, Unknown):
        return UNKNOWN
    if not isinstance(first, Alternatives) and not isinstance(second, Alternatives):
        if _class(first) == _class(second):
            return _merge(first, second)
        return Alternatives((first, second) if _rank(first) <= _rank(second) else (second, first))
    if _is_guarded(first) or _is_guarded(second):
        return one_of((*guarded(first), *guarded(second)))
    by_class: dict[Hashable, Alternative] = {}
    for value in (*alternatives(first), *alternatives(second)):
        if isinstance(value, Unknown):
            return UNKNOWN
        kind = _class(value)
        other = by_class.get(kind)
        by_class[kind] = value if other is None else _merge(other, value)
    if len(by_class) == 1:
        return next(iter(by_class.values()))
    if len(by_class) > LIMIT:
        return UNKNOWN
    return Alternatives(tuple(sorted(by_class.values(), key=_rank)))


def _is_guarded(value: Value) -> bool:
    return isinstance(value, Alternatives) and value.engines is not None


def guarded(value: Value) -> tuple[tuple[Single, int], ...]:
    """The values that `value` may be, each with the engines under which it may be that one."""
    if not isinstance(value, Alternatives):
        return ((value, ALL_ENGINES),)
    return tuple(zip(value.values, value.engines or (ALL_ENGINES,) * len(value.values), strict=True))


def engines_of_part(value: Value, part: Value) -> int:
    """The engines under which `value` may be `part`, one of its alternatives."""
    return next((engines for one, engines in guarded(value) if one is part), ALL_ENGINES)


def pairs(left: Value, right: Value) -> list[tuple[Single, Single, int]]:
    """What two values may be at once, with the engines under which they may."""
    every = [(a, b, one & two) for a, one in guarded(left) for b, two in guarded(right)]
    return [pair for pair in every if pair[2]] or every


def under(value: Value, engines: int) -> Value:
    """What `value` may be where only these engines come by."""
    if not isinstance(value, Alternatives) or value.engines is None or engines == ALL_ENGINES:
        return value
    kept = [(one, ALL_ENGINES) for one, own in guarded(value) if own & engines]
    return one_of(kept) if kept else value


def join_under(first: Value, one: int, second: Value, two: int) -> Value:
    """The least value for `first` under the engines `one`, and `second` under the engines `two`."""
    if first is second or one == two or not one or not two:
        return join(first, second)
    if is_flag(first) and is_flag(second):
        (true, false), (other_true, other_false) = (
            engines_of(static_truth(first), one),
            engines_of(static_truth(second), two),
        )
        return as_value(truth_of(true | other_true, false | other_false))
    parts = [(value, own & one) for value, own in guarded(first)]
    parts += [(value, own & two) for value, own in guarded(second)]
    return one_of([(value, engines) for value, engines in parts if engines])


def join_ways(ways: Iterable[tuple[Value, int]]) -> Value | None:
    """The join of what several ways bring, each under the engines that take it; ``None`` of none."""
    out: Value | None = None
    before = 0
    for value, engines in ways:
        out = value if out is None else join_under(out, before, value, engines)
        before |= engines
    return out


def one_of(parts: Iterable[tuple[Single, int]]) -> Value:
    """The least value for several, each under some engines."""
    by_class: dict[Hashable, tuple[Alternative, int]] = {}
    for value, engines in parts:
        if isinstance(value, Unknown):
            return UNKNOWN
        kind = _class(value)
        other = by_class.get(kind)
        if other is not None:
            value, engines = _merge_under(*other, value, engines), other[1] | engines
        by_class[kind] = value, engines
    if len(by_class) == 1:
        return next(iter(by_class.values()))[0]
    if len(by_class) > LIMIT:
        return UNKNOWN
    ordered = sorted(by_class.values(), key=lambda pair: _rank(pair[0]))
    masks = tuple([engines for _, engines in ordered])
    return Alternatives(tuple([value for value, _ in ordered]), masks if len(set(masks)) > 1 else None)


def _merge_under(first: Alternative, one: int, second: Alternative, two: int) -> Alternative:
    """`_merge` of values under different engines: what sequences hold is still told apart."""
    if isinstance(first, Seq) and isinstance(second, Seq) and one != two and first is not second:
        return _merge_sequences(first, second, one, two)
    return _merge(first, second)


def is_flag(value: Value) -> bool:
    """Whether it is a truth value that is known, or known for some engine."""
    return isinstance(value, EngineFlag) or (isinstance(value, Const) and isinstance(value.value, bool))


def truth_among(value: Value, test: Callable[[Single], Truth]) -> Truth:
    """What `test` says of a value, whichever it is."""
    return together([(test(one), engines) for one, engines in guarded(value)])


def together(results: list[tuple[Truth, int]]) -> Truth:
    """The truth of what is one of several, each under some engines."""
    true = false = 0
    for result, engines in results:
        yes, no = engines_of(result, engines)
        true, false = true | yes, false | no
    return truth_of(true, false)


def join_all(values: Iterable[Value]) -> Value | None:
    """The join of all, ``None`` of none."""
    out: Value | None = None
    for value in values:
        out = value if out is None else join(out, value)
    return out


def leq(first: Value, second: Value) -> bool:
    """Whether `second` stands for all that `first` stands for."""
    return join(first, second).key() == second.key()


def widen(before: Value, after: Value) -> Value:
    """A value that stands for both and for what further turns of a loop would add: constants become any value of
    their type, nesting is bounded. A chain of widened values comes to an end."""
    joined = join(before, after)
    return before if joined.key() == before.key() else _generalised(joined, _WIDENED_NESTING)


def map_parts(value: Value, change: Callable[[Value], Value]) -> Value:
    """The value with the values inside it changed; the same object when none of them does."""
    match value:
        case Seq():
            elements = None if value.elements is None else _changed(value.elements, change)
            element = None if value.element is None else change(value.element)
            if element is value.element and _same(elements, value.elements):
                return value
            held = value.addresses, value.last
            return Seq(value.kind, elements, element, value.origin, value.parameter, value.first_axis, *held)
        case Dict():
            entries = dict(zip(value.entries, _changed(tuple(value.entries.values()), change), strict=True))
            rest = None if value.rest is None else change(value.rest)
            if rest is value.rest and _same(tuple(entries.values()), tuple(value.entries.values())):
                return value
            return Dict(entries, rest, value.addresses)
        case Alternatives():
            parts = tuple([change(v) for v in value.values])
            if _same(parts, value.values):
                return value
            if value.engines is None:
                return join_all(parts) or UNKNOWN
            pairs = [(p, own) for part, own in zip(parts, value.engines, strict=True) for p in alternatives(part)]
            return one_of(pairs)
        case ExternalInstance():
            items = None if value.items is None else change(value.items)
            if items is value.items:
                return value
            if not isinstance(items, (Seq, Dict)):  # still a container, of which nothing is known
                kind = value.items.kind if isinstance(value.items, Seq) else "list"
                items = Dict({}, UNKNOWN) if isinstance(value.items, Dict) else Seq(kind, None, UNKNOWN)
            return ExternalInstance(value.name, items, value.args, value.addresses, value.settings)
        case Bound():
            receiver = change(value.receiver)
            return value if receiver is value.receiver else Bound(value.function, receiver)
        case Super():
            receiver = change(value.receiver)
            return value if receiver is value.receiver else Super(value.owner, receiver)
        case Partial():
            function, args = change(value.function), map_arguments(value.args, change)
            return value if function is value.function and args is value.args else Partial(function, args)
        case RangeValue():
            bound = None if value.bound is None else change(value.bound)
            return value if bound is value.bound else RangeValue(bound, value.length)
        case (
            Unknown() | Static() | Const() | EngineFlag() | Tensor() | Size() | Frozen() | Array() | ExternalValue()
            | Instance() | ClassValue() | Function() | ModuleValue()
        ):  # fmt: skip
            return value
    assert_never(value)


def _changed(parts: tuple[Value, ...], change: Callable[[Value], Value]) -> tuple[Value, ...]:
    """Each part changed, one that stands there twice once: a graph that shares parts costs as much as it has parts."""
    if len(parts) < 2:
        return tuple([change(part) for part in parts])
    done: dict[int, Value] = {}
    for part in parts:
        if id(part) not in done:
            done[id(part)] = change(part)
    return tuple([done[id(part)] for part in parts])


def _same(first: tuple[Value, ...] | None, second: tuple[Value, ...] | None) -> bool:
    if first is None or second is None:
        return first is second
    return all(a is b for a, b in zip(first, second, strict=True))


def map_arguments(args: Arguments, change: Callable[[Value], Value]) -> Arguments:
    """Arguments with each value changed; the same object when none of them does."""
    before = args.all()
    positional = tuple([change(v) for v in args.positional])
    keyword = {name: change(v) for name, v in args.keyword.items()}
    star = None if args.star is None else change(args.star)
    double_star = None if args.double_star is None else change(args.double_star)
    after = Arguments(positional, keyword, star, double_star, args.nodes)
    return args if _same(before, after.all()) else after


def _generalised(value: Value, nesting: int) -> Value:
    if isinstance(value, Const) and value.value is not None:
        return Static(type_name(value))
    if value.depth and nesting == 0:
        return UNKNOWN
    general = map_parts(value, lambda part: _generalised(part, nesting - 1))
    if isinstance(general, Dict) and len(general.entries) > LIMIT:
        return Dict({}, join_all(general.values()), general.addresses)
    return general


def general(value: Value) -> Value:
    """A value without what makes it one of many: a function called with many different constants is one case."""
    if isinstance(value, Const) and value.value is not None and not isinstance(value.value, bool):
        return Static(type_name(value))
    if isinstance(value, Size):
        return Size(value.origin, value.boolean, None, None, value.presumed, general_dim(value.dim))
    if isinstance(value, Tensor):
        of_type = general_type(value.type)
        return Tensor(value.traced, value.presumed, value.origin, None, value.is_shape, value.addresses, of_type)
    return value


MIN_WIDTH = 8
"""Integers from here on count channels or elements; smaller ones are kernels, steps, and how many there are."""


def of_any_width(value: Value) -> Value:
    """An argument of an object without the numbers in which layers of one make differ, widths and rates. Text, flags
    and small integers say which make it is."""
    if isinstance(value, Const):
        held = value.value
        if isinstance(held, str) or (isinstance(held, int) and abs(held) < MIN_WIDTH):
            return value
    return general(value)


def loosest(value: Value) -> Value:
    """A value without anything that makes it one of many: of an object only the class is left."""
    if isinstance(value, Instance):
        return Instance(value.cls, None, UNSEEN, value.addresses)
    return general(value)


def bounded(value: Value, nesting: int = MAX_NESTING) -> Value:
    """The same value, with nothing known below a depth of `nesting`."""
    if value.depth <= nesting:
        return value
    return UNKNOWN if nesting == 0 else map_parts(value, lambda part: bounded(part, nesting - 1))


_RANKS = {
    kind: rank
    for rank, kind in enumerate(
        (Tensor, Size, Frozen, Array, Seq, Dict, RangeValue, Instance, ExternalInstance, Function, Bound, Partial,
         ClassValue, ExternalValue, ModuleValue, Super, EngineFlag, Static, Const)
    )
}  # fmt: skip


def _rank(value: Alternative) -> tuple[int, str]:
    """A place in the order of alternatives that does not depend on which was met first."""
    return _RANKS[type(value)], value.kind if isinstance(value, Seq) else ""


def _class(value: Alternative) -> Hashable:
    """Values of one class join to one value; values of different classes are kept apart."""
    match value:
        case Tensor() | Frozen() | Array() | Dict() | RangeValue():
            return type(value).__name__
        case Const():
            return "none" if value.value is None else "fixed"  # an optional value stays optional
        case Static():
            return "none" if value.type == "NoneType" else "fixed"
        case Size():
            return (Size, value.boolean)
        case Seq():
            return (Seq, value.kind)
        case ExternalInstance():
            kind = value.items.kind if isinstance(value.items, Seq) else type(value.items).__name__
            return (ExternalInstance, value.name, _keys(value.args), kind)
        case (
            EngineFlag() | ExternalValue() | Instance() | ClassValue() | Function() | Bound() | Partial()
            | ModuleValue() | Super()
        ):  # fmt: skip
            return value.key()
    assert_never(value)


def _keys(values: Mapping[str, Value] | None) -> Hashable:
    return None if not values else tuple([(name, value.key()) for name, value in values.items()])


def _merge(first: Alternative, second: Alternative) -> Alternative:
    """The least value for two of the same class."""
    if first is second:
        return first
    match first, second:
        case (Tensor(), Tensor()):
            return Tensor(
                first.traced or second.traced,
                first.presumed and second.presumed,
                first.origin or second.origin,
                first.parameter if first.parameter == second.parameter else None,
                first.is_shape and second.is_shape,
                either(first.addresses, second.addresses),
                join_types(first.type, second.type),
            )
        case (Size(), Size()):
            exact = first.parameter == second.parameter and first.axis == second.axis
            return Size(
                first.origin or second.origin,
                first.boolean,
                first.parameter if exact else None,
                first.axis if exact else None,
                first.presumed and second.presumed,
                join_dims(first.dim, second.dim),
            )
        case (Frozen(), Frozen()):
            read = first if first.from_data else second
            return Frozen(
                first.from_data or second.from_data,
                first.type if first.type == second.type else None,
                read.origin or first.origin or second.origin,
                first.live | second.live,
                join_dims(first.dim, second.dim),
            )
        case (Array(), Array()):
            return first if first.origin is not None else second
        case (Seq(), Seq()):
            return _merge_sequences(first, second)
        case (Dict(), Dict()):
            return _merge_dicts(first, second)
        case (ExternalInstance(), ExternalInstance()):
            return _merge_modules(first, second)
        case (RangeValue(), RangeValue()):
            bound = join_all([b for b in (first.bound, second.bound) if b is not None])
            return RangeValue(bound, first.length if first.length == second.length else None)
        case (Const() | Static(), Const() | Static()):
            if first.key() == second.key():
                return first
            name = type_name(first)
            return Static(name if name == type_name(second) else None)
    return with_addresses(first, either(first.addresses, second.addresses))


def _merge_sequences(first: Seq, second: Seq, one: int = ALL_ENGINES, two: int = ALL_ENGINES) -> Seq:
    whole = first.parameter == second.parameter and first.first_axis == second.first_axis
    parameter, axis = (first.parameter, first.first_axis) if whole else (None, 0)
    origin, addresses = first.origin or second.origin, either(first.addresses, second.addresses)
    if first.elements is not None and second.elements is not None and len(first.elements) == len(second.elements):
        done: dict[tuple[int, int], Value] = {}  # parts that are shared are joined once
        for a, b in zip(first.elements, second.elements, strict=True):
            if (id(a), id(b)) not in done:
                done[id(a), id(b)] = join_under(a, one, b, two)
        elements = tuple([done[id(a), id(b)] for a, b in zip(first.elements, second.elements, strict=True)])
        return Seq(first.kind, elements, None, origin, parameter, axis, addresses)
    of_first, of_second = join_all(first.items()), join_all(second.items())
    if of_first is None or of_second is None:
        element = of_first or of_second
    else:
        element = join_under(of_first, one, of_second, two)
    return Seq(first.kind, None, element, origin, parameter, axis, addresses)


def _order(key: Hashable) -> tuple[int, float, str]:
    """A place among the keys of a dict; equal keys (1 and True) have the same."""
    return (0, key, "") if isinstance(key, (int, float)) else (1, 0.0, repr(key))


def _merge_modules(first: ExternalInstance, second: ExternalInstance) -> ExternalInstance:
    items: Seq | Dict | None = first.items
    if isinstance(first.items, Seq) and isinstance(second.items, Seq):
        items = _merge_sequences(first.items, second.items)
    elif isinstance(first.items, Dict) and isinstance(second.items, Dict):
        items = _merge_dicts(first.items, second.items)
    settings = _merge_settings(first.settings, second.settings)
    return ExternalInstance(first.name, items, first.args, either(first.addresses, second.addresses), settings)


def _merge_settings(first: Arguments | None, second: Arguments | None) -> Arguments | None:
    """What objects of an external class were made with; ``None`` when that is not the same in form."""
    if first is second or first is None or second is None or first.key() == second.key():
        return None if first is None or second is None else first
    return join_arguments(first, second) if first.keyword.keys() == second.keyword.keys() else None


def join_arguments(first: Arguments, second: Arguments) -> Arguments | None:
    """What either of two calls was given, place by place and name by name; ``None`` where one has more places than the
    other, or it is not known how many."""
    if len(first.positional) != len(second.positional):
        return None
    if (first.star, first.double_star, second.star, second.double_star) != (None, None, None, None):
        return None
    positional = tuple([join(a, b) for a, b in zip(first.positional, second.positional, strict=True)])
    names = dict.fromkeys((*first.keyword, *second.keyword))
    keyword = {n: join(first.keyword.get(n, UNKNOWN), second.keyword.get(n, UNKNOWN)) for n in names}
    return Arguments(positional, keyword)


def _merge_dicts(first: Dict, second: Dict) -> Dict:
    entries = dict(first.entries)
    for key, value in second.entries.items():
        entries[key] = join(entries[key], value) if key in entries else value
    if list(first.entries) != list(second.entries):  # the order in which they were met says nothing
        if len(entries) > MAX_KEYS:
            return Dict({}, join_all((*first.values(), *second.values())), either(first.addresses, second.addresses))
        entries = dict(sorted(entries.items(), key=lambda item: _order(item[0])))
    rest = join_all([r for r in (first.rest, second.rest) if r is not None])
    return Dict(entries, rest, either(first.addresses, second.addresses))


def grown(before: Dict, entries: Mapping[Hashable, Value], rest: Value | None) -> Dict:
    """A dict into which something was written: what it holds now, under the addresses that it had."""
    after = Dict(entries, rest, before.addresses)
    if len(entries) <= max(len(before.entries), MAX_KEYS):
        return after
    return Dict({}, join_all(after.values()), before.addresses)


# ------------------------------------------------------------------------------------------------------- addresses
def either(first: Addresses, second: Addresses) -> Addresses:
    """The addresses of something that is one of two. An object without address may be any other, so that writes are
    no longer followed; neither are they beyond `MAX_ADDRESSES`."""
    if first == second:
        return first
    if not first or not second:
        return ()
    both = tuple(dict.fromkeys((*first, *second)))
    return both if len(both) <= MAX_ADDRESSES else ()


def with_addresses(value: Alternative, addresses: Addresses) -> Alternative:
    """The same value under other addresses; a kind without addresses as it is."""
    if value.addresses == addresses:
        return value
    match value:
        case Tensor():
            return Tensor(
                value.traced, value.presumed, value.origin, value.parameter, value.is_shape, addresses, value.type
            )
        case Seq():
            return Seq(
                value.kind,
                value.elements,
                value.element,
                value.origin,
                value.parameter,
                value.first_axis,
                addresses,
                value.last,
            )
        case Dict():
            return Dict(value.entries, value.rest, addresses)
        case ExternalInstance():
            return ExternalInstance(value.name, value.items, value.args, addresses, value.settings)
        case Instance():
            return Instance(value.cls, value.args, value.made, addresses)
        case (
            Static() | Const() | EngineFlag() | Size() | Frozen() | Array() | RangeValue() | ExternalValue()
            | ClassValue() | Function() | Bound() | Partial() | ModuleValue() | Super()
        ):  # fmt: skip
            return value
    assert_never(value)


# --------------------------------------------------------------------------------------------------------- reading
def type_name(value: Value) -> str | None:
    """The name of the Python type of a static value, where known."""
    if isinstance(value, Const):
        return type(value.value).__name__
    if isinstance(value, (Static, Frozen)):
        return value.type
    return None


def element_of(value: Seq) -> Value:
    """What iterating yields."""
    return join_all(value.items()) or UNKNOWN


def is_none(value: Value) -> bool:
    """Whether it is ``None`` for certain."""
    return isinstance(value, Const) and value.value is None


def is_certain(value: Value) -> bool:
    """Traced for certain: a size, a number or array read from a tensor, or a tensor that surely is one."""
    return value.is_traced and not (isinstance(value, Tensor) and value.presumed)


def is_live(value: Value) -> bool:
    """Whether it is a value of the graph under some engine: asking it for a Python value is a new hazard there. What
    is frozen under all engines was reported where it was read."""
    return value.is_traced and not (isinstance(value, Frozen) and not value.live)


def hazard_among(values: Iterable[Value]) -> Value | None:
    """The value to report, of those that are traced for certain: one that is live under all engines before one that is
    live under some."""
    found = [v for v in values if is_certain(v) and is_live(v)]
    return next((v for v in found if not isinstance(v, Frozen)), found[0] if found else None)


def vague_result(args: Arguments) -> Value:
    """What something fixed but unknown returns, such as a sub-module chosen by configuration: presumably a tensor
    when it is given one."""
    given = [v for a in args.all() for v in alternatives(a)]
    tensor = next((v for v in given if isinstance(v, Tensor) and v.traced), None)
    if tensor is not None:
        return Tensor(True, True, tensor.origin, type=unseen(tensor.type))
    if any(v.is_traced or v is UNKNOWN for v in given):
        return UNKNOWN
    return Static()
