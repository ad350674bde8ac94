"""Run the exported file on both inputs and compare."""

from __future__ import annotations

from dataclasses import replace

import onnx
import torch

from .. import model_file, verify
from ..execution import Leaf, Reference
from ..judging import all_random, judge
from ..protocol import Comparison, Kind, Observation, Stage, State
from ..state import RunState
from ..ties import tied_outputs


def run(state: RunState) -> bool:
    """Leave the two comparisons in the result."""
    if state.job.verify:
        first = _compared(state, 1, state.first)
        state.result = replace(state.result, input1=first)
        state.send()
        second = _compared(state, 2, state.second)
        state.result = replace(state.result, input2=second)
        state.send()
    return True


def fed(state: RunState, given: Reference) -> list[Leaf]:
    """What the graph is fed: the leaves of an input, and the weights that were left out and are inputs now."""
    named = state.named(given.arguments)
    model = state.loaded.model
    if not state.job.weights_left_out or not isinstance(model, torch.nn.Module):
        return named
    taken = {value.name for value in state.exported.inputs()}
    weights = [*model.named_parameters(remove_duplicate=False), *model.named_buffers(remove_duplicate=False)]
    return [*named, *((name, value) for name, value in weights if name in taken)]


def _compared(state: RunState, number: int, given: Reference | None) -> Comparison:
    if given is None:
        return Comparison(State.NOT_RUN, state.inputs.refused or "no second input")
    if all_random(given):
        return Comparison(State.NOT_RUN, "the model gives random results")
    try:
        with state.stage(Stage.RUN):
            arrays = verify.feed(state.exported, fed(state, given), state.job.input_names)
            if state.runtime is None:
                state.runtime = verify.session(state.path, runtime=state.exported.runtime)
            results = verify.run(state.runtime, arrays)
        with state.stage(Stage.COMPARE):
            return judge(state.loaded.model, given, results, lambda: tied_outputs(state.exported, arrays))
    except verify.NoRuntimeError as error:
        return Comparison(State.NOT_RUN, str(error))
    except verify.RunError as error:
        node = _node_of(state.exported, error.node)
        stacks = (state.exported.stacks.get(name) for name in (node.output if node is not None else ()))
        observation = Observation(
            Kind.RUN_ERROR,
            f"ONNX Runtime fails on input {number}: {error}",
            next((stack for stack in stacks if stack), ()),
            operator=node.op_type if node is not None else "",
        )
        state.record(observation, failure=True)
        return Comparison(State.FAILED, str(error))


def _node_of(exported: model_file.ModelFile, name: str | None) -> onnx.NodeProto | None:
    """The node that ONNX Runtime names, or that it made the named one of, which then begins with its name."""
    named = [node for node in exported.proto.graph.node if name and node.name and name.startswith(node.name)]
    return max(named, key=lambda node: len(node.name), default=None)
