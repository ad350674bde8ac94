"""JSON: one object ``{"version": 1, "diagnostics": […], "errors": […], "coverage": {…}}``, one diagnostic a line.

Lines and columns count from 1, in characters of the decoded text; ends are exclusive. A path that is not valid Unicode
has its odd bytes as lone surrogates, as Python's own file functions give and take them.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, TextIO

from onnx_lint.diagnostic import Diagnostic, Note, Span
from onnx_lint.report import summary
from onnx_lint.report.report import Report

IS_DOCUMENT = True


def write(report: Report, stream: TextIO) -> None:
    stream.write('{\n"version": 1,\n"diagnostics": [')
    _list(stream, (diagnostic(d) for d in report.diagnostics))
    stream.write('],\n"errors": [')
    _list(stream, iter(report.problems))
    stream.write(f'],\n"coverage": {json.dumps(summary.as_data(report.coverage))}')
    if report.exports:
        stream.write(',\n"exports": [')
        _list(stream, iter(report.exports))
        stream.write("]")
    stream.write("\n}\n")


def _list(stream: TextIO, items: Iterator[Any]) -> None:
    separator = "\n"
    for item in items:
        stream.write(separator + json.dumps(item, ensure_ascii=True))
        separator = ",\n"


def place(span: Span) -> dict[str, Any]:
    """A place as plain data; in a notebook with its cell."""
    out: dict[str, Any] = {
        "path": span.path,
        "line": span.line,
        "column": span.column,
        "end_line": span.end_line,
        "end_column": span.end_column,
    }
    if span.cell:
        out["cell"] = span.cell
    return out


def note(given: Note) -> dict[str, Any]:
    return {**place(given.span), "text": given.text}


def diagnostic(d: Diagnostic) -> dict[str, Any]:
    """One diagnostic as plain data."""
    out: dict[str, Any] = {
        **place(d.span),
        "code": d.code,
        "name": d.name,
        "severity": d.severity.value,
        "message": d.message,
        "engines": [e.value for e in d.engines],
        "opset": d.opset,
        "origin": [note(n) for n in d.origin],
        "path_notes": [note(n) for n in d.path],
        "help": d.help,
        "fix": None,
        "source": d.source,
        "evidence": [{"state": e.state.value, "engine": e.engine.value, "text": e.text} for e in d.evidence],
    }
    if d.fix is not None:
        out["fix"] = {
            "title": d.fix.title,
            "applicability": d.fix.applicability.value,
            "edits": [{**place(e.span), "text": e.text, "replaces": e.replaces} for e in d.fix.edits],
        }
    return out
