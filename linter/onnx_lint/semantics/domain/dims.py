"""Symbolic sizes: integers of which the value is not known but the arithmetic is.

A `Dim` is an ``int``, an `Expression` over symbols, or an `UnknownSize`. Expressions are polynomials with integer
coefficients over atoms: symbols, floor divisions that do not simplify, and ``min``/``max``. They are kept in one normal
form, so that two ways to compute the same size give equal objects: ``(H + 1) // 2 - 1 + 1``, ``ceil_div(H, 2)`` and
``(H - 1) // 2 + 1`` are one. ``a % b`` is ``a - b * (a // b)`` and a ceiling division is a floor division of another
numerator; `str` writes both as a person would.

    H, W = symbol("H", varies=True), symbol("W", varies=True)
    str((H + 2 * 1 - 3) // 2 + 1)      # "ceil(H / 2)"
    (H * W * 64) // (64 * W)           # H
    equal(2 * H, 2 * W + 1)            # False: even and odd
    substitute(H // 2, {H: 7})         # 3

An unknown size absorbs: an operation with one gives one. So does an expression that grows beyond `MAX_WEIGHT`.
Divisors are taken to be other than zero, since a program that divides by zero has no result.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TypeAlias

MAX_WEIGHT = 60
"""How many symbols, numbers and operations an expression may hold before it becomes an `UnknownSize`."""


@dataclass(frozen=True, slots=True)
class UnknownSize:
    """A size of which only is known whether it changes between runs; two of them need not be equal.

    `varies`: True, it may; False, it is a fixed number of the model; None, nothing is known.
    """

    varies: bool | None = None

    def __str__(self) -> str:
        return "?"

    def __add__(self, other: Dim) -> Dim:
        return UnknownSize(_any_varies((self, other)))

    def __mul__(self, other: Dim) -> Dim:
        return 0 if other == 0 and isinstance(other, int) else self + other

    __radd__ = __sub__ = __rsub__ = __floordiv__ = __rfloordiv__ = __mod__ = __rmod__ = __add__
    __rmul__ = __mul__

    def __neg__(self) -> Dim:
        return self


UNKNOWN_SIZE = UnknownSize(None)
VARYING_SIZE = UnknownSize(True)
FIXED_SIZE = UnknownSize(False)


@dataclass(frozen=True, slots=True)
class Symbol:
    """A named size. Two symbols are one when all their fields are equal; `scope` separates equal names.

    `low` and `high` bound it, both included. `varies` is as in `UnknownSize`.
    """

    name: str
    scope: str = ""
    low: int = 0
    high: int | None = None
    varies: bool | None = None

    @property
    def key(self) -> str:
        return f"{self.name}\0{self.scope}\0{self.low}\0{self.high}\0{self.varies}"

    weight = 1


@dataclass(frozen=True, slots=True)
class Quotient:
    """``numerator // divisor`` that does not simplify; the divisor is an expression or at least 2."""

    numerator: Dim
    divisor: Dim

    @property
    def key(self) -> str:
        return f"\1({_key(self.numerator)}//{_key(self.divisor)})"

    @property
    def weight(self) -> int:
        return 1 + _weight(self.numerator) + _weight(self.divisor)


@dataclass(frozen=True, slots=True)
class Extremum:
    """``min`` or ``max`` of at least two different sizes, in order of their keys."""

    is_max: bool
    arguments: tuple[Dim, ...]

    @property
    def key(self) -> str:
        return f"\2{self.is_max}({','.join(map(_key, self.arguments))})"

    @property
    def weight(self) -> int:
        return 1 + sum(map(_weight, self.arguments))


Atom: TypeAlias = Symbol | Quotient | Extremum
Monomial: TypeAlias = tuple[tuple[Atom, int], ...]
"""Atoms with their powers, in order of their keys; empty for the constant."""


