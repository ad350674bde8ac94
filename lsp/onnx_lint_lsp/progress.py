"""Work-done progress: shown by the client under a token that the server makes."""

from __future__ import annotations

import asyncio
import uuid
from typing import TYPE_CHECKING

from lsprotocol import types

if TYPE_CHECKING:
    from onnx_lint_lsp.connection import Server


class Progress:
    """The progress of one task; silent where the client shows none. Lives on the event loop."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self.token: str | None = None
        """The token, once the client has taken it."""
        self._beginning: asyncio.Task[None] | None = None
        self._ended = False

    async def begin(self, title: str, *, cancellable: bool) -> None:
        """Ask the client for a place to show progress."""
        server = self._server
        if not server.features.progress or self._ended:
            return
        token = str(uuid.uuid4())
        try:
            await server.work_done_progress.create_async(token)
        except Exception as error:  # noqa: BLE001 - a client that takes no token: then without progress
            server.failed(error)
            return
        if self._ended:
            server.work_done_progress.tokens.pop(token, None)
            return
        self.token = token
        begin = types.WorkDoneProgressBegin(title=title, percentage=0, cancellable=cancellable)
        server.work_done_progress.begin(token, begin)

    def begin_soon(self, title: str) -> None:
        """Begin without waiting for the client's answer; once only."""
        if self._beginning is None:
            self._beginning = asyncio.get_running_loop().create_task(self.begin(title, cancellable=False))

    def report(self, message: str, share: float) -> None:
        """What is being done, and the share that is done (0 to 1)."""
        if self.token is not None:
            report = types.WorkDoneProgressReport(message=message, percentage=int(share * 100))
            self._server.work_done_progress.report(self.token, report)

    def end(self) -> None:
        self._ended = True
        if self.token is not None:
            self._server.work_done_progress.end(self.token, types.WorkDoneProgressEnd())
            self._server.work_done_progress.tokens.pop(self.token, None)
            self.token = None
