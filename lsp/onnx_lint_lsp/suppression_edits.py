"""Edits that suppress a diagnostic: comments, for its line or for the file."""

from __future__ import annotations

import re

from onnx_lint.diagnostic import Diagnostic, Edit, Span
from onnx_lint.source.text import SourceText
from onnx_lint.suppress import suppressions

_HEADER = re.compile(r"#!|#.*?coding[:=]")


def for_line(source: SourceText, diagnostic: Diagnostic) -> Edit | None:
    """An edit after which a comment suppresses the diagnostic: behind its last or first line, else on a line of its
    own above; ``None`` where no comment can stand."""
    span, code = diagnostic.span, diagnostic.code
    for line in dict.fromkeys((span.end_line if span.end_column > 1 else span.line, span.line)):
        edit = _extended(source, line, code) or _behind(source, line, code)
        if _takes(source, edit, diagnostic):
            return edit
    if span.line > 1 and source.line(span.line - 1).rstrip().endswith("\\"):
        return None
    text = source.line(span.line)
    indent = text[: len(text) - len(text.lstrip())]
    above = Edit(_at(source.path, span.line, 1), f"{indent}# onnx-lint: ignore[{code}]\n")
    return above if _takes(source, above, diagnostic, moved=1) else None


def for_file(source: SourceText, diagnostic: Diagnostic) -> Edit:
    """An edit that puts a comment for the whole file at its top, below ``#!`` and the declaration of an encoding."""
    line = 1
    while line <= 2 and line < len(source.starts) and _HEADER.match(source.line(line)):
        line += 1
    return Edit(_at(source.path, line, 1), f"# onnx-lint: ignore-file[{diagnostic.code}]\n")


def _at(path: str, line: int, column: int) -> Span:
    return Span(path, line, column, line, column)


def _behind(source: SourceText, line: int, code: str) -> Edit:
    text = source.line(line)
    end = len(text.rstrip())
    return Edit(Span(source.path, line, end + 1, line, len(text) + 1), f"  # onnx-lint: ignore[{code}]", text[end:])


def _extended(source: SourceText, line: int, code: str) -> Edit | None:
    """Add the code to the brackets of a suppression that stands on the line already."""
    for suppression in suppressions(source).found:
        if suppression.span.line == line and suppression.first == line == suppression.last and suppression.brackets:
            start, end = suppression.brackets
            inside = source.line(line)[start - 1 : end - 1].rstrip()
            joined = f"{inside}, {code}" if inside.strip() else code
            return Edit(Span(source.path, line, start, line, end), joined, source.line(line)[start - 1 : end - 1])
    return None


def _takes(source: SourceText, edit: Edit, diagnostic: Diagnostic, moved: int = 0) -> bool:
    """Whether the edit adds a suppression that covers the diagnostic: text inside a string, or behind a backslash, is
    not a comment."""
    before, span = source.text, edit.span
    start, end = source.offset(span.line, span.column), source.offset(span.end_line, span.end_column)
    changed = SourceText.from_text(source.path, before[:start] + edit.text + before[end:])
    lines = {diagnostic.span.line + moved, diagnostic.span.end_line + moved}
    if source.line(span.line).rstrip().endswith("\\") and not moved:
        return False
    return any(
        s.first <= line <= s.last and s.selectors is not None and diagnostic.code in s.selectors
        for s in suppressions(changed).found
        for line in lines
    )
