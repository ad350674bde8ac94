"""Find the place of a wrong result."""

from __future__ import annotations

from dataclasses import replace

from .. import alignment
from ..channel import clip
from ..execution import Reference
from ..protocol import Fault, Frame, Kind, Mismatch, Observation, Stack, Stage, State
from ..state import RunState
from .run_model import fed
from .search import described_input

_MAX_STEPS = 2000
_MAX_STACK = 4
"""Frames of a step's stack that are sent."""


def run(state: RunState) -> bool:
    """Note the first wrong result at the call whose value is the first that differs."""
    proof = state.result.proof
    compared = (
        ("wrong on input 1", 1, state.result.input1, state.first),
        ("wrong on input 2", 2, state.result.input2, state.second),
        (f"wrong on {described_input(proof)}", 3, proof.failed, state.witness),
    )
    wrong = [(words, n, c, given) for words, n, c, given in compared if c.state is State.WRONG and given is not None]
    if not wrong:
        return True
    if state.job.trial:
        return False
    words, number, comparison, given = wrong[0]
    with state.stage(Stage.MISMATCH):
        try:
            found = _search(state, given)
        except Exception as error:  # noqa: BLE001 - the mismatch is reported; only its place stays unknown
            found = Mismatch(error=f"{type(error).__name__}: {clip(error, 200)}")
    steps = tuple(replace(step, stack=step.stack[:_MAX_STACK]) for step in found.steps[:_MAX_STEPS])
    state.result = replace(state.result, mismatch=replace(found, steps=steps if found.culprit else ()))
    state.record(_observation(state, number, f"{words}: {comparison.text}", found), failure=True)
    return True


def _observation(state: RunState, number: int, text: str, found: Mismatch) -> Observation:
    culprit = found.culprit
    if culprit is None:
        return Observation(Kind.OUTPUT_MISMATCH, text, fault=found.fault)
    traced = number == 1 and found.fault is Fault.TRACING
    size = _changed_size(state, culprit.stack[0]) if traced else ()
    return Observation(
        Kind.OUTPUT_MISMATCH,
        text,
        size or culprit.stack,
        operator="" if size else culprit.name,
        changed_size=bool(size),
        fault=found.fault,
        step=culprit.state,
        nodes=found.nodes,
    )


def _changed_size(state: RunState, used: Frame) -> Stack:
    """The place of a size changed in place, when that is why the trace is wrong on its own input."""
    try:
        return state.engine.changed_size(state.loaded.model, state.inputs.first, used, state.user)
    except Exception as error:  # noqa: BLE001 - what a trace cannot take was exported all the same
        state.note(f"changed size: {type(error).__name__}: {clip(error, 200)}")
        return ()


def _search(state: RunState, given: Reference) -> Mismatch:
    model, arguments = state.loaded.model, given.arguments
    names = state.job.input_names
    found = alignment.search(model, arguments, state.exported, fed(state, given), names, state.user)
    fault = state.engine.fault(model, state.inputs.first, arguments, given.outputs)
    if not fault and any(item.kind is Kind.TRACER_WARNING for item in state.result.observations):
        fault = Fault.TRACING  # in code that the trace calls anew
    return replace(found, fault=fault)
