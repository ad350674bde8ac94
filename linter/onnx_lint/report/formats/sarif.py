"""SARIF 2.1.0, with the origin chain as code flow. Columns are UTF-16 code units, as the format has it by default."""

from __future__ import annotations

import json
import ntpath
import os
from typing import Any, TextIO
from urllib.parse import quote

from onnx_lint import __version__
from onnx_lint.diagnostic import Applicability, Diagnostic, Severity, Span
from onnx_lint.links import home, page_of
from onnx_lint.report import summary
from onnx_lint.report.report import Report, engines_text, printable
from onnx_lint.report.repository import RepositoryPaths

IS_DOCUMENT = True
NEEDS_RULES = True

_LEVELS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.INFO: "note"}
_ROOT = "%SRCROOT%"
_SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"


def write(report: Report, stream: TextIO) -> None:
    paths = RepositoryPaths()
    described = _rules(report)
    index = {rule["id"]: number for number, rule in enumerate(described)}
    driver = {"name": "onnx-lint", "semanticVersion": __version__, "rules": described}
    address = home()
    if address is not None:
        driver["informationUri"] = address
    notifications = [{"level": "error", "message": {"text": printable(p)}} for p in report.problems]
    invocation = {"executionSuccessful": not report.problems, "toolExecutionNotifications": notifications}
    # written by hand down to the results: one result a line, and none of them kept
    stream.write(f'{{\n"$schema": "{_SCHEMA}",\n"version": "2.1.0",\n"runs": [{{\n"columnKind": "utf16CodeUnits",\n')
    stream.write(f'"tool": {json.dumps({"driver": driver})},\n"invocations": {json.dumps([invocation])},\n"results": [')
    separator = "\n"
    for diagnostic in report.diagnostics:
        stream.write(separator + json.dumps(_result(report, diagnostic, index, paths)))
        separator = ",\n"
    top = {_ROOT: {"uri": _uri(paths.top + "/"), "description": {"text": "The top of the repository"}}}
    stream.write(f'],\n"originalUriBaseIds": {json.dumps(top)}')
    properties = {"coverage": summary.as_data(report.coverage)}
    stream.write(f',\n"properties": {json.dumps(properties)}\n}}]\n}}\n')


def _rules(report: Report) -> list[dict[str, Any]]:
    """The rules of the diagnostics, with their documentation."""
    known = {r.code: r for r in report.rules}
    out: list[dict[str, Any]] = []
    for code, name in sorted({(d.code, d.name) for d in report.diagnostics}):
        entry: dict[str, Any] = {"id": code, "name": name}
        if code in known:
            rule = known[code]
            entry["shortDescription"] = {"text": rule.summary}
            entry["fullDescription"] = {"text": rule.documentation.partition("\n\n")[0]}
            entry["help"] = {"text": rule.documentation, "markdown": rule.documentation}
        page = page_of(code)
        if page is not None:
            entry["helpUri"] = page
        worst = max(d.severity for d in report.diagnostics if d.code == code)
        entry["defaultConfiguration"] = {"level": _LEVELS[worst]}
        out.append(entry)
    return out


def _result(report: Report, d: Diagnostic, index: dict[str, int], paths: RepositoryPaths) -> dict[str, Any]:
    out: dict[str, Any] = {
        "ruleId": d.code,
        "ruleIndex": index[d.code],
        "level": _LEVELS[d.severity],
        "message": {"text": printable(f"{d.message} ({engines_text(d)})")},
        "locations": [_location(report, d.span, paths)],
        "properties": {
            "engines": [e.value for e in d.engines],
            "source": d.source,
            "evidence": [{"state": e.state.value, "engine": e.engine.value, "text": e.text} for e in d.evidence],
        },
    }
    steps = [*((n.span, n.text) for n in (*d.path, *d.origin)), (d.span, d.message)]
    if len(steps) > 1:
        flow = [{"location": {**_location(report, s, paths), "message": {"text": printable(t)}}} for s, t in steps]
        out["codeFlows"] = [{"threadFlows": [{"locations": flow}]}]
    if d.fix is not None and d.fix.applicability is not Applicability.DISPLAY:
        replacements = [
            {"deletedRegion": _region(report, e.span), "insertedContent": {"text": e.text}} for e in d.fix.edits
        ]
        change = {"artifactLocation": _artifact(d.span.path, paths), "replacements": replacements}
        out["fixes"] = [
            {
                "description": {"text": d.fix.title},
                "artifactChanges": [change],
                "properties": {"applicability": d.fix.applicability.value},
            }
        ]
    return out


def _uri(path: str, *, windows: bool = os.name == "nt") -> str:
    """A relative path with slashes, an absolute one with its scheme; all but plain characters as percent codes."""
    drive = ""
    if windows:
        drive, path = ntpath.splitdrive(path.replace("\\", "/"))
    quoted = quote(path.encode("utf-8", "surrogateescape"), safe="/._-~")
    if not path.startswith("/") or (windows and not drive):
        return quoted
    if drive.startswith("//"):  # a share: its server is the authority
        return f"file:{quote(drive)}{quoted}"
    return f"file:///{drive}{quoted}" if drive else f"file://{quoted}"


def _artifact(path: str, paths: RepositoryPaths) -> dict[str, str]:
    """A file: counted from the top of the repository where it lies in it."""
    shown = paths.of(path)
    is_outside = shown == os.path.abspath(path).replace(os.sep, "/")
    return {"uri": _uri(shown)} if is_outside else {"uri": _uri(shown), "uriBaseId": _ROOT}


def _location(report: Report, span: Span, paths: RepositoryPaths) -> dict[str, Any]:
    place = {"artifactLocation": _artifact(span.path, paths), "region": _region(report, span)}
    out: dict[str, Any] = {"physicalLocation": place}
    if span.cell:
        name = f"cell {span.cell}:{span.line}:{span.column}"
        out["logicalLocations"] = [{"name": name, "fullyQualifiedName": printable(f"{span.path}:{name}")}]
    return out


def _region(report: Report, span: Span) -> dict[str, Any]:
    if span.cell:  # a region counts the lines of the notebook's JSON, which nobody reads; the cell is beside it
        return {"startLine": 1, "startColumn": 1, "endLine": 1, "endColumn": 1}
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
    return column if before.isascii() else column + sum(1 for c in before if ord(c) > 0xFFFF)
