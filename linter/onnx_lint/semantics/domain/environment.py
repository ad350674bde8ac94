"""The state of a function at one point: what its names hold, and what objects hold."""

from __future__ import annotations

from onnx_lint.semantics.domain.lattice import join, widen
from onnx_lint.semantics.domain.store import EMPTY, Store, join_stores
from onnx_lint.semantics.domain.values import Value


class Environment:
    """Local names, and the store. `parent` is the environment of the enclosing function, for closures; objects have
    one store for all functions, that of whoever runs."""

    __slots__ = ("names", "parent", "store")

    def __init__(self, names: dict[str, Value], parent: Environment | None = None, store: Store = EMPTY) -> None:
        self.names, self.parent, self.store = names, parent, store

    def copy(self) -> Environment:
        return Environment(dict(self.names), self.parent, self.store)

    def get(self, name: str) -> Value | None:
        """What a name holds here or in an enclosing function, as it is now."""
        environment: Environment | None = self
        while environment is not None:
            value = environment.names.get(name)
            if value is not None:
                return self.store.read(value)
            environment = environment.parent
        return None

    def settled(self, flow: object, since: int) -> Environment:
        """The same, with what objects made since `since` hold written into the values: at the end of a turn of a loop
        they are as good as any that the next turn makes."""
        store = self.store.settled(flow, since)
        if store is self.store:
            return self
        return Environment({n: self.store.read(v) for n, v in self.names.items()}, self.parent, store)


def join_environments(
    first: Environment | None, second: Environment | None, *, widening: bool = False
) -> Environment | None:
    """What holds after either of two ways; ``None`` is a way that ended. With `widening`, `second` comes after
    `first` in a loop, and what it adds is generalised."""
    if first is None:
        return second
    if second is None or first is second:
        return first
    both = widen if widening else join
    merged = dict(first.names)
    for name, value in second.names.items():
        other = merged.get(name)
        if other is None:
            merged[name] = value  # bound on one way only: where it is read, that way was taken
        elif other is not value:
            merged[name] = both(other, value)
    return Environment(merged, first.parent, join_stores(first.store, second.store, widening=widening))


def has_settled(before: Environment, after: Environment) -> bool:
    """Whether a further turn of a loop added nothing."""
    for name, value in after.names.items():
        old = before.names.get(name)
        if old is not value and (old is None or old.key() != value.key()):
            return False
    return before.store.is_like(after.store)
