"""What a program demands of sizes, and what follows from it.

A call states `Equation`s and `Multiple`s of the sizes that it is given. `solve` turns them into substitutions of
symbols, finds contradictions, and keeps what it cannot solve.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import TypeAlias

from onnx_lint.semantics.domain.dims import (
    Dim,
    Expression,
    Symbol,
    UnknownSize,
    equal,
    floor_div,
    substitute,
    symbol,
    symbols,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Equation:
    """Two sizes that are equal in every run that does not fail; `reason` names the demand, in a few words."""

    left: Dim
    right: Dim
    reason: str = ""

    def __str__(self) -> str:
        return f"{self.left} == {self.right}"


@dataclass(frozen=True, slots=True)
class Multiple:
    """A size that is a multiple of another one in every run that does not fail."""

    dim: Dim
    of: Dim
    reason: str = ""

    def __str__(self) -> str:
        return f"{self.dim} % {self.of} == 0"


Constraint: TypeAlias = Equation | Multiple


@dataclass(frozen=True, slots=True)
class Solution:
    """What follows from constraints: sizes of symbols, those that cannot hold, and those that remain."""

    sizes: dict[Symbol, Dim]
    contradictions: tuple[Constraint, ...]
    open: tuple[Constraint, ...]


def solve(constraints: Iterable[Constraint]) -> Solution:
    """Solves constraints one after the other, each under the substitutions of those before it."""
    sizes: dict[Symbol, Dim] = {}
    contradictions: list[Constraint] = []
    left: list[Constraint] = []
    for constraint in constraints:
        if isinstance(constraint, Multiple):
            now: Constraint = replace(
                constraint, dim=substitute(constraint.dim, sizes), of=substitute(constraint.of, sizes)
            )
            holds = _is_multiple(now.dim, now.of) if isinstance(now, Multiple) else None
            if holds is None:
                left.append(now)
            elif holds is False:
                contradictions.append(constraint)
            continue
        a, b = substitute(constraint.left, sizes), substitute(constraint.right, sizes)
        same = equal(a, b)
        if same is False:
            contradictions.append(constraint)
        elif same is None:
            found = solved(a, b)
            if found is None:
                left.append(replace(constraint, left=a, right=b))
            else:
                sizes = {s: substitute(d, found) for s, d in sizes.items()} | found
    return Solution(sizes, tuple(contradictions), tuple(left))


def _is_multiple(dim: Dim, of: Dim) -> bool | None:
    if isinstance(of, int) and of == 0:
        return None
    return equal(dim - floor_div(dim, of) * of, 0)


_RANK = {None: 0, True: 1, False: 2}


def solved(left: Dim, right: Dim) -> dict[Symbol, Dim] | None:
    """The substitution that makes two sizes equal, None if there is no simple one.

    One symbol is replaced: one of which is not known whether it varies before one that does, and that before a fixed
    number of the model, since an equation with a fixed number means that a size does not vary after all.
    """
    difference = left - right
    if not isinstance(difference, Expression):
        return None
    best: tuple[tuple[int, bool, str], Symbol, Dim] | None = None
    for monomial, factor in difference.terms:
        if len(monomial) != 1 or monomial[0][1] != 1 or not isinstance(monomial[0][0], Symbol):
            continue
        found = monomial[0][0]
        rest = difference - symbol_of(found) * factor
        if isinstance(rest, UnknownSize) or found in symbols(rest):
            continue
        value = floor_div(-rest, factor)
        if equal(value * factor, -rest) is not True:
            continue
        rank = (_RANK[found.varies], not isinstance(value, int), found.key)
        if best is None or rank < best[0]:
            best = rank, found, value
    return {best[1]: best[2]} if best is not None else None


def symbol_of(found: Symbol) -> Expression:
    """The size that is this symbol."""
    return symbol(found.name, scope=found.scope, low=found.low, high=found.high, varies=found.varies)
