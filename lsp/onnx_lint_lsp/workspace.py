"""A workspace: the files that are analysed together, and what is open among them. Lives on the analysis thread."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, field, replace

from onnx_lint.checker import check_with_coverage
from onnx_lint.codes import NOT_ANALYSED, SYNTAX_ERROR
from onnx_lint.coverage import Coverage, CutOff
from onnx_lint.diagnostic import Diagnostic, Severity, Span
from onnx_lint.project.project import Project
from onnx_lint.semantics.domain import keys
from onnx_lint.semantics.export_calls import ExportCalls
from onnx_lint.semantics.incremental import Session
from onnx_lint.settings import Settings
from onnx_lint.source.text import SourceError, SourceText, read
from onnx_lint_lsp import kept
from onnx_lint_lsp.configuration import Configuration
from onnx_lint_lsp.convert import Made
from onnx_lint_lsp.index import Index
from onnx_lint_lsp.source_view import SourceView

MAX_FILE = 4 * 1024 * 1024
"""Characters of the largest text that is analysed."""
_SLACK = 200
"""Parsed statements that may be kept for nothing."""
FAULTS = frozenset({SYNTAX_ERROR.code, NOT_ANALYSED.code})


def is_broken(diagnostics: Iterable[Diagnostic], limits: Collection[Span] = ()) -> bool:
    """Whether a part of a file could not be read. Entry points that met a limit of the analysis, at `limits`, have one
    of the same codes, and nothing is wrong with their text."""
    return any(_is_fault(d, limits) for d in diagnostics)


def _is_fault(diagnostic: Diagnostic, limits: Collection[Span]) -> bool:
    return diagnostic.code in FAULTS and diagnostic.span not in limits


@dataclass(frozen=True)
class Result:
    """What was found in one view."""

    view: SourceView
    diagnostics: tuple[Diagnostic, ...] = ()
    settings: Settings | None = None
    """What it was checked for; ``None`` when it was not to be looked at."""
    limits: frozenset[Span] = frozenset()
    """The entry points that met a limit of the analysis."""
    is_left_out: bool = False
    """Whether it was not analysed since an analysis of it failed."""
    is_kept: bool = False
    """Whether it is what was found the last time, see `kept`."""


@dataclass(frozen=True)
class _State:
    """An open document (``None``: closed), and why it is not analysed, if so."""

    view: SourceView | None
    left_out: str | None = None


@dataclass
class _Pending:
    """What came in since the analysis thread last looked."""

    documents: dict[str, _State] = field(default_factory=dict)
    changed: set[str] = field(default_factory=set)
    """Files that are not open and came, went or changed on disk."""


class Workspace:
    """One project: a workspace folder, or the surroundings of a file outside of all. `update` and `touch` may be called
    from any thread, all else on the analysis thread only."""

    def __init__(
        self,
        folder: str,
        configuration: Configuration,
        index: Index | None = None,
        *,
        is_alone: bool = False,
        elsewhere: Callable[[str], SourceText | None] = lambda path: None,
    ) -> None:
        self.folder, self.index = folder, index
        self.views: dict[str, SourceView] = {}
        self.left_out: dict[str, tuple[SourceView, str]] = {}
        """Open documents that are not analysed, and why."""
        self.is_alone = is_alone
        """Whether files that are not open and reach into open ones are left out."""
        self._configuration = configuration
        self._pending = _Pending()
        self._lock = threading.Lock()
        self._elsewhere = elsewhere
        self._reader = _Reader(elsewhere)
        self.project = Project(self._reader.load, editor=True)
        self.converted: dict[str, Made] = {}
        """What was sent of each open document the last time."""
        self.is_complete = True
        """Whether the last check covered everything."""
        self._extra: set[str] = set()
        """Files that are not open and are part of the project, since open files matter to them or they to those."""
        self._kept = 0
        """Parsed statements that were needed when it was last looked."""
        self._related: tuple[object, ...] | None = None
        self._cut_offs: tuple[CutOff, ...] = ()
        """The limits that the last check met."""
        self._stored: dict[str, SourceView] = {}
        """Of which state of each document what was found is kept, or was looked at for that."""

    # -------------------------------------------------------------------------------------------- from any thread
    def update(self, path: str, view: SourceView | None, *, left_out: str | None = None) -> None:
        """An open document has a new state, or is closed. With a reason to be `left_out` it is not analysed, and that
        is said in it."""
        with self._lock:
            self._pending.documents[path] = _State(view, left_out)

    def touch(self, path: str) -> None:
        """A file on disk came, went or changed."""
        with self._lock:
            self._pending.changed.add(path)

    def has_asked_for(self, path: str) -> bool:
        """Whether a file that is not open here matters, since others import it."""
        return path in self._reader.asked

    # ------------------------------------------------------------------------------------------ the analysis thread
    def sync(self, *, relate: bool = True, progress: Callable[[int, int], None] | None = None) -> None:
        """Bring the project to the present state; without `relate`, but for files that are not open. `progress` is
        called before each of these; it may raise, and what was done is kept."""
        with self._lock:
            pending, self._pending = self._pending, _Pending()
        for path, state in pending.documents.items():
            self.left_out.pop(path, None)
            self._reader.refused.discard(path)
            view = state.view
            if view is not None and state.left_out is not None:
                self.left_out[path] = (view, state.left_out)
                self._reader.refused.add(path)
                view = None
            before = self.views.get(path)
            if view is None or before is None or list(view.versions) != list(before.versions):
                self.converted.clear()
            if view is None:
                self._stored.pop(path, None)
                if self.views.pop(path, None) is not None:
                    self.project.remove(path)
                    self._extra.discard(path)
            else:
                self.views[path] = view
                if before is None or not before.same_texts(view):
                    self.project.add(_bounded(view.source))
        for path in pending.changed - self.views.keys() - self.left_out.keys():
            self._reader.forget(path)
            if path in self._extra:
                self._extra.discard(path)
                self.project.remove(path)
            elif path in self._reader.asked:
                self._renew(path)
        if relate:
            self._relate(progress)

    def _renew(self, path: str) -> None:
        """A file that was read because another imports it has changed: whatever was concluded from it is void."""
        source = self._reader.load(path)
        if source is not None:
            self.project.add(source)
        self.project.remove(path)

    def _relate(self, progress: Callable[[int, int], None] | None) -> None:
        """Make files part of the project whose analysis reaches into open ones."""
        if self.index is None or not self.index.is_ready or self.is_alone:
            return
        state = (self.index.version, frozenset(self.views))
        if state == self._related:
            return
        wanted = self.index.related(self.views.keys()) - self.views.keys() - self.left_out.keys()
        for path in self._extra - wanted:
            if path not in self.views:
                self.project.remove(path)
        self._extra &= wanted
        missing = sorted(wanted - self._extra)
        for done, path in enumerate(missing):
            if progress is not None:
                progress(done, len(missing))
            self._extra.add(path)
            source = self._reader.load(path)
            if source is not None:
                self.project.add(source)
        self._related = state

    @property
    def _is_unrelated(self) -> bool:
        """Whether files that are not open may have to become part of the project, or to leave it."""
        index = self.index
        return (
            not self.is_alone
            and index is not None
            and index.is_ready
            and self._related != (index.version, frozenset(self.views))
        )

    def check(
        self,
        progress: Callable[[int, int], None] | None = None,
        *,
        settled: bool = False,
        open_files_only: bool = False,
    ) -> list[Result]:
        """The diagnostics of all open documents. While somebody types, a broken statement does not change how the rest
        of the file is split; once the text has `settled`, its syntax errors are those that a new reader would find.

        With `open_files_only`, files that are not open keep the results of the last time, and `is_complete` says
        whether that was enough."""
        self.sync(relate=not open_files_only, progress=progress)
        self._tidy()
        self.project.derived.get(Session).is_hasty = open_files_only and not self.is_alone
        results = self._check(progress, open_files_only)
        parts = (self.project.derived.get(Session), self.project.derived.get(ExportCalls))
        self.is_complete = all(part.is_complete for part in parts) and not (open_files_only and self._is_unrelated)
        if settled:
            results = [
                self._settled(result) if is_broken(result.diagnostics, result.limits) else result for result in results
            ]
        if self.is_complete and not open_files_only and (self.index is None or self.index.is_ready):
            for result in results:
                self._keep(result)
        return results + [self._not_analysed(view, reason) for view, reason in self.left_out.values()]

    def kept(self) -> list[Result]:
        """What was found the last time in open documents that were not looked at yet, where all is as it was then."""
        self.sync(relate=False)
        out: list[Result] = []
        for path, view in self.views.items():
            settings = self._configuration.settings(path)
            if path in self._stored or settings is None or view.is_notebook:
                continue
            found = kept.load(self.folder, view.source, settings, self._text)
            if found is not None:
                diagnostics, coverage = found
                limits = frozenset(cut_off.span for cut_off in coverage.cut_offs)
                out.append(Result(view, tuple(diagnostics), settings, limits, is_kept=True))
        return out

    def _text(self, path: str) -> SourceText | None:
        view = self.views.get(path)
        return view.source if view is not None else self._reader.load(path)

    def _keep(self, result: Result) -> None:
        """Keep what was found in a document that is as it is on the disk."""
        view, settings = result.view, result.settings
        before = self._stored.get(view.path)
        if settings is None or view.is_notebook or (before is not None and before.same_texts(view)):
            return
        self._stored[view.path] = view
        on_disk = self._reader.on_disk(view.path)
        if on_disk is not None and on_disk.text == view.source.text:
            others = self._reader.texts() | {path: other.source for path, other in self.views.items()}
            coverage = Coverage(cut_offs=tuple(sorted(self._cut_offs, key=lambda c: (c.span, c.name, c.reason))))
            kept.store(self.folder, view.source, settings, others.items(), ([*result.diagnostics], coverage))

    def _check(self, progress: Callable[[int, int], None] | None, open_files_only: bool) -> list[Result]:
        groups: dict[int, tuple[Settings, list[str]]] = {}
        settings_of: dict[str, Settings | None] = {}
        for path in self.views:
            settings = settings_of[path] = self._configuration.settings(path)
            if settings is not None:
                groups.setdefault(id(settings), (settings, []))[1].append(path)
        found: dict[str, list[Diagnostic]] = {path: [] for path in self.views}
        limits: frozenset[Span] = frozenset()
        if groups:
            checked = check_with_coverage(
                self.project, groups.values(), progress=progress, open_files_only=open_files_only
            )
            self._cut_offs = checked.coverage.cut_offs
            limits = frozenset(cut_off.span for cut_off in self._cut_offs)
            for diagnostic in checked.diagnostics:
                found[diagnostic.span.path].append(diagnostic)
        return [Result(view, tuple(found[path]), settings_of[path], limits) for path, view in self.views.items()]

    def _not_analysed(self, view: SourceView, reason: str) -> Result:
        """A document that is left out, with a diagnostic that says so at its beginning."""
        settings = self._configuration.settings(view.path)
        if settings is None:
            return Result(view, is_left_out=True)
        span = Span(view.path, 1, 1, 1, len(view.source.line(1)) + 1)
        message = f"not analysed: {reason}; it is tried again when the text changes"
        diagnostic = NOT_ANALYSED.diagnostic(Severity.WARNING, span, message, settings.target.engines)
        shown = (diagnostic,) if diagnostic.severity >= settings.minimum else ()
        return Result(view, shown, settings, is_left_out=True)

    def _settled(self, result: Result) -> Result:
        """With what is wrong with the text as such, whatever it was before. Its parsed statements are shared."""
        if result.settings is None:
            return result
        path = result.view.path
        fresh = Project()
        fresh.store = self.project.store
        fresh.add(_bounded(self.views[path].source))
        checked = check_with_coverage(fresh, [(result.settings, [path])])
        fresh_limits = {cut_off.span for cut_off in checked.coverage.cut_offs}
        faults = [d for d in checked.diagnostics if _is_fault(d, fresh_limits)]
        others = [d for d in result.diagnostics if not _is_fault(d, result.limits)]
        return replace(result, diagnostics=tuple(sorted(others + faults, key=lambda d: d.sort_key)))

    def _tidy(self) -> None:
        """Let go of what no open document needs."""
        if not self.views:
            self._reader.clear()
            self.project, self._extra, self._related = Project(self._reader.load, editor=True), set(), None
            keys.clear()
        elif len(self.project.store) > self._kept + self._kept // 8 + _SLACK:
            self.project.trim()
            self._kept = len(self.project.store)

    def renewed(self, *, is_alone: bool) -> Workspace:
        """One of the same folder with nothing in it: an analysis that was cut off leaves this one in no good order."""
        return Workspace(self.folder, self._configuration, self.index, is_alone=is_alone, elsewhere=self._elsewhere)

    def find(self, path: str) -> SourceView | None:
        """The view of an open document; of another file of the project nothing."""
        return self.views.get(path)

    def line(self, path: str, number: int) -> str:
        """A line (from 1) of a file of the project that is not open; empty if it has none."""
        source = self._reader.known(path)
        return source.line(number) if source is not None and 1 <= number <= len(source.starts) else ""


class _Reader:
    """Reads files that open ones import, and keeps their texts as long as they stay the same. Those that are open
    `elsewhere`, in another workspace, are read as they are there."""

    def __init__(self, elsewhere: Callable[[str], SourceText | None]) -> None:
        self._elsewhere = elsewhere
        self.asked: set[str] = set()
        self.refused: set[str] = set()
        """Open documents that are not analysed: what is on disk of them is not either."""
        self._texts: dict[str, SourceText | None] = {}

    def load(self, path: str) -> SourceText | None:
        """The text of a file; ``None`` if it cannot be read."""
        self.asked.add(path)
        if path in self.refused:
            return None
        if path not in self._texts:
            unsaved = self._elsewhere(path)
            self._texts[path] = _bounded(unsaved) if unsaved is not None else self.on_disk(path)
        return self._texts[path]

    def known(self, path: str) -> SourceText | None:
        """The text of a file that was read before."""
        return self._texts.get(path)

    def texts(self) -> dict[str, SourceText | None]:
        """What was read, and what was looked for and is not there."""
        return dict(self._texts)

    def on_disk(self, path: str) -> SourceText | None:
        try:
            if not os.path.isfile(path) or os.path.getsize(path) > MAX_FILE:
                return None
            return read(path)
        except (SourceError, OSError, ValueError):
            return None  # nobody asked for this file by name; it says nothing then

    def forget(self, path: str) -> None:
        """Read a file anew when it is next asked for."""
        self._texts.pop(path, None)

    def clear(self) -> None:
        """Forget all."""
        self.asked.clear()
        self._texts.clear()


def _bounded(source: SourceText) -> SourceText:
    """An enormous text is not a model: it is not analysed, and nothing is reported in it."""
    return source if len(source.text) <= MAX_FILE else SourceText.from_text(source.path, "")
