"""Diagnostics of the analysis as the plain JSON of the protocol.

Made by hand and not with the protocol's classes: a file can have hundreds of diagnostics with a dozen related places
each, and they are made anew at every keystroke.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Protocol

from onnx_lint.diagnostic import Applicability, Diagnostic, EvidenceState, Note, Severity, Span
from onnx_lint_lsp.client import Json
from onnx_lint_lsp.rule_pages import link_of
from onnx_lint_lsp.source_view import Part, SourceView
from onnx_lint_lsp.text import Encoding, Position, Text
from onnx_lint_lsp.uris import of_path


class Places(Protocol):
    """What places in other files are looked up in."""

    def find(self, path: str) -> SourceView | None:
        """The view of an open document."""

    def line(self, path: str, number: int) -> str:
        """A line (from 1) of a file that is not open; empty if it is not known."""


SOURCE = "onnx-lint"
SEVERITIES = {Severity.ERROR: 1, Severity.WARNING: 2, Severity.INFO: 3}
_HINT = 4
_UNNECESSARY = 1
_FADED_CODES = frozenset({"ONX001"})
"""Diagnostics about something that does nothing."""
_MOST_RELATED = 30


def range_json(start: Position, end: Position) -> Json:
    """A range of the protocol."""
    return {
        "start": {"line": start.line, "character": start.character},
        "end": {"line": end.line, "character": end.character},
    }


def location(span: Span, places: Places, encoding: Encoding) -> Json:
    """A place as a location, in an open document or in a file."""
    view = places.find(span.path)
    placed = view.locate(span) if view is not None else None
    if placed is not None:
        part, (start, end) = placed
        return {"uri": part.document.uri, "range": range_json(start, end)}

    def position(line: int, column: int) -> Position:
        text = places.line(span.path, line)
        units = Text(text, encoding).column(0, column - 1) if not text.isascii() else column - 1
        return Position(line - 1, units)

    start, end = position(span.line, span.column), position(span.end_line, span.end_column)
    return {"uri": of_path(span.path), "range": range_json(start, end)}


Made = dict[int, tuple[Diagnostic, bool, Part, Json]]
"""Diagnostics that were converted, by identity: with whether they were faded, and what they became."""


class Converter:
    """Makes protocol diagnostics. `related`, `linked` and `encoding` say what the client understands."""

    def __init__(self, *, related: bool = True, linked: bool = False, encoding: Encoding = "utf-16") -> None:
        self.related, self.linked, self.encoding = related, linked, encoding

    def all(
        self, found: Iterable[tuple[Diagnostic, bool]], view: SourceView, places: Places, before: Made
    ) -> Iterator[tuple[str, Json]]:
        """Diagnostics, each with whether it is faded, as the protocol's with the URI of their document.

        `before` holds what was converted the last time and is still the same object: nothing that it speaks of has
        moved, and it is not made again. It must be emptied when documents are opened or closed.
        """
        made: Made = {}
        for d, faded in found:
            held = before.get(id(d))
            if held is None or held[0] is not d or held[1] is not faded or view.is_notebook:
                placed = self.diagnostic(d, view, places, faded=faded)
                if placed is None:
                    continue
                held = (d, faded, *placed)
            made[id(d)] = held
            yield held[2].document.uri, held[3]
        before.clear()
        before.update(made)

    def diagnostic(
        self, d: Diagnostic, view: SourceView, places: Places, *, faded: bool = False
    ) -> tuple[Part, Json] | None:
        """The diagnostic with the document in which it stands."""
        placed = view.locate(d.span)
        if placed is None:
            return None
        part, (start, end) = placed
        out: Json = {
            "range": range_json(start, end),
            "severity": _HINT if faded else SEVERITIES[d.severity],
            "code": d.code,
            "source": SOURCE,
            "message": message_of(d, faded=faded),
            "data": _data(d),
        }
        link = link_of(d.code) if self.linked else None
        if link is not None:
            out["codeDescription"] = {"href": link}
        if faded or d.code in _FADED_CODES:
            out["tags"] = [_UNNECESSARY]
        if self.related and (d.origin or d.path):
            out["relatedInformation"] = [
                {"location": location(note.span, places, self.encoding), "message": note.text} for note in _notes(d)
            ]
        return part, out


def message_of(d: Diagnostic, *, faded: bool = False) -> str:
    """The message, then the help, then what an export showed."""
    parts = [d.message[:1].upper() + d.message[1:] if d.message[:1].islower() else d.message]
    if d.help:
        parts.append(f"help: {d.help}")
    for evidence in d.evidence:
        what = "found by the export only" if evidence.state is EvidenceState.MISSED_BY_LINT else evidence.state.value
        detail = f": {evidence.text}" if evidence.text else ""
        parts.append(f"{evidence.engine.value} export: {what}{detail}")
    if faded:
        parts.append("from an export of an earlier version of this file")
    return "\n".join(parts)


def _notes(d: Diagnostic) -> list[Note]:
    return [*d.origin, *d.path][:_MOST_RELATED]


def _data(d: Diagnostic) -> Json:
    data: Json = {
        "name": d.name,
        "engines": [engine.value for engine in d.engines],
        "fix": None,
        "evidence": [{"state": e.state.value, "engine": e.engine.value, "text": e.text} for e in d.evidence],
    }
    if d.fix is not None and d.fix.applicability is not Applicability.DISPLAY:
        data["fix"] = {"title": d.fix.title, "safe": d.fix.applicability is Applicability.SAFE}
    return data
