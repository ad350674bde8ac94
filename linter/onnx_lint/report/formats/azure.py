"""Logging commands of Azure Pipelines, which become issues of the run."""

from __future__ import annotations

from typing import TextIO

from onnx_lint.diagnostic import Severity
from onnx_lint.report.report import Report, engines_text, evidence_text, printable
from onnx_lint.report.repository import RepositoryPaths


def _data(text: str) -> str:
    return printable(text).replace("%", "%AZP25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(";", "%3B").replace("]", "%5D")


def write(report: Report, stream: TextIO) -> None:
    paths = RepositoryPaths()
    for d in report.diagnostics:
        level = "error" if d.severity is Severity.ERROR else "warning"  # there is no third
        line, column = (1, 1) if d.span.cell else (d.span.line, d.span.column)
        place = f"sourcepath={_property(paths.of(d.span.path))};linenumber={line};columnnumber={column}"
        said = f"{d.span.label}:{d.span.line}:{d.span.column}: {d.message} ({engines_text(d)}){evidence_text(d)}"
        stream.write(f"##vso[task.logissue type={level};{place};code={_property(d.code)};]{_data(said)}\n")