class Expression:
    """A polynomial over atoms that is not a plain number. Made by arithmetic and by `symbol` only."""

    __slots__ = ("_hash", "key", "terms", "weight")

    def __init__(self, terms: tuple[tuple[Monomial, int], ...]) -> None:
        self.terms = terms
        self.key = "+".join(f"{n}*{_monomial_key(m)}" for m, n in terms)
        self.weight = sum(1 + sum(a.weight for a, _ in m) for m, _ in terms)
        self._hash = hash(self.key)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Expression) and self.key == other.key

    def __hash__(self) -> int:
        return self._hash

    def __repr__(self) -> str:
        return f"<{self}>"

    def __str__(self) -> str:
        return _written(self)

    @property
    def symbol(self) -> Symbol | None:
        """The symbol, if that is all there is."""
        ((monomial, factor), *rest) = self.terms
        if rest or factor != 1 or len(monomial) != 1 or monomial[0][1] != 1:
            return None
        return monomial[0][0] if isinstance(monomial[0][0], Symbol) else None

    def __add__(self, other: Dim) -> Dim:
        return other + self if isinstance(other, UnknownSize) else _made([*self.terms, *_terms(other)])

    def __mul__(self, other: Dim) -> Dim:
        if isinstance(other, UnknownSize):
            return other * self
        return _made((_product(m, n), a * b) for m, a in self.terms for n, b in _terms(other))

    def __sub__(self, other: Dim) -> Dim:
        return self + -other

    def __rsub__(self, other: Dim) -> Dim:
        return -self + other

    def __neg__(self) -> Dim:
        return self * -1

    def __floordiv__(self, other: Dim) -> Dim:
        return floor_div(self, other)

    def __rfloordiv__(self, other: Dim) -> Dim:
        return floor_div(other, self)

    def __mod__(self, other: Dim) -> Dim:
        return self - floor_div(self, other) * other

    def __rmod__(self, other: Dim) -> Dim:
        return other - floor_div(other, self) * self

    __radd__ = __add__
    __rmul__ = __mul__


Dim: TypeAlias = int | Expression | UnknownSize


def symbol(
    name: str, *, scope: str = "", low: int = 0, high: int | None = None, varies: bool | None = None
) -> Expression:
    """A size by name. `scope` separates symbols of equal name; `varies` is as in `UnknownSize`."""
    return Expression(((((Symbol(name, scope, low, high, varies), 1),), 1),))


# ---- normal form ----


def _key(dim: Dim) -> str:
    return dim.key if isinstance(dim, Expression) else str(dim)


def _weight(dim: Dim) -> int:
    return dim.weight if isinstance(dim, Expression) else 1


def _monomial_key(monomial: Monomial) -> str:
    return "*".join(f"{atom.key}^{power}" for atom, power in monomial)


def _degree(monomial: Monomial) -> int:
    return sum(power for _, power in monomial)


def _order(term: tuple[Monomial, int]) -> tuple[int, list[tuple[str, int]]]:
    """By degree, then by powers of the first atom, of the second, …: what exact division needs to come to an end."""
    return -_degree(term[0]), [(atom.key, -power) for atom, power in term[0]]


def _product(left: Monomial, right: Monomial) -> Monomial:
    if not left or not right:
        return left or right
    powers = dict(left)
    for atom, power in right:
        powers[atom] = powers.get(atom, 0) + power
    return tuple(sorted(powers.items(), key=lambda item: item[0].key))


def _terms(dim: int | Expression) -> tuple[tuple[Monomial, int], ...]:
    if isinstance(dim, Expression):
        return dim.terms
    return (((), dim),) if dim else ()


def _made(terms: Iterable[tuple[Monomial, int]]) -> Dim:
    """The sum of terms in normal form."""
    total: dict[Monomial, int] = {}
    for monomial, factor in terms:
        total[monomial] = total.get(monomial, 0) + factor
    left = [(m, n) for m, n in total.items() if n]
    halves = {a.key: a for a in (_lone_quotient(m) for m, _ in left) if a is not None and a.divisor == 2}
    for monomial, factor in left if len(halves) > 1 else ():
        half = _lone_quotient(monomial)
        if half is not None and half.divisor == 2:
            lower = Quotient(half.numerator - 1, 2)
            if lower.key in halves:  # ceil(n / 2) is n - n // 2
                rest = [(m, n) for m, n in left if m != monomial]
                number = lower.numerator - _atom(lower)
                assert not isinstance(number, UnknownSize)
                return _made([*rest, *((m, n * factor) for m, n in _terms(number))])
    if not left:
        return 0
    if len(left) == 1 and not left[0][0]:
        return left[0][1]
    made = Expression(tuple(sorted(left, key=_order)))
    return made if made.weight <= MAX_WEIGHT else UnknownSize(varies(made))


