"""How the project makes its models: the factory functions that call a class, and the arguments they give.

A model whose parts are handed to its constructor (``RAFT(corr_block=CorrBlock(…))``) says nothing of them itself.
"""

from __future__ import annotations

import re

from onnx_lint.project.classes import ClassInfo
from onnx_lint.project.modules import FunctionBinding, SourceModule
from onnx_lint.project.project import Project
from onnx_lint.semantics import calls, parameters
from onnx_lint.semantics.frame import Analysis, Environment, Frame
from onnx_lint.semantics.values import Arguments, Function, Static, Value
from onnx_lint.source import ir

_MAX_FACTORIES = 3
_MAX_CONSTRUCTIONS = 2
_CALLED = re.compile(r"\b([A-Z]\w+)\(")


def of(analysis: Analysis, info: ClassInfo) -> list[Arguments]:
    """Arguments with which the project's functions make `info`; empty when its constructor needs no help."""
    found = info.find("__init__")
    if found is None or not isinstance(found[1][1], ir.FunctionDef) or not _needs_help(analysis, found[1][1], info):
        return []
    if analysis.factories is None:
        analysis.factories = _index(analysis.project)
    made: list[Arguments] = []
    for module, name in analysis.factories.get(info.name, [])[:_MAX_FACTORIES]:
        for binding in module.lookup(name):
            if isinstance(binding, FunctionBinding):
                made += _run(analysis, binding, info)
        if len(made) >= _MAX_CONSTRUCTIONS:
            break
    return made[:_MAX_CONSTRUCTIONS]


def _needs_help(analysis: Analysis, function: ir.FunctionDef, info: ClassInfo) -> bool:
    """Whether a parameter of the constructor may be a module: nothing says that it is a plain value."""
    for param in (*function.params.positional[1:], *function.params.keyword):
        if isinstance(param.default, ir.Const) and param.default.value is not None:
            continue
        if param.annotation is not None:
            value = parameters.annotated(analysis, info.module, param.annotation)
            if isinstance(value, Static) and value.type is not None:
                continue
        return True
    return False


def _index(project: Project) -> dict[str, list[tuple[SourceModule, str]]]:
    """Top-level functions by the class names that they call."""
    out: dict[str, list[tuple[SourceModule, str]]] = {}
    for module in project.modules.values():
        if "torch" not in module.source.text and "nn" not in module.source.text:
            continue
        for chunk in module.chunks:
            if chunk.kind == "def":
                for name in set(_CALLED.findall(chunk.text)):
                    out.setdefault(name, []).append((module, chunk.name))
    return out


def _run(analysis: Analysis, binding: FunctionBinding, info: ClassInfo) -> list[Arguments]:
    """Interpret a factory outside traced code and see how it makes the class."""
    analysis.watched[id(info)] = []
    frame = Frame(analysis, binding.unit, Environment({}, None), quiet=True)
    given: list[Value] = list(
        parameters.constructor_arguments(analysis, Function(binding.unit, binding.function), 0).positional
    )
    calls.invoke(frame, None, Function(binding.unit, binding.function), None, Arguments(given, {}))
    return analysis.watched.pop(id(info))
