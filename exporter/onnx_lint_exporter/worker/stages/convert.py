"""``--convert fp16|int8``: another form of the exported model, run and compared, with what it changes told by line."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

import onnx

from .. import alignment, differences, model_file, verify
from ..channel import clip
from ..execution import Reference
from ..protocol import Comparison, Conversion, Kind, Observation, Stage, State, ValueDifference
from ..state import RunState
from .run_model import fed

if TYPE_CHECKING:
    import onnxruntime

TOLERANCE = {"fp16": 1e-2, "int8": 5e-2}
"""How far an output may be from the model's, as a part of the output's largest value."""
_MOST_LINES = 8
_CRASHING = ("Gelu",)
"""Operators that stay in single precision: ONNX Runtime 1.32 crashes when it loads them in half on the processor."""
_LOAD_SECONDS = 300
_GOOD = (State.RIGHT, State.UNSTABLE)


def run(state: RunState) -> bool:
    """Replace the file by its converted form when that is within tolerance on both inputs; else that is a failure."""
    form, first, second = state.job.convert, state.result.input1, state.result.input2
    if not form or state.runtime is None or first.state not in _GOOD or second.state not in (*_GOOD, State.NOT_RUN):
        return True
    if state.result.proof.failed.state is not State.NOT_RUN:
        return True
    with state.stage(Stage.CONVERT):
        try:
            _converted(state, form)
        except Exception as error:  # noqa: BLE001 - the converters raise several kinds; the failure is reported
            text = f"the conversion to {form} fails: {type(error).__name__}: {clip(error, 300)}"
            state.record(Observation(Kind.CONVERSION, text), failure=True)
    state.send()
    return True


def _converted(state: RunState, form: str) -> None:
    path = f"{state.path}.{form}"
    (_to_fp16 if form == "fp16" else _to_int8)(state.path, path)
    read = model_file.read(path, state.user, state.exported.runtime)
    for name, stack in state.exported.stacks.items():
        read.stacks.setdefault(name, stack)
    model_file.check(read)
    _try_to_load(path)
    runtime = verify.session(path, runtime=read.runtime)
    runs = [_compared(state, form, runtime, given) for given in (state.first, state.second) if given is not None]
    drift = list(_drift(state, read))
    lines = differences.worst_lines(drift, _MOST_LINES)
    size, before = model_file.clean_size(read), model_file.clean_size(state.exported)
    made = Conversion(form, size, before, tuple(runs), tuple(lines))
    state.result = replace(state.result, conversion=made)
    bad = next((each for each in runs if each.state is not State.RIGHT), None)
    for each in lines:
        text = f"{form} changes this value by up to {each.largest:.3g}, {100 * each.relative:.2g} % of its largest"
        state.record(Observation(Kind.DRIFT, text, each.stack))
    if bad is not None:
        text = f"the model as {form} is too far off: {bad.text}"
        state.record(Observation(Kind.CONVERSION, text, lines[0].stack if lines else ()), failure=True)
        return
    os.replace(path, state.path)
    read.path = state.path
    state.exported, state.runtime = read, runtime
    state.result = replace(state.result, nodes=read.nodes, size=read.size, operators=model_file.operator_counts(read))


def _to_fp16(source: str, path: str) -> None:
    """ONNX Runtime's own converter; inputs and outputs keep their types."""
    from onnxruntime.transformers.float16 import DEFAULT_OP_BLOCK_LIST, convert_float_to_float16
    from onnxruntime.transformers.onnx_model import OnnxModel

    kept = [*DEFAULT_OP_BLOCK_LIST, *_CRASHING]
    made = OnnxModel(convert_float_to_float16(onnx.load(source), keep_io_types=True, op_block_list=kept))
    made.topological_sort()  # its casts of inputs and outputs stand at the end
    onnx.save_model(made.model, path)


def _try_to_load(path: str) -> None:
    """Load the model in a process of its own: a crash of ONNX Runtime would take all results of this one with it."""
    code = "import onnxruntime, sys; onnxruntime.InferenceSession(sys.argv[1], providers=['CPUExecutionProvider'])"
    ran = subprocess.run([sys.executable, "-c", code, path], capture_output=True, check=False, timeout=_LOAD_SECONDS)
    if ran.returncode < 0:
        raise RuntimeError(f"ONNX Runtime ends the process (signal {-ran.returncode}) when it loads the result")


def _to_int8(source: str, path: str) -> None:
    """Dynamic quantisation: weights as int8, activations while it runs."""
    from onnxruntime.quantization import QuantType, quantize_dynamic

    quantize_dynamic(source, path, weight_type=QuantType.QInt8)


def _compared(state: RunState, form: str, runtime: onnxruntime.InferenceSession, given: Reference) -> Comparison:
    arrays = verify.feed(state.exported, fed(state, given), state.job.input_names)
    results = verify.flat_results(verify.run(runtime, arrays))
    wanted = verify.wanted_arrays(given.outputs, len(results))
    worst = 0.0
    for number, ((name, got), (_, want)) in enumerate(zip(results, wanted, strict=True)):
        if number in given.random:
            continue
        found = differences.difference(name, got, want, ())
        if found is None:
            return Comparison(State.WRONG, f"output {name} has shape {list(got.shape)}, not {list(want.shape)}", name)
        worst = max(worst, found.relative)
        if found.relative > TOLERANCE[form]:
            text = (
                f"output {name} differs by up to {found.largest:.3g}, {100 * found.relative:.2g} % of its largest value"
            )
            return Comparison(State.WRONG, f"{text} (allowed: {100 * TOLERANCE[form]:.0f} %)", name)
    return Comparison(State.RIGHT, f"within {100 * worst:.2g} % of the outputs' largest values")


def _drift(state: RunState, read: model_file.ModelFile) -> Iterator[ValueDifference]:
    """What the conversion changes in the values that both files have, on the first input."""
    arrays = verify.feed(state.exported, fed(state, state.first), state.job.input_names)
    before, after = alignment.graph_values(state.exported, arrays), alignment.graph_values(read, arrays)
    yield from differences.between(after, before, state.exported.stacks)
