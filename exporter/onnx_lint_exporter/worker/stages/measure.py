"""On request: how fast the result is beside the model, and how much each of its values differs from the model's."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from statistics import median

import numpy as np
import torch

from .. import alignment, verify
from ..channel import clip
from ..differences import difference
from ..execution import callable_of, fresh
from ..protocol import Speed, Stage, ValueDifference
from ..state import RunState
from ..verify import Array
from .run_model import fed

_MOST_RUNS = 20
_SECONDS = 1.0
"""For the runs of each side."""
_MOST_VALUES = 2000


def run(state: RunState) -> bool:
    """Leave `speed` and `differences` in the result."""
    job = state.job
    if state.runtime is None or not (job.measure or job.differences):
        return True
    with state.stage(Stage.MEASURE):
        try:
            if job.measure:
                state.result = replace(state.result, speed=_speed(state))
            if job.differences:
                state.result = replace(state.result, differences=tuple(_differences(state))[:_MOST_VALUES])
        except Exception as error:  # noqa: BLE001 - figures are an extra; what was proved stays
            state.note(f"measure: {type(error).__name__}: {clip(error, 200)}")
    state.send()
    return True


def _speed(state: RunState) -> Speed:
    """The median of several runs on the first input; the first run of each side does not count."""
    given, runnable, runtime = state.first.arguments.copy(), callable_of(fresh(state.loaded.model)), state.runtime
    assert runtime is not None
    arrays = verify.feed(state.exported, fed(state, state.first), state.job.input_names)
    with torch.no_grad():
        eager = _milliseconds(lambda: runnable(*given.args, **given.kwargs))
    exported = _milliseconds(lambda: verify.run(runtime, arrays))
    weights = 0
    if isinstance(state.loaded.model, torch.nn.Module):
        tensors = [*state.loaded.model.parameters(), *state.loaded.model.buffers()]
        weights = sum(tensor.numel() * tensor.element_size() for tensor in tensors)
    return Speed(eager, exported, weights, torch.get_num_threads())


def _milliseconds(once: Callable[[], object]) -> float:
    once()
    taken: list[float] = []
    until = time.monotonic() + _SECONDS
    while len(taken) < _MOST_RUNS and (len(taken) < 2 or time.monotonic() < until):
        start = time.perf_counter()
        once()
        taken.append(1000 * (time.perf_counter() - start))
    return round(median(taken), 4)


def _differences(state: RunState) -> Iterator[ValueDifference]:
    """For each torch call of the first input, the nearest value of the graph of the same shape."""
    arrays = verify.feed(state.exported, fed(state, state.first), state.job.input_names)
    by_shape: dict[tuple[int, ...], list[Array]] = {}
    for value in alignment.graph_values(state.exported, arrays).values():
        if isinstance(value, np.ndarray) and value.dtype.kind in "fiub":
            by_shape.setdefault(value.shape, []).append(value)
    events, _, _ = alignment.record(state.loaded.model, state.first.arguments, state.user)
    for event in events:
        for wanted in map(verify.array_of, event.results):
            pairs = (difference(event.name, got, wanted, event.stack) for got in by_shape.get(wanted.shape, []))
            nearest = min((pair for pair in pairs if pair is not None), key=lambda pair: pair.largest, default=None)
            if nearest is not None:
                yield nearest
