"""Apply fixes: splices of the original text, written atomically.

A file is changed only if it still holds the bytes that were analysed, and only if the changed text still parses where
it did. Mode, owner, symbolic link, encoding, byte order mark and newlines stay. A file with several hard links is
refused: replacing it would part it from its other names.
"""

from __future__ import annotations

import difflib
import os
import stat
import tempfile
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass

from onnx_lint.diagnostic import Applicability, Diagnostic, Edit
from onnx_lint.source.lower import lower
from onnx_lint.source.split import split
from onnx_lint.source.text import SourceText

TEMPORARY = ".onnx-lint-fix-"
"""Prefix of the temporary files, which a killed run can leave and the next one removes."""


class FixError(Exception):
    """A file that is not changed; the message is one line that says why."""


@dataclass(frozen=True)
class Fixed:
    """The text of a file after fixes, and how many were applied."""

    source: SourceText
    text: str
    count: int


def apply(source: SourceText, diagnostics: Iterable[Diagnostic], *, unsafe: bool) -> Fixed:
    """Splice the fixes of one file into its text; of fixes that overlap, the first in the file is taken.

    Raises `FixError` when the result would not parse where the original did.
    """
    chosen: list[tuple[int, int, str]] = []
    count = 0
    for diagnostic in sorted(diagnostics, key=lambda d: d.sort_key):
        fix = diagnostic.fix
        if fix is None or fix.applicability is Applicability.DISPLAY:
            continue
        if fix.applicability is Applicability.UNSAFE and not unsafe:
            continue
        splices = [_splice(source, edit) for edit in fix.edits]
        if any(s in chosen for s in splices) or any(_overlaps(s, other) for s in splices for other in chosen):
            continue
        chosen.extend(splices)
        count += 1
    text = source.text
    for start, end, new in sorted(chosen, reverse=True):
        text = text[:start] + new + text[end:]
    if count and _faults(text) > _faults(source.text):
        raise FixError(f"{source.path}: not fixed: the result would not parse; please report this")
    return Fixed(source, text, count)


def _splice(source: SourceText, edit: Edit) -> tuple[int, int, str]:
    span = edit.span
    start = source.offset(span.line, span.column)
    return start, max(source.offset(span.end_line, span.end_column), start), _newlines(source, edit.text)


def _newlines(source: SourceText, text: str) -> str:
    if "\n" not in text or "\n" in source.text.replace("\r\n", ""):
        return text
    return text.replace("\n", "\r\n" if "\r\n" in source.text else "\r" if "\r" in source.text else "\n")


def _overlaps(first: tuple[int, int, str], second: tuple[int, int, str]) -> bool:
    return first[0] < second[1] and second[0] < first[1] or first[0] == second[0]


def _faults(text: str) -> int:
    normal = SourceText.from_text("fixed", text).normal
    return sum(lower(chunk.text).fault is not None for chunk in split(normal))


def diff(fixed: Fixed) -> str:
    """The change as a unified diff."""
    path = fixed.source.path
    before, after = fixed.source.text.splitlines(keepends=True), fixed.text.splitlines(keepends=True)
    out: list[str] = []
    for line in difflib.unified_diff(before, after, f"a/{path}", f"b/{path}"):
        out.append(line if line.endswith("\n") else line + "\n\\ No newline at end of file\n")
    return "".join(out)


def write(fixed: Fixed, original: bytes) -> None:
    """Replace the file by the fixed text. Raises `FixError`, and then has changed nothing."""
    path = fixed.source.path
    target = os.path.realpath(path)
    try:
        status = os.stat(target)
        if not stat.S_ISREG(status.st_mode):
            raise FixError(f"{path}: not fixed: it is no regular file")
        if status.st_nlink > 1:
            raise FixError(f"{path}: not fixed: it has {status.st_nlink} hard links; fix it by hand")
        if not os.access(target, os.W_OK):
            raise FixError(f"{path}: not fixed: it is read-only")
        folder = os.path.dirname(target)
        _sweep(folder, os.path.basename(target))
        try:
            data = fixed.source.encode(fixed.text)
        except UnicodeEncodeError as error:
            raise FixError(f"{path}: not fixed: the result cannot be written as {fixed.source.encoding}") from error
        descriptor, temporary = tempfile.mkstemp(prefix=f"{TEMPORARY}{os.path.basename(target)[:100]}-", dir=folder)
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            os.chmod(temporary, stat.S_IMODE(status.st_mode))
            with suppress(PermissionError, AttributeError):  # only root can give a file away; Windows has no owner
                os.chown(temporary, status.st_uid, status.st_gid)
            with open(target, "rb") as file:
                now = os.fstat(file.fileno())
                if now.st_ino != status.st_ino or file.read() != original:
                    raise FixError(f"{path}: not fixed: it was changed meanwhile; run again")
            os.replace(temporary, target)
        except BaseException:
            with suppress(FileNotFoundError):
                os.unlink(temporary)
            raise
    except OSError as error:
        raise FixError(f"{path}: not fixed: {error.strerror}") from error


def _sweep(folder: str, name: str) -> None:
    """Remove what a killed run left behind for the same file."""
    prefix = f"{TEMPORARY}{name[:100]}-"
    with os.scandir(folder) as entries:
        stale = [e.path for e in entries if e.name.startswith(prefix)]
    for path in stale:
        with suppress(OSError):
            os.unlink(path)
