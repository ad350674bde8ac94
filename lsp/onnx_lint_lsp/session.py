"""The session: what is open, when it is checked, what is published. Lives on the event loop."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from concurrent.futures import Future
from functools import partial
from typing import Any, TypeVar

from onnx_lint.source.text import SourceText
from onnx_lint_lsp.analysis_thread import REQUEST, AnalysisThread, GaveUp
from onnx_lint_lsp.client import Client, Json
from onnx_lint_lsp.configuration import Configuration
from onnx_lint_lsp.convert import Converter
from onnx_lint_lsp.documents import Document, Documents
from onnx_lint_lsp.evidence import EvidenceStore
from onnx_lint_lsp.indexing import Indexing
from onnx_lint_lsp.scheduling import Checks
from onnx_lint_lsp.source_view import SourceView
from onnx_lint_lsp.workspace import Result, Workspace

T = TypeVar("T")
Wire = dict[str, list[Json]]
"""Diagnostics by document, as they are sent."""


class Session:
    """One connection's state. All methods are called on the event loop."""

    def __init__(self, client: Client) -> None:
        self.client = client
        self.documents = Documents()
        self.configuration = Configuration()
        self.converter = Converter()
        self.thread = AnalysisThread()
        self.evidence = EvidenceStore()
        self.results: dict[str, Result] = {}
        self.document_changes = True
        self.pulls = False
        """Whether the client asks for diagnostics instead of being sent them."""
        self.revision = 0
        """Grows whenever something other than the text of an open document changes."""
        self.is_asked_for_all = False
        """Whether the client asks for the diagnostics of files that are not open."""
        self.trusted = True
        self.wire: Wire = {}
        self.indexing = Indexing(client, self.thread, self.configuration, self.check_all)
        self._views: dict[str, SourceView] = {}
        self._checks: dict[str, Checks[list[tuple[Result, Wire]]]] = {}
        self._waiting: dict[str, list[asyncio.Future[Result]]] = {}
        self._sent: dict[str, tuple[int | None, list[Json]]] = {}

    # --------------------------------------------------------------------------------------------------- documents
    def changed(self, uri: str, *, opened: bool = False) -> None:
        """A document, or a cell of a notebook, is opened or has a new text."""
        path = self.documents.key(uri)
        view = self._view_of(uri)
        if view is None:
            return
        before = self._views.get(path)
        self._views[path] = view
        self._withdraw_parts(before, view)
        checks = self.checks_of(path)
        checks.update(path, view)
        if opened or self.configuration.options(path).run == "onType":
            checks.request(at_once=opened, opened=opened)
            self._changed_for_others(path, checks)

    def saved(self, uri: str) -> None:
        """A document is saved."""
        path = self.documents.key(uri)
        if self.configuration.is_stale():
            self.reconfigure()
        elif path in self._views and self.configuration.options(path).run == "onSave":
            self.checks_of(path).request(at_once=True)

    def closed(self, uri: str, path: str) -> None:
        """The document or notebook `uri`, known to the analysis as `path`, is closed."""
        view = self._views.get(path)
        if view is None:
            return
        if view.aliases:
            self._withdraw_alias(uri, path, view)
            return
        del self._views[path]
        self.results.pop(path, None)
        for waiting in self._waiting.pop(path, ()):
            waiting.cancel()
        self._withdraw_parts(view, None)
        checks = self.checks_of(path)
        checks.update(path, None)
        checks.workspace.touch(path)
        checks.request()
        self._changed_for_others(path, checks)
        self._drop_if_empty(checks)

    def _withdraw_alias(self, uri: str, path: str, view: SourceView) -> None:
        """One of several documents of the same file is closed: the others stay."""
        left = [uri_ for uri_ in view.versions if uri_ != uri]
        after = self._view_of(left[0])
        if after is None:
            return
        self._views[path] = after
        self._withdraw_parts(view, after)
        self.checks_of(path).update(path, after)
        self.checks_of(path).request()

    def _view_of(self, uri: str) -> SourceView | None:
        notebook = self.documents.notebook_of(uri) or self.documents.notebook(uri)
        if notebook is not None:
            return SourceView.of_notebook(notebook, self.documents)
        document = self.documents.get(uri)
        return SourceView.of_document(document, self.documents.aliases(document)) if document is not None else None

    def _withdraw_parts(self, before: SourceView | None, after: SourceView | None) -> None:
        """Withdraw what was published for documents that are no longer part of a view."""
        gone = set(before.versions if before else ()) - set(after.versions if after else ())
        for uri in gone:
            self.wire.pop(uri, None)
            if self._sent.pop(uri, None) is not None:
                self.client.publish(uri, None, [])

    def view(self, uri: str) -> SourceView | None:
        """The present view of an open document, as that document shows it."""
        view = self._views.get(self.documents.key(uri))
        return view.seen_from(uri) if view is not None else None

    def document(self, uri: str) -> Document | None:
        """An open document."""
        return self.documents.get(uri)

    # -------------------------------------------------------------------------------------------------- workspaces
    def checks_of(self, path: str) -> Checks[list[tuple[Result, Wire]]]:
        """The checks of the workspace that a path belongs to: its workspace folder, else its own surroundings."""
        name = self._workspace_name(path)
        checks = self._checks.get(name)
        if checks is None:
            index = self.indexing.of(name) if name in self.configuration.folders else None
            elsewhere = partial(self._open_elsewhere, name)
            workspace = Workspace(name, self.configuration, index, elsewhere=elsewhere)
            checks = self._checks[name] = Checks(
                self.thread,
                workspace,
                self._convert,
                self._checked,
                self.client,
                lambda: self.configuration.options(path).analysis_timeout,
            )
        return checks

    def _workspace_name(self, path: str) -> str:
        folder = self.configuration.folder_of(path)
        return folder if folder is not None else _surroundings(path)

    def _open_elsewhere(self, name: str, path: str) -> SourceText | None:
        """On the analysis thread: the text of a file that is open in another workspace than `name`."""
        if path not in self._views:
            return None
        other = self._workspace_name(path)
        checks = self._checks.get(other) if other != name else None
        view = checks.analysed(path) if checks is not None else None
        return view.source if view is not None else None

    def _changed_for_others(self, path: str, own: Checks[list[tuple[Result, Wire]]]) -> None:
        """An open document has changed that files of other workspaces may import."""
        for checks in self._checks.values():
            if checks is not own and checks.workspace.has_asked_for(path):
                checks.workspace.touch(path)
                checks.request()

    def _drop_if_empty(self, checks: Checks[list[tuple[Result, Wire]]]) -> None:
        """Forget the surroundings of files that are all closed."""
        if checks.workspace.index is not None or any(self.checks_of(path) is checks for path in self._views):
            return
        checks.stop()
        self._checks.pop(checks.workspace.folder, None)

    def set_folders(self, folders: list[str]) -> None:
        """The workspace has these folders from now on. Open documents move to the roots that they belong to now."""
        self._other_state()
        self.configuration.folders = tuple(folders)
        self.configuration.forget_folders()
        for checks in self._checks.values():
            checks.stop()
        self._checks.clear()
        self.indexing.keep(folders)
        for folder in folders:
            self.checks_of(os.path.join(folder, "x.py"))
        for path, view in self._views.items():
            self.checks_of(path).update(path, view)
        self.check_all()

    def _other_state(self) -> None:
        """Files that are not open may have other diagnostics now."""
        self.revision += 1
        if self.is_asked_for_all:
            self.client.refresh("diagnostics")

    # ------------------------------------------------------------------------------------------------------ checks
    def check_all(self) -> None:
        """Check everything that is open again: settings, files or evidence changed."""
        for path in list(self._views):
            self.checks_of(path)
        for checks in list(self._checks.values()):
            checks.request(at_once=True)

    def reconfigure(self) -> None:
        """Configuration files changed."""
        self.configuration.reload()
        self._other_state()
        self.check_all()

    def on_disk(self, paths: list[str]) -> None:
        """Files came, went or changed on disk."""
        for checks in list(self._checks.values()):
            for path in paths:
                checks.workspace.touch(path)
            checks.request()
        self.indexing.touch(paths)
        self._other_state()

    def ignores_changed(self) -> None:
        """What git ignores has changed."""
        self.indexing.rebuild()
        self._other_state()

    def _convert(self, workspace: Workspace, results: list[Result]) -> list[tuple[Result, Wire]]:
        """On the analysis thread: the results with the evidence of exports, as they are sent."""
        out: list[tuple[Result, Wire]] = []
        for result in results:
            wire: Wire = {uri: [] for uri in result.view.versions}
            made = workspace.converted.setdefault(result.view.path, {})
            for uri, item in self.converter.all(self.evidence.joined(result), result.view, workspace, made):
                wire[uri].append(item)
            for alias in result.view.aliases:
                wire[alias.uri] = wire[result.view.parts[0].document.uri]
            out.append((result, wire))
        return out

    def _checked(self, converted: list[tuple[Result, Wire]]) -> None:
        """New results: keep, publish, wake who waits for them."""
        for problem in self.configuration.problems():
            self.client.warn(problem)
        others_changed = False
        for result, wire in converted:
            path = result.view.path
            view = self._views.get(path)
            if view is None or not view.same_texts(result.view):
                continue  # a newer version is on its way through the analysis
            if self._stands(result):
                continue
            self.results[path] = result
            self.wire.update(wire)
            for uri, version in view.versions.items():
                others_changed |= self._publish(uri, version, wire[uri])
            for waiting in self._waiting.pop(path, ()):
                if not waiting.done():
                    waiting.set_result(result)
        if others_changed and self.pulls:
            self.client.refresh("diagnostics")

    def _stands(self, result: Result) -> bool:
        """Whether what was found the last time is shown, and counts until it is known which files reach into the
        document."""
        path = result.view.path
        held, index = self.results.get(path), self.checks_of(path).workspace.index
        if result.is_kept or held is None or index is None or index.is_ready:
            return False
        return held.is_kept and held.settings == result.settings and held.view.same_texts(result.view)

    def _publish(self, uri: str, version: int | None, items: list[Json]) -> bool:
        """Send the diagnostics of a document, unless they were sent; whether they changed without an edit."""
        before = self._sent.get(uri)
        if before == (version, items):
            return False
        self._sent[uri] = (version, items)
        if not self.pulls:
            self.client.publish(uri, version, items)
        return before is not None and before[0] == version

    # ---------------------------------------------------------------------------------------------------- requests
    async def result(self, uri: str) -> Result | None:
        """What was found in the present text of a document, checked first if need be; ``None`` if it is not open."""
        path = self.documents.key(uri)
        view = self._views.get(path)
        if view is None:
            return None
        result = self.results.get(path)
        if result is not None and result.view.same_texts(view):
            return result
        waiting: asyncio.Future[Result] = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(path, []).append(waiting)
        self.checks_of(path).request(at_once=True)
        try:
            return await waiting
        except asyncio.CancelledError:
            if path not in self._views:
                return None  # closed meanwhile
            raise

    async def ask(self, uri: str, question: Callable[[Workspace, SourceView], T]) -> T | None:
        """Ask something about the present text of a document on the analysis thread; ``None`` if it is not open, or
        the answer takes too long."""
        view = self.view(uri)
        if view is None:
            return None
        checks = self.checks_of(view.path)
        workspace = checks.workspace

        def job() -> T:
            workspace.sync()
            return question(workspace, view)

        future: Future[T] = self.thread.submit(job, REQUEST, step_limit=checks.step_limit)
        try:
            return await asyncio.wrap_future(future)
        except (GaveUp, MemoryError, RecursionError) as error:
            if checks.workspace is workspace:
                checks.failed(error, view)
            return None

    def documents_by_path(self) -> dict[str, str]:
        """The texts of open documents as the analysis sees them."""
        return {path: view.source.text for path, view in self._views.items()}

    def open_views(self) -> dict[str, SourceView]:
        """What is open, by path."""
        return dict(self._views)

    def text(self, uri: str) -> str | None:
        """The server's text of an open document."""
        document = self.documents.get(uri)
        return document.text.text if document is not None else None

    def set_client_options(self, section: Any, folder: str | None = None) -> None:
        """The client's settings, for one folder or for all others."""
        before = self.configuration.said.get(folder)
        self.configuration.set_client(section, folder)
        if section != before:
            self._other_state()

    def forget_failures(self) -> None:
        """Analyse everything anew, also what was left out."""
        self._other_state()
        for checks in self._checks.values():
            checks.forget_failures()
        self.check_all()

    def stop(self) -> None:
        """Check nothing more."""
        for checks in self._checks.values():
            checks.stop()
        self.thread.stop()


def _surroundings(path: str) -> str:
    """The folder above the package in which a file lies; for what is not a file its own name."""
    if not os.path.isabs(path):
        return path
    folder = os.path.dirname(path)
    try:
        while os.path.isfile(os.path.join(folder, "__init__.py")) and os.path.dirname(folder) != folder:
            folder = os.path.dirname(folder)
    except ValueError:
        return path  # no file can have such a name
    return folder
