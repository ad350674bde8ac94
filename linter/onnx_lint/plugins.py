"""What installed packages offer under an entry-point group, read straight from their metadata.

`importlib.metadata` finds the same, but its import alone (email, zipfile, socket) costs a tenth of a whole run over one
file.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from functools import lru_cache
from importlib import import_module
from types import ModuleType

_MAX_TEXT = 300
_METADATA = (".dist-info", ".egg-info")


def offers(group: str) -> list[tuple[str, str]]:
    """Name and value of the entry points of a group, of each installed distribution once: the first on the path. What
    is installed later is found by the next process."""
    return [entry for text in _texts(tuple(sys.path)) for entry in _of(text, group)]


@lru_cache(maxsize=1)
def _texts(path: tuple[str, ...]) -> tuple[str, ...]:
    """The entry points of all distributions on a path. A run asks several times, and reading them takes a millisecond
    or two."""
    found: list[str] = []
    seen: set[str] = set()
    for folder in path:
        if not os.path.isabs(folder):
            continue  # the current folder holds what is linted; it offers nothing
        try:
            with os.scandir(folder) as entries:
                names = sorted(e.name for e in entries if e.name.endswith(_METADATA))
        except OSError:
            continue  # Python too passes over what is not a folder
        for name in names:
            distribution = name.rpartition(".")[0].partition("-")[0].lower().replace(".", "_")
            if distribution not in seen:
                seen.add(distribution)
                found.append(_read(os.path.join(folder, name, "entry_points.txt")))
    return tuple(filter(None, found))


def _read(path: str) -> str:
    try:
        with open(path, encoding="utf-8") as file:
            return file.read()
    except (OSError, UnicodeDecodeError):
        return ""  # most distributions have no entry points


def modules_of(name: str) -> Iterator[ModuleType]:
    """A module, and where it is a package all modules below it, each imported. Raises what their import raises."""
    import pkgutil

    module = import_module(name)
    yield module
    for info in pkgutil.walk_packages(getattr(module, "__path__", ()), module.__name__ + "."):
        yield import_module(info.name)


def in_a_line(error: BaseException) -> str:
    """What code of others raised, in one line of bounded length."""
    return " ".join(f"{type(error).__name__}: {error}".split())[:_MAX_TEXT]


def _of(text: str, group: str) -> Iterator[tuple[str, str]]:
    inside = False
    for line in text.splitlines():
        line = line.strip()
        if line.startswith("["):
            inside = line == f"[{group}]"
        elif inside and "=" in line and not line.startswith(("#", ";")):
            name, _, value = line.partition("=")
            yield name.strip(), value.partition("[")[0].strip()
