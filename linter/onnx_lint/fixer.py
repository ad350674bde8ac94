"""Apply fixes: splices of the original text, written atomically.

A file is changed only if it still holds the bytes that were analysed, and only if the changed text still parses where
it did. Mode, owner, extended attributes, symbolic link, encoding, byte order
mark and newlines stay. A file with several hard links is
refused: replacing it would part it from its other names.
"""

from __future__ import annotations

import difflib
import os
import shutil
import stat
from bisect import bisect_right
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass

from onnx_lint.atomic import temporary_beside
from onnx_lint.diagnostic import Applicability, Diagnostic, Edit, Fix
from onnx_lint.source.text import SourceError, SourceText

TEMPORARY = ".onnx-lint-fix-"
"""Prefix of the temporary files, which a killed run can leave and the next one removes."""

Splice = tuple[int, int, str]
"""Start and end offset of what goes, and what comes instead."""


class FixError(Exception):
    """A file that is not changed; the message is one line that says why."""


@dataclass(frozen=True)
class Fixed:
    """The text of a file after fixes, how many were applied, and (where one run made it) which, and one line for each
    that was refused."""

    source: SourceText
    text: str
    count: int
    applied: tuple[Fix, ...] = ()
    refused: tuple[str, ...] = ()


def apply(
    source: SourceText,
    diagnostics: Iterable[Diagnostic],
    *,
    unsafe: bool,
    parses: Callable[[str, str], bool] | None = None,
) -> Fixed:
    """Splice the fixes of one file into its text; of fixes that overlap, the first in the file is taken.

    `parses` says whether a text has no more syntax errors than the one before (default: `still_parses`). A fix after
    which it would have more is refused; the others are applied. Raises `FixError` when the text at an edit is not the
    one that it replaces: the places of such a file are not to be trusted.
    """
    chosen: list[_Choice] = []
    taken = _Splices()
    for diagnostic in sorted(diagnostics, key=lambda d: d.sort_key):
        fix = diagnostic.fix
        if fix is None or fix.applicability is Applicability.DISPLAY:
            continue
        if fix.applicability is Applicability.UNSAFE and not unsafe:
            continue
        splices = [_splice(source, edit) for edit in fix.edits]
        if all(old == new for old, new in ((source.text[s:e], t) for s, e, t in splices)):
            continue
        if taken.take(splices):
            chosen.append(_Choice(diagnostic.span.line, fix, splices))
    sound = _sound(source.text, chosen, parses or still_parses)
    kept = {id(choice) for choice in sound}
    refused = tuple(
        f"{source.path}:{choice.line}: not fixed: the result would not parse; please report this"
        for choice in chosen
        if id(choice) not in kept
    )
    return Fixed(source, _spliced(source.text, sound), len(sound), tuple(c.fix for c in sound), refused)


@dataclass(frozen=True)
class _Choice:
    """A fix that is to be applied; `line` is that of its diagnostic."""

    line: int
    fix: Fix
    splices: list[Splice]


def _spliced(text: str, choices: Iterable[_Choice]) -> str:
    splices = _Splices()
    for choice in choices:
        splices.take(choice.splices)
    return splices.splice(text)


def _sound(text: str, choices: list[_Choice], parses: Callable[[str, str], bool]) -> list[_Choice]:
    """The choices after which the text still parses: all of them, mostly; else each half is looked at by itself."""
    if not choices or parses(text, _spliced(text, choices)):
        return choices
    if len(choices) == 1:
        return []
    middle = len(choices) // 2
    first, second = _sound(text, choices[:middle], parses), _sound(text, choices[middle:], parses)
    both = [*first, *second]
    return both if parses(text, _spliced(text, both)) else first


class _Splices:
    """Splices in order that do not overlap."""

    def __init__(self) -> None:
        self._splices: list[Splice] = []

    def take(self, splices: list[Splice]) -> bool:
        """Add the splices of one fix, all or none. An insertion that is there already is shared."""
        fresh = [s for s in splices if not (s[0] == s[1] and self._has(s))]
        for number, splice in enumerate(fresh):
            if self._overlaps(splice) or any(_overlap(splice, other) for other in fresh[:number]):
                return False
        for splice in fresh:
            self._splices.insert(bisect_right(self._splices, splice), splice)
        return True

    def _has(self, splice: Splice) -> bool:
        at = bisect_right(self._splices, splice)
        return at > 0 and self._splices[at - 1] == splice

    def _overlaps(self, splice: Splice) -> bool:
        at = bisect_right(self._splices, splice)
        return any(_overlap(splice, other) for other in self._splices[max(at - 1, 0) : at + 1])

    def splice(self, text: str) -> str:
        pieces: list[str] = []
        position = 0
        for start, end, new in self._splices:
            pieces += (text[position:start], new)
            position = end
        return "".join((*pieces, text[position:]))


def _overlap(first: Splice, second: Splice) -> bool:
    return (first[0] < second[1] and second[0] < first[1]) or first[0] == second[0]


def _splice(source: SourceText, edit: Edit) -> Splice:
    span = edit.span
    start = source.offset(span.line, span.column) if 0 < span.line <= len(source.starts) else len(source.text) + 1
    end = start + len(edit.replaces)
    if source.text[start:end] != edit.replaces or source.position(end) != (span.end_line, span.end_column):
        raise FixError(f"{source.path}:{span.line}: not fixed: another text stands at the place of the fix")
    return start, end, _newlines(source, edit.text)


def _newlines(source: SourceText, text: str) -> str:
    """The text of an edit with the newlines of the file: those of its first line."""
    if "\n" not in text:
        return text
    end = source.starts[1] if len(source.starts) > 1 else 0
    first = source.text[max(end - 2, 0) : end]
    return text.replace("\n", "\r\n" if first == "\r\n" else "\r" if first.endswith("\r") else "\n")


