"""Decorators: what a function is as its name stands for it."""

from __future__ import annotations

import re

from onnx_lint.project.classes import ClassInfo
from onnx_lint.project.modules import Unit
from onnx_lint.semantics.domain.environment import Environment
from onnx_lint.semantics.domain.values import Arguments, Function, Partial, Value
from onnx_lint.semantics.evaluation.frame import Frame
from onnx_lint.semantics.evaluation.state import Analysis
from onnx_lint.source import ir

_DEFINITION = re.compile(r"^[ \t]*(?:async[ \t]+)?def[ \t]", re.M)
SCRIPTED = frozenset({"torch.jit.script", "jit.script", "script", "torch.jit.script_if_tracing"})
"""What torchscript compiles, with its branches and loops; dynamo runs it like any other code."""
CUSTOM = frozenset({"torch.library.custom_op", "library.custom_op", "custom_op", "torch.library.triton_op"})
"""What makes an operator of a function; no engine looks into it."""
_OPAQUE_DECORATORS = SCRIPTED | CUSTOM
"""``torch.jit.unused`` and ``ignore`` speak to the compiler of scripts only: traces run such functions like others."""


def function_value(analysis: Analysis, unit: Unit, function: ir.FunctionDef, owner: ClassInfo | None) -> Value:
    """A function as its name stands for it: through its decorators."""
    plain = Function(unit, function, None, owner)
    if not function.decorators:
        return plain
    if analysis.skips_decorators:
        opaque = bool(decorator_names(function) & _OPAQUE_DECORATORS)
        return Function(unit, function, None, owner, opaque=opaque)
    if analysis.as_before is not None and analysis.handed_on.get(_name(plain)) == _decorators(unit):
        analysis.tracker.read(unit.dependency)
        return plain
    # a decorator that uses the function gets it as it is
    return analysis.once(analysis.memo, ("decorated", unit, function), lambda: _decorate(analysis, plain), plain)


def _decorate(analysis: Analysis, function: Function) -> Value:
    analysis.tracker.read(function.unit.dependency)
    frame = Frame(analysis, function.unit, Environment({}), records_sites=False, owner=function.owner)
    value = decorated(frame, function, function.function.decorators)
    if analysis.project.is_editor:
        key = _name(function)
        analysis.handed_on.pop(key, None)
        if isinstance(value, Function) and (value.function, value.closure) == (function.function, None):
            if not value.opaque:
                analysis.handed_on[key] = _decorators(function.unit)
    return value


def _name(function: Function) -> tuple[str, str]:
    """What a function is called, whatever it says."""
    return function.unit.module.path, qualified_name(function)


def _decorators(unit: Unit) -> str:
    """The text of a function before its name: its decorators."""
    found = _DEFINITION.search(unit.text)
    return unit.text[: found.start()] if found is not None else ""


def decorated(frame: Frame, value: Value, decorators: tuple[ir.Expr, ...]) -> Value:
    """Apply decorators, innermost first. One that is not known is taken to hand its function on."""
    for node in reversed(decorators):
        if _name_of(node) in _OPAQUE_DECORATORS:
            if isinstance(value, Function):
                value = Function(value.unit, value.function, value.closure, value.owner, opaque=True)
            continue
        decorator = frame.interp.evaluate(frame, node)
        if isinstance(decorator, (Function, Partial)) and isinstance(value, Function):
            result = frame.interp.apply(frame, None, decorator, Arguments((value,)))
            if isinstance(result, Function):
                owner = result.owner or value.owner
                value = Function(result.unit, result.function, result.closure, owner, result.opaque)
    return value


def _name_of(decorator: ir.Expr) -> str:
    return ir.dotted(decorator.func if isinstance(decorator, ir.Call) else decorator)


def decorator_names(function: ir.FunctionDef) -> frozenset[str]:
    return frozenset(_name_of(node) for node in function.decorators)


def qualified_name(function: Function) -> str:
    name = function.function.name
    return f"{function.owner.name}.{name}" if function.owner is not None else name
