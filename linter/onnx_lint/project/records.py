"""What something remembered rests on, so that an editor's change costs only what it touches.

Every fact that can change (the text of a unit, the names of a file, the meaning of a name) has a `Record`, and so has
everything remembered that was computed from such facts (the result of a call, the value of a global name, the linear
order of a class's bases). While something is computed, its record is the tracker's current one; what it reads notes
it as a dependent. `Tracker.spoil` marks a fact's dependents stale, theirs too, and so on.

The command line looks at every file once and tracks nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import TypeVar

T = TypeVar("T")

_FIRST_BOUND = 4


class Record:
    """A fact, or something remembered. `key` is what its owner calls it."""

    __slots__ = ("_bound", "_dependents", "key", "stale")

    def __init__(self, key: Hashable = None) -> None:
        self.key = key
        self.stale = False
        self._dependents: list[Record] = []
        self._bound = _FIRST_BOUND

    def note(self, dependent: Record) -> None:
        """Remember that `dependent` was computed from this."""
        dependents = self._dependents
        if dependents and dependents[-1] is dependent:
            return
        dependents.append(dependent)
        if len(dependents) > self._bound:  # a fact that lives for hours is read by many things that do not
            self._dependents = list({id(d): d for d in dependents if not d.stale}.values())
            self._bound = max(_FIRST_BOUND, 2 * len(self._dependents))

    def take_dependents(self) -> list[Record]:
        """The dependents, which are forgotten: they are noted again when they are computed again."""
        dependents, self._dependents = self._dependents, []
        return dependents


class Tracker:
    """Notes what is computed from what."""

    __slots__ = ("current", "spoiled")

    def __init__(self) -> None:
        self.current: Record | None = None
        self.spoiled: list[Record] = []
        """Records that have become stale since `take_spoiled`."""

    def read(self, record: Record) -> None:
        """What is being computed rests on `record`."""
        current = self.current
        if current is not None and current is not record:
            record.note(current)

    def spoil(self, fact: Record) -> None:
        """A fact has changed: everything computed from it is stale."""
        pending = fact.take_dependents()
        while pending:
            record = pending.pop()
            if not record.stale:
                record.stale = True
                self.spoiled.append(record)
                pending += record.take_dependents()

    def take_spoiled(self) -> list[Record]:
        spoiled, self.spoiled = self.spoiled, []
        return spoiled

    def compute(self, record: Record, function: Callable[[], T]) -> T:
        """Compute something under its record."""
        outer, self.current = self.current, record
        try:
            return function()
        finally:
            self.current = outer


class Remembered:
    """A cache of computed values. Without a tracker nothing in it ever becomes stale."""

    __slots__ = ("_held", "_tracker")

    def __init__(self, tracker: Tracker | None) -> None:
        self._tracker = tracker
        self._held: dict[Hashable, tuple[object, Record | None]] = {}

    def get(self, key: Hashable) -> tuple[object, ...] | None:
        """The value in a tuple of one, or ``None``; what is being computed then rests on it."""
        held = self._held.get(key)
        if held is None:
            return None
        value, record = held
        if record is not None:
            if record.stale:
                del self._held[key]
                return None
            self.read(record)
        return (value,)

    def forget(self, key: Hashable) -> None:
        self._held.pop(key, None)

    def retire(self) -> None:
        """Nothing of it is needed any more: what it rests on may forget it."""
        for _, record in self._held.values():
            if record is not None:
                record.stale = True
        self._held.clear()

    def sweep(self) -> None:
        """Drop what is stale."""
        self._held = {k: h for k, h in self._held.items() if h[1] is None or not h[1].stale}

    def record(self, key: Hashable) -> Record | None:
        """The record of a value that was computed here; ``None`` when nothing is tracked."""
        held = self._held.get(key)
        return held[1] if held is not None else None

    def read(self, record: Record) -> None:
        """What is being computed rests on `record`."""
        if self._tracker is not None:
            self._tracker.read(record)

    def compute(self, key: Hashable, function: Callable[[], T], provisional: object = None) -> T:
        """Compute, remember and return a value. Meanwhile the key holds `provisional`, unless that is ``None``: the
        value may be asked for while it is computed."""
        tracker = self._tracker
        if tracker is None:
            if provisional is not None:
                self._held[key] = (provisional, None)
            value = function()
            self._held[key] = (value, None)
            return value
        record = Record()
        if provisional is not None:
            self._held[key] = (provisional, record)
        value = tracker.compute(record, function)
        self._held[key] = (value, record)
        tracker.read(record)
        return value
