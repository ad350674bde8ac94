"""Run the exported model in ONNX Runtime and compare with the model's own results."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
import onnx
import torch

from .channel import clip
from .execution import Leaf
from .model_file import ModelFile
from .protocol import Comparison, State, Worst
from .runtime import CPU, DEFAULT, Runtime, full_name, matching

if TYPE_CHECKING:
    import onnxruntime

Array: TypeAlias = "np.ndarray[Any, np.dtype[Any]]"
"""An array of any shape and dtype."""
Results = dict[str, "Array | list[Array]"]
"""The outputs of a run by name; a sequence is a list."""

TOLERANCES: dict[str, tuple[float, float]] = {
    "float64": (1e-5, 1e-6),
    "float32": (1e-3, 1e-4),
    "float16": (1e-2, 1e-2),
    "bfloat16": (5e-2, 5e-2),
}
"""Per dtype: relative tolerance of each element, and absolute tolerance as a fraction of the output's median size.

The median, since a single huge element, as a masked score is, would cover differences in all others.

Integers and booleans must be equal. ``nan`` equals ``nan``.
"""
_ABSOLUTE_FLOOR = 1e-6
_NODE_NAME = re.compile(r"Name:'([^']*)'")
_UNKNOWN_OPERATOR = re.compile(r"(?P<domain>[\w.]+):(?P<name>\w+)\(-?\d+\) is not a registered function/op")


class RunError(Exception):
    """ONNX Runtime refused the model or stopped in it; `node` names the node when it is known."""

    def __init__(self, message: str, node: str | None) -> None:
        super().__init__(message)
        self.node = node


@dataclass(frozen=True)
class Doubt:
    """By how much the model's own result is in doubt for one output."""

    floor: float = 0.0
    """Absolute; infinite for what cannot be compared at all."""
    elements: Array | None = None
    """Of integers: which elements are."""


NO_DOUBT = Doubt()
RANDOM = Doubt(float("inf"))
"""Of an output that differs from run to run."""
_FLOORS = 4
"""How many times the measured doubt a difference may be; the doubt is measured by a few runs only."""


class NoRuntimeError(Exception):
    """Nothing can be run: onnxruntime is not installed, or it lacks an operator of the user's own."""


def feed(model: ModelFile, leaves: list[Leaf], names: Sequence[str]) -> dict[str, Array]:
    """The arrays for the graph's inputs, found by name (`names` are those given to the inputs), or else by position."""
    usable = [(name, value) for name, value in leaves if isinstance(value, (torch.Tensor, bool, int, float))]
    table: dict[str, object] = dict(usable)
    table.update({given: value for given, (_, value) in zip(names, usable, strict=False)})
    tensors = [value for _, value in usable if isinstance(value, torch.Tensor)]
    arrays: dict[str, Array] = {}
    for index, entry in enumerate(model.inputs()):
        value = table.get(entry.name, tensors[index] if index < len(tensors) else None)
        arrays[entry.name] = to_array(value, entry)
    return arrays


def to_array(value: object, entry: onnx.ValueInfoProto) -> Array:
    """A value as ONNX Runtime takes it for an input."""
    if isinstance(value, torch.Tensor):
        if value.is_complex():
            value = torch.view_as_real(value)
        if value.dtype is torch.bfloat16:
            import ml_dtypes

            return value.detach().contiguous().view(torch.int16).numpy().view(ml_dtypes.bfloat16)
        return value.detach().cpu().numpy()
    kind = onnx.helper.tensor_dtype_to_np_dtype(entry.type.tensor_type.elem_type)
    return np.asarray(value, dtype=kind)


def session(path: str, plain: bool = False, runtime: Runtime = DEFAULT) -> onnxruntime.InferenceSession:
    """An ONNX Runtime session on one thread; `plain` without graph optimisation."""
    try:
        import onnxruntime
    except ImportError as error:
        raise NoRuntimeError("onnxruntime is not installed beside torch") from error
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    options.intra_op_num_threads = torch.get_num_threads()
    if plain:
        options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    provider = matching(runtime.provider, onnxruntime.get_available_providers())
    if provider is None:
        has = ", ".join(onnxruntime.get_available_providers())
        raise NoRuntimeError(f"ONNX Runtime has no provider {full_name(runtime.provider)} here; it has {has}")
    for library in runtime.libraries:
        try:
            options.register_custom_ops_library(library)
        except Exception as error:
            raise NoRuntimeError(f"{library} is no library of operators: {clip(error, 200)}") from error
    try:
        return onnxruntime.InferenceSession(path, options, providers=list(dict.fromkeys((provider, CPU))))
    except Exception as error:
        lacking = _UNKNOWN_OPERATOR.search(str(error))
        if lacking is not None and lacking["domain"] != "ai.onnx":
            operator = f"{lacking['domain']}::{lacking['name']}"
            text = f"ONNX Runtime has no operator `{operator}`, so the results are not compared"
            raise NoRuntimeError(text) from error
        raise _run_error(error) from error


