"""What something remembered rests on, so that an editor's change costs only what it touches.

Every fact that can change (the text of a unit, the names of a file, the meaning of a name) has a `Node`, and so has
everything remembered that was computed from such facts (the result of a call, the value of a global name, the linear
order of a class's bases). While something is computed, its dependency is the tracker's current one; what it reads notes
it as a dependent. `Tracker.invalidate` marks a fact's dependents stale, theirs too, and so on.

The command line looks at every file once and tracks nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import TypeVar

T = TypeVar("T")

_FIRST_BOUND = 4


class Node:
    """A fact, or something remembered. `key` is what its owner calls it."""

    __slots__ = ("_bound", "_dependents", "key", "stale")

    def __init__(self, key: Hashable = None) -> None:
        self.key = key
        self.stale = False
        self._dependents: list[Node] = []
        self._bound = _FIRST_BOUND

    def note(self, dependent: Node) -> None:
        """Remember that `dependent` was computed from this."""
        dependents = self._dependents
        if dependents and dependents[-1] is dependent:
            return
        dependents.append(dependent)
        if len(dependents) > self._bound:  # a fact that lives for hours is read by many things that do not
            self._dependents = list({id(d): d for d in dependents if not d.stale}.values())
            self._bound = max(_FIRST_BOUND, 2 * len(self._dependents))

    def take_dependents(self) -> list[Node]:
        """The dependents, which are forgotten: they are noted again when they are computed again."""
        dependents, self._dependents = self._dependents, []
        return dependents


class Tracker:
    """Notes what is computed from what."""

    __slots__ = ("current", "invalidated")

    def __init__(self) -> None:
        self.current: Node | None = None
        self.invalidated: list[Node] = []
        """Records that have become stale since `drain_invalidated`."""

    def read(self, dependency: Node) -> None:
        """What is being computed rests on `dependency`."""
        current = self.current
        if current is not None and current is not dependency:
            dependency.note(current)

    def invalidate(self, fact: Node) -> None:
        """A fact has changed: everything computed from it is stale."""
        pending = fact.take_dependents()
        while pending:
            dependency = pending.pop()
            if not dependency.stale:
                dependency.stale = True
                self.invalidated.append(dependency)
                pending += dependency.take_dependents()

    def drain_invalidated(self) -> list[Node]:
        invalidated, self.invalidated = self.invalidated, []
        return invalidated

    def compute(self, dependency: Node, function: Callable[[], T]) -> T:
        """Compute something under its dependency."""
        outer, self.current = self.current, dependency
        try:
            return function()
        finally:
            self.current = outer


class Memo:
    """A cache of computed values. Without a tracker nothing in it ever becomes stale."""

    __slots__ = ("_held", "_tracker")

    def __init__(self, tracker: Tracker | None) -> None:
        self._tracker = tracker
        self._held: dict[Hashable, tuple[object, Node | None]] = {}

    def get(self, key: Hashable) -> tuple[object, ...] | None:
        """The value in a tuple of one, or ``None``; what is being computed then rests on it."""
        held = self._held.get(key)
        if held is None:
            return None
        value, dependency = held
        if dependency is not None:
            if dependency.stale:
                del self._held[key]
                return None
            self.read(dependency)
        return (value,)

    def value(self, key: Hashable, function: Callable[[], T], provisional: object = None) -> T:
        """The remembered value, computed when there is none; see `compute`. One key is for values of one type."""
        held = self.get(key)
        if held is not None:
            return held[0]  # type: ignore[return-value]  # what a key holds was computed for that key
        return self.compute(key, function, provisional)

    def forget(self, key: Hashable) -> None:
        self._held.pop(key, None)

    def retire(self) -> None:
        """Nothing of it is needed any more: what it rests on may forget it."""
        for _, dependency in self._held.values():
            if dependency is not None:
                dependency.stale = True
        self._held.clear()

    def prune(self) -> None:
        """Drop what is stale."""
        self._held = {k: h for k, h in self._held.items() if h[1] is None or not h[1].stale}

    def dependency(self, key: Hashable) -> Node | None:
        """The dependency of a value that was computed here; ``None`` when nothing is tracked."""
        held = self._held.get(key)
        return held[1] if held is not None else None

    def read(self, dependency: Node) -> None:
        """What is being computed rests on `dependency`."""
        if self._tracker is not None:
            self._tracker.read(dependency)

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
        dependency = Node()
        if provisional is not None:
            self._held[key] = (provisional, dependency)
        value = tracker.compute(dependency, function)
        self._held[key] = (value, dependency)
        tracker.read(dependency)
        return value
