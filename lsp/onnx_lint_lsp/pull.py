"""Diagnostics for clients that ask for them: of one document, and of the whole workspace."""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any

from lsprotocol import types

from onnx_lint_lsp import folder_process
from onnx_lint_lsp.client import Client, Json
from onnx_lint_lsp.folder_check import Request
from onnx_lint_lsp.session import Session
from onnx_lint_lsp.uris import key_of, of_path

_BATCH = 200
"""Files in one part of a result."""


async def document_diagnostics(session: Session, params: types.DocumentDiagnosticParams) -> dict[str, Any]:
    """The report about one document, or that nothing changed since the one with the client's result id."""
    uri = params.text_document.uri
    await session.result(uri)
    return _report(session.wire.get(uri, []), params.previous_result_id)


def _report(items: list[Json], before: str | None) -> Json:
    ident = hashlib.sha256(json.dumps(items).encode()).hexdigest()[:16]
    if before == ident:
        return {"kind": "unchanged", "resultId": ident}
    return {"kind": "full", "resultId": ident, "items": items}


@dataclass(frozen=True)
class _State:
    """What the diagnostics of files that are not open rest on."""

    revision: int
    opened: dict[str, str]


class WorkspacePull:
    """The answers for the whole workspace. Open documents are answered for by the session, as when they are asked for
    alone; the others are checked in a process of their own, one check at a time. Lives on the event loop.

    `is_told`: whether the client says which files change on the disk. Only then the last check may count again.
    """

    def __init__(self, session: Session, client: Client, is_told: Callable[[], bool]) -> None:
        self._session, self._client, self._is_told = session, client, is_told
        self._turn = asyncio.Lock()
        self._known: tuple[_State, dict[str, list[Json]]] | None = None
        self._tasks: dict[asyncio.Task[Any], int | str | None] = {}
        """The requests that are being answered, with the token of their progress."""

    async def report(self, params: types.WorkspaceDiagnosticParams) -> Json:
        """The reports about all open documents, and about the files of the workspace folders that have diagnostics,
        or had some. In parts, if the client gives a token for that. Raises `CheckFailed`."""
        self._session.is_asked_for_all = True
        task = asyncio.current_task()
        if task is None:
            raise RuntimeError("a request is answered outside of a task")
        self._tasks[task] = params.work_done_token
        try:
            return await self._answer(params)
        finally:
            del self._tasks[task]

    def cancel_token(self, token: int | str) -> None:
        """The person pressed *cancel* on the progress."""
        for task, own in self._tasks.items():
            if own is not None and own == token:
                task.cancel()

    def stop(self) -> None:
        """Cancel all requests."""
        for task in self._tasks:
            task.cancel()

    async def _answer(self, params: types.WorkspaceDiagnosticParams) -> Json:
        before = {key_of(each.uri): (each.uri, each.value) for each in params.previous_result_ids}
        exactly = {each.uri: each.value for each in params.previous_result_ids}
        token = params.work_done_token
        if token is not None:
            value = {"kind": "begin", "title": "Checking the workspace", "cancellable": True, "percentage": 0}
            self._client.send_progress(token, value)
        try:
            opened = await self._opened(exactly)
            out = _Parts(self._client, params.partial_result_token)
            out.add(opened)
            files = await self._files(token)
            out.add(_of_files(files, before, {report["uri"] for report in opened}, self._session.open_views()))
            return {"items": out.left}
        finally:
            if token is not None:
                self._client.send_progress(token, {"kind": "end"})

    async def _opened(self, before: dict[str, str]) -> list[Json]:
        """The reports about open documents, in the version that was looked at."""
        session, out = self._session, list[Json]()
        for path, view in session.open_views().items():
            await session.result(next(iter(view.versions), path))
            now = session.open_views().get(path)
            for uri, version in now.versions.items() if now is not None else ():
                out.append({"uri": uri, "version": version, **_report(session.wire.get(uri, []), before.get(uri))})
        return out

    async def _files(self, token: int | str | None) -> dict[str, list[Json]]:
        """The diagnostics of all files of the workspace folders that are not open, by path."""
        async with self._turn:
            session = self._session
            opened = {path: text for path, text in session.documents_by_path().items() if os.path.isabs(path)}
            state = _State(session.revision, opened)
            if self._known is not None and self._known[0] == state and self._is_told():
                return self._known[1]
            found: dict[str, list[Json]] = {}

            def on_answer(answer: Json) -> None:
                if "path" in answer:
                    found[answer["path"]] = answer["items"]
                elif "problem" in answer:
                    self._client.log(answer["problem"])
                elif token is not None:
                    done, of = answer["done"], max(answer["of"], 1)
                    value = {"kind": "report", "message": f"{done} of {of} files", "percentage": 100 * done // of}
                    self._client.send_progress(token, value)

            if session.configuration.folders:
                await folder_process.run(self._request(opened), on_answer)
            self._known = state, found
            return found

    def _request(self, opened: dict[str, str]) -> Request:
        configuration, converter = self._session.configuration, self._session.converter
        return Request(
            folders=list(configuration.folders),
            said=list(configuration.said.items()),
            opened=opened,
            related=converter.related,
            linked=converter.linked,
            encoding=converter.encoding,
        )


def _of_files(
    files: dict[str, list[Json]], before: dict[str, tuple[str, str]], reported: set[str], opened: dict[str, Any]
) -> Iterator[Json]:
    """The reports about files that are not open, those that are gone among them. What was opened meanwhile is asked
    for alone."""
    for path, items in files.items():
        uri, value = before.get(path, (of_path(path), None))
        if path not in opened and (items or value is not None):
            yield {"uri": uri, "version": None, **_report(items, value)}
    for path, (uri, _) in before.items():
        if path not in files and path not in opened and uri not in reported:
            yield {"uri": uri, "version": None, "kind": "full", "items": []}


class _Parts:
    """Where reports go: to the client in parts, or into one answer."""

    def __init__(self, client: Client, token: int | str | None) -> None:
        self._client, self._token = client, token
        self.left: list[Json] = []
        """What is for the answer itself."""

    def add(self, reports: Any) -> None:
        if self._token is None:
            self.left.extend(reports)
            return
        each = iter(reports)
        while part := list(islice(each, _BATCH)):
            self._client.send_progress(self._token, {"items": part})
