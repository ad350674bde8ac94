"""Suppressions: comments by which diagnostics are not reported.

``# onnx-lint: ignore[ONX101, name] reason``
    behind code: for the diagnostics that begin or end on that line; alone on a line: for the next line of code.
``# onnx-lint: ignore-block[ONX101] reason``
    on the line of a ``def``, ``class``, ``if`` …, or alone above it: for the whole indented block.
``# onnx-lint: ignore-file[ONX101] reason``
    anywhere: for the file.

Without brackets all rules are meant. The reason goes up to the next ``#``. An unused suppression is reported, and so
are a code that does not exist and a comment that begins like a suppression and is not one.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Protocol

from onnx_lint.codes import MALFORMED_SUPPRESSION, UNKNOWN_CODE, UNUSED_SUPPRESSION, Code, Origin, close_match
from onnx_lint.diagnostic import Applicability, Diagnostic, Edit, Fix, Severity, Span
from onnx_lint.source.split import blank, comments
from onnx_lint.source.text import SourceText
from onnx_lint.target import BOTH

_MARK = "onnx-lint:"
_CODING = re.compile(r"[ \t\f]*#.*?coding[:=]")
_BEGIN = re.compile(r"#[ \t]{0,20}onnx-lint:")
_DIRECTIVE = re.compile(
    r"#[ \t]{0,20}onnx-lint:[ \t]{0,20}(ignore-file|ignore-block|ignore)(?![\w-])[ \t]{0,20}"
    r"(?:\[([^\[\]#]{0,1000})\]|(?!\[))"
)
_MAX_COMMENT = 2000
"""What stands further back in a comment is not read."""
_MAX_DEPTH = 100
"""Blocks around a line that are looked at: Python itself takes no more levels of indentation."""


class Codes(Protocol):
    """What the settings choose among the rules (`selection.Selection`)."""

    codes: Mapping[str, Code]
    selected: set[str]

    def resolve(self, selector: str) -> set[str]: ...

    def applies(self, diagnostic: Diagnostic, path: str) -> bool: ...

    def as_set(self, diagnostic: Diagnostic) -> Diagnostic: ...


@dataclass(eq=False)
class Suppression:
    """One comment: the lines that it covers (both inclusive), and what it names (``None``: everything)."""

    span: Span
    first: int
    last: int
    selectors: tuple[str, ...] | None
    whole_line: bool
    brackets: tuple[int, int] | None
    """Columns of what stands in the brackets."""
    used: set[str] = field(default_factory=set)
    wanted: set[str] | None = None
    """The codes that the selectors stand for."""

    def takes(self, code: str) -> bool:
        return self.wanted is None or code in self.wanted


class Suppressions:
    """All suppressions of one file."""

    def __init__(self, source: SourceText, found: list[Suppression], malformed: list[Span]) -> None:
        self.source, self.found, self.malformed = source, found, malformed
        self._by_line: dict[int, list[Suppression]] = {}
        blocks: list[Suppression] = []
        for suppression in found:
            if suppression.first == suppression.last:
                self._by_line.setdefault(suppression.first, []).append(suppression)
            else:
                blocks.append(suppression)
        # Blocks lie inside one another or apart, so that those around a line are a chain of parents.
        self._blocks = sorted(blocks, key=lambda s: (s.first, -s.last))
        self._starts = [s.first for s in self._blocks]
        self._parents: list[int] = []
        chain: list[int] = []
        for number, block in enumerate(self._blocks):
            while chain and self._blocks[chain[-1]].last < block.first:
                chain.pop()
            self._parents.append(chain[-1] if chain else -1)
            chain.append(number)

    def _covering(self, line: int) -> Iterator[Suppression]:
        yield from self._by_line.get(line, ())
        number = bisect_right(self._starts, line) - 1
        for _ in range(_MAX_DEPTH):
            if number < 0:
                return
            if self._blocks[number].last >= line:
                yield self._blocks[number]
            number = self._parents[number]

    def unsuppressed(self, diagnostics: Iterable[Diagnostic], codes: Codes) -> list[Diagnostic]:
        """The diagnostics that no suppression names."""
        for suppression in self.found:
            if suppression.selectors is not None:
                suppression.wanted = set().union(*map(codes.resolve, suppression.selectors))
        return self._left(diagnostics)

    def apply(self, diagnostics: list[Diagnostic], codes: Codes, *, complete: bool = True) -> list[Diagnostic]:
        """The diagnostics that are left, and those about the suppressions themselves. Only when the analysis was
        `complete` (all rules, engines and statements) it is known that a suppression is unused."""
        kept = self.unsuppressed(diagnostics, codes)
        own = [*self._malformed(), *self._unknown(codes), *(self._unused(codes) if complete else ())]
        # what is reported of suppressions can be suppressed too, but only by name: all of them would hide themselves
        wanted = [codes.as_set(d) for d in own if codes.applies(d, self.source.path)]
        return kept + self._left(wanted, by_name=True)

    def _left(self, diagnostics: Iterable[Diagnostic], *, by_name: bool = False) -> list[Diagnostic]:
        kept: list[Diagnostic] = []
        for diagnostic in diagnostics:
            taken = False
            for line in {diagnostic.span.line, diagnostic.span.end_line}:
                for suppression in self._covering(line):
                    if suppression.takes(diagnostic.code) and not (by_name and suppression.wanted is None):
                        suppression.used.add(diagnostic.code)
                        taken = True
            if not taken:
                kept.append(diagnostic)
        return kept

    def _malformed(self) -> Iterator[Diagnostic]:
        message = "not a valid suppression, so it suppresses nothing; write `# onnx-lint: ignore[CODE] reason`"
        for span in self.malformed:
            yield MALFORMED_SUPPRESSION.diagnostic(Severity.WARNING, span, message, BOTH)

    def _unknown(self, codes: Codes) -> Iterator[Diagnostic]:
        hints: dict[str, str] = {}
        for suppression in self.found:
            for selector in suppression.selectors or ():
                if codes.resolve(selector):
                    continue
                if selector not in hints:
                    close = close_match(selector, codes.codes)
                    hints[selector] = f"; did you mean {close}?" if close else ""
                message = f"{_shown(selector)} is not a rule{hints[selector]}"
                yield UNKNOWN_CODE.diagnostic(Severity.WARNING, self._place(suppression, selector), message, BOTH)

    def _place(self, suppression: Suppression, selector: str) -> Span:
        """Where a selector stands in the brackets of a suppression."""
        span = suppression.span
        start, end = suppression.brackets or (span.column, span.end_column)
        text = self.source.line(span.line)[start - 1 : end - 1]
        found = re.search(rf"(?<![^\s,]){re.escape(selector)}(?![^\s,])", text)
        if found is None:
            return span
        return replace(span, column=start + found.start(), end_column=start + found.end())

    def _unused(self, codes: Codes) -> Iterator[Diagnostic]:
        for suppression in self.found:
            if suppression.selectors is None:
                if not suppression.used:
                    yield self._unused_as_a_whole(suppression)
                continue
            needless = [s for s in suppression.selectors if self._is_needless(suppression, s, codes)]
            if len(needless) == len(suppression.selectors):
                if UNUSED_SUPPRESSION.code not in (suppression.wanted or ()):
                    yield self._unused_as_a_whole(suppression)
            elif needless:
                yield self._unused_in_part(suppression, needless)

    def _is_needless(self, suppression: Suppression, selector: str, codes: Codes) -> bool:
        """Whether a selector is known to suppress nothing. What only an export can find is not known here."""
        meant = codes.resolve(selector)
        if any(codes.codes[code].origin is Origin.EXPORT for code in meant):
            return False
        return bool(meant) and not meant & suppression.used and meant <= codes.selected

    def _unused_as_a_whole(self, suppression: Suppression) -> Diagnostic:
        fix = Fix("Remove the suppression", Applicability.SAFE, (self._removal(suppression),))
        message = "unused suppression; remove it"
        return UNUSED_SUPPRESSION.diagnostic(Severity.WARNING, suppression.span, message, BOTH, fix)

    def _unused_in_part(self, suppression: Suppression, needless: list[str]) -> Diagnostic:
        fix: Fix | None = None
        if suppression.brackets is not None:
            left = ", ".join(s for s in suppression.selectors or () if s not in needless)
            start, end = suppression.brackets
            line, path = suppression.span.line, suppression.span.path
            edit = self._edit(Span(path, line, start, line, end), left)
            fix = Fix("Remove the unused part", Applicability.SAFE, (edit,))
        message = f"unused suppression of {', '.join(map(_shown, needless[:5]))}; remove it from the brackets"
        return UNUSED_SUPPRESSION.diagnostic(Severity.WARNING, suppression.span, message, BOTH, fix)

    def _removal(self, suppression: Suppression) -> Edit:
        """Take the comment away, with the blanks before it; the whole line when nothing else stands there."""
        span = suppression.span
        line = self.source.line(span.line)
        if suppression.whole_line and not line[span.end_column - 1 :].strip():
            if self._has_next(span.line) and not self._precedes_coding(span.line):
                span = Span(span.path, span.line, 1, span.line + 1, 1)
            return self._edit(span)
        if line[span.end_column - 1 :].strip():  # another comment follows and keeps the blanks
            following = len(line) - len(line[span.end_column - 1 :].lstrip()) + 1
            return self._edit(Span(span.path, span.line, span.column, span.line, following))
        start = len(line[: span.column - 1].rstrip()) + 1
        return self._edit(Span(span.path, span.line, start, span.line, len(line) + 1))

    def _edit(self, span: Span, text: str = "") -> Edit:
        return Edit(span, text, self.source.slice(span))

    def _has_next(self, line: int) -> bool:
        return line < len(self.source.starts)

    def _precedes_coding(self, line: int) -> bool:
        """Whether without this line a comment that declares no encoding would: only the first two lines can."""
        following = range(3, min(4, len(self.source.starts)) + 1)  # both may go
        return line <= 2 and any(_CODING.match(self.source.line(number)) for number in following)


def _shown(selector: str) -> str:
    return repr(selector if len(selector) <= 40 else selector[:40] + "…")


def suppressions(source: SourceText) -> Suppressions:
    """Find the suppressions of a file, in time linear in its length. Strings that look like one do not count."""
    if _MARK not in source.text:
        return Suppressions(source, [], [])
    normal = source.normal
    lines = _Lines(normal)
    found: list[Suppression] = []
    malformed: list[Span] = []
    number, counted = 1, 0
    for at, comment in comments(normal):
        if _MARK not in comment:
            continue
        match = _DIRECTIVE.search(comment, 0, _MAX_COMMENT)
        begun = match or _BEGIN.match(comment)
        if begun is None:
            continue
        number += normal.count("\n", counted, at)
        counted = at
        begin = normal.rfind("\n", 0, at) + 1
        end = comment.find("#", begun.end(), _MAX_COMMENT)
        length = len(comment[begun.start() : end if end >= 0 else None].rstrip())
        span = _span(source, number, at + begun.start() - begin, length)
        if match is None:
            malformed.append(span)
            continue
        names = match.group(2)
        selectors = None if names is None else tuple(dict.fromkeys(n.strip() for n in names.split(",") if n.strip()))
        alone = not normal[begin:at].strip()
        first, last = lines.covered(match.group(1), number, alone)
        whole_line = alone and not match.start()
        brackets: tuple[int, int] | None = None
        if names is not None:
            start = span.column + match.start(2) - match.start()
            brackets = (start, start + len(names))
        found.append(Suppression(span, first, last, selectors, whole_line, brackets))
    return Suppressions(source, found, malformed)


def _span(source: SourceText, line: int, column: int, length: int) -> Span:
    """A place in the original text, from a column (from 0) of the normalised one."""
    start = source.column(line, column) + 1
    return Span(source.path, line, start, line, start + length)


class _Lines:
    """Lines of code by number; what is computed for all of them is computed when first asked for."""

    def __init__(self, normal: str) -> None:
        self._normal = normal
        self._count: int | None = None
        self._lines: list[str] | None = None
        self._next: list[int] | None = None
        self._ends: list[int] | None = None

    @property
    def _blanked(self) -> list[str]:
        if self._lines is None:
            self._lines = blank(self._normal).split("\n")
        return self._lines

    def covered(self, kind: str, number: int, alone: bool) -> tuple[int, int]:
        """The lines that a suppression on line `number` covers."""
        if kind == "ignore-file":
            if self._count is None:
                self._count = self._normal.count("\n")
            return 0, self._count + 2
        target = self._next_code(number) if alone else number
        if kind == "ignore":
            return target, target
        return target, self._block_end(target)

    def _next_code(self, number: int) -> int:
        """The first line of code behind line `number`, or that line if none follows."""
        if self._next is None:
            following = len(self._blanked)
            self._next = [0] * (following + 1)
            for line in range(following, 0, -1):
                self._next[line] = following
                if self._blanked[line - 1].strip():
                    following = line
        return self._next[number]

    def _block_end(self, line: int) -> int:
        """The last line of the block whose header (or decorator) stands on `line`."""
        if self._ends is None:
            self._ends = self._block_ends()
        return self._ends[line]

    def _block_ends(self) -> list[int]:
        """For each line the last line of code before the next one that is not indented deeper. A line that closes
        brackets belongs to what opened them, and a decorator to what it decorates."""
        lines = self._blanked
        ends = list(range(len(lines) + 1))
        below: list[tuple[int, int, int]] = []  # indent, line, the code line before it: not yet passed by a smaller one
        last_code = 0
        before: dict[int, int] = {}
        for number, text in enumerate(lines, 1):
            if text.strip():
                before[number] = last_code
                last_code = number
        for number in sorted(before, reverse=True):
            text = lines[number - 1]
            stripped = text.lstrip()
            indent = len(text) - len(stripped)
            while below and below[-1][0] > indent:
                below.pop()
            if below:
                _, follower, end = below[-1]
                decorates = stripped[0] == "@" and below[-1][0] == indent
                ends[number] = ends[follower] if decorates else max(end, number)
            else:
                ends[number] = max(last_code, number)
            if stripped[0] not in ")]}":
                below.append((indent, number, before[number]))
        return ends
