"""Calls: what is called, with which arguments, and who answers."""

from __future__ import annotations

from onnx_lint.project.classes import ClassInfo
from onnx_lint.semantics.domain.lattice import alternatives, is_none, join, known, vague_result
from onnx_lint.semantics.domain.parts import assert_never
from onnx_lint.semantics.domain.values import (
    STATIC,
    UNKNOWN,
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
from onnx_lint.semantics.evaluation import state_writes, views
from onnx_lint.semantics.evaluation.frame import Frame
from onnx_lint.source import ir


def call(frame: Frame, node: ir.Call) -> Value:
    """Evaluate a call."""
    if isinstance(node.func, ir.Name) and node.func.id == "super":
        return _super(frame, node)
    function = frame.interp.evaluate(frame, node.func)
    if isinstance(function, ExternalValue):
        checked = frame.interp.check_call(frame, node, function.name)
        if checked is not None:
            return checked
    args = _arguments(frame, node)
    if isinstance(node.func, ir.Attribute) and state_writes.may_change(node.func.attr):
        state_writes.method(frame, node, args.all())
        if frame.records_sites and views.is_in_place(node.func.attr):
            views.method(frame, node, node.func.value)
    return frame.owned(apply(frame, node, function, args))


def _arguments(frame: Frame, node: ir.Call) -> Arguments:
    """Evaluate the arguments of a call."""
    evaluate = frame.interp.evaluate
    positional: list[Value] = []
    star: Value | None = None
    exact = True
    for argument in node.args:
        if isinstance(argument, ir.Starred):
            exact = False
            parts, one = frame.interp.spread(frame, evaluate(frame, argument.value), argument.value)
            if parts is not None and star is None:
                positional.extend(parts)
            else:
                for part in parts or (one,):
                    star = part if star is None else join(star, part)
        elif star is not None:
            star = join(star, evaluate(frame, argument))
        else:
            positional.append(evaluate(frame, argument))
    keyword: dict[str, Value] = {}
    double_star: Value | None = None
    for name, expression in node.keywords:
        value = evaluate(frame, expression)
        if name is not None:
            keyword[name] = value
        elif isinstance(value, Dict):
            for key, entry in value.entries.items():
                if isinstance(key, str):
                    keyword.setdefault(key, entry)
            if value.rest is not None:
                double_star = value.rest
        else:
            double_star = STATIC if isinstance(value, (Static, Const)) else UNKNOWN
    return Arguments(tuple(positional), keyword, star, double_star, node.args if exact else ())


def apply(frame: Frame, node: ir.Call | None, function: Value, args: Arguments) -> Value:
    """Call a value."""
    if isinstance(function, Alternatives):
        return known(_apply(frame, node, f, args) for f in function.values if not is_none(f))
    return _apply(frame, node, function, args)


def _apply(frame: Frame, node: ir.Call | None, function: Single, args: Arguments) -> Value:
    interp = frame.interp
    match function:
        case Function():
            return interp.invoke(frame, node, function, None, args)
        case Bound():
            if isinstance(function.function, Function):
                return interp.invoke(frame, node, function.function, function.receiver, args)
            return interp.call_method(frame, node, frame.read(function.receiver), function.function, args)
        case ExternalValue():
            return interp.call_external(frame, node, function.name, args)
        case ClassValue():
            return interp.make(frame, function.cls, args)
        case Instance():
            return _call_instance(frame, node, function, args)
        case ExternalInstance():
            return interp.call_module(frame, node, function, args)
        case Partial():
            held = function.args
            merged = Arguments(
                (*held.positional, *args.positional), {**held.keyword, **args.keyword}, args.star, args.double_star
            )
            return apply(frame, node, function.function, merged)
        case Static() | Tensor() | Dict():
            return vague_result(args)
        case (
            Unknown() | Const() | EngineFlag() | Size() | Frozen() | Array() | Seq() | RangeValue() | ModuleValue()
            | Super()
        ):  # fmt: skip
            return UNKNOWN
    assert_never(function)


def _call_instance(frame: Frame, node: ir.Call | None, instance: Instance, args: Arguments) -> Value:
    """Call an object: a module's ``forward``, else its ``__call__``."""
    cls = instance.cls
    found = cls.find_method("__call__")
    if found is None or cls.is_module:
        found = cls.find_method("forward") or found
    if found is not None:
        owner, unit, statement = found
        function = frame.interp.function_value(frame.analysis, unit, statement, owner)
        if isinstance(function, Function):
            return frame.interp.invoke(frame, node, function, instance, args)
        return apply(frame, node, function, args.after(instance))
    external = next((c for c in cls.mro if not isinstance(c, ClassInfo)), None)
    if cls.is_subclass("torch.nn.Sequential"):
        return frame.interp.call_module(frame, node, frame.interp.sequence_of(frame, instance), args)
    if external is not None and external.name.startswith("torch.nn.") and external.name != "torch.nn.Module":
        base = frame.interp.base_module(frame, instance)
        return frame.interp.call_module(frame, node, base or ExternalInstance(external.name), args)
    return vague_result(args)


def _super(frame: Frame, node: ir.Call) -> Value:
    owner, receiver = frame.owner, frame.receiver
    if node.args and len(node.args) == 2:
        named = frame.interp.evaluate(frame, node.args[0])
        if isinstance(named, ClassValue):
            owner = named.cls
    if owner is None or receiver is None:
        return UNKNOWN
    return Super(owner, receiver)


def flattened(value: Value) -> list[Value]:
    """The values that a value may be, sequences taken apart."""
    out: list[Value] = []
    for one in alternatives(value):
        if isinstance(one, Seq):
            for item in one.items():
                out.extend(flattened(item))
        else:
            out.append(one)
    return out
