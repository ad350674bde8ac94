"""Two independent roads to the same answer: chunks lowered one by one, and the file lowered as a whole; the splitter,
and Python's own parser."""

from __future__ import annotations

import ast
import warnings
from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from typing import Any

from onnx_lint.source import ir
from onnx_lint.source.lower import Lowered, lower
from onnx_lint.source.positions import Place, spans
from onnx_lint.source.split import Chunk, split

Dump = tuple[Any, ...]


def dump(node: object, places: list[Place], line: int = 1) -> Any:
    """IR as nested tuples that can be compared: every node number becomes the node's place in the file."""
    if is_dataclass(node):
        parts: list[Any] = [type(node).__name__]
        for field in fields(node):
            value = getattr(node, field.name)
            if field.name == "at":
                first, column, last, end = places[value]
                parts.append((first + line - 1, column, last + line - 1, end))
            else:
                parts.append(dump(value, places, line))
        return tuple(parts)
    if isinstance(node, tuple):
        return tuple([dump(part, places, line) for part in node])
    return (type(node).__name__, repr(node))


def _dumped(lowered: Lowered, *, member: bool, line: int = 1) -> list[Dump]:
    if lowered.fault is not None:
        return [("fault", line + lowered.fault.line - 1, lowered.fault.message)]
    assert lowered.tree is not None
    places = spans(lowered.tree, member=member)
    return [dump(statement, places, line) for statement in lowered.body]


def by_chunks(normal: str) -> list[Dump]:
    """The IR of a file, by its chunks, with the members of a class put back into it."""
    out: list[Dump] = []
    for chunk in split(normal):
        text = chunk.header + " pass" if chunk.members else chunk.text
        statements = _dumped(lower(text), member=False, line=chunk.line)
        if chunk.members and statements[0][0] == "ClassDef":
            members: list[Dump] = []
            for member in chunk.members:
                members += _dumped(lower(member.text, member=True), member=True, line=member.line)
            header = statements[0]
            statements = [(*header[:-1], tuple(members))]
        out += statements
    return out


def as_whole(normal: str) -> list[Dump]:
    """The IR of a file, parsed at once."""
    return _dumped(lower(normal), member=False)


def difference(normal: str) -> str | None:
    """Where the two roads part, in words; ``None`` if they do not, or the file as a whole is no valid Python."""
    whole = as_whole(normal)
    if whole and whole[0][0] == "fault":
        return None
    chunks = by_chunks(normal)
    for number, (left, right) in enumerate(zip(whole, chunks, strict=False)):
        if left != right:
            return f"statement {number}: whole {_first_difference(left, right)}"
    if len(whole) != len(chunks):
        return f"{len(whole)} statements as a whole, {len(chunks)} by chunks"
    return None


def _first_difference(left: Any, right: Any) -> str:
    if isinstance(left, tuple) and isinstance(right, tuple):
        for a, b in zip(left, right, strict=False):
            if a != b:
                return _first_difference(a, b)
    return f"{str(left)[:200]}, chunks {str(right)[:200]}"


# ------------------------------------------------------------------------------------------------------- splitter
Piece = tuple[str, str, int, str]
"""Kind, name, first line, text; a class is followed by its members."""


def split_by_ast(normal: str) -> list[Piece] | None:
    """What the splitter should give, by Python's own parser; ``None`` if that does not take the file."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = ast.parse(normal)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None
    lines = normal.split("\n")
    out: list[Piece] = []
    for statement in _one_a_line(tree.body):
        out.append(_piece(statement, lines))
        node = statement[0]
        if isinstance(node, ast.ClassDef) and node.body[0].lineno > _header_line(node):
            out += [_piece(member, lines) for member in _one_a_line(node.body)]
    return out


def _one_a_line(body: list[ast.stmt]) -> list[list[ast.stmt]]:
    """Statements separated by semicolons are one piece."""
    groups: list[list[ast.stmt]] = []
    for statement in body:
        if groups and statement.lineno == groups[-1][-1].end_lineno:
            groups[-1].append(statement)
        else:
            groups.append([statement])
    return groups


def _header_line(node: ast.ClassDef) -> int:
    ends = [node.lineno, *((child.end_lineno or 0) for child in (*node.bases, *(k.value for k in node.keywords)))]
    return max(ends)


def _piece(group: list[ast.stmt], lines: list[str]) -> Piece:
    node = group[0]
    first = min([node.lineno, *(d.lineno for d in getattr(node, "decorator_list", []))])
    last, column = group[-1].end_lineno or first, group[-1].end_col_offset or 0
    # ast counts columns in bytes
    end = lines[last - 1].encode("utf-8", "surrogatepass")[:column].decode("utf-8", "surrogatepass")
    text = "\n".join([*lines[first - 1 : last - 1], end]) if last > first else end
    kind, name = "statement", ""
    if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
        kind, name = "def", node.name
    elif isinstance(node, ast.ClassDef):
        kind, name = "class", node.name
    return kind, name, first, text.rstrip("; \t")


def pieces(chunks: list[Chunk] | tuple[Chunk, ...]) -> Iterator[Piece]:
    for chunk in chunks:
        yield chunk.kind, chunk.name, chunk.line, chunk.text.rstrip("; \t")
        yield from pieces(chunk.members)


def split_difference(normal: str) -> str | None:
    """Where splitter and parser disagree; ``None`` if they do not, or the file is no valid Python."""
    expected = split_by_ast(normal)
    if expected is None:
        return None
    got = list(pieces(split(normal)))
    for left, right in zip(expected, got, strict=False):
        if left != right:
            return f"parser {str(left)[:300]}, splitter {str(right)[:300]}"
    if len(expected) != len(got):
        return f"parser {len(expected)} pieces, splitter {len(got)}"
    return None


def nodes(body: ir.Block) -> Iterator[object]:
    """All nodes of a block, parents first."""
    stack: list[object] = [body]
    while stack:
        node = stack.pop()
        if isinstance(node, tuple):
            stack.extend(reversed(node))
        elif is_dataclass(node):
            yield node
            stack.extend(reversed([getattr(node, f.name) for f in fields(node)]))
