"""For people: the source of each diagnostic with carets under exactly what is meant, and the chain behind it in place.

Without colour it is plain text written by hand; rich is loaded only to draw in colour.
"""

from __future__ import annotations

import os
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TextIO

from onnx_lint.diagnostic import Applicability, Diagnostic, Note, Severity, Span
from onnx_lint.links import page_of
from onnx_lint.report import hyperlinks, summary
from onnx_lint.report.report import Report, engines_text, printable
from onnx_lint.source.text import SourceText

Piece = tuple[str, str]
"""Text and style name."""

_STYLES = {Severity.ERROR: "bold red", Severity.WARNING: "bold yellow", Severity.INFO: "bold cyan"}
_FRAME, _NOTE, _EXPORT, _HELP = "bright_blue", "cyan", "bold magenta", "bold green"
_MAX_LINE = 160
"""Characters of a source line that are shown; a longer one is cut around what is marked."""
_MAX_LINES = 4
"""Lines of a diagnostic's span that are shown."""


def write(report: Report, stream: TextIO) -> None:
    if report.colour:
        _write_rich(report, stream)
        return
    for line in lines_of(report):
        stream.write("".join(text for text, _ in line).rstrip() + "\n")


def _write_rich(report: Report, stream: TextIO) -> None:
    from rich.console import Console
    from rich.text import Text

    # whether to colour is decided already: what rich itself reads from the environment does not count
    console = Console(
        file=stream, force_terminal=True, color_system="standard", no_color=False, highlight=False, soft_wrap=True
    )
    for line in lines_of(report):
        console.print(Text.assemble(*line))


def lines_of(report: Report) -> Iterator[list[Piece]]:
    for diagnostic in report.diagnostics:
        yield from _diagnostic(report, diagnostic)
        yield []
    if not report.quiet:
        clear = not report.diagnostics and not report.coverage.is_empty and not report.coverage.cut_offs
        for emphasised, rest in summary.lines(report):
            yield [(emphasised, _HELP if clear else "bold"), (rest, "")]


def _diagnostic(report: Report, d: Diagnostic) -> Iterator[list[Piece]]:
    style, page = _STYLES[d.severity], page_of(d.code) if report.links else None
    yield [
        (f"{d.severity}", style), (f"[{d.code}]", f"{style} link {page}" if page else style),
        (f" {printable(d.message)}", "bold"),
        (f"  ({engines_text(d)})", "dim"),
    ]  # fmt: skip
    notes = _without_parts((*d.path, *d.origin))
    labels = [_Label(d.span, d.name, "^", style), *(_Label(n.span, n.text, "-", _NOTE) for n in notes)]
    width = max(len(str(label.span.end_line)) for label in labels)
    by_path: dict[str, list[_Label]] = {}
    for label in labels:
        by_path.setdefault(label.span.label, []).append(label)
    for path, mine in by_path.items():
        arrow = "-->" if path == d.span.label else ":::"
        place = f"{printable(path)}:{mine[0].span.line}:{mine[0].span.column}"
        uri = hyperlinks.file_uri(mine[0].span, os.environ) if report.links else None
        yield [(f"{'':{width}}{arrow} ", _FRAME), (place, f"link {uri}" if uri else "")]
        yield from _snippet(report.sources.get(path), mine, width)
    for evidence in d.evidence:
        text = f"{evidence.engine}: {evidence.state.value}" + (f", {printable(evidence.text)}" if evidence.text else "")
        yield _footnote(width, "export", text, _EXPORT)
    if d.help:
        yield _footnote(width, "help", printable(d.help), _HELP)
    if d.fix is not None:
        how = {Applicability.SAFE: " (--fix)", Applicability.UNSAFE: " (--fix --unsafe-fixes)"}
        text = printable(d.fix.title) + how.get(d.fix.applicability, "")
        yield _footnote(width, "fix", text, _HELP)


