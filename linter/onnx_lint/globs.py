"""Glob patterns of the configuration, for paths relative to its folder."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from functools import lru_cache

from onnx_lint.source.wildcards import MAX_PATTERN, PathPattern, SegmentPattern

__all__ = ["MAX_PATTERN", "matches", "matches_any"]


def matches(pattern: str, path: str, root: str = "") -> bool:
    """Whether a path matches. A pattern without a slash is tried on every segment of the path; one with a slash on
    the path below `root` and on the folders above it, so that ``tests/**`` and ``tests`` both mean what lies below."""
    return matches_any((pattern,), path, root)


def matches_any(patterns: Iterable[str], path: str, root: str = "") -> bool:
    """Whether a path matches one of the patterns."""
    relative = os.path.relpath(os.path.abspath(path), root) if root else path
    segments = [s for s in relative.replace(os.sep, "/").split("/") if s not in ("", ".")]
    return any(_matcher(pattern)(segments) for pattern in patterns)


@lru_cache(maxsize=4096)
def _matcher(pattern: str) -> Callable[[list[str]], bool]:
    cleaned = "/".join(p for p in pattern.replace(os.sep, "/").split("/") if p not in ("", "."))
    if "/" not in cleaned and cleaned != "**":
        segment = SegmentPattern(cleaned)
        return lambda segments: any(map(segment.matches, segments))
    return PathPattern(cleaned).matches_above
