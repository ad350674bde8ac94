"""The beginning of a connection: what the client can do, its folders, and what is registered with it."""

from __future__ import annotations

import asyncio
import os
from typing import Any

from lsprotocol import types
from pygls.capabilities import get_capability

from onnx_lint_lsp.analysis_thread import CHECK
from onnx_lint_lsp.connection import Server
from onnx_lint_lsp.convert import Converter
from onnx_lint_lsp.pull import WorkspacePull, document_diagnostics
from onnx_lint_lsp.system import is_alive
from onnx_lint_lsp.uris import to_path

_ENCODINGS = {"utf-8": "utf-8", "utf-16": "utf-16", "utf-32": "utf-32"}
_PARENT_EVERY = 2.0
"""Seconds between two looks whether the client's process still lives."""


def initialize(server: Server, params: types.InitializeParams) -> None:
    """Take note of what the client said; the answer is made from what is registered by then."""
    session, features = server.session, server.features
    given: Any = params.initialization_options
    options = given if isinstance(given, dict) else {}
    capabilities = params.capabilities

    def can(path: str) -> bool:
        return bool(get_capability(capabilities, path))

    features.configuration = can("workspace.configuration")
    features.configuration_registration = can("workspace.did_change_configuration.dynamic_registration")
    features.watches_files = can("workspace.did_change_watched_files.dynamic_registration")
    features.show_document = can("window.show_document.support")
    features.progress = can("window.work_done_progress")
    features.ours = "trusted" in options
    features.refresh = frozenset(
        what
        for what, path in (
            ("diagnostics", "workspace.diagnostics.refresh_support"),
            ("codeLens", "workspace.code_lens.refresh_support"),
            ("inlayHint", "workspace.inlay_hint.refresh_support"),
        )
        if can(path)
    )
    session.document_changes = can("workspace.workspace_edit.document_changes")
    session.pulls = _pulls(options, can)
    session.trusted = options.get("trusted", True) is True
    session.documents.encoding = _encoding(capabilities)
    linked = can("text_document.publish_diagnostics.code_description_support")
    related = can("text_document.publish_diagnostics.related_information")
    session.converter = Converter(related=related, linked=linked, encoding=session.documents.encoding)
    session.set_client_options(options.get("settings"))
    if session.pulls:
        _offer_pull(server)
    folders = [to_path(folder.uri) for folder in params.workspace_folders or ()]
    if not folders and (params.root_uri or params.root_path):
        folders = [to_path(params.root_uri) if params.root_uri else os.path.abspath(params.root_path or "")]
    session.configuration.folders = tuple(dict.fromkeys(f for f in folders if f and os.path.isdir(f)))
    if params.process_id is not None:
        _watch_parent(server, params.process_id)
    session.thread.submit(_warm_up, CHECK)


def _warm_up() -> None:
    """Load on the analysis thread, while the client still talks, what the first check needs: the parser and the
    rules."""
    from onnx_lint import registry
    from onnx_lint.source import lower

    del lower
    registry.load()


def _pulls(options: dict[str, Any], can: Any) -> bool:
    """Whether diagnostics are asked for by the client: where it wants that, or where it takes no others."""
    wish = options.get("diagnostics")
    if wish in ("push", "pull"):
        return bool(wish == "pull" and can("text_document.diagnostic"))
    return bool(can("text_document.diagnostic") and not can("text_document.publish_diagnostics"))


def _encoding(capabilities: types.ClientCapabilities) -> Any:
    offered = (capabilities.general and capabilities.general.position_encodings) or ()
    return next((_ENCODINGS[str(e.value if hasattr(e, "value") else e)] for e in offered if _known(e)), "utf-16")


def _known(encoding: Any) -> bool:
    return str(getattr(encoding, "value", encoding)) in _ENCODINGS


def _offer_pull(server: Server) -> None:
    options = types.DiagnosticOptions(
        inter_file_dependencies=True, workspace_diagnostics=True, identifier="onnx-lint", work_done_progress=True
    )
    whole = server.workspace_pull = WorkspacePull(server.session, server, lambda: server.features.watches_files)

    @server.feature(types.TEXT_DOCUMENT_DIAGNOSTIC, options)
    async def on_diagnostic(params: types.DocumentDiagnosticParams) -> dict[str, Any]:
        return await document_diagnostics(server.session, params)

    @server.feature(types.WORKSPACE_DIAGNOSTIC)
    async def on_workspace_diagnostic(params: types.WorkspaceDiagnosticParams) -> dict[str, Any]:
        return await whole.report(params)


async def initialized(server: Server) -> None:
    """Register what can only be registered now, ask for the configuration, begin to index."""
    await _register(server)
    session = server.session
    if session.configuration.folders:
        session.set_folders(list(session.configuration.folders))
    else:
        server.status("ready", "")
    await server.ask_configuration()


async def _register(server: Server) -> None:
    registrations: list[types.Registration] = []
    if server.features.watches_files:
        patterns = ("**/*.py", "**/pyproject.toml", "**/onnx-lint.toml", "**/.gitignore")
        options = types.DidChangeWatchedFilesRegistrationOptions(
            [types.FileSystemWatcher(glob_pattern=pattern) for pattern in patterns]
        )
        registrations.append(types.Registration("onnx-lint-files", types.WORKSPACE_DID_CHANGE_WATCHED_FILES, options))
    if server.features.configuration_registration:
        registrations.append(
            types.Registration(
                "onnx-lint-configuration",
                types.WORKSPACE_DID_CHANGE_CONFIGURATION,
                types.DidChangeConfigurationRegistrationOptions(section="onnxLint"),
            )
        )
    if registrations:
        try:
            await server.client_register_capability_async(types.RegistrationParams(registrations))
        except Exception as error:  # noqa: BLE001 - a client that refuses: files are then looked at when saved
            server.log(f"the client does not watch files for the server: {error}")


def set_folders_from(server: Server, event: types.WorkspaceFoldersChangeEvent) -> None:
    """Folders were added to the workspace or taken out of it."""
    removed = {to_path(folder.uri) for folder in event.removed or ()}
    added = [to_path(folder.uri) for folder in event.added or ()]
    kept = [f for f in server.configuration.folders if f not in removed]
    server.session.set_folders(kept + [f for f in added if f and f not in kept and os.path.isdir(f)])


# ------------------------------------------------------------------------------------------------- the parent process
def _watch_parent(server: Server, process: int) -> None:
    """End with the client's process. One that cannot be seen from the start lives in another container or machine."""
    if not is_alive(process):
        return
    loop = asyncio.get_running_loop()

    def look() -> None:
        if is_alive(process):
            loop.call_later(_PARENT_EVERY, look)
        else:
            server.protocol.on_exit(1)

    loop.call_later(_PARENT_EVERY, look)
