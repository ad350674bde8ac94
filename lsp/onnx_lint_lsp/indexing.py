"""Building and refreshing the indexes of the workspace folders in the background."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable

from onnx_lint_lsp.analysis_thread import CHECK, AnalysisThread
from onnx_lint_lsp.client import Client
from onnx_lint_lsp.configuration import Configuration
from onnx_lint_lsp.index import Index
from onnx_lint_lsp.loop import post
from onnx_lint_lsp.progress import Progress

_STEP = 100
"""Files between two reports of progress."""


class Indexing:
    """The index of each workspace folder. Called on the event loop; the work is done on the analysis thread."""

    def __init__(
        self, client: Client, thread: AnalysisThread, configuration: Configuration, changed: Callable[[], None]
    ) -> None:
        self._client, self._thread, self._configuration, self._changed = client, thread, configuration, changed
        self._indexes: dict[str, Index] = {}
        self._building: set[str] = set()

    @property
    def files(self) -> int:
        """How many files are indexed."""
        return sum(len(index.entries) for index in self._indexes.values())

    def of(self, folder: str) -> Index:
        """The index of a folder; one that is asked for the first time begins to be built."""
        index = self._indexes.get(folder)
        if index is None:
            index = self._indexes[folder] = Index(folder, self._excluded)
            self._build(index)
        return index

    def keep(self, folders: list[str]) -> None:
        """Forget the indexes of other folders."""
        self._indexes = {folder: index for folder, index in self._indexes.items() if folder in folders}

    def rebuild(self) -> None:
        """Walk all folders again."""
        for index in self._indexes.values():
            self._build(index)

    def touch(self, paths: list[str]) -> None:
        """Files came, went or changed on disk."""
        changed = [(index, p) for index in self._indexes.values() for p in paths if _is_below(p, index.folder)]
        if not changed:
            return

        def job() -> None:
            for index, path in changed:
                index.update(path)

        loop = asyncio.get_running_loop()
        future = self._thread.submit(job, CHECK)
        future.add_done_callback(lambda _: post(loop, self._changed))

    def _excluded(self, path: str) -> bool:
        return self._configuration.settings(path) is None

    def _build(self, index: Index) -> None:
        if index.folder in self._building:
            return
        self._building.add(index.folder)
        loop = asyncio.get_running_loop()
        client = self._client
        title = f"Indexing {os.path.basename(index.folder) or index.folder}"
        client.status("indexing", title)
        shown = Progress(client)

        def show(done: int, total: int) -> None:
            shown.begin_soon(title)
            shown.report(f"{done} of {total} files", done / total)
            client.status("indexing", f"{done} of {total} files")

        def progress(done: int, total: int) -> None:
            if done and done % _STEP == 0:  # a small folder is done before anybody has read that it is begun
                post(loop, show, done, total)

        def then(error: BaseException | None) -> None:
            post(loop, self._built, index, error, shown)

        self._thread.background(index.build(progress), then)

    def _built(self, index: Index, error: BaseException | None, shown: Progress) -> None:
        shown.end()
        self._building.discard(index.folder)
        if error is not None:
            self._client.failed(error)
        if not self._building:
            self._client.status("ready", f"{self.files} files")
        self._changed()


def _is_below(path: str, folder: str) -> bool:
    return path.endswith(".py") and path.startswith(folder.rstrip(os.sep) + os.sep)