def _without_parts(notes: tuple[Note, ...]) -> Iterator[Note]:
    """Leave out a note about ``x.shape`` where the same is said of ``x.shape[0]``."""
    for note in notes:
        said = note.text.rpartition("`")[2]
        for other in notes:
            same_start = (other.span.label, other.span.line, other.span.column) == (
                note.span.label, note.span.line, note.span.column,
            )  # fmt: skip
            if same_start and other.span > note.span and said and other.text.endswith(said):
                break
        else:
            yield note


def _footnote(width: int, label: str, text: str, style: str) -> list[Piece]:
    return [(f"{'':{width}} = ", _FRAME), (f"{label}: ", style), (text, "")]


@dataclass
class _Label:
    """A stretch of source with what to say below it."""

    span: Span
    text: str
    mark: str
    style: str


def _snippet(source: SourceText | None, labels: list[_Label], width: int) -> Iterator[list[Piece]]:
    """The lines that are spoken of, in the order of the file, each with its marks below."""
    bar = (f"{'':{width}} |", _FRAME)
    if source is None:  # not at hand: what is said all the same
        for label in labels:
            if label.mark != "^":
                yield [(f"{'':{width}} = ", _FRAME), (f"line {label.span.line}: {printable(label.text)}", "")]
        return
    marked: dict[int, list[_Label]] = {}
    for label in labels:
        last = label.span.line if label.mark == "-" else min(label.span.end_line, label.span.line + _MAX_LINES - 1)
        for number in range(label.span.line, last + 1):
            if number <= len(source.starts):
                marked.setdefault(number, []).append(label)
    yield [bar]
    previous = 0
    for number in sorted(marked):
        if previous and number > previous + 2:
            yield [(f"{'...':{width + 2}}", _FRAME)]
        elif previous and number == previous + 2:
            yield _source_line(source, number - 1, width)
        yield from _marked_line(source, number, marked[number], width)
        previous = number


def _source_line(source: SourceText, number: int, width: int) -> list[Piece]:
    return [(f"{number:>{width}} | ", _FRAME), (_window(source.line(number), 0, 1)[0], "")]


def _marked_line(source: SourceText, number: int, labels: list[_Label], width: int) -> Iterator[list[Piece]]:
    text = source.line(number)
    parts = []
    for label in labels:
        span = label.span
        start = span.column - 1 if number == span.line else len(text) - len(text.lstrip())
        end = span.end_column - 1 if number == span.end_line else len(text)
        ends_here = label.mark == "-" or number == min(span.end_line, span.line + _MAX_LINES - 1)
        parts.append((start, max(end, start + 1), label, ends_here))
    first = next((p for p in parts if p[2].mark == "^"), parts[0])
    shown, _, _ = _window(text, first[0], first[1])
    yield [(f"{number:>{width}} | ", _FRAME), (shown, "")]
    # the diagnostic itself directly below its line, then the notes from right to left
    for start, end, label, ends_here in sorted(parts, key=lambda p: (p[2].mark != "^", -p[0])):
        _, left, right = _window(text, start, end, first[0])
        tail = f" {printable(label.text)}" if ends_here else ""
        marks = label.mark * max(right - left, 1)
        yield [(f"{'':{width}} | ", _FRAME), (" " * left, ""), (marks + tail, label.style)]


def _window(text: str, start: int, end: int, anchor: int | None = None) -> tuple[str, int, int]:
    """A line as shown, and the display columns of the marked part; a long line is cut around `anchor`."""
    if len(text) > _MAX_LINE:
        centre = start if anchor is None else anchor
        offset = max(0, min(centre - 40, len(text) - _MAX_LINE))
        text = text[offset : offset + _MAX_LINE]
        start, end = min(max(start - offset, 0), len(text)), min(max(end - offset, 1), len(text))
    return _expand(text), _width(_expand(text[:start])), _width(_expand(text[:end]))


def _expand(text: str) -> str:
    return printable(text.replace("\t", "    "))


def _width(text: str) -> int:
    """Columns on a terminal: wide characters take two, combining ones none."""
    if text.isascii():
        return len(text)
    return sum(map(_columns, text))


def _columns(character: str) -> int:
    if character == "\N{VARIATION SELECTOR-16}":
        return 1  # makes the narrow symbol before it a wide picture
    if unicodedata.category(character) in ("Mn", "Me"):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1
