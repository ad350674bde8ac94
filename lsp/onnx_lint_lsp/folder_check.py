"""The check of a whole workspace folder, as the command does it: for a process of its own, see `folder_child`.

It looks at the same files as the command under the same settings, with the client's on top, and keeps what it found in
the cache of the command. The texts of open documents count, not what is on the disk of them.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from onnx_lint import registry
from onnx_lint.cache import Question, ResultCache, default_folder, is_wanted
from onnx_lint.checker import check_with_coverage
from onnx_lint.diagnostic import Diagnostic
from onnx_lint.part_cache import PartCache
from onnx_lint.project.project import Project
from onnx_lint.settings import Settings
from onnx_lint.source.files import Problem, discover
from onnx_lint.source.text import SourceError, SourceText, read
from onnx_lint.workers import available
from onnx_lint_lsp.client import Json
from onnx_lint_lsp.configuration import Configuration
from onnx_lint_lsp.convert import Converter
from onnx_lint_lsp.documents import Document
from onnx_lint_lsp.source_view import SourceView
from onnx_lint_lsp.text import Encoding, Text
from onnx_lint_lsp.uris import of_path

Progress = Callable[[int, int], None]
"""Called with how many files are done, and of how many."""
Group = tuple[Settings, list[str]]


@dataclass(frozen=True)
class Request:
    """What to check, and how to tell it. Made of JSON's own kinds, to be sent to another process."""

    folders: list[str]
    said: list[tuple[str | None, Any]]
    """The client's settings, for one folder or for all others."""
    opened: dict[str, str]
    """The texts of open documents by path. Their own diagnostics are not asked for."""
    related: bool
    linked: bool
    encoding: Encoding


def check(request: Request, progress: Progress) -> Iterator[Json]:
    """One after the other: for each file that is not open ``path`` and ``items``, its diagnostics as they are sent,
    and a ``problem`` for what could not be read."""
    configuration = Configuration()
    configuration.folders = tuple(request.folders)
    for folder, section in request.said:
        configuration.set_client(section, folder)
    converter = Converter(related=request.related, linked=request.linked, encoding=request.encoding)
    for folder in request.folders:
        texts = _Texts(request.opened)
        groups: dict[int, Group] = {}
        for problem in texts.read(folder, configuration, groups):
            yield {"problem": problem}
        places = _Places(texts, request.encoding)
        found: dict[str, list[tuple[Diagnostic, bool]]] = {path: [] for path in texts.sources}
        for diagnostic in _check(folder, texts, list(groups.values()), progress):
            found[diagnostic.span.path].append((diagnostic, False))
        for path, diagnostics in found.items():
            if path not in request.opened:
                view = places.view(path) if diagnostics else None
                items = [] if view is None else [item for _, item in converter.all(diagnostics, view, places, {})]
                yield {"path": path, "items": items}


def _check(folder: str, texts: _Texts, groups: list[Group], progress: Progress) -> list[Diagnostic]:
    """What is found in the files, or was found in the same texts before."""
    cache = ResultCache(default_folder(), texts.neighbour) if is_wanted() else None
    question = None
    if cache is not None:
        question = Question(cache.folder, texts.sources, groups, of=f"workspace {folder}")
        known = cache.load(question)
        if known is not None:
            return known[0]
    registry.load()
    project = Project(texts.neighbour if cache is None else cache.neighbour, recording=cache is not None)
    for source in texts.sources.values():
        project.add(source)
    parts = PartCache(cache, question) if cache is not None and question is not None else None
    workers = max(available() - 1, 1)  # whoever types comes first
    result = check_with_coverage(project, groups, progress=progress, parts=parts, workers=workers)
    if cache is not None and question is not None and parts is not None:
        cache.store(question, (result.diagnostics, result.coverage))
        parts.store()
    return result.diagnostics


class _Texts:
    """The files of a folder, and what they import: as they are open, else as they are on the disk."""

    def __init__(self, opened: Mapping[str, str]) -> None:
        self._opened = opened
        self.sources: dict[str, SourceText] = {}
        self.neighbours: dict[str, SourceText | None] = {}

    def read(self, folder: str, configuration: Configuration, groups: dict[int, Group]) -> Iterator[str]:
        """Find and read the files, and put them into groups by settings; what could not be read, in a line each.

        What lies in another workspace folder below this one belongs to that."""

        def excluded(path: str) -> bool:
            return configuration.folder_of(path) != folder or configuration.settings(path) is None

        respected = configuration.respects_gitignore(folder)
        for found in discover([folder], excluded=excluded, respect_gitignore=respected):
            if isinstance(found, Problem):
                yield found.message
                continue
            path = os.path.join(folder, found.path)
            settings = configuration.settings(path)
            if settings is None:
                continue
            try:
                self.sources[path] = self._open(path) or read(path)
            except SourceError as error:
                yield str(error)
                continue
            groups.setdefault(id(settings), (settings, []))[1].append(path)

    def _open(self, path: str) -> SourceText | None:
        text = self._opened.get(path)
        return SourceText.from_text(path, text) if text is not None else None

    def neighbour(self, path: str) -> SourceText | None:
        """A file that one of the folder imports; ``None`` for one of the folder, and for what cannot be read."""
        if path in self.sources:
            return None
        if path not in self.neighbours:
            self.neighbours[path] = self._open(path) or _on_disk(path)
        return self.neighbours[path]


def _on_disk(path: str) -> SourceText | None:
    try:
        return read(path) if os.path.isfile(path) else None
    except SourceError:
        return None  # nobody asked for this file by name; it says nothing then


@dataclass
class _Places:
    """Where the files lie that diagnostics speak of."""

    texts: _Texts
    encoding: Encoding
    _views: dict[str, SourceView] = field(default_factory=dict)

    def view(self, path: str) -> SourceView:
        """A file of the folder, as a document that shows it would."""
        view = self._views.get(path)
        if view is None:
            text = Text(self.texts.sources[path].text, self.encoding)
            view = self._views[path] = SourceView.of_document(Document(of_path(path), None, text))
        return view

    def find(self, path: str) -> SourceView | None:
        return self.view(path) if path in self.texts.sources else None

    def line(self, path: str, number: int) -> str:
        source = self.texts.neighbours.get(path)
        return source.line(number) if source is not None and 1 <= number <= len(source.starts) else ""