def run(prepared: onnxruntime.InferenceSession, arrays: dict[str, Array]) -> Results:
    """All outputs by name."""
    entries = [*prepared.get_inputs(), *prepared.get_outputs()]
    try:
        if any("bfloat16" in entry.type for entry in entries):
            results = _run_bound(prepared, arrays)
        else:
            results = prepared.run(None, {entry.name: arrays[entry.name] for entry in prepared.get_inputs()})
    except Exception as error:
        raise _run_error(error) from error
    return {entry.name: value for entry, value in zip(prepared.get_outputs(), results, strict=False)}


def _run_bound(prepared: onnxruntime.InferenceSession, arrays: dict[str, Array]) -> list[Array]:
    """The outputs of a model with bfloat16 inputs or outputs, which ONNX Runtime does not exchange with NumPy."""
    import ctypes

    import ml_dtypes
    import onnxruntime

    binding = prepared.io_binding()
    held = []  # an OrtValue may use the memory of its array
    for entry in prepared.get_inputs():
        array = np.ascontiguousarray(arrays[entry.name])
        held.append(array)
        if array.dtype == ml_dtypes.bfloat16:
            value = onnxruntime.OrtValue.ortvalue_from_numpy_with_onnx_type(
                array.view(np.uint16), onnx.TensorProto.BFLOAT16
            )
        else:
            value = onnxruntime.OrtValue.ortvalue_from_numpy(array)
        binding.bind_ortvalue_input(entry.name, value)
    for entry in prepared.get_outputs():
        binding.bind_output(entry.name)
    prepared.run_with_iobinding(binding)
    results = []
    for value in binding.get_outputs():
        if value.data_type() != "tensor(bfloat16)":
            results.append(value.numpy())
            continue
        raw = ctypes.string_at(value.data_ptr(), value.tensor_size_in_bytes())
        results.append(np.frombuffer(raw, dtype=ml_dtypes.bfloat16).reshape(value.shape()))
    return results


def _run_error(error: Exception) -> RunError:
    text = str(error)
    match = _NODE_NAME.search(text) or re.search(r"[Nn]ode \(([^)]*)\)", text)
    return RunError(_shorten(text.split("\n", maxsplit=1)[0]), match[1] if match else None)


def _shorten(text: str) -> str:
    """ONNX Runtime's message without error numbers, C++ files and signatures."""
    text = re.sub(r"^\[ONNXRuntimeError\] : \d+ : \w+ : ", "", text)
    where = re.search(r"running (\S+) node\. Name:'([^']*)'", text)
    text = re.sub(r"^Load model from .*? failed:\s*", "the graph is refused: ", text)  # a path of our own folder
    status = text.split("Status Message: ", 1)[-1]
    status = re.sub(r"^\S+:\d+ .*?\) (?=[A-Za-z])(?!const)", "", status)
    words = f"{where[1]} node {where[2]!r}: {status}" if where else status
    return clip(words, 300)


def flat_results(results: Results) -> list[tuple[str, Array]]:
    """The outputs one by one, those of a sequence with their numbers."""
    flat: list[tuple[str, Array]] = []
    for name, value in results.items():
        if isinstance(value, list):
            flat += [(f"{name}[{k}]", np.asarray(item)) for k, item in enumerate(value)]
        else:
            flat.append((name, np.asarray(value)))
    return flat


def wanted_arrays(outputs: list[Leaf], count: int) -> list[tuple[str, Array]]:
    """The eager outputs that an ONNX model can have: tensors, and numbers where the count says they are kept."""
    return [(outputs[k][0], array_of(outputs[k][1])) for k in chosen_outputs(outputs, count)]


def chosen_outputs(outputs: list[Leaf], count: int) -> list[int]:
    """Which of the eager outputs a graph with `count` outputs has."""
    numbers = [k for k, (_, value) in enumerate(outputs) if isinstance(value, (torch.Tensor, bool, int, float))]
    tensors = [k for k in numbers if isinstance(outputs[k][1], torch.Tensor)]
    return numbers if len(numbers) == count else tensors


