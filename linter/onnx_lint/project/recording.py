"""Which facts a result rests on, noted while it is computed: for a later run that wants to use it again.

Unlike in an editor nothing changes meanwhile, so nobody has to be told; what counts is the list at the end. A result
that rests on a remembered one rests on all that the remembered one does.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator
from typing import TypeVar

from onnx_lint.project.dependencies import Facts, Node, NoFacts, Tracker

T = TypeVar("T")


class _Recorded(Node):
    """A fact, with its subject as `key`, or something computed, with what it read."""

    __slots__ = ("reads",)

    def __init__(self, key: Hashable = None) -> None:
        super().__init__(key)
        self.reads: set[Node] = set()


class _Whole(Facts):
    """Facts by name that are noted as one."""

    __slots__ = ("_fact",)

    def __init__(self, tracker: Tracker, fact: Node) -> None:
        super().__init__(tracker, None)
        self._fact = fact

    def read(self, name: str) -> None:
        self._tracker.read(self._fact)


class Recorder(Tracker):
    """Notes what is read while something is computed."""

    __slots__ = ()

    is_tracking = False

    def node(self, key: Hashable = None) -> Node:
        return _Recorded()

    def fact(self, subject: Hashable) -> Node:
        return Node(subject)

    def facts(self, subject: Hashable) -> Facts:
        """A file is one fact to a later run, whatever name of it is asked for; which files there are is none: a later
        run over others asks anew."""
        if isinstance(subject, str):
            return Facts(self, subject)
        return NoFacts(self, None) if subject is None else _Whole(self, self.fact(subject))

    def read(self, dependency: Node) -> None:
        current = self.current
        if isinstance(current, _Recorded):
            current.reads.add(dependency)

    def visit(self, dependency: Node) -> None:
        self.read(dependency)

    def invalidate(self, fact: Node) -> None:
        pass

    def discard(self, node: Node) -> None:
        pass

    def record(self, function: Callable[[], T]) -> tuple[T, set[Hashable]]:
        """What a function gives, and the subjects of all facts that it rests on."""
        node = _Recorded()
        value = self.compute(node, function)
        return value, set(_facts_below(node))


def _facts_below(node: _Recorded) -> Iterator[Hashable]:
    pending, seen = [node], {node}
    while pending:
        for read in pending.pop().reads:
            if not isinstance(read, _Recorded):
                yield read.key
            elif read not in seen:
                seen.add(read)
                pending.append(read)
