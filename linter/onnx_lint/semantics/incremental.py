"""What an editor keeps of the analysis between changes: the entry points and the results of calls that still hold."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass

from onnx_lint.coverage import Tally
from onnx_lint.project.classes import ClassInfo
from onnx_lint.project.dependencies import Node
from onnx_lint.project.imports import ImportGraph
from onnx_lint.project.modules import SourceModule
from onnx_lint.project.project import Project
from onnx_lint.semantics import entry
from onnx_lint.semantics.constructions import Factories
from onnx_lint.semantics.domain.sites import Site
from onnx_lint.semantics.duck_typing import Methods
from onnx_lint.semantics.evaluation.state import Analysis, Demanded
from onnx_lint.semantics.filled import Filled
from onnx_lint.semantics.interpreter import INTERPRETER
from onnx_lint.semantics.reach import Reached, calls_below, sites_of

_MAX_IMPORTERS = 40
"""Files looked at for how they call what a file defines; the nearest ones."""
_PRUNE_AFTER = 400
"""Results that went stale after which what holds them is swept."""


@dataclass(slots=True)
class _Candidates:
    """The classes of a file that may be entry points, each with what identifies its own ``forward``."""

    module: SourceModule
    dependency: Node
    classes: list[tuple[ClassInfo, entry.Traced | None]]


@dataclass(slots=True)
class _Entry:
    """An entry point as it was interpreted last, and the results of all calls below it."""

    info: ClassInfo
    dependency: Node
    calls: list[Reached]
    traced: set[entry.Traced]
    met_limit: bool
    """Whether a call below it was not followed."""
    demanded: list[Demanded]
    """What was found out about its inputs."""
    is_quick: bool
    """Whether that, and what holds for one entry point only, was taken to be what it was before."""


class Session:
    """The analysis of a project that is being edited (``Project(editor=True)``)."""

    def __init__(self, project: Project) -> None:
        self.project = project
        self.is_complete = True
        """Whether the last sites are all that there are."""
        self.is_hasty = False
        """Whether somebody types: an entry point that was interpreted before is interpreted anew with the shapes of
        inputs that were found then, and `is_complete` says that this is to be looked at again."""
        self.analysis = Analysis(project, INTERPRETER, roots={})
        self._start()

    def _start(self) -> None:
        self.analysis.memo.retire()
        self.analysis.initialised.retire()
        for summary in self.analysis.summaries.values():
            if summary.dependency is not None:
                summary.dependency.stale = True
        self.analysis = Analysis(self.project, INTERPRETER, roots={})
        self._entries: dict[int, _Entry] = {}
        self._candidates: dict[str, _Candidates] = {}
        self._order: tuple[object, list[SourceModule]] = (None, [])
        self._renamings, self._policy = self.project.renamings, self.project.policy
        self._stale_count = 0

    def sites(
        self,
        paths: Collection[str],
        *,
        open_files_only: bool = False,
        progress: Callable[[int, int], None] | None = None,
        tally: Tally | None = None,
    ) -> Iterator[Site]:
        """The sites in the files `paths`, as their own entry points and those of their importers reach them.

        With `open_files_only` no entry point of another file is interpreted: its previous result is reused where its
        code still exists, and `is_complete` says whether every one had a result. `progress` hears how many entry points
        are done, and of how many, before each that is interpreted; it may raise: what is done is kept. `tally` gets the
        limits that entry points met.
        """
        self._refresh()
        self.is_complete = True
        seen: set[int] = set()
        traced: set[entry.Traced] = set()
        classes = list(self._classes(self._scope(paths)))
        for done, (info, forward) in enumerate(classes):
            if forward in traced and not self.project.policy.is_entry(info.module.name, info.name):
                continue
            found = self._entries.get(id(info))
            if found is None or found.dependency.stale or (found.is_quick and not self.is_hasty):
                if open_files_only and info.module.path not in paths:
                    self.is_complete = False
                    if found is None:
                        continue
                else:
                    if progress is not None:
                        progress(done, len(classes))
                    found = self._enter(info, found.demanded if found is not None and self.is_hasty else None)
            self.is_complete = self.is_complete and not found.is_quick
            traced |= found.traced
            if tally is not None:
                tally.cut_offs |= entry.cut_offs(found.info, found.calls) if found.met_limit else set()
            fresh = [reached for reached in found.calls if id(reached.summary) not in seen]
            seen.update(id(reached.summary) for reached in fresh)
            for site in sites_of(fresh, found.calls[0].summary) if fresh else ():
                unit = site.unit
                if unit.module.path in paths and not unit.is_gone and not unit.is_masked(site.node.at):
                    yield site

    def _scope(self, paths: Collection[str]) -> list[SourceModule]:
        project = self.project
        own = [project.modules[p] for p in paths if p in project.modules]
        candidates = [m for m in project.modules.values() if entry.mentions_forward(m)]
        return own + project.derived.get(ImportGraph).importers(paths, candidates, _MAX_IMPORTERS)

    def _classes(self, modules: list[SourceModule]) -> Iterator[tuple[ClassInfo, entry.Traced | None]]:
        """The classes of these files that may be entry points, importers before what they import."""
        files = frozenset(module.path for module in modules if entry.mentions_forward(module))
        key = (files, self.project.generation, self.project.derived.get(ImportGraph).changes)
        if self._order[0] != key:
            self._order = (key, entry.in_order(self.project, modules))
        for module in self._order[1]:
            held = self._candidates.get(module.path)
            if held is None or held.module is not module or held.dependency.stale:
                held = self._candidates[module.path] = self._look_for_classes(module)
            yield from held.classes

    def _look_for_classes(self, module: SourceModule) -> _Candidates:
        tracker = self.project.tracker
        dependency = Node()

        def look() -> list[tuple[ClassInfo, entry.Traced | None]]:
            tracker.read(module.dependency)
            return [(info, entry.forward_of(info)) for info in entry.classes_of(self.project, module)]

        return _Candidates(module, dependency, tracker.compute(dependency, look))

    def _enter(self, info: ClassInfo, as_before: list[Demanded] | None) -> _Entry:
        """Interpret an entry point; `as_before`: what is known of its inputs, if that is not to be found out anew."""
        tracker, analysis = self.project.tracker, self.analysis
        dependency = Node()
        analysis.as_before, analysis.demanded = as_before, []
        try:
            summary = tracker.compute(dependency, lambda: entry.enter(analysis, info))
        finally:
            analysis.as_before = None
        traced: set[entry.Traced] = set()
        calls = list(calls_below(summary, set())) if summary is not None else []
        traced.update(c.summary.traced for c in calls if c.summary.traced is not None)
        met_limit = any(c.summary.cut_off or c.summary.crowded for c in calls)
        made = self._entries[id(info)] = _Entry(
            info, dependency, calls, traced, met_limit, analysis.demanded, as_before is not None
        )  # fmt: skip
        return made

    # ------------------------------------------------------------------------------------------------ after a change
    def _refresh(self) -> None:
        """Forget what no longer holds."""
        tracker = self.project.tracker
        self.project.derived.get(Methods).refresh()
        self.project.derived.get(Factories).refresh()
        self.project.derived.get(Filled).refresh()
        self.project.derived.get(ImportGraph).refresh()
        invalidated = tracker.drain_invalidated()
        is_renamed, is_judged_anew = self._renamings != self.project.renamings, self._policy != self.project.policy
        if is_renamed or is_judged_anew:
            self._start()
            return
        analysis = self.analysis
        for dependency in invalidated:
            key = dependency.key
            held = analysis.summaries.get(key) if isinstance(key, tuple) else None
            if isinstance(key, tuple) and held is not None and held.dependency is dependency:
                del analysis.summaries[key]
        self._stale_count += len(invalidated)
        if self._stale_count > _PRUNE_AFTER:
            self._prune()

    def _prune(self) -> None:
        self._stale_count = 0
        self.project.prune()
        analysis = self.analysis
        analysis.forget_limited()  # whoever types without a pause adds to it
        analysis.memo.prune()
        analysis.initialised.prune()
        analysis.lambdas.clear()
        analysis.uses.clear()
        analysis.last_read.clear()
        analysis.with_global.clear()
        for key, summaries in list(analysis.of_unit.items()):
            alive = [s for s in summaries if s.dependency is not None and not s.dependency.stale]
            if alive:
                analysis.of_unit[key] = alive
            else:
                del analysis.of_unit[key]
        self._entries = {k: e for k, e in self._entries.items() if not e.dependency.stale}
        analysis.objects = {k: a for k, a in analysis.objects.items() if not k[0].header_unit.is_gone}
        analysis.roots = {unit: root for unit, root in (analysis.roots or {}).items() if not unit.is_gone}
        analysis.symbol_names = {k: name for k, name in analysis.symbol_names.items() if not k[0].is_gone}
        self._candidates = {k: c for k, c in self._candidates.items() if not c.dependency.stale}
