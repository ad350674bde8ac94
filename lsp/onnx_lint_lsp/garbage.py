"""Garbage is collected while nobody waits: a look at all that was parsed takes longer than many keystrokes."""

from __future__ import annotations

import gc

from onnx_lint.semantics.domain import keys

_YOUNG = 50_000
"""Objects made since the last look after which the new ones are looked at, for some milliseconds."""
_OLDER = 8
"""Of so many such looks one goes to all objects that have come since the last full collection."""
_MANY = 40
"""Looks after which really all objects are looked at, once nothing has happened for a while; fewer where few objects
are kept, so that a project that was closed does not outlive others that are as large."""


class Garbage:
    """Python's collector, driven by the analysis thread. What is there after a full collection is not looked at
    again until the next one."""

    def __init__(self) -> None:
        gc.disable()
        self._looks = _MANY

    @property
    def is_due(self) -> bool:
        """Whether a full collection is worth waiting for a pause."""
        return self._looks >= min(_MANY, 1 + gc.get_freeze_count() // (2 * _YOUNG))

    def after_job(self) -> None:
        """Nothing is to do at this moment."""
        if gc.get_count()[0] > _YOUNG:
            self._looks += 1
            gc.collect(1 if self._looks % _OLDER else 2)

    def in_pause(self) -> None:
        """Nothing has happened for a while."""
        gc.unfreeze()
        gc.collect()
        keys.trim()
        gc.freeze()
        self._looks = 0
