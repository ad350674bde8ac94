"""The state of a function at one point: what its names hold, and what objects hold."""

from __future__ import annotations

from collections.abc import Callable

from onnx_lint.semantics.domain.engines import ALL_ENGINES
from onnx_lint.semantics.domain.lattice import join, join_under, widen
from onnx_lint.semantics.domain.store import EMPTY, Store, join_stores
from onnx_lint.semantics.domain.values import Value


class Environment:
    """Local names, the store, and the engines that come by here. `parent` is the environment of the enclosing
    function, for closures; objects have one store for all functions, that of whoever runs."""

    __slots__ = ("engines", "names", "parent", "store")

    def __init__(
        self,
        names: dict[str, Value],
        parent: Environment | None = None,
        store: Store = EMPTY,
        engines: int = ALL_ENGINES,
    ) -> None:
        self.names, self.parent, self.store, self.engines = names, parent, store, engines

    def copy(self) -> Environment:
        return Environment(dict(self.names), self.parent, self.store, self.engines)

    def under(self, engines: int) -> Environment:
        """A copy for a way that only these engines take."""
        return Environment(dict(self.names), self.parent, self.store, engines)

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
        return Environment({n: self.store.read(v) for n, v in self.names.items()}, self.parent, store, self.engines)


def join_environments(
    first: Environment | None, second: Environment | None, *, widening: bool = False
) -> Environment | None:
    """What holds after either of two ways; ``None`` is a way that ended. With `widening`, `second` comes after
    `first` in a loop, and what it adds is generalised. Where not the same engines go both ways, it is kept which engine
    brought which value."""
    if first is None:
        return second
    if second is None or first is second:
        return first
    both = widen if widening else _joined_under(first.engines, second.engines)
    merged = dict(first.names)
    for name, value in second.names.items():
        other = merged.get(name)
        if other is None:
            merged[name] = value  # bound on one way only: where it is read, that way was taken
        elif other is not value:
            merged[name] = both(other, value)
    store = join_stores(first.store, second.store, widening=widening)
    return Environment(merged, first.parent, store, first.engines | second.engines)


def _joined_under(one: int, two: int) -> Callable[[Value, Value], Value]:
    """How values are joined of which the first comes under the engines `one`, and the second under `two`."""
    if one == two:
        return join
    return lambda value, other: join_under(value, one, other, two)


def has_settled(before: Environment, after: Environment) -> bool:
    """Whether a further turn of a loop added nothing."""
    for name, value in after.names.items():
        old = before.names.get(name)
        if old is not value and (old is None or old.key() != value.key()):
            return False
    return before.store.is_like(after.store)
