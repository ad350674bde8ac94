"""The source in the page of a report: each line with what it became, and with what is said of it below."""

from __future__ import annotations

import io
import keyword
import tokenize
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from html import escape
from itertools import groupby

from onnx_lint.diagnostic import Applicability, Diagnostic, Severity
from onnx_lint.report.report import engines_text, printable
from onnx_lint.source.text import SourceText
from onnx_lint.target import Engine
from onnx_lint_exporter.worker.protocol import NodeRow

WHOLE_FILE = 300
"""Lines up to which a file is shown whole; of a longer one only the surroundings of what is said."""
CONTEXT = 5
"""Lines shown around a line of which something is said."""
MAX_CHIPS = 30
"""Operators shown of one line and engine."""

_STRINGS = {
    getattr(tokenize, name)
    for name in (
        "STRING",
        "FSTRING_START",
        "FSTRING_MIDDLE",
        "FSTRING_END",
    )  # f-strings are one token up to Python 3.11
    if hasattr(tokenize, name)
}


@dataclass
class Annotations:
    """What is known of one file."""

    operators: dict[Engine, dict[int, list[NodeRow]]] = field(default_factory=dict)
    """Engine → line → the rows of the map whose innermost place is that line."""
    executed: set[int] = field(default_factory=set)
    diagnostics: list[Diagnostic] = field(default_factory=list)
    differing: dict[int, list[tuple[str, str]]] = field(default_factory=dict)
    """Line to blame for a wrong result → badge and words, for each engine."""

    def lines(self) -> set[int]:
        """Every line of which something is said."""
        with_operators = {line for by_line in self.operators.values() for line in by_line}
        return with_operators | {d.span.line for d in self.diagnostics} | set(self.differing)


def text(given: object) -> str:
    """Any text, for HTML: no markup, no control characters."""
    return escape(printable(str(given)))


class Told:
    """What the page has said already: the same words at another line are folded, and lead to the first place."""

    def __init__(self) -> None:
        self._first: dict[tuple[str, str, str], str] = {}
        self._evidence: set[tuple[str, str]] = set()

    def note(self, d: Diagnostic, anchor: str) -> str:
        """A diagnostic, at the line that `anchor` names."""
        key = (d.code, d.message, d.help or "")
        first = self._first.setdefault(key, anchor)
        return note(d, "" if first == anchor else first, self._evidence)


def listing(
    source: SourceText, known: Annotations, engines: Sequence[Engine], anchor: str, told: Told
) -> Iterator[str]:
    """The table of one file; `anchor` begins the names of its lines."""
    shown = _shown_lines(source, known)
    colours = _token_classes(source)
    by_line = {
        line: list(group)
        for line, group in groupby(sorted(known.diagnostics, key=lambda d: d.sort_key), lambda d: d.span.line)
    }
    yield '<div class="scroll"><table class="listing"><thead><tr><th></th><th>source</th>'
    yield from (f'<th class="became-head {engine}">{engine}: operators and shapes</th>' for engine in engines)
    yield "</tr></thead><tbody>\n"
    previous = 0
    width = len(engines) + 2
    for number in shown:
        if number != previous + 1:
            yield f'<tr class="gap"><td colspan="{width}">lines {previous + 1} to {number - 1}</td></tr>\n'
        yield _line(source, number, known, colours.get(number, {}), by_line, engines, anchor)
        for badge, words in known.differing.get(number, ()):
            yield (
                f'<tr class="first-difference"><td></td><td colspan="{width - 1}">'
                f'<span class="badge">{text(badge)}</span> {text(words)}</td></tr>\n'
            )
        said = by_line.get(number, [])
        if said:
            only_info = all(d.severity is Severity.INFO for d in said)
            yield f'<tr class="said{" only-info" if only_info else ""}"><td></td><td colspan="{width - 1}">'
            yield from (told.note(d, f"{anchor}-{number}") for d in said)
            yield "</td></tr>\n"
        previous = number
    last = _last_line(source)
    if previous < last:
        yield f'<tr class="gap"><td colspan="{width}">lines {previous + 1} to {last}</td></tr>\n'
    yield "</tbody></table></div>\n"


def _last_line(source: SourceText) -> int:
    """The number of the last line; what follows the final newline is none."""
    count = len(source.starts)
    return count - 1 if count > 1 and not source.line(count) else count


def _shown_lines(source: SourceText, known: Annotations) -> list[int]:
    last = _last_line(source)
    if last <= WHOLE_FILE:
        return list(range(1, last + 1))
    near = {
        line for marked in known.lines() for line in range(max(marked - CONTEXT, 1), min(marked + CONTEXT, last) + 1)
    }
    return sorted(near)


def _line(
    source: SourceText,
    number: int,
    known: Annotations,
    colours: dict[int, str],
    by_line: dict[int, list[Diagnostic]],
    engines: Sequence[Engine],
    anchor: str,
) -> str:
    code = source.line(number)
    marks: list[str] = [""] * len(code)
    for d in sorted((d for found in by_line.values() for d in found), key=lambda d: d.severity):
        if d.span.line <= number <= d.span.end_line:
            start = d.span.column - 1 if number == d.span.line else len(code) - len(code.lstrip())
            end = d.span.end_column - 1 if number == d.span.end_line else len(code)
            for column in range(max(start, 0), min(end, len(code))):
                marks[column] = d.severity.value
    classes = " ".join(
        name
        for name, holds in (("ran", number in known.executed), ("first-difference", number in known.differing))
        if holds
    )
    cells = "".join(
        f'<td class="became {engine}">{_chips(known.operators.get(engine, {}).get(number, []))}</td>'
        for engine in engines
    )
    body = "".join(_pieces(code, marks, colours))
    named = f' id="{anchor}-{number}"' if number in known.lines() else ""
    return f'<tr class="{classes}"{named}><td class="number">{number}</td><td class="source">{body}</td>{cells}</tr>\n'


