"""The user's source as the exporter needs it: where the statement or expression at a place begins and ends.

What stands there is the linter's business: see `attribute`.
"""

from __future__ import annotations

import ast
import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TypeGuard

from onnx_lint.diagnostic import Span
from onnx_lint.source.text import SourceError, SourceText, read
from onnx_lint_exporter.paths import below
from onnx_lint_exporter.worker.protocol import Frame

Reader = Callable[[str], SourceText]
Placed = ast.stmt | ast.expr
"""Nodes that have a place."""
_COMPREHENSIONS = (ast.ListComp, ast.GeneratorExp, ast.DictComp, ast.SetComp)
_BRANCHES = (ast.If, ast.While, ast.IfExp)
_LOOPS = (ast.For, ast.AsyncFor)


def _is_placed(node: ast.AST) -> TypeGuard[Placed]:
    return isinstance(node, (ast.stmt, ast.expr))


@dataclass
class SourceFile:
    """One file: its text, and its syntax tree when it has one."""

    path: str
    source: SourceText
    tree: ast.Module | None

    def column(self, line: int, offset: int) -> int:
        """A column, from 1 in characters, of an AST byte offset."""
        lines = self.source.normal.split("\n")
        text = lines[line - 1] if line <= len(lines) else ""
        return self.source.column(line, len(text.encode()[:offset].decode("utf-8", "ignore")) + 1)

    def span(self, node: Placed) -> Span:
        """Where a node begins and ends."""
        end_line, end_offset = node.end_lineno or node.lineno, node.end_col_offset or node.col_offset
        start = self.column(node.lineno, node.col_offset)
        return Span(self.path, node.lineno, start, end_line, self.column(end_line, end_offset))

    def line_span(self, line: int) -> Span:
        """The text of a line without its indentation and its comment's tail."""
        if line < 1 or line > len(self.source.starts):
            return Span(self.path, max(line, 1), 1, max(line, 1), 2)
        text = self.source.line(line)
        start = len(text) - len(text.lstrip()) + 1
        return Span(self.path, line, start, line, max(len(text.rstrip()) + 1, start + 1))

    def at(self, frame: Frame) -> list[Placed]:
        """The nodes at a frame's place, innermost first: those that cover its columns, or the statement on its line."""
        if self.tree is None:
            return []
        covering = [node for node in ast.walk(self.tree) if _is_placed(node) and self._covers(node, frame)]
        return sorted(covering, key=_extent)

    def _covers(self, node: Placed, frame: Frame) -> bool:
        if not node.lineno <= frame.line <= (node.end_lineno or node.lineno):
            return False
        if frame.column is None:
            return isinstance(node, ast.stmt)
        span = self.span(node)
        start, end = (frame.line, frame.column), (frame.end_line or frame.line, frame.end_column or frame.column + 1)
        return (span.line, span.column) <= start and end <= (span.end_line, span.end_column)

    def statement(self, line: int) -> Span:
        """The innermost statement around a line; of a compound one only its head, unless the line is inside."""
        around = self.at(Frame("", line))
        if not around:
            return self.line_span(line)
        span, body = self.span(around[0]), getattr(around[0], "body", None)
        if isinstance(body, list) and body:
            return Span(span.path, span.line, span.column, max(body[0].lineno - 1, span.line), 1_000_000)
        return span

    def function_at(self, line: int) -> ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda | None:
        """The innermost function around a line."""
        if self.tree is None:
            return None
        found = [
            node
            for node in ast.walk(self.tree)
            if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda))
            and node.lineno <= line <= (node.end_lineno or 0)
        ]
        return min(found, key=_extent, default=None)

    def returns(self, line: int) -> list[Placed]:
        """The return statements of the function around a line (a lambda's body)."""
        function = self.function_at(line)
        if isinstance(function, ast.Lambda):
            return [function.body]
        return (
            []
            if function is None
            else [n for n in self._own(function) if isinstance(n, ast.Return) and n.value is not None]
        )

    def _own(self, function: ast.AST) -> Iterator[ast.AST]:
        """The nodes of a function without those of functions in it."""
        for child in ast.iter_child_nodes(function):
            yield child
            if not isinstance(child, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda, ast.ClassDef)):
                yield from self._own(child)

    def control_around(self, lines: Sequence[int]) -> Span | None:
        """What decides at the innermost branch or loop around any of the lines, within their function."""
        function = self.function_at(lines[0]) if lines else None
        if function is None:
            return None
        around = [
            node
            for node in self._own(function)
            if isinstance(node, (*_BRANCHES, *_LOOPS, *_COMPREHENSIONS))
            and any(node.lineno <= line <= (node.end_lineno or 0) for line in lines)
        ]
        inner = [
            node
            for node in around
            if not isinstance(node, ast.If) or any(line > (node.test.end_lineno or 0) for line in lines)
        ]
        found = min(inner or around, key=_extent, default=None)
        if isinstance(found, _BRANCHES):
            return self.span(found.test)
        if isinstance(found, _LOOPS):
            return self.span(found.iter)
        return self.span(found.generators[0].iter) if isinstance(found, _COMPREHENSIONS) else None


def _extent(node: Placed) -> tuple[int, int]:
    lines = (node.end_lineno or node.lineno) - node.lineno
    return (lines, (node.end_col_offset or 0) - node.col_offset if not lines else 0)


class Sources:
    """The user's files, read once, under the names by which they are shown."""

    def __init__(self, cwd: str, reader: Reader = read) -> None:
        self._cwd = cwd
        self._reader = reader
        self._files: dict[str, SourceFile | None] = {}
        self._names: dict[str, str] = {}

    def show_as(self, file: str, name: str) -> None:
        """Use the name under which the linter shows a file."""
        self._names[os.path.realpath(file)] = name

    def shown(self, file: str) -> str:
        """The path to show: the linter's, else relative to the current folder when it lies below."""
        real = os.path.realpath(file)
        if real in self._names:
            return self._names[real]
        return below(real, os.path.realpath(self._cwd)) or file

    def get(self, file: str) -> SourceFile | None:
        """The file, or ``None`` when it cannot be read (it may be gone, or made up)."""
        if file not in self._files:
            self._files[file] = self._read(file)
        return self._files[file]

    def _read(self, file: str) -> SourceFile | None:
        try:
            source = self._reader(file)
        except SourceError:
            return None
        shown = self.shown(file)
        source = SourceText(shown, source.text, source.encoding, source.bom)
        try:
            tree = ast.parse(source.normal)
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            return SourceFile(shown, source, None)
        return SourceFile(shown, source, tree)

    def texts(self) -> dict[str, SourceText]:
        """What has been read, by shown path."""
        return {file.path: file.source for file in self._files.values() if file is not None}