# ------------------------------------------------------------------------------------------------------ validation
def still_parses(before: str, after: str) -> bool:
    """Whether a changed text has no statement that does not parse and was not there before."""
    from onnx_lint.deep_stack import with_deep_stack

    old, new = Counter(_statements(before)), Counter(_statements(after))
    # only what changed is parsed, and what was refused or broken before may stay so
    allowed = with_deep_stack(lambda: sum(n * _is_broken(*s) for s, n in (old - new).items()))
    return with_deep_stack(lambda: sum(n * _is_broken(*s) for s, n in (new - old).items())) <= allowed


def _statements(text: str) -> Iterator[tuple[str, bool]]:
    """The smallest chunks of a file, and whether each is a member of a class."""
    from onnx_lint.source.split import split

    for chunk in split(SourceText.from_text("fixed", text).normal):
        if chunk.members:
            yield chunk.header + " pass", False
            yield from ((member.text, True) for member in chunk.members)
        else:
            yield chunk.text, False


def _is_broken(text: str, member: bool) -> bool:
    from onnx_lint.source.guards import too_complex
    from onnx_lint.source.lower import lower

    return too_complex(text) is not None or lower(text, member=member).fault is not None


# ------------------------------------------------------------------------------------------------------------ diff
def diff(fixed: Fixed) -> bytes:
    """The change as a unified diff that ``patch`` takes, in the encoding of the file."""
    encoding = fixed.source.encoding
    mark = fixed.source.bom.decode("utf-8")
    before, after = _lines(mark + fixed.source.text), _lines(mark + fixed.text)
    out: list[bytes] = []
    for line in difflib.unified_diff(before, after):
        if line.startswith(("--- ", "+++ ")) and len(out) < 2:
            side = b"b/" if out else b"a/"
            out.append(line[:4].encode() + _name(side, _from_here(fixed.source.path)) + b"\n")
        else:
            ended = line if line.endswith("\n") else line + "\n\\ No newline at end of file\n"
            out.append(ended.encode(encoding, "backslashreplace"))
    return b"".join(out)


def _lines(text: str) -> list[str]:
    """Lines as ``patch`` sees them: only a line feed ends one."""
    parts = text.split("\n")
    return [p + "\n" for p in parts[:-1]] + ([parts[-1]] if parts[-1] else [])


def _from_here(path: str) -> str:
    """A path that ``git apply`` takes in the current folder: one that was given in full is counted from here."""
    if not os.path.isabs(path):
        return path
    here = os.path.join(os.path.realpath("."), "")
    real = os.path.join(os.path.realpath(os.path.dirname(path)), os.path.basename(path))
    return real.removeprefix(here) if real.startswith(here) else path.lstrip("/")


def _name(side: bytes, path: str) -> bytes:
    """A name as git writes it: in quotes when it holds characters that would end it, and with a tab behind blanks."""
    data = side + os.fsencode(path.replace(os.sep, "/"))
    if any(b < 32 or b == 127 or b in b'"\\' for b in data):
        return b'"' + b"".join(b"%c" % b if 32 <= b < 127 and b not in b'"\\' else b"\\%03o" % b for b in data) + b'"'
    return data + b"\t" if b" " in data else data


# ---------------------------------------------------------------------------------------------------------- writing
def write(fixed: Fixed, original: bytes) -> None:
    """Replace the file by the fixed text. `original` is what was read. Raises `FixError`, and then has changed
    nothing."""
    path = fixed.source.path
    target = os.path.realpath(path)
    try:
        status = os.stat(target)
        if not stat.S_ISREG(status.st_mode):
            raise FixError(f"{path}: not fixed: it is not a regular file")
        if status.st_nlink > 1:
            raise FixError(
                f"{path}: not fixed: it has {status.st_nlink} hard links, which a fix would separate; fix it by hand"
            )
        if not os.access(target, os.W_OK):
            raise FixError(f"{path}: not fixed: it is read-only")
        try:
            data = fixed.source.encode(fixed.text)
        except UnicodeError as error:
            raise FixError(f"{path}: not fixed: the result cannot be written as {fixed.source.encoding}") from error
        _replace(path, target, status, data, original)
    except OSError as error:
        raise FixError(f"{path}: not fixed: {error.strerror}") from error


def _replace(path: str, target: str, status: os.stat_result, data: bytes, original: bytes) -> None:
    folder, name = os.path.split(target)
    descriptor, temporary = temporary_beside(folder, name, TEMPORARY)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        with suppress(PermissionError, AttributeError):  # only root can give a file away; Windows has no owner
            os.chown(temporary, status.st_uid, status.st_gid)
        shutil.copystat(target, temporary)  # mode, flags, extended attributes
        os.utime(temporary)
        _demand_unchanged(path, target, status, original)
        os.replace(temporary, target)
    except BaseException:
        with suppress(FileNotFoundError):
            os.unlink(temporary)
        raise
    if os.name == "posix":
        directory = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(directory)
        finally:
            os.close(directory)


def _demand_unchanged(path: str, target: str, status: os.stat_result, original: bytes) -> None:
    with open(target, "rb") as file:
        now = os.fstat(file.fileno())
        data = file.read()
    if (now.st_dev, now.st_ino) == (status.st_dev, status.st_ino) and data == original:
        return
    try:
        source = SourceText.decode(path, data)
        if source.encode(source.text) != data:
            raise FixError(f"{path}: not fixed: {source.encoding} cannot be written back exactly; save it as UTF-8")
    except (SourceError, UnicodeError):
        pass  # it can no longer be read: the message below says that it changed
    raise FixError(f"{path}: not fixed: it was changed meanwhile; run again")
