"""Suppressions as quick fixes: whatever the code around, the diagnostic is gone after the edit."""

from __future__ import annotations

import pytest

from onnx_lint.checker import check
from onnx_lint.diagnostic import Diagnostic, Edit
from onnx_lint.project.project import Project
from onnx_lint.settings import Settings
from onnx_lint.source.text import SourceText
from onnx_lint.suppression_edits import for_file, for_line

HEAD = "import torch\nfrom torch import nn\n\n\nclass Net(nn.Module):\n    def forward(self, x):\n"
BODIES = {
    "plain": "        return x * x.sum().item()\n",
    "comment": "        return x * x.sum().item()  # why\n",
    "suppressed for another": "        return x * x.sum().item()  # onnx-lint: ignore[ONX101] reason\n",
    "brackets": "        return x * (\n            x.sum()\n            .item()\n        )\n",
    "string": '        return x * x.sum().item(), """\n  text\n"""\n',
    "end of file": "        return x * x.sum().item()",
    "spaces": "        return x * x.sum().item()   \n",
}


def diagnostics(text: str) -> list[Diagnostic]:
    project = Project()
    project.add(SourceText.from_text("m.py", text))
    return [d for d in check(project, Settings(), ["m.py"]) if d.code == "ONX202"]


def applied(source: SourceText, edit: Edit) -> str:
    start = source.offset(edit.span.line, edit.span.column)
    end = source.offset(edit.span.end_line, edit.span.end_column)
    return source.text[:start] + edit.text + source.text[end:]


@pytest.mark.parametrize("body", BODIES.values(), ids=list(BODIES))
def test_a_line_is_silenced(body: str) -> None:
    source = SourceText.from_text("m.py", HEAD + body)
    (diagnostic,) = diagnostics(source.text)
    edit = for_line(source, diagnostic)
    assert edit is not None
    changed = applied(source, edit)
    compile(changed, "m.py", "exec")
    assert diagnostics(changed) == []


def test_inside_a_line_continued_by_backslashes_no_comment_can_stand() -> None:
    source = SourceText.from_text(
        "m.py", HEAD + "        return x * \\\n            x.sum().item() \\\n            + 1\n"
    )
    (diagnostic,) = diagnostics(source.text)
    assert for_line(source, diagnostic) is None


@pytest.mark.parametrize("header", ["", "#!/usr/bin/env python\n", "#!/usr/bin/python\n# -*- coding: utf-8 -*-\n"])
def test_a_file_is_silenced_below_its_header(header: str) -> None:
    source = SourceText.from_text("m.py", header + HEAD + BODIES["plain"])
    (diagnostic,) = diagnostics(source.text)
    changed = applied(source, for_file(source, diagnostic))
    assert changed.startswith(header)
    assert diagnostics(changed) == []
