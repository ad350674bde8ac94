"""Suppressions: comments that take diagnostics back.

``# onnx-lint: ignore[ONX101, name] reason``
    behind code: for that line, also when the statement goes on; alone on a line: for the next line of code.
``# onnx-lint: ignore-block[ONX101] reason``
    on the line of a ``def``, ``class``, ``if`` …, or alone above it: for the whole indented block.
``# onnx-lint: ignore-file[ONX101] reason``
    anywhere: for the file.

Without brackets all rules are meant. A suppression that takes nothing back is reported, and so is a code that no rule
has.
"""

from __future__ import annotations

import difflib
import re
from dataclasses import dataclass, field
from typing import Protocol

from onnx_lint.diagnostic import Applicability, Diagnostic, Edit, Fix, Severity, Span
from onnx_lint.source.split import blank, comments
from onnx_lint.source.text import SourceText
from onnx_lint.target import BOTH

_MARK = "onnx-lint:"
_DIRECTIVE = re.compile(r"#\s{0,20}onnx-lint:\s{0,20}(ignore-file|ignore-block|ignore)(?![\w-])(?:\[([^\[\]#]{0,500})\])?")
_MAX_COMMENT = 2000


class Codes(Protocol):
    """Resolves a selector to the codes that it stands for (`selection.Selection`)."""

    codes: dict[str, str]

    def resolve(self, selector: str) -> set[str]: ...


@dataclass
class Suppression:
    """One comment: the lines that it covers (both inclusive), and what it names (``None``: everything)."""

    span: Span
    first: int
    last: int
    selectors: tuple[str, ...] | None
    whole_line: bool
    used: set[str] = field(default_factory=set)


class Suppressions:
    """All suppressions of one file."""

    def __init__(self, source: SourceText, found: list[Suppression]) -> None:
        self.source, self.found = source, found

    def apply(self, diagnostics: list[Diagnostic], codes: Codes) -> list[Diagnostic]:
        """The diagnostics that are left, and those about the suppressions themselves."""
        resolved = [self._resolve(s, codes) for s in self.found]
        kept: list[Diagnostic] = []
        for diagnostic in diagnostics:
            taken = False
            for suppression, wanted in zip(self.found, resolved, strict=True):
                lines = (diagnostic.span.line, diagnostic.span.end_line)
                if not any(suppression.first <= line <= suppression.last for line in lines):
                    continue
                if wanted is None or diagnostic.code in wanted:
                    suppression.used.add(diagnostic.code)
                    taken = True
            if not taken:
                kept.append(diagnostic)
        kept.extend(self._unused(codes))
        return kept

    def _resolve(self, suppression: Suppression, codes: Codes) -> set[str] | None:
        if suppression.selectors is None:
            return None
        return set().union(*[codes.resolve(s) for s in suppression.selectors]) if suppression.selectors else set()

    def _unused(self, codes: Codes) -> list[Diagnostic]:
        out: list[Diagnostic] = []
        for suppression in self.found:
            unknown = [s for s in suppression.selectors or () if not codes.resolve(s)]
            for selector in unknown:
                close = difflib.get_close_matches(selector, [*codes.codes, *codes.codes.values()], 1)
                hint = f"; did you mean {close[0]}?" if close else ""
                message = f"{_shown(selector)} is no rule{hint}"
                out.append(Diagnostic("ONX002", "unknown-rule-in-suppression", Severity.WARNING, suppression.span, message, BOTH))
            if not suppression.used and not unknown:
                message = "this suppression takes nothing back; remove it"
                fix = Fix("Remove the suppression", Applicability.SAFE, (self._removal(suppression),))
                out.append(
                    Diagnostic("ONX001", "unused-suppression", Severity.WARNING, suppression.span, message, BOTH, fix=fix)
                )
        return out

    def _removal(self, suppression: Suppression) -> Edit:
        """Take the comment away, with the blanks before it; the whole line when nothing else stands there."""
        span = suppression.span
        line = self.source.line(span.line)
        if suppression.whole_line and not line[span.end_column - 1 :].strip():
            return Edit(Span(span.path, span.line, 1, span.line + 1, 1) if self._has_next(span.line) else span, "")
        start = len(line[: span.column - 1].rstrip()) + 1
        return Edit(Span(span.path, span.line, start, span.line, span.end_column), "")

    def _has_next(self, line: int) -> bool:
        return line < len(self.source.starts)


def _shown(selector: str) -> str:
    return repr(selector if len(selector) <= 40 else selector[:40] + "…")


def suppressions(source: SourceText) -> Suppressions:
    """Find the suppressions of a file. Strings that look like one do not count."""
    if _MARK not in source.text:
        return Suppressions(source, [])
    normal = source.normal
    blanked = blank(normal).split("\n")
    found: list[Suppression] = []
    number, begin, counted = 1, 0, 0
    for at, comment in comments(normal):
        if _MARK not in comment:
            continue
        match = _DIRECTIVE.search(comment, 0, _MAX_COMMENT)
        if match is None:
            continue
        number += normal.count("\n", counted, at)
        begin, counted = normal.rfind("\n", 0, at) + 1, at
        kind, names = match.group(1), match.group(2)
        selectors = None if names is None else tuple(n.strip() for n in names.split(",") if n.strip())
        first_column = at + match.start() - begin
        alone = not blanked[number - 1].strip()
        first, last = _covered(kind, number, alone, blanked)
        column = source.column(number, first_column) + 1
        span = Span(source.path, number, column, number, len(source.line(number).rstrip()) + 1)
        found.append(Suppression(span, first, last, selectors, alone and not normal[begin : begin + first_column].strip()))
    return Suppressions(source, found)


def _covered(kind: str, number: int, alone: bool, blanked: list[str]) -> tuple[int, int]:
    """The lines that a suppression on line `number` covers."""
    if kind == "ignore-file":
        return 1, len(blanked)
    target = number
    if alone:
        target = next((n for n in range(number + 1, len(blanked) + 1) if blanked[n - 1].strip()), number)
    if kind == "ignore":
        return target, target
    return target, _block_end(target, blanked)


def _block_end(line: int, blanked: list[str]) -> int:
    """The last line of the block whose header (or decorator) stands on `line`."""
    indent = len(blanked[line - 1]) - len(blanked[line - 1].lstrip())
    last = line
    opened = False
    for number in range(line + 1, len(blanked) + 1):
        text = blanked[number - 1]
        if not text.strip():
            continue
        depth = len(text) - len(text.lstrip())
        first = text.lstrip()[0]
        if depth > indent:
            opened = True
        elif first in ")]}" or (not opened and blanked[line - 1].lstrip().startswith("@")):
            pass
        else:
            break
        last = number
    return last
