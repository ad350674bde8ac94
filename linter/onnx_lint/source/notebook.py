"""Jupyter notebooks: the code cells of one notebook are one module, in order; what IPython adds to Python is blanked.

Source of the format: nbformat 4 (``cells``, each with ``cell_type`` and ``source``, a string or a list of strings).
"""

from __future__ import annotations

import re
from bisect import bisect_right
from dataclasses import dataclass
from typing import Any

from onnx_lint.source import json_text
from onnx_lint.source.text import SourceError, SourceText

SUFFIX = ".ipynb"

_END = re.compile(r"\r\n?|\n")
_CELL_MAGIC = re.compile(r"\s*%%(?!time\b|timeit\b|capture\b|prun\b)\w")
_TIMED = re.compile(r"\s*%%")
_MAGIC = re.compile(r"^[ \t]*(?:[%!]|\?{1,2}\w|\w[\w.]*\?{1,2}[ \t]*$)")
_ASSIGNED = re.compile(r"^([ \t]*[\w.,\[\]'\" ]+?=[ \t]*)([!%])(?=[A-Za-z])")


class OtherLanguage(SourceError):
    """A notebook whose cells are not Python."""


@dataclass(frozen=True)
class Cell:
    """A code cell. `number` counts all cells of the notebook, from 1; `first` is the line of the joined source, from 1,
    at which it begins."""

    number: int
    text: str
    first: int


class NotebookText(SourceText):
    """The code cells of a notebook, joined to the source of one module."""

    __slots__ = ("cells",)

    def __init__(self, path: str, cells: tuple[Cell, ...]) -> None:
        super().__init__(path, "\n".join(python_of(cell.text) for cell in cells))
        self.cells = cells

    def cell_at(self, line: int) -> Cell | None:
        """The cell that holds a line of the joined source; ``None`` in a notebook without code."""
        if not self.cells:
            return None
        return self.cells[max(bisect_right([cell.first for cell in self.cells], line) - 1, 0)]


def decode(path: str, data: bytes) -> NotebookText:
    """The notebook in a file. Raises `SourceError`, and `OtherLanguage` when its kernel is not Python."""
    try:
        content = json_text.loads(data.decode("utf-8-sig"))
    except (ValueError, RecursionError) as error:
        raise SourceError(f"{path}: cannot be read as a notebook: {' '.join(str(error).split())[:200]}") from error
    cells = content.get("cells") if isinstance(content, dict) else None
    if not isinstance(cells, list):
        raise SourceError(f"{path}: cannot be read as a notebook: it has no list of cells (nbformat 4)")
    language = _language(content.get("metadata"))
    if language != "python":
        raise OtherLanguage(f"{path}: a notebook in {language}, not in Python")
    found: list[Cell] = []
    line = 1
    for number, cell in enumerate(cells, 1):
        if isinstance(cell, dict) and cell.get("cell_type") == "code":
            text = _text(cell.get("source"))
            found.append(Cell(number, text, line))
            line += len(_END.findall(text)) + 1
    return NotebookText(path, tuple(found))


def read(path: str) -> NotebookText:
    """Read a notebook. Raises `SourceError`, and `OtherLanguage` when its kernel is not Python."""
    try:
        with open(path, "rb") as file:
            return decode(path, file.read())
    except OSError as error:
        raise SourceError(f"{path}: cannot be read: {error.strerror}") from error


def _language(metadata: Any) -> str:
    """The kernel's language in lower case; a notebook that does not say is taken to be Python, as Jupyter does."""
    if isinstance(metadata, dict):
        for table, key in (("language_info", "name"), ("kernelspec", "language")):
            given = metadata.get(table)
            if isinstance(given, dict) and isinstance(given.get(key), str):
                name = str(given[key]).lower()
                return "python" if name.startswith(("python", "ipython")) else name
    return "python"


def _text(source: Any) -> str:
    if isinstance(source, list):
        return "".join(part for part in source if isinstance(part, str))
    return source if isinstance(source, str) else ""


def python_of(cell: str) -> str:
    """The lines of a cell, joined by line feeds; places stay. A line that IPython reads itself is a comment, or a plain
    value where it is assigned; a cell in another language is empty."""
    lines = _END.split(cell)
    if _CELL_MAGIC.match(cell):
        return "\n" * (len(lines) - 1)
    if "%" not in cell and "!" not in cell and "?" not in cell:
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
