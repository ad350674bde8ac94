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
    match value:
        case Tensor():
            return frame.owned(Tensor(False, type=value.type))
        case Unknown():
            return STATIC
        case Const() if isinstance(value.value, (int, float)) and not isinstance(value.value, bool):
            return Static(type_name(value))
    return value


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
