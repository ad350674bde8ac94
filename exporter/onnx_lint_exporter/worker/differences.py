"""Differences between two runs, value by value: the largest absolute and relative one, and how they are spread."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise

import numpy as np

from .protocol import Stack, ValueDifference
from .verify import Array, Results

DECADES = tuple(range(-8, 1))
"""Differences are counted below 1e-8, from 1e-8 on, … from 1 on; those that are 0 by themselves first."""
_TINY = 1e-30


def difference(name: str, got: Array, want: Array, stack: Stack) -> ValueDifference | None:
    """Of two arrays of one shape with numbers; ``None`` when they are none."""
    if got.shape != want.shape or not got.size or got.dtype.kind not in "fiub" or want.dtype.kind not in "fiub":
        return None
    one, two = got.astype(np.float64), want.astype(np.float64)
    with np.errstate(invalid="ignore"):
        absolute = np.abs(one - two)
    absolute = np.where((one == two) | (np.isnan(one) & np.isnan(two)), 0.0, absolute)
    absolute = np.where(np.isnan(absolute), np.inf, absolute)
    # relative to the value's own scale: an element near zero says little by itself
    finite = np.abs(two[np.isfinite(two)])
    scale = float(finite.max()) if finite.size else 0.0
    return ValueDifference(
        name,
        want.shape,
        float(min(absolute.max(), 1e300)),
        float(min(absolute.max() / max(scale, _TINY), 1e300)) if absolute.max() else 0.0,
        histogram(absolute),
        stack,
    )


def histogram(absolute: Array) -> tuple[int, ...]:
    """How many elements differ by nothing, by less than 1e-8, by less than 1e-7, … by 1 and more."""
    exact = int((absolute == 0).sum())
    edges = [0.0, *(10.0**power for power in DECADES), np.inf]
    counts = [int(((absolute >= low) & (absolute < high)).sum()) for low, high in pairwise(edges)]
    counts[0] -= exact
    counts[-1] += int(np.isinf(absolute).sum())
    return (exact, *counts)


def between(got: Results, want: Results, stacks: Mapping[str, Stack]) -> Iterator[ValueDifference]:
    """Of the values that two graphs have under one name, in the order of the second."""
    for name, value in want.items():
        other = got.get(name)
        if isinstance(value, np.ndarray) and isinstance(other, np.ndarray):
            found = difference(name, other, value, stacks.get(name, ()))
            if found is not None:
                yield found


def worst_lines(found: Sequence[ValueDifference], most: int) -> list[ValueDifference]:
    """For each line the value that differs most in proportion; the worst lines first."""
    lines: dict[tuple[str, int], ValueDifference] = {}
    for each in found:
        if each.stack:
            place = (each.stack[0].file, each.stack[0].line)
            if place not in lines or each.relative > lines[place].relative:
                lines[place] = each
    return sorted((each for each in lines.values() if each.relative > 0), key=lambda each: -each.relative)[:most]
