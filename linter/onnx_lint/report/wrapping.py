"""Text for a terminal of a known width: lines broken between words instead of anywhere, as the terminal would."""

from __future__ import annotations

import os
import re
import unicodedata
from typing import TextIO

Piece = tuple[str, str]
"""Text and style name."""

NO_BREAK = "\N{NO-BREAK SPACE}"
_NARROWEST = 40
"""Columns below which a terminal breaks the lines itself: what we could do is no better."""
_TOKEN = re.compile(r" +|[^ ]+")


def columns_of(stream: TextIO) -> int | None:
    """The columns of the terminal that `stream` is; ``None`` if it is none, or too narrow to lay anything out."""
    if not stream.isatty():
        return None
    try:
        columns = os.get_terminal_size(stream.fileno()).columns
    except (OSError, ValueError):  # a terminal that does not say how wide it is
        return None
    return columns if columns >= _NARROWEST else None


def wrapped(pieces: list[Piece], columns: int | None, indent: int) -> list[list[Piece]]:
    """The pieces as lines of at most `columns`, broken at spaces; lines behind the first begin with `indent` spaces.

    A word that is longer than a line stays whole. No line ends at a `NO_BREAK`, which becomes a space. With ``None`` a
    line has no end.
    """
    whole = [(text.replace(NO_BREAK, " "), style) for text, style in pieces]
    if columns is None or sum(width(text) for text, _ in whole) <= columns:
        return [whole]
    lines: list[list[Piece]] = [[]]
    used, gap = 0, ""
    for text, style in pieces:
        for token in _TOKEN.findall(text):
            if token.isspace() and used:
                gap += token
                continue
            if gap and used + len(gap) + width(token) > columns:
                lines.append([(" " * indent, "")])
                used, gap = indent, ""
            lines[-1].append((gap + token.replace(NO_BREAK, " "), style))
            used, gap = used + len(gap) + width(token), ""
    return lines


def width(text: str) -> int:
    """Columns on a terminal: wide characters take two, combining ones none."""
    if text.isascii():
        return len(text)
    return sum(map(_columns, text))


def _columns(character: str) -> int:
    if character == "\N{VARIATION SELECTOR-16}":
        return 1  # makes the narrow symbol before it a wide picture
    if unicodedata.category(character) in ("Mn", "Me"):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1