def _pieces(code: str, marks: list[str], colours: dict[int, str]) -> Iterator[str]:
    """The line in stretches of one token class and one mark."""
    for mark, marked in groupby(range(len(code)), lambda k: marks[k]):
        inner = []
        for colour, stretch in groupby(marked, lambda k: colours.get(k, "")):
            columns = list(stretch)
            piece = text(code[columns[0] : columns[-1] + 1])
            inner.append(f'<span class="{colour}">{piece}</span>' if colour else piece)
        yield f'<mark class="{mark}">{"".join(inner)}</mark>' if mark else "".join(inner)


def _chips(rows: list[NodeRow]) -> str:
    """The operators of a line, equal neighbours counted."""
    counted = [(label, len(list(group))) for label, group in groupby(rows, _label)]
    chips = [
        f'<span class="chip"><b>{text(op)}</b>{f" ×{count}" if count > 1 else ""} {text(shapes)}</span>'
        for (op, shapes), count in counted[:MAX_CHIPS]
    ]
    if len(counted) > MAX_CHIPS:
        chips.append(f'<span class="chip">{len(counted) - MAX_CHIPS} more</span>')
    return "".join(chips)


def _label(row: NodeRow) -> tuple[str, str]:
    shapes = ["?" if out.shape is None else f"[{', '.join(map(_size, out.shape))}]" for out in row.outputs]
    return row.op, " ".join(shapes)


def _size(size: int | str) -> str:
    """A size as people read it: the names that shape inference makes up say nothing."""
    return "?" if str(size).startswith("unk__") else str(size)


# --- what is said --------------------------------------------------------------------------------------------------


_SHORT = 40
"""Characters of an evidence's words that are repeated."""


def note(d: Diagnostic, first: str, said: set[tuple[str, str]]) -> str:
    """A diagnostic with its evidence, its way, its help and its fix; folded where at `first` the same is said.

    `said` are the words of evidence that stand on the page already: they are not repeated.
    """
    head = (
        f'<span class="severity">{d.severity}</span> <code>{text(d.code)}</code> {text(d.message)} '
        f'<span class="soft">{text(d.name)}, {text(engines_text(d))}</span>'
    )
    if first:
        short = f'<span class="severity">{d.severity}</span> <code>{text(d.code)}</code> {text(d.name)}'
        same = f'<a href="#{first}">the same as above</a>'
        opening = f'<details class="note {d.severity}"><summary>{short}</summary><div>{same}: {text(d.message)}</div>'
        return opening + "".join(_rest(d, said)) + "</details>"
    return f'<div class="note {d.severity}"><div class="head">{head}</div>' + "".join(_rest(d, said)) + "</div>"


def _rest(d: Diagnostic, said: set[tuple[str, str]]) -> list[str]:
    parts: list[str] = []
    for evidence in d.evidence:
        state = evidence.state.value
        key = (str(evidence.engine), evidence.text)
        known = key in said and len(evidence.text) > _SHORT
        said.add(key)
        words = ": as above" if known else f": {text(evidence.text)}" if evidence.text else ""
        parts.append(
            f'<div><span class="badge {state.replace(" ", "-")}">{state}</span> '
            f'<span class="{evidence.engine}">{evidence.engine}</span>{words}</div>'
        )
    for step in (*d.path, *d.origin):
        place = f"{step.span.path}:{step.span.line}:{step.span.column}"
        parts.append(f'<div class="soft"><code>{text(place)}</code> {text(step.text)}</div>')
    if d.help:
        parts.append(f"<div>help: {text(d.help)}</div>")
    if d.fix is not None:
        how = {Applicability.SAFE: " (--fix)", Applicability.UNSAFE: " (--fix --unsafe-fixes)"}
        parts.append(f"<div>fix: {text(d.fix.title)}{how.get(d.fix.applicability, '')}</div>")
    return parts


# --- colours -------------------------------------------------------------------------------------------------------


def _token_classes(source: SourceText) -> dict[int, dict[int, str]]:
    """Line → column from 0 → class of the token there; what cannot be read as tokens stays plain."""
    found: dict[int, dict[int, str]] = {}
    try:
        for token in tokenize.generate_tokens(io.StringIO(source.normal).readline):
            kind = _class_of(token)
            if not kind:
                continue
            (line, column), (end_line, end_column) = token.start, token.end
            for number in range(line, end_line + 1):
                length = len(source.line(number))
                first = source.column(number, column + 1) - 1 if number == line else 0
                last = source.column(number, end_column + 1) - 1 if number == end_line else length
                found.setdefault(number, {}).update(dict.fromkeys(range(first, last), kind))
    except (tokenize.TokenError, SyntaxError, IndexError):
        return found  # the file is broken somewhere; what was read up to there keeps its colours
    return found


def _class_of(token: tokenize.TokenInfo) -> str:
    if token.type == tokenize.NAME:
        return "k" if keyword.iskeyword(token.string) else ""
    if token.type in _STRINGS:
        return "s"
    return {tokenize.COMMENT: "c", tokenize.NUMBER: "n"}.get(token.type, "")
