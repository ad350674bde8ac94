"""Check: sites × rules → diagnostics. One function for the command line, the language server, the exporter, tests."""

from __future__ import annotations

from collections.abc import Callable, Collection, Hashable, Iterable, Iterator
from dataclasses import dataclass, field
from itertools import chain
from typing import Any

from onnx_lint.applying import DiagnosticCache, Group, of_site
from onnx_lint.by_file import check_by_file
from onnx_lint.codes import INTERNAL_ERROR, NOT_ANALYSED, SYNTAX_ERROR
from onnx_lint.coverage import Coverage, Tally
from onnx_lint.deep_stack import with_deep_stack
from onnx_lint.diagnostic import Diagnostic, Severity
from onnx_lint.part import NoParts, Parts
from onnx_lint.policy import Policy
from onnx_lint.project.project import Project
from onnx_lint.rule import Rule
from onnx_lint.selection import Selection
from onnx_lint.semantics import export_calls
from onnx_lint.semantics.domain.sites import OtherValue, Site
from onnx_lint.semantics.export_calls import ExportFacts
from onnx_lint.semantics.exporter_uses import ExporterUses
from onnx_lint.semantics.incremental import Session
from onnx_lint.semantics.purpose import Purposes
from onnx_lint.settings import Settings
from onnx_lint.source.text import SourceText
from onnx_lint.suppress import suppressions
from onnx_lint.target import Engine

_INCOMPLETE = frozenset(each.code for each in (SYNTAX_ERROR, NOT_ANALYSED, INTERNAL_ERROR))
"""Where one of these is reported, other diagnostics may be missing."""


