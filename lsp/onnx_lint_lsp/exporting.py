"""Exports: run in a child process, shown with progress, cancelled on request, their results kept."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from onnx_lint_lsp.connection import Server


class Exports:
    """The exports of a connection: those that run, and the last result of each target."""

    def __init__(self, server: Server) -> None:
        self._server = server

    def is_running(self, uri: str, name: str) -> bool:
        return False

    def summary(self, uri: str, name: str) -> str | None:
        return None

    def stop(self) -> None:
        pass
