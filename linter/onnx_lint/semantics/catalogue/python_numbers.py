"""Python's functions on numbers: conversions, ``math``, ``min`` and ``max``, ``len`` and ``range``."""

from __future__ import annotations

from collections.abc import Sequence

from onnx_lint.semantics.catalogue.conversions import convert, emit_conversion
from onnx_lint.semantics.catalogue.registry import Call, Model, models
from onnx_lint.semantics.domain.dims import UNKNOWN_SIZE
from onnx_lint.semantics.domain.engines import DYNAMO
from onnx_lint.semantics.domain.lattice import (
    alternatives,
    element_of,
    guarded,
    hazard_among,
    is_certain,
    join_all,
    type_name,
)
from onnx_lint.semantics.domain.origin import StepKind
from onnx_lint.semantics.domain.parts import traced_parts
from onnx_lint.semantics.domain.sites import Branch, Length
from onnx_lint.semantics.domain.sizes import compared
from onnx_lint.semantics.domain.truth import as_value, static_truth
from onnx_lint.semantics.domain.values import (
    STATIC,
    UNKNOWN,
    Alternatives,
    Arguments,
    Array,
    Const,
    Frozen,
    RangeValue,
    Seq,
    Size,
    Static,
    Tensor,
    Value,
)
from onnx_lint.semantics.evaluation.frame import Frame
from onnx_lint.source import ir

_MATH_INTEGERS = frozenset({"ceil", "floor", "trunc", "gcd", "isqrt", "comb"})


def _converter(name: str, result: str | None) -> Model:
    def model(frame: Frame, call: Call) -> Value:
        return convert(frame, call, name, call.first, result)

    return model


for _name in ("int", "float", "complex"):
    models(f"builtins.{_name}")(_converter(_name, _name))
models("operator.index")(_converter("operator.index", "int"))


@models("builtins.bool")
def _bool(frame: Frame, call: Call) -> Value:
    value = call.first
    if any(isinstance(v, (Tensor, Size, Array)) for v in alternatives(value)):
        return convert(frame, call, "bool", value, "bool")
    if isinstance(value, Frozen):
        return Frozen(value.from_data, "bool", value.origin, value.live)
    return as_value(static_truth(value)) if not value.is_traced else Static("bool")


@models("builtins.abs")
def _abs(frame: Frame, call: Call) -> Value:
    value = call.first
    return Size(value.origin) if isinstance(value, Size) else value


@models("builtins.round")
def _round(frame: Frame, call: Call) -> Value:
    value = call.first
    return value if isinstance(value, Tensor) else convert(frame, call, "round", value, None)


def _math(name: str) -> Model:
    result = "int" if name in _MATH_INTEGERS else "float"

    def model(frame: Frame, call: Call) -> Value:
        for position, value in enumerate(call.args.positional):
            if any(is_certain(v) for v in alternatives(value)):
                return convert(frame, call, f"math.{name}", value, result, position)
        is_unknown = any(a is UNKNOWN for a in call.args.positional)
        return UNKNOWN if is_unknown else Static("int" if name == "ceil" else "float")

    return model


for _name in (
    "acos", "acosh", "asin", "asinh", "atan", "atan2", "atanh", "cbrt", "ceil", "comb", "copysign", "cos", "cosh",
    "degrees", "dist", "erf", "erfc", "exp", "exp2", "expm1", "fabs", "factorial", "floor", "fmod", "frexp", "fsum",
    "gamma", "gcd", "hypot", "isclose", "isfinite", "isinf", "isnan", "isqrt", "lcm", "ldexp", "lgamma", "log",
    "log10", "log1p", "log2", "modf", "nextafter", "perm", "pow", "radians", "remainder", "sin", "sinh", "sqrt", "tan",
    "tanh", "trunc", "ulp",
):  # fmt: skip
    models(f"math.{_name}")(_math(_name))


@models("math.prod")
def _prod(frame: Frame, call: Call) -> Value:
    part = next((p for a in call.args.all() for p in traced_parts(a)), None)
    return Size(part.origin) if isinstance(part, Size) else part if part is not None else Static()


@models("builtins.pow")
def _pow(frame: Frame, call: Call) -> Value:
    given = call.args.positional
    return frame.interp.binary(frame, call.node, "**", given[0], given[1]) if len(given) > 1 else UNKNOWN


@models("builtins.divmod")
def _divmod(frame: Frame, call: Call) -> Value:
    given = call.args.positional
    if len(given) != 2:
        return UNKNOWN
    value = frame.interp.binary(frame, call.node, "//", given[0], given[1])
    return Seq("tuple", (value, value))


def _operator(op: str) -> Model:
    def model(frame: Frame, call: Call) -> Value:
        given = call.args.positional
        return frame.interp.binary(frame, call.node, op, given[0], given[1]) if len(given) == 2 else UNKNOWN

    return model


for _name, _op in (
    ("mul", "*"), ("add", "+"), ("sub", "-"), ("floordiv", "//"), ("truediv", "/"), ("mod", "%"),
):  # fmt: skip
    models(f"operator.{_name}")(_operator(_op))


