"""How the project makes its models: the factory functions that call a class, and the arguments they give.

A model whose parts are handed to its constructor (``RAFT(corr_block=CorrBlock(…))``) says nothing of them itself.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import chain

from onnx_lint.project.classes import ClassInfo
from onnx_lint.project.derived import ChunkMemo, NameIndex, Names
from onnx_lint.project.modules import FunctionBinding, SourceModule, Unit
from onnx_lint.project.project import Project
from onnx_lint.semantics.domain.demands import Enough
from onnx_lint.semantics.domain.environment import Environment
from onnx_lint.semantics.domain.values import Arguments, Const, Function, Static
from onnx_lint.semantics.evaluation.frame import Frame
from onnx_lint.semantics.evaluation.state import AllMade, Analysis, Summary, Wanted
from onnx_lint.source import ir

_MAX_FACTORIES = 3
_MAX_CONSTRUCTIONS = 2
_MAX_CALLS = 200
"""Calls of a factory that are looked at for the objects that they make."""
_MAX_STEPS = 1_000
"""Statements of a factory that are interpreted: most make their model within a hundred, and then load its weights."""
_EXPORT_FLAG = re.compile(r"(?:^|_)export(?:able|ing)?(?:_|$)")
_NAMED = re.compile(
    r"\b([A-Z]\w+)\s*(?=\()|(?<!partial)\(\s*([A-Z]\w+)\s*[,)]|\b(?:cls|model_cls|model_class)\s*=\s*([A-Z]\w+)"
    r"|\b(_\w+|(?:create|build|make)\w*)(?=\()"
)
"""A class that is called, or handed to what makes it, and a function that by its name may make something. Classes in
other arguments are parts of what is made."""


def of(analysis: Analysis, info: ClassInfo) -> list[Arguments | None]:
    """Arguments with which the project's functions make `info` for an export; empty when its constructor needs no help.
    ``None`` stands for others: of many variants of a model, made through one function, one is looked at, and what is
    common."""
    found = info.find("__init__")
    if found is None:
        return []
    owner, (unit, definition) = found
    if not isinstance(definition, ir.FunctionDef):
        return []
    flags = _export_flags(definition)
    made = _made_by_project(analysis, info, owner, unit, definition)
    if not flags:
        return made
    given = [args for args in made if args is not None] or [
        analysis.interpreter.constructor_arguments(analysis, Function(unit, definition, None, owner))
    ]
    return [_for_export(args, definition, flags) for args in given]


def _export_flags(definition: ir.FunctionDef) -> list[str]:
    """The flags of a constructor that say that the model is made to be exported: ``exportable=False``."""
    params = (*definition.params.positional[1:], *definition.params.keyword)
    return [
        p.name
        for p in params
        if _EXPORT_FLAG.search(p.name) and isinstance(p.default, ir.Const) and p.default.value is False
    ]


def _for_export(args: Arguments, definition: ir.FunctionDef, flags: Sequence[str]) -> Arguments:
    """The arguments of a model that is made to be exported."""
    names = [p.name for p in definition.params.positional[1:]]
    positional = [Const(True) if name in flags else value for name, value in zip(names, args.positional, strict=False)]
    positional += args.positional[len(names) :]
    given = dict.fromkeys([f for f in flags if f not in names[: len(args.positional)]], Const(True))
    return replace(args, positional=tuple(positional), keyword={**args.keyword, **given})


def _made_by_project(
    analysis: Analysis, info: ClassInfo, owner: ClassInfo, unit: Unit, definition: ir.FunctionDef
) -> list[Arguments | None]:
    by_default = _by_default(analysis, Function(unit, definition, None, owner))
    if not _needs_help(analysis, definition, info):
        return [] if by_default is None else [by_default, None]
    made: list[Arguments | None] = []
    for module, name, is_variant in _factories(analysis.project, info.name):
        for binding in module.lookup(name):
            if isinstance(binding, FunctionBinding):
                seen = _run(analysis, binding, info, 1 if is_variant else _MAX_CONSTRUCTIONS - len(made))
                if seen and is_variant:
                    return [seen[0], None]
                made += seen
        if len(made) >= _MAX_CONSTRUCTIONS:
            break
    return made[:_MAX_CONSTRUCTIONS] or ([] if by_default is None else [by_default, None])


def _by_default(analysis: Analysis, function: Function) -> Arguments | None:
    """The arguments of a model that is made with what its constructor demands only: the others are at their defaults.
    ``None`` where that says no more than fixed values of their types."""
    params = function.function.params
    defaults = [p.default for p in (*params.positional, *params.keyword) if p.default is not None]
    if not any(isinstance(d, ir.Const) and (d.value is None or isinstance(d.value, (str, bool))) for d in defaults):
        return None
    given = analysis.interpreter.constructor_arguments(analysis, function)
    required = [p for p in params.positional[1:] if p.default is None]
    named = {p.name: given.keyword[p.name] for p in params.keyword if p.default is None}
    return Arguments(given.positional[: len(required)], named)


def _factories(project: Project, name: str) -> Iterator[tuple[SourceModule, str, bool]]:
    """The functions that make a class: of one that is called by others of its file, the first of these, since they say
    with what; they make variants."""
    index = project.derived.get(Factories)
    for module, function in index.lookup(name)[:_MAX_FACTORIES]:
        callers = [f for m, f in index.lookup(function) if m is module and f != function]
        yield (module, callers[0], True) if callers else (module, function, False)


def _needs_help(analysis: Analysis, function: ir.FunctionDef, info: ClassInfo) -> bool:
    """Whether a parameter of the constructor may be a module: nothing says that it is a plain value."""
    for param in (*function.params.positional[1:], *function.params.keyword):
        if isinstance(param.default, ir.Const) and param.default.value is not None:
            continue
        if param.annotation is not None:
            value = analysis.interpreter.annotated(analysis, info.module, param.annotation)
            if isinstance(value, Static) and value.type is not None:
                continue
        return True
    return False


class Factories(NameIndex):
    """Top-level functions of a project by the classes that they name, and by the factories that they call."""

    def __init__(self, project: Project) -> None:
        super().__init__(project, self._called)
        self._in_chunks = ChunkMemo(lambda text: frozenset(filter(None, chain.from_iterable(_NAMED.findall(text)))))

    def _called(self, module: SourceModule) -> Names:
        """The functions of a file by the class names that they call."""
        out: dict[str, tuple[str, ...]] = {}
        if "torch" not in module.source.text and "nn" not in module.source.text:
            return out
        functions = [chunk for chunk in module.chunks if chunk.kind == "def"]
        names = self._in_chunks.of(module.path, [chunk.text for chunk in functions])
        for chunk in functions:
            for name in names[chunk.text]:
                out[name] = (*out.get(name, ()), chunk.name)
        return out


def _run(analysis: Analysis, binding: FunctionBinding, info: ClassInfo, most: int) -> list[Arguments]:
    """Interpret a factory outside traced code, until it has made `most` objects of the class, and see with what."""
    frame = Frame(analysis, binding.unit, Environment({}), records_sites=False)
    function = Function(binding.unit, binding.function)
    given = frame.interp.constructor_arguments(analysis, function, 0)
    wanted = analysis.wanted = Wanted(info, most)
    analysis.stop_at = analysis.spent + _MAX_STEPS
    try:
        frame.interp.invoke(frame, None, function, None, Arguments(given.positional))
    except (AllMade, Enough):
        return wanted.made
    finally:
        analysis.wanted, analysis.stop_at = None, float("inf")
    return list(_made(frame.summary, info))[:most]  # those of remembered calls are among them


def _made(summary: Summary, info: ClassInfo) -> Iterator[Arguments]:
    """The arguments with which calls, and the calls that they made, made objects of a class."""
    pending, seen = [summary], set[int]()
    while pending:
        current = pending.pop()
        if id(current) not in seen and len(seen) < _MAX_CALLS:
            seen.add(id(current))
            yield from (args for cls, args in current.made if cls is info)
            pending += [call.summary for call in current.calls]
