"""Calls: which function is meant, what its parameters hold, what it returns. Results are remembered per kind of
arguments, so that a function is interpreted once for each."""

from __future__ import annotations

import re
from collections.abc import Hashable

from onnx_lint.project.classes import ClassInfo
from onnx_lint.project.dependencies import Node
from onnx_lint.project.modules import FunctionBinding, Unit
from onnx_lint.semantics.catalogue import methods, python_functions, torch_functions
from onnx_lint.semantics.domain.sites import Step
from onnx_lint.semantics.domain.values import (
    NONE,
    STATIC,
    UNKNOWN,
    Alternatives,
    Arguments,
    Bound,
    ClassValue,
    Const,
    Dict,
    ExternalInstance,
    ExternalValue,
    Function,
    Instance,
    ModuleValue,
    Partial,
    Seq,
    Static,
    Super,
    Tensor,
    Value,
    alternatives,
    join,
    join_all,
    type_name,
)
from onnx_lint.semantics.evaluation import expressions, iteration, objects, parameters
from onnx_lint.semantics.evaluation.frame import (
    MAX_CONTEXTS,
    MAX_DEPTH,
    MAX_STEPS,
    Analysis,
    Environment,
    Frame,
    Summary,
)
from onnx_lint.source import ir


def call(frame: Frame, node: ir.Call) -> Value:
    """Evaluate a call."""
    func_node = node.func
    if isinstance(func_node, ir.Name) and func_node.id == "super":
        return _super(frame, node)
    function = expressions.evaluate(frame, func_node)
    if isinstance(function, ExternalValue) and function.name in torch_functions.CHECKS:
        return torch_functions.check_call(frame, node, function.name)
    return apply(frame, node, function, arguments(frame, node))


def arguments(frame: Frame, node: ir.Call) -> Arguments:
    """Evaluate the arguments of a call."""
    positional: list[Value] = []
    star: Value | None = None
    exact = True
    for argument in node.args:
        if isinstance(argument, ir.Starred):
            exact = False
            known, one = iteration.spread(frame, expressions.evaluate(frame, argument.value), argument.value)
            if known is not None and star is None:
                positional.extend(known)
            else:
                for part in known or [one]:
                    star = part if star is None else join(star, part)
        elif star is not None:
            star = join(star, expressions.evaluate(frame, argument))
        else:
            positional.append(expressions.evaluate(frame, argument))
    keyword: dict[str, Value] = {}
    double_star: Value | None = None
    for name, expression in node.keywords:
        value = expressions.evaluate(frame, expression)
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
    return Arguments(positional, keyword, star, double_star, node.args if exact else ())


def apply(frame: Frame, node: ir.Call | None, function: Value, args: Arguments) -> Value:
    """Call a value."""
    if isinstance(function, Alternatives):
        parts = [_apply(frame, node, f, args) for f in function.values if f is not NONE and not _is_none(f)]
        known = [p for p in parts if p is not UNKNOWN]
        return join_all(known or parts) or UNKNOWN
    return _apply(frame, node, function, args)


def _is_none(value: Value) -> bool:
    return isinstance(value, Const) and value.value is None


def _apply(frame: Frame, node: ir.Call | None, function: Value, args: Arguments) -> Value:
    if isinstance(function, Function):
        return invoke(frame, node, function, None, args)
    if isinstance(function, Bound):
        if isinstance(function.function, Function):
            return invoke(frame, node, function.function, function.receiver, args)
        return methods.call(frame, node, function.receiver, function.function, args)
    if isinstance(function, ExternalValue):
        if function.name.startswith(("builtins.", "math.", "functools.", "itertools.", "operator.", "copy.", "typing.",
                                     "collections.")):  # fmt: skip
            return python_functions.call(frame, node, function.name, args)
        return torch_functions.call(frame, node, function.name, args)
    if isinstance(function, ClassValue):
        return objects.make(frame, function.cls, args)
    if isinstance(function, Instance):
        return _call_instance(frame, node, function, args)
    if isinstance(function, ExternalInstance):
        return torch_functions.call_module(frame, node, function, args)
    if isinstance(function, Partial):
        held = function.args
        merged = Arguments(
            [*held.positional, *args.positional], {**held.keyword, **args.keyword}, args.star, args.double_star
        )
        return apply(frame, node, function.function, merged)
    if isinstance(function, (Static, Tensor, Dict)):
        return vague_result(args)
    if isinstance(function, ModuleValue):
        return UNKNOWN
    return UNKNOWN


def vague_result(args: Arguments) -> Value:
    """What something fixed but unknown returns, such as a sub-module chosen by configuration: presumably a tensor
    when it is given one."""
    given = [v for a in args.all() for v in alternatives(a)]
    tensor = next((v for v in given if isinstance(v, Tensor) and v.traced), None)
    if tensor is not None:
        return Tensor(True, True, tensor.origin)
    if any(v.is_traced or v is UNKNOWN for v in given):
        return UNKNOWN
    return STATIC


