"""The stages of an export, in their order: each takes the state, and says whether there is anything left to do."""

from __future__ import annotations

import logging

from ..channel import clip
from ..protocol import Done, Unwritable
from ..state import NO_ROOM, RunState
from . import capture, check, convert, eager, finish, hazards, load, measure, mismatch, optimise, run_model

_STAGES = (
    load.run,
    eager.run,
    capture.run,
    check.run,
    run_model.run,
    optimise.run,
    convert.run,
    measure.run,
    hazards.run,
    mismatch.run,
    finish.run,
)


def run(state: RunState) -> None:
    """All stages. What the model's code raises becomes an observation; a full disk is nobody's fault."""
    logging.disable(logging.NOTSET)
    try:
        for stage in _STAGES:
            if not stage(state):
                break
    except OSError as error:
        if error.errno not in NO_ROOM:
            raise
        state.channel.send(Unwritable(state.job.folder, clip(error.strerror)))
        return
    state.send()
    state.channel.send(Done())
