"""Keys: what identifies values that behave alike.

Two values with the same key are interchangeable for whatever is computed from them; only their origins, and which
object of several alike they are, may differ. Keys of composite values are interned: equal keys are one object, so that
comparing costs nothing, and the key of a graph that shares parts costs as much as the graph has parts.
"""

from __future__ import annotations

import sys
from collections.abc import Hashable


class Key:
    """An interned key; compared by identity. `parts` are what it was made of."""

    __slots__ = ("parts",)

    def __init__(self, parts: tuple[Hashable, ...]) -> None:
        self.parts = parts

    def __repr__(self) -> str:
        return f"<key of {self.parts[0]}>"


_MAX_INTERNED = 400_000
"""Keys that are interned at once. Beyond, the table is begun anew: keys made before equal none that are made after, so
that some calls are interpreted again. A table of weak references costs a tenth of an analysis."""
_INTERNED: dict[tuple[Hashable, ...], Key] = {}


def key_of(*parts: Hashable) -> Key:
    """The one key with these parts."""
    found = _INTERNED.get(parts)
    if found is None:
        if len(_INTERNED) >= _MAX_INTERNED:
            _INTERNED.clear()
        found = _INTERNED[parts] = Key(parts)
    return found


def clear() -> None:
    """Begin the table anew. Keys keep what they were made of: classes, and by these all files of a project that is
    gone. For a server that lives long."""
    _INTERNED.clear()


def trim() -> None:
    """Forget the keys that nothing but the table holds; when garbage has been collected."""
    alone = _holders({(): Key(())}, ())
    pending = list(_INTERNED)
    while pending:  # the last ones first: a key is made after its parts
        parts = pending.pop()
        if _holders(_INTERNED, parts) <= alone:
            del _INTERNED[parts]


def _holders(table: dict[tuple[Hashable, ...], Key], parts: tuple[Hashable, ...]) -> int:
    return sys.getrefcount(table[parts])
