"""The result of a check, or of one part of it, as plain data, and back: for the cache. Texts and places that come again
are written once."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from onnx_lint.coverage import Coverage, CutOff
from onnx_lint.diagnostic import Applicability, Diagnostic, Edit, Fix, Note, Severity, Span
from onnx_lint.part import Basis, Findings, Part, Place
from onnx_lint.target import Engine

Result = tuple[list[Diagnostic], Coverage]


def encode(result: Result) -> dict[str, Any]:
    """JSON's own kinds only."""
    tables = _Writer()
    diagnostics, coverage = result
    rows = [tables.diagnostic(d) for d in diagnostics]
    counts = [coverage.files, coverage.models, coverage.entry_points, coverage.functions, coverage.rules,
              coverage.all_rules]  # fmt: skip
    cut_offs = [tables.cut_off(c) for c in coverage.cut_offs]
    return {**tables.data(), "diagnostics": rows, "counts": counts, "cut_offs": cut_offs}


def decode(data: dict[str, Any]) -> Result:
    """Raises `ValueError`, `TypeError`, `KeyError` or `IndexError` for what `encode` did not write."""
    tables = _Reader(data)
    diagnostics = [tables.diagnostic(row) for row in data["diagnostics"]]
    cut_offs = tuple(map(tables.cut_off, data["cut_offs"]))
    files, models, entry_points, functions, rules, all_rules = map(int, data["counts"])
    return diagnostics, Coverage(files, models, entry_points, functions, rules, all_rules, cut_offs)


def encode_part(part: Part, files: Mapping[str, int]) -> dict[str, Any]:
    """JSON's own kinds only. `files` numbers the files of the run, and what rests on
    others is not told."""
    tables, basis = _Writer(), part.basis or Basis()
    findings = [
        [
            [tables.diagnostic(d) for d in one.diagnostics],
            [[tables.place(at), tables.text(code), tables.span(span)] for at, code, span in one.safe_at],
        ]
        for one in part.findings
    ]
    lists = {
        name: [tables.place(place) for place in places]
        for name, places in (("before", part.entered_before), ("others", part.others), ("forwards", part.forwards),
                             ("traced", part.traced))
    }  # fmt: skip
    cut_offs = [tables.cut_off(c) for c in part.cut_offs]
    return {
        "path": part.path, "findings": findings, "cut_offs": cut_offs, **lists, "models": part.models,
        "entry_points": part.entry_points, "names": basis.names,
        "files": f"{sum(1 << files[path] for path in basis.chunks if path in files):x}",
        "chunks": {path: read for path, read in basis.chunks.items() if read and path in files}, **tables.data(),
    }  # fmt: skip


def decode_part(data: dict[str, Any]) -> Part:
    """Raises what `decode` raises."""
    tables = _Reader(data)
    findings = [
        Findings(
            [tables.diagnostic(row) for row in diagnostics],
            [(tables.place(at), tables.texts[code], tables.spans[span]) for at, code, span in safe_at],
        )
        for diagnostics, safe_at in data["findings"]
    ]
    before, others, forwards, traced = (
        list(map(tables.place, data[name])) for name in ("before", "others", "forwards", "traced")
    )
    return Part(
        data["path"], before, findings, others, int(data["models"]), forwards, int(data["entry_points"]), traced,
        list(map(tables.cut_off, data["cut_offs"])),
    )  # fmt: skip


def basis_of(data: dict[str, Any], files: Mapping[str, int]) -> Basis:
    """What an encoded part rests on, of these files, by their numbers."""
    read_from = int(data["files"], 16)
    chunks = {path: data["chunks"].get(path, []) for path, number in files.items() if read_from >> number & 1}
    return Basis(chunks, [(index, name) for index, name in data["names"]])


class _Reader:
    """The tables of what was written."""

    def __init__(self, data: dict[str, Any]) -> None:
        texts: list[str] = data["texts"]
        self.texts = texts
        self.spans = [Span(texts[row[0]], *row[1:]) for row in data["spans"]]
        self.notes = [Note(self.spans[place], texts[said]) for place, said in data["notes"]]

    def place(self, row: list[int]) -> Place:
        path, number, at = row
        return self.texts[path], int(number), int(at)

    def cut_off(self, row: list[int]) -> CutOff:
        place, name, reason, kind = row
        return CutOff(self.spans[place], self.texts[name], self.texts[reason], self.texts[kind])

    def diagnostic(self, row: list[Any]) -> Diagnostic:
        texts, notes = self.texts, self.notes
        code, name, severity, place, message, engines, opset, origin, path, help_, fix, source = row
        return Diagnostic(
            texts[code],
            texts[name],
            Severity(severity),
            self.spans[place],
            texts[message],
            tuple([Engine(engine) for engine in engines]),
            opset,
            tuple([notes[n] for n in origin]),
            tuple([notes[n] for n in path]),
            None if help_ is None else texts[help_],
            None if fix is None else self._fix(fix),
            texts[source],
        )

    def _fix(self, row: list[Any]) -> Fix:
        title, applicability, edits = row
        made = tuple([Edit(self.spans[s], self.texts[t], self.texts[r]) for s, t, r in edits])
        return Fix(self.texts[title], Applicability(applicability), made)


class _Writer:
    """The tables while a result is written: what is there already is named by its number."""

    def __init__(self) -> None:
        self.texts: dict[str, int] = {}
        self.spans: dict[tuple[int, ...], int] = {}
        self.notes: dict[tuple[int, int], int] = {}

    def data(self) -> dict[str, Any]:
        """The tables, when all else is written."""
        return {
            "texts": list(self.texts), "spans": list(map(list, self.spans)), "notes": list(map(list, self.notes))
        }  # fmt: skip

    def place(self, place: Place) -> list[int]:
        return [self.text(place[0]), place[1], place[2]]

    def cut_off(self, c: CutOff) -> list[int]:
        return [self.span(c.span), self.text(c.name), self.text(c.reason), self.text(c.kind)]

    def text(self, text: str) -> int:
        return self.texts.setdefault(text, len(self.texts))

    def span(self, span: Span) -> int:
        row = (self.text(span.path), span.line, span.column, span.end_line, span.end_column, span.cell)
        return self.spans.setdefault(row, len(self.spans))

    def note(self, note: Note) -> int:
        row = (self.span(note.span), self.text(note.text))
        return self.notes.setdefault(row, len(self.notes))

    def diagnostic(self, d: Diagnostic) -> list[Any]:
        if d.evidence:
            raise ValueError("what exports showed is not part of a check")
        fix = d.fix and [
            self.text(d.fix.title),
            d.fix.applicability.value,
            [[self.span(e.span), self.text(e.text), self.text(e.replaces)] for e in d.fix.edits],
        ]
        return [
            self.text(d.code), self.text(d.name), d.severity.value, self.span(d.span), self.text(d.message),
            [engine.value for engine in d.engines], d.opset, [self.note(n) for n in d.origin],
            [self.note(n) for n in d.path], None if d.help is None else self.text(d.help), fix, self.text(d.source),
        ]  # fmt: skip
