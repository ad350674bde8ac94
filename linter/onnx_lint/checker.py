"""Check: sites × rules → diagnostics. One function for the command line, the language server, the exporter, tests."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass, field, replace
from itertools import chain
from typing import Any

from onnx_lint.codes import INTERNAL_ERROR, NOT_ANALYSED, SYNTAX_ERROR
from onnx_lint.coverage import Coverage, Tally
from onnx_lint.deep_stack import with_deep_stack
from onnx_lint.diagnostic import Applicability, Diagnostic, Severity, Span
from onnx_lint.policy import Policy
from onnx_lint.project.dependencies import Node
from onnx_lint.project.project import Project
from onnx_lint.rule import Finding, Rule
from onnx_lint.selection import Selection
from onnx_lint.semantics import entry, export_calls
from onnx_lint.semantics.domain.sites import OtherValue, Site
from onnx_lint.semantics.export_calls import ExportFacts
from onnx_lint.semantics.exporter_uses import ExporterUses
from onnx_lint.semantics.incremental import Session
from onnx_lint.semantics.purpose import Purposes
from onnx_lint.settings import Settings
from onnx_lint.severity import severity_of
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
) -> CheckResult:
    """Like `check`, for files under different settings, at the cost of one analysis, and with what was looked at.
    `besides` is a further group, whose diagnostics are handed out apart and which does not count as looked at.

    In an editor's project only the files of the groups are looked at, as their own entry points and those of the files
    that import them reach them; what still holds from the last time is not computed again, and the coverage counts no
    models and functions. For `open_files_only` see `Session.sites`.
    """
    given = rules is not None
    wanted = [*groups] if besides is None else [*groups, besides]
    chosen = [_Group(settings, paths, Selection(settings, rules), is_ordinary=not given) for settings, paths in wanted]
    return with_deep_stack(lambda: _check(project, chosen, progress, open_files_only, with_besides=besides is not None))


class _Group:
    """Files under the same settings, and what was found in them."""

    def __init__(
        self, settings: Settings, paths: Collection[str] | None, selection: Selection, *, is_ordinary: bool
    ) -> None:
        self.settings, self.paths, self.selection = settings, paths, selection
        self.is_ordinary = is_ordinary
        """Whether the rules are the installed ones."""
        self.by_site = selection.by_site()
        self.found: dict[tuple[str, Span], Diagnostic] = {}
        self.purposes: Purposes | None = None
        """What speaks against an export of some code; ``None`` where the code is exported for certain."""
        self._fixed_at: dict[tuple[int, int], tuple[Site, list[tuple[str, Span]]]] = {}
        """Diagnostics with a safe fix, by the unit and the node of their site."""

    def engines(self, facts: ExportFacts, model: str = "") -> tuple[Engine, ...]:
        """The engines that count for a model: as asked for, else as the export calls say."""
        if self.settings.engine_given:
            return self.settings.target.engines
        return facts.engines_for(model) or self.settings.target.engines

    def has(self, path: str) -> bool:
        return self.paths is None or path in self.paths

    def add(self, diagnostic: Diagnostic, site: Site) -> None:
        key = (diagnostic.code, diagnostic.span)
        if diagnostic.fix is not None and diagnostic.fix.applicability is Applicability.SAFE:
            self._fixed_at.setdefault((id(site.unit), site.node.at), (site, []))[1].append(key)
        other = self.found.get(key)
        if other is None or other.severity < diagnostic.severity:
            self.found[key] = diagnostic

    def distrust(self, others: Collection[tuple[int, int]]) -> None:
        """No fix is safe where something else comes to its node too: `others` are units and nodes."""
        for place in self._fixed_at.keys() & others:
            for key in self._fixed_at[place][1]:
                diagnostic = self.found[key]
                if diagnostic.fix is not None:
                    fix = replace(diagnostic.fix, applicability=Applicability.UNSAFE)
                    self.found[key] = replace(diagnostic, fix=fix)


class SiteRules:
    """The rules under some settings, for sites that somebody else collected."""

    def __init__(self, settings: Settings, facts: ExportFacts) -> None:
        self.settings, self._facts = settings, facts
        self._selection = Selection(settings)

    def check(self, sites: Iterable[Site]) -> list[Diagnostic]:
        """The diagnostics of sites, one for each code and place. Severities and suppressions: see `accepted`."""
        group = _Group(self.settings, None, self._selection, is_ordinary=True)
        for site in sites:
            for diagnostic in _of_site(site, group.by_site.get(type(site), ()), group, self._facts, None):
                group.add(diagnostic, site)
        return list(group.found.values())


def _check(
    project: Project,
    groups: list[_Group],
    progress: Callable[[int, int], None] | None,
    open_files_only: bool,
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
    is_cached = project.is_editor and all(g.is_ordinary for g in groups)
    cache = project.derived.get(DiagnosticCache) if is_cached else None
    if cache is not None:
        cache.begin()
    tally = Tally()
    others: set[tuple[int, int]] = set()
    for site in chain(_exporter_uses(project, groups), _sites(project, groups, progress, open_files_only, tally)):
        if isinstance(site, OtherValue):
            others.add((id(site.unit), site.node.at))
            continue
        for group in groups:
            rules = group.by_site.get(type(site))
            if rules and group.has(site.unit.module.path):
                for diagnostic in _of_site(site, rules, group, facts, cache):
                    group.add(diagnostic, site)
    if cache is not None:
        cache.keep()
    out: list[list[Diagnostic]] = []
    for group in groups:
        group.distrust(others)
        engines = group.engines(facts)
        limits = [d for d in _limits(tally, engines) if group.has(d.span.path)]
        everything = [*group.found.values(), *_faults(project, group, engines), *limits]
        out.append(_finish(project, group, everything, is_complete=not tally.cut_offs))
    besides = out.pop() if with_besides else []
    asked = groups[: len(out)]
    found = sorted((d for one in out for d in one), key=lambda d: d.sort_key)
    return CheckResult(found, _coverage(project, asked, tally), besides)


def _coverage(project: Project, groups: list[_Group], tally: Tally) -> Coverage:
    files = {path for g in groups for path in (project.modules if g.paths is None else g.paths)}
    ran = {rule.code for g in groups for rules in g.by_site.values() for rule in rules}
    stable = {rule.code for g in groups for rule in g.selection.rules if not rule.preview}
    cut_offs = tuple(sorted(tally.cut_offs, key=lambda c: (c.span, c.name, c.reason)))
    return Coverage(
        len(files), tally.models, tally.entry_points, len(tally.functions), len(ran), len(stable | ran), cut_offs
    )


def _exporter_uses(project: Project, groups: list[_Group]) -> Iterator[Site]:
    """Where the files of the groups use the exporter; no model need be entered for these."""
    uses = project.derived.get(ExporterUses)
    return uses.sites(None if any(g.paths is None for g in groups) else {p for g in groups for p in g.paths or ()})


def _sites(
    project: Project,
    groups: list[_Group],
    progress: Callable[[int, int], None] | None,
    open_files_only: bool,
    tally: Tally,
) -> Iterator[Site]:
    if not project.is_editor:
        return entry.analyse(project, progress=progress, tally=tally)
    wanted: set[str] = set()
    for group in groups:
        wanted.update(project.modules if group.paths is None else group.paths)
    session = project.derived.get(Session)
    return session.sites(wanted, open_files_only=open_files_only, progress=progress, tally=tally)


def _finish(project: Project, group: _Group, diagnostics: list[Diagnostic], *, is_complete: bool) -> list[Diagnostic]:
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
        kept = [selection.with_severity(d) for d in mine if selection.applies(d, path)]
        if settings.suppressions and "onnx-lint:" in module.source.text:
            complete = is_complete and not settings.partial and not any(d.code in _INCOMPLETE for d in mine)
            kept = suppressions(module.source).apply(kept, selection, complete=complete)
        out.extend(d for d in kept if d.severity >= settings.minimum)
    return out


def accepted(diagnostics: Iterable[Diagnostic], source: SourceText, settings: Settings) -> list[Diagnostic]:
    """What the settings and the suppressions in a file leave of the diagnostics that an export found there."""
    selection = Selection(settings)
    kept = [selection.with_severity(d) for d in diagnostics if selection.applies(d, source.path)]
    if settings.suppressions:
        kept = suppressions(source).unsuppressed(kept, selection)
    return [d for d in kept if d.severity >= settings.minimum]


# -------------------------------------------------------------------------------------------- findings → diagnostics
@dataclass(slots=True)
class _Cached:
    """The diagnostics of a site, and what they rest on."""

    site: Site
    group: tuple[Settings, ExportFacts]
    moves: int
    diagnostics: tuple[Diagnostic, ...]
    dependency: Node
    """What rules asked the project for: what a name stands for."""

    def rests_on(self, site: Site, settings: Settings, facts: ExportFacts) -> bool:
        same = self.site is site and self.group[0] is settings and self.group[1] is facts
        return same and self.moves == site.moves and not self.dependency.stale


class DiagnosticCache:
    """In an editor: the diagnostics of the last check by site, and those of this one."""

    def __init__(self, project: Project) -> None:
        self.before: dict[tuple[int, int], _Cached] = {}
        self.now: dict[tuple[int, int], _Cached] = {}

    def begin(self) -> None:
        """A check begins: what a broken-off one found does not count."""
        self.now = {}

    def keep(self) -> None:
        """The check has come to its end: what it did not meet is forgotten."""
        self.before, self.now = self.now, {}


def _of_site(
    site: Site,
    rules: Iterable[Rule[Any]],
    group: _Group,
    facts: ExportFacts,
    cache: DiagnosticCache | None,
) -> Iterable[Diagnostic]:
    """What the rules say of a site. In an editor most sites are the same as before the last key was pressed."""
    settings, key = group.settings, (id(site), id(group.settings))
    if cache is not None:
        held = cache.before.get(key)
        if held is not None and held.rests_on(site, settings, facts):
            cache.now[key] = held
            return held.diagnostics
    engines = group.engines(facts, site.model)

    def apply_all() -> tuple[Diagnostic, ...]:
        found = [d for rule in rules for d in _apply(rule, site, settings, engines, facts)]
        return tuple(found if group.purposes is None else _by_purpose(found, site, group.purposes))

    if cache is None:
        return apply_all()
    tracker = site.unit.module.tracker
    dependency = tracker.node()
    found = tracker.compute(dependency, apply_all)
    cache.now[key] = _Cached(site, (settings, facts), site.moves, found, dependency)
    return found


def _by_purpose(found: Iterable[Diagnostic], site: Site, purposes: Purposes) -> Iterator[Diagnostic]:
    """The diagnostics of a site; information, with the reason, where something speaks against an export."""
    for diagnostic in found:
        against = purposes.against_export(site) if diagnostic.severity > Severity.INFO else None
        if against is None:
            yield diagnostic
        else:
            presumed = f"information only, since {against}: whoever exports it says so with the setting `entry`"
            parts = (diagnostic.help, presumed)
            yield replace(diagnostic, severity=Severity.INFO, help="; ".join(part for part in parts if part))


def _apply(
    rule: Rule[Any], site: Site, settings: Settings, engines: tuple[Engine, ...], facts: ExportFacts
) -> Iterator[Diagnostic]:
    try:
        findings = list(rule.check(site))
        for finding in findings:
            diagnostic = _diagnostic(finding, settings, engines, facts)
            if diagnostic is not None:
                yield diagnostic
    except Exception as error:  # noqa: BLE001 - one rule's failure must not cost the others; it is reported
        message = f"{rule.code} failed on this code: {type(error).__name__}: {error}; please report it"
        yield INTERNAL_ERROR.diagnostic(Severity.WARNING, site.span, message, engines)


def _diagnostic(
    finding: Finding, settings: Settings, engines: tuple[Engine, ...], facts: ExportFacts
) -> Diagnostic | None:
    site, rule, held = finding.site, finding.rule, finding.holds(engines)
    opset = settings.target.opset or facts.opset_for(site.model)
    if not held or (finding.needs_opset is not None and (opset is None or opset >= finding.needs_opset)):
        return None
    return Diagnostic(
        rule.code,
        rule.name,
        severity_of(finding, held, settings, facts),
        site.span,
        finding.message(held),
        held,
        settings.target.opset,
        site.origin_notes(),
        site.path_notes(),
        finding.help_for(held),
        finding.fix,
    )


# ------------------------------------------------------------------------------------------------------- faults
def _limits(tally: Tally, engines: tuple[Engine, ...]) -> Iterator[Diagnostic]:
    """The entry points and functions that met a limit. What is missing there may be harmless: information."""
    for cut_off in tally.cut_offs:
        message = f"`{cut_off.name}` is not analysed in full: {cut_off.reason}"
        yield NOT_ANALYSED.diagnostic(Severity.INFO, cut_off.span, message, engines)


def _faults(project: Project, group: _Group, engines: tuple[Engine, ...]) -> Iterator[Diagnostic]:
    """What could not be analysed: syntax errors, and chunks beyond the guards. Every chunk is looked at, also those
    that no traced code reaches, when Python itself does not take the file."""
    wanted = project.modules if group.paths is None else group.paths
    for path in wanted:
        module = project.modules.get(path)
        if module is None:
            continue
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
