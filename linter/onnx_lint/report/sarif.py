"""SARIF 2.1.0, with the origin chain as code flow. Columns are UTF-16 code units, as the format has it by default."""

from __future__ import annotations

import json
from importlib.metadata import version
from typing import Any, TextIO
from urllib.parse import quote

from onnx_lint.diagnostic import Diagnostic, Severity, Span
from onnx_lint.report.report import Report, engines_text

_LEVELS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.INFO: "note"}


def write(report: Report, stream: TextIO) -> None:
    used = sorted({d.code for d in report.diagnostics})
    rules = {r.code: r for r in report.rules}
    names = {d.code: d.name for d in report.diagnostics}
    described: list[dict[str, Any]] = []
    for code in used:
        entry: dict[str, Any] = {"id": code, "name": names[code]}
        if code in rules:
            rule = rules[code]
            entry["shortDescription"] = {"text": rule.summary}
            entry["help"] = {"text": rule.documentation, "markdown": rule.documentation}
        described.append(entry)
    index = {code: i for i, code in enumerate(used)}
    run = {
        "tool": {"driver": {"name": "onnx-lint", "version": version("onnx-lint"), "rules": described}},
        "columnKind": "utf16CodeUnits",
        "results": [_result(report, d, index) for d in report.diagnostics],
        "invocations": [
            {
                "executionSuccessful": not report.problems,
                "toolExecutionNotifications": [{"level": "error", "message": {"text": p}} for p in report.problems],
            }
        ],
    }
    document = {
        "$schema": "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json",
        "version": "2.1.0",
        "runs": [run],
    }
    json.dump(document, stream, ensure_ascii=True, indent=1)
    stream.write("\n")


def _result(report: Report, d: Diagnostic, index: dict[str, int]) -> dict[str, Any]:
    out: dict[str, Any] = {
        "ruleId": d.code,
        "ruleIndex": index[d.code],
        "level": _LEVELS[d.severity],
        "message": {"text": f"{d.message} ({engines_text(d)})"},
        "locations": [{"physicalLocation": _location(report, d.span)}],
        "properties": {
            "engines": [e.value for e in d.engines],
            "source": d.source,
            "evidence": [{"state": e.state.value, "engine": e.engine.value, "text": e.text} for e in d.evidence],
        },
    }
    steps = [*d.path, *d.origin]
    if steps:
        locations = [
            {"location": {"physicalLocation": _location(report, n.span), "message": {"text": n.text}}} for n in steps
        ]
        locations.append({"location": {"physicalLocation": _location(report, d.span), "message": {"text": d.message}}})
        out["codeFlows"] = [{"threadFlows": [{"locations": locations}]}]
    if d.fix is not None:
        replacements = [
            {"deletedRegion": _region(report, e.span), "insertedContent": {"text": e.text}} for e in d.fix.edits
        ]
        change = {"artifactLocation": {"uri": _uri(d.span.path)}, "replacements": replacements}
        out["fixes"] = [{"description": {"text": d.fix.title}, "artifactChanges": [change]}]
    return out


def _uri(path: str) -> str:
    return quote(path.replace("\\", "/").encode("utf-8", "surrogateescape"), safe="/._-~")


def _location(report: Report, span: Span) -> dict[str, Any]:
    return {"artifactLocation": {"uri": _uri(span.path)}, "region": _region(report, span)}


def _region(report: Report, span: Span) -> dict[str, Any]:
    return {
        "startLine": span.line,
        "startColumn": _column(report, span.path, span.line, span.column),
        "endLine": span.end_line,
        "endColumn": _column(report, span.path, span.end_line, span.end_column),
    }


def _column(report: Report, path: str, line: int, column: int) -> int:
    """A column in UTF-16 code units: characters beyond the basic plane count twice."""
    source = report.sources.get(path)
    if source is None or line > len(source.starts):
        return column
    before = source.line(line)[: column - 1]
    return column + sum(1 for c in before if ord(c) > 0xFFFF)
