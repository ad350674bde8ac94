"""Symbolic sizes: laws over random expressions, compared with Python's own integers, and how sizes are written."""

from __future__ import annotations

import math
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from onnx_lint.semantics.domain import dims
from onnx_lint.semantics.domain.dims import (
    FIXED_SIZE,
    UNKNOWN_SIZE,
    VARYING_SIZE,
    Dim,
    Symbol,
    UnknownSize,
    bounds,
    ceil_div,
    equal,
    floor_div,
    less,
    less_equal,
    maximum,
    minimum,
    substitute,
    symbol,
    symbols,
    varies,
)  # fmt: skip

H = symbol("H", varies=True)
W = symbol("W", varies=True, low=1)
C = symbol("C", varies=False, low=2, high=9)
N = symbol("N", low=-3)
NAMES = {s: s.symbol for s in (H, W, C, N)}
RANGES = {"H": (0, 40), "W": (1, 40), "C": (2, 9), "N": (-3, 30)}

# A tree: a number, a name, or an operation with two trees.
TREES = st.recursive(
    st.integers(-9, 9) | st.sampled_from("HWCN"),
    lambda t: st.tuples(st.sampled_from(["+", "-", "*", "//", "%", "ceil", "min", "max"]), t, t),
    max_leaves=7,
)
SIZES = st.fixed_dictionaries({n: st.integers(*r) for n, r in RANGES.items()})
OPERATIONS: dict[str, Any] = {
    "+": lambda a, b: a + b,
    "-": lambda a, b: a - b,
    "*": lambda a, b: a * b,
    "//": lambda a, b: a // b,
    "%": lambda a, b: a % b,
    "ceil": ceil_div,
    "min": minimum,
    "max": maximum,
}


def computed(tree: Any, leaves: dict[str, Any]) -> Any:
    """A tree evaluated, with dims or with numbers."""
    if isinstance(tree, tuple):
        return OPERATIONS[tree[0]](computed(tree[1], leaves), computed(tree[2], leaves))
    return leaves[tree] if isinstance(tree, str) else tree


