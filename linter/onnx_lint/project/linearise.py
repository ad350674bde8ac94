"""The order in which a class and its bases are searched for a member."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Generic, TypeVar

T = TypeVar("T", bound=Hashable)

MAX_ORDER = 200
"""Classes in one order. A longer chain is nothing that people write, and each class of it has an order of its own."""
_MAX_MERGED = 1_000
"""Entries of the bases' orders that are merged."""


@dataclass(frozen=True, slots=True)
class Order(Generic[T]):
    """A class and its bases, in the order of search."""

    classes: tuple[T, ...]
    is_exact: bool = True
    """Whether this is Python's order; it is not where the source has a cycle, or more classes than are looked at."""
    is_cut: bool = False
    """Whether there were more than `MAX_ORDER` classes."""


def linearise(start: T, bases_of: Callable[[T], Sequence[T]], order_of: Callable[[T], Order[T] | None]) -> Order[T]:
    """The order of `start`: that of Python (C3) where it exists. Where the source has a cycle or the bases are too
    many, depth first, as far as `MAX_ORDER`; that depends on the source only, not on what was asked before.

    `order_of` gives the order of a base: ``None`` if there is none yet and its own bases have to be ordered first. The
    caller then orders the base, which is one step here: a chain is never walked as deep as it is long.
    """
    bases = bases_of(start)
    orders = [order_of(base) for base in bases]
    total = len(bases)
    for order in orders:
        if order is None or not order.is_exact:
            return depth_first(start, bases_of)
        total += len(order.classes)
    if total > _MAX_MERGED:
        return depth_first(start, bases_of)
    if len(orders) == 1 and orders[0] is not None:
        merged: Iterable[T] = (start, *(c for c in orders[0].classes if c != start))
    else:
        merged = _merged(start, [*(list(o.classes) for o in orders if o is not None), list(bases)])
    classes = tuple(islice(merged, MAX_ORDER + 1))
    if len(classes) > MAX_ORDER:
        return depth_first(start, bases_of)
    return Order(classes)


def _merged(start: T, sequences: list[list[T]]) -> list[T]:
    """C3: the first head that stands behind no other; where every head does, the first, as a reader would guess."""
    behind = Counter(c for s in sequences for c in s[1:])
    out = {start: None}
    heads = [0] * len(sequences)
    while True:
        pending = [s[at] for s, at in zip(sequences, heads, strict=True) if at < len(s)]
        if not pending:
            return list(out)
        head = next((c for c in pending if not behind[c]), pending[0])
        out.setdefault(head)
        for number, sequence in enumerate(sequences):
            at = heads[number]
            if at < len(sequence) and sequence[at] == head:
                heads[number] = at + 1
                if at + 1 < len(sequence):
                    behind[sequence[at + 1]] -= 1
            elif behind[head] and head in sequence[at + 1 :]:  # only where there is no C3 order
                sequence[at + 1 :] = [c for c in sequence[at + 1 :] if c != head]
                behind[head] -= 1


def depth_first(start: T, bases_of: Callable[[T], Sequence[T]]) -> Order[T]:
    """Each class before its bases, the first base with all of its own before the second."""
    out: dict[T, None] = {}
    pending = [start]
    while pending and len(out) < MAX_ORDER:
        current = pending.pop()
        if current not in out:
            out[current] = None
            pending += [base for base in reversed(bases_of(current)) if base not in out]
    return Order(tuple(out), is_exact=False, is_cut=any(c not in out for c in pending))
