"""Reviewdog's JSON: https://github.com/reviewdog/reviewdog/tree/master/proto/rdf. Columns count bytes of UTF-8."""

from __future__ import annotations

import json
from typing import Any, TextIO

from onnx_lint.diagnostic import Applicability, Diagnostic, Severity, Span
from onnx_lint.links import home, page_of
from onnx_lint.report.report import Report, engines_text, evidence_text, printable
from onnx_lint.report.repository import RepositoryPaths

IS_DOCUMENT = True

_LEVELS = {Severity.ERROR: "ERROR", Severity.WARNING: "WARNING", Severity.INFO: "INFO"}


def write(report: Report, stream: TextIO) -> None:
    paths = RepositoryPaths()
    source = {"name": "onnx-lint", **_url(home())}
    stream.write(f'{{"source": {json.dumps(source)},\n"diagnostics": [')
    separator = "\n"
    for d in report.diagnostics:
        stream.write(separator + json.dumps(_diagnostic(report, d, paths)))
        separator = ",\n"
    stream.write("]}\n")


def _url(address: str | None) -> dict[str, str]:
    return {} if address is None else {"url": address}


def _diagnostic(report: Report, d: Diagnostic, paths: RepositoryPaths) -> dict[str, Any]:
    out: dict[str, Any] = {
        "message": printable(f"{d.message} ({engines_text(d)}){evidence_text(d)}"),
        "location": {"path": paths.of(d.span.path), "range": _range(report, d.span)},
        "severity": _LEVELS[d.severity],
        "code": {"value": d.code, **_url(page_of(d.code))},
    }
    related = [
        {
            "message": printable(note.text),
            "location": {"path": paths.of(note.span.path), "range": _range(report, note.span)},
        }
        for note in (*d.path, *d.origin)
    ]
    if related:
        out["relatedLocations"] = related
    # one suggestion replaces one range: a fix in several places cannot be said
    if d.fix is not None and d.fix.applicability is Applicability.SAFE and len(d.fix.edits) == 1 and not d.span.cell:
        (edit,) = d.fix.edits
        out["suggestions"] = [{"range": _range(report, edit.span), "text": edit.text}]
    return out


def _range(report: Report, span: Span) -> dict[str, Any]:
    if span.cell:  # lines of a cell are not lines of the file
        return {"start": {"line": 1, "column": 1}}
    return {
        "start": {"line": span.line, "column": _column(report, span.path, span.line, span.column)},
        "end": {"line": span.end_line, "column": _column(report, span.path, span.end_line, span.end_column)},
    }


def _column(report: Report, path: str, line: int, column: int) -> int:
    source = report.sources.get(path)
    if source is None or line > len(source.starts):
        return column
    before = source.line(line)[: column - 1]
    return column if before.isascii() else len(before.encode("utf-8", "surrogatepass")) + 1
