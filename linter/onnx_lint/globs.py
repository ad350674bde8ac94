"""Glob patterns of the configuration, for paths relative to its folder."""

from __future__ import annotations

import os

from onnx_lint.source.wildcards import MAX_PATTERN, match_path, match_segment

__all__ = ["MAX_PATTERN", "matches"]


def matches(pattern: str, path: str, root: str = "") -> bool:
    """Whether a path matches. A pattern without a slash is tried on every segment of the path; one with a slash on
    the path below `root` and on the folders above it, so that ``tests/**`` and ``tests`` both mean what lies below."""
    relative = os.path.relpath(os.path.abspath(path), root) if root else path
    segments = [s for s in relative.replace(os.sep, "/").split("/") if s not in ("", ".")]
    cleaned = "/".join(p for p in pattern.replace(os.sep, "/").split("/") if p not in ("", "."))
    if "/" not in cleaned and cleaned != "**":
        return any(match_segment(cleaned, segment) for segment in segments)
    return any(match_path(cleaned, "/".join(segments[:end])) for end in range(1, len(segments) + 1))
