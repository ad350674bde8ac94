"""The protocol layer of pygls, with what it leaves to be desired: answers that the specification asks for, a reading
loop that survives anything, documents that are ours."""

from __future__ import annotations

import asyncio
import inspect
import json
import logging
from collections.abc import Callable
from typing import Any

from lsprotocol import types
from pygls.exceptions import JsonRpcInternalError, JsonRpcInvalidParams
from pygls.lsp.server import LanguageServer
from pygls.protocol import LanguageServerProtocol
from pygls.protocol.language_server import lsp_method

from onnx_lint.source import json_text
from onnx_lint_lsp import stdio
from onnx_lint_lsp.client import Json
from onnx_lint_lsp.loop import post

PARSE_ERROR, INVALID_REQUEST, METHOD_NOT_FOUND, INVALID_PARAMS, NOT_INITIALIZED = -32700, -32600, -32601, -32602, -32002

_OURS = (
    types.TEXT_DOCUMENT_DID_OPEN,
    types.TEXT_DOCUMENT_DID_CHANGE,
    types.TEXT_DOCUMENT_DID_CLOSE,
    types.NOTEBOOK_DOCUMENT_DID_OPEN,
    types.NOTEBOOK_DOCUMENT_DID_CHANGE,
    types.NOTEBOOK_DOCUMENT_DID_CLOSE,
    types.WORKSPACE_DID_CHANGE_WORKSPACE_FOLDERS,
)
"""What pygls would keep texts and folders of as well: its lines end where the protocol's do not."""


class Protocol(LanguageServerProtocol):
    """Message handling by the letter of the specification."""

    def __init__(self, server: LanguageServer, converter: Any) -> None:
        super().__init__(server, converter)
        self._initialized = False
        self.on_exit: Callable[[int], None] = lambda status: None
        for method in _OURS:
            self.fm.builtin_features.pop(method, None)

    # ---------------------------------------------------------------------------------------------------- messages
    def handle_body(self, body: bytes) -> None:
        """Handle one message as it came. Never raises, but `BrokenPipeError` when the client is gone."""
        try:
            data = json_text.loads(body)
        except (ValueError, RecursionError) as error:
            self._refuse(None, PARSE_ERROR, f"invalid JSON: {str(error)[:200]}")
            return
        if not isinstance(data, dict):
            self._refuse(None, INVALID_REQUEST, "a message is one object; batches are not part of the protocol")
            return
        method, ident = data.get("method"), data.get("id")
        if not isinstance(method, str):
            if "method" in data or not ("result" in data or "error" in data):
                self._refuse(ident, INVALID_REQUEST, "neither a request nor a response")
                return
        elif not self._may_handle(method, ident, "id" in data):
            return
        self._handle(data, method, ident)

    def _may_handle(self, method: str, ident: Any, is_request: bool) -> bool:
        """Whether a message is in order in the present state of the connection; a request that is not, is answered."""
        if is_request and not _is_id(ident):
            self._refuse(None, INVALID_REQUEST, "the id of a request is a string or an integer")
            return False
        if self._shutdown and method != types.EXIT:
            if is_request:
                self._refuse(ident, INVALID_REQUEST, "the server was asked to shut down")
            return False
        if method == types.INITIALIZE:
            if self._initialized:
                self._refuse(ident, INVALID_REQUEST, "the server is initialized already")
                return False
        elif not self._initialized and method != types.EXIT:
            if is_request:
                self._refuse(ident, NOT_INITIALIZED, "the server is not initialized yet")
            return False
        if is_request and not (method in self.fm.features or method in self.fm.builtin_features):
            self._refuse(ident, METHOD_NOT_FOUND, f"unknown method {method[:200]!r}")
            return False
        return True

    def _handle(self, data: Json, method: str | None, ident: Any) -> None:
        data.setdefault("jsonrpc", "2.0")
        if method is not None and self.get_message_type(method) is None:
            data.setdefault("params", None)
        try:
            message = self.structure_message(data)
        except Exception as error:  # noqa: BLE001 - whatever is wrong with it, the sender gets an error
            reason = str(error.__cause__ or error)[:300]
            if method is None:
                self._give_up(ident, f"an answer that does not fit: {reason}")
            elif ident is not None:
                self._refuse(ident, INVALID_PARAMS, f"parameters that do not fit {method[:200]!r}: {reason}")
            return
        if method == types.INITIALIZE:
            self._initialized = True
        self.handle_message(message)

    def _give_up(self, ident: Any, reason: str) -> None:
        """The answer to a request of the server is invalid: whoever waits for it gets the error."""
        future = self._request_futures.pop(ident, None) if _is_id(ident) else None
        if future is not None and not future.done():
            future.set_exception(JsonRpcInternalError(reason))

    def _refuse(self, ident: Any, code: int, message: str) -> None:
        known = ident if _is_id(ident) else None
        self._send_data({"jsonrpc": "2.0", "id": known, "error": {"code": code, "message": message}})

    def _send_data(self, data: Any) -> None:
        if self.writer is None or not data:
            return
        text = json.dumps(data, default=self._serialize_message, ensure_ascii=False, separators=(",", ":"))
        body = text.encode("utf-8", "backslashreplace")  # a lone surrogate: JSON has the same escape for it
        header = f"Content-Length: {len(body)}\r\n\r\n".encode("ascii")
        self.writer.write(header + body)

    def send_raw(self, method: str, params: Json) -> None:
        """Send a notification whose parameters are plain JSON."""
        self._send_data({"jsonrpc": "2.0", "method": method, "params": params})

    @lsp_method(types.WORKSPACE_EXECUTE_COMMAND)
    async def lsp_workspace__execute_command(self, params: types.ExecuteCommandParams) -> Any:  # type: ignore[override]
        """Run a command. A coroutine of its own, so that cancelling the request cancels the command."""
        handler = self.fm.commands.get(params.command)
        if handler is None:
            raise JsonRpcInvalidParams(f"unknown command {params.command[:200]!r}")
        arguments = params.arguments or ()
        try:
            inspect.signature(handler).bind(*arguments)
        except TypeError as error:
            raise JsonRpcInvalidParams(f"{params.command} does not take {len(arguments)} arguments: {error}") from error
        result = handler(*arguments)
        return await result if inspect.isawaitable(result) else result

    # ------------------------------------------------------------------------------------------------------ the end
    @lsp_method(types.EXIT)
    def lsp_exit(self, *args: Any) -> None:  # type: ignore[override]  # nothing to wait for: no generator
        """End the process: 0 after ``shutdown``, else 1."""
        self.on_exit(0 if self._shutdown else 1)


def _is_id(value: Any) -> bool:
    return isinstance(value, (str, int)) and not isinstance(value, bool)


def quiet_logging() -> None:
    """Let pygls log errors only: it logs whole messages otherwise."""
    logging.getLogger("pygls").setLevel(logging.CRITICAL)


async def serve(protocol: Protocol, incoming: int, outgoing: int) -> int:
    """Read and handle messages until the client leaves; the exit status."""
    loop = asyncio.get_running_loop()
    ended: asyncio.Future[int] = loop.create_future()

    def end(status: int) -> None:
        if not ended.done():
            ended.set_result(status)

    def handle(body: bytes) -> None:
        if ended.done():
            return
        try:
            protocol.handle_body(body)
        except OSError:
            end(1)  # the client does not read any more

    protocol.on_exit = end
    protocol.writer = stdio.Output(outgoing)
    stdio.listen(
        incoming,
        lambda body: post(loop, handle, body),
        lambda: post(loop, end, 1),
    )
    return await ended
