"""How the project makes its models: the factory functions that call a class, and the arguments they give.

A model whose parts are handed to its constructor (``RAFT(corr_block=CorrBlock(…))``) says nothing of them itself.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from onnx_lint.project.classes import ClassInfo
from onnx_lint.project.modules import FunctionBinding, SourceModule
from onnx_lint.project.project import Project
from onnx_lint.semantics.domain.values import Arguments, Function, Static, Value
from onnx_lint.semantics.evaluation import calls, parameters
from onnx_lint.semantics.evaluation.frame import Analysis, Environment, Frame, Summary
from onnx_lint.source import ir
from onnx_lint.source.text import SourceText

_MAX_FACTORIES = 3
_MAX_CONSTRUCTIONS = 2
_MAX_CALLS = 200
"""Calls of a factory that are looked at for the objects that they make."""
_CALLED = re.compile(r"\b([A-Z]\w+)\(")


def of(analysis: Analysis, info: ClassInfo) -> list[Arguments]:
    """Arguments with which the project's functions make `info`; empty when its constructor needs no help."""
    found = info.find("__init__")
    if found is None or not isinstance(found[1][1], ir.FunctionDef) or not _needs_help(analysis, found[1][1], info):
        return []
    made: list[Arguments] = []
    for module, name in factories(analysis.project).making(info.name)[:_MAX_FACTORIES]:
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


class Factories:
    """Top-level functions of a project by the class names that they call."""

    def __init__(self, project: Project) -> None:
        self._project = project
        self._generation = -1
        self._files: dict[str, tuple[SourceText, dict[str, tuple[str, ...]]]] = {}
        self._in_chunks: dict[str, dict[str, frozenset[str]]] = {}
        """By path, the class names that functions with these texts call."""
        self._by_class: dict[str, list[tuple[SourceModule, str]]] = {}
        self._facts = project.tracker.facts()

    def making(self, name: str) -> list[tuple[SourceModule, str]]:
        """The functions that call a class of that name, with their files."""
        self._facts.read(name)
        if self._generation != self._project.generation:
            self.update()
        return self._by_class.get(name, [])

    def refresh(self) -> None:
        """Look at what has changed, if anybody has asked before."""
        if self._generation != -1:
            self.update()

    def update(self) -> None:
        """Look at what has changed since the last time."""
        project = self._project
        changed: set[str] = set()
        if self._generation != project.generation:
            self._generation = project.generation
            for path in self._files.keys() - project.modules.keys():
                changed.update(self._files.pop(path)[1])
        for path, module in project.modules.items():
            held = self._files.get(path)
            if held is not None and held[0] is module.source:
                continue
            before, after = held[1] if held is not None else {}, self._called(module)
            self._files[path] = (module.source, after)
            changed.update(n for n in {**before, **after} if before.get(n) != after.get(n))
        if not changed:
            return
        self._by_class = {}
        for path, (_, called) in self._files.items():
            for name, functions in called.items():
                self._by_class.setdefault(name, []).extend((project.modules[path], f) for f in functions)
        for name in changed:
            self._facts.invalidate(name)

    def _called(self, module: SourceModule) -> dict[str, tuple[str, ...]]:
        """The functions of a file by the class names that they call."""
        out: dict[str, tuple[str, ...]] = {}
        if "torch" not in module.source.text and "nn" not in module.source.text:
            return out
        before, now = self._in_chunks.get(module.path, {}), dict[str, frozenset[str]]()
        for chunk in module.chunks:
            if chunk.kind == "def":
                names = before.get(chunk.text)
                now[chunk.text] = frozenset(_CALLED.findall(chunk.text)) if names is None else names
                for name in now[chunk.text]:
                    out[name] = (*out.get(name, ()), chunk.name)
        self._in_chunks[module.path] = now
        return out


def factories(project: Project) -> Factories:
    """The factories of a project, kept with it."""
    held = project.derived.get("factories")
    if isinstance(held, Factories):
        return held
    made = Factories(project)
    project.derived["factories"] = made
    return made


def _run(analysis: Analysis, binding: FunctionBinding, info: ClassInfo) -> list[Arguments]:
    """Interpret a factory outside traced code and see how it makes the class."""
    frame = Frame(analysis, binding.unit, Environment({}, None), quiet=True)
    given: list[Value] = list(
        parameters.constructor_arguments(analysis, Function(binding.unit, binding.function), 0).positional
    )
    calls.invoke(frame, None, Function(binding.unit, binding.function), None, Arguments(given, {}))
    return list(_made(frame.summary, info))


def _made(summary: Summary, info: ClassInfo) -> Iterator[Arguments]:
    """The arguments with which calls, and the calls that they made, made objects of a class."""
    pending, seen = [summary], set[int]()
    while pending:
        current = pending.pop()
        if id(current) not in seen and len(seen) < _MAX_CALLS:
            seen.add(id(current))
            yield from (args for cls, args in current.made if cls is info)
            pending += current.children
