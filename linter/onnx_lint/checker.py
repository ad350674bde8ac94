"""Check: sites × rules → diagnostics. One function for the command line, the language server, the exporter, tests."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from onnx_lint.diagnostic import Diagnostic, Severity, Span
from onnx_lint.project.modules import SourceModule
from onnx_lint.project.project import Project
from onnx_lint.rule import Finding, Rule
from onnx_lint.selection import Selection
from onnx_lint.semantics import entry, export_calls
from onnx_lint.semantics.domain.sites import Output, Site
from onnx_lint.semantics.export_calls import ExportFacts
from onnx_lint.semantics.incremental import session
from onnx_lint.settings import Settings
from onnx_lint.suppress import suppressions
from onnx_lint.target import BOTH, Engine, Verdict

SYNTAX_ERROR = ("ONX000", "syntax-error")
NOT_ANALYSED = ("ONX009", "not-analysed")
INTERNAL_ERROR = ("ONX099", "internal-error")
_NOT_COMPLETE = frozenset(code for code, _ in (SYNTAX_ERROR, NOT_ANALYSED, INTERNAL_ERROR))
"""Where one of these is said, other diagnostics may be missing."""

_STACK = 512 * 1024 * 1024
_RECURSION = 60_000
_HARMFUL = (Verdict.FAILS, Verdict.SILENTLY_WRONG)

T = TypeVar("T")


_THREAD = threading.local()


def start_deep_thread(body: Callable[[], None], name: str = "onnx-lint-analysis") -> threading.Thread:
    """Start a daemon thread with a stack that deep recursion over deep code cannot exhaust: the default one of a
    thread is down to 512 kB on some systems, and an overflow kills the process. For a thread that stays alive, the
    recursion limit of the process is raised and stays so."""

    def marked() -> None:
        _THREAD.is_deep = True
        body()

    before = threading.stack_size(_STACK)
    try:
        thread = threading.Thread(target=marked, name=name, daemon=True)
        sys.setrecursionlimit(max(sys.getrecursionlimit(), _RECURSION))
        thread.start()
    finally:
        threading.stack_size(before)
    return thread


def with_deep_stack(function: Callable[[], T]) -> T:
    """Run in a thread of `start_deep_thread`: in this one if it is such a thread, else in a new one."""
    if getattr(_THREAD, "is_deep", False):
        return function()
    result: list[T] = []
    failure: list[BaseException] = []

    def body() -> None:
        try:
            result.append(function())
        except BaseException as error:  # noqa: BLE001 - handed on to the caller, below
            failure.append(error)

    before_limit = sys.getrecursionlimit()
    start_deep_thread(body).join()
    sys.setrecursionlimit(before_limit)
    if failure:
        raise failure[0]
    return result[0]


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


def check_groups(
    project: Project,
    groups: Iterable[tuple[Settings, Collection[str] | None]],
    *,
    rules: Iterable[Rule[Any]] | None = None,
    progress: Callable[[int, int], None] | None = None,
    open_files_only: bool = False,
) -> list[Diagnostic]:
    """Like `check`, for files under different settings, at the cost of one analysis.

    In an editor's project only the files of the groups are looked at, as their own entry points and those of the files
    that import them reach them; what still holds from the last time is not computed again. For `open_files_only` see
    `Session.sites`.
    """
    given = rules is not None
    chosen = [_Group(settings, paths, Selection(settings, rules), is_ordinary=not given) for settings, paths in groups]
    return with_deep_stack(lambda: _check(project, chosen, progress, open_files_only))


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

    def engines(self, facts: ExportFacts, model: str = "") -> tuple[Engine, ...]:
        """The engines that count for a model: as asked for, else as the export calls say."""
        if self.settings.engine_given:
            return self.settings.target.engines
        return facts.engines_for(model) or self.settings.target.engines

    def has(self, path: str) -> bool:
        return self.paths is None or path in self.paths

    def add(self, diagnostic: Diagnostic) -> None:
        key = (diagnostic.code, diagnostic.span)
        other = self.found.get(key)
        if other is None or other.severity < diagnostic.severity:
            self.found[key] = diagnostic


def _check(
    project: Project, groups: list[_Group], progress: Callable[[int, int], None] | None, open_files_only: bool
) -> list[Diagnostic]:
    heard = progress if project.is_editor else None
    facts = export_calls.collect(project, open_files_only=open_files_only, progress=heard)
    said = _Memory(project) if project.is_editor and all(g.is_ordinary for g in groups) else None
    for site in _sites(project, groups, progress, open_files_only):
        for group in groups:
            rules = group.by_site.get(type(site))
            if rules and group.has(site.unit.module.path):
                for diagnostic in _of_site(site, rules, group, facts, said):
                    group.add(diagnostic)
    if said is not None:
        said.keep(project)
    out: list[Diagnostic] = []
    for group in groups:
        everything = [*group.found.values(), *_faults(project, group, group.engines(facts))]
        out += _finish(project, group.settings, group.selection, everything, group.paths)
    out.sort(key=lambda d: d.sort_key)
    return out


def _sites(
    project: Project, groups: list[_Group], progress: Callable[[int, int], None] | None, open_files_only: bool
) -> Iterator[Site]:
    if not project.is_editor:
        return entry.analyse(project, progress=progress)
    wanted: set[str] = set()
    for group in groups:
        wanted.update(project.modules if group.paths is None else group.paths)
    return session(project).sites(wanted, open_files_only=open_files_only, progress=progress)


def _finish(
    project: Project,
    settings: Settings,
    selection: Selection,
    diagnostics: list[Diagnostic],
    paths: Collection[str] | None,
) -> list[Diagnostic]:
    """Apply severities, per-file ignores and suppressions."""
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
            complete = not settings.partial and not any(d.code in _NOT_COMPLETE for d in mine)
            kept = suppressions(module.source).apply(kept, selection, complete=complete)
        out.extend(d for d in kept if d.severity >= settings.minimum)
    return out


# -------------------------------------------------------------------------------------------- findings → diagnostics
@dataclass(slots=True)
class _Said:
    """What was said of a site, and what that rests on."""

    site: Site
    group: tuple[Settings, ExportFacts]
    moves: int
    diagnostics: tuple[Diagnostic, ...]

    def rests_on(self, site: Site, settings: Settings, facts: ExportFacts) -> bool:
        same = self.site is site and self.group[0] is settings and self.group[1] is facts
        return same and self.moves == site.moves


class _Memory:
    """What was said in the last check of an editor, and what is said in this one."""

    def __init__(self, project: Project) -> None:
        held = project.derived.get("said")
        self.before: dict[tuple[int, int], _Said] = held.now if isinstance(held, _Memory) else {}
        self.now: dict[tuple[int, int], _Said] = {}

    def keep(self, project: Project) -> None:
        """The check has come to its end: what it did not say is forgotten."""
        self.before = {}
        project.derived["said"] = self


def _of_site(
    site: Site,
    rules: Iterable[Rule[Any]],
    group: _Group,
    facts: ExportFacts,
    said: _Memory | None,
) -> Iterable[Diagnostic]:
    """What the rules say of a site. In an editor most sites are the same as before the last key was pressed."""
    settings, key = group.settings, (id(site), id(group.settings))
    if said is not None:
        held = said.before.get(key)
        if held is not None and held.rests_on(site, settings, facts):
            said.now[key] = held
            return held.diagnostics
    engines = group.engines(facts, site.model)
    found = tuple([d for rule in rules for d in _apply(rule, site, settings, engines, facts)])
    if said is not None:
        said.now[key] = _Said(site, (settings, facts), site.moves, found)
    return found


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
        code, name = INTERNAL_ERROR
        message = f"{rule.code} failed on this code: {type(error).__name__}: {error}; please report it"
        yield Diagnostic(code, name, Severity.WARNING, site.span, message, engines)


def _diagnostic(
    finding: Finding, settings: Settings, engines: tuple[Engine, ...], facts: ExportFacts
) -> Diagnostic | None:
    site, rule = finding.site, finding.rule
    holds = tuple(e for e in engines if e in site.engines and finding.verdicts.get(e, Verdict.FINE) is not Verdict.FINE)
    if not holds:
        return None
    severity = _severity(finding, holds, settings, facts)
    return Diagnostic(
        rule.code,
        rule.name,
        severity,
        site.span,
        finding.message,
        holds,
        settings.target.opset,
        site.origin_notes(),
        site.path_notes(),
        finding.help,
        finding.fix,
    )


def _severity(finding: Finding, engines: tuple[Engine, ...], settings: Settings, facts: ExportFacts) -> Severity:
    """An error where the value of a tensor decides, a warning where only a size does: the export is right as long as
    that size stays. Information where the statement only checks, or the dimension is fixed."""
    site = finding.site
    verdicts = {finding.verdicts.get(engine, Verdict.FINE) for engine in engines}
    if not verdicts & set(_HARMFUL):
        return Severity.INFO
    if isinstance(site, Output):
        return Severity.ERROR if Verdict.FAILS in verdicts else Severity.WARNING
    if site.depends_on_data:
        if site.only_checks and Verdict.FAILS not in verdicts:
            return Severity.INFO
        return Severity.ERROR
    if site.only_checks or not _may_vary(site, settings, facts):
        return Severity.INFO
    return Severity.WARNING


def _may_vary(site: Site, settings: Settings, facts: ExportFacts) -> bool:
    """Whether the dimension that a size comes from is dynamic, as far as configuration or export calls tell."""
    dimension = site.fixed_dimension
    axes = _configured_axes(settings, site.model)
    if axes is None:
        axes = facts.dynamic_axes_for(site)
    if axes is None:
        return True
    if not any(axes.values()):
        return False
    if dimension is None:
        return True
    name, axis = dimension
    given = axes.get(name)
    if given is None:
        return any(not known for known in axes)  # named inputs only: others are fixed
    # counted from the other end: the rank is not known, so it may be the same dimension
    return axis in given or any((a < 0) != (axis < 0) for a in given)


def _configured_axes(settings: Settings, model: str) -> Mapping[str, tuple[int, ...]] | None:
    """The configured axes by input for a model; ``None`` if the configuration says nothing that holds for it."""
    configured = settings.dynamic_axes
    if not configured:
        return configured
    split = {key: key.rpartition(".") for key in configured}
    common = {name: configured[key] for key, (owner, _, name) in split.items() if not owner}
    own = {name: configured[key] for key, (owner, _, name) in split.items() if owner == model}
    return {**common, **own} or None


# ------------------------------------------------------------------------------------------------------- faults
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
                code, name = NOT_ANALYSED
                yield Diagnostic(code, name, Severity.WARNING, span, f"not analysed: {unit.refusal}", engines)
            elif chunk.lowered.fault is not None:
                fault = chunk.lowered.fault
                code, name = SYNTAX_ERROR
                message = f"syntax error: {fault.message}; the statement is not analysed"
                if unit.last_good is not None:
                    message = f"syntax error: {fault.message}; its last valid version is looked at"
                yield Diagnostic(
                    code, name, Severity.ERROR, unit.fault_span(fault.line, fault.column), message, engines
                )


__all__ = [
    "BOTH",
    "INTERNAL_ERROR",
    "NOT_ANALYSED",
    "SYNTAX_ERROR",
    "SourceModule",
    "check",
    "check_groups",
    "start_deep_thread",
    "with_deep_stack",
]
