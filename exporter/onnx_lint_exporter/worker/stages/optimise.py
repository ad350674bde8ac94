"""Optimise a file of the torchscript engine with onnxscript's optimiser, as dynamo does with its own; never for worse.

The optimised file takes the place of the plain one only if it has fewer nodes, the same inputs and outputs, is taken by
the checker, and gives on both inputs what the plain one gave. Where the search finds an input on which it is wrong and
the plain one right, the plain one comes back. What is searched is the file that is kept.
"""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import onnx

from .. import model_file, verify
from ..channel import clip
from ..engines.torchscript import TorchScript
from ..execution import Reference
from ..judging import judge
from ..model_file import ModelFile
from ..protocol import Observation, Result, Stage, State
from ..state import RunState
from ..system import OutOfTimeError, time_limit
from ..ties import tied_outputs
from . import search
from .run_model import fed

if TYPE_CHECKING:
    import onnxruntime

LEAST_NODES = 50
"""Smaller files are left as they are: loading the optimiser alone would cost more than a tenth of their export."""
_FOLDABLE = ("Constant", "Shape", "Cast", "ConstantOfShape")
_LEAST_PART = 0.1
"""Of the nodes, how many have to be such for the optimiser to find anything worth the loading."""
_LEAST_SECONDS = 5.0
_TIMES = 2
_BAD = (State.WRONG, State.FAILED)
_GOOD = (State.RIGHT, State.UNSTABLE)


class _Refused(Exception):
    """Why the optimised form is not kept."""


@dataclass
class _Candidate:
    """The optimised file, run on both inputs."""

    exported: ModelFile
    runtime: onnxruntime.InferenceSession


def run(state: RunState) -> bool:
    """Search the optimised file where there is one that is as right, else the plain one."""
    plain = _keep_plain(state) if _is_worth_it(state) else None
    if plain is None:
        return search.run(state)
    with state.stage(Stage.OPTIMISE):
        found = _optimised(state)
        if found is not None:
            _take(state, found)
    before = state.result
    going_on = search.run(state)
    if found is not None and state.result.proof.failed.state in _BAD and state.witness is not None:
        going_on = _fall_back(state, plain, before, state.witness) or going_on
    os.unlink(plain)
    return going_on


def _is_worth_it(state: RunState) -> bool:
    job, first, second = state.job, state.result.input1, state.result.input2
    if state.engine.name != TorchScript.name or not job.optimize or job.weights_left_out:
        return False
    if job.keep_initializers_as_inputs or state.exported.locations or state.exported.nodes < LEAST_NODES:
        return False
    counts = state.result.operators or {}
    if job.trial or sum(counts.get(name, 0) for name in _FOLDABLE) < _LEAST_PART * state.exported.nodes:
        return False
    return first.state in _GOOD and second.state not in _BAD


def _keep_plain(state: RunState) -> str:
    kept = f"{state.path}.plain"
    shutil.copyfile(state.path, kept)
    return kept


def _optimised(state: RunState) -> _Candidate | None:
    seconds = max(_LEAST_SECONDS, _TIMES * (state.result.seconds or {}).get(Stage.CAPTURE.value, 0.0))
    try:
        with time_limit(seconds):
            return _candidate(state)
    except OutOfTimeError:
        reason = f"it was not ready within {seconds:.0f} s"
    except Exception as error:  # noqa: BLE001 - the optimiser may fail in any way; the plain file is there
        reason = str(error) if isinstance(error, _Refused) else f"{type(error).__name__}: {clip(error, 200)}"
    state.result = replace(state.result, optimised=f"not optimised: {reason}")
    return None


def _candidate(state: RunState) -> _Candidate:
    try:
        from onnxscript import optimizer
    except ImportError as error:
        raise _Refused("onnxscript is not installed beside torch") from error
    plain = state.exported.proto
    # functions of the file are the user's own (onnxscript): they stay
    made = optimizer.optimize(onnx.load(state.path), inline=False)
    if _interface(made) != _interface(plain):
        raise _Refused("the optimiser changes the inputs or outputs")
    for ours, theirs in ((plain.graph.input, made.graph.input), (plain.graph.output, made.graph.output)):
        for one, two in zip(ours, theirs, strict=True):
            two.CopyFrom(one)  # it writes what it has inferred of their sizes; what was asked for stays
    path = f"{state.path}.optimised"
    onnx.save_model(made, path)
    read = model_file.read(path, state.user, state.exported.runtime)
    if read.nodes >= state.exported.nodes:
        raise _Refused("the optimiser finds nothing")
    for name, stack in state.exported.stacks.items():
        read.stacks.setdefault(name, stack)
    model_file.check(read)
    runtime = verify.session(path, runtime=read.runtime)
    for given, before in ((state.first, state.result.input1), (state.second, state.result.input2)):
        if given is not None and before.state in _GOOD and not _is_good(state, read, runtime, given):
            raise _Refused("the optimised file gives other results")
    return _Candidate(read, runtime)


def _interface(proto: onnx.ModelProto) -> list[list[tuple[str, int]]]:
    graph = proto.graph
    return [[(v.name, v.type.tensor_type.elem_type) for v in values] for values in (graph.input, graph.output)]


def _is_good(state: RunState, read: ModelFile, runtime: onnxruntime.InferenceSession, given: Reference) -> bool:
    arrays = verify.feed(read, fed(state, given), state.job.input_names)
    results = verify.run(runtime, arrays)
    return judge(state.loaded.model, given, results, lambda: tied_outputs(read, arrays)).state in _GOOD


def _take(state: RunState, found: _Candidate) -> None:
    before = state.exported.nodes
    os.replace(found.exported.path, state.path)
    found.exported.path = state.path
    _describe(state, found.exported, found.runtime, f"optimised from {before} to {found.exported.nodes} nodes")


def _describe(state: RunState, read: ModelFile, runtime: onnxruntime.InferenceSession, words: str) -> None:
    state.exported, state.runtime = read, runtime
    state.result = replace(
        state.result,
        nodes=read.nodes,
        size=read.size,
        operators=model_file.operator_counts(read),
        optimised=words,
    )


def _fall_back(state: RunState, plain: str, before: Result, witness: Reference) -> bool:
    """Whether the plain file is right on the witness; then it is the result, and searched anew."""
    read = model_file.read(plain, state.user, state.exported.runtime)
    runtime = verify.session(plain, runtime=read.runtime)
    try:
        if not _is_good(state, read, runtime, witness):
            return False
    except verify.RunError:
        return False
    os.replace(plain, state.path)
    shutil.copyfile(state.path, plain)
    read.path = state.path
    state.witness = None
    kept: tuple[Observation, ...] = before.observations
    state.result = replace(before, observations=kept, seconds=state.result.seconds)
    _describe(state, read, runtime, "not optimised: the search found an input on which the optimised file is wrong")
    return search.run(state)
