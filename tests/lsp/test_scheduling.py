"""When checks run: a failing one is not repeated for ever, a newer text stops an older check."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from onnx_lint_lsp.analysis_thread import AnalysisThread
from onnx_lint_lsp.client import Json
from onnx_lint_lsp.configuration import Configuration
from onnx_lint_lsp.documents import Document
from onnx_lint_lsp.scheduling import Checks
from onnx_lint_lsp.source_view import SourceView
from onnx_lint_lsp.text import Text
from onnx_lint_lsp.workspace import Result, Workspace


class Log:
    """A client that keeps what is logged."""

    shows_progress = False

    def __init__(self) -> None:
        self.errors: list[BaseException] = []
        self.lines: list[str] = []

    def publish(self, uri: str, version: int | None, items: list[Json]) -> None: ...

    def refresh(self, what: str) -> None: ...

    def warn(self, message: str) -> None: ...

    def log(self, message: str) -> None:
        self.lines.append(message)

    def failed(self, error: BaseException) -> None:
        self.errors.append(error)

    def status(self, state: str, message: str) -> None: ...

    async def create_progress(self, token: str) -> bool:
        return False

    def send_progress(self, token: str | int, value: Json) -> None: ...


class Scripted(Workspace):
    """A workspace whose checks do what a test says."""

    behaviour: Callable[[Workspace, dict[str, Any]], list[Result]]
    calls = 0

    def check(self, *arguments: Any, **options: Any) -> list[Result]:
        type(self).calls += 1
        self.sync()
        return type(self).behaviour(self, options)

    def renewed(self, *, is_alone: bool) -> Workspace:
        return type(self)(self.folder, self._configuration, is_alone=is_alone)


def view(text: str) -> SourceView:
    return SourceView.of_document(Document("file:///w/m.py", 1, Text(text, "utf-16")))


def run(behaviour: Callable[[Workspace, dict[str, Any]], list[Result]], *texts: str) -> tuple[int, Log, list[Any]]:
    """Check, with these texts of one document one after the other; how often it was done, and what came of it."""

    class Mine(Scripted):
        calls = 0

    Mine.behaviour = staticmethod(behaviour)
    client, done = Log(), list[Any]()

    async def body() -> None:
        thread = AnalysisThread()
        checks = Checks(thread, Mine("/w", Configuration()), lambda _, results: results, done.append, client, lambda: 5)
        for text in texts:
            checks.update("/w/m.py", view(text))
        checks.request(at_once=True)
        before = -1
        while before != Mine.calls < 50:  # until nothing happens for a while
            before = Mine.calls
            await asyncio.sleep(1.0)
        checks.stop()
        thread.stop()

    asyncio.run(body())
    return Mine.calls, client, done


def fails(workspace: Workspace, options: dict[str, Any]) -> list[Result]:
    raise ZeroDivisionError


def passes(workspace: Workspace, options: dict[str, Any]) -> list[Result]:
    workspace.is_complete = True
    return [Result(view) for view in workspace.views.values()]


def fails_with_others(workspace: Workspace, options: dict[str, Any]) -> list[Result]:
    if not options["open_files_only"]:
        raise ZeroDivisionError
    workspace.is_complete = False
    return [Result(view) for view in workspace.views.values()]


def test_a_check_that_fails_without_documents_is_not_repeated() -> None:
    calls, client, done = run(fails)
    assert (calls, len(client.errors), done) == (1, 1, [])


def test_a_check_that_always_fails_leaves_the_document_out_and_comes_to_rest() -> None:
    calls, client, _ = run(fails, "x = 1")
    assert calls == len(client.errors) == 2, "once with the document, once without"


def test_a_check_that_passes_is_done_once() -> None:
    calls, client, done = run(passes, "x = 1")
    assert (calls, client.errors) == (1, [])
    assert [[result.view.path for result in results] for results in done] == [["/w/m.py"]]


def test_files_that_are_not_open_are_left_out_when_they_fail() -> None:
    calls, client, done = run(fails_with_others, "x = 1")
    assert calls == 3, "the open file, the others, the open file again"
    assert len(done) == 2
    assert any("files that are not open are left out" in line for line in client.lines)
