"""The handlers: one method of the protocol each, a few lines each; the work is done elsewhere."""

from __future__ import annotations

import asyncio
import os
import sys
from typing import Any

from lsprotocol import types

from onnx_lint_lsp import actions, hover, lenses
from onnx_lint_lsp.client import Json
from onnx_lint_lsp.commands import Commands
from onnx_lint_lsp.connection import Server
from onnx_lint_lsp.protocol import quiet_logging, serve
from onnx_lint_lsp.startup import initialize, initialized, set_folders_from
from onnx_lint_lsp.uris import to_path

server = Server()
commands = Commands(server)


def serve_until_end(incoming: int, outgoing: int) -> int:
    """Serve on these descriptors. Does not return in the ordinary way: threads that still work are left behind."""
    quiet_logging()
    sys.setswitchinterval(0.002)
    try:
        status = asyncio.run(serve(server.protocol, incoming, outgoing))
    except KeyboardInterrupt:
        status = 130
    server.stop()
    sys.stderr.flush()
    os._exit(status)


# --------------------------------------------------------------------------------------------------- the connection
@server.feature(types.INITIALIZE)
def on_initialize(params: types.InitializeParams) -> None:
    initialize(server, params)


@server.feature(types.INITIALIZED)
async def on_initialized(params: types.InitializedParams) -> None:
    await initialized(server)


@server.feature(types.SHUTDOWN)
def on_shutdown(params: None) -> None:
    server.exports.stop()
    if server.workspace_pull is not None:
        server.workspace_pull.stop()


@server.feature("onnx-lint/didChangeTrust")
def on_trust(params: Any) -> None:
    server.session.trusted = isinstance(params, dict) and params.get("trusted") is True


@server.feature("onnx-lint/viewText")
def on_view_text(params: Any) -> str | None:
    return server.session.text(str(params.get("uri"))) if isinstance(params, dict) else None


# ------------------------------------------------------------------------------------------------------- documents
@server.feature(types.TEXT_DOCUMENT_DID_OPEN)
def on_open(params: types.DidOpenTextDocumentParams) -> None:
    server.session.documents.open(params.text_document)
    server.session.changed(params.text_document.uri, opened=True)


@server.feature(types.TEXT_DOCUMENT_DID_CHANGE)
def on_change(params: types.DidChangeTextDocumentParams) -> None:
    document = params.text_document
    if server.session.documents.change(document.uri, document.version, params.content_changes):
        server.session.changed(document.uri)


@server.feature(types.TEXT_DOCUMENT_DID_SAVE)
def on_save(params: types.DidSaveTextDocumentParams) -> None:
    server.session.saved(params.text_document.uri)


@server.feature(types.TEXT_DOCUMENT_DID_CLOSE)
def on_close(params: types.DidCloseTextDocumentParams) -> None:
    uri = params.text_document.uri
    path = server.session.documents.key(uri)
    server.session.documents.close(uri)
    server.session.closed(uri, path)


@server.feature(types.NOTEBOOK_DOCUMENT_DID_OPEN)
def on_open_notebook(params: types.DidOpenNotebookDocumentParams) -> None:
    server.session.documents.open_notebook(params.notebook_document, params.cell_text_documents)
    server.session.changed(params.notebook_document.uri, opened=True)


@server.feature(types.NOTEBOOK_DOCUMENT_DID_CHANGE)
def on_change_notebook(params: types.DidChangeNotebookDocumentParams) -> None:
    if server.session.documents.change_notebook(params.notebook_document.uri, params.change):
        server.session.changed(params.notebook_document.uri)


@server.feature(types.NOTEBOOK_DOCUMENT_DID_SAVE)
def on_save_notebook(params: types.DidSaveNotebookDocumentParams) -> None:
    server.session.saved(params.notebook_document.uri)


@server.feature(types.NOTEBOOK_DOCUMENT_DID_CLOSE)
def on_close_notebook(params: types.DidCloseNotebookDocumentParams) -> None:
    uri = params.notebook_document.uri
    if server.session.documents.close_notebook(uri):
        server.session.closed(uri, server.session.documents.key(uri))


# ------------------------------------------------------------------------------------------------------- workspace
@server.feature(types.WORKSPACE_DID_CHANGE_WORKSPACE_FOLDERS)
async def on_folders(params: types.DidChangeWorkspaceFoldersParams) -> None:
    set_folders_from(server, params.event)
    await server.ask_configuration()


@server.feature(types.WORKSPACE_DID_CHANGE_CONFIGURATION)
async def on_configuration(params: types.DidChangeConfigurationParams) -> None:
    await server.configuration_changed(params.settings)


@server.feature(types.WORKSPACE_DID_CHANGE_WATCHED_FILES)
def on_files(params: types.DidChangeWatchedFilesParams) -> None:
    server.files_changed([path for change in params.changes if (path := to_path(change.uri))])


# -------------------------------------------------------------------------------------------------------- requests
@server.feature(
    types.TEXT_DOCUMENT_CODE_ACTION,
    types.CodeActionOptions(code_action_kinds=[types.CodeActionKind.QuickFix, actions.FIX_ALL]),
)
async def on_code_action(params: types.CodeActionParams) -> list[Json]:
    return await actions.code_actions(server.session, server.exports, params)


@server.feature(types.TEXT_DOCUMENT_HOVER)
async def on_hover(params: types.HoverParams) -> Json | None:
    return await hover.hover(server.session, params)


@server.feature(types.TEXT_DOCUMENT_INLAY_HINT)
async def on_inlay_hint(params: types.InlayHintParams) -> list[Json]:
    return await hover.inlay_hints(server.session, params)


@server.feature(types.TEXT_DOCUMENT_CODE_LENS, types.CodeLensOptions(resolve_provider=False))
async def on_code_lens(params: types.CodeLensParams) -> list[Json]:
    return await lenses.code_lenses(server.session, server.exports, params.text_document.uri)


# -------------------------------------------------------------------------------------------------------- commands
@server.feature(types.WINDOW_WORK_DONE_PROGRESS_CANCEL)
def on_cancel_progress(params: types.WorkDoneProgressCancelParams) -> None:
    server.exports.cancel_token(params.token)
    if server.workspace_pull is not None:
        server.workspace_pull.cancel_token(params.token)


@server.command("onnx-lint.export")
async def on_export(target: Any = None) -> Json:
    return await commands.export(target)


@server.command("onnx-lint.exportScript")
async def on_export_script(target: Any = None) -> Json:
    return await commands.export_script(target)


@server.command("onnx-lint.cancelExport")
def on_cancel_export(target: Any = None) -> bool:
    return commands.cancel(target)


@server.command("onnx-lint.showReport")
async def on_show_report(target: Any = None) -> str | None:
    return await commands.show_report(target)


@server.command("onnx-lint.inputSpec")
async def on_input_spec(target: Any = None) -> Json:
    return await commands.input_spec(target)


@server.command("onnx-lint.explainRule")
async def on_explain_rule(code: Any = None) -> str:
    return await commands.explain(code)


@server.command("onnx-lint.reload")
async def on_reload() -> None:
    await server.reload()
