"""The server object: the session, and what it says to the client."""

from __future__ import annotations

import os
import sys
import traceback
from typing import Any

from lsprotocol import types
from lsprotocol.converters import get_converter
from pygls.lsp.server import LanguageServer

from onnx_lint import __version__
from onnx_lint_lsp.client import Json
from onnx_lint_lsp.configuration import Configuration
from onnx_lint_lsp.exporting import Exports
from onnx_lint_lsp.options import SECTION
from onnx_lint_lsp.protocol import Protocol
from onnx_lint_lsp.pull import WorkspacePull
from onnx_lint_lsp.session import Session
from onnx_lint_lsp.uris import of_path

_SELECTOR = [
    types.NotebookDocumentFilterWithCells(
        notebook="jupyter-notebook", cells=[types.NotebookCellLanguage(language="python")]
    )
]
CONFIG_NAMES = ("pyproject.toml", "onnx-lint.toml")


class Features:
    """What the client can do, of what the server uses."""

    configuration = False
    refresh: frozenset[str] = frozenset()
    show_document = False
    progress = False
    watches_files = False
    configuration_registration = False
    ours = False
    """Whether the client is our own extension, which shows texts and asks for inputs itself."""


class Server(LanguageServer):
    """The connection to one client."""

    protocol: Protocol

    def __init__(self) -> None:
        super().__init__(
            "onnx-lint",
            __version__,
            text_document_sync_kind=types.TextDocumentSyncKind.Incremental,
            notebook_document_sync=types.NotebookDocumentSyncOptions(notebook_selector=_SELECTOR, save=True),
            protocol_cls=Protocol,
            converter_factory=get_converter,
        )
        self.features = Features()
        self.session = Session(self)
        self.exports = Exports(self.session)
        self.workspace_pull: WorkspacePull | None = None
        """Answers for the whole workspace, where the client asks for diagnostics."""
        self._logged: set[str] = set()
        self._settings: Any = None

    @property
    def configuration(self) -> Configuration:
        """The settings of the session."""
        return self.session.configuration

    def stop(self) -> None:
        """End what runs beside the event loop."""
        self.exports.stop()
        if self.workspace_pull is not None:
            self.workspace_pull.stop()
        self.session.stop()

    # ------------------------------------------------------------------------------------------- to the client
    def publish(self, uri: str, version: int | None, items: list[Json]) -> None:
        params: Json = {"uri": uri, "diagnostics": items}
        if version is not None:
            params["version"] = version
        self.protocol.send_raw(types.TEXT_DOCUMENT_PUBLISH_DIAGNOSTICS, params)

    def refresh(self, what: str) -> None:
        """Ask the client to ask again: ``diagnostics``, ``codeLens`` or ``inlayHint``."""
        if what not in self.features.refresh:
            return
        if what == "diagnostics":
            self.workspace_diagnostic_refresh(None)
        elif what == "codeLens":
            self.workspace_code_lens_refresh(None)
        else:
            self.workspace_inlay_hint_refresh(None)

    def warn(self, message: str) -> None:
        self._show(types.MessageType.Warning, message)

    async def apply(self, label: str, changes: dict[str, list[Json]]) -> bool:
        edits = {uri: [self._edit(each) for each in own] for uri, own in changes.items()}
        params = types.ApplyWorkspaceEditParams(types.WorkspaceEdit(changes=edits), label)
        try:
            return (await self.workspace_apply_edit_async(params)).applied
        except Exception as error:  # noqa: BLE001 - the client could not: whoever asked is told
            self.failed(error)
            return False

    @staticmethod
    def _edit(edit: Json) -> types.TextEdit:
        place = edit["range"]
        start, end = types.Position(**place["start"]), types.Position(**place["end"])
        return types.TextEdit(types.Range(start, end), edit["newText"])

    def tell(self, message: str) -> None:
        """Show a message to the person."""
        self._show(types.MessageType.Info, message)

    def _show(self, kind: types.MessageType, message: str) -> None:
        # VS Code makes links of `[text](address)` in messages, and these quote names and files of the workspace
        self.window_show_message(types.ShowMessageParams(kind, f"onnx-lint: {message.replace('](', '] (')}"))

    def log(self, message: str) -> None:
        self.window_log_message(types.LogMessageParams(types.MessageType.Log, message))

    def status(self, state: str, message: str) -> None:
        options = self.configuration.options(self.configuration.folders[0] if self.configuration.folders else "")
        params = {"state": state, "message": message, "engine": options.engine, "files": self.session.indexing.files}
        self.protocol.send_raw("onnx-lint/status", params)

    @property
    def shows_progress(self) -> bool:
        return self.features.progress

    async def create_progress(self, token: str) -> bool:
        try:
            await self.window_work_done_progress_create_async(types.WorkDoneProgressCreateParams(token))
        except Exception as error:  # noqa: BLE001 - a client that takes no token: then without progress
            self.failed(error)
            return False
        return True

    def send_progress(self, token: str | int, value: Json) -> None:
        self.protocol.send_raw(types.PROGRESS, {"token": token, "value": value})

    def failed(self, error: BaseException) -> None:
        """An exception that should not be: logged once for each place where it was raised."""
        frames = traceback.extract_tb(error.__traceback__)
        place = f"{frames[-1].filename}:{frames[-1].lineno}" if frames else ""
        key = f"{type(error).__name__} {place}"
        if key in self._logged:
            return
        self._logged.add(key)
        text = "".join(traceback.format_exception(error))
        sys.stderr.write(f"onnx-lint: internal error, please report it:\n{text}")
        sys.stderr.flush()
        self.log(f"internal error, please report it: {text}")

    def report_server_error(self, error: Exception, source: Any) -> None:
        """What pygls caught in a handler. The client got its answer; a pop-up at each keystroke helps nobody."""
        cause = error.__cause__ or error.__context__ or error
        if getattr(error, "code", None) in (None, -32603):
            self.failed(cause)

    # ------------------------------------------------------------------------------------------------ configuration
    async def ask_configuration(self) -> None:
        """Ask for the settings of every folder, where the client can be asked."""
        folders = self.configuration.folders
        if not self.features.configuration:
            self.session.check_all()
            return
        items = [types.ConfigurationItem(section=SECTION)]
        items += [types.ConfigurationItem(scope_uri=of_path(folder), section=SECTION) for folder in folders]
        try:
            answers = await self.workspace_configuration_async(types.ConfigurationParams(items))
        except Exception as error:  # noqa: BLE001 - a client that announces it and cannot: what it sent before counts
            self.log(f"the client does not answer with its settings: {error}")
            answers = None
        for folder, answer in zip((None, *folders), answers or (), strict=False):
            if answer is not None:
                self.session.set_client_options(answer, folder)
        self._tell_problems()
        self.session.check_all()
        self.refresh("codeLens")
        self.refresh("inlayHint")

    async def configuration_changed(self, settings: Any) -> None:
        """The client has new settings: take them, or ask for them."""
        if not self.features.configuration:
            section = settings.get(SECTION, settings) if isinstance(settings, dict) else settings
            self.session.set_client_options(section)
            self._tell_problems()
        await self.ask_configuration()

    def _tell_problems(self) -> None:
        for problem in self.configuration.problems():
            self.warn(problem)

    def files_changed(self, paths: list[str]) -> None:
        """Files came, went or changed on disk."""
        if any(path.replace("\\", "/").rpartition("/")[2] in CONFIG_NAMES for path in paths):
            self.session.reconfigure()
        python = [path for path in paths if path.endswith(".py")]
        if python:
            self.session.on_disk(python)
        if any(os.path.basename(path) == ".gitignore" for path in paths):
            self.session.ignores_changed()

    async def reload(self) -> None:
        """Read all configuration again and walk the workspace again."""
        self.session.configuration.reload()
        self.session.forget_failures()
        self.session.indexing.rebuild()
        await self.ask_configuration()
