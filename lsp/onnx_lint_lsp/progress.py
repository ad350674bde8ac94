"""Work-done progress: shown by the client under a token that the server makes."""

from __future__ import annotations

import asyncio
import uuid

from onnx_lint_lsp.client import Client


class Progress:
    """The progress of one task; silent where the client shows none. Lives on the event loop."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self.token: str | None = None
        """The token, once the client has taken it."""
        self._beginning: asyncio.Task[None] | None = None
        self._ended = False

    async def begin(self, title: str, *, cancellable: bool) -> None:
        """Ask the client for a place to show progress."""
        client = self._client
        if not client.shows_progress or self._ended:
            return
        token = str(uuid.uuid4())
        if not await client.create_progress(token) or self._ended:
            return
        self.token = token
        client.send_progress(token, {"kind": "begin", "title": title, "percentage": 0, "cancellable": cancellable})

    def begin_soon(self, title: str) -> None:
        """Begin without waiting for the client's answer; once only."""
        if self._beginning is None:
            self._beginning = asyncio.get_running_loop().create_task(self.begin(title, cancellable=False))

    def report(self, message: str, share: float) -> None:
        """What is being done, and the share that is done (0 to 1)."""
        if self.token is not None:
            value = {"kind": "report", "message": message, "percentage": int(share * 100)}
            self._client.send_progress(self.token, value)

    def end(self) -> None:
        """Take the progress away; one that has not begun yet never does."""
        self._ended = True
        if self.token is not None:
            self._client.send_progress(self.token, {"kind": "end"})
            self.token = None
