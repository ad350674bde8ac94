"""Make the inputs and run the model by itself on both."""

from __future__ import annotations

import os
from dataclasses import replace

import torch

from .. import input_sources, script
from ..channel import clip
from ..execution import reference, watch
from ..guess import GuessError
from ..inputs import Inputs, derive_second, described
from ..protocol import Argument, Kind, Observation, Stage, StageBegun
from ..state import RunState
from ..target import LoadError
from ..unchanged import gives
from .load import usage

_NOT_WATCHED = (torch.jit.ScriptModule, torch.jit.ScriptFunction, torch.export.ExportedProgram)


def run(state: RunState) -> bool:
    """Leave `inputs`, the references `first` and `second`, and the torch calls by line."""
    cwd = os.getcwd()
    try:
        with state.stage(Stage.EAGER):
            loaded, job = state.loaded, state.job
            axes = state.engine.asked_axes(job)
            if state.call is not None:
                state.inputs = _of_call(state.call)
            elif state.observed is not None:
                state.inputs = state.observed.inputs()
            else:
                state.inputs = input_sources.build(
                    loaded.model, loaded.module, job, cwd, axes, lambda: input_sources.ask(state.channel, loaded.model)
                )
            state.channel.send(StageBegun(Stage.EAGER))  # looking for inputs took its own time
            _run_model(state)
            changed = _changed(state)
    except LoadError as error:
        usage(state, error)
        return False
    except GuessError as error:
        state.fail(error.__cause__ or error, Kind.UNKNOWN_INPUT)
        return False
    except BaseException as error:  # noqa: BLE001 - the user's model may raise anything
        state.fail(error, Kind.EAGER_ERROR)
        return False
    finally:
        os.chdir(cwd)
    if changed:
        state.record(Observation(Kind.EAGER_ERROR, changed), failure=True)
        state.send()
    return not changed


def _changed(state: RunState) -> str:
    """How a model made of other texts differs from the original one, in words; empty when it does not."""
    for given in (state.first, state.second):
        if given is not None and state.original is not None and not gives(state.original, given):
            return "the model gives something else than before it was changed"
    return ""


def _of_call(call: script.Call) -> Inputs:
    line = f" on line {call.place.line}" if call.place is not None else ""
    origin = f"the call{line} of the script"
    return Inputs(call.arguments, None, script.axes_of(call), origin=origin, second_given=False)


def _run_model(state: RunState) -> None:
    model, inputs = state.loaded.model, state.inputs
    # it does run: from here on a long time is the model's own, not a hang
    state.first = reference(model, inputs.first, lambda: state.channel.send(StageBegun(Stage.REFERENCE)))
    if inputs.second is None:
        derive_second(model, inputs)
    if inputs.second is not None:
        try:
            state.second = reference(model, inputs.second)
        except Exception as error:  # noqa: BLE001 - the second input may be one that the model refuses
            inputs.refused = f"the model itself fails on the second input: {type(error).__name__}: {clip(error, 200)}"
    pairs = zip(inputs.named(model), inputs.named(model, inputs.second or inputs.first), strict=False)
    arguments = tuple(Argument(name, described(value), described(other)) for (name, value), (_, other) in pairs)
    state.result = replace(state.result, inputs_origin=inputs.origin, arguments=arguments)
    if not isinstance(model, _NOT_WATCHED):
        watched = watch(model, inputs.first, state.user)
        state.calls, state.functions = watched.calls, watched.functions
        state.result = replace(state.result, executed=watched.executed)
