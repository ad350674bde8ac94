"""No input takes time or memory out of proportion to its size: cost is linear, or bounded and reported."""

from __future__ import annotations

import sys

import pytest
from robustness.growth import GROWTHS, Cost, Growth, exponent, measured

MOST = 1.3
"""The exponent up to which a measured cost counts as linear: caches, and the noise of other processes."""
CHEAP = 0.4
"""Seconds below which a cost is not compared: an input of this size is no attack."""
LIMIT = 20.0
"""Seconds for one input."""


@pytest.mark.slow
@pytest.mark.alone
@pytest.mark.skipif(sys.platform == "win32", reason="the peak of memory is asked of the module `resource`")
@pytest.mark.parametrize("name", list(GROWTHS))
def test_cost_is_linear_or_bounded(name: str) -> None:
    growth = GROWTHS[name]
    costs = _costs(name, growth)
    for _ in range(2):  # a noisy machine makes a run dearer, never cheaper: the cheapest of each size counts
        if costs[-1].seconds < CHEAP or exponent(costs) < MOST:
            break
        costs = [min(pair, key=lambda cost: cost.seconds) for pair in zip(costs, _costs(name, growth), strict=True)]
    if growth.is_bounded:
        assert "ONX009" in costs[-1].codes, "what was left out is reported"
    assert costs[-1].seconds < CHEAP or exponent(costs) < MOST, costs


def test_there_are_enough_inputs() -> None:
    assert len(GROWTHS) >= 25
    assert all(len(growth.sizes) == 3 and sorted(growth.sizes) == list(growth.sizes) for growth in GROWTHS.values())


def _costs(name: str, growth: Growth) -> list[Cost]:
    costs: list[Cost] = []
    for size in growth.sizes:
        cost = measured(name, size, LIMIT)
        assert isinstance(cost, Cost), cost
        assert cost.megabytes < 500, cost
        costs.append(cost)
    return costs
