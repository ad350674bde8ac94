"""Find the first value of the model that the exported graph does not have.

The eager run gives every intermediate value with its line; the graph, run with every value as an output, gives all of
its own. A value of the model that no node computes is suspect. It is cleared when a call that uses it has its value in
the graph all the same (operators are fused), and when no output is made of it by torch calls: Python alone read it, and
the graph has no need of it. The first suspect that is not cleared, and whose own inputs are right, is the place.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import onnx
import torch

from .eager import Arguments, Event, Recorder, callable_of, fresh, leaves, tensors
from .frames import Frame, UserCode
from .model_file import ModelFile
from .twin import trace
from .verify import array_of, close, compare, feed, run, session, worst


@dataclass
class Step:
    """One torch call of the eager run, and whether the graph has its value.

    ``equal``: it has; ``fused``: computed away within another operator; ``unused``: not there, and no output is made
    of it by torch calls; ``differs``: not there.
    """

    name: str
    stack: list[Frame]
    state: str
    detail: str = ""


@dataclass
class Mismatch:
    """The search's result."""

    steps: list[Step] = field(default_factory=list)
    culprit: Step | None = None
    node: str | None = None
    fault: str = ""
    """``converter``: the traced program is right, its translation wrong. ``tracing``: the program froze something.

    Empty when neither is sure.
    """
    nodes: list[str] = field(default_factory=list)
    """The ONNX nodes on the culprit's line."""


class _Pool:
    """All values of the graph, found by shape and a few sampled elements."""

    def __init__(self, values: dict[str, Any]) -> None:
        self._by_shape: dict[tuple[int, ...], list[Any]] = {}
        for value in values.values():
            if isinstance(value, np.ndarray) and value.dtype.kind in "biuf":
                self._by_shape.setdefault(value.shape, []).append(value)

    def has(self, wanted: Any) -> bool:
        return any(_similar(value, wanted) and close(value, wanted) for value in self._by_shape.get(wanted.shape, []))

    def nearest(self, wanted: Any) -> Any:
        return next(iter(self._by_shape.get(wanted.shape, [])), None)


def _similar(a: Any, b: Any) -> bool:
    if not a.size:
        return True
    x, y = a.reshape(-1), b.reshape(-1)
    scale = 1e-2 * (float(np.abs(np.nan_to_num(y.astype(np.float64))).max()) + 1e-3)
    for k in (0, x.size // 2, x.size - 1):
        p, q = float(x[k]), float(y[k])
        if p != q and not (np.isnan(p) and np.isnan(q)) and not abs(p - q) <= scale:
            return False
    return True


def graph_values(model: ModelFile, arrays: dict[str, Any]) -> dict[str, Any]:
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
        return run(session(path, plain=True), arrays)
    finally:
        os.unlink(path)


def record(model: Any, arguments: Arguments, user: UserCode) -> tuple[list[Event], set[int], int | None]:
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
    model: Any,
    arguments: Arguments,
    exported: ModelFile,
    leaves_given: list[tuple[str, Any]],
    names: list[str] | None,
    user: UserCode,
) -> Mismatch:
    """Align the eager run with the graph's values on one input."""
    arrays = feed(exported, leaves_given, names)
    values = {**graph_values(exported, arrays), **arrays}
    for tensor in exported.proto.graph.initializer:
        if not tensor.external_data:
            values[tensor.name] = onnx.numpy_helper.to_array(tensor)
    pool = _Pool(values)
    events, used, last = record(model, arguments, user)
    found = Mismatch()
    missing: dict[int, str] = {}
    for number, event in enumerate(events):
        gaps = [array for array in map(array_of, event.results) if not pool.has(array)]
        if gaps:
            missing[number] = _difference(pool, gaps[0])
    consumers: dict[int, list[int]] = {}
    for number, event in enumerate(events):
        for source in event.sources:
            consumers.setdefault(source, []).append(number)
    fused: set[int] = set()
    for number in sorted(missing, reverse=True):
        users = consumers.get(number, [])
        if any(user_number not in missing or user_number in fused for user_number in users):
            fused.add(number)
    for number, event in enumerate(events):
        state = "differs"
        if number not in missing:
            state = "equal"
        elif number in fused or number not in used:
            state = "fused" if number in fused else "unused"
        step = Step(event.name, event.stack, state, missing.get(number, "") if state == "differs" else "")
        found.steps.append(step)
        clean = all(source not in missing or source in fused or source not in used for source in event.sources)
        if state == "differs" and clean and found.culprit is None and event.stack:
            found.culprit = step
    if found.culprit is None:
        found.culprit = next((step for step in found.steps if step.state == "differs" and step.stack), None)
    if found.culprit is None and last is not None and found.steps[last].stack:
        found.culprit = found.steps[last]
        found.culprit.detail = "the graph has this value, but gives another one as its output"
    if found.culprit is not None:
        found.culprit = _lost_write(found, events, missing, consumers)
        place = (found.culprit.stack[0]["file"], found.culprit.stack[0]["line"])
        found.nodes = [
            f"{node.op_type} {node.name}"
            for node in exported.proto.graph.node
            if any(
                (stack[0]["file"], stack[0]["line"]) == place
                for stack in (exported.stacks.get(name) for name in node.output)
                if stack
            )
        ][:8]
    return found


