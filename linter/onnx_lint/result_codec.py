"""The result of a check as plain data, and back: for the cache. Texts and places that come again are written once."""

from __future__ import annotations

from typing import Any

from onnx_lint.coverage import Coverage, CutOff
from onnx_lint.diagnostic import Applicability, Diagnostic, Edit, Fix, Note, Severity, Span
from onnx_lint.target import Engine

Result = tuple[list[Diagnostic], Coverage]


def encode(result: Result) -> dict[str, Any]:
    """JSON's own kinds only."""
    tables = _Writer()
    diagnostics, coverage = result
    rows = [tables.diagnostic(d) for d in diagnostics]
    counts = [coverage.files, coverage.models, coverage.entry_points, coverage.functions, coverage.rules,
              coverage.all_rules]  # fmt: skip
    cut_offs = [
        [tables.span(c.span), tables.text(c.name), tables.text(c.reason), c.is_function] for c in coverage.cut_offs
    ]
    return {
        "texts": list(tables.texts), "spans": list(map(list, tables.spans)), "notes": list(map(list, tables.notes)),
        "diagnostics": rows, "counts": counts, "cut_offs": cut_offs,
    }  # fmt: skip


def decode(data: dict[str, Any]) -> Result:
    """Raises `ValueError`, `TypeError`, `KeyError` or `IndexError` for what `encode` did not write."""
    texts: list[str] = data["texts"]
    spans = [Span(texts[row[0]], *row[1:]) for row in data["spans"]]
    notes = [Note(spans[place], texts[said]) for place, said in data["notes"]]
    diagnostics = []
    for code, name, severity, place, message, engines, opset, origin, path, help_, fix, source in data["diagnostics"]:
        diagnostics.append(
            Diagnostic(
                texts[code],
                texts[name],
                Severity(severity),
                spans[place],
                texts[message],
                tuple([Engine(engine) for engine in engines]),
                opset,
                tuple([notes[n] for n in origin]),
                tuple([notes[n] for n in path]),
                None if help_ is None else texts[help_],
                None if fix is None else _fix(fix, spans, texts),
                texts[source],
            )
        )
    cut_offs = tuple(CutOff(spans[p], texts[n], texts[r], bool(f)) for p, n, r, f in data["cut_offs"])
    files, models, entry_points, functions, rules, all_rules = map(int, data["counts"])
    return diagnostics, Coverage(files, models, entry_points, functions, rules, all_rules, cut_offs)


def _fix(row: list[Any], spans: list[Span], texts: list[str]) -> Fix:
    title, applicability, edits = row
    return Fix(
        texts[title], Applicability(applicability), tuple([Edit(spans[s], texts[t], texts[r]) for s, t, r in edits])
    )


class _Writer:
    """The tables while a result is written: what is there already is named by its number."""

    def __init__(self) -> None:
        self.texts: dict[str, int] = {}
        self.spans: dict[tuple[int, ...], int] = {}
        self.notes: dict[tuple[int, int], int] = {}

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
