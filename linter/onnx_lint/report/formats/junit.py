"""JUnit's XML: one test case for each diagnostic."""

from __future__ import annotations

from typing import TextIO
from xml.sax.saxutils import escape, quoteattr

from onnx_lint.report.report import Report, engines_text, evidence_text, portable_path, printable

IS_DOCUMENT = True


def write(report: Report, stream: TextIO) -> None:
    count = len(report.diagnostics)
    stream.write('<?xml version="1.0" encoding="utf-8"?>\n')
    stream.write(f'<testsuites name="onnx-lint" tests="{max(count, 1)}" failures="{count}">\n')
    stream.write(f'<testsuite name="onnx-lint" tests="{max(count, 1)}" failures="{count}">\n')
    for d in report.diagnostics:
        name = quoteattr(f"{d.code} at {d.span.line}:{d.span.column}")
        message = f"{printable(d.message)} ({engines_text(d)}){evidence_text(d)}"
        path, owner = quoteattr(printable(portable_path(d.span.path))), quoteattr(printable(d.span.label))
        line = 1 if d.span.cell else d.span.line  # lines of a cell are not lines of the file
        stream.write(f'<testcase name={name} classname={owner} file={path} line="{line}">')
        stream.write(f'<failure message={quoteattr(message)} type="{d.severity}">{escape(message)}</failure>')
        stream.write("</testcase>\n")
    if not count:
        stream.write('<testcase name="no diagnostics" classname="onnx-lint"/>\n')
    stream.write("</testsuite>\n</testsuites>\n")
