"""Edits that suppress a diagnostic: comments, for its line or for the file. The quick fix of the editor and
``--add-ignore`` make the same."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace

from onnx_lint.diagnostic import Diagnostic, Edit, Span
from onnx_lint.source.text import SourceText
from onnx_lint.suppress import suppressions

_HEADER = re.compile(r"#!|#.*?coding[:=]")


def with_suppressions(
    source: SourceText, diagnostics: Iterable[Diagnostic], reason: str = ""
) -> tuple[str, int, list[Diagnostic]]:
    """The text of a file with a comment for each of its diagnostics; how many got one, and those that could not."""
    text, left = source, []
    # from the end: a comment on a line of its own moves what stands below it
    order = sorted(diagnostics, key=lambda d: (d.span.end_line, d.span.line, d.code), reverse=True)
    count = 0
    inserted: list[int] = []
    for each in order:
        diagnostic = _moved(each, inserted)
        if _is_suppressed(text, diagnostic):  # by the comment for another one on its line
            count += 1
            continue
        edit = for_line(text, diagnostic, reason)
        if edit is None:
            left.append(each)
            continue
        if edit.text.endswith("\n"):
            inserted.append(each.span.line)
        start, end = (
            text.offset(edit.span.line, edit.span.column), text.offset(edit.span.end_line, edit.span.end_column)
        )  # fmt: skip
        new_line = "\r\n" if "\r\n" in text.text else "\n"
        text = SourceText(
            source.path, text.text[:start] + edit.text.replace("\n", new_line) + text.text[end:], source.encoding,
            source.bom,
        )  # fmt: skip
        count += 1
    return text.text, count, left[::-1]


def _moved(diagnostic: Diagnostic, inserted: list[int]) -> Diagnostic:
    """The diagnostic where it stands after lines were inserted above these lines."""
    span = diagnostic.span
    first = span.line + sum(at <= span.line for at in inserted)
    last = span.end_line + sum(at <= span.end_line for at in inserted)
    return replace(diagnostic, span=replace(span, line=first, end_line=last))


def _is_suppressed(source: SourceText, diagnostic: Diagnostic) -> bool:
    lines = {diagnostic.span.line, diagnostic.span.end_line}
    return any(
        s.first <= line <= s.last and (s.selectors is None or diagnostic.code in s.selectors)
        for s in suppressions(source).found
        for line in lines
    )


def for_line(source: SourceText, diagnostic: Diagnostic, reason: str = "") -> Edit | None:
    """An edit after which a comment suppresses the diagnostic: behind its last or first line, else on a line of its
    own above; ``None`` where no comment can stand."""
    words = f" {reason}" if reason else ""
    span, code = diagnostic.span, diagnostic.code
    for line in dict.fromkeys((span.end_line if span.end_column > 1 else span.line, span.line)):
        edit = _extended(source, line, code) or _behind(source, line, code, words)
        if _takes(source, edit, diagnostic):
            return edit
    if span.line > 1 and source.line(span.line - 1).rstrip().endswith("\\"):
        return None
    text = source.line(span.line)
    indent = text[: len(text) - len(text.lstrip())]
    above = Edit(_at(source.path, span.line, 1), f"{indent}# onnx-lint: ignore[{code}]{words}\n")
    return above if _takes(source, above, diagnostic, moved=1) else None


def for_file(source: SourceText, diagnostic: Diagnostic) -> Edit:
    """An edit that puts a comment for the whole file at its top, below ``#!`` and the declaration of an encoding."""
    line = 1
    while line <= 2 and line < len(source.starts) and _HEADER.match(source.line(line)):
        line += 1
    return Edit(_at(source.path, line, 1), f"# onnx-lint: ignore-file[{diagnostic.code}]\n")


def _at(path: str, line: int, column: int) -> Span:
    return Span(path, line, column, line, column)


def _behind(source: SourceText, line: int, code: str, words: str) -> Edit:
    text = source.line(line)
    end = len(text.rstrip())
    comment = f"  # onnx-lint: ignore[{code}]{words}"
    return Edit(Span(source.path, line, end + 1, line, len(text) + 1), comment, text[end:])


def _extended(source: SourceText, line: int, code: str) -> Edit | None:
    """Add the code to the brackets of a suppression for the line."""
    for suppression in suppressions(source).found:
        if suppression.first == line == suppression.last and suppression.brackets:
            at = suppression.span.line
            start, end = suppression.brackets
            inside = source.line(at)[start - 1 : end - 1]
            joined = f"{inside.rstrip()}, {code}" if inside.strip() else code
            return Edit(Span(source.path, at, start, at, end), joined, inside)
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
