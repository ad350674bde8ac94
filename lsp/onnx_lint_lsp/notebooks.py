"""Cells of a notebook as Python: what IPython adds to the language is taken out, places stay."""

from __future__ import annotations

import re

from onnx_lint_lsp.text import Text

_END = re.compile(r"\r\n?|\n")
_CELL_MAGIC = re.compile(r"\s*%%(?!time\b|timeit\b|capture\b|prun\b)\w")
_TIMED = re.compile(r"\s*%%")
_MAGIC = re.compile(r"^[ \t]*(?:[%!]|\?{1,2}\w|\w[\w.]*\?{1,2}[ \t]*$)")
_ASSIGNED = re.compile(r"^([ \t]*[\w.,\[\]'\" ]+?=[ \t]*)([!%])(?=[A-Za-z])")


def python_of(cell: Text) -> str:
    """The lines of a cell, joined by line feeds. A line that IPython reads itself is a comment, or a plain value where
    it is assigned; a cell in another language is empty."""
    lines = _END.split(cell.text)
    if _CELL_MAGIC.match(cell.text):
        return "\n" * (len(lines) - 1)
    if "%" not in cell.text and "!" not in cell.text and "?" not in cell.text:
        return "\n".join(lines)
    out: list[str] = []
    depth = 0
    for line in lines:
        magic = depth <= 0 and (_MAGIC.match(line) or _TIMED.match(line))
        if magic:
            out.append(_commented(line))
            continue
        assigned = _ASSIGNED.match(line) if depth <= 0 else None
        out.append(f"{assigned.group(1)}0 # {line[assigned.end() :]}" if assigned else line)
        depth += sum(map(line.count, "([{")) - sum(map(line.count, ")]}"))
    return "\n".join(out)


def _commented(line: str) -> str:
    """A statement that does nothing in the place of a magic: a block may consist of it."""
    indent = line[: len(line) - len(line.lstrip())]
    return f"{indent}pass #{line[len(indent) :]}"
