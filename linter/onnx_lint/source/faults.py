"""Why a chunk could not be lowered, told in the words of Python's own parser, which are better and better placed."""

from __future__ import annotations

import ast
import re
import warnings
from dataclasses import dataclass

_LINE_NUMBER = re.compile(r" \(detected at line \d+\)| on line \d+")
"""Counted within the chunk: of no use to the reader."""


@dataclass(frozen=True)
class Fault:
    """Why a chunk could not be lowered; line (from 1) and column (from 0) within the chunk, both possibly just behind
    the end."""

    line: int
    column: int
    message: str
    is_error: bool = True
    """Whether the source is not valid Python; else it is, and only the parser used here does not take it."""


def of(text: str, prefix: str, told: str) -> Fault:
    """The fault of a chunk that libcst did not take, for the reason `told`. `prefix` is what stands before the chunk
    on lines of its own so that it parses.

    ``ast.parse`` builds a tree, it runs nothing. It may be older than the source, and then has its own complaint.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            ast.parse(prefix + text)
    except SyntaxError as error:
        if error.lineno is None:
            return Fault(1, 0, error.msg)
        line = error.lineno - prefix.count("\n")
        return Fault(max(line, 1), max((error.offset or 1) - 1, 0), _LINE_NUMBER.sub("", error.msg))
    except ValueError as error:  # a null byte, a lone surrogate
        return Fault(1, 0, str(error))
    except (RecursionError, MemoryError):
        return Fault(1, 0, "nested too deeply", is_error=False)
    return Fault(1, 0, f"the parser rejects it ({told})", is_error=False)
