"""GitLab's code quality report."""

from __future__ import annotations

import hashlib
import json
from typing import TextIO

from onnx_lint.diagnostic import Severity
from onnx_lint.report.report import Report, engines_text, evidence_text
from onnx_lint.report.repository import RepositoryPaths

IS_DOCUMENT = True

_LEVELS = {Severity.ERROR: "major", Severity.WARNING: "minor", Severity.INFO: "info"}


def write(report: Report, stream: TextIO) -> None:
    paths = RepositoryPaths()
    seen: dict[str, int] = {}
    entries = []
    for d in report.diagnostics:
        cell = f":cell {d.span.cell}" if d.span.cell else ""
        base = f"{paths.of(d.span.path)}{cell}\0{d.code}\0{d.message}"
        seen[base] = seen.get(base, 0) + 1  # the same message twice in a file needs two fingerprints
        digest = hashlib.sha256(f"{base}\0{seen[base]}".encode("utf-8", "surrogatepass")).hexdigest()
        lines = {"begin": d.span.line, "end": d.span.end_line}
        where = ""
        if d.span.cell:  # lines of a cell are not lines of the file
            lines, where = {"begin": 1, "end": 1}, f" at cell {d.span.cell}:{d.span.line}:{d.span.column}"
        entries.append(
            {
                "description": f"{d.code}: {d.message} ({engines_text(d)}){evidence_text(d)}{where}",
                "check_name": d.name,
                "fingerprint": digest,
                "severity": _LEVELS[d.severity],
                "location": {"path": paths.of(d.span.path), "lines": lines},
            }
        )
    stream.write(json.dumps(entries))
    stream.write("\n")
