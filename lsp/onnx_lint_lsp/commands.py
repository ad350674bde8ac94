"""The commands that a client runs with ``workspace/executeCommand``."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import Any

from lsprotocol import types
from pygls.exceptions import JsonRpcInvalidParams

from onnx_lint_lsp.client import Json
from onnx_lint_lsp.connection import Server
from onnx_lint_lsp.exporting import Refused, Target, refused
from onnx_lint_lsp.rule_pages import link_of, text_of
from onnx_lint_lsp.uris import of_path, to_path


class Commands:
    """Reads the arguments, does what is asked, and shows the result where the client does not do so itself."""

    def __init__(self, server: Server) -> None:
        self._server = server

    async def export(self, given: Any) -> Json:
        """Export a target, with the inputs and the engine that the arguments may hold, and with a repair if they say
        so; the result.

        Like all commands here it raises `JsonRpcInvalidParams` for arguments that do not fit.
        """
        target = _target(given)
        inputs, engine = given.get("inputs"), given.get("engine")
        if inputs is not None and not (isinstance(inputs, (list, tuple)) and all(isinstance(i, str) for i in inputs)):
            raise _invalid("inputs must be a list of strings")
        if engine not in (None, "both", "torchscript", "dynamo"):
            raise _invalid("engine must be torchscript, dynamo or both")
        repair = given.get("repair", False)
        if not isinstance(repair, bool):
            raise _invalid("repair must be true or false")
        return await self._shown(self._server.exports.run(target, inputs, engine, repair=repair))

    async def export_script(self, given: Any) -> Json:
        """Run a script and verify what it exports; the result."""
        return await self._shown(
            self._server.exports.run_script(_target({**_table(given), "name": ""}, is_class=False))
        )

    async def _shown(self, export: Awaitable[Json]) -> Json:
        """The result of an export, which is also shown if the client does not do so itself."""
        try:
            result = await export
        except Refused as reason:
            result = refused(reason)
        if not self._server.features.ours:
            (self._server.tell if result["ok"] else self._server.warn)(result["message"])
        return result

    def cancel(self, given: Any) -> bool:
        """Cancel the export of a target, or all if none is named; whether there was one."""
        return self._server.exports.cancel(_target(given, is_class=False) if given is not None else None)

    async def show_report(self, given: Any) -> str | None:
        """Open the report of the last export of a target; its URI, or ``None`` if there is none."""
        last = self._server.exports.last(_target(given, is_class=False))
        if last is None or last.report is None:
            return None
        uri = of_path(last.report)
        await self._show(uri, external=True)
        return uri

    async def input_spec(self, given: Any) -> Json:
        """The inputs to propose for a target, and whether they were used or configured before."""
        inputs, remembered = await self._server.exports.inputs(_target(given))
        return {"inputs": inputs, "remembered": remembered}

    async def explain(self, code: Any) -> str:
        """The documentation of a rule in Markdown, which is also shown if the client does not do so itself."""
        text = text_of(code) if isinstance(code, str) else None
        if text is None:
            raise _invalid(f"no rule {str(code)[:60]!r}")
        if not self._server.features.ours:
            link = link_of(str(code))
            if link is None or not await self._show(link, external=False):
                self._server.tell(text)
        return text

    async def _show(self, uri: str, *, external: bool) -> bool:
        if not self._server.features.show_document:
            return False
        params = types.ShowDocumentParams(uri, external=external, take_focus=True)
        try:
            return (await self._server.window_show_document_async(params)).success
        except Exception as error:  # noqa: BLE001 - the client could not: the caller still gets what it asked for
            self._server.failed(error)
            return False


def _table(given: Any) -> Json:
    return given if isinstance(given, dict) else {}


def _target(given: Any, *, is_class: bool = True) -> Target:
    uri, name = (given.get("uri"), given.get("name")) if isinstance(given, dict) else (None, None)
    path = to_path(uri) if isinstance(uri, str) else None
    if path is None or not isinstance(name, str) or not (name.isidentifier() if is_class or name else True):
        raise _invalid('the argument must be {"uri": "file:…", "name": "Class"}')
    return Target(str(uri), path, name)


def _invalid(message: str) -> JsonRpcInvalidParams:
    return JsonRpcInvalidParams(message)
