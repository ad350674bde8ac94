"""What something remembered rests on, so that an editor's change costs only what it touches.

Every fact that can change (the text of a unit, the names of a file, the meaning of a name) has a `Node`, and so has
everything remembered that was computed from such facts (the result of a call, the value of a global name, the linear
order of a class's bases). While something is computed, its dependency is the tracker's current one; what it reads notes
it as a dependent. `Tracker.invalidate` marks a fact's dependents stale, theirs too, and so on.

The command line looks at every file once: `UNTRACKED` notes nothing, and a `Recorder` (`recording.py`) notes which
facts a result rests on, for a later run.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

T = TypeVar("T")
K = TypeVar("K", bound=Hashable)
V = TypeVar("V")

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

    is_tracking = True
    """Whether a fact can change."""
    is_noting = True
    """Whether it matters who reads what."""

    def __init__(self) -> None:
        self.current: Node | None = None
        self.invalidated: list[Node] = []
        """Nodes that have become stale since `drain_invalidated`."""

    def node(self, key: Hashable = None) -> Node:
        """The node of something about to be computed."""
        return Node(key)

    def fact(self, subject: Hashable) -> Node:
        """The node of a new fact; `subject` is what it speaks of: a unit, or a file."""
        return Node()

    def facts(self, subject: Hashable) -> Facts:
        """The nodes of new facts about `subject`, by name."""
        return Facts(self, subject)

    def read(self, dependency: Node) -> None:
        """What is being computed rests on `dependency`."""
        current = self.current
        if current is not None and current is not dependency:
            dependency.note(current)

    def visit(self, dependency: Node) -> None:
        """Something is looked at that is no reason by itself to compute anything anew: an editor's facts are finer."""

    def invalidate(self, fact: Node) -> None:
        """A fact has changed: everything computed from it is stale."""
        pending = fact.take_dependents()
        while pending:
            dependency = pending.pop()
            if not dependency.stale:
                dependency.stale = True
                self.invalidated.append(dependency)
                pending += dependency.take_dependents()

    def discard(self, node: Node) -> None:
        """What was computed is not needed any more: what it rests on may forget it."""
        node.stale = True

    def drain_invalidated(self) -> list[Node]:
        invalidated, self.invalidated = self.invalidated, []
        return invalidated

    def compute(self, dependency: Node, function: Callable[[], T]) -> T:
        """Compute something under its dependency."""
        outer, self.current = self.current, dependency
        try:
            return function()
        except BaseException:
            # what is broken off was looked at all the same: who goes on rests on what it read
            self.current = outer
            self.read(dependency)
            raise
        finally:
            self.current = outer


class Facts:
    """The nodes of facts by name, each made when it is first read: a fact that nothing rests on needs none."""

    __slots__ = ("_nodes", "_subject", "_tracker")

    def __init__(self, tracker: Tracker, subject: Hashable) -> None:
        self._tracker, self._subject = tracker, subject
        self._nodes: dict[str, Node] = {}

    def read(self, name: str) -> None:
        """What is being computed rests on the fact `name`."""
        node = self._nodes.get(name)
        if node is None:
            node = self._nodes[name] = self._tracker.fact((self._subject, name))
        self._tracker.read(node)

    def invalidate(self, name: str) -> None:
        """The fact `name` has changed."""
        node = self._nodes.get(name)
        if node is not None:
            self._tracker.invalidate(node)

    def invalidate_all(self) -> None:
        for node in self._nodes.values():
            self._tracker.invalidate(node)


class _Untracked(Tracker):
    """The tracker where nothing changes: every fact has the same node, and nobody notes who reads it."""

    __slots__ = ("_facts", "_node")

    is_tracking = is_noting = False

    def __init__(self) -> None:
        super().__init__()
        self._node, self._facts = Node(), NoFacts(self, None)

    def node(self, key: Hashable = None) -> Node:
        return self._node

    def fact(self, subject: Hashable) -> Node:
        return self._node

    def facts(self, subject: Hashable) -> Facts:
        return self._facts

    def read(self, dependency: Node) -> None:
        pass

    def invalidate(self, fact: Node) -> None:
        pass

    def discard(self, node: Node) -> None:
        pass

    def compute(self, dependency: Node, function: Callable[[], T]) -> T:
        return function()


class NoFacts(Facts):
    """Facts that cannot change."""

    __slots__ = ()

    def read(self, name: str) -> None:
        pass


UNTRACKED: Tracker = _Untracked()


class Memo(Generic[K, V]):
    """A cache of computed values."""

    __slots__ = ("_held", "_tracker")

    def __init__(self, tracker: Tracker) -> None:
        self._tracker = tracker
        self._held: dict[K, tuple[V, Node]] = {}

    def get(self, key: K) -> tuple[V] | None:
        """The value in a tuple of one, or ``None``; what is being computed then rests on it."""
        held = self._held.get(key)
        if held is None:
            return None
        value, dependency = held
        if dependency.stale:
            del self._held[key]
            return None
        self._tracker.read(dependency)
        return (value,)

    def value(self, key: K, function: Callable[[], V], provisional: V | None = None) -> V:
        """The remembered value, computed when there is none; see `compute`."""
        held = self.get(key)
        return held[0] if held is not None else self.compute(key, function, provisional)

    def put(self, key: K, value: V, dependency: Node) -> None:
        """Remember a value that was computed under `dependency`."""
        self._held[key] = (value, dependency)

    def forget(self, key: K) -> None:
        """The value of a key is not remembered any longer."""
        self._held.pop(key, None)

    def retire(self) -> None:
        """Nothing of it is needed any more: what it rests on may forget it."""
        for _, dependency in self._held.values():
            self._tracker.discard(dependency)
        self._held.clear()

    def prune(self) -> None:
        """Drop what is stale."""
        self._held = {k: h for k, h in self._held.items() if not h[1].stale}

    def dependency(self, key: K) -> Node | None:
        """The dependency of a value that is remembered."""
        held = self._held.get(key)
        return held[1] if held is not None else None

    def read(self, dependency: Node) -> None:
        """What is being computed rests on `dependency`."""
        self._tracker.read(dependency)

    def compute(self, key: K, function: Callable[[], V], provisional: V | None = None) -> V:
        """Compute, remember and return a value. Meanwhile the key holds `provisional`, unless that is ``None``: the
        value may be asked for while it is computed."""
        tracker = self._tracker
        dependency = tracker.node()
        if provisional is not None:
            self._held[key] = (provisional, dependency)
        try:
            value = tracker.compute(dependency, function)
        except BaseException:
            self._held.pop(key, None)  # what was provisional must not pass for the value
            raise
        self._held[key] = (value, dependency)
        tracker.read(dependency)
        return value


class Cell(Generic[V]):
    """One computed value that is remembered."""

    __slots__ = ("_dependency", "_tracker", "_value")

    def __init__(self, tracker: Tracker) -> None:
        self._tracker = tracker
        self._value: V | None = None
        self._dependency: Node | None = None

    @property
    def is_held(self) -> bool:
        """Whether `get` costs nothing."""
        return self._dependency is not None and not self._dependency.stale

    def get(self, function: Callable[[], V]) -> V:
        """The value, computed by `function` if it is not held; what is being computed rests on it."""
        dependency = self._dependency
        if dependency is None or dependency.stale:
            dependency = self._tracker.node()
            self._value = self._tracker.compute(dependency, function)
            self._dependency = dependency
        self._tracker.read(dependency)
        return self._value  # type: ignore[return-value]  # `V` itself may allow None