def number(tree: Any, sizes: dict[str, int]) -> int:
    """A tree evaluated by Python; what divides by zero is not assumed."""
    plain = dict(OPERATIONS, ceil=lambda a, b: -(-a // b), min=min, max=max)
    if not isinstance(tree, tuple):
        return sizes[tree] if isinstance(tree, str) else tree
    left, right = number(tree[1], sizes), number(tree[2], sizes)
    assume(right != 0 or tree[0] not in ("//", "%", "ceil"))
    return plain[tree[0]](left, right)


LEAVES = {"H": H, "W": W, "C": C, "N": N}


def symbolic(tree: Any) -> Dim:
    try:
        return computed(tree, LEAVES)
    except ZeroDivisionError:
        assume(False)
        raise


def of(sizes: dict[str, int]) -> dict[Symbol, Dim]:
    return {s: sizes[s.name] for s in NAMES.values() if s is not None}


@given(TREES, SIZES)
def test_substituting_numbers_gives_what_python_computes(tree: Any, sizes: dict[str, int]) -> None:
    expected = number(tree, sizes)
    dim = symbolic(tree)
    if not isinstance(dim, UnknownSize):
        assert substitute(dim, of(sizes)) == expected


@given(TREES, TREES, SIZES)
def test_substitution_commutes_with_substitution_of_expressions(tree: Any, inner: Any, sizes: dict[str, int]) -> None:
    at = number(inner, sizes)
    expected = number(tree, {**sizes, "H": at})
    dim, replacement = symbolic(tree), symbolic(inner)
    free = symbol("H", low=-(10**9))
    dim = computed(tree, {**LEAVES, "H": free})
    assume(not isinstance(dim, UnknownSize) and free.symbol is not None)
    try:
        replaced = substitute(dim, {free.symbol: replacement})
    except ZeroDivisionError:
        assume(False)
    if not isinstance(replaced, UnknownSize):
        assert substitute(replaced, of(sizes)) == expected


@given(TREES, SIZES)
def test_bounds_hold(tree: Any, sizes: dict[str, int]) -> None:
    value = number(tree, sizes)
    low, high = bounds(symbolic(tree))
    assert low is None or low <= value
    assert high is None or value <= high


@given(TREES, TREES, SIZES)
def test_comparisons_are_never_wrong(left: Any, right: Any, sizes: dict[str, int]) -> None:
    a, b = number(left, sizes), number(right, sizes)
    x, y = symbolic(left), symbolic(right)
    assert equal(x, y) in (None, a == b)
    assert less(x, y) in (None, a < b)
    assert less_equal(x, y) in (None, a <= b)


@pytest.mark.parametrize("whole", [H, H + W, 3 * H - 1, H * W], ids=str)
def test_the_two_halves_of_a_size_make_it_up(whole: Dim) -> None:
    assert equal(whole // 2 + ceil_div(whole, 2), whole) is True
    assert equal(whole - whole // 2, ceil_div(whole, 2)) is True


POLYNOMIALS = st.recursive(
    st.integers(-9, 9) | st.sampled_from("HWCN"),
    lambda t: st.tuples(st.sampled_from("+-*"), t, t),
    max_leaves=6,
)


@given(POLYNOMIALS, POLYNOMIALS, POLYNOMIALS)
def test_one_normal_form_for_equal_polynomials(a: Any, b: Any, c: Any) -> None:
    x, y, z = symbolic(a), symbolic(b), symbolic(c)
    whole = (x + y) * z
    assume(not isinstance(whole, UnknownSize))
    assert whole == z * y + x * z
    assert whole - y * z == x * z
    assert (x + y) - x == y
    assert hash(whole) == hash(x * z + y * z)


@given(POLYNOMIALS, st.integers(1, 9), st.integers(1, 9), st.integers(-20, 20))
def test_one_normal_form_for_division_by_numbers(tree: Any, by: int, then: int, add: int) -> None:
    x = symbolic(tree)
    assume(not isinstance(x * (by * then), UnknownSize))
    assert (x + add * by) // by == x // by + add
    assert (x * then) // (by * then) == x // by
    assert floor_div(-x, -by) == x // by
    assert ceil_div(x, by) == (x + by - 1) // by
    assert (x // by) * by + x % by == x
    assert (x * by) % by == 0


@given(POLYNOMIALS, POLYNOMIALS)
def test_what_divides_exactly_is_divided(a: Any, b: Any) -> None:
    x, y = symbolic(a), symbolic(b)
    assume(y != 0 and not isinstance(x * y, UnknownSize))
    assert floor_div(x * y, y) == x


@given(TREES, SIZES)
def test_the_text_of_a_size_evaluates_to_the_size(tree: Any, sizes: dict[str, int]) -> None:
    expected = number(tree, sizes)
    dim = symbolic(tree)
    if not isinstance(dim, UnknownSize):
        exact = {name: Fraction(n) for name, n in sizes.items()}
        assert eval(str(dim), {"ceil": math.ceil, "min": min, "max": max, **exact}) == expected


@given(TREES)
def test_a_size_varies_exactly_if_one_of_its_symbols_does(tree: Any) -> None:
    dim = symbolic(tree)
    assume(not isinstance(dim, UnknownSize))
    kinds = {s.varies for s in symbols(dim)}
    assert varies(dim) is (True if True in kinds else None if None in kinds else False)


@pytest.mark.parametrize(
    ("dim", "text"),
    [
        (H // 2, "H // 2"),
        (3 * W + 1, "3 * W + 1"),
        ((H + 2 - 3) // 2 + 1, "ceil(H / 2)"),
        (((H + 6 - 7) // 2 + 1 + 2 - 3) // 2 + 1, "ceil(H / 4)"),
        (H // 2 // 2 // 2, "H // 8"),
        (H % 8, "H % 8"),
        (H + (8 - H % 8) % 8, "8 * ceil(H / 8)"),
        ((H * W * 64) // (64 * W), "H"),
        ((H * W) // 64, "H * W // 64"),
        ((H // 2) * (W // 2), "(H // 2) * (W // 2)"),
        (2 * (H // 2), "2 * (H // 2)"),
        (H * W // C, "H * W // C"),
        (H // (W * C), "H // (C * W)"),
        (H - W, "H - W"),
        (W - H, "W - H"),
        (-H, "-H"),
        (minimum(H, 512), "min(H, 512)"),
        (maximum(H, H + 3, 1), "H + 3"),
        (H % W, "H - W * (H // W)"),
        (UNKNOWN_SIZE + H, "?"),
    ],
)
def test_sizes_are_written_as_a_person_would(dim: Dim, text: str) -> None:
    assert str(dim) == text


def test_symbols_of_one_name_and_other_scopes_differ() -> None:
    here, there = symbol("H", scope="a"), symbol("H", scope="b")
    assert here != there
    assert equal(here, there) is None
    assert str(here) == str(there)


def test_what_is_known_of_unknown_sizes() -> None:
    assert varies(VARYING_SIZE + 3) is True
    assert varies(FIXED_SIZE * C) is False
    assert varies(FIXED_SIZE + UNKNOWN_SIZE) is None
    assert varies(H // FIXED_SIZE) is True
    assert varies(VARYING_SIZE - UNKNOWN_SIZE) is None
    assert UNKNOWN_SIZE * 0 == 0
    assert equal(UNKNOWN_SIZE, UNKNOWN_SIZE) is None


def test_an_expression_that_grows_too_large_becomes_unknown_and_keeps_whether_it_varies() -> None:
    total: Dim = 0
    for n in range(2, dims.MAX_WEIGHT):
        total = total + H // n
    assert total == VARYING_SIZE


def test_division_by_zero_is_an_error_as_in_python() -> None:
    with pytest.raises(ZeroDivisionError):
        floor_div(H, 0)
