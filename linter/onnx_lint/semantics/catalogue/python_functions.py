"""Python's own functions: built-ins, ``math``, ``functools``, ``itertools``, ``operator``, ``copy``, ``typing``."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable

from onnx_lint.semantics.domain.sites import Branch, Conversion, Formatting, Length, TensorCall, traced_parts
from onnx_lint.semantics.domain.values import (
    NONE,
    STATIC,
    UNKNOWN,
    Alternatives,
    Arguments,
    Array,
    ClassValue,
    Const,
    Dict,
    EngineFlag,
    ExternalInstance,
    Frozen,
    Instance,
    Partial,
    RangeValue,
    Seq,
    Size,
    Static,
    Tensor,
    Unknown,
    Value,
    alternatives,
    element_of,
    is_live,
    join_all,
    type_name,
)
from onnx_lint.semantics.evaluation import calls, conditions, expressions, iteration
from onnx_lint.semantics.evaluation.frame import Frame
from onnx_lint.source import ir
from onnx_lint.target import Engine

Handler = Callable[[Frame, "ir.Call | None", Arguments], Value]


def call(frame: Frame, node: ir.Call | None, name: str, args: Arguments) -> Value:
    """Call a function of the standard library by its full name."""
    library, _, short = name.partition(".")
    if library == "math":
        return _math(frame, node, short, args)
    handler = _HANDLERS.get(short if library == "builtins" else name)
    if handler is not None:
        return handler(frame, node, args)
    if library == "builtins" and short[0].isupper():
        return STATIC  # an exception
    return STATIC if not any(a.is_traced or a is UNKNOWN for a in args.all()) else UNKNOWN


def _first(args: Arguments) -> Value:
    return args.positional[0] if args.positional else UNKNOWN


def _argument_node(node: ir.Call | None, index: int = 0) -> ir.Expr | None:
    return node.args[index] if node is not None and index < len(node.args) else None


def is_hazardous(value: Value) -> bool:
    """Traced for certain: a size, a number or array read from a tensor, or a tensor that surely is one."""
    return value.is_traced and not (isinstance(value, Tensor) and value.presumed)


def hazard_among(values: Iterable[Value]) -> Value | None:
    """The value to report: one that is live under all engines before one that is live under some."""
    found = [v for v in values if is_hazardous(v) and is_live(v)]
    return next((v for v in found if not isinstance(v, Frozen)), found[0] if found else None)


def convert(frame: Frame, node: ir.Call | None, converter: str, value: Value, result: str | None) -> Value:
    """A Python number from one value: reported when traced; ``int(x.shape[0])`` and the like."""
    parts = [v for v in alternatives(value) if is_hazardous(v)]
    live = hazard_among(parts)
    if live is not None and node is not None:
        frame.emit(Conversion(*frame.base(node, live), converter, _argument_node(node)))
    if parts:
        part = live if live is not None else parts[0]
        data = isinstance(part, (Tensor, Array)) or (isinstance(part, Frozen) and part.from_data)
        origin = part.origin if node is None else frame.origin(node, "read", "", part.origin)
        return Frozen(data, result, origin, live_after(converter, part))
    if isinstance(value, Const) and isinstance(value.value, (int, float, bool)) and result in ("int", "float", "bool"):
        if abs(value.value) < 1e15:
            return Const({"int": int, "float": float, "bool": bool}[result](value.value))
    return UNKNOWN if value is UNKNOWN else Static(result)


_FOLLOWED = frozenset(
    {
        "int",
        "float",
        "bool",
        "operator.index",
        "math.ceil",
        "math.floor",
        "math.trunc",
        "math.pow",
        "math.radians",
        "numel",
    }
)
"""Conversions whose result dynamo goes on computing with (torch 2.13; ``operator.index`` fails for a size, which is
reported there)."""


def live_after(converter: str, value: Value) -> int:
    """The engines under which a number that was made of a traced value is still a value of the graph."""
    if converter not in _FOLLOWED:
        return 0
    if isinstance(value, Frozen):
        return value.live
    if isinstance(value, Tensor):
        return Engine.DYNAMO.bit if converter in ("int", "float") else 0
    if not isinstance(value, Size) or converter in ("bool", "operator.index"):
        return 0
    return Engine.DYNAMO.bit if converter != "int" or value.is_dimension else 0


def _converter(name: str, result: str | None) -> Handler:
    def handler(frame: Frame, node: ir.Call | None, args: Arguments) -> Value:
        return convert(frame, node, name, _first(args), result)

    return handler


def _bool(frame: Frame, node: ir.Call | None, args: Arguments) -> Value:
    value = _first(args)
    if isinstance(value, (Tensor, Size, Array)):
        return convert(frame, node, "bool", value, "bool")
    if isinstance(value, Frozen):
        return Frozen(value.from_data, "bool", value.origin, value.live)
    return conditions.as_value(conditions.static_truth(value)) if not value.is_traced else Static("bool")


def _math(frame: Frame, node: ir.Call | None, name: str, args: Arguments) -> Value:
    if name == "prod":
        part = next((p for a in args.all() for p in traced_parts(a)), None)
        return Size(part.origin) if isinstance(part, Size) else part if part is not None else Static()
    for value in args.positional:
        if any(is_hazardous(v) for v in alternatives(value)):
            result = "int" if name in ("ceil", "floor", "trunc", "gcd", "isqrt", "comb") else "float"
            return convert(frame, node, f"math.{name}", value, result)
    return UNKNOWN if any(a is UNKNOWN for a in args.positional) else Static("float" if name != "ceil" else "int")


def _len(frame: Frame, node: ir.Call | None, args: Arguments) -> Value:
    value = _first(args)
    for one in alternatives(value):
        if isinstance(one, Tensor) and one.traced and not one.presumed and node is not None:
            frame.emit(Length(*frame.base(node, one), _argument_node(node)))
            return Frozen(False, "int", frame.origin(node, "read", "", one.origin), Engine.DYNAMO.bit)
    if isinstance(value, Seq) and value.elements is not None and value.elements:
        return Const(len(value.elements))
    return Static("int")


def _range(frame: Frame, node: ir.Call | None, args: Arguments) -> Value:
    traced = hazard_among(v for a in args.positional for v in alternatives(a))
    if traced is not None:
        return RangeValue(traced)
    numbers = [a.value for a in args.positional if isinstance(a, Const) and isinstance(a.value, int)]
    if len(numbers) == len(args.positional) and 0 < len(numbers) <= 3 and 0 not in numbers[2:]:
        return RangeValue(None, len(range(*numbers)))
    return RangeValue(None)


def _pick(name: str) -> Handler:
    """``min``, ``max``, ``sorted``: compare, and ask each comparison for its truth."""

    def handler(frame: Frame, node: ir.Call | None, args: Arguments) -> Value:
        values = list(args.positional)
        if len(values) == 1:
            single = values[0]
            if isinstance(single, (Seq, Alternatives)) or name == "sorted":
                items = [i for v in alternatives(single) if isinstance(v, Seq) for i in v.items()]
                hazard = hazard_among(p for i in items for p in traced_parts(i, 1))
                joined = join_all(items) or UNKNOWN
                if "key" in args.keyword:
                    _pick_by_key(frame, node, name, args.keyword["key"], joined)
                elif hazard is not None:
                    _emit_conversion(frame, node, name, hazard)
                return Seq("list", None, joined) if name == "sorted" else joined
            if isinstance(single, Tensor):
                iteration.element(frame, single, _argument_node(node), name)
                return Tensor(single.traced, single.presumed, single.origin)
            return STATIC if not single.is_traced and single is not UNKNOWN else single
        hazard = hazard_among(v for a in values for v in alternatives(a))
        if hazard is not None:
            _emit_conversion(frame, node, name, hazard)
        if all(isinstance(v, Const) and isinstance(v.value, (int, float)) for v in values) and values:
            chosen = {"min": min, "max": max}[name]([v.value for v in values if isinstance(v, Const)])  # type: ignore[type-var]
            return Const(chosen)
        known = [v for v in values if v.is_traced]
        if known:
            first = known[0]
            return Size(first.origin) if isinstance(first, Size) else first
        return UNKNOWN if any(v is UNKNOWN for v in values) else Static(_common_type(values))

    return handler


def _pick_by_key(frame: Frame, node: ir.Call | None, name: str, key: Value, item: Value) -> None:
    """What is compared is what the key function makes of an element."""
    compared = calls.apply(frame, node, key, Arguments([item], {}))
    hazard = hazard_among(traced_parts(compared))
    if hazard is not None:
        _emit_conversion(frame, node, f"{name} by key", hazard)


def _common_type(values: list[Value]) -> str | None:
    names = {type_name(v) for v in values}
    return names.pop() if len(names) == 1 else None


def _emit_conversion(frame: Frame, node: ir.Call | None, name: str, value: Value) -> None:
    if node is not None:
        frame.emit(Conversion(*frame.base(node, value), name, None))


def _any_all(name: str) -> Handler:
    def handler(frame: Frame, node: ir.Call | None, args: Arguments) -> Value:
        value = _first(args)
        argument = _argument_node(node)
        if isinstance(value, Tensor):
            iteration.element(frame, value, argument, name)
            return Static("bool")
        if isinstance(value, Seq):
            hazard = next((p for i in value.items() for p in alternatives(i) if is_hazardous(p)), None)
            if hazard is not None and argument is not None:
                frame.emit(Branch(*frame.base(argument, hazard), name))
        return Static("bool")

    return handler


def _sum(frame: Frame, node: ir.Call | None, args: Arguments) -> Value:
    value = _first(args)
    if isinstance(value, Tensor):
        iteration.element(frame, value, _argument_node(node), "sum")
        return Tensor(value.traced, value.presumed, value.origin)
    if isinstance(value, Seq):
        if not value.items():
            return UNKNOWN
        item = element_of(value)
        return expressions.binary(frame, node, "+", item, item) if node is not None and item.is_traced else item
    return value if value.is_traced else STATIC


def _abs(frame: Frame, node: ir.Call | None, args: Arguments) -> Value:
    value = _first(args)
    return Size(value.origin) if isinstance(value, Size) else value


def _round(frame: Frame, node: ir.Call | None, args: Arguments) -> Value:
    value = _first(args)
    if isinstance(value, Tensor):
        return value
    return convert(frame, node, "round", value, None)


def _text(how: str) -> Handler:
    def handler(frame: Frame, node: ir.Call | None, args: Arguments) -> Value:
        for value in args.positional:
            for one in alternatives(value):
                if is_hazardous(one) and is_live(one) and node is not None and how != "print":
                    frame.emit(Formatting(*frame.base(node, one), how))
                    return Static("str")
        return NONE if how == "print" else Static("str")

    return handler


def _collect(kind: str) -> Handler:
    def handler(frame: Frame, node: ir.Call | None, args: Arguments) -> Value:
        if not args.positional:
            return Seq(kind, ())
        results: list[Value] = []
        for value in alternatives(args.positional[0]):
            if isinstance(value, Seq):
                fixed = kind if value.kind != "shape" or kind != "tuple" else "shape"
                results.append(
                    Seq(fixed, value.elements, value.element, value.origin, value.parameter, value.first_axis)
                )
            elif (
                isinstance(value, RangeValue)
                and value.bound is None
                and value.length is not None
                and value.length <= 16
            ):
                results.append(Seq(kind, tuple([Const(i) for i in range(value.length)])))
            else:
                results.append(Seq(kind, None, iteration.element(frame, value, _argument_node(node), kind)))
        return join_all(results) or UNKNOWN

    return handler


def _zip(frame: Frame, node: ir.Call | None, args: Arguments) -> Value:
    values = args.positional
    lengths = [len(v.elements) for v in values if isinstance(v, Seq) and v.elements is not None]
    if lengths and len(lengths) == len(values) and min(lengths) <= 16 and args.star is None:
        rows = [
            Seq("tuple", tuple([v.elements[i] for v in values if isinstance(v, Seq) and v.elements]))
            for i in range(min(lengths))
        ]
        return Seq("iterator", tuple(rows))
    items = [iteration.element(frame, v, _argument_node(node, i), "zip") for i, v in enumerate(values)]
    if args.star is not None:
        return Seq("iterator", None, Seq("tuple", None, iteration.element(frame, args.star, None, None)))
    return Seq("iterator", None, Seq("tuple", tuple(items)))


def _enumerate(frame: Frame, node: ir.Call | None, args: Arguments) -> Value:
    value = _first(args)
    if isinstance(value, Seq) and value.elements is not None and len(value.elements) <= 16:
        return Seq("iterator", tuple([Seq("tuple", (Const(i), e)) for i, e in enumerate(value.elements)]))
    item = iteration.element(frame, value, _argument_node(node), "enumerate")
    return Seq("iterator", None, Seq("tuple", (Static("int"), item)))


def _reversed(frame: Frame, node: ir.Call | None, args: Arguments) -> Value:
    value = _first(args)
    if isinstance(value, Seq) and value.elements is not None:
        return Seq("iterator", tuple(reversed(value.elements)))
    if isinstance(value, RangeValue):
        return value
    return Seq("iterator", None, iteration.element(frame, value, _argument_node(node), "reversed"))


def _map(frame: Frame, node: ir.Call | None, args: Arguments) -> Value:
    if len(args.positional) < 2:
        return UNKNOWN
    function, *sequences = args.positional
    if len(sequences) == 1 and isinstance(sequences[0], Seq) and sequences[0].elements is not None:
        if 0 < len(sequences[0].elements) <= 4:
            out = [calls.apply(frame, node, function, Arguments([e], {})) for e in sequences[0].elements]
            return Seq("iterator", tuple(out))
    items = [iteration.element(frame, s, _argument_node(node, i + 1), "map") for i, s in enumerate(sequences)]
    return Seq("iterator", None, calls.apply(frame, node, function, Arguments(items, {})))


def _filter(frame: Frame, node: ir.Call | None, args: Arguments) -> Value:
    if len(args.positional) < 2:
        return UNKNOWN
    return Seq("iterator", None, iteration.element(frame, args.positional[1], _argument_node(node, 1), "filter"))


def _next(frame: Frame, node: ir.Call | None, args: Arguments) -> Value:
    value = iteration.element(frame, _first(args), _argument_node(node), "next")
    return value


def _iter(frame: Frame, node: ir.Call | None, args: Arguments) -> Value:
    value = _first(args)
    if isinstance(value, Seq):
        return Seq("iterator", value.elements, value.element)
    return Seq("iterator", None, iteration.element(frame, value, _argument_node(node), "iter"))


def _isinstance(frame: Frame, node: ir.Call | None, args: Arguments) -> Value:
    if len(args.positional) != 2:
        return Static("bool")
    result = conditions.is_instance(args.positional[0], args.positional[1])
    return result if isinstance(result, EngineFlag) else conditions.as_value(result)


def _hasattr(frame: Frame, node: ir.Call | None, args: Arguments) -> Value:
    return Static("bool")


def _getattr(frame: Frame, node: ir.Call | None, args: Arguments) -> Value:
    from onnx_lint.semantics.evaluation import attributes

    if len(args.positional) < 2:
        return UNKNOWN
    value, name = args.positional[:2]
    if isinstance(name, Const) and isinstance(name.value, str) and node is not None:
        found = attributes.of(frame, ir.Attribute(node.at, node.args[0] if node.args else node, name.value), value)
        default = args.positional[2] if len(args.positional) > 2 else None
        if default is not None and (found is STATIC or found is UNKNOWN):
            return found if isinstance(value, Unknown) else join_all([default, STATIC]) or found
        return found
    if isinstance(value, Instance) and value.cls.is_module:
        return _any_module(frame, value)
    return STATIC if not value.is_traced and value is not UNKNOWN else UNKNOWN


def _any_module(frame: Frame, instance: Instance) -> Value:
    """``getattr(self, name)`` with a computed name: one of the sub-modules, if it has any that are known."""
    from onnx_lint.semantics.evaluation import objects

    objects.initialise(frame, instance)
    held = [v for v in instance.attributes.values() if isinstance(v, (Instance, ExternalInstance))]
    return join_all(held) or STATIC


def _setattr(frame: Frame, node: ir.Call | None, args: Arguments) -> Value:
    from onnx_lint.semantics.evaluation import objects

    if len(args.positional) == 3 and isinstance(args.positional[0], Instance):
        objects.register(args.positional[0], args.positional[1], args.positional[2])
    return NONE


def _dict(frame: Frame, node: ir.Call | None, args: Arguments) -> Value:
    entries: dict[Hashable, Value] = {}
    entries.update(args.keyword.items())
    result = Dict(entries, args.double_star)
    if args.positional:
        first = args.positional[0]
        if isinstance(first, Dict):
            return Dict({**first.entries, **result.entries}, first.rest)
        pair = iteration.element(frame, first, None, None)
        if isinstance(pair, Seq) and pair.elements is not None and len(pair.elements) == 2:
            result.rest = pair.elements[1]
        else:
            result.rest = UNKNOWN
    return result


def _type(frame: Frame, node: ir.Call | None, args: Arguments) -> Value:
    value = _first(args)
    return ClassValue(value.cls) if isinstance(value, Instance) and len(args.positional) == 1 else STATIC


def _pow(frame: Frame, node: ir.Call | None, args: Arguments) -> Value:
    if len(args.positional) >= 2 and node is not None:
        return expressions.binary(frame, node, "**", args.positional[0], args.positional[1])
    return UNKNOWN


def _divmod(frame: Frame, node: ir.Call | None, args: Arguments) -> Value:
    if len(args.positional) == 2 and node is not None:
        value = expressions.binary(frame, node, "//", args.positional[0], args.positional[1])
        return Seq("tuple", (value, value))
    return UNKNOWN


def _copy(name: str) -> Handler:
    def handler(frame: Frame, node: ir.Call | None, args: Arguments) -> Value:
        value = _first(args)
        if isinstance(value, Tensor) and is_hazardous(value) and node is not None:
            frame.emit(Conversion(*frame.base(node, value), name, _argument_node(node)))
        return _same(frame, node, args)

    return handler


def _same(frame: Frame, node: ir.Call | None, args: Arguments) -> Value:
    value = _first(args)
    if isinstance(value, Seq):
        return Seq(value.kind, value.elements, value.element, value.origin)
    return value


def _second(frame: Frame, node: ir.Call | None, args: Arguments) -> Value:
    return args.positional[1] if len(args.positional) > 1 else UNKNOWN


def _partial(frame: Frame, node: ir.Call | None, args: Arguments) -> Value:
    if not args.positional:
        return UNKNOWN
    return Partial(args.positional[0], Arguments(args.positional[1:], args.keyword))


def _reduce(frame: Frame, node: ir.Call | None, args: Arguments) -> Value:
    if len(args.positional) < 2:
        return UNKNOWN
    item = iteration.element(frame, args.positional[1], _argument_node(node, 1), "reduce")
    result = calls.apply(frame, node, args.positional[0], Arguments([item, item], {}))
    return result if result is not UNKNOWN else item


def _operator(op: str) -> Handler:
    def handler(frame: Frame, node: ir.Call | None, args: Arguments) -> Value:
        if len(args.positional) == 2 and node is not None:
            return expressions.binary(frame, node, op, args.positional[0], args.positional[1])
        return UNKNOWN

    return handler


def _index(frame: Frame, node: ir.Call | None, args: Arguments) -> Value:
    return convert(frame, node, "operator.index", _first(args), "int")


def _repeat(frame: Frame, node: ir.Call | None, args: Arguments) -> Value:
    return Seq("iterator", None, _first(args))


def _chain(frame: Frame, node: ir.Call | None, args: Arguments) -> Value:
    items = [iteration.element(frame, v, _argument_node(node, i), "chain") for i, v in enumerate(args.positional)]
    return Seq("iterator", None, join_all(items) or UNKNOWN)


def _product(frame: Frame, node: ir.Call | None, args: Arguments) -> Value:
    items = [iteration.element(frame, v, _argument_node(node, i), "product") for i, v in enumerate(args.positional)]
    return Seq("iterator", None, Seq("tuple", tuple(items)))


def _decorator(frame: Frame, node: ir.Call | None, args: Arguments) -> Value:
    """``functools.wraps(f)`` and the like: what they return hands its argument on."""
    return STATIC


_HANDLERS: dict[str, Handler] = {
    "int": _converter("int", "int"), "float": _converter("float", "float"), "complex": _converter("complex", "complex"),
    "bool": _bool, "round": _round, "abs": _abs, "len": _len, "range": _range, "min": _pick("min"), "max": _pick("max"),
    "sorted": _pick("sorted"), "any": _any_all("any"), "all": _any_all("all"), "sum": _sum, "str": _text("str"),
    "repr": _text("repr"), "format": _text("format"), "print": _text("print"), "list": _collect("list"),
    "tuple": _collect("tuple"), "set": _collect("set"), "frozenset": _collect("set"), "zip": _zip,
    "enumerate": _enumerate, "reversed": _reversed, "map": _map, "filter": _filter, "next": _next, "iter": _iter,
    "isinstance": _isinstance, "hasattr": _hasattr, "getattr": _getattr, "setattr": _setattr, "dict": _dict,
    "type": _type, "pow": _pow, "divmod": _divmod, "functools.partial": _partial, "functools.reduce": _reduce,
    "copy.copy": _copy("copy.copy"), "copy.deepcopy": _copy("copy.deepcopy"),
    "typing.cast": _second, "itertools.repeat": _repeat,
    "itertools.chain": _chain, "itertools.product": _product, "itertools.zip_longest": _zip,
    "collections.OrderedDict": _dict, "operator.mul": _operator("*"), "operator.add": _operator("+"),
    "operator.sub": _operator("-"), "operator.floordiv": _operator("//"), "operator.truediv": _operator("/"),
    "operator.mod": _operator("%"), "operator.index": _index, "functools.wraps": _decorator,
    "functools.lru_cache": _decorator, "functools.cache": _decorator,
}  # fmt: skip

__all__ = ["TensorCall", "call", "convert", "is_hazardous"]
