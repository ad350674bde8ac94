"""Lines as pylint's parseable format has them, which many tools read: ``path:line: [CODE] message``."""

from __future__ import annotations

from typing import TextIO

from onnx_lint.report.report import Report, engines_text, evidence_text, printable, printable_line


def write(report: Report, stream: TextIO) -> None:
    for d in report.diagnostics:
        place = f"{printable_line(d.span.label)}:{d.span.line}"
        said = f"{printable(d.message)} ({engines_text(d)}){evidence_text(d)}"
        stream.write(f"{place}: [{d.code}({d.name}), ] {said}\n")
