"""Run the exported model in ONNX Runtime and compare with the model's own results."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import torch

from .channel import clip
from .model_file import ModelFile

TOLERANCES: dict[str, tuple[float, float]] = {
    "float64": (1e-5, 1e-6),
    "float32": (1e-3, 1e-4),
    "float16": (1e-2, 1e-2),
    "bfloat16": (5e-2, 5e-2),
}
"""Per dtype: relative tolerance of each element, and absolute tolerance as a fraction of the output's largest value.

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


class NoRuntimeError(Exception):
    """Nothing can be run: onnxruntime is not installed, or it lacks an operator of the user's own."""


def feed(model: ModelFile, leaves: list[tuple[str, Any]], names: list[str] | None) -> dict[str, Any]:
    """The arrays for the graph's inputs, found by name, or else by position."""
    usable = [(name, value) for name, value in leaves if isinstance(value, (torch.Tensor, bool, int, float))]
    table = dict(usable)
    table.update({given: value for given, (_, value) in zip(names or [], usable, strict=False)})
    tensors = [value for _, value in usable if isinstance(value, torch.Tensor)]
    arrays: dict[str, Any] = {}
    for index, entry in enumerate(model.inputs()):
        value = table.get(entry.name, tensors[index] if index < len(tensors) else None)
        arrays[entry.name] = to_array(value, entry)
    return arrays


def to_array(value: Any, entry: Any) -> Any:
    import onnx

    if isinstance(value, torch.Tensor):
        if value.is_complex():
            value = torch.view_as_real(value)
        if value.dtype is torch.bfloat16:
            import ml_dtypes

            return value.detach().contiguous().view(torch.int16).numpy().view(ml_dtypes.bfloat16)
        return value.detach().cpu().numpy()
    kind = onnx.helper.tensor_dtype_to_np_dtype(entry.type.tensor_type.elem_type)
    return np.asarray(value, dtype=kind)


def session(path: str, plain: bool = False) -> Any:
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
    try:
        return onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    except Exception as error:
        lacking = _UNKNOWN_OPERATOR.search(str(error))
        if lacking is not None and lacking["domain"] != "ai.onnx":
            operator = f"{lacking['domain']}::{lacking['name']}"
            text = f"ONNX Runtime has no operator `{operator}`, so the results are not compared"
            raise NoRuntimeError(text) from error
        raise _run_error(error) from error


def run(prepared: Any, arrays: dict[str, Any]) -> dict[str, Any]:
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


def _run_bound(prepared: Any, arrays: dict[str, Any]) -> list[Any]:
    """The outputs of a model with bfloat16 inputs or outputs, which ONNX Runtime does not exchange with NumPy."""
    import ctypes

    import ml_dtypes
    import onnx
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
    status = text.split("Status Message: ", 1)[-1]
    status = re.sub(r"^\S+:\d+ .*?\) (?=[A-Za-z])(?!const)", "", status)
    words = f"{where[1]} node {where[2]!r}: {status}" if where else status
    return clip(words, 300)


def flat_results(results: dict[str, Any]) -> list[tuple[str, Any]]:
    flat: list[tuple[str, Any]] = []
    for name, value in results.items():
        if isinstance(value, list):
            flat += [(f"{name}[{k}]", item) for k, item in enumerate(value)]
        else:
            flat.append((name, value))
    return flat


def wanted_arrays(outputs: list[tuple[str, Any]], count: int) -> list[tuple[str, Any]]:
    """The eager outputs that an ONNX model can have: tensors, and numbers where the count says they are kept."""
    tensors = [(name, value) for name, value in outputs if isinstance(value, torch.Tensor)]
    numbers = [(name, value) for name, value in outputs if isinstance(value, (torch.Tensor, bool, int, float))]
    chosen = numbers if len(numbers) == count else tensors
    return [(name, array_of(value)) for name, value in chosen]


def array_of(value: Any) -> Any:
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


def close(got: Any, want: Any) -> bool:
    """Whether two arrays agree within the tolerance of the wanted one's dtype."""
    return got.shape == want.shape and worst(got, want) is None


def worst(got: Any, want: Any) -> dict[str, Any] | None:
    """The element that differs most beyond tolerance: its index, both values; ``None`` when all agree."""
    if want.dtype.kind in "iub?" or got.dtype.kind in "iub?":
        wrong = got != want
        difference = np.abs(got.astype(np.float64) - want.astype(np.float64))
    elif want.dtype.kind in "SUO":
        wrong, difference = got != want, np.zeros(want.shape)
    else:
        name = "bfloat16" if "bfloat16" in (str(want.dtype), str(got.dtype)) else str(got.dtype)
        relative, fraction = TOLERANCES.get(name, TOLERANCES["float32"])
        a, b = got.astype(np.float64), want.astype(np.float64)
        finite = np.abs(b[np.isfinite(b)])
        absolute = _ABSOLUTE_FLOOR + fraction * (float(finite.max()) if finite.size else 0.0)
        with np.errstate(invalid="ignore"):
            difference = np.abs(a - b)
            wrong = ~((difference <= absolute + relative * np.abs(b)) | (a == b) | (np.isnan(a) & np.isnan(b)))
        difference = np.where(np.isnan(difference), np.inf, difference)
    if not wrong.any():
        return None
    index = np.unravel_index(int(np.argmax(np.where(wrong, difference, -1))), want.shape) if want.shape else ()
    return {
        "index": [int(k) for k in index],
        "got": clip(got[index].item() if hasattr(got[index], "item") else got[index], 60),
        "want": clip(want[index].item() if hasattr(want[index], "item") else want[index], 60),
        "wrong": int(wrong.sum()),
        "of": int(wrong.size),
    }


def compare(results: dict[str, Any], outputs: list[tuple[str, Any]]) -> dict[str, Any]:
    """``{state: right|wrong, text, output, worst}`` of one run against the eager outputs."""
    got = flat_results(results)
    want = wanted_arrays(outputs, len(got))
    if len(got) != len(want):
        return {"state": "wrong", "text": f"{len(got)} outputs, the model gives {len(want)}", "output": None}
    wrong: list[tuple[float, dict[str, Any]]] = []
    for number, ((name, value), (_, expected)) in enumerate(zip(got, want, strict=True)):
        array = np.asarray(value)
        shown = f"output {number}" if name.isdigit() else f"output `{name}`"
        if array.shape != expected.shape:
            text = f"{shown} has shape {list(array.shape)}, the model gives {list(expected.shape)}"
            wrong.append((float("inf"), {"state": "wrong", "text": text, "output": name}))
            continue
        found = worst(array, expected)
        if found is not None:
            at = f"[{', '.join(map(str, found['index']))}]"
            share = f"{found['wrong']} of {found['of']} values differ"
            text = f"{shown}{at} is {found['got']}, the model gives {found['want']} ({share})"
            wrong.append(
                (found["wrong"] / found["of"], {"state": "wrong", "text": text, "output": name, "worst": found})
            )
    if wrong:
        return max(wrong, key=lambda pair: pair[0])[1]
    return {"state": "right", "text": f"{len(got)} output{'s' if len(got) != 1 else ''} agree"}
