"""The commands that a client runs with ``workspace/executeCommand``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from onnx_lint_lsp.convert import Json
from onnx_lint_lsp.rule_pages import text_of

if TYPE_CHECKING:
    from onnx_lint_lsp.connection import Server


class Commands:
    def __init__(self, server: Server) -> None:
        self._server = server

    async def export(self, target: Any) -> Json:
        raise NotImplementedError

    def cancel(self, targets: Any) -> bool:
        return False

    async def show_report(self, target: Any) -> str | None:
        return None

    async def input_spec(self, target: Any) -> Json:
        return {}

    async def explain(self, code: Any) -> str:
        return text_of(str(code)) or ""