def _call_instance(frame: Frame, node: ir.Call | None, instance: Instance, args: Arguments) -> Value:
    cls = instance.cls
    found = cls.find_method("__call__")
    if found is None or cls.is_module:
        found = cls.find_method("forward") or found
    if found is not None:
        owner, unit, statement = found
        function = function_value_of(frame.analysis, unit, statement, owner)
        if isinstance(function, Function):
            return invoke(frame, node, function, instance, args)
        return apply(
            frame, node, function, Arguments([instance, *args.positional], args.keyword, args.star, args.double_star)
        )
    for base, name in (("torch.nn.Sequential", "Sequential"),):
        if cls.is_subclass(base):
            items = iteration.container_items(frame, instance)
            return torch_functions.run_sequential(frame, node, Seq("list", None, items), args, name)
    external = next((c for c in cls.mro if not isinstance(c, ClassInfo)), None)
    if external is not None and external.name.startswith("torch.nn.") and external.name != "torch.nn.Module":
        return torch_functions.call_module(frame, node, ExternalInstance(external.name), args)
    return vague_result(args)


def call_method(frame: Frame, node: ir.Expr | None, instance: Instance, name: str, args: list[Value]) -> Value:
    """Call a method of a project object by name."""
    found = instance.cls.find_method(name)
    if found is None:
        return UNKNOWN
    owner, unit, statement = found
    return invoke(frame, node, Function(unit, statement, None, owner), instance, Arguments(args, {}))


def _super(frame: Frame, node: ir.Call) -> Value:
    owner, receiver = frame.owner, frame.receiver
    if node.args and len(node.args) == 2:
        named = expressions.evaluate(frame, node.args[0])
        if isinstance(named, ClassValue):
            owner = named.cls
    if owner is None or receiver is None:
        return UNKNOWN
    return Super(owner, receiver)


# -------------------------------------------------------------------------------------------------------- functions
_OPAQUE_DECORATORS = frozenset({"torch.jit.script", "jit.script", "torch.jit.unused", "torch.jit.ignore", "script"})


def decorator_name(node: ir.Expr) -> str:
    """The dotted name of a decorator, without its arguments."""
    if isinstance(node, ir.Call):
        return decorator_name(node.func)
    if isinstance(node, ir.Attribute):
        return f"{decorator_name(node.value)}.{node.attr}"
    return node.id if isinstance(node, ir.Name) else "?"


def function_value(analysis: Analysis, binding: FunctionBinding) -> Value:
    return function_value_of(analysis, binding.unit, binding.function, None)


def function_value_of(analysis: Analysis, unit: Unit, function: ir.FunctionDef, owner: ClassInfo | None) -> Value:
    """A function as its name stands for it: through its decorators."""
    if not function.decorators:
        return Function(unit, function, None, owner)
    key = ("decorated", id(unit), id(function))
    held = analysis.memo.get(key)
    if held is not None:
        return held[0]
    plain = Function(unit, function, None, owner)  # a decorator that uses the function gets it as it is
    return analysis.memo.compute(key, lambda: _decorate(analysis, plain), plain)


def _decorate(analysis: Analysis, function: Function) -> Value:
    analysis.tracker.read(function.unit.dependency)
    frame = Frame(analysis, function.unit, Environment({}, None), quiet=True, owner=function.owner)
    return decorated(
        frame, Function(function.unit, function.function, None, function.owner), function.function.decorators
    )


def decorated(frame: Frame, value: Value, decorators: tuple[ir.Expr, ...]) -> Value:
    """Apply decorators, innermost first. One that is not known is taken to hand its function on."""
    for node in reversed(decorators):
        name = decorator_name(node)
        if name in _OPAQUE_DECORATORS:
            if isinstance(value, Function):
                value = Function(value.unit, value.function, value.closure, value.owner, opaque=True)
            continue
        decorator = expressions.evaluate(frame, node)
        if isinstance(decorator, (Function, Partial)) and isinstance(value, Function):
            result = apply(frame, None, decorator, Arguments([value], {}))
            if isinstance(result, Function):
                result.owner = result.owner or value.owner
                value = result
    return value


def invoke(frame: Frame, node: ir.Expr | None, function: Function, receiver: Value | None, args: Arguments) -> Value:
    """Call a project function: bind its parameters, interpret its body, remember the result."""
    definition = function.function
    analysis = frame.analysis
    if function.opaque:
        return _opaque_result(analysis, function, args)
    if not frame.quiet and _is_training_only(function):
        return vague_result(args)
    if frame.depth >= MAX_DEPTH or analysis.steps > MAX_STEPS:
        return UNKNOWN
    if (receiver is not None and args.star is None) or receiver is not None:
        given = Arguments([receiver, *args.positional], args.keyword, args.star, args.double_star)
    else:
        given = args
    # chunks with the same text share their IR, hence the unit in every key
    code = (id(function.unit), id(definition), id(function.closure))
    key: Hashable = (code, given.key(), frame.engines, frame.quiet)
    summary = analysis.summaries.get(key)
    if summary is None:
        if key in analysis.active:
            return _recursive_result(args)
        count = analysis.contexts.get(code, 0)
        if count >= MAX_CONTEXTS:
            given = _generalised(given)
            key = (code, given.key(), frame.engines, frame.quiet)
            summary = analysis.summaries.get(key)
            analysis.budget_exhausted = True
            if summary is None and (count >= 3 * MAX_CONTEXTS or key in analysis.active):
                return _recursive_result(args)
    tracker = analysis.tracker
    if summary is None:
        analysis.contexts[code] = analysis.contexts.get(code, 0) + 1
        analysis.active.add(key)
        try:
            dependency = tracker.node(key)
            summary = tracker.compute(
                dependency, lambda: _interpret(frame, node, function, receiver, given, dependency)
            )
            if tracker.is_tracking and not frame.quiet:
                analysis.of_unit.setdefault(id(function.unit), []).append(summary)
        finally:
            analysis.active.discard(key)
        summary.held = (function, given)
        analysis.summaries[key] = summary
    if summary.dependency is not None:
        tracker.read(summary.dependency)
    frame.summary.children.append(summary)
    return summary.value


