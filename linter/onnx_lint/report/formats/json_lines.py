"""One JSON object a line for each diagnostic, as in the list of ``json``; errors are on standard error only."""

from __future__ import annotations

import json
from typing import TextIO

from onnx_lint.report.formats.json import diagnostic
from onnx_lint.report.report import Report


def write(report: Report, stream: TextIO) -> None:
    for d in report.diagnostics:
        stream.write(json.dumps(diagnostic(d)) + "\n")
