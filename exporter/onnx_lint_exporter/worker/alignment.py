"""Find the first value of the model that the exported graph does not have.

The eager run gives every intermediate value with its line; the graph, run with every value as an output, gives all of
its own. A value of the model that no node computes is suspect. It is cleared when a call that uses it has its value in
the graph all the same (operators are fused), and when no output is made of it by torch calls: Python alone read it, and
the graph has no need of it. The first suspect that is not cleared, and whose own inputs are right, is the place.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

import numpy as np
import onnx
import torch

from .execution import Arguments, Event, Leaf, Model, Recorder, callable_of, fresh, leaves, tensors
from .frames import UserCode
from .model_file import ModelFile
from .protocol import Fault, Mismatch, State, Step, StepState
from .verify import Array, Results, array_of, close, compare, feed, run, session, worst


class _Pool:
    """All values of the graph, found by shape and a few sampled elements."""

    def __init__(self, values: Mapping[str, object]) -> None:
        self._by_shape: dict[tuple[int, ...], list[Array]] = {}
        for value in values.values():
            if isinstance(value, np.ndarray) and value.dtype.kind in "biuf":
                self._by_shape.setdefault(value.shape, []).append(value)

    def has(self, wanted: Array) -> bool:
        return any(_similar(value, wanted) and close(value, wanted) for value in self._by_shape.get(wanted.shape, []))

    def nearest(self, wanted: Array) -> Array | None:
        return next(iter(self._by_shape.get(wanted.shape, [])), None)


def _similar(a: Array, b: Array) -> bool:
    if not a.size:
        return True
    x, y = a.reshape(-1), b.reshape(-1)
    scale = 1e-2 * (float(np.abs(np.nan_to_num(y.astype(np.float64))).max()) + 1e-3)
    for k in (0, x.size // 2, x.size - 1):
        p, q = float(x[k]), float(y[k])
        if p != q and not (np.isnan(p) and np.isnan(q)) and not abs(p - q) <= scale:
            return False
    return True


def graph_values(model: ModelFile, arrays: dict[str, Array]) -> Results:
    """Run the graph with every value as an output."""
    exposed = onnx.ModelProto()
    exposed.CopyFrom(model.proto)
    known = {value.name for value in exposed.graph.output}
    for node in exposed.graph.node:
        for name in node.output:
            if name and name not in known:
                exposed.graph.output.append(onnx.ValueInfoProto(name=name))
    path = os.path.join(os.path.dirname(model.path), "exposed.onnx")
    onnx.save_model(exposed, path)
    try:
        return run(session(path, plain=True, runtime=model.runtime), arrays)
    finally:
        os.unlink(path)


def record(model: Model, arguments: Arguments, user: UserCode) -> tuple[list[Event], set[int], int | None]:
    """The torch calls of an eager run, the numbers of those that an output may be made of, and the last of these."""
    given, runnable = arguments.copy(), callable_of(fresh(model))
    known = tensors([given.args, given.kwargs])
    if isinstance(runnable, torch.nn.Module):
        known += [*runnable.parameters(), *runnable.buffers()]
    recorder = Recorder(user, keep_results=True, known=known)
    torch.manual_seed(0)
    with torch.no_grad(), recorder:
        outputs = runnable(*given.args, **given.kwargs)
    used = recorder.makers(outputs)
    last = max(used, default=None)
    # what made a tensor of unknown origin is unknown too: all before it may have
    used |= set(range(recorder.foreign)) if used or recorder.foreign else set(range(len(recorder.events)))
    for number in range(len(recorder.events) - 1, -1, -1):
        if number in used:
            used.update((*recorder.events[number].sources, *recorder.events[number].written))
    return recorder.events, used, last


def search(
    model: Model,
    arguments: Arguments,
    exported: ModelFile,
    named: list[Leaf],
    names: Sequence[str],
    user: UserCode,
) -> Mismatch:
    """Align the eager run with the graph's values on one input.

    `named` is the input as the graph is fed, `names` are the names that were given to the graph's inputs.
    """
    arrays = feed(exported, named, names)
    values: dict[str, object] = {**graph_values(exported, arrays), **arrays}
    for tensor in exported.proto.graph.initializer:
        if not tensor.external_data:
            values[tensor.name] = onnx.numpy_helper.to_array(tensor)
    run_of_model = _Aligned(_Pool(values), *record(model, arguments, user))
    steps = run_of_model.steps()
    number = run_of_model.culprit(steps)
    if number is None:
        return Mismatch(steps=tuple(steps))
    if steps[number].state is not StepState.DIFFERS:
        steps[number] = replace(steps[number], detail="the graph has this value, but gives another one as its output")
    culprit = steps[run_of_model.lost_write(number, steps)]
    return Mismatch(nodes=_nodes_of_line(exported, culprit), culprit=culprit, steps=tuple(steps))


class _Aligned:
    """The torch calls of a run, and which of their values the graph lacks."""

    def __init__(self, pool: _Pool, events: list[Event], used: set[int], last: int | None) -> None:
        self._events, self._used, self._last = events, used, last
        self._missing: dict[int, str] = {}
        """Call → what the graph has instead of its value."""
        for number, event in enumerate(events):
            gaps = [array for array in map(array_of, event.results) if not pool.has(array)]
            if gaps:
                self._missing[number] = _difference(pool, gaps[0])
        self._users: dict[int, list[int]] = {}
        for number, event in enumerate(events):
            for source in event.sources:
                self._users.setdefault(source, []).append(number)
        self._fused: set[int] = set()
        for number in sorted(self._missing, reverse=True):
            if any(user not in self._missing or user in self._fused for user in self._users.get(number, [])):
                self._fused.add(number)

    def steps(self) -> list[Step]:
        """All calls with their states."""
        found = []
        for number, event in enumerate(self._events):
            state = self._state(number)
            detail = self._missing[number] if state is StepState.DIFFERS else ""
            found.append(Step(event.name, state, detail, event.stack))
        return found

    def _state(self, number: int) -> StepState:
        if number not in self._missing:
            return StepState.EQUAL
        if number in self._fused:
            return StepState.FUSED
        return StepState.DIFFERS if number in self._used else StepState.UNUSED

    def culprit(self, steps: list[Step]) -> int | None:
        """The first call whose value differs although those it is made of are right; else the next best."""
        differing = [k for k, step in enumerate(steps) if step.state is StepState.DIFFERS and step.stack]
        clean = [k for k in differing if all(map(self._is_right, self._events[k].sources))]
        if clean or differing:
            return (clean or differing)[0]
        return self._last if self._last is not None and steps[self._last].stack else None

    def _is_right(self, number: int) -> bool:
        return number not in self._missing or number in self._fused or number not in self._used

    def lost_write(self, culprit: int, steps: list[Step]) -> int:
        """The write that the graph lost, when the culprit is a view that only that write uses: else the culprit itself.

        A graph that drops a write through a view has no need of the view either, so that is missing first.
        """
        number, events = culprit, self._events
        while events[number].view:
            users = self._users.get(number, [])
            lost = all(user in self._missing and (events[user].view or events[user].writes) for user in users)
            if not users or not lost:
                return culprit
            number = users[0]
        return number if events[number].writes and steps[number].stack else culprit


def _nodes_of_line(exported: ModelFile, step: Step) -> tuple[str, ...]:
    """Some of the ONNX nodes that come from the line of a call."""
    place = (step.stack[0].file, step.stack[0].line)
    found = []
    for node in exported.proto.graph.node:
        stacks = filter(None, (exported.stacks.get(name) for name in node.output))
        if any((stack[0].file, stack[0].line) == place for stack in stacks):
            found.append(f"{node.op_type} {node.name}")
    return tuple(found[:8])


def _difference(pool: _Pool, wanted: Array) -> str:
    near = pool.nearest(wanted)
    if near is None or wanted.dtype.kind not in "biuf":
        return f"no value of shape {list(wanted.shape)} in the graph"
    found = worst(near, wanted)
    example = f", for example {found.want}" if found else ""
    return f"the graph has no such value of shape {list(wanted.shape)}{example}"


def fault_of(run_program: Callable[[], object], outputs: list[Leaf]) -> Fault:
    """Whom a recorded program acquits: when it gives `outputs` itself, its translation is wrong, else the recording."""
    try:
        with torch.no_grad():
            results = leaves(run_program())
    except Exception:  # noqa: BLE001 - a program that does not run on this input has frozen something
        return Fault.TRACING
    named: Results = {
        f"{name}#{k}": array_of(value) for k, (name, value) in enumerate(results) if isinstance(value, torch.Tensor)
    }
    return Fault.CONVERTER if compare(named, outputs).state is State.RIGHT else Fault.TRACING
