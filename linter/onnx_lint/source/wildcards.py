"""Wildcards matched in time linear in pattern times text. Patterns come from the files of strangers, and a
translation to regular expressions would backtrack."""

from __future__ import annotations

from functools import lru_cache

MAX_PATTERN = 500
"""Longer patterns match nothing."""


def match_path(pattern: str, path: str) -> bool:
    """Whether a whole path (segments separated by ``/``) matches, as in a ``.gitignore``: ``*`` and ``?`` within a
    segment, ``[abc]`` and ``[!abc]``, ``**`` over any number of segments, at the end over one at least (what is in a
    folder, not the folder)."""
    if len(pattern) > MAX_PATTERN:
        return False
    segments = path.split("/")
    reachable = {0}
    parts = pattern.split("/")
    for number, part in enumerate(parts, 1):
        if len(part) > 1 and part.count("*") == len(part):  # git takes more than two for two
            reachable = set(range(min(reachable) + (number == len(parts)), len(segments) + 1))
        else:
            reachable = {i + 1 for i in reachable if i < len(segments) and match_segment(part, segments[i])}
        if not reachable:
            return False
    return len(segments) in reachable


@lru_cache(maxsize=4096)
def match_segment(pattern: str, text: str) -> bool:
    """Whether one segment matches. Only the last star can be worth coming back to."""
    if len(pattern) > MAX_PATTERN:
        return False
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
    if pattern[at] == "\\" and at + 1 < len(pattern):
        return 2 if pattern[at + 1] == char else 0
    if pattern[at] == "[":
        end = pattern.find("]", at + 2)
        if end > 0:
            inner = pattern[at + 1 : end]
            negated = inner[0] in "!^"
            hit = _in_class(inner[negated:], char)
            return end - at + 1 if hit != negated else 0
    return 1 if pattern[at] == char else 0


def _in_class(inner: str, char: str) -> bool:
    """Whether a character is among ``a-z_``."""
    i = 0
    while i < len(inner):
        if i + 2 < len(inner) and inner[i + 1] == "-":
            if inner[i] <= char <= inner[i + 2]:
                return True
            i += 3
        else:
            if inner[i] == char:
                return True
            i += 1
    return False
