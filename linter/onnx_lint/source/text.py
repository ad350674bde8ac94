"""The one door for reading: bytes to text, with places that index the original exactly."""

from __future__ import annotations

import io
import os
import re
import tokenize
from bisect import bisect_right
from itertools import accumulate

from onnx_lint.diagnostic import Span

_NEWLINE = re.compile(r"\r\n?|\n")
_NEWLINE_BYTES = re.compile(rb"\r\n?")
_LEADING_FORM_FEEDS = re.compile(r"^[ \t]*\f[ \t\f]*", re.M)


class SourceError(Exception):
    """A source that cannot be read; the message is one line: what, where, what to do."""


class SourceText:
    """A decoded file. `text` is what the file says (without a byte order mark, newlines as they are); `normal` is what
    the splitter and the parser see: LF newlines, no form feeds. Lines are the same in both."""

    __slots__ = ("_normal_starts", "_shifts", "_starts", "bom", "encoding", "normal", "path", "text")

    def __init__(
        self, path: str, text: str, encoding: str = "utf-8", bom: bytes = b"", starts: list[int] | None = None
    ) -> None:
        self.path, self.text, self.encoding, self.bom = path, text, encoding, bom
        self._starts = starts
        self._normal_starts: list[int] | None = None
        self._shifts: dict[int, int] = {}
        normal = _NEWLINE.sub("\n", text) if "\r" in text else text
        if "\f" in normal:
            lines = normal.split("\n")
            for i, line in enumerate(lines):
                if "\f" in line:
                    match = _LEADING_FORM_FEEDS.match(line)
                    if match:
                        # Python counts the indentation anew after a form feed
                        kept = match.group().rpartition("\f")[2]
                        self._shifts[i + 1] = len(match.group()) - len(kept)
                        line = kept + line[match.end() :]
                    lines[i] = line.replace("\f", " ")
            normal = "\n".join(lines)
        self.normal = normal

    @classmethod
    def from_text(cls, path: str, text: str, starts: list[int] | None = None) -> SourceText:
        """A text that was never bytes, such as an unsaved buffer; with the offsets of its lines, if they are known."""
        return cls(path, text, starts=starts)

    @classmethod
    def decode(cls, path: str, data: bytes) -> SourceText:
        """A file's bytes, by the encoding that Python would take: byte order mark, cookie, else UTF-8. Raises
        `SourceError`."""
        try:
            # the cookie's line ends at a lone CR too, as for Python
            lines = _NEWLINE_BYTES.sub(b"\n", data) if b"\r" in data else data
            encoding, _ = tokenize.detect_encoding(io.BytesIO(lines).readline)
            bom = b"\xef\xbb\xbf" if data.startswith(b"\xef\xbb\xbf") else b""
            text = data[len(bom) :].decode(encoding.removesuffix("-sig"))
        except (SyntaxError, LookupError, UnicodeError) as error:
            raise SourceError(f"{path}: cannot be decoded: {error}; save it as UTF-8") from error
        return cls(path, text, encoding.removesuffix("-sig"), bom)

    @property
    def starts(self) -> list[int]:
        """Offsets in `text` at which the lines begin; a text that ends in a newline has an empty last line."""
        if self._starts is None:
            if "\r" in self.text:
                self._starts = [0, *[m.end() for m in _NEWLINE.finditer(self.text)]]
            else:
                self._starts = list(accumulate([len(line) + 1 for line in self.text.split("\n")[:-1]], initial=0))
        return self._starts

    @property
    def normal_starts(self) -> list[int]:
        """Offsets in `normal` at which the lines begin."""
        if self.normal is self.text:
            return self.starts
        if self._normal_starts is None:
            self._normal_starts = list(accumulate([len(line) + 1 for line in self.normal.split("\n")[:-1]], initial=0))
        return self._normal_starts

    def encode(self, text: str) -> bytes:
        """A text as bytes of this file: its encoding, its byte order mark. Raises `UnicodeEncodeError`."""
        return self.bom + text.encode(self.encoding)

    def column(self, line: int, column: int) -> int:
        """The column in `text` of a column in `normal`; both count from the same number."""
        return column + self._shifts.get(line, 0)

    def offset(self, line: int, column: int) -> int:
        """The offset in `text` of a line and column, both from 1."""
        return self.starts[line - 1] + column - 1

    def position(self, offset: int) -> tuple[int, int]:
        """Line and column, both from 1, of an offset in `text`."""
        line = bisect_right(self.starts, offset)
        return line, offset - self.starts[line - 1] + 1

    def slice(self, span: Span) -> str:
        """The text of a span of this file."""
        return self.text[self.offset(span.line, span.column) : self.offset(span.end_line, span.end_column)]

    def line(self, number: int) -> str:
        """A line, counted from 1, without its newline."""
        start = self.starts[number - 1]
        end = self.starts[number] if number < len(self.starts) else len(self.text)
        return self.text[start:end].rstrip("\r\n")


def read(path: str) -> SourceText:
    """Read a file. Raises `SourceError`."""
    try:
        # without blocking: some files of the kernel look regular, and wait for something to be said
        with open(path, "rb", opener=lambda name, flags: os.open(name, flags | getattr(os, "O_NONBLOCK", 0))) as file:
            data: bytes | None = file.read()
    except OSError as error:
        raise SourceError(f"{path}: cannot be read: {error.strerror}") from error
    if data is None:
        raise SourceError(f"{path}: cannot be read: it has nothing to say yet; name a regular file")
    return SourceText.decode(path, data)
