"""What literals stand for: numbers, strings, and the text around the values of an f-string."""

from __future__ import annotations

from ast import literal_eval
from collections.abc import Sequence
from functools import lru_cache

import libcst as cst


@lru_cache(maxsize=4096)
def numeral(text: str) -> object:
    """The number that a literal stands for."""
    return literal_eval(text)


def string_value(literal: str) -> object:
    """The text or bytes of a literal; the literal itself where it has an escape that this Python does not know."""
    quote = literal[0]
    if quote in "\"'" and "\\" not in literal:
        return literal[3:-3] if literal[:3] == quote * 3 and len(literal) >= 6 else literal[1:-1]
    try:
        return literal_eval(literal)
    except (ValueError, SyntaxError):  # such as an unknown \N{name}
        return literal


def text_between(parts: Sequence[cst.CSTNode]) -> tuple[str, ...] | None:
    """The text around the values of an f-string, one more than they are; ``None`` where a conversion, a format, an
    escape or ``=`` has a part in what it makes."""
    between = [""]
    for part in parts:
        if isinstance(part, cst.FormattedStringText):
            if "\\" in part.value:
                return None
            between[-1] += part.value.replace("{{", "{").replace("}}", "}")
        elif isinstance(part, cst.FormattedStringExpression):
            if part.conversion is not None or part.format_spec or part.equal is not None:
                return None
            between.append("")
        else:
            return None
    return tuple(between)
