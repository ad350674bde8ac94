"""An entry point that met a limit is no broken text: it is reported once, also when the text has settled."""

from __future__ import annotations

from pathlib import Path

from cli.test_coverage import chain

from onnx_lint.semantics.evaluation.state import MAX_DEPTH
from onnx_lint_lsp.configuration import Configuration
from onnx_lint_lsp.documents import Document
from onnx_lint_lsp.source_view import SourceView
from onnx_lint_lsp.text import Text
from onnx_lint_lsp.uris import of_path
from onnx_lint_lsp.workspace import Workspace, is_broken

DEEP = chain(MAX_DEPTH + 1)


def test_a_limit_is_kept_when_the_text_settles(tmp_path: Path) -> None:
    root = Workspace(str(tmp_path), Configuration())
    path = tmp_path / "net.py"
    for version, text in enumerate((DEEP, "def broken(:\n\n\n" + DEEP)):
        view = SourceView.of_document(Document(of_path(str(path)), version, Text(text, "utf-16")))
        root.update(view.path, view)
        for settled in (False, True):
            (result,) = root.check(settled=settled)
            codes = sorted(d.code for d in result.diagnostics)
            assert codes == (["ONX000", "ONX009"] if version else ["ONX009"])
            assert is_broken(result.diagnostics, result.limits) is bool(version)
