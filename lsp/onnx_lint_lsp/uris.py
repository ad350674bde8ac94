"""Document URIs and the paths under which the analysis knows them."""

from __future__ import annotations

import os
import re
from urllib.parse import quote, unquote, urlsplit

_DRIVE = re.compile(r"^/[A-Za-z]:")
_LONGEST = 8000
"""Characters of a URI that may be a file's; no system has longer paths."""


def to_path(uri: str) -> str | None:
    """The absolute path of a ``file`` URI; ``None`` for anything that names no file of this machine."""
    if not uri.startswith("file:") or len(uri) > _LONGEST:
        return None
    try:
        parts = urlsplit(uri)
    except ValueError:
        return None
    # what stands behind `#` or `?` belongs to the name when a client forgot to escape it
    rest = ("?" + parts.query if parts.query else "") + ("#" + parts.fragment if parts.fragment else "")
    path = unquote(parts.path + rest, errors="surrogateescape")
    if not path.startswith("/") or "\0" in path:
        return None
    if parts.netloc and parts.netloc != "localhost":
        return "//" + unquote(parts.netloc) + path if os.name == "nt" else None
    if _DRIVE.match(path):
        if os.name != "nt":
            return path
        path = path[1].lower() + path[2:]
    return os.path.normpath(path)


def of_path(path: str) -> str:
    """The URI of an absolute path; a name that is no path (an untitled document's URI) stays as it is."""
    if not os.path.isabs(path):
        return path
    slashed = path.replace(os.sep, "/")
    return "file://" + quote(slashed if slashed.startswith("/") else "/" + slashed, errors="surrogateescape")


def key_of(uri: str) -> str:
    """The name by which the analysis knows a document: its path, or the URI itself."""
    return to_path(uri) or uri
