"""What exports showed, beside what the analysis says: confirmed, refuted, not reached; faded once the file changed."""

from __future__ import annotations

import threading
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import Any

from onnx_lint.diagnostic import Applicability, Diagnostic, Edit, Evidence, EvidenceState, Fix, Note, Severity, Span
from onnx_lint.target import Engine
from onnx_lint_lsp.client import Json
from onnx_lint_lsp.text import line_starts
from onnx_lint_lsp.workspace import Result


@dataclass(frozen=True)
class FileEvidence:
    """What the exports of one target showed about one file, whose text was `text`."""

    text: str
    diagnostics: tuple[Diagnostic, ...]
    operators: dict[int, tuple[tuple[str, str], ...]] = field(default_factory=dict)
    """By line (from 1): engine and ONNX operator of the nodes that the line became."""


class EvidenceStore:
    """Evidence by file and export target. Written on the event loop, read on the analysis thread."""

    def __init__(self) -> None:
        self._by_path: dict[str, dict[str, FileEvidence]] = {}
        self._lock = threading.Lock()

    def put(self, target: str, found: dict[str, FileEvidence]) -> None:
        """Replace what an earlier export of `target` showed."""
        with self._lock:
            for path in list(self._by_path):
                self._by_path[path].pop(target, None)
                if not self._by_path[path]:
                    del self._by_path[path]
            for path, evidence in found.items():
                self._by_path.setdefault(path, {})[target] = evidence

    def of(self, path: str) -> list[FileEvidence]:
        """What the last exports of all targets showed about a file."""
        with self._lock:
            return list(self._by_path.get(path, {}).values())

    def joined(self, result: Result) -> Iterator[tuple[Diagnostic, bool]]:
        """The diagnostics of a check with what exports showed, each with whether it is faded."""
        known = self.of(result.view.path)
        if not known or result.settings is None:
            yield from ((diagnostic, False) for diagnostic in result.diagnostics)
            return
        text = result.view.source.text
        current = [evidence for evidence in known if evidence.text == text]
        exported = [d for evidence in current for d in evidence.diagnostics]
        for diagnostic in result.diagnostics:
            shown = _unique([e for d in exported if _same(d, diagnostic) for e in d.evidence])
            yield (replace(diagnostic, evidence=shown) if shown else diagnostic), False
        for d in exported:
            if not any(_same(d, static) for static in result.diagnostics) and d.source == "export":
                yield d, False
        for evidence in known:
            if evidence.text != text:
                yield from ((d, True) for d in moved(evidence, text) if d.source == "export")


def _unique(evidence: Sequence[Evidence]) -> tuple[Evidence, ...]:
    """Each once. That one model does not come by a line says nothing where another model's export reached it."""
    reached = {e.engine for e in evidence if e.state is not EvidenceState.NOT_REACHED}
    kept = (e for e in evidence if e.state is not EvidenceState.NOT_REACHED or e.engine not in reached)
    return tuple(dict.fromkeys(kept))


def _same(a: Diagnostic, b: Diagnostic) -> bool:
    return a.code == b.code and a.span.line == b.span.line and a.span.column == b.span.column


def moved(evidence: FileEvidence, text: str) -> Iterator[Diagnostic]:
    """The diagnostics at their places in a later text: those before and behind the stretch that was edited."""
    delta = _Delta(evidence.text, text)
    for d in evidence.diagnostics:
        span = delta.span(d.span)
        if span is not None:
            yield replace(d, span=span, origin=(), path=(), fix=None)


class _Delta:
    """Where the lines of a text are in a later version of it."""

    def __init__(self, before: str, after: str) -> None:
        old, new = _lines(before), _lines(after)
        self._before = _common(old, new)
        self._behind = _common(old[self._before :][::-1], new[self._before :][::-1])
        self._old, self._shift = len(old), len(new) - len(old)

    def line(self, line: int) -> int | None:
        """The line (from 1), or ``None`` if it was edited."""
        if line <= self._before:
            return line
        return line + self._shift if line > self._old - self._behind else None

    def span(self, span: Span) -> Span | None:
        """The place in the later version, or ``None`` if a line of it was edited."""
        first, last = self.line(span.line), self.line(span.end_line)
        if first is None or last is None:
            return None
        return replace(span, line=first, end_line=last)


def line_in(evidence: FileEvidence, text: str, line: int) -> int | None:
    """The line of the exported text that is now line `line` of `text`; ``None`` if it was edited since."""
    return line if evidence.text == text else _Delta(text, evidence.text).line(line)


def _lines(text: str) -> list[str]:
    starts = [*line_starts(text), len(text)]
    return [text[a:b] for a, b in pairwise(starts)]


def _common(a: Sequence[str], b: Sequence[str]) -> int:
    """How many first elements are equal. Whole stretches are compared first: most texts differ in one place."""
    low, high = 0, min(len(a), len(b))
    sizes = range(high + 1)
    return bisect_right(sizes, False, lo=low, hi=high + 1, key=lambda n: a[:n] != b[:n]) - 1


# ------------------------------------------------------------------------------------------- from the JSON document
def read_diagnostic(data: Json, path_of: Any) -> Diagnostic:
    """A diagnostic of the exporter's JSON output. `path_of` makes its paths absolute. Raises `KeyError`, `TypeError` or
    `ValueError` for what is not one."""

    def span(place: Json) -> Span:
        return Span(path_of(place["path"]), place["line"], place["column"], place["end_line"], place["end_column"])

    def notes(key: str) -> tuple[Note, ...]:
        return tuple(Note(span(note), note["text"]) for note in data.get(key) or ())

    fix_data = data.get("fix")
    fix = None
    if fix_data:
        edits = tuple(Edit(span(edit), edit["text"], edit["replaces"]) for edit in fix_data["edits"])
        fix = Fix(fix_data["title"], Applicability(fix_data["applicability"]), edits)
    return Diagnostic(
        data["code"],
        data["name"],
        Severity(data["severity"]),
        span(data),
        data["message"],
        tuple(Engine(engine) for engine in data["engines"]),
        data.get("opset"),
        notes("origin"),
        notes("path_notes"),
        data.get("help"),
        fix,
        data.get("source", "lint"),
        tuple(
            Evidence(EvidenceState(e["state"]), Engine(e["engine"]), e.get("text", ""))
            for e in data.get("evidence") or ()
        ),
    )
