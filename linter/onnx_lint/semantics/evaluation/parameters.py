"""What parameters hold: from the call first, else from default and annotation."""

from __future__ import annotations

from collections.abc import Hashable

from onnx_lint.semantics.domain.environment import Environment
from onnx_lint.semantics.domain.lattice import alternatives, join, join_all, map_parts, type_name
from onnx_lint.semantics.domain.origin import StepKind
from onnx_lint.semantics.domain.values import (
    NONE,
    STATIC,
    UNKNOWN,
    Arguments,
    ClassValue,
    Const,
    Dict,
    ExternalValue,
    Function,
    Instance,
    Seq,
    Size,
    Static,
    Tensor,
    Value,
)
from onnx_lint.semantics.evaluation.frame import Frame
from onnx_lint.semantics.evaluation.state import Analysis
from onnx_lint.source import ir


def bind(frame: Frame, function: Function, args: Arguments) -> None:
    """Bind the arguments of a call to the parameters of `function`, in `frame`."""
    assert frame.env is not None
    names = frame.env.names
    params = function.function.params
    keyword = dict(args.keyword)
    for index, param in enumerate(params.positional):
        if index < len(args.positional):
            value: Value | None = args.positional[index]
        else:
            value = keyword.pop(param.name, None)
            if value is None and args.star is not None:
                value = args.star
        names[param.name] = _bound(frame, function, param, value, args)
    if params.vararg is not None:
        rest = args.positional[len(params.positional) :]
        if args.star is not None:
            names[params.vararg.name] = Seq("tuple", None, args.star)
        else:
            names[params.vararg.name] = Seq("tuple", rest)
    for param in params.keyword:
        names[param.name] = _bound(frame, function, param, keyword.pop(param.name, None), args)
    if params.kwarg is not None:
        rest_by_name: dict[Hashable, Value] = {k: v for k, v in keyword.items() if k not in names}
        names[params.kwarg.name] = frame.owned(Dict(rest_by_name, args.double_star))


def _bound(frame: Frame, function: Function, param: ir.Param, value: Value | None, args: Arguments) -> Value:
    if value is not None and value is not UNKNOWN:
        return _passed(frame, param, value)
    if value is None and args.double_star is not None and args.double_star is not UNKNOWN:
        value = args.double_star
    if value is None and param.default is not None:
        return default_value(frame, function, param)
    if param.annotation is not None:
        typed = frame.interp.annotated(frame.analysis, function.unit.module, param.annotation)
        if isinstance(typed, Tensor):
            return Tensor(True, True, frame.origin(param, StepKind.ARGUMENT, param.name))
        if typed is not None:
            return frame.owned(typed)
    return UNKNOWN


def _passed(frame: Frame, param: ir.Param, value: Value) -> Value:
    """An argument as the parameter sees it: with one more step in its origin."""
    if isinstance(value, Size) and value.origin is not None:
        origin = frame.origin(param, StepKind.ARGUMENT, param.name, value.origin)
        return Size(origin, value.boolean, value.parameter, value.axis, value.presumed, value.dim)
    return value


def default_value(frame: Frame, function: Function, param: ir.Param) -> Value:
    """The default of a parameter, as evaluated where the function is defined."""
    assert param.default is not None
    outer = Frame(
        frame.analysis, function.unit, Environment({}, function.closure), records_sites=False, owner=function.owner
    )
    return frame.interp.evaluate(outer, param.default)


def filled(analysis: Analysis, function: Function, args: Arguments) -> Arguments | None:
    """The arguments of a constructor with the defaults of what was not given written out, each at its place; ``None``
    where their number is not known."""
    if args.star is not None or args.double_star is not None:
        return None
    outer = Frame(analysis, function.unit, Environment({}), records_sites=False, owner=function.owner)
    params, left = function.function.params, dict(args.keyword)
    own = params.positional[1:]
    positional = list(args.positional)
    for param in own[len(positional) :]:
        positional.append(_given_or_default(outer, function, param, left))
    keyword = {p.name: _given_or_default(outer, function, p, left) for p in params.keyword}
    return Arguments(tuple(positional), {**keyword, **left})


def _given_or_default(frame: Frame, function: Function, param: ir.Param, given: dict[str, Value]) -> Value:
    value = given.pop(param.name, None)
    if value is not None:
        return value
    return UNKNOWN if param.default is None else default_value(frame, function, param)


def constructor_arguments(analysis: Analysis, function: Function, skip: int = 1) -> Arguments:
    """Arguments for an ``__init__`` (or with `skip` 0 a factory) that nobody was seen calling: fixed values of the
    types that can be told."""
    outer = Frame(analysis, function.unit, Environment({}), records_sites=False, owner=function.owner)
    params = function.function.params
    positional: list[Value] = []
    for param in params.positional[skip:]:
        positional.append(_configuration(outer, function, param))
    keyword = {p.name: _configuration(outer, function, p) for p in params.keyword}
    return Arguments(tuple(positional), keyword)


def _configuration(frame: Frame, function: Function, param: ir.Param) -> Value:
    if param.default is not None:
        value = frame.interp.evaluate(frame, param.default)
        if isinstance(value, Const):
            if value.value is None:
                return join(NONE, _static_type(frame.analysis, function, param))
            return Static(type_name(value))
        if isinstance(value, (Seq, Dict)):
            return map_parts(value, _any_number)
        if isinstance(value, (ClassValue, ExternalValue, Function)):
            return value
        return value if value is not UNKNOWN else STATIC
    return _static_type(frame.analysis, function, param)


def _any_number(value: Value) -> Value:
    """A number of a default: models are made with others too."""
    if isinstance(value, Const) and isinstance(value.value, (int, float)) and not isinstance(value.value, bool):
        return Static(type_name(value))
    return map_parts(value, _any_number)


def _static_type(analysis: Analysis, function: Function, param: ir.Param) -> Value:
    if param.annotation is None:
        return STATIC
    value = analysis.interpreter.annotated(analysis, function.unit.module, param.annotation)
    if value is None:
        return STATIC
    kept = [v for v in alternatives(value) if not isinstance(v, Tensor)]
    if isinstance(value, Tensor) or not kept:
        return Tensor(False)
    if any(isinstance(v, Instance) for v in kept):
        return STATIC  # a configuration object: its fields are as fixed as itself
    return join_all(kept) or STATIC