# ---------------------------------------------------------------------------------------------------- min, max, sum
def _pick(name: str) -> Model:
    """``min``, ``max``, ``sorted``: compare, and ask each comparison for its truth."""

    def model(frame: Frame, call: Call) -> Value:
        given = call.args.positional
        if len(given) == 1:
            return _pick_from(frame, call, name, given[0])
        picked = _decided(name, given)
        if picked is not None:
            return picked
        hazard = hazard_among(v for a in given for v in alternatives(a))
        if hazard is not None:
            emit_conversion(frame, call, name, hazard)
        numbers = [v.value for v in given if isinstance(v, Const) and isinstance(v.value, (int, float))]
        if numbers and len(numbers) == len(given):
            return Const(min(numbers) if name == "min" else max(numbers))
        traced = [v for v in given if v.is_traced]
        if traced:
            return Size(traced[0].origin) if isinstance(traced[0], Size) else traced[0]
        names = {type_name(v) for v in given}
        is_unknown = any(v is UNKNOWN for v in given)
        return UNKNOWN if is_unknown else Static(names.pop() if len(names) == 1 else None)

    return model


def _decided(name: str, given: Sequence[Value]) -> Value | None:
    """Which of two sizes it is where their bounds say so, as of ``max(x.shape[0] - 1, 1)``; ``None`` for others."""
    if name == "sorted" or len(given) != 2 or not any(isinstance(v, Size) for v in given):
        return None
    is_first_less = compared("<=", *given)
    if not isinstance(is_first_less, int):
        return None
    return given[0] if bool(is_first_less) == (name == "min") else given[1]


def _pick_from(frame: Frame, call: Call, name: str, single: Value) -> Value:
    if isinstance(single, (Seq, Alternatives)) or name == "sorted":
        items = [i for v in alternatives(single) if isinstance(v, Seq) for i in v.items()]
        hazard = hazard_among(p for i in items for p in traced_parts(_deciding(call, i), 1))
        joined = join_all(items) or UNKNOWN
        if "key" in call.args.keyword:
            _pick_by_key(frame, call, name, call.args.keyword["key"], joined)
        elif hazard is not None:
            emit_conversion(frame, call, name, hazard)
        return Seq("list", None, joined) if name == "sorted" else joined
    if isinstance(single, Tensor):
        frame.interp.element(frame, single, call.argument_node(), name)
        return Tensor(single.traced, single.presumed, single.origin)
    return STATIC if not single.is_traced and single is not UNKNOWN else single


def _deciding(call: Call, item: Value) -> Value:
    """What of an element decides a comparison: of the items of a mapping the key, since no two are the same."""
    argument = call.argument_node()
    is_item = (
        isinstance(argument, ir.Call) and isinstance(argument.func, ir.Attribute) and argument.func.attr == "items"
    )
    return item.elements[0] if is_item and isinstance(item, Seq) and item.elements else item


def _pick_by_key(frame: Frame, call: Call, name: str, key: Value, item: Value) -> None:
    """What is compared is what the key function makes of an element."""
    compared = frame.interp.apply(frame, call.node, key, Arguments((item,)))
    hazard = hazard_among(traced_parts(compared))
    if hazard is not None:
        emit_conversion(frame, call, f"{name} by key", hazard)


for _name in ("min", "max", "sorted"):
    models(f"builtins.{_name}")(_pick(_name))


@models("builtins.any", "builtins.all")
def _any_all(frame: Frame, call: Call) -> Value:
    value, argument = call.first, call.argument_node()
    if isinstance(value, Tensor):
        frame.interp.element(frame, value, argument, call.short)
    elif isinstance(value, Seq):
        hazards = [(part, engines) for item in value.items() for part, engines in guarded(item) if is_certain(part)]
        if hazards and argument is not None:
            with frame.only_under(hazards[0][1]):
                frame.emit(Branch, argument, hazards[0][0], keyword=call.short)
    return Static("bool")


@models("builtins.sum")
def _sum(frame: Frame, call: Call) -> Value:
    value = call.first
    if isinstance(value, Tensor):
        frame.interp.element(frame, value, call.argument_node(), "sum")
        return Tensor(value.traced, value.presumed, value.origin)
    if isinstance(value, Seq):
        if not value.items():
            return UNKNOWN
        item = element_of(value)
        return frame.interp.binary(frame, call.node, "+", item, item) if item.is_traced else item
    return value if value.is_traced else STATIC


# ------------------------------------------------------------------------------------------------ length and range
@models("builtins.len")
def _len(frame: Frame, call: Call) -> Value:
    value = call.first
    for one in alternatives(value):
        if isinstance(one, Tensor) and is_certain(one) and call.node is not None:
            frame.emit(Length, call.node, one, argument=call.argument_node())
            dim = one.type.shape[0] if one.type.shape else UNKNOWN_SIZE
            return Frozen(
                False, "int", frame.origin(call.node, StepKind.READ, "", one.origin), DYNAMO & frame.engines, dim
            )
    if isinstance(value, Seq) and value.elements is not None and value.elements:
        return Const(len(value.elements))
    if isinstance(value, Const) and isinstance(value.value, str):
        return Const(len(value.value))
    return Static("int")


@models("builtins.range")
def _range(frame: Frame, call: Call) -> Value:
    given = call.args.positional
    traced = hazard_among(v for a in given for v in alternatives(a))
    if traced is not None:
        return RangeValue(traced)
    numbers = [a.value for a in given if isinstance(a, Const) and isinstance(a.value, int)]
    if len(numbers) == len(given) and 0 < len(numbers) <= 3 and 0 not in numbers[2:]:
        return RangeValue(None, len(range(*numbers)))
    return RangeValue(None)
