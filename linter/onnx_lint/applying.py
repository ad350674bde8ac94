"""Findings → diagnostics: the rules on sites, under the settings of a group of files."""

from __future__ import annotations

from collections.abc import Collection, Hashable, Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any

from onnx_lint.codes import INTERNAL_ERROR
from onnx_lint.diagnostic import Applicability, Diagnostic, Severity, Span
from onnx_lint.project.dependencies import Node
from onnx_lint.project.project import Project
from onnx_lint.rule import Finding, Rule
from onnx_lint.selection import Selection
from onnx_lint.semantics.domain.sites import Site
from onnx_lint.semantics.export_calls import ExportFacts
from onnx_lint.semantics.purpose import Purposes
from onnx_lint.settings import Settings
from onnx_lint.severity import severity_of
from onnx_lint.target import Engine


class Group:
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
        self.safe_at: dict[Hashable, list[tuple[str, Span]]] = {}
        """Diagnostics with a safe fix, by the place of their site."""

    def engines(self, facts: ExportFacts, model: str = "") -> tuple[Engine, ...]:
        """The engines that count for a model: as asked for, else as the export calls say."""
        if self.settings.engine_given:
            return self.settings.target.engines
        return facts.engines_for(model) or self.settings.target.engines

    def has(self, path: str) -> bool:
        return self.paths is None or path in self.paths

    def add(self, diagnostic: Diagnostic, place: Hashable) -> None:
        """One more, whose site stands at `place`."""
        if has_safe_fix(diagnostic):
            self.safe_at.setdefault(place, []).append((diagnostic.code, diagnostic.span))
        self.put(diagnostic)

    def put(self, diagnostic: Diagnostic) -> None:
        """Keep it, unless there is one that is as severe."""
        key = (diagnostic.code, diagnostic.span)
        other = self.found.get(key)
        if other is None or other.severity < diagnostic.severity:
            self.found[key] = diagnostic

    def distrust(self, others: Collection[Hashable]) -> None:
        """No fix is safe where something else comes to its node too: `others` are the places of such nodes."""
        for place in self.safe_at.keys() & others:
            for key in self.safe_at[place]:
                diagnostic = self.found[key]
                if diagnostic.fix is not None:
                    fix = replace(diagnostic.fix, applicability=Applicability.UNSAFE)
                    self.found[key] = replace(diagnostic, fix=fix)


def has_safe_fix(diagnostic: Diagnostic) -> bool:
    return diagnostic.fix is not None and diagnostic.fix.applicability is Applicability.SAFE


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


def of_site(
    site: Site,
    rules: Iterable[Rule[Any]],
    group: Group,
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
