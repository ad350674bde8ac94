"""Split: a file into chunks, one per top-level statement and one per class member, without a parser."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache


@dataclass(slots=True)
class Chunk:
    """One top-level statement, or one member of a class: the unit of parsing and of caching.

    `kind` is ``def``, ``class`` or ``statement`` (all others, and several on one line); `name` is what a ``def`` or
    ``class`` defines. `text` runs from the first decorator to the last character of code, without the blank lines and
    comments behind it, and keeps its indentation; `line` (from 1) is where it begins in the file. A class has a
    `header`, up to its colon, and `members`, if they stand on lines of their own; only top-level classes are split.
    Nothing but the line ever changes, when an editor inserts lines above.
    """

    kind: str
    name: str
    line: int
    text: str
    header: str
    members: tuple[Chunk, ...]

    def move(self, lines: int) -> None:
        """It stands so many lines further down now."""
        self.line += lines
        for member in self.members:
            member.line += lines


_STRINGS = re.compile(
    r"#[^\n]*"
    r'|"""[^\\"]*(?:(?:\\[\s\S]|"(?!""))[^\\"]*)*(?:"""|\Z)'
    r"|'''[^\\']*(?:(?:\\[\s\S]|'(?!''))[^\\']*)*(?:'''|\Z)"
    r'|"[^\\"\n]*(?:\\[\s\S][^\\"\n]*)*"?'
    r"|'[^\\'\n]*(?:\\[\s\S][^\\'\n]*)*'?"
)
_VISIBLE = re.compile(r"[^\n]")


def _blank_one(match: re.Match[str]) -> str:
    text = match.group()
    if text[0] == "#":
        return " " * len(text)
    if "\n" in text:
        return "_" + _VISIBLE.sub(" ", text[1:])
    return "_" + " " * (len(text) - 1)


def blank(text: str) -> str:
    """The text with comments and what is inside strings turned to spaces, of the same length and lines; a string
    leaves an underscore where it began, so that it still counts as something."""
    return _STRINGS.sub(_blank_one, text)


def comments(normal: str) -> Iterator[tuple[int, str]]:
    """The comments of a file with their offsets; what looks like one inside a string does not count."""
    for match in _STRINGS.finditer(normal):
        text = match.group()
        if text[0] == "#":
            yield match.start(), text


_CONTINUED = re.compile(r"(?:else|elif|except|finally)\b")
_NEVER_INSIDE = r"(?:async\s+def|def|class)\s+\w+\s*[(:\[]|import\s+\w|from\s+[\w.]+\s+import\b"
_DECORATORS = r"(?:@[\w.]+(?:\([^\n]*\))?[ \t]*\n[ \t]*){1,20}(?:async\s+def|def|class)\s"
_RESYNC = re.compile(f"{_NEVER_INSIDE}|{_DECORATORS}")
"""What cannot stand inside brackets: a definition or an import. A line that begins with ``@`` may, as a product."""
_RESYNC_INDENTED = re.compile(rf"^[ \t]+(?:{_NEVER_INSIDE})", re.M)
_DEFINITION = re.compile(r"(?:async[ \t]+)?def[ \t]+(\w+)|class[ \t]+(\w+)")
_BRACKETS = re.compile(r"[()\[\]{}:]")


@lru_cache(maxsize=64)
def _starts_at(indent: str) -> re.Pattern[str]:
    return re.compile(r"^" + indent + r"(?=[^\s#)\]}\\])", re.M)


def _depth(text: str, start: int, end: int) -> int:
    count = text.count
    opened = count("(", start, end) + count("[", start, end) + count("{", start, end)
    return opened - count(")", start, end) - count("]", start, end) - count("}", start, end)


def _statements(blanked: str, indent: str, start: int, end: int) -> list[int]:
    """Offsets of the first characters (of the line) of the statements at `indent`."""
    out: list[int] = []
    depth, previous, decorated = 0, start, False
    for match in _starts_at(indent).finditer(blanked, start, end):
        at, first = match.start(), match.end()
        depth = max(depth + _depth(blanked, previous, at), 0)
        if depth > 0:
            for inner in _RESYNC_INDENTED.finditer(blanked, previous, at):
                depth = max(_depth(blanked, inner.start(), at), 0)
        previous = at
        if depth > 0:
            if not _RESYNC.match(blanked, first):
                continue
            depth = 0
        if at >= 2 and blanked[at - 2] == "\\":
            continue
        if out and _CONTINUED.match(blanked, first):
            continue
        is_decorator = blanked[first] == "@"
        if not decorated:
            out.append(at)
        decorated = is_decorator
    return out


