"""For people: the source of each diagnostic with carets under exactly what is meant, and the chain behind it in place.

Without colour it is plain text written by hand; rich is loaded only to draw in colour.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TextIO

from onnx_lint.diagnostic import Applicability, Diagnostic, Note, Severity, Span
from onnx_lint.links import page_of
from onnx_lint.report import hyperlinks, summary
from onnx_lint.report.report import Report, engines_text, printable
from onnx_lint.report.wrapping import NO_BREAK, Piece, wrapped
from onnx_lint.report.wrapping import width as columns_in
from onnx_lint.source.text import SourceText

_STYLES = {Severity.ERROR: "bold red", Severity.WARNING: "bold yellow", Severity.INFO: "bold cyan"}
_FRAME, _NOTE, _EXPORT, _HELP = "bright_blue", "cyan", "bold magenta", "bold green"
_MAX_LINE = 160
"""Characters of a source line that are shown where no terminal says how wide it is; a longer one is cut around what is
marked."""
_INDENT = 4
"""Columns before what a heading has on its second line."""
_CUT = "\N{HORIZONTAL ELLIPSIS}"
"""Stands where a line goes on."""
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
            yield from wrapped([(emphasised, _HELP if clear else "bold"), (rest, "")], report.columns, _INDENT)


def _diagnostic(report: Report, d: Diagnostic) -> Iterator[list[Piece]]:
    style, page = _STYLES[d.severity], page_of(d.code) if report.links else None
    heading = [
        (f"{d.severity}", style), (f"[{d.code}]", f"{style} link {page}" if page else style),
        (f" {printable(d.message)}", "bold"),
        (f"  ({engines_text(d).replace(' ', NO_BREAK)})", "dim"),
    ]  # fmt: skip
    yield from wrapped(heading, report.columns, _INDENT)
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
        yield from _Snippet(report.sources.get(path), width, report.columns).lines(mine)
    for evidence in d.evidence:
        text = f"{evidence.engine}: {evidence.state.value}" + (f", {printable(evidence.text)}" if evidence.text else "")
        yield from _footnote(report, width, "export", text, _EXPORT)
    if d.help:
        yield from _footnote(report, width, "help", printable(d.help), _HELP)
    if d.fix is not None:
        how = {Applicability.SAFE: " (--fix)", Applicability.UNSAFE: " (--fix --unsafe-fixes)"}
        text = printable(d.fix.title) + how.get(d.fix.applicability, "")
        yield from _footnote(report, width, "fix", text, _HELP)


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


def _footnote(report: Report, width: int, label: str, text: str, style: str) -> list[list[Piece]]:
    pieces = [(f"{'':{width}} = ", _FRAME), (f"{label}: ", style), (text, "")]
    return wrapped(pieces, report.columns, width + len(f" = {label}: "))


@dataclass
class _Label:
    """A stretch of source with what to say below it."""

    span: Span
    text: str
    mark: str
    style: str


class _Snippet:
    """The lines of a file that are spoken of, in their order, each with its marks below.

    `margin` is the width of the line numbers; `columns` that of the terminal, if there is one.
    """

    def __init__(self, source: SourceText | None, margin: int, columns: int | None) -> None:
        self._source, self._margin = source, margin
        self._bar = (f"{'':{margin}} | ", _FRAME)
        self._room = _MAX_LINE if columns is None else columns - margin - len(" | ")
        self._wraps = columns is not None

    def lines(self, labels: list[_Label]) -> Iterator[list[Piece]]:
        if self._source is None:  # not at hand: what is said all the same
            for label in labels:
                if label.mark != "^":
                    yield [
                        (f"{'':{self._margin}} = ", _FRAME),
                        (f"line {label.span.line}: {printable(label.text)}", ""),
                    ]
            return
        marked: dict[int, list[_Label]] = {}
        for label in labels:
            last = label.span.line if label.mark == "-" else min(label.span.end_line, label.span.line + _MAX_LINES - 1)
            for number in range(label.span.line, last + 1):
                if number <= len(self._source.starts):
                    marked.setdefault(number, []).append(label)
        yield [(self._bar[0].rstrip(), _FRAME)]
        previous = 0
        for number in sorted(marked):
            if previous and number > previous + 2:
                yield [(f"{'...':{self._margin + 2}}", _FRAME)]
            elif previous and number == previous + 2:
                yield [self._number(number - 1), (_Shown(self._source.line(number - 1), self._room).text, "")]
            yield from self._marked_line(self._source.line(number), number, marked[number])
            previous = number

    def _number(self, number: int) -> Piece:
        return (f"{number:>{self._margin}} | ", _FRAME)

    def _marked_line(self, text: str, number: int, labels: list[_Label]) -> Iterator[list[Piece]]:
        parts = []
        for label in labels:
            span = label.span
            start = span.column - 1 if number == span.line else len(text) - len(text.lstrip())
            end = span.end_column - 1 if number == span.end_line else len(text)
            ends_here = label.mark == "-" or number == min(span.end_line, span.line + _MAX_LINES - 1)
            parts.append((start, max(end, start + 1), label, ends_here))
        first = next((p for p in parts if p[2].mark == "^"), parts[0])
        shown = _Shown(text, self._room, first[0], first[1])
        yield [self._number(number), (shown.text, "")]
        # the diagnostic itself directly below its line, then the notes from right to left
        for start, end, label, ends_here in sorted(parts, key=lambda p: (p[2].mark != "^", -p[0])):
            left, right = shown.column(start), shown.column(end)
            yield from self._marks(label, left, max(right, left + 1), printable(label.text) if ends_here else "")

    def _marks(self, label: _Label, left: int, right: int, text: str) -> Iterator[list[Piece]]:
        """The marks of a label, with its text behind them, or below them where it does not fit."""
        marks = label.mark * (right - left)
        long = self._wraps and right + 1 + columns_in(text) > self._room
        behind = f" {text}" if text and not long else ""
        yield [self._bar, (" " * left, ""), (marks + behind, label.style)]
        if text and long:
            begin = max(0, min(left, self._room - columns_in(text)))
            for line in wrapped([(" " * begin, ""), (text, label.style)], self._room, begin):
                yield [self._bar, *line]


class _Shown:
    """A line as it is shown: all of it, or, where it is too long, what stands around the stretch that is meant."""

    def __init__(self, text: str, room: int, start: int = 0, end: int = 0) -> None:
        first, last = 0, len(text)
        if last > room or columns_in(_expand(text)) > room:
            if end >= room or columns_in(_expand(text[:end])) >= room:
                first = max(0, start - room // 4)
            last = min(last, first + room)
            while columns_in(_cut(text, first, last)) > room:
                last -= 1
            while first and columns_in(_cut(text, first - 1, last)) <= room:
                first -= 1
        self._before, self._offset, self._line = _CUT if first else "", first, text[first:last]
        self.text = _cut(text, first, last)

    def column(self, at: int) -> int:
        """The column at which a character of the line stands; that of the nearest one that is shown."""
        return columns_in(self._before + _expand(self._line[: max(0, at - self._offset)]))


def _cut(text: str, first: int, last: int) -> str:
    """A part of a line as it is shown."""
    return (_CUT if first else "") + _expand(text[first:last]) + (_CUT if last < len(text) else "")


def _expand(text: str) -> str:
    return printable(text.replace("\t", "    "))
