"""Glob patterns for paths, matched in time linear in the pattern times the path: patterns come from the files of
strangers, and a translation to regular expressions would backtrack."""

from __future__ import annotations

import os
from functools import lru_cache

MAX_PATTERN = 500
"""Longer patterns match nothing."""


def matches(pattern: str, path: str, root: str = "") -> bool:
    """Whether a path matches: ``*`` and ``?`` within a segment, ``[abc]`` and ``[!abc]``, ``**`` over segments.
    A pattern without a slash is tried on every segment of the path; others on the path below `root`."""
    if len(pattern) > MAX_PATTERN:
        return False
    relative = os.path.relpath(path, root) if root and os.path.isabs(root) else path
    segments = [s for s in relative.replace(os.sep, "/").split("/") if s not in ("", ".")]
    parts = [p for p in pattern.replace(os.sep, "/").split("/") if p not in ("", ".")]
    if len(parts) == 1 and parts[0] != "**":
        return any(_segment(parts[0], segment) for segment in segments)
    return any(_path(tuple(parts), segments[:end]) for end in range(1, len(segments) + 1))


def _path(parts: tuple[str, ...], segments: list[str]) -> bool:
    """Match whole segments; `reachable` are the positions that some prefix of the pattern reaches."""
    reachable = {0}
    for part in parts:
        if part == "**":
            reachable = set(range(min(reachable), len(segments) + 1)) if reachable else set()
        else:
            reachable = {i + 1 for i in reachable if i < len(segments) and _segment(part, segments[i])}
        if not reachable:
            return False
    return len(segments) in reachable


@lru_cache(maxsize=4096)
def _segment(pattern: str, text: str) -> bool:
    """Match one segment, with the one star that matters to come back to."""
    p = t = 0
    star, mark = -1, 0
    while t < len(text):
        step = _one(pattern, p, text[t]) if p < len(pattern) and pattern[p] != "*" else 0
        if step:
            p, t = p + step, t + 1
        elif p < len(pattern) and pattern[p] == "*":
            star, mark, p = p, t, p + 1
        elif star >= 0:
            mark += 1
            p, t = star + 1, mark
        else:
            return False
    return all(c == "*" for c in pattern[p:])


def _one(pattern: str, at: int, char: str) -> int:
    """How many characters of the pattern match this character; 0 if it does not."""
    if pattern[at] == "?":
        return 1
    if pattern[at] == "[":
        end = pattern.find("]", at + 2)
        if end > 0:
            inner = pattern[at + 1 : end]
            negated = inner[0] in "!^"
            hit = char in _expand(inner[negated:])
            return end - at + 1 if hit != negated else 0
    return 1 if pattern[at] == char else 0


def _expand(inner: str) -> set[str]:
    """The characters of ``a-z_``."""
    out: set[str] = set()
    i = 0
    while i < len(inner):
        if i + 2 < len(inner) and inner[i + 1] == "-" and ord(inner[i]) <= ord(inner[i + 2]) < 128:
            out.update(chr(c) for c in range(ord(inner[i]), ord(inner[i + 2]) + 1))
            i += 3
        else:
            out.add(inner[i])
            i += 1
    return out
