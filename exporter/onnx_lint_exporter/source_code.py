"""The user's source as the exporter needs it: which statement or expression stands at a place, and where it ends."""

from __future__ import annotations

import ast
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from onnx_lint.diagnostic import Span
from onnx_lint.source.text import SourceError, SourceText, read

Reader = Callable[[str], SourceText]
Loop = (ast.For, ast.AsyncFor, ast.comprehension)


@dataclass
class SourceFile:
    """One file: its text, and its syntax tree when it has one."""

    path: str
    source: SourceText
    tree: ast.Module | None
    parents: dict[ast.AST, ast.AST] = field(default_factory=dict)

    def column(self, line: int, offset: int) -> int:
        """A column, from 1 in characters, of an AST byte offset."""
        lines = self.source.normal.split("\n")
        text = lines[line - 1] if line <= len(lines) else ""
        return self.source.column(line, len(text.encode()[:offset].decode("utf-8", "ignore")) + 1)

    def span(self, node: Any) -> Span:
        return Span(
            self.path,
            node.lineno,
            self.column(node.lineno, node.col_offset),
            node.end_lineno,
            self.column(node.end_lineno, node.end_col_offset),
        )

    def line_span(self, line: int) -> Span:
        """The text of a line without its indentation and its comment's tail."""
        if line < 1 or line > len(self.source.starts):
            return Span(self.path, max(line, 1), 1, max(line, 1), 2)
        text = self.source.line(line)
        start = len(text) - len(text.lstrip()) + 1
        return Span(self.path, line, start, line, max(len(text.rstrip()) + 1, start + 1))

    def text_of(self, node: ast.AST) -> str:
        return ast.get_source_segment(self.source.normal, node) or ""

    def at(self, frame: dict[str, Any]) -> list[ast.AST]:
        """The nodes at a frame's place, innermost first: those that cover its columns, or the statement on its line."""
        if self.tree is None:
            return []
        covering = [node for node in ast.walk(self.tree) if self._covers(node, frame)]
        return sorted(covering, key=self._extent)

    def _covers(self, node: ast.AST, frame: dict[str, Any]) -> bool:
        first, last = getattr(node, "lineno", None), getattr(node, "end_lineno", None)
        if first is None or last is None or not first <= frame["line"] <= last:
            return False
        if frame.get("column") is None:
            return isinstance(node, ast.stmt)
        span = self.span(node)
        start = (frame["line"], frame["column"])
        end = (frame.get("end_line") or frame["line"], frame.get("end_column") or frame["column"] + 1)
        return (span.line, span.column) <= start and end <= (span.end_line, span.end_column)

    @staticmethod
    def _extent(node: ast.AST) -> tuple[int, int]:
        lines = node.end_lineno - node.lineno  # type: ignore[attr-defined]
        return (lines, node.end_col_offset - node.col_offset if not lines else 0)  # type: ignore[attr-defined]

    def on_line(self, line: int) -> Iterator[ast.AST]:
        """Every expression that starts on a line."""
        if self.tree is not None:
            for node in ast.walk(self.tree):
                if isinstance(node, ast.expr) and node.lineno == line:
                    yield node

    def ancestors(self, node: ast.AST) -> Iterator[ast.AST]:
        while node in self.parents:
            node = self.parents[node]
            yield node

    def function_at(self, line: int) -> ast.AST | None:
        """The innermost function around a line."""
        if self.tree is None:
            return None
        found = [
            node
            for node in ast.walk(self.tree)
            if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda))
            and node.lineno <= line <= (node.end_lineno or 0)
        ]
        return min(found, key=self._extent, default=None)

    def returns(self, line: int) -> list[ast.AST]:
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

    def control_around(self, lines: list[int]) -> ast.AST | None:
        """The innermost branch or loop around any of the lines, within their function."""
        function = self.function_at(lines[0]) if lines else None
        if function is None:
            return None
        kinds = (
            ast.For,
            ast.AsyncFor,
            ast.While,
            ast.If,
            ast.IfExp,
            ast.ListComp,
            ast.GeneratorExp,
            ast.DictComp,
            ast.SetComp,
        )
        around = [
            node
            for node in self._own(function)
            if isinstance(node, kinds) and any(node.lineno <= line <= (node.end_lineno or 0) for line in lines)
        ]
        inner = [
            node
            for node in around
            if not isinstance(node, ast.If) or any(line > (node.test.end_lineno or 0) for line in lines)
        ]
        return min(inner or around, key=self._extent, default=None)

    def is_shape(self, node: ast.AST, depth: int = 3) -> bool:
        """Whether an expression speaks of sizes: ``shape``, ``size()``, ``len`` …, also through local names."""
        for part in ast.walk(node):
            if isinstance(part, ast.Attribute) and part.attr in ("shape", "size", "numel", "nelement"):
                return True
            if isinstance(part, ast.Call) and isinstance(part.func, ast.Name) and part.func.id == "len":
                return True
            if isinstance(part, ast.Name) and depth and self._assigned_shape(part, depth):
                return True
        return False

    def _assigned_shape(self, name: ast.Name, depth: int) -> bool:
        function = self.function_at(name.lineno)
        if function is None:
            return False
        return any(
            isinstance(node, ast.Assign)
            and node.lineno < name.lineno
            and any(isinstance(t, ast.Name) and t.id == name.id for target in node.targets for t in ast.walk(target))
            and self.is_shape(node.value, depth - 1)
            for node in self._own(function)
        )


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
        relative = os.path.relpath(real, os.path.realpath(self._cwd))
        return file if relative.startswith("..") else relative

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
        parents = {child: node for node in ast.walk(tree) for child in ast.iter_child_nodes(node)}
        return SourceFile(shown, source, tree, parents)

    def texts(self) -> dict[str, SourceText]:
        """What has been read, by shown path."""
        return {file.path: file.source for file in self._files.values() if file is not None}
