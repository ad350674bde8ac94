"""Names of the top level: what they stand for, across files, and what assignments of the top level give them."""

from __future__ import annotations

from onnx_lint.project.classes import ClassInfo
from onnx_lint.project.meanings import External, Module
from onnx_lint.project.modules import FunctionBinding, SourceModule, ValueBinding
from onnx_lint.project.resolution import Meaning
from onnx_lint.semantics.domain.environment import Environment
from onnx_lint.semantics.domain.lattice import type_name
from onnx_lint.semantics.domain.values import (
    STATIC,
    UNKNOWN,
    ClassValue,
    Const,
    Dict,
    ExternalValue,
    ModuleValue,
    Seq,
    Static,
    Tensor,
    Unknown,
    Value,
)
from onnx_lint.semantics.evaluation.frame import Frame
from onnx_lint.semantics.evaluation.state import Analysis
from onnx_lint.semantics.filled import Filled


def global_value(analysis: Analysis, module: SourceModule, name: str) -> Value:
    """What a top-level name of a module, or a built-in, is."""
    return analysis.once(analysis.memo, (module, name), lambda: _global_value(analysis, module, name))


def _global_value(analysis: Analysis, module: SourceModule, name: str) -> Value:
    meaning = analysis.project.resolve_name(module, name)
    if meaning is not None:
        return meaning_value(analysis, meaning)
    if name == "__name__":
        return Static("str")
    return ExternalValue(f"builtins.{name}") if name in BUILTINS else UNKNOWN


def external(name: str) -> Value:
    """Something outside the project by its full name."""
    if name in ("typing.TYPE_CHECKING", "typing_extensions.TYPE_CHECKING"):
        return Const(False)
    return ExternalValue(name)


def meaning_value(analysis: Analysis, meaning: Meaning | None) -> Value:
    """The value of something that a top-level name stands for."""
    if meaning is None:
        return UNKNOWN
    if isinstance(meaning, External):
        return external(meaning.name)
    if isinstance(meaning, Module):
        return ModuleValue(meaning.name, meaning.source)
    if isinstance(meaning, ClassInfo):
        return ClassValue(meaning)
    if isinstance(meaning, FunctionBinding):
        return analysis.interpreter.function_value(analysis, meaning.unit, meaning.function, None)
    return _assigned(analysis, meaning)


def _assigned(analysis: Analysis, binding: ValueBinding) -> Value:
    """The value of a module-level assignment, interpreted once, outside traced code."""
    key = (binding.unit, binding.value, binding.path)
    if key in analysis.global_active:
        return UNKNOWN
    analysis.global_active.add(key)
    try:
        return analysis.once(analysis.memo, key, lambda: _assigned_value(analysis, binding))
    finally:
        analysis.global_active.discard(key)


def _assigned_value(analysis: Analysis, binding: ValueBinding) -> Value:
    analysis.tracker.read(binding.unit.dependency)
    frame = Frame(analysis, binding.unit, Environment({}), records_sites=False)
    value = frame.interp.evaluate(frame, binding.value)
    for index in binding.path:
        elements = value.elements if isinstance(value, Seq) and value.elements is not None else ()
        value = elements[index] if index < len(elements) else STATIC
    if isinstance(value, (Dict, Seq)) and binding.name and not binding.path:
        return _filled(analysis, binding, value)
    match value:
        case Tensor():
            return frame.owned(Tensor(False, type=value.type))
        case Unknown():
            return STATIC
        case Const() if isinstance(value.value, (int, float)) and not isinstance(value.value, bool):
            return Static(type_name(value))
    return value


def _filled(analysis: Analysis, binding: ValueBinding, value: Value) -> Value:
    """What a table of the top level holds once the file is read. Functions that change it leave it open, and so is an
    empty one that nothing seems to fill."""
    module = binding.unit.module
    is_open = bool(analysis.project.derived.get(Filled).lookup(binding.name))
    fills = module.fills(binding.name)
    for fill in fills:
        analysis.tracker.read(fill.unit.dependency)
        if not fill.always:
            is_open = True
            continue
        frame = Frame(analysis, fill.unit, Environment({}), records_sites=False)
        assert frame.env is not None
        frame.env.names[binding.name] = frame.owned(value)
        frame.interp.execute(frame, (fill.statement,))
        if frame.env is None:
            return STATIC
        value = frame.read(frame.env.names[binding.name])
    if not isinstance(value, (Dict, Seq)):
        return value
    is_empty = not value.items() if isinstance(value, Seq) else not value.values()
    return _opened(value) if is_open or (is_empty and not fills) else value


def _opened(value: Seq | Dict) -> Value:
    """A table that may hold anything besides."""
    if isinstance(value, Dict):
        return Dict(value.entries, UNKNOWN, value.addresses)
    return Seq(value.kind, None, UNKNOWN, value.origin, addresses=value.addresses)


BUILTINS = frozenset(
    {
        "abs", "all", "any", "bin", "bool", "bytes", "callable", "chr", "complex", "dict", "dir", "divmod", "enumerate",
        "filter", "float", "format", "frozenset", "getattr", "hasattr", "hash", "hex", "id", "int", "isinstance",
        "issubclass", "iter", "len", "list", "locals", "map", "max", "min", "next", "object", "open", "ord", "pow",
        "print", "property", "range", "repr", "reversed", "round", "set", "setattr", "slice", "sorted", "staticmethod",
        "classmethod", "str", "sum", "super", "tuple", "type", "vars", "zip", "globals", "delattr", "ValueError",
        "TypeError", "RuntimeError", "NotImplementedError", "AssertionError", "Exception", "KeyError", "IndexError",
        "AttributeError", "ImportError", "NotImplemented", "BaseException", "StopIteration", "UserWarning",
        "DeprecationWarning", "ModuleNotFoundError", "OSError", "ZeroDivisionError", "FutureWarning",
    }
)  # fmt: skip
