"""Document URIs and the paths under which the analysis knows them."""

from __future__ import annotations

import ntpath
import os
import posixpath
import re
from urllib.parse import quote, unquote, urlsplit

_WINDOWS = os.name == "nt"
_DRIVE = re.compile(r"[/\\]?[A-Za-z]:(?=[/\\]|$)")
_LONGEST = 8000
"""Characters of a URI that may be a file's; no system has longer paths."""


def to_path(uri: str, *, windows: bool = _WINDOWS) -> str | None:
    """The absolute path of a ``file`` URI; ``None`` for anything that names no file of this machine.

    One path for all spellings: escapes, the case of a drive letter, slashes and backslashes on Windows.
    """
    if not uri.startswith("file:") or len(uri) > _LONGEST:
        return None
    try:
        parts = urlsplit(uri)
    except ValueError:
        return None
    # what stands behind `#` or `?` belongs to the name when a client forgot to escape it
    rest = ("?" + parts.query if parts.query else "") + ("#" + parts.fragment if parts.fragment else "")
    host = unquote(parts.netloc)
    path = unquote(parts.path + rest, errors="surrogateescape")
    if "\0" in path or "\0" in host:
        return None
    if windows:
        return _windows_path(host, path)
    if not path.startswith("/") or host not in ("", "localhost"):
        return None
    return path if _DRIVE.match(path) else posixpath.normpath(path)


def _windows_path(host: str, path: str) -> str | None:
    if _DRIVE.match(host):  # `file://C:/…`, with a slash too few
        host, path = "", host + path
    if host not in ("", "localhost"):
        return ntpath.normpath(f"//{host}{path}") if path[:1] in ("/", "\\") else None
    if not _DRIVE.match(path):
        return ntpath.normpath(path) if path[:1] in ("/", "\\") else None
    path = path.lstrip("/\\")
    return ntpath.normpath(path[0].lower() + path[1:])


def of_path(path: str, *, windows: bool = _WINDOWS) -> str:
    """The URI of an absolute path; a name that is not a path (an untitled document's URI) stays as it is."""
    if not (ntpath if windows else posixpath).isabs(path):
        return path
    slashed = path.replace("\\", "/") if windows else path
    if windows and slashed.startswith("//"):
        host, _, rest = slashed[2:].partition("/")
        return f"file://{quote(host)}/{quote(rest, errors='surrogateescape')}"
    return "file://" + quote(slashed if slashed.startswith("/") else "/" + slashed, errors="surrogateescape")


def key_of(uri: str) -> str:
    """The name by which the analysis knows a document: its path, or the URI itself."""
    return to_path(uri) or uri
