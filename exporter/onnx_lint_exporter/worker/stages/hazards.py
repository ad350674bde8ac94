"""What is wrong, or may be, with an export that succeeded: each at its line."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from ..channel import clip
from ..execution import Leaf, Recorder, callable_of, fresh, is_model_output, leaves, same
from ..inputs import graph_names
from ..model_file import ModelFile, reached, shape_of
from ..protocol import Kind, Observation, Stack, Stage, State
from ..state import RunState


def run(state: RunState) -> bool:
    """Record the engine's warnings, and what the graph lost or froze."""
    if not state.job.verify or state.job.trial:
        return True
    if state.first.random:
        with state.stage(Stage.HAZARDS):
            state.record(_random_place(state))
    named, given = state.named(), state.job.input_names
    with state.stage(Stage.HAZARDS):
        state.record(*state.warnings.observations())
        state.record(*_inputs_lost(state.exported, named, given), *_frozen_arguments(state, named))
        state.record(*_names_unused(state.exported, named, given))
        state.record(*_axes_lost(state, named), *_narrowed(state))
        first = state.inputs.first.copy()
        with torch.no_grad():
            state.record(*_outputs_lost(callable_of(state.loaded.model)(*first.args, **first.kwargs)))
    second = state.witness or state.second
    if second is not None and not _shows_nothing(state):
        with state.stage(Stage.TWIN):
            try:
                state.record(*state.engine.frozen(state.session, second.arguments))
            except Exception as error:  # noqa: BLE001 - what a trace cannot take was exported all the same
                state.note(f"twin trace: {type(error).__name__}: {clip(error, 200)}")
    return True


def _shows_nothing(state: RunState) -> bool:
    """Whether two traces would only cost time: all that was compared is right, and the tracer did not warn."""
    compared = (state.result.input1, state.result.input2)
    is_right = all(run.state is State.RIGHT for run in compared) and not state.first.random and state.witness is None
    return is_right and not any(item.kind is Kind.TRACER_WARNING for item in state.result.observations)


def _inputs_lost(model: ModelFile, named: list[Leaf], given: Sequence[str]) -> list[Observation]:
    """Inputs that the graph no longer has, or has without using them; outputs that depend on none."""
    tensors = [name for name, value in named if isinstance(value, torch.Tensor)]
    present = {value.name for value in model.inputs()}
    renamed = dict(zip(graph_names(named), given, strict=False))
    vanished = [name for name in tensors if renamed.get(name, name) not in present and len(present) < len(tensors)]
    dead, constant = reached(model)
    gone = "is not in the graph: nothing computed from it was recorded"
    return [
        *(Observation(Kind.VANISHED_INPUT, f"the input `{name}` {gone}") for name in vanished),
        *(Observation(Kind.DEAD_INPUT, f"the input `{name}` reaches no output") for name in dead),
        *(Observation(Kind.CONSTANT_OUTPUT, f"the output `{name}` depends on no input") for name in constant),
    ]


def _frozen_arguments(state: RunState, named: list[Leaf]) -> list[Observation]:
    """Plain values that were frozen into the graph."""
    frozen = [(name, value) for name, value in named if state.engine.freezes(value)]
    return [
        Observation(Kind.FROZEN_ARGUMENT, f"the {type(value).__name__} argument `{name}` is frozen as {value!r}")
        for name, value in frozen
    ]


def _names_unused(model: ModelFile, named: list[Leaf], given: Sequence[str]) -> list[Observation]:
    """Input names that the graph lacks: torchscript gives those beyond the inputs to parameters, dynamo to nothing."""
    tensors = sum(isinstance(value, torch.Tensor) for _, value in named)
    present = {value.name for value in model.inputs()} | {tensor.name for tensor in model.proto.graph.initializer}
    unused = [name for name in given[tensors:] if name not in present]
    if not unused:
        return []
    plural = "s" if len(unused) > 1 else ""
    text = f"no input has the name{plural} {', '.join(unused)}: the model has {tensors} tensor inputs"
    return [Observation(Kind.ENGINE_WARNING, text)]


def _axes_lost(state: RunState, named: list[Leaf]) -> list[Observation]:
    """Axes that were asked to be dynamic and are static in the graph."""
    names = dict(zip(graph_names(named), state.job.input_names, strict=False))
    shapes = {value.name: shape_of(value) for value in state.exported.inputs()}
    stack: Stack = state.engine.fixing_line()
    found = []
    for name, axes in state.inputs.axes.items():
        shape = shapes.get(names.get(name, name)) or ()
        for dim, axis in axes.items():
            if dim < len(shape) and isinstance(shape[dim], int):
                text = f"dimension {dim} of `{name}` (`{axis}`) became static: {shape[dim]}"
                found.append(Observation(Kind.STATIC_AXIS, text, stack))
    return found


def _narrowed(state: RunState) -> list[Observation]:
    """Axes that hold only for a range of sizes, unless the model itself takes no others."""
    found = []
    for each in state.engine.ranges(state.inputs):
        if each.high is not None and (each.axis, each.high + 1) in state.refused_sizes:
            continue
        words = f"from {each.low} to {each.high}" if each.high is not None else f"from {each.low} on"
        axis = f"`{each.axis}` " if each.axis else ""
        text = f"the exported graph holds only for sizes {words} of the dynamic axis {axis}"
        text += f"(dimension {each.dim} of `{each.input}`)"
        found.append(Observation(Kind.NARROWED_AXIS, text, each.stack))
    return found


def _outputs_lost(result: object) -> list[Observation]:
    """Outputs whose form the graph cannot keep: dict keys, strings, ``None``."""
    found = []
    if isinstance(result, dict) or is_model_output(result):
        keys = ", ".join(map(str, list(result.keys())[:8]))
        text = f"the output is a dict: its keys ({keys}) are lost, the values become plain outputs"
        found.append(Observation(Kind.FLATTENED_OUTPUT, text))
    for name, value in leaves(result):
        if value is None or isinstance(value, str):
            text = f"the output `{name or 0}` is {value!r:.40} and is dropped"
            found.append(Observation(Kind.DROPPED_OUTPUT, text))
    return found


def _random_place(state: RunState) -> Observation:
    """The first call whose result changes with the seed."""
    runs = []
    for seed in (0, 1):
        recorder, given = Recorder(state.user, keep_results=True), state.inputs.first.copy()
        runnable = callable_of(fresh(state.loaded.model))
        torch.manual_seed(seed)
        with torch.no_grad(), recorder:
            runnable(*given.args, **given.kwargs)
        runs.append(recorder.events)
    why = "other values at each run, so the results cannot be compared"
    for one, two in zip(*runs, strict=False):
        if not all(same(a, b) for a, b in zip(one.results, two.results, strict=False)):
            return Observation(Kind.RANDOM_OUTPUT, f"`{one.name}` gives {why}", one.stack)
    return Observation(Kind.RANDOM_OUTPUT, f"the model gives {why}")
