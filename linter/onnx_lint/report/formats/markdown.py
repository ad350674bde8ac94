"""A table in Markdown, for the summary of a run or a comment on a change."""

from __future__ import annotations

import re
from typing import TextIO

from onnx_lint.links import page_of
from onnx_lint.report import summary
from onnx_lint.report.report import Report, engines_text, evidence_text, printable
from onnx_lint.report.repository import RepositoryPaths

_MARKS = re.compile(r"[\\`*_{}\[\]()<>#|!~&:@$\"'^=+-]")


def plain(text: str) -> str:
    """Text that Markdown and HTML leave as it is."""
    return _MARKS.sub(lambda match: f"&#{ord(match[0])};", printable(text))


def prose(text: str) -> str:
    """A message: what stands between backticks is set as code."""
    pieces = text.split("`")
    if len(pieces) % 2 == 0:
        return plain(text)
    return "".join(f"<code>{plain(p)}</code>" if n % 2 else plain(p) for n, p in enumerate(pieces))


def write(report: Report, stream: TextIO) -> None:
    paths = RepositoryPaths()
    if report.diagnostics:
        stream.write("| Severity | Rule | Place | |\n| --- | --- | --- | --- |\n")
    for d in report.diagnostics:
        page = page_of(d.code)
        rule = f"[{plain(d.code)}]({page})" if page else plain(d.code)
        cell = f":cell {d.span.cell}" if d.span.cell else ""
        place = plain(f"{paths.of(d.span.path)}{cell}:{d.span.line}:{d.span.column}")
        said = prose(d.message) + plain(f" ({engines_text(d)}){evidence_text(d)}")
        stream.write(f"| {d.severity} | {rule} {plain(d.name)} | {place} | {said} |\n")
    if not report.quiet:
        for emphasised, rest in summary.details(report):
            stream.write(f"\n**{plain(emphasised)}**{plain(rest)}\n")