def _lone_quotient(monomial: Monomial) -> Quotient | None:
    if len(monomial) == 1 and monomial[0][1] == 1 and isinstance(monomial[0][0], Quotient):
        return monomial[0][0]
    return None


def _atom(atom: Atom) -> Dim:
    return _made([(((atom, 1),), 1)])


def _constant(dim: int | Expression) -> int:
    terms = _terms(dim)
    return terms[-1][1] if terms and not terms[-1][0] else 0


# ---- division ----


def floor_div(left: Dim, right: Dim) -> Dim:
    """``left // right`` as Python rounds, towards minus infinity.

    Raises:
        ZeroDivisionError: `right` is the number 0.
    """
    if isinstance(left, int) and isinstance(right, int):
        return left // right
    if isinstance(right, int):
        if right == 0:
            raise ZeroDivisionError("division of a size by zero")
        if isinstance(left, UnknownSize):
            return left
        assert isinstance(left, Expression)
        return _divide_by_number(left, right) if right > 0 else floor_div(-left, -right)
    if isinstance(left, UnknownSize) or isinstance(right, UnknownSize):
        return left + right
    return _divide_by_expression(left, right)


def ceil_div(left: Dim, right: Dim) -> Dim:
    """``left / right`` rounded towards plus infinity."""
    return -floor_div(-left, right)


