"""``--statistics``: how many diagnostics each rule gives, and how many of them can be fixed; as a table, or as JSON."""

from __future__ import annotations

import json
from typing import TextIO

from onnx_lint.diagnostic import Applicability, Diagnostic
from onnx_lint.report import summary
from onnx_lint.report.report import Report


def write(report: Report, stream: TextIO, *, as_json: bool) -> None:
    """The most frequent first. `[*]` marks rules all of whose diagnostics have a safe fix, `[-]` those that have some.

    JSON is ``{"version": 1, "statistics": [...], "errors": [...], "coverage": {...}}``."""
    by_rule: dict[tuple[str, str], list[Diagnostic]] = {}
    for d in report.diagnostics:
        by_rule.setdefault((d.code, d.name), []).append(d)
    rows = sorted(by_rule.items(), key=lambda item: (-len(item[1]), item[0]))
    if as_json:
        entries = [
            {"code": code, "name": name, "count": len(mine), "fixable": _fixable(mine)} for (code, name), mine in rows
        ]
        document = {
            "version": 1,
            "statistics": entries,
            "errors": report.problems,
            "coverage": summary.as_data(report.coverage),
        }
        stream.write(json.dumps(document, indent=1) + "\n")
        return
    width = len(str(max(map(len, by_rule.values()), default=0)))
    marks = any(_fixable(mine) for mine in by_rule.values())
    for (code, name), mine in rows:
        fixable = _fixable(mine)
        mark = "[*] " if fixable == len(mine) else "[-] " if fixable else "    "
        stream.write(f"{len(mine):>{width}}  {code}  {mark if marks else ''}{name}\n")
    if marks and not report.quiet:
        stream.write("[*] can be fixed with --fix, [-] in part\n")
    if not report.quiet:
        for emphasised, rest in summary.details(report):
            stream.write(emphasised + rest + "\n")


def _fixable(diagnostics: list[Diagnostic]) -> int:
    return sum(d.fix is not None and d.fix.applicability is Applicability.SAFE for d in diagnostics)