def _lost_write(found: Mismatch, events: list[Event], missing: dict[int, str], consumers: dict[int, list[int]]) -> Step:
    """The write that the graph lost, when the culprit is a view that only that write uses: else the culprit itself.

    A graph that drops a write through a view has no need of the view either, so that is missing first.
    """
    culprit = found.culprit
    assert culprit is not None
    number = next(k for k, step in enumerate(found.steps) if step is culprit)
    while events[number].view:
        users = consumers.get(number, [])
        if not users or not all(user in missing and (events[user].view or events[user].writes) for user in users):
            return culprit
        number = users[0]
    return found.steps[number] if events[number].writes and found.steps[number].stack else culprit


def _difference(pool: _Pool, wanted: Any) -> str:
    near = pool.nearest(wanted)
    if near is None or wanted.dtype.kind not in "biuf":
        return f"no value of shape {list(wanted.shape)} in the graph"
    found = worst(near, wanted)
    return f"the graph has no such value of shape {list(wanted.shape)}" + (
        f", for example {found['want']}" if found else ""
    )


def blame_torchscript(model: Any, first: Arguments, second: Arguments, outputs: list[tuple[str, Any]]) -> str:
    """Run the trace of the first input on the second one: right means that the converter is wrong.

    An ``autograd.Function`` stands in the trace as Python code, which runs anew; the export records what is in it. Then
    a right result tells nothing, and neither is to blame for sure.
    """
    traced = trace(model, first)
    python = any(node.kind() == "prim::PythonOp" for node in traced.inlined_graph.nodes())
    given = second.copy()
    tensors = [v for _, v in leaves([given.args, given.kwargs]) if isinstance(v, torch.Tensor)]
    fault = _fault(lambda: traced(*tensors), outputs)
    return "" if python and fault == "converter" else fault


def blame_dynamo(program: Any, second: Arguments, outputs: list[tuple[str, Any]]) -> str:
    """Run the exported program on an input: right means that the converter is wrong."""
    given = second.copy()
    return _fault(lambda: program.module()(*given.args, **given.kwargs), outputs)


def _fault(run_program: Any, outputs: list[tuple[str, Any]]) -> str:
    try:
        with torch.no_grad():
            results = leaves(run_program())
    except Exception:  # noqa: BLE001 - a program that does not run on this input has frozen something
        return "tracing"
    named = {
        f"{name}#{k}": array_of(value) for k, (name, value) in enumerate(results) if isinstance(value, torch.Tensor)
    }
    return "converter" if compare(named, outputs)["state"] == "right" else "tracing"