def _divide_by_number(left: Expression, by: int) -> Dim:
    """Takes out what divides, makes the leading factor positive and at most ``by / 2``, cancels, and flattens."""
    whole: list[tuple[Monomial, int]] = []
    rest: list[tuple[Monomial, int]] = []
    leading = next((n for m, n in left.terms if m and n % by), 0)
    sign = -1 if 2 * (leading % by) > by - (leading < 0) else 1
    for monomial, factor in left.terms:
        if not monomial:
            continue
        remainder = sign * factor % by
        remainder -= by if 2 * remainder > by else 0
        whole.append((monomial, (factor - sign * remainder) // by))
        rest.append((monomial, remainder))
    constant = _constant(left) if sign == 1 else by - 1 - _constant(left)
    outside = _made([*whole, ((), sign * (constant // by))])
    inside = _made([*rest, ((), constant % by)])
    if isinstance(inside, UnknownSize) or isinstance(outside, UnknownSize):
        return outside + inside
    return outside + sign * _quotient(inside, by)


def _quotient(left: int | Expression, by: int) -> Dim:
    """``left // by`` for factors that are already reduced."""
    if isinstance(left, int):
        return left // by
    common = math.gcd(by, *(n for m, n in left.terms if m))
    if common > 1:
        left_reduced = _made((m, n // common) for m, n in left.terms)
        return floor_div(left_reduced, by // common)
    candidates = [(q, n) for m, n in left.terms if abs(n) == 1 and (q := _lone_quotient(m)) is not None]
    nested = [(q, n) for q, n in candidates if isinstance(q.divisor, int)]
    if len(nested) == 1:  # floor((n // d + r) / b) is floor((n + r * d) / (b * d))
        atom, sign = nested[0]
        divisor = atom.divisor
        numerator = atom.numerator if sign == 1 else -atom.numerator + (divisor - 1)
        return floor_div(numerator + (left - sign * _atom(atom)) * divisor, by * divisor)
    low, high = bounds(left)
    if low is not None and high is not None and low // by == high // by:
        return low // by
    return _atom(Quotient(left, by))


def _divide_by_expression(left: int | Expression, by: Expression) -> Dim:
    if by.terms[0][1] < 0:
        return floor_div(-left, -by)
    if left == 0:
        return 0
    exact = _exact(left, by)
    if exact is not None:
        return exact
    if len(by.terms) == 1:  # floor((q * s + r) / q) is s + floor(r / q)
        divides = [(m, n) for m, n in _terms(left) if _over((m, n), by.terms[0]) is not None]
        if divides:
            part = _made(divides)
            return floor_div(part, by) + floor_div(left - part, by)
    cancelled = _cancel(left, by)
    if cancelled is not None:
        return floor_div(*cancelled)
    if less_equal(0, left) and less(left, by):
        return 0
    return _atom(Quotient(left, by))


def _over(term: tuple[Monomial, int], by: tuple[Monomial, int]) -> tuple[Monomial, int] | None:
    """The quotient of two terms, if it is one."""
    if term[1] % by[1]:
        return None
    powers = dict(term[0])
    for atom, power in by[0]:
        if powers.get(atom, 0) < power:
            return None
        powers[atom] -= power
    return tuple((a, p) for a, p in powers.items() if p), term[1] // by[1]


def _exact(left: int | Expression, by: Expression) -> Dim | None:
    """The polynomial quotient, if there is no remainder."""
    total: Dim = 0
    rest: Dim = left
    while isinstance(rest, Expression):
        term = _over(rest.terms[0], by.terms[0])
        if term is None:
            return None
        part = _made([term])
        total, rest = total + part, rest - part * by
    return total if rest == 0 and isinstance(rest, int) else None


def _cancel(left: int | Expression, by: Expression) -> tuple[Dim, Dim] | None:
    """Both without their common factors; None if there are none."""
    terms = [*_terms(left), *by.terms]
    number = math.gcd(*(n for _, n in terms))
    shared = {a: min(dict(m).get(a, 0) for m, _ in terms) for a, _ in terms[0][0]}
    factor: Monomial = tuple((a, p) for a, p in shared.items() if p)
    if number == 1 and not factor:
        return None
    divided = [_over(t, (factor, number)) for t in terms]
    kept = [t for t in divided if t is not None]
    return _made(kept[: -len(by.terms)]), _made(kept[-len(by.terms) :])


# ---- min and max ----


def minimum(*arguments: Dim) -> Dim:
    """The smallest of sizes."""
    return _extremum(False, arguments)


def maximum(*arguments: Dim) -> Dim:
    """The largest of sizes."""
    return _extremum(True, arguments)


def _extremum(is_max: bool, arguments: tuple[Dim, ...]) -> Dim:
    kept: list[int | Expression] = []
    for argument in _flattened(is_max, arguments):
        if isinstance(argument, UnknownSize):
            return UnknownSize(_any_varies(arguments))
        if any(_reaches(is_max, other, argument) for other in kept):
            continue
        kept = [other for other in kept if not _reaches(is_max, argument, other)] + [argument]
    if len(kept) == 1:
        return kept[0]
    return _atom(Extremum(is_max, tuple(sorted(kept, key=_key))))


def _flattened(is_max: bool, arguments: tuple[Dim, ...]) -> Iterator[Dim]:
    for argument in arguments:
        if isinstance(argument, Expression) and len(argument.terms) == 1:
            monomial, factor = argument.terms[0]
            atom = monomial[0][0]
            if factor == 1 and len(monomial) == 1 and monomial[0][1] == 1:
                if isinstance(atom, Extremum) and atom.is_max == is_max:
                    yield from atom.arguments
                    continue
        yield argument


def _reaches(is_max: bool, left: Dim, right: Dim) -> bool:
    return less_equal(right, left) is True if is_max else less_equal(left, right) is True


# ---- what is known of a size ----


def varies(dim: Dim) -> bool | None:
    """Whether a size may change between runs: True, False, or None where that is not known."""
    if isinstance(dim, int):
        return False
    if isinstance(dim, UnknownSize):
        return dim.varies
    found = {s.varies for s in symbols(dim)}
    return True if True in found else None if None in found else False


def _any_varies(arguments: Iterable[Dim]) -> bool | None:
    """Of the result of an operation with an unknown size: it varies surely only if no part is in doubt."""
    found = {varies(a) for a in arguments}
    return None if None in found else True in found


def symbols(dim: Dim) -> frozenset[Symbol]:
    """All symbols in a size."""
    return frozenset(_symbols(dim))


def _symbols(dim: Dim) -> Iterator[Symbol]:
    if isinstance(dim, Expression):
        for monomial, _ in dim.terms:
            for atom, _ in monomial:
                if isinstance(atom, Symbol):
                    yield atom
                elif isinstance(atom, Quotient):
                    yield from _symbols(atom.numerator)
                    yield from _symbols(atom.divisor)
                else:
                    for argument in atom.arguments:
                        yield from _symbols(argument)


Bounds: TypeAlias = tuple[int | None, int | None]


def bounds(dim: Dim) -> Bounds:
    """The smallest and the largest value that a size can have, None where there is no limit."""
    if isinstance(dim, int):
        return dim, dim
    if isinstance(dim, UnknownSize):
        return None, None
    low, high = _sum_bounds(_scaled(_monomial_bounds(m), n) for m, n in dim.terms)
    for factor, atom, rest in remainders(dim):
        assert isinstance(atom.divisor, int)
        other = _sum_bounds([_scaled((0, atom.divisor - 1), factor), bounds(rest)])
        low = other[0] if low is None else low if other[0] is None else max(low, other[0])
        high = other[1] if high is None else high if other[1] is None else min(high, other[1])
    return low, high


def remainders(dim: Expression) -> Iterator[tuple[int, Quotient, Dim]]:
    """The ways to read `dim` as ``factor * (numerator % divisor) + rest`` with a simpler rest, divisors numbers."""
    for monomial, factor in dim.terms:
        atom = _lone_quotient(monomial)
        if atom is None or not isinstance(atom.divisor, int) or factor % atom.divisor:
            continue
        times = -factor // atom.divisor
        rest = dim - (atom.numerator - _atom(atom) * atom.divisor) * times
        if isinstance(rest, int) or (isinstance(rest, Expression) and rest.weight < dim.weight):
            yield times, atom, rest


def _sum_bounds(parts: Iterable[Bounds]) -> Bounds:
    low: int | None = 0
    high: int | None = 0
    for a, b in parts:
        low = None if low is None or a is None else low + a
        high = None if high is None or b is None else high + b
    return low, high


def _scaled(of: Bounds, factor: int) -> Bounds:
    low, high = (None if b is None else b * factor for b in of)
    return (low, high) if factor >= 0 else (high, low)


def _monomial_bounds(monomial: Monomial) -> Bounds:
    total: Bounds = (1, 1)
    for atom, power in monomial:
        for _ in range(power):
            total = _product_bounds(total, _atom_bounds(atom))
    return total


def _product_bounds(left: Bounds, right: Bounds) -> Bounds:
    if left[0] is not None and right[0] is not None and left[0] >= 0 and right[0] >= 0:
        return left[0] * right[0], None if left[1] is None or right[1] is None else left[1] * right[1]
    ends = [None if a is None or b is None else a * b for a in left for b in right]
    known = [e for e in ends if e is not None]
    return (min(known), max(known)) if len(known) == len(ends) else (None, None)


def _atom_bounds(atom: Atom) -> Bounds:
    if isinstance(atom, Symbol):
        return atom.low, atom.high
    if isinstance(atom, Quotient):
        low, high = bounds(atom.numerator)
        least, most = bounds(atom.divisor)
        if least is not None and least == most:
            return None if low is None else low // least, None if high is None else high // least
        if low is not None and low >= 0 and least is not None and least >= 0:  # it is not 0, else there is no result
            return 0, None if high is None else high // max(least, 1)
        return None, None
    lows, highs = zip(*(bounds(a) for a in atom.arguments), strict=True)
    if atom.is_max:
        return max((v for v in lows if v is not None), default=None), None if None in highs else max(highs)
    return None if None in lows else min(lows), min((v for v in highs if v is not None), default=None)


def equal(left: Dim, right: Dim) -> bool | None:
    """Whether two sizes are the same in every run (True), in none (False), or neither is known (None)."""
    difference = left - right
    if isinstance(difference, int):
        return difference == 0
    if isinstance(difference, UnknownSize):
        return None
    low, high = bounds(difference)
    if (low is not None and low > 0) or (high is not None and high < 0):
        return False
    common = math.gcd(*(n for m, n in difference.terms if m))
    return False if _constant(difference) % common else None


def less_equal(left: Dim, right: Dim) -> bool | None:
    """Whether ``left <= right`` in every run (True), in none (False), or neither is known (None)."""
    low, high = bounds(right - left)
    return True if low is not None and low >= 0 else False if high is not None and high < 0 else None


def less(left: Dim, right: Dim) -> bool | None:
    """Whether ``left < right`` in every run (True), in none (False), or neither is known (None)."""
    return less_equal(left + 1, right)


def substitute(dim: Dim, sizes: Mapping[Symbol, Dim]) -> Dim:
    """`dim` with symbols replaced, in normal form; numbers for all symbols give a number.

    Raises:
        ZeroDivisionError: a divisor became zero.
    """
    if not isinstance(dim, Expression):
        return dim
    total: Dim = 0
    for monomial, factor in dim.terms:
        term: Dim = factor
        for atom, power in monomial:
            value = _substitute_atom(atom, sizes)
            for _ in range(power):
                term = term * value
        total = total + term
    return total


def _substitute_atom(atom: Atom, sizes: Mapping[Symbol, Dim]) -> Dim:
    if isinstance(atom, Symbol):
        value = sizes.get(atom)
        return _atom(atom) if value is None else value
    if isinstance(atom, Quotient):
        return floor_div(substitute(atom.numerator, sizes), substitute(atom.divisor, sizes))
    return _extremum(atom.is_max, tuple(substitute(a, sizes) for a in atom.arguments))


# ---- text ----


def _written(dim: Expression) -> str:
    for factor, atom, rest in remainders(dim):
        if factor > 0:
            inner = f"{_operand(atom.numerator)} % {atom.divisor}"
            text = inner if factor == 1 else f"{factor} * ({inner})"
            return text if rest == 0 and isinstance(rest, int) else _joined(text, rest)
    ordered = sorted(dim.terms, key=lambda t: (not t[0], t[1] < 0))
    text = ""
    for monomial, factor in ordered:
        part = _term(monomial, abs(factor), alone=bool(text) or factor > 0)
        if not text:
            text = f"-{part}" if factor < 0 else part
        else:
            text += f" {'-' if factor < 0 else '+'} {part}"
    return text


def _joined(text: str, rest: Dim) -> str:
    more = str(rest)
    return f"{text} - {more[1:]}" if more.startswith("-") else f"{text} + {more}"


def _term(monomial: Monomial, factor: int, alone: bool) -> str:
    alone = alone and factor == 1 and _degree(monomial) == 1
    ordered = sorted(monomial, key=lambda part: not isinstance(part[0], Symbol))
    parts = [_atom_text(a, alone) for a, power in ordered for _ in range(power)]
    return " * ".join(([str(factor)] if factor != 1 or not parts else []) + parts)


def _atom_text(atom: Atom, alone: bool) -> str:
    if isinstance(atom, Symbol):
        return atom.name
    if isinstance(atom, Extremum):
        return f"{'max' if atom.is_max else 'min'}({', '.join(map(str, atom.arguments))})"
    if isinstance(atom.divisor, int) and isinstance(atom.numerator, Expression):
        if _constant(atom.numerator) == atom.divisor - 1:
            return f"ceil({_operand(atom.numerator - (atom.divisor - 1))} / {atom.divisor})"
    text = f"{_operand(atom.numerator)} // {_operand(atom.divisor, divides=True)}"
    return text if alone else f"({text})"


def _operand(dim: Dim, divides: bool = False) -> str:
    """The text of the left or the right side of a division."""
    simple = (isinstance(dim, int) and dim >= 0) or (
        isinstance(dim, Expression) and len(dim.terms) == 1 and dim.terms[0][1] > 0
        and (not divides or (dim.terms[0][1] == 1 and _degree(dim.terms[0][0]) == 1))
        and not any(isinstance(a, Quotient) for a, _ in dim.terms[0][0])
    )  # fmt: skip
    return str(dim) if simple else f"({dim})"
