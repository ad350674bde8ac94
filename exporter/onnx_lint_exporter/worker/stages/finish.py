"""The clean file, and the extras that were asked for."""

from __future__ import annotations

import os
from dataclasses import replace

from .. import model_file
from ..protocol import WITNESS_FILE, Stage
from ..state import RunState


def run(state: RunState) -> bool:
    """Leave nothing in the folder but the model, its data, and its form for a spare name of the data."""
    job, exported = state.job, state.exported
    with state.stage(Stage.FINISH):
        if job.want_map:
            state.result = replace(state.result, node_map=model_file.node_map(exported))
        model_file.clean(exported)
        if job.want_text:
            state.result = replace(state.result, text=model_file.text(exported))
        kept = (job.name, WITNESS_FILE, *exported.locations)
        for name in os.listdir(job.folder):
            path = os.path.join(job.folder, name)
            if name not in kept and os.path.isfile(path):
                os.unlink(path)
        if exported.locations:
            model_file.write_spare(exported, job.spare_name)
        old = tuple(model_file.data_files(job.output)) if job.output else ()
        state.result = replace(state.result, size=exported.size, old_data=old, complete=True)
    return True
