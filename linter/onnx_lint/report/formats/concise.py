"""One line for each diagnostic: ``path:line:column: severity CODE message (engines)``."""

from __future__ import annotations

from typing import TextIO

from onnx_lint.report.report import Report, engines_text, evidence_text, printable, printable_line


def write(report: Report, stream: TextIO) -> None:
    for d in report.diagnostics:
        place = f"{printable_line(d.span.label)}:{d.span.line}:{d.span.column}"
        stream.write(f"{place}: {d.severity} {d.code} {printable(d.message)} ({engines_text(d)}){evidence_text(d)}\n")
