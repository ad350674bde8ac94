"""The text of a document as the protocol sees it: lines that end at ``\\n``, ``\\r\\n`` or ``\\r`` and nowhere else,
and columns in UTF-8, UTF-16 or UTF-32 units."""

from __future__ import annotations

import re
from bisect import bisect_right
from itertools import accumulate
from typing import Literal, NamedTuple

Encoding = Literal["utf-8", "utf-16", "utf-32"]

_END = re.compile(r"\r\n?|\n")


class Position(NamedTuple):
    """Line and column, both from 0; the column in units of the client's encoding."""

    line: int
    character: int


class Text:
    """An immutable text with its line table. Positions outside of it are clamped, as the protocol asks."""

    __slots__ = ("_starts", "encoding", "is_plain", "text")

    def __init__(self, text: str, encoding: Encoding) -> None:
        self.text, self.encoding = text, encoding
        self.is_plain = text.isascii()
        """Whether a unit is a character in every encoding."""
        self._starts: list[int] | None = None

    @property
    def starts(self) -> list[int]:
        """The offset of the first character of each line."""
        if self._starts is None:
            self._starts = line_starts(self.text)
        return self._starts

    def content(self, line: int) -> tuple[int, int]:
        """Offsets of the start of a line and of its end, before the characters that end it."""
        starts, text = self.starts, self.text
        start = starts[line]
        if line + 1 == len(starts):
            return start, len(text)
        end = starts[line + 1] - 1
        if text[end] == "\n" and end > start and text[end - 1] == "\r":
            end -= 1
        return start, end

    def offset(self, line: int, character: int) -> int:
        """The offset of a position. One inside a character counts as in front of it."""
        if line < 0:
            return 0
        if line >= len(self.starts):
            return len(self.text)
        start, end = self.content(line)
        return start + _characters(self.text, start, end, max(character, 0), self.encoding)

    def position(self, offset: int) -> Position:
        """The position of an offset."""
        line = bisect_right(self.starts, offset) - 1
        start = self.starts[line]
        return Position(line, _units(self.text[start:offset], self.encoding))

    def column(self, line: int, characters: int) -> int:
        """The column, in units, of a number of characters on a line; at most the end of the line."""
        if not 0 <= line < len(self.starts):
            return 0
        start, end = self.content(line)
        if self.is_plain:
            return min(characters, end - start)
        return _units(self.text[start : min(start + characters, end)], self.encoding)

    def replaced(self, start: int, end: int, new: str) -> Text:
        """The text with a stretch replaced."""
        end = max(start, end)
        after = Text(self.text[:start] + new + self.text[end:], self.encoding)
        if self._starts is not None and "\r" not in self.text and "\r" not in new:
            first, last = bisect_right(self._starts, start), bisect_right(self._starts, end)
            shift = len(new) - (end - start)
            inside = [start + match.end() for match in _END.finditer(new)]
            after._starts = [*self._starts[:first], *inside, *[at + shift for at in self._starts[last:]]]
        return after


def line_starts(text: str) -> list[int]:
    """The offset of the first character of each line; an empty text has one line."""
    if "\r" in text:
        return [0, *(match.end() for match in _END.finditer(text))]
    starts = list(accumulate(map((1).__add__, map(len, text.split("\n"))), initial=0))
    starts.pop()
    return starts


def _units(text: str, encoding: Encoding) -> int:
    if encoding == "utf-32" or text.isascii():
        return len(text)
    if encoding == "utf-8":
        return len(text.encode("utf-8", "surrogatepass"))
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def _characters(text: str, start: int, end: int, units: int, encoding: Encoding) -> int:
    """How many characters of ``text[start:end]`` the first `units` units are."""
    length = end - start
    reach = min(units, length)
    if encoding == "utf-32" or text[start : start + reach].isascii():
        return reach
    left = units
    for count in range(length):
        code = ord(text[start + count])
        if encoding == "utf-16":
            left -= 2 if code > 0xFFFF else 1
        else:
            left -= 1 if code < 0x80 else 2 if code < 0x800 else 3 if code < 0x10000 else 4
        if left < 0:
            return count
        if left == 0:
            return count + 1
    return length
