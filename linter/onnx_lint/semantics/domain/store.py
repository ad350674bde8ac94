"""What objects hold now: the state behind addresses, as it is at one point of the program.

A `Store` cannot change either: a write makes a new one, so that two ways through a branch each have their own, and
`join` says what holds after either. It has cells only for what was written since it was made; what was not is in the
value itself.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Mapping
from dataclasses import dataclass
from typing import TypeVar

from onnx_lint.semantics.domain.keys import key_of
from onnx_lint.semantics.domain.lattice import join, join_all, map_parts, widen, with_addresses
from onnx_lint.semantics.domain.values import UNKNOWN, Address, Alternatives, Instance, Unknown, Value


@dataclass(frozen=True, slots=True, eq=False)
class Cell:
    """What an address holds now, and what it held before it was first written (``None``: nothing)."""

    before: Value | None
    now: Value


K = TypeVar("K")


class Fields(dict[str, Cell]):
    """The attributes of one object that were written. Not changed once it is made."""

    __slots__ = ("_key",)
    _key: Hashable

    def key(self) -> Hashable:
        """What identifies fields that hold the same."""
        try:
            return self._key
        except AttributeError:
            self._key = key_of("fields", frozenset([(name, cell.now.key()) for name, cell in self.items()]))
            return self._key


_NO_FIELDS = Fields()


class Store:
    """`cells` are the contents of lists, dicts, containers of modules and buffers; `fields` the attributes of objects
    that were written."""

    __slots__ = ("_outside", "cells", "fields")

    def __init__(self, cells: Mapping[Address, Cell], fields: Mapping[Address, Fields]) -> None:
        self.cells, self.fields = cells, fields
        self._outside: tuple[object, Hashable] | None = None

    # ------------------------------------------------------------------------------------------------------ reading
    def read(self, value: Value) -> Value:
        """The value as it is now: with what was written into it, and into what it holds."""
        if not self.cells or isinstance(value, Instance) or not value.has_addresses:
            return value
        return self._read(value, {}, set())

    def _read(self, value: Value, done: dict[int, tuple[Value, Value]], active: set[Address]) -> Value:
        if not value.has_addresses or isinstance(value, Instance):
            return value
        known = done.get(id(value))
        if known is not None:
            return known[1]
        current: Value = value
        own = value.addresses
        if own:
            if not active.isdisjoint(own):
                return UNKNOWN  # it holds itself
            written = [self.cells[a].now for a in own if a in self.cells]
            if written:
                current = written[0] if len(own) == 1 else join_all([value, *written]) or UNKNOWN
        active.update(own)
        read = map_parts(current, lambda part: self._read(part, done, active))
        active.difference_update(own)
        done[id(value)] = (value, read)  # kept, so that its identity is not given out again
        return read

    def field(self, instance: Instance, name: str) -> Value | None:
        """What was written to an attribute; ``None`` when nothing was."""
        if not self.fields:
            return None
        written = [self.fields[a][name].now for a in instance.addresses if name in self.fields.get(a, _NO_FIELDS)]
        return None if not written else self.read(join_all(written) or UNKNOWN)

    # ------------------------------------------------------------------------------------------------------ writing
    def written(self, value: Value, content: Value, flow: object) -> Store:
        """The store after the object that `value` is now holds `content`. Where it may be one of several, or stands
        for several, it may still hold what it held."""
        addresses = () if isinstance(value, Alternatives) else value.addresses
        if not addresses:
            return self
        cells = dict(self.cells)
        certain = len(addresses) == 1 and is_one(addresses[0], flow)
        for address in addresses:
            cell = cells.get(address)
            held = value if cell is None else cell.now
            now = content if certain else join(held, content)
            if not isinstance(now, (Alternatives, Unknown)):
                now = with_addresses(now, addresses)
            cells[address] = Cell(value if cell is None else cell.before, now)
        return Store(cells, self.fields)

    def with_field(self, instance: Instance, name: str, value: Value, before: Value | None, flow: object) -> Store:
        """The store after ``instance.name = value``; `before` is what the attribute held at first, if anything."""
        if not instance.addresses:
            return self
        fields = dict(self.fields)
        certain = len(instance.addresses) == 1 and is_one(instance.addresses[0], flow)
        for address in instance.addresses:
            own = Fields(fields.get(address, _NO_FIELDS))
            cell = own.get(name)
            held = before if cell is None else cell.now
            now = value if certain or held is None else join(held, value)
            own[name] = Cell(before if cell is None else cell.before, now)
            fields[address] = own
        return Store(self.cells, fields)

    def put(self, address: Address, name: str | None, before: Value | None, now: Value) -> Store:
        """The store after a call wrote `now` to an object, or to its attribute `name`; `before` is what was there when
        the call began, if anything was."""
        if name is None:
            cell = self.cells.get(address)
            return Store({**self.cells, address: Cell(before if cell is None else cell.before, now)}, self.fields)
        own = self.fields.get(address, _NO_FIELDS)
        cell = own.get(name)
        after = Fields(own)
        after[name] = Cell(before if cell is None else cell.before, now)
        return Store(self.cells, {**self.fields, address: after})

    def content(self, address: Address, name: str | None, later: Store) -> Value | None:
        """What an object or attribute holds that `later` has a cell for: as written here, else as it was at first."""
        if name is None:
            cell = self.cells.get(address)
            return cell.now if cell is not None else later.cells[address].before
        cell = self.fields.get(address, _NO_FIELDS).get(name)
        return cell.now if cell is not None else later.fields[address][name].before

    def settled(self, flow: object, since: int) -> Store:
        """The store without what `flow` made since `since`: what these objects hold is written into the values of
        older ones. Names must be read before."""
        fresh = [a for a in self.cells if a.flow is flow and a.order >= since]
        if not fresh:
            return self
        cells = {
            address: Cell(cell.before, self.read(cell.now))
            for address, cell in self.cells.items()
            if not (address.flow is flow and address.order >= since)
        }
        fields = {
            address: Fields({name: Cell(cell.before, self.read(cell.now)) for name, cell in own.items()})
            for address, own in self.fields.items()
        }
        return Store(cells, fields)

    # ---------------------------------------------------------------------------------------------------- comparing
    def outside(self, flow: object) -> Hashable:
        """A key of what was written to objects that `flow` did not make: whoever runs may read it."""
        if not self.cells and not self.fields:
            return None
        if self._outside is None or self._outside[0] is not flow:
            self._outside = (flow, self._key(lambda address: address.flow is not flow))
        return self._outside[1]

    def is_like(self, other: Store) -> bool:
        """Whether another store says the same of every object."""
        if self is other:
            return True
        if self.cells.keys() != other.cells.keys() or self.fields.keys() != other.fields.keys():
            return False
        return all(
            cell is other.cells[address] or cell.now.key() == other.cells[address].now.key()
            for address, cell in self.cells.items()
        ) and all(
            own is other.fields[address] or own.key() == other.fields[address].key()
            for address, own in self.fields.items()
        )

    def _key(self, wanted: Callable[[Address], bool]) -> Hashable:
        cells = [(address, cell.now.key()) for address, cell in self.cells.items() if wanted(address)]
        fields = [(address, own.key()) for address, own in self.fields.items() if wanted(address)]
        return (frozenset(cells), frozenset(fields)) if cells or fields else None

    def changes(self, since: Store) -> Iterator[tuple[Address, str | None, Value]]:
        """What was written since an earlier store: address, attribute (``None`` for the content) and value."""
        if self.cells is not since.cells:
            for address, cell in self.cells.items():
                if since.cells.get(address) is not cell:
                    yield address, None, cell.now
        if self.fields is not since.fields:
            for address, own in self.fields.items():
                earlier = since.fields.get(address, _NO_FIELDS)
                for name, cell in own.items():
                    if earlier.get(name) is not cell:
                        yield address, name, cell.now


EMPTY = Store({}, {})


def is_one(address: Address, flow: object) -> bool:
    """Whether an address is one object for certain, so that what is written replaces what was there."""
    return address.flow is flow and not address.many


def join_stores(first: Store, second: Store, *, widening: bool = False) -> Store:
    """What holds after either of two ways."""
    if first is second:
        return first
    both = widen if widening else join
    cells: Mapping[Address, Cell] = first.cells
    if first.cells is not second.cells:
        cells = _join_cells(first.cells, second.cells, both)
    fields: Mapping[Address, Fields] = first.fields
    if first.fields is not second.fields:
        joined: dict[Address, Fields] = dict(first.fields)
        for address in dict.fromkeys((*first.fields, *second.fields)):
            one, other = first.fields.get(address, _NO_FIELDS), second.fields.get(address, _NO_FIELDS)
            if one is not other:
                joined[address] = Fields(_join_cells(one, other, both))
        fields = joined
    return Store(cells, fields)


def _join_cells(
    first: Mapping[K, Cell], second: Mapping[K, Cell], both: Callable[[Value, Value], Value]
) -> dict[K, Cell]:
    out = dict(first)
    for key, other in second.items():
        one = first.get(key)
        if one is not other:
            out[key] = _join_cell(one, other, both)
    if len(out) > len(second):
        for key, one in first.items():
            if key not in second:
                out[key] = _join_cell(one, None, both)
    return out


def _join_cell(one: Cell | None, other: Cell | None, both: Callable[[Value, Value], Value]) -> Cell:
    """What holds after either of two ways; one that did not write leaves what was there before, if anything was."""
    cell = one or other
    assert cell is not None
    ways = [v for v in (_now(one, cell), _now(other, cell)) if v is not None]
    now = ways[0] if len(ways) == 1 else both(ways[0], ways[1])
    return one if one is not None and now is one.now else Cell(cell.before, now)


def _now(cell: Cell | None, other: Cell) -> Value | None:
    return cell.now if cell is not None else other.before
