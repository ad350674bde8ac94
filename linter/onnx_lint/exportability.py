"""Which models can be exported, by engine: for each entry point what the rules find in all that it reaches.

The diagnostics of a run are one for each place, whichever models reach it. Here every model is asked by itself, so that
a hazard in a shared helper counts for each model that uses it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, replace

from onnx_lint.checker import SiteRules, accepted
from onnx_lint.deep_stack import with_deep_stack
from onnx_lint.diagnostic import Diagnostic, Severity
from onnx_lint.policy import Policy
from onnx_lint.project.classes import ClassInfo
from onnx_lint.project.project import Project
from onnx_lint.semantics import entry, export_calls
from onnx_lint.semantics.evaluation.state import Analysis, Summary
from onnx_lint.semantics.interpreter import INTERPRETER
from onnx_lint.semantics.reach import calls_below
from onnx_lint.settings import Settings
from onnx_lint.target import BOTH, Engine


@dataclass(frozen=True)
class ModelVerdict:
    """What is known of one entry point."""

    name: str
    path: str
    line: int
    engines: dict[Engine, tuple[int, int]]
    """Errors and warnings that hold for the engine, suppressed ones left out. Two zeros: clean."""
    is_complete: bool
    """Whether all of it was analysed; if not, clean means little."""

    def is_clean(self, engine: Engine) -> bool:
        return self.is_complete and self.engines.get(engine) == (0, 0)


def by_model(
    project: Project,
    groups: Iterable[tuple[Settings, Collection[str]]],
    progress: Callable[[int, int], None] | None = None,
) -> list[ModelVerdict]:
    """The entry points of the files of the groups, in the order of paths and lines. Engines are those asked for, else
    both."""
    return with_deep_stack(lambda: _by_model(project, [*groups], progress))


def _by_model(
    project: Project,
    groups: list[tuple[Settings, Collection[str]]],
    progress: Callable[[int, int], None] | None,
) -> list[ModelVerdict]:
    facts = export_calls.collect(project)
    project.policy = Policy(frozenset(e for s, _ in groups for e in s.entry), frozenset(facts.by_model))
    rules: dict[str, SiteRules] = {}
    for settings, paths in groups:
        engines = settings.target.engines if settings.engine_given else BOTH
        shared = SiteRules(
            replace(settings, engine_given=True, target=replace(settings.target, engines=engines)), facts
        )
        rules |= dict.fromkeys(paths, shared)
    analysis = Analysis(project, INTERPRETER)
    entered: set[entry.Traced] = set()
    alive: list[Summary] = []  # summaries are known by their identity
    out: list[ModelVerdict] = []
    classes = list(entry.module_classes(project, project.modules.values()))
    for done, info in enumerate(classes):
        if progress is not None:
            progress(done, len(classes))
        if entry.is_entered(project, info, entered) or info.header is None:
            continue
        summary = entry.enter(analysis, info)
        if summary is None:
            continue
        alive.append(summary)
        calls = list(calls_below(summary, set()))
        sites = list(entry.collect(calls, entered, summary))
        mine = rules.get(info.module.path)
        if mine is not None:
            is_complete = not any(c.summary.cut_off is not None or c.summary.crowded for c in calls)
            out.append(_verdict(project, info, mine, mine.check(sites), is_complete=is_complete))
    return sorted(out, key=lambda m: (m.path, m.line, m.name))


def _verdict(
    project: Project, info: ClassInfo, rules: SiteRules, found: list[Diagnostic], *, is_complete: bool
) -> ModelVerdict:
    by_path: dict[str, list[Diagnostic]] = {}
    for diagnostic in found:
        by_path.setdefault(diagnostic.span.path, []).append(diagnostic)
    counts: dict[Engine, Counter[Severity]] = {engine: Counter() for engine in rules.settings.target.engines}
    for path, mine in by_path.items():
        module = project.modules.get(path)
        for diagnostic in mine if module is None else accepted(mine, module.source, rules.settings):
            for engine in diagnostic.engines:
                counts[engine][diagnostic.severity] += 1
    assert info.header is not None
    line = info.header_unit.span(info.header.at).line
    engines = {engine: (n[Severity.ERROR], n[Severity.WARNING]) for engine, n in counts.items()}
    return ModelVerdict(info.name, info.module.path, line, engines, is_complete)
