"""Read the exported file and have the ONNX checker look at it."""

from __future__ import annotations

from dataclasses import replace

from .. import model_file
from ..channel import clip
from ..protocol import Kind, Observation, Stage
from ..runtime import CPU, Runtime
from ..state import RunState
from ..wording import shorten


def _runtime(state: RunState) -> Runtime:
    return Runtime(state.job.provider or CPU, state.job.libraries)


def run(state: RunState) -> bool:
    """Leave `exported`."""
    with state.stage(Stage.CHECK):
        state.exported = exported = model_file.read(state.path, state.user, _runtime(state))
        state.result = replace(
            state.result,
            nodes=exported.nodes,
            opset=exported.opset,
            size=exported.size,
            inputs=model_file.described(exported.inputs()),
            outputs=model_file.described(exported.proto.graph.output),
            operators=model_file.operator_counts(exported),
        )
        try:
            model_file.check(exported)
        except Exception as error:  # noqa: BLE001 - the checker raises several kinds
            state.record(Observation(Kind.CHECK_ERROR, shorten(clip(error))), failure=True)
            state.send()
            return False
        state.result = replace(state.result, checked=True)
    state.send()
    return True