def array_of(value: object) -> Array:
    """An eager result as an array of the kind that ONNX Runtime gives."""
    if not isinstance(value, torch.Tensor):
        return np.asarray(value)
    value = value.detach().cpu()
    if value.is_complex():
        value = torch.view_as_real(value.resolve_conj())
    if value.dtype is torch.bfloat16:
        value = value.float()
    if value.is_sparse or value.is_quantized:
        value = value.dequantize() if value.is_quantized else value.to_dense()
    return value.resolve_neg().numpy()


def close(got: Array, want: Array) -> bool:
    """Whether two arrays agree within the tolerance of the wanted one's dtype."""
    return got.shape == want.shape and worst(got, want) is None


def worst(got: Array, want: Array, doubt: Doubt = NO_DOUBT) -> Worst | None:
    """The element that differs most beyond tolerance; ``None`` when all agree."""
    if want.dtype.kind in "iub?" or got.dtype.kind in "iub?":
        wrong = got != want
        if doubt.elements is not None:
            wrong = wrong & ~doubt.elements
        difference = np.abs(got.astype(np.float64) - want.astype(np.float64))
    elif want.dtype.kind in "SUO":
        wrong, difference = got != want, np.zeros(want.shape)
    else:
        name = "bfloat16" if "bfloat16" in (str(want.dtype), str(got.dtype)) else str(got.dtype)
        relative, fraction = TOLERANCES.get(name, TOLERANCES["float32"])
        a, b = got.astype(np.float64), want.astype(np.float64)
        sizes = np.abs(b[np.isfinite(b) & (b != 0)])
        absolute = _ABSOLUTE_FLOOR + fraction * (float(np.median(sizes)) if sizes.size else 0.0)
        absolute += _FLOORS * doubt.floor
        with np.errstate(invalid="ignore"):
            difference = np.abs(a - b)
            wrong = ~((difference <= absolute + relative * np.abs(b)) | (a == b) | (np.isnan(a) & np.isnan(b)))
        difference = np.where(np.isnan(difference), np.inf, difference)
    if not wrong.any():
        return None
    index = np.unravel_index(int(np.argmax(np.where(wrong, difference, -1))), want.shape) if want.shape else ()
    return Worst(
        tuple(int(k) for k in index),
        clip(got[index].item() if hasattr(got[index], "item") else got[index], 60),
        clip(want[index].item() if hasattr(want[index], "item") else want[index], 60),
        int(wrong.sum()),
        int(wrong.size),
    )


def compare(results: Results, outputs: list[Leaf], doubts: Sequence[Doubt] = ()) -> Comparison:
    """One run against the eager outputs; of several wrong outputs the one of which the largest share is wrong.

    `doubts` has one entry for each output, or none at all.
    """
    got = flat_results(results)
    want = wanted_arrays(outputs, len(got))
    if len(got) != len(want):
        return Comparison(State.WRONG, f"{len(got)} outputs, the model gives {len(want)}")
    wrong: list[tuple[float, Comparison]] = []
    left_out = 0
    for number, ((name, array), (_, expected)) in enumerate(zip(got, want, strict=True)):
        shown = f"output {number}" if name.isdigit() else f"output `{name}`"
        doubt = doubts[number] if number < len(doubts) else NO_DOUBT
        if np.isinf(doubt.floor):
            left_out += 1
            continue
        if array.dtype != expected.dtype and _has_dtype(outputs, len(got), number):
            text = f"{shown} is {array.dtype}, the model gives {expected.dtype}"
            wrong.append((float("inf"), Comparison(State.WRONG, text, name)))
            continue
        if array.shape != expected.shape:
            text = f"{shown} has shape {list(array.shape)}, the model gives {list(expected.shape)}"
            wrong.append((float("inf"), Comparison(State.WRONG, text, name)))
            continue
        found = worst(array, expected, doubt)
        if found is not None:
            at = f"[{', '.join(map(str, found.index))}]"
            share = f"{found.wrong} of {found.of} values differ"
            text = f"{shown}{at} is {found.got}, the model gives {found.want} ({share})"
            wrong.append((found.wrong / found.of, Comparison(State.WRONG, text, name, found)))
    if wrong:
        return max(wrong, key=lambda pair: pair[0])[1]
    count = len(got) - left_out
    text = f"{count} outputs agree" if count != 1 else "1 output agrees"
    return Comparison(State.RIGHT, text + (f", {left_out} cannot be compared" if left_out else ""))


def _has_dtype(outputs: list[Leaf], count: int, number: int) -> bool:
    """Whether an output of the model is of a dtype that NumPy and ONNX Runtime have as well."""
    value = outputs[chosen_outputs(outputs, count)[number]][1]
    if not isinstance(value, torch.Tensor) or value.is_complex() or value.is_quantized:
        return False
    return value.dtype is not torch.bfloat16