def check(
    project: Project,
    settings: Settings,
    paths: Collection[str] | None = None,
    *,
    rules: Iterable[Rule[Any]] | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> list[Diagnostic]:
    """All diagnostics of the files `paths` (of all files when it is ``None``), suppressions applied, sorted.

    `progress` is called with how many entry points are done, and of how many.
    """
    return check_groups(project, [(settings, paths)], rules=rules, progress=progress)


@dataclass(frozen=True)
class CheckResult:
    """What a check found, and what it looked at."""

    diagnostics: list[Diagnostic]
    coverage: Coverage
    besides: list[Diagnostic] = field(default_factory=list)
    """The diagnostics of the group that was given besides."""


def check_groups(
    project: Project,
    groups: Iterable[tuple[Settings, Collection[str] | None]],
    *,
    rules: Iterable[Rule[Any]] | None = None,
    progress: Callable[[int, int], None] | None = None,
    open_files_only: bool = False,
) -> list[Diagnostic]:
    """The diagnostics of `check_with_coverage`."""
    return check_with_coverage(
        project, groups, rules=rules, progress=progress, open_files_only=open_files_only
    ).diagnostics


def check_with_coverage(
    project: Project,
    groups: Iterable[tuple[Settings, Collection[str] | None]],
    *,
    rules: Iterable[Rule[Any]] | None = None,
    progress: Callable[[int, int], None] | None = None,
    open_files_only: bool = False,
    besides: tuple[Settings, Collection[str] | None] | None = None,
    parts: Parts | None = None,
    workers: int = 1,
) -> CheckResult:
    """Like `check`, for files under different settings, at the cost of one analysis, and with what was looked at.
    `besides` is a further group, whose diagnostics are handed out apart and which does not count as looked at.

    In an editor's project only the files of the groups are looked at, as their own entry points and those of the files
    that import them reach them; what still holds from the last time is not computed again, and the coverage counts no
    models and functions. For `open_files_only` see `Session.sites`. Outside of an editor `parts` are asked for what is
    known of an earlier run, and given what was computed, and many files are looked at in several processes.
    """
    given = rules is not None
    wanted = [*groups] if besides is None else [*groups, besides]
    chosen = [Group(settings, paths, Selection(settings, rules), is_ordinary=not given) for settings, paths in wanted]
    held = NoParts() if parts is None else parts
    return with_deep_stack(
        lambda: _check(project, chosen, progress, open_files_only, held, workers, with_besides=besides is not None)
    )


class SiteRules:
    """The rules under some settings, for sites that somebody else collected."""

    def __init__(self, settings: Settings, facts: ExportFacts) -> None:
        self.settings, self._facts = settings, facts
        self._selection = Selection(settings)

    def check(self, sites: Iterable[Site]) -> list[Diagnostic]:
        """The diagnostics of sites, one for each code and place. Severities and suppressions: see `accepted`."""
        group = Group(self.settings, None, self._selection, is_ordinary=True)
        for site in sites:
            for diagnostic in of_site(site, group.by_site.get(type(site), ()), group, self._facts, None):
                group.put(diagnostic)
        return list(group.found.values())


def _check(
    project: Project,
    groups: list[Group],
    progress: Callable[[int, int], None] | None,
    open_files_only: bool,
    parts: Parts,
    workers: int,
    *,
    with_besides: bool,
) -> CheckResult:
    heard = progress if project.is_editor else None
    facts = export_calls.collect(project, open_files_only=open_files_only, progress=heard)
    project.policy = Policy(frozenset(e for g in groups for e in g.settings.entry), frozenset(facts.by_model))
    purposes = project.derived.get(Purposes)
    purposes.begin()
    for group in groups:
        group.purposes = purposes
    if project.is_editor:
        tally, others = _check_open(project, groups, facts, progress, open_files_only)
    else:
        parts.begin(project, repr(facts.calls))
        joined = check_by_file(project, groups, facts, parts, progress, workers)
        tally, others = joined.tally, joined.others
    out: list[list[Diagnostic]] = []
    for group in groups:
        group.distrust(others)
        engines = group.engines(facts)
        limits = [d for d in _limits(tally, engines) if group.has(d.span.path)]
        everything = [*group.found.values(), *_faults(project, group, engines, parts), *limits]
        out.append(_finish(project, group, everything, is_complete=not tally.cut_offs))
    besides = out.pop() if with_besides else []
    asked = groups[: len(out)]
    found = sorted((d for one in out for d in one), key=lambda d: d.sort_key)
    return CheckResult(found, _coverage(project, asked, tally), besides)


def _coverage(project: Project, groups: list[Group], tally: Tally) -> Coverage:
    files = {path for g in groups for path in (project.modules if g.paths is None else g.paths)}
    ran = {rule.code for g in groups for rules in g.by_site.values() for rule in rules}
    stable = {rule.code for g in groups for rule in g.selection.rules if not rule.preview}
    cut_offs = tuple(sorted(tally.cut_offs, key=lambda c: (c.span, c.name, c.reason)))
    return Coverage(
        len(files), tally.models, tally.entry_points, tally.functions, len(ran), len(stable | ran), cut_offs
    )


def _check_open(
    project: Project,
    groups: list[Group],
    facts: ExportFacts,
    progress: Callable[[int, int], None] | None,
    open_files_only: bool,
) -> tuple[Tally, set[Hashable]]:
    """In an editor: look at the files of the groups; what is found is put into them. Gives the limits that were met,
    and the places of values that fixes are not for."""
    is_cached = all(g.is_ordinary for g in groups)
    cache = project.derived.get(DiagnosticCache) if is_cached else None
    if cache is not None:
        cache.begin()
    tally = Tally()
    others: set[Hashable] = set()
    for site in chain(_exporter_uses(project, groups), _sites(project, groups, progress, open_files_only, tally)):
        place = (id(site.unit), site.node.at)
        if isinstance(site, OtherValue):
            others.add(place)
            continue
        for group in groups:
            rules = group.by_site.get(type(site))
            if rules and group.has(site.unit.module.path):
                for diagnostic in of_site(site, rules, group, facts, cache):
                    group.add(diagnostic, place)
    if cache is not None:
        cache.keep()
    return tally, others


def _exporter_uses(project: Project, groups: list[Group]) -> Iterator[Site]:
    """Where the files of the groups use the exporter; no model need be entered for these."""
    uses = project.derived.get(ExporterUses)
    return uses.sites(None if any(g.paths is None for g in groups) else {p for g in groups for p in g.paths or ()})


def _sites(
    project: Project,
    groups: list[Group],
    progress: Callable[[int, int], None] | None,
    open_files_only: bool,
    tally: Tally,
) -> Iterator[Site]:
    wanted: set[str] = set()
    for group in groups:
        wanted.update(project.modules if group.paths is None else group.paths)
    session = project.derived.get(Session)
    return session.sites(wanted, open_files_only=open_files_only, progress=progress, tally=tally)


def _finish(project: Project, group: Group, diagnostics: list[Diagnostic], *, is_complete: bool) -> list[Diagnostic]:
    """Apply severities, per-file ignores and suppressions. Where the analysis is not complete, a suppression without a
    diagnostic may still be needed."""
    settings, selection, paths = group.settings, group.selection, group.paths
    by_path: dict[str, list[Diagnostic]] = {}
    for diagnostic in diagnostics:
        by_path.setdefault(diagnostic.span.path, []).append(diagnostic)
    out: list[Diagnostic] = []
    for path, module in project.modules.items():
        if paths is not None and path not in paths:
            continue
        mine = by_path.get(path, ())
        kept = [selection.as_set(d) for d in mine if selection.applies(d, path)]
        if settings.suppressions and "onnx-lint:" in module.source.text:
            complete = is_complete and not settings.partial and not any(d.code in _INCOMPLETE for d in mine)
            kept = suppressions(module.source).apply(kept, selection, complete=complete)
        out.extend(d for d in kept if d.severity >= settings.minimum)
    return out


def accepted(diagnostics: Iterable[Diagnostic], source: SourceText, settings: Settings) -> list[Diagnostic]:
    """What the settings and the suppressions in a file leave of the diagnostics that an export found there."""
    selection = Selection(settings)
    kept = [selection.as_set(d) for d in diagnostics if selection.applies(d, source.path)]
    if settings.suppressions:
        kept = suppressions(source).unsuppressed(kept, selection)
    return [d for d in kept if d.severity >= settings.minimum]


# ------------------------------------------------------------------------------------------------------- faults
def _limits(tally: Tally, engines: tuple[Engine, ...]) -> Iterator[Diagnostic]:
    """The entry points and functions that met a limit. What is missing there may be harmless: information."""
    for cut_off in tally.cut_offs:
        message = f"`{cut_off.name}` is not analysed in full: {cut_off.reason}"
        yield NOT_ANALYSED.diagnostic(Severity.INFO, cut_off.span, message, engines)


def _faults(project: Project, group: Group, engines: tuple[Engine, ...], parts: Parts) -> Iterator[Diagnostic]:
    """What could not be analysed: syntax errors, and chunks beyond the guards. Every chunk is looked at, also those
    that no traced code reaches, when Python itself does not take the file."""
    wanted = project.modules if group.paths is None else group.paths
    for path in wanted:
        module = project.modules.get(path)
        if module is None:
            continue
        if parts.parses(path):
            module.take_for_parsed()
        for unit in module.faulty_units():
            chunk = unit.chunk if unit.last_good is None else unit.last_good.chunk
            if unit.refusal is not None:
                span = unit.fault_span(1, 0)
                yield NOT_ANALYSED.diagnostic(Severity.WARNING, span, f"not analysed: {unit.refusal}", engines)
            elif chunk.lowered.fault is not None:
                fault = chunk.lowered.fault
                message = f"syntax error: {fault.message}; the statement is not analysed"
                if unit.last_good is not None:
                    message = f"syntax error: {fault.message}; its last valid version is analysed instead"
                span = unit.fault_span(fault.line, fault.column)
                yield SYNTAX_ERROR.diagnostic(Severity.ERROR, span, message, engines)
