"""What a top-level name stands for, through imports, re-exports and ``from m import *``."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass

from onnx_lint.project.classes import Classes, ClassInfo
from onnx_lint.project.dependencies import Memo, Tracker
from onnx_lint.project.meanings import External, Module
from onnx_lint.project.module_table import ModuleTable
from onnx_lint.project.modules import (
    STARS,
    Binding,
    ClassBinding,
    FunctionBinding,
    ImportBinding,
    SourceModule,
    ValueBinding,
)
from onnx_lint.source import ir

Meaning = External | Module | ClassInfo | FunctionBinding | ValueBinding
"""What a name stands for."""

_Key = tuple[str, str]
"""Path and name."""
_Search = Generator[tuple[SourceModule, str], "Meaning | None", "Meaning | None"]
"""Looks for what a name stands for: yields the names of other files that it has to know first, and is sent what they
stand for."""


@dataclass(slots=True)
class _Step:
    """A name that is being looked for. `is_cut` says that a way from here ended at a name that was being looked for
    itself: from there, the search would find another end of the cycle."""

    key: _Key
    search: _Search
    is_cut: bool = False


class Resolver:
    """Names across files, remembered.

    Files may import each other in any way. One question visits each name of a file at most once, and what fails is
    remembered for every name that was visited: it leads nowhere from there either. What is found through a cycle is
    remembered for the name that was asked for, and not used on the way to others: so an answer does not rest on what
    was asked before.
    """

    def __init__(self, table: ModuleTable, tracker: Tracker) -> None:
        self._table, self._tracker = table, tracker
        self._meanings: Memo[_Key, Meaning | None] = Memo(tracker)
        self._through_cycles: Memo[_Key, Meaning | None] = Memo(tracker)
        """What was found through a cycle, by the name at which the search began."""
        self.classes = Classes(self.resolve)

    def forget(self) -> None:
        """Nothing holds any more."""
        if not self._tracker.is_tracking:
            self.classes = Classes(self.resolve)  # their bases may be those of a text that was replaced
        self._meanings, self._through_cycles = Memo(self._tracker), Memo(self._tracker)

    def prune(self) -> None:
        """Let go of what no longer holds."""
        self._meanings.prune()
        self._through_cycles.prune()

    def resolve(self, module: SourceModule, expression: ir.Expr) -> Meaning | None:
        """What a dotted expression at the top level of `module` stands for."""
        attributes: list[str] = []
        while isinstance(expression, ir.Attribute):
            attributes.append(expression.attr)
            expression = expression.value
        if not isinstance(expression, ir.Name):
            return None
        meaning = self.resolve_name(module, expression.id)
        while attributes and meaning is not None:
            meaning = self._attribute(module, meaning, attributes.pop())
        return meaning

    def resolve_name(self, module: SourceModule, name: str) -> Meaning | None:
        """What a top-level name of `module` stands for, through imports and re-exports."""
        key = (module.path, name)
        held = self._meanings.get(key) or self._through_cycles.get(key)
        if held is not None:
            return held[0]
        dependency = self._tracker.node()
        meaning, known = self._tracker.compute(dependency, lambda: self._search(module, name))
        for each, one in known.items():
            self._meanings.put(each, one, dependency)
        if key not in known:
            self._through_cycles.put(key, meaning, dependency)
        self._tracker.read(dependency)
        return meaning

    def resolve_import(self, module: SourceModule, binding: ImportBinding) -> Meaning | None:
        """What an import that stands anywhere in `module` binds."""
        search = self._follow(module, binding)
        answer: Meaning | None = None
        while True:
            try:
                step = search.send(answer)
            except StopIteration as end:
                found: Meaning | None = end.value
                return found
            answer = self.resolve_name(*step)

    def _attribute(self, importer: SourceModule, base: Meaning, name: str) -> Meaning | None:
        """The attribute `name` of a module or of something external, as `importer` sees it."""
        if isinstance(base, External):
            return External(f"{base.name}.{name}")
        if isinstance(base, Module):
            meaning = self.resolve_name(base.source, name) if base.source is not None else None
            return (
                meaning if meaning is not None else self._table.module(f"{base.name}.{name}", base.source or importer)
            )
        return None

    # --------------------------------------------------------------------------------------------------- the search
    def _search(self, module: SourceModule, name: str) -> tuple[Meaning | None, dict[_Key, Meaning | None]]:
        """What the name stands for, and the names of which that is known then, wherever a search begins.

        Depth first, on a stack of its own: a chain of re-exports may be longer than Python's.
        """
        start = (module.path, name)
        known: dict[_Key, Meaning | None] = {}
        visited: dict[_Key, Meaning | None] = {start: None}
        stack = [_Step(start, self._alternatives(module, name))]
        answer: Meaning | None = None
        while stack:
            step = stack[-1]
            try:
                module, name = step.search.send(answer)
            except StopIteration as end:
                stack.pop()
                answer = visited[step.key] = end.value
                if not step.is_cut:
                    known[step.key] = answer
                elif stack:
                    stack[-1].is_cut = True
                continue
            key = (module.path, name)
            held = self._meanings.get(key)
            if held is not None:
                answer = held[0]
            elif key in visited:
                answer = visited[key]  # ``None`` for what is being looked for: a cycle ends here
                step.is_cut |= key not in known
            else:
                visited[key] = answer = None
                stack.append(_Step(key, self._alternatives(module, name)))
        return answer, known if answer is not None else visited

    def _alternatives(self, module: SourceModule, name: str) -> _Search:
        table, fallback = self._table, None
        module.names.read(name)
        for binding in module.lookup(name):
            meaning = yield from self._follow(module, binding)
            if isinstance(meaning, ValueBinding) and isinstance(meaning.value, ir.Const):
                fallback = fallback or meaning  # `except ImportError: f = None`
            elif meaning is not None:
                return meaning
        if fallback is not None:
            return fallback
        module.names.read(STARS)
        for star in module.stars:
            target = table.load(module, table.import_of(module, star))
            if target is not None and target.source is not None and target.source is not module:
                meaning = yield target.source, name
                if meaning is not None:
                    return meaning
        if module.is_package:
            return table.load(module, f"{module.name}.{name}")
        return None

    def _follow(self, module: SourceModule, binding: Binding) -> _Search:
        if isinstance(binding, ClassBinding):
            return self.classes.of(binding)
        if not isinstance(binding, ImportBinding):
            self._tracker.read(binding.unit.dependency)
            return binding
        table = self._table
        target = table.import_of(module, binding)
        found = table.load(module, target)
        if binding.attribute is None:
            return found or External(target)
        if found is None:
            submodule = table.load(module, f"{target}.{binding.attribute}")
            if submodule is not None:
                return submodule
            is_known = table.is_known(target.partition(".")[0])
            return None if is_known and not target else External(f"{target}.{binding.attribute}")
        if found.source is not None:
            meaning = yield found.source, binding.attribute
            if meaning is not None:
                return meaning
        return table.module(f"{found.name}.{binding.attribute}", found.source or module)
