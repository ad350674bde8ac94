"""Paths as they are shown and stored: relative where they can be, also where folders lie on several drives."""

from __future__ import annotations

import os


def relative(path: str, folder: str) -> str:
    """The path as seen from a folder; the absolute path where there is no way, as between two drives of Windows."""
    try:
        return os.path.relpath(path, folder)
    except ValueError:
        return os.path.abspath(path)


def below(path: str, folder: str) -> str | None:
    """The path as seen from a folder that it lies in; ``None`` for any other."""
    found = relative(path, folder)
    outside = found == os.pardir or found.startswith(os.pardir + os.sep) or os.path.isabs(found)
    return None if outside else found


def with_slashes(path: str) -> str:
    """The form for files that travel between systems."""
    return path.replace(os.sep, "/")
