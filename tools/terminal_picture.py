"""Draw what the command prints on a terminal: docs/images/terminal.svg, the picture of the README.

python tools/terminal_picture.py            # writes
python tools/terminal_picture.py --check    # exit status 1 if the picture is stale
"""

from __future__ import annotations

import io
import re
import sys
from pathlib import Path

from rich.console import Console
from rich.text import Text

from onnx_lint.checker import check_with_coverage
from onnx_lint.project.project import Project
from onnx_lint.report.formats.full import lines_of
from onnx_lint.report.report import Report
from onnx_lint.settings import Settings
from onnx_lint.source.text import SourceText

ROOT = Path(__file__).parents[1]
PICTURE = ROOT / "docs" / "images" / "terminal.svg"
GUIDE = ROOT / "docs" / "first-lint.md"
WIDTH = 118


def drawn() -> str:
    """The picture of a run over the model of the first guide."""
    found = re.search(r'```python title="(\w+\.py)"\n(.*?)```', GUIDE.read_text(encoding="utf-8"), re.S)
    if found is None:
        raise ValueError(f"{GUIDE.name} has no model")
    name, text = found.groups()
    source = SourceText.from_text(name, text)
    project = Project()
    project.add(source)
    result = check_with_coverage(project, [(Settings(), None)])
    report = Report(result.diagnostics, [], {name: source}, coverage=result.coverage, colour=True)
    console = Console(record=True, width=WIDTH, file=io.StringIO(), highlight=False, force_terminal=True)
    console.print(Text(f"$ onnx-lint check {name}"))
    for line in lines_of(report):
        console.print(Text.assemble(*line))
    svg = console.export_svg(title="onnx-lint", unique_id="terminal")
    # the fonts of the template lie on another host; a picture in a page loads nothing
    return re.sub(r"\s*@font-face \{.*?\}", "", svg, flags=re.S) + "\n"


if __name__ == "__main__":
    if "--check" in sys.argv[1:]:
        raise SystemExit(PICTURE.read_text(encoding="utf-8") != drawn())
    PICTURE.write_text(drawn(), encoding="utf-8")
