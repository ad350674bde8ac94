"""Export the model with the engine, or find out everything that it refuses."""

from __future__ import annotations

import os
from dataclasses import replace

from .. import trees
from ..channel import clip
from ..execution import fresh
from ..frames import of_traceback
from ..protocol import Kind, Observation, Stage
from ..state import NO_ROOM, RunState
from ..system import OutOfTimeError, time_limit

_TIMES = 2
"""How many times longer than the capture the search for other failures may take."""
_LEAST_SECONDS = 10.0


def run(state: RunState) -> bool:
    """Leave the model at `path`."""
    os.makedirs(state.job.folder, exist_ok=True)
    refusal = state.engine.refusal(state.loaded.model)
    if refusal:
        state.result = replace(state.result, stage=Stage.CAPTURE)
        state.record(Observation(Kind.WRONG_ENGINE, refusal), failure=True)
        return False
    state.unexported = fresh(state.loaded.model)
    exported = _export(state)
    if not exported and not state.job.trial:
        failures = [item for item in state.result.observations if item.failure]
        retry = state.engine.retries_strictly(state.job, state.result.stage, failures)
        state.result = replace(state.result, retry_strict=retry)
    state.result = replace(state.result, exported=exported)
    state.send()
    return exported


def _export(state: RunState) -> bool:
    try:
        with state.stage(Stage.CAPTURE), state.warnings.collecting():
            state.engine.export(state.session, state.path)
    except BaseException as error:
        if state.user.is_ours(of_traceback(error.__traceback__)[0].file):
            raise
        if isinstance(error, OSError) and error.errno in NO_ROOM:
            raise
        if not isinstance(error, Exception) or isinstance(error, (MemoryError, RecursionError)):
            state.fail(error, Kind.CAPTURE_ERROR)
        else:
            _explain(state, error)
        return False
    return True


def _explain(state: RunState, error: Exception) -> None:
    stage, found = state.engine.explain(error, state.user, state.loaded.model, state.calls)
    unknown = trees.unregistered(state.inputs.named(state.loaded.model)) if stage is Stage.CAPTURE else []
    if unknown:  # what no engine takes: all else that is said follows from it
        state.result = replace(state.result, stage=stage)
        state.record(*(Observation(Kind.CAPTURE_ERROR, text) for text in unknown), failure=True)
        return
    state.result = replace(state.result, stage=stage)
    state.record(*found, failure=True)
    if state.job.trial:
        return
    state.record(*state.warnings.observations())
    state.send()
    seconds = max(_LEAST_SECONDS, _TIMES * (state.result.seconds or {}).get(Stage.CAPTURE.value, 0.0))
    with state.stage(Stage.OTHER_FAILURES):
        try:
            with time_limit(seconds):
                more = state.engine.other_failures(state.session, error, stage, found)
        except OutOfTimeError:
            state.note(f"other failures: not all were looked for within {seconds:.0f} s")
            return
        except Exception as other:  # noqa: BLE001 - the search for more may fail as the export did, which is noted already
            state.note(f"other failures: {type(other).__name__}: {clip(other, 200)}")
            return
        places = {_place(item) for item in state.result.observations if item.failure}
        state.record(*(item for item in more if _place(item) not in places), failure=True)


def _place(item: Observation) -> tuple[object, ...]:
    where = (item.stack[0].file, item.stack[0].line) if item.stack else ()
    return (item.operator.split(".")[0], *where)
