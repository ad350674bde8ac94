"""Search for an input on which the exported file is wrong, and note what the inputs have tested."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import replace

import torch

from .. import verify
from ..channel import clip
from ..engines.torchscript import TorchScript
from ..execution import Model, Reference
from ..inputs import described
from ..protocol import WITNESS_FILE, Argument, Comparison, Frame, Kind, Observation, PlaceRead, Proof, Stage, State
from ..search import witness
from ..search.notes import Notes
from ..search.recipes import Kitchen, leaves_of
from ..search.repeated import Remembered, place_of_state, remembered
from ..search.searching import Budget, Feeding, Found, Search, described_failure
from ..state import RunState
from .run_model import fed

_NO_PYTHON = (torch.jit.ScriptModule, torch.jit.ScriptFunction, torch.export.ExportedProgram)
_BAD = (State.WRONG, State.FAILED)
_MOST_READS = 4000
_MOST_TURNED = 4


def run(state: RunState) -> bool:
    """Leave the proof in the result, and a witness in the state when there is one."""
    first, second = state.result.input1, state.result.input2
    if not state.job.verify or state.runtime is None:
        return True
    if first.state in _BAD:
        _keep(state, state.first)
    elif second.state in _BAD and state.second is not None:
        _keep(state, state.second)
        with state.stage(Stage.SEARCH):
            _read_on_second(state, state.second)
    if {first.state, second.state} & set(_BAD) or first.state is State.NOT_RUN:
        return True
    if not state.job.effort:
        return True
    with state.stage(Stage.SEARCH):
        try:
            _search(state)
        except verify.NoRuntimeError as error:
            state.note(f"search: {error}")
    state.send()
    return True


def _search(state: RunState) -> None:
    model, inputs = _unexported(state), state.inputs
    notes = Notes([] if isinstance(model, _NO_PYTHON) else state.functions)
    leaves = leaves_of(inputs.named(model), inputs.axes, inputs.specs, inputs.bounds)
    runtime = state.runtime
    assert runtime is not None

    def arrays(given: Reference) -> dict[str, verify.Array]:
        return verify.feed(state.exported, fed(state, given), state.job.input_names)

    limits = [float(limit) for each in state.engine.ranges(inputs) for limit in (each.high, each.low) if limit]
    kitchen = Kitchen(inputs.first, leaves, [*limits, *notes.numbers], relations=inputs.relations)
    search = Search(model, notes, kitchen, state.first, Feeding(arrays, runtime, state.exported), state.original)
    budget = Budget(state.job.effort)
    example = search.known(inputs.first)
    if state.second is not None and state.result.input2.state is State.RIGHT:
        search.known(state.second.arguments)
    for which in (state.first, state.second):
        for leaf in leaves_of(inputs.named(model, which.arguments), inputs.axes, ()) if which else ():
            for dim, axis in leaf.axes.items():
                search.found.sizes.setdefault(axis, set()).add(leaf.example.shape[dim])
    kitchen.numbers = list(dict.fromkeys([*notes.compared_with(search.found.right), *kitchen.numbers]))
    kept = remembered(model, state.first, state.second)
    if kept is not None:
        _remembers(state, kept)
        return
    if leaves:
        search.go(budget)
        state.refused_sizes = set(kitchen.refused) - kitchen.taken
    state.result = replace(state.result, proof=_proof(state, search.found, notes, example))
    if search.found.witness is not None:
        state.witness = search.found.witness
        _keep(state, state.witness)
        _record_witness(state, notes, search.found, example)


def _read_on_second(state: RunState, second: Reference) -> None:
    """What Python decided otherwise on a second input that goes wrong."""
    model = state.loaded.model
    if isinstance(model, _NO_PYTHON) or state.result.input1.state in _BAD:
        return
    if state.engine.name == TorchScript.name:
        return  # its traces of both inputs are compared, which says the same of the first places alone
    notes = Notes(state.functions)
    leaves = leaves_of(state.inputs.named(model), state.inputs.axes, ())
    search = Search(model, notes, Kitchen(state.inputs.first, leaves), state.first, None)
    one, two = search.known(state.inputs.first), search.known(second.arguments)
    if one is not None and two is not None:
        _record_turned(state, notes, one, two)


def _unexported(state: RunState) -> Model:
    return state.loaded.model if state.unexported is None else state.unexported


def _remembers(state: RunState, kept: Remembered) -> None:
    text = f"{kept.text}; a graph has no state"
    proof = Proof(searched=True, inputs=1, failed=Comparison(State.WRONG, text), calls=len(kept.inputs))
    state.result = replace(state.result, proof=proof)
    if len(kept.inputs) == 2 or kept.same_input:  # what a test for pytest calls: the example, and then the last input
        _keep(state, kept.inputs[-1])
    place = place_of_state(_unexported(state), kept, state.user)
    state.record(Observation(Kind.STATE, text, place), failure=True)


def _proof(state: RunState, found: Found, notes: Notes, example: int | None) -> Proof:
    branches = notes.branches(found.right)
    both = [branch for branch in branches if notes.both_ways(branch, found.right)]
    axes = {axis for dims in state.inputs.axes.values() for axis in dims.values()}
    varied = [axis for axis in axes if len(found.sizes.get(axis, ())) > 1]
    open_branches = [*(branch for branch in branches if branch not in both), *notes.made_alike(found.right)]
    proof = Proof(
        searched=True,
        inputs=len(found.right),
        refused=found.refused,
        unstable=found.unstable,
        branches=len(branches),
        both_ways=len(both),
        axes=len(axes),
        axes_varied=len(varied),
        open_branches=tuple(_read(notes, branch, found.right, False) for branch in open_branches[:50]),
        lively=any(len(known) > 1 and any(like.startswith("f ") for like in known) for known in found.digests),
        dull=tuple(_dull(found)) if len(found.right) > 2 else (),
        reads=tuple(_reads(notes, found.right)),
    )
    if found.witness is None:
        return proof
    named = state.inputs.named(state.loaded.model)
    other = state.inputs.named(state.loaded.model, found.witness.arguments)
    shown = tuple(
        Argument(name, described(value), described(second))
        for (name, value), (_, second) in zip(named, other, strict=False)
    )
    proof = replace(proof, witness=shown, failed=replace(found.failed, text=described_failure(found.failed)))
    if example is not None and found.run is not None:
        proof = replace(proof, turned=tuple(_turned(notes, example, found.run))[:_MOST_TURNED])
    return proof


def _keep(state: RunState, bad: Reference) -> None:
    """Write down an input that goes wrong."""
    if not state.job.want_witness:
        return
    path = os.path.join(state.job.folder, WITNESS_FILE)
    options = {"dynamo": state.engine.name == "dynamo", **state.engine.options(state.session)}
    if witness.save(path, state.inputs.first, bad.arguments, options):
        state.result = replace(state.result, proof=replace(state.result.proof, has_witness=True))


def _record_witness(state: RunState, notes: Notes, found: Found, example: int | None) -> None:
    """What the witness shows of the model: each place where Python read or decided something else than before."""
    proof = state.result.proof
    if found.failed.state is State.FAILED:
        text = f"on {described_input(proof)}, {proof.failed.text}"
        state.record(Observation(Kind.RUN_ERROR, text), failure=True)
    if example is not None and found.run is not None:
        _record_turned(state, notes, example, found.run)


def _record_turned(state: RunState, notes: Notes, example: int, bad: int) -> None:
    guarded = state.engine.decided_at()
    for number in _changed(notes, example, bad):
        place = notes.places[number]
        if not place.decides and (place.file, place.line) not in guarded:
            continue  # a size that changes is recorded as one, unless Python decides by it
        if state.engine.name == TorchScript.name and notes.is_scripted_in_traces(number):
            continue
        before, after = (_words(notes.runs[run].get(number, ())) for run in (example, bad))
        text = f"`{clip(place.text, 80)}` was {before} for the example, and is {after} on an input that goes wrong"
        frame = Frame(place.file, place.line, "", place.column, place.end_line, place.end_column)
        state.record(Observation(Kind.TURNED, text, (frame,), value=before, other=after))


def _changed(notes: Notes, one: int, two: int) -> list[int]:
    """The outermost places at which two runs read different values that Python goes on with."""
    found = []
    for number, place in enumerate(notes.places):
        a, b = notes.runs[one].get(number, ()), notes.runs[two].get(number, ())
        if not a or not b or a == b:
            continue
        if place.around is not None and notes.runs[one].get(place.around, ()):
            continue  # what is made of it is noted too, and says more
        found.append(number)
    return found


def _turned(notes: Notes, one: int, two: int) -> Iterable[str]:
    """The decisions, and if there are none the other values, that set two runs apart, in words."""
    changed = _changed(notes, one, two)
    decided = [number for number in changed if notes.places[number].decides]
    for number in decided or changed:
        before, after = (_words(notes.runs[run].get(number, ())) for run in (one, two))
        place = notes.places[number]
        yield f"`{clip(place.text, 80)}` (line {place.line}) is {after}, for the example {before}"


def _reads(notes: Notes, runs: list[int]) -> Iterable[PlaceRead]:
    told = [n for n, _ in enumerate(notes.places) if notes.values(n, runs)]
    for number in told[:_MOST_READS]:
        yield _read(notes, number, runs, _is_tested(notes, number, runs))


def _is_tested(notes: Notes, number: int, runs: list[int]) -> bool:
    """Whether what was read at a place differed, and what Python made of it in the same statement did too."""
    here: int | None = number
    while here is not None:
        place = notes.places[here]
        if notes.values(here, runs):
            if not notes.differed(here, runs) or (place.decides and not notes.both_ways(here, runs)):
                return False
        here = place.around
    return True


def _read(notes: Notes, number: int, runs: list[int], tested: bool) -> PlaceRead:
    place = notes.places[number]
    values = _words(notes.values(number, runs))
    return PlaceRead(
        place.file, place.line, place.column, place.end_line, place.end_column, clip(place.text, 80), tested, values
    )


def _words(values: Iterable[object]) -> str:
    shown = list(dict.fromkeys(f"{value:.6g}" if isinstance(value, float) else str(value) for value in values))
    return clip(", ".join(shown[:4]) + (", …" if len(shown) > 4 else ""), 60)


def _dull(found: Found) -> Iterable[str]:
    """What of the outputs no input has changed."""
    for number, known in enumerate(found.digests):
        if len(known) == 1:
            (only,) = known
            says = {"empty": "empty", "nan": "nan alone"}.get(only, only if only.startswith("all ") else "the same")
            yield f"output {number} is {says} on all {len(found.right)} inputs"


def described_input(proof: Proof) -> str:
    """The witness in words."""
    shapes = ", ".join(f"{argument.name}:{argument.second}" for argument in proof.witness)
    reasons = f" ({'; '.join(proof.turned[:2])})" if proof.turned else ""
    return f"an input that was searched for: {shapes}{reasons}"
