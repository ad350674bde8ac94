"""Values of one caller as another would see them: a remembered call speaks of the objects and origins of whoever
called first."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from onnx_lint.semantics.domain.lattice import map_arguments, map_parts, with_addresses
from onnx_lint.semantics.domain.origin import Origin, rebased
from onnx_lint.semantics.domain.parts import children
from onnx_lint.semantics.domain.values import (
    Address,
    Alternatives,
    Array,
    Frozen,
    Instance,
    Seq,
    Size,
    Tensor,
    Unknown,
    Value,
)


class Renaming:
    """Addresses and origins by what they become. `fresh` makes an address for one that is not in `addresses`;
    without it such an address stays."""

    __slots__ = ("_done", "addresses", "fresh", "origins")

    def __init__(
        self,
        addresses: dict[Address, Address] | None = None,
        origins: Mapping[Origin, Origin | None] | None = None,
        fresh: Callable[[Address], Address] | None = None,
    ) -> None:
        self.addresses = addresses if addresses is not None else {}
        self.origins = origins if origins is not None else {}
        self.fresh = fresh
        self._done: dict[int, tuple[Value, Value]] = {}

    @classmethod
    def between(
        cls, before: Iterable[Value], after: Iterable[Value], fresh: Callable[[Address], Address] | None = None
    ) -> Renaming:
        """The renaming that makes the first values the second ones; they have the same keys, pair by pair."""
        addresses: dict[Address, Address] = {}
        origins: dict[Origin, Origin | None] = {}
        seen: set[tuple[int, int]] = set()
        pending = list(zip(before, after, strict=True))
        while pending:
            one, other = pending.pop()
            if one is other or (id(one), id(other)) in seen:
                continue
            seen.add((id(one), id(other)))
            if one.origin is not None:
                origins.setdefault(one.origin, other.origin)
            for old, new in zip(_addresses(one), _addresses(other), strict=False):
                addresses.setdefault(old, new)
            pending.extend(zip(_aligned(one), _aligned(other), strict=False))
            if isinstance(one, Instance) and isinstance(other, Instance) and one.args and other.args:
                pending.extend(zip(one.args.all(), other.args.all(), strict=False))
        origins = {old: new for old, new in origins.items() if old is not new}
        return cls(addresses, origins, fresh)

    @property
    def is_empty(self) -> bool:
        return not self.addresses and not self.origins and self.fresh is None

    def address(self, address: Address) -> Address:
        """What an address becomes."""
        found = self.addresses.get(address)
        if found is None and self.fresh is not None:
            found = self.addresses[address] = self.fresh(address)
        return address if found is None else found

    def value(self, value: Value) -> Value:
        """A value under the new names."""
        if self.is_empty or isinstance(value, Unknown):
            return value
        done = self._done.get(id(value))
        if done is not None:
            return done[1]
        changed = self._own(value)
        if not isinstance(changed, Instance):
            changed = map_parts(changed, self.value)
        self._done[id(value)] = (value, changed)  # the value is kept, so that its identity is not given out again
        return changed

    def _own(self, value: Value) -> Value:
        if isinstance(value, (Unknown, Alternatives)):
            return value
        if value.addresses:
            after = tuple(dict.fromkeys([self.address(a) for a in value.addresses]))
            value = with_addresses(value, after) if after != value.addresses else value
        if isinstance(value, Instance) and value.args is not None and self.origins:
            args = map_arguments(value.args, self.value)
            return value if args is value.args else Instance(value.cls, args, value.made, value.addresses)
        if value.origin is None or not self.origins:
            return value
        origin = rebased(value.origin, self.origins)
        return value if origin is value.origin else _with_origin(value, origin)


def _addresses(value: Value) -> tuple[Address, ...]:
    return () if isinstance(value, Alternatives) else value.addresses


def _aligned(value: Value) -> tuple[Value, ...]:
    """The parts of a value in an order that values with the same key share."""
    if isinstance(value, Alternatives):
        return tuple(sorted(value.values, key=lambda v: (type(v).__name__, repr(v.key()))))
    return children(value)


def _with_origin(value: Value, origin: Origin | None) -> Value:
    match value:
        case Tensor():
            return Tensor(
                value.traced, value.presumed, origin, value.parameter, value.is_shape, value.addresses, value.type
            )
        case Size():
            return Size(origin, value.boolean, value.parameter, value.axis, value.presumed, value.dim)
        case Frozen():
            return Frozen(value.from_data, value.type, origin, value.live, value.dim)
        case Array():
            return Array(origin)
        case Seq():
            return Seq(
                value.kind,
                value.elements,
                value.element,
                origin,
                value.parameter,
                value.first_axis,
                value.addresses,
                value.last,
            )
    return value
