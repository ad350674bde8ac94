"""Workflow commands of GitHub Actions, which become annotations of a pull request."""

from __future__ import annotations

from typing import TextIO

from onnx_lint.diagnostic import Severity, Span
from onnx_lint.report.report import Report, engines_text, evidence_text, printable
from onnx_lint.report.repository import RepositoryPaths

_LEVELS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.INFO: "notice"}


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(printable(text)).replace(":", "%3A").replace(",", "%2C")


def _place(span: Span) -> str:
    if span.cell:  # lines of a cell are not lines of the file; the message has the place
        return "line=1"
    place = f"line={span.line},col={span.column},endLine={span.end_line}"
    return f"{place},endColumn={span.end_column}" if span.end_line == span.line else place


def write(report: Report, stream: TextIO) -> None:
    paths = RepositoryPaths()
    for d in report.diagnostics:
        title = _property(f"onnx-lint ({d.code})")
        place = f"file={_property(paths.of(d.span.path))}," + _place(d.span)
        said = (
            f"{d.span.label}:{d.span.line}:{d.span.column}: {d.code} {d.message} ({engines_text(d)}){evidence_text(d)}"
        )
        message = _data(printable(said))
        stream.write(f"::{_LEVELS[d.severity]} title={title},{place}::{message}\n")
