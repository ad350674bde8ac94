"""Small programs, and what the linter reports in them."""

from __future__ import annotations

from onnx_lint.checker import check
from onnx_lint.project.project import Project
from onnx_lint.settings import Settings
from onnx_lint.source.text import SourceText

HEADER = "import torch\nfrom torch import nn\n"


def reports(code: str, settings: Settings | None = None) -> list[tuple[str, str, str]]:
    """Code, severity and source line of each diagnostic in a program, whose imports are added, in order."""
    project = Project()
    project.add(SourceText.from_text("m.py", HEADER + code))
    lines = (HEADER + code).splitlines()
    return [
        (d.code, d.severity.name.lower(), lines[d.span.line - 1].strip())
        for d in check(project, settings or Settings())
    ]


def reported_lines(code: str) -> list[str]:
    """The lines on which something is reported."""
    return [line for _, _, line in reports(code)]
