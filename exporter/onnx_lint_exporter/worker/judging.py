"""Whether a run of the exported model is right, wrong, or within what the model itself is unsure of."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import torch

from .execution import Model, Reference
from .noise import doubts
from .protocol import Comparison, State
from .verify import NO_DOUBT, RANDOM, Doubt, Results, chosen_outputs, compare, flat_results


def all_random(given: Reference) -> bool:
    """Whether every tensor among the results differs from run to run, so that there is nothing to compare."""
    tensors = {k for k, (_, value) in enumerate(given.outputs) if isinstance(value, torch.Tensor)}
    return bool(tensors) and tensors <= set(given.random)


def judge(model: Model, given: Reference, results: Results, tied: Callable[[], set[int]]) -> Comparison:
    """Compare with the model's own results; a difference is measured against what rounding alone makes of them.

    `tied` gives the outputs that hang on the order of equal values on this input; it is asked only where it matters.
    """
    count = len(flat_results(results))
    random = [RANDOM if k in given.random else NO_DOUBT for k in chosen_outputs(given.outputs, count)]
    compared = compare(results, given.outputs, random)
    if compared.state is not State.WRONG or compared.worst is None:
        return compared
    equals = tied()
    random = [RANDOM if k in equals else doubt for k, doubt in enumerate(random)]
    if equals and compare(results, given.outputs, random).state is not State.WRONG:
        text = f"{compared.text}; it hangs on the order of equal values, which nothing promises"
        return replace(compared, state=State.UNSTABLE, text=text)
    measured = doubts(model, given.arguments, given.outputs, count)
    if compare(results, given.outputs, _both(random, measured)).state is State.WRONG:
        return compared
    floor = max((doubt.floor for doubt in measured), default=0.0)
    text = f"{compared.text}; rounding alone changes the model's own result as much"
    return replace(compared, state=State.UNSTABLE, text=text + (f" (by {floor:.2g})" if 0 < floor < 1e30 else ""))


def _both(random: Sequence[Doubt], measured: Sequence[Doubt]) -> list[Doubt]:
    return [one if one is RANDOM else two for one, two in zip(random, measured, strict=True)]
