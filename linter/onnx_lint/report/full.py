"""For people: the source around each diagnostic with carets under exactly what is meant, and the chain behind it.

Without colour it is plain text written by hand; rich is loaded only to draw on a terminal.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from typing import TextIO

from onnx_lint.diagnostic import Applicability, Diagnostic, Severity, Span
from onnx_lint.report.report import Report, engines_text, printable

Piece = tuple[str, str]
"""Text and style name."""

_STYLES = {Severity.ERROR: "bold red", Severity.WARNING: "bold yellow", Severity.INFO: "bold cyan"}
_MAX_LINE = 160


def write(report: Report, stream: TextIO) -> None:
    if report.colour:
        _write_rich(report, stream)
        return
    for line in _lines(report):
        stream.write("".join(text for text, _ in line).rstrip() + "\n")


def _write_rich(report: Report, stream: TextIO) -> None:
    from rich.console import Console
    from rich.text import Text

    console = Console(file=stream, force_terminal=True, highlight=False, soft_wrap=True)
    for line in _lines(report):
        console.print(Text.assemble(*[(text, style) for text, style in line]))


def _lines(report: Report) -> Iterator[list[Piece]]:
    for diagnostic in report.diagnostics:
        yield from _diagnostic(report, diagnostic)
        yield [("", "")]
    yield _summary(report)


def _diagnostic(report: Report, d: Diagnostic) -> Iterator[list[Piece]]:
    style = _STYLES[d.severity]
    yield [
        (f"{d.severity}", style), (f"[{d.code}]", style), (f" {printable(d.message)}", "bold"),
        (f"  ({engines_text(d)})", "dim"),
    ]  # fmt: skip
    yield from _excerpt(report, d.span, "^", style, d.name)
    gutter = " " * _gutter(report, d)
    for note in (*d.path, *d.origin):
        place = f"{printable(note.span.path)}:{note.span.line}:{note.span.column}"
        yield [(f"{gutter} = ", "blue"), (f"{place}: ", "dim"), (printable(note.text), "")]
    for evidence in d.evidence:
        text = f"{evidence.engine}: {evidence.state.value}" + (f", {printable(evidence.text)}" if evidence.text else "")
        yield [(f"{gutter} = ", "blue"), ("export: ", "bold magenta"), (text, "")]
    if d.help:
        yield [(f"{gutter} = ", "blue"), ("help: ", "bold green"), (printable(d.help), "")]
    if d.fix is not None and d.fix.applicability is not Applicability.DISPLAY:
        how = "--fix" if d.fix.applicability is Applicability.SAFE else "--fix --unsafe-fixes"
        yield [(f"{gutter} = ", "blue"), ("fix: ", "bold green"), (f"{printable(d.fix.title)} ({how})", "")]


def _gutter(report: Report, d: Diagnostic) -> int:
    return max(len(str(d.span.end_line)), 2) + 1


def _excerpt(report: Report, span: Span, caret: str, style: str, label: str) -> Iterator[list[Piece]]:
    source = report.sources.get(span.path)
    width = max(len(str(span.end_line)), 2)
    yield [(" " * width + "--> ", "blue"), (f"{printable(span.path)}:{span.line}:{span.column}", "")]
    if source is None or span.line > len(source.starts):
        return
    yield [(" " * (width + 1) + "|", "blue")]
    last = min(span.end_line, span.line + 3)
    for number in range(span.line, last + 1):
        text = source.line(number)
        start = span.column - 1 if number == span.line else len(text) - len(text.lstrip())
        end = span.end_column - 1 if number == span.end_line else len(text)
        shown, left, right = _window(text, start, max(end, start + 1))
        yield [(f"{number:>{width}} | ", "blue"), (shown, "")]
        if number == span.line or number == last:
            marks = " " * left + caret * max(right - left, 1)
            tail = f" {label}" if number == last else ""
            yield [(" " * (width + 1) + "| ", "blue"), (marks + tail, style)]


def _window(text: str, start: int, end: int) -> tuple[str, int, int]:
    """A line as shown, and the display columns of the marked part; a long line is cut around it."""
    offset = 0
    if len(text) > _MAX_LINE:
        offset = max(0, min(start - 40, len(text) - _MAX_LINE))
        text = text[offset : offset + _MAX_LINE]
        start, end = max(start - offset, 0), min(max(end - offset, 1), len(text))
    shown = _expand(text)
    return shown, _width(_expand(text[:start])), _width(_expand(text[:end]))


def _expand(text: str) -> str:
    return printable(text.replace("\t", "    "))


def _width(text: str) -> int:
    """Columns on a terminal: wide characters take two, combining ones none."""
    if text.isascii():
        return len(text)
    return sum(0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text)


def _summary(report: Report) -> list[Piece]:
    counts = report.counts()
    files = f"{report.files} file{'s' if report.files != 1 else ''}"
    if not report.diagnostics:
        return [("All clear", "bold green"), (f": nothing that export would freeze or refuse in {files}.", "")]
    parts = [f"{n} {s}{'s' if n != 1 and s is not Severity.INFO else ''}" for s, n in counts.items() if n]
    fixable = sum(1 for d in report.diagnostics if d.fix is not None and d.fix.applicability is Applicability.SAFE)
    tail = f" {fixable} can be fixed with --fix." if fixable else ""
    return [("Found ", ""), (", ".join(parts), "bold"), (f" in {files}.{tail}", "")]