def split(normal: str) -> list[Chunk]:
    """The chunks of a file (LF newlines, no form feeds), in order; linear in its length. Never raises.

    Every visible character outside comments is in some chunk, also in a file that is no valid Python: what stands
    before the first statement is a chunk of its own. An unclosed bracket costs the code up to the next line that
    can only begin a definition or an import.
    """
    blanked = blank(normal)
    starts = _statements(blanked, "", 0, len(blanked))
    first = starts[0] if starts else len(blanked)
    if blanked[:first].strip():  # indented, or a closing bracket: an error, to be told by the parser
        starts = [0, *starts]
    return _chunks(normal, blanked, starts, len(normal), 1)


def _chunks(normal: str, blanked: str, starts: list[int], end: int, line: int) -> list[Chunk]:
    """The chunks that begin at `starts` and end at `end`; the text begins at line `line` of the file."""
    chunks: list[Chunk] = []
    at = 0
    for start, stop in zip(starts, [*starts[1:], end], strict=False):
        line += normal.count("\n", at, start)
        at = start
        chunks.append(_chunk(normal, blanked, start, stop, line, ""))
    return chunks


def resplit(normal: str, line: int, marks: Sequence[int], limit: int | None) -> tuple[list[Chunk], int] | None:
    """Split a part of a file again: from its beginning, where a chunk begins at line `line` of the file, to the first
    of `marks` at which a statement begins. `marks` are the offsets behind an edit at which statements began before; the
    last one is the end of the text.

    Gives the chunks, and which mark ends them: what follows is as it was. ``None`` when no statement begins at a mark
    within `limit` characters, as behind an open quote.
    """
    count = 2
    while True:
        window = marks[min(count, len(marks)) - 1]
        if limit is not None and window > limit and count > 2:
            return None
        text = normal[:window]
        blanked = blank(text)
        starts = _statements(blanked, "", 0, window)
        if blanked[: starts[0] if starts else window].strip():
            starts = [0, *starts]
        begun = set(starts)
        if window == len(normal):
            begun.add(window)
        for number, mark in enumerate(marks[:count]):
            if mark in begun:
                return _chunks(text, blanked, [s for s in starts if s < mark], mark, line), number
        count *= 2


def one_chunk(text: str, line: int, indent: str) -> Chunk | None:
    """The chunk of a text that is one statement with that indentation; ``None`` if it is none or several."""
    blanked = blank(text)
    if _statements(blanked, indent, 0, len(text)) != [0] or (indent and _statements(blanked, "", 0, len(text))):
        return None
    return _chunk(text, blanked, 0, len(text), line, indent)


def _definition(blanked: str, start: int, end: int) -> re.Match[str] | None:
    """The `def` or `class` of a chunk, behind its decorators."""
    position = start
    while position < end:
        while position < end and blanked[position] in " \t":
            position += 1
        match = _DEFINITION.match(blanked, position, end)
        if match or position >= end or blanked[position] not in "@\n":
            return match
        newline = position if blanked[position] == "\n" else _line_end(blanked, position, end)
        position = newline + 1
    return None


def _line_end(blanked: str, start: int, end: int) -> int:
    """The end of a logical line."""
    depth = 0
    while True:
        newline = blanked.find("\n", start, end)
        if newline < 0:
            return end
        depth += _depth(blanked, start, newline)
        if depth <= 0 and blanked[newline - 1] != "\\":
            return newline
        start = newline + 1


def _chunk(normal: str, blanked: str, start: int, end: int, line: int, indent: str) -> Chunk:
    text = normal[start : _code_end(normal, blanked, start, end)]
    definition = _definition(blanked, start, end)
    if definition is None:
        return Chunk("statement", "", line, text, "", ())
    if definition.group(1):
        return Chunk("def", definition.group(1), line, text, "", ())
    name = definition.group(2)
    header_end = _header_end(blanked, definition.end(), end)
    header = normal[start:header_end]
    members: tuple[Chunk, ...] = ()
    rest = blanked[header_end : _line_end(blanked, header_end, end)]
    if not rest.strip() and not indent:
        match = re.compile(r"^([ \t]+)(?=[^\s#)\]}\\])", re.M).search(blanked, header_end, end)
        if match:
            starts = _statements(blanked, match.group(1), header_end, end)
            out = []
            member_line, at = line, start
            for s, e in zip(starts, [*starts[1:], end], strict=False):
                member_line += normal.count("\n", at, s)
                at = s
                out.append(_chunk(normal, blanked, s, e, member_line, match.group(1)))
            members = tuple(out)
    return Chunk("class", name, line, text, header, members)


def _code_end(normal: str, blanked: str, start: int, end: int) -> int:
    """Where the code of a stretch ends: behind its last visible character, or the string that begins there."""
    last = start + len(blanked[start:end].rstrip()) - 1
    if normal[last] in "\"'":
        string = _STRINGS.match(normal, last)
        if string is not None:
            return string.end()
    return last + 1


def _header_end(blanked: str, start: int, end: int) -> int:
    depth = 0
    for match in _BRACKETS.finditer(blanked, start, end):
        token = match.group()
        if token in "([{":
            depth += 1
        elif token in ")]}":
            depth -= 1
        elif depth <= 0:
            return match.end()
    return end
