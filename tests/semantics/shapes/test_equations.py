"""Constraints on sizes: what they determine, what contradicts, what stays open."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from onnx_lint.semantics.domain.dims import Dim, substitute, symbol
from onnx_lint.semantics.domain.equations import Constraint, Equation, Multiple, solve

H = symbol("H", varies=True)
W = symbol("W")
C = symbol("C", varies=False)


def sizes(*constraints: Constraint) -> dict[str, str]:
    return {s.name: str(d) for s, d in solve(constraints).sizes.items()}


def test_a_weight_fixes_a_dimension() -> None:
    assert sizes(Equation(H, 64)) == {"H": "64"}
    assert sizes(Equation(H, C)) == {"H": "C"}


def test_of_two_dimensions_the_less_known_is_replaced() -> None:
    assert sizes(Equation(H, W)) == {"W": "H"}
    assert sizes(Equation(H, W), Equation(H, 8)) == {"W": "8", "H": "8"}


def test_linear_equations_are_solved() -> None:
    assert sizes(Equation(2 * H + 4, 20)) == {"H": "8"}
    assert sizes(Equation(W, 3 * H + 1)) == {"W": "3 * H + 1"}


def test_what_cannot_hold_is_a_contradiction() -> None:
    assert solve([Equation(2 * H, 7)]).contradictions
    assert solve([Equation(H, 8), Equation(H, 9)]).contradictions == (Equation(H, 9),)
    assert solve([Multiple(2 * H + 1, 2)]).contradictions
    assert solve([Equation(symbol("L", low=2), 1)]).contradictions


def test_what_cannot_be_solved_stays_open_under_what_is_known() -> None:
    found = solve([Equation(W, 4), Multiple(H * W, 8), Equation(H * H, 16)])
    assert found.open == (Multiple(4 * H, 8), Equation(H * H, 16))
    assert solve([Equation(H, 8), Multiple(H, 4)]).open == ()


@given(st.integers(-5, 5), st.integers(0, 20), st.integers(-20, 20))
def test_solutions_satisfy_what_they_solve(factor: int, size: int, add: int) -> None:
    left: Dim = factor * H + add
    solution = solve([Equation(left, factor * size + add)])
    assert not solution.contradictions
    assert substitute(left, solution.sizes) == factor * size + add
