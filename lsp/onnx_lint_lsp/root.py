"""A root: the files that are analysed together, and what is open among them. Lives on the analysis thread."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace

from onnx_lint.checker import NOT_ANALYSED, SYNTAX_ERROR, check_groups
from onnx_lint.diagnostic import Diagnostic
from onnx_lint.project.project import Project
from onnx_lint.semantics.export_calls import ExportCalls
from onnx_lint.semantics.incremental import Session
from onnx_lint.settings import Settings
from onnx_lint.source.text import SourceError, SourceText, read
from onnx_lint_lsp.configuration import Configuration
from onnx_lint_lsp.convert import Made
from onnx_lint_lsp.index import Index
from onnx_lint_lsp.views import View

MAX_FILE = 4 * 1024 * 1024
"""Characters of the largest text that is analysed."""
_SLACK = 200
"""Parsed statements that may be kept for nothing."""
FAULTS = frozenset({SYNTAX_ERROR[0], NOT_ANALYSED[0]})


def is_broken(diagnostics: Iterable[Diagnostic]) -> bool:
    """Whether a part of a file could not be analysed."""
    return any(d.code in FAULTS for d in diagnostics)


@dataclass(frozen=True)
class Result:
    """What was found in one view."""

    view: View
    diagnostics: tuple[Diagnostic, ...] = ()
    settings: Settings | None = None
    """What it was checked for; ``None`` when it was not to be looked at."""


@dataclass
class _Pending:
    """What came in since the analysis thread last looked."""

    views: dict[str, View | None] = field(default_factory=dict)
    changed: set[str] = field(default_factory=set)
    """Files that are not open and came, went or changed on disk."""


class Root:
    """One project: a workspace folder, or the surroundings of a file outside of all. `update` and `touch` may be called
    from any thread, all else on the analysis thread only."""

    def __init__(self, folder: str, configuration: Configuration, index: Index | None = None) -> None:
        self.folder, self.index = folder, index
        self.views: dict[str, View] = {}
        self._configuration = configuration
        self._pending = _Pending()
        self._lock = threading.Lock()
        self._reader = _Reader()
        self.project = Project(self._reader.load, editor=True)
        self.converted: dict[str, Made] = {}
        """What was sent of each open document the last time."""
        self.is_complete = True
        """Whether the last check told all."""
        self._extra: set[str] = set()
        """Files that are not open and are part of the project, since open files matter to them or they to those."""
        self._kept = 0
        """Parsed statements that were needed when it was last looked."""
        self._related: tuple[object, ...] | None = None

    # -------------------------------------------------------------------------------------------- from any thread
    def update(self, path: str, view: View | None) -> None:
        """An open document has a new state, or is closed."""
        with self._lock:
            self._pending.views[path] = view

    def touch(self, path: str) -> None:
        """A file on disk came, went or changed."""
        with self._lock:
            self._pending.changed.add(path)

    # ------------------------------------------------------------------------------------------ the analysis thread
    def sync(self, *, relate: bool = True, progress: Callable[[int, int], None] | None = None) -> None:
        """Bring the project to the present state; without `relate`, but for files that are not open. `progress` is
        called before each of these; it may raise, and what was done is kept."""
        with self._lock:
            pending, self._pending = self._pending, _Pending()
        for path, view in pending.views.items():
            before = self.views.get(path)
            if view is None or before is None:
                self.converted.clear()
            if view is None:
                if self.views.pop(path, None) is not None:
                    self.project.remove(path)
                    self._extra.discard(path)
            else:
                self.views[path] = view
                if before is None or not before.same_texts(view):
                    self.project.add(_bounded(view.source))
        for path in pending.changed - self.views.keys():
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
        if self.index is None or not self.index.is_ready:
            return
        state = (self.index.version, frozenset(self.views))
        if state == self._related:
            return
        wanted = self.index.related(self.views.keys()) - self.views.keys()
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
        return index is not None and index.is_ready and self._related != (index.version, frozenset(self.views))

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
        results = self._check(progress, open_files_only)
        parts = (self.project.derived.get(Session), self.project.derived.get(ExportCalls))
        self.is_complete = all(part.is_complete for part in parts) and not (open_files_only and self._is_unrelated)
        if not settled:
            return results
        return [self._settled(result) if is_broken(result.diagnostics) else result for result in results]

    def _check(self, progress: Callable[[int, int], None] | None, open_files_only: bool) -> list[Result]:
        groups: dict[int, tuple[Settings, list[str]]] = {}
        settings_of: dict[str, Settings | None] = {}
        for path in self.views:
            settings = settings_of[path] = self._configuration.settings(path)
            if settings is not None:
                groups.setdefault(id(settings), (settings, []))[1].append(path)
        found: dict[str, list[Diagnostic]] = {path: [] for path in self.views}
        if groups:
            for diagnostic in check_groups(
                self.project, groups.values(), progress=progress, open_files_only=open_files_only
            ):
                found[diagnostic.span.path].append(diagnostic)
        return [Result(view, tuple(found[path]), settings_of[path]) for path, view in self.views.items()]

    def _settled(self, result: Result) -> Result:
        """With what is wrong with the text as such, whatever it was before. Its parsed statements are shared."""
        if result.settings is None:
            return result
        path = result.view.path
        fresh = Project()
        fresh.store = self.project.store
        fresh.add(_bounded(self.views[path].source))
        faults = [d for d in check_groups(fresh, [(result.settings, [path])]) if d.code in FAULTS]
        others = [d for d in result.diagnostics if d.code not in FAULTS]
        return replace(result, diagnostics=tuple(sorted(others + faults, key=lambda d: d.sort_key)))

    def _tidy(self) -> None:
        """Let go of what no open document needs."""
        if not self.views:
            self._reader.clear()
            self.project, self._extra, self._related = Project(self._reader.load, editor=True), set(), None
        elif len(self.project.store) > self._kept + self._kept // 8 + _SLACK:
            self.project.trim()
            self._kept = len(self.project.store)

    def find(self, path: str) -> View | None:
        """The view of an open document; of another file of the project nothing."""
        return self.views.get(path)


class _Reader:
    """Reads files that open ones import, and keeps their texts as long as they stay the same."""

    def __init__(self) -> None:
        self.asked: set[str] = set()
        self._texts: dict[str, SourceText | None] = {}

    def load(self, path: str) -> SourceText | None:
        self.asked.add(path)
        if path not in self._texts:
            self._texts[path] = self._read(path)
        return self._texts[path]

    def _read(self, path: str) -> SourceText | None:
        try:
            if not os.path.isfile(path) or os.path.getsize(path) > MAX_FILE:
                return None
            return read(path)
        except (SourceError, OSError, ValueError):
            return None  # nobody asked for this file by name; it says nothing then

    def forget(self, path: str) -> None:
        self._texts.pop(path, None)

    def clear(self) -> None:
        self.asked.clear()
        self._texts.clear()


def _bounded(source: SourceText) -> SourceText:
    """An enormous text is no model: it is not analysed, and nothing is said of it."""
    return source if len(source.text) <= MAX_FILE else SourceText.from_text(source.path, "")
