"""The change that a repair proposes, a unified diff, as an edit of the documents."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

_HUNK = re.compile(r"@@ -(\d+)(?:,(\d+))? \+\d+(?:,\d+)? @@")


class Outdated(Exception):
    """A text is another one than the patch was made from."""


@dataclass(frozen=True)
class LineEdit:
    """The lines from `first` to before `last` (from 0) become `text`."""

    first: int
    last: int
    text: str


def edits(patch: str, folder: str, text_of: Callable[[str], str | None]) -> dict[str, list[LineEdit]]:
    """The edits by the path of the file; names in the patch are counted from `folder`. Raises `Outdated` where a line
    that the patch names is not there."""
    out: dict[str, list[LineEdit]] = {}
    path, lines = "", list[str]()
    rest = iter(patch.split("\n"))
    for line in rest:
        hunk = _HUNK.match(line)
        if line.startswith("+++ "):
            path = _path(line[4:].rstrip("\t"), folder)
            lines = (text_of(path) or "").split("\n")
            out[path] = []
        elif hunk is not None:
            count = 1 if hunk[2] is None else int(hunk[2])
            first = int(hunk[1]) - (count > 0)
            before, after = _sides(rest, count, _added(line))
            if lines[first : first + count] != before or first + count >= len(lines):
                raise Outdated(path)  # also where the file ends without a new line: no whole lines can be put there
            out[path].append(_trimmed(first, before, after))
    return out


def _path(name: str, folder: str) -> str:
    """The file that a patch names: ``b/pkg/model.py``, below `folder` or from the root."""
    relative = name.removeprefix("b/")
    path = os.path.join(folder, relative)
    return path if os.path.exists(path) else os.path.join(os.sep, relative)


def _added(head: str) -> int:
    found = re.search(r"\+\d+(?:,(\d+))? @@", head)
    return int(found[1]) if found is not None and found[1] is not None else 1


def _sides(rest: Iterator[str], count: int, added: int) -> tuple[list[str], list[str]]:
    """The lines of a hunk before and after, of which there are so many."""
    before: list[str] = []
    after: list[str] = []
    while len(before) < count or len(after) < added:
        line = next(rest, None)
        if line is None:
            raise Outdated("the patch ends within a hunk")
        if line[:1] in (" ", "-"):
            before.append(line[1:])
        if line[:1] in (" ", "+"):
            after.append(line[1:])
    return before, after


def _trimmed(first: int, before: list[str], after: list[str]) -> LineEdit:
    """Without the lines around that stay."""
    head = 0
    while head < min(len(before), len(after)) and before[head] == after[head]:
        head += 1
    tail = 0
    while tail < min(len(before), len(after)) - head and before[-1 - tail] == after[-1 - tail]:
        tail += 1
    new = after[head : len(after) - tail]
    return LineEdit(first + head, first + len(before) - tail, "".join(f"{line}\n" for line in new))
