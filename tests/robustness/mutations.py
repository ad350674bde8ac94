"""Real files damaged at random, and what must hold for what is said of them."""

from __future__ import annotations

import random
import re
from contextlib import suppress

from onnx_lint.checker import check
from onnx_lint.codes import INTERNAL_ERROR
from onnx_lint.diagnostic import Diagnostic, Span
from onnx_lint.fixer import FixError, apply
from onnx_lint.project.project import Project
from onnx_lint.settings import Settings
from onnx_lint.source.text import SourceError, SourceText

_INSERTED = [
    b"(",
    b")",
    b"[",
    b"]",
    b"{",
    b"}",
    b'"',
    b"'",
    b'"""',
    b"'''",
    b"\\",
    b"\\\n",
    b":",
    b";",
    b",",
    b"#",
    b"@",
    b"=",
    b"\n",
    b"\r",
    b"\r\n",
    b"\f",
    b"\t",
    b"\0",
    b"\xef\xbb\xbf",
    b"\xa0",
    b"\xff",
    "\u2028".encode(),
    "\U0001f600".encode(),
    b" if ",
    b" else ",
    b" lambda: ",
    b" for x in x ",
    b"def f(",
    b"class A(",
    b"async ",
    b"await ",
    b"yield ",
    b"*",
    b"**",
    b" and ",
    b"not ",
    b"f'{",
    b"}'",
    b"...",
    b"->",
    b":=",
    b"None",
    b"self",
    b"x.shape[0]",
    b".item()",
    b"1e999",
    b"0" * 200,
    b"del ",
    b"global x\n",
    b"match x:\n",
    b"return",
    b"super().",
    b"# onnx-lint: ignore[ONX101]\n",
    b"(" * 120,
    b"-" * 400,
]
_WORD = re.compile(rb"[A-Za-z_]\w*")


def mutated(data: bytes, source: random.Random) -> bytes:
    """`data` with one to four random damages."""
    for _ in range(source.choice((1, 1, 1, 2, 4))):
        data = source.choice(_DAMAGES)(data, source)
    return data


def _delete(data: bytes, source: random.Random) -> bytes:
    at = source.randrange(len(data) + 1)
    return data[:at] + data[at + source.choice((1, 1, 2, 10, 200)) :]


def _insert(data: bytes, source: random.Random) -> bytes:
    at = source.randrange(len(data) + 1)
    return data[:at] + source.choice(_INSERTED) + data[at:]


def _truncate(data: bytes, source: random.Random) -> bytes:
    return data[: source.randrange(len(data) + 1)]


def _flip(data: bytes, source: random.Random) -> bytes:
    if not data:
        return data
    at = source.randrange(len(data))
    return data[:at] + bytes([data[at] ^ (1 << source.randrange(8))]) + data[at + 1 :]


def _swap_lines(data: bytes, source: random.Random) -> bytes:
    lines = data.split(b"\n")
    i, j = source.randrange(len(lines)), source.randrange(len(lines))
    lines[i], lines[j] = lines[j], lines[i]
    return b"\n".join(lines)


def _indent(data: bytes, source: random.Random) -> bytes:
    lines = data.split(b"\n")
    i = source.randrange(len(lines))
    lines[i] = (
        source.choice((b" ", b"\t", b"        ", b"\f")) + lines[i] if source.random() < 0.5 else lines[i].lstrip()
    )
    return b"\n".join(lines)


def _repeat(data: bytes, source: random.Random) -> bytes:
    """A stretch again, somewhere else."""
    at, to = source.randrange(len(data) + 1), source.randrange(len(data) + 1)
    return data[:to] + data[at : at + source.choice((5, 50, 500))] + data[to:]


def _swap_words(data: bytes, source: random.Random) -> bytes:
    """Still mostly valid Python, of another meaning: one name in place of another."""
    words = list(_WORD.finditer(data))
    if not words:
        return data
    one, other = source.choice(words), source.choice(words)
    return data[: one.start()] + other.group() + data[one.end() :]


def _newlines(data: bytes, source: random.Random) -> bytes:
    return data.replace(b"\r\n", b"\n").replace(b"\n", source.choice((b"\r\n", b"\r", b"\n\f", b"\n")))


_DAMAGES = (
    _delete,
    _insert,
    _insert,
    _truncate,
    _flip,
    _swap_lines,
    _indent,
    _repeat,
    _swap_words,
    _swap_words,
    _swap_words,
    _newlines,
)


def analysed(data: bytes, path: str = "model.py") -> list[Diagnostic] | None:
    """The diagnostics of one file, checked for what must hold of any: no internal error, places inside the text, fixes
    that apply. ``None`` if the file cannot be decoded. Raises `AssertionError`, or whatever the linter lets out."""
    try:
        source = SourceText.decode(path, data)
    except SourceError:
        return None
    project = Project()
    project.add(source)
    diagnostics = check(project, Settings())
    for diagnostic in diagnostics:
        assert diagnostic.code != INTERNAL_ERROR.code, diagnostic.message
        for span in (diagnostic.span, *(n.span for n in (*diagnostic.origin, *diagnostic.path))):
            assert_inside(source, span)
        for edit in diagnostic.fix.edits if diagnostic.fix else ():
            assert_inside(source, edit.span)
    with suppress(FixError):  # refused with a reason: allowed on a damaged file
        apply(source, diagnostics, unsafe=True)
    return diagnostics


def assert_inside(source: SourceText, span: Span) -> None:
    """The span begins and ends on characters of the text, and does not end before it begins."""
    for line, column in ((span.line, span.column), (span.end_line, span.end_column)):
        assert 1 <= line <= len(source.starts), span
        assert 1 <= column <= len(source.line(line)) + 1, span
    assert (span.line, span.column) <= (span.end_line, span.end_column), span