_TRAINING = re.compile(r"(?:^|_)loss(?:es)?$|^(?:compute|calculate|get|calc)_\w*loss(?:es)?$|criterion$")
_TRAINING_CLASSES = re.compile(r"(?:Loss|Criterion|Metric|Losses)(?:\d|_|$|[A-Z])")


def is_training_class(name: str) -> bool:
    """A class by whose name one sees that it belongs to training, and is never exported."""
    return _TRAINING_CLASSES.search(name) is not None


def _is_training_only(function: Function) -> bool:
    """Losses are reached from ``forward`` only when it is given targets."""
    if function.owner is not None and is_training_class(function.owner.name):
        return True
    return _TRAINING.search(function.function.name) is not None


def _recursive_result(args: Arguments) -> Value:
    """What a call gives while the same call is being interpreted: of the kind it is given, presumably."""
    tensor = next((v for a in args.all() for v in alternatives(a) if isinstance(v, Tensor) and v.traced), None)
    return Tensor(True, True, tensor.origin) if tensor is not None else UNKNOWN


def _generalised(args: Arguments) -> Arguments:
    """Forget the values of constants, so that a function called with many different ones is one case."""

    def forget(value: Value) -> Value:
        if isinstance(value, Const) and value.value is not None and not isinstance(value.value, bool):
            return Static(type_name(value))
        return value

    keyword = {k: forget(v) for k, v in args.keyword.items()}
    return Arguments([forget(v) for v in args.positional], keyword, args.star, args.double_star)


def _opaque_result(analysis: Analysis, function: Function, args: Arguments) -> Value:
    """A scripted or ignored function: its annotation says what it returns; TorchScript's default is a tensor."""
    if function.function.returns is not None:
        value = parameters.annotated(analysis, function.unit.module, function.function.returns)
        if value is not None:
            return value
    return vague_result(args) if not any(a.is_traced for a in args.all()) else Tensor(True, True)


def _interpret(
    frame: Frame,
    node: ir.Expr | None,
    function: Function,
    receiver: Value | None,
    args: Arguments,
    dependency: Node | None,
) -> Summary:
    from onnx_lint.semantics.evaluation.statements import block

    definition, unit = function.function, function.unit
    qualified = f"{function.owner.name}.{definition.name}" if function.owner is not None else definition.name
    step = Step(frame.unit, node.at, frame.qualified, qualified, frame.step) if node is not None else frame.step
    summary = Summary(UNKNOWN, dependency=dependency)
    tracker = frame.analysis.tracker
    tracker.read(unit.dependency)
    if tracker.is_tracking and not frame.quiet:
        summary.values = {}
    inner = Frame(
        frame.analysis,
        unit,
        Environment({}, function.closure),
        function=definition,
        qualified=qualified,
        owner=function.owner or (frame.owner if function.closure is not None else None),
        receiver=receiver if receiver is not None else (frame.receiver if function.closure is not None else None),
        step=step,
        depth=frame.depth + 1,
        engines=frame.engines,
        quiet=frame.quiet,
        summary=summary,
    )
    if frame.checks and definition.is_lambda:
        inner.checks = frame.checks
    if not frame.quiet:
        summary.traced = (id(unit), id(definition))
    parameters.bind(inner, function, args, frame if node is not None else None, node)
    block(inner, definition.body)
    ended = inner.env is None
    if definition.is_generator:
        summary.value = Seq("generator", None, join_all(inner.yields))
        return summary
    if definition.is_async:
        return summary
    summary.returned = [(value, expression) for value, expression, _ in inner.returns]
    values = [value for value, _, _ in inner.returns]
    if not ended:
        values.append(NONE)
    known = [v for v in values if v is not UNKNOWN]
    if len(known) < len(values) and known and all(isinstance(v, (Const, Static)) for v in known):
        known = []
    summary.value = join_all(known) or UNKNOWN
    if summary.value is UNKNOWN and definition.returns is not None:
        typed = parameters.annotated(frame.analysis, unit.module, definition.returns)
        if typed is not None:
            summary.value = typed
    if not values and ended:
        summary.value = UNKNOWN  # it only raises
    return summary


expressions.DISPATCH[ir.Call] = call
