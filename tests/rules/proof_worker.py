"""Exports small models with the installed torch and says what each engine made of them.

Run as a program: cases come as JSON on standard input, one result a line goes to the file named by the first argument.
Every export runs in a forked child of its own, since one of the constructs under test kills the interpreter.

A case is ``{"id", "source", "first", "second", "dynamic", "engine", "before", "is_script", "messages",
"is_sequence", "raises", "opset"}``: `source` defines ``Model`` (no arguments); `first` and `second` are expressions for
the tuple of inputs, the example and another one; `dynamic` maps an input name to its dynamic axes. With `is_script` the
source calls the exporter itself, and warnings with one of the texts in `messages` count. With `is_sequence` one model
is given both inputs, one after the other. With `raises` eager mode refuses both of them. With `before`, another source,
the eager results of both must be equal bit by bit.
A result is ``{"id", "engine", "verdict", "detail"}``.
"""

from __future__ import annotations

import contextlib
import copy
import importlib.util
import inspect
import io
import json
import logging
import os
import signal
import sys
import tempfile
import warnings
from collections.abc import Iterator
from typing import Any

import numpy as np
import onnx
import onnxruntime
import torch
from torch.export import Dim

TIME_LIMIT = 120
"""Seconds for one export with its two runs."""


def leaves(value: Any) -> list[Any]:
    """The outputs of a model, flat, without ``None``."""
    if isinstance(value, dict):
        return [leaf for part in value.values() for leaf in leaves(part)]
    if isinstance(value, (list, tuple)):
        return [leaf for part in value for leaf in leaves(part)]
    return [] if value is None else [value]


def names_lost(value: Any) -> bool:
    """Whether a result says something that an ONNX model cannot say: keys, ``None``, text."""
    if isinstance(value, (list, tuple)):
        return any(names_lost(part) for part in value)
    return value is None or isinstance(value, (dict, str))


def same(value: Any, other: Any) -> bool:
    """Whether two results are equal, bit by bit."""
    ours, theirs = leaves(value), leaves(other)
    return len(ours) == len(theirs) and all(
        torch.equal(a, b) and a.dtype == b.dtype if isinstance(a, torch.Tensor) else a == b and type(a) is type(b)
        for a, b in zip(ours, theirs, strict=True)
    )


def load(source: str, folder: str, name: str = "case_model") -> dict[str, Any]:
    """Run the module; from a real file, since the engines read source text."""
    path = os.path.join(folder, f"{name}.py")
    with open(path, "w", encoding="utf-8") as file:
        file.write(source)
    specification = importlib.util.spec_from_file_location(name, path)
    assert specification is not None and specification.loader is not None
    module = importlib.util.module_from_spec(specification)
    sys.modules[name] = module  # dynamo looks globals up by the name of their module
    specification.loader.exec_module(module)
    return {"torch": torch, **vars(module)}


def export(model: torch.nn.Module, inputs: tuple[Any, ...], case: dict[str, Any]) -> bytes:
    dynamic, opset = case["dynamic"], case["opset"]
    parameters = list(inspect.signature(model.forward).parameters)[: len(inputs)]
    buffer = io.BytesIO()
    if case["engine"] == "torchscript":
        tensors = [n for n, v in zip(parameters, inputs, strict=True) if isinstance(v, torch.Tensor)]
        torch.onnx.export(
            model, inputs, buffer, dynamo=False, input_names=tensors or None, opset_version=opset,
            dynamic_axes={n: {a: f"{n}_{a}" for a in axes} for n, axes in dynamic.items()},
        )  # fmt: skip
    else:
        shapes = {n: dict.fromkeys(dynamic[n], Dim.DYNAMIC) if n in dynamic else None for n in parameters}
        program = torch.onnx.export(
            model, inputs, dynamo=True, verbose=False, dynamic_shapes=shapes, opset_version=opset
        )
        assert program is not None
        onnx.save(program.model_proto, buffer)
    return buffer.getvalue()


def run(session: onnxruntime.InferenceSession, model: torch.nn.Module, inputs: tuple[Any, ...]) -> list[Any]:
    parameters = list(inspect.signature(model.forward).parameters)
    tensors = {n: v.numpy() for n, v in zip(parameters, inputs, strict=False) if isinstance(v, torch.Tensor)}
    flat = [v.numpy() for v in leaves(list(inputs)) if isinstance(v, torch.Tensor)]
    feed = {}
    for index, wanted in enumerate(session.get_inputs()):
        feed[wanted.name] = tensors[wanted.name] if wanted.name in tensors else flat[index]
    return leaves(session.run(None, feed))


def measure(case: dict[str, Any]) -> tuple[str, str]:
    """Verdict and detail of one case under one engine."""
    with tempfile.TemporaryDirectory() as folder:
        torch.manual_seed(0)
        namespace = load(case["source"], folder)
        model = namespace["Model"]().eval()
        inputs = [eval(case[which], namespace) for which in ("first", "second")]
        with torch.no_grad():
            if case["raises"]:
                expected = [eager_error(model, given) for given in inputs]
                if None in expected:
                    return "broken case", "eager mode runs it"
            elif case["is_sequence"]:
                lasting = copy.deepcopy(model)
                expected = [copy.deepcopy(lasting(*copy.deepcopy(given))) for given in inputs]
            else:
                expected = [copy.deepcopy(model)(*copy.deepcopy(given)) for given in inputs]
        if case.get("before"):
            torch.manual_seed(0)
            original = load(case["before"], folder, "original_model")["Model"]().eval()
            with torch.no_grad():
                earlier = [copy.deepcopy(original)(*copy.deepcopy(given)) for given in inputs]
            if not all(same(a, b) for a, b in zip(earlier, expected, strict=True)):
                return "broken case", "eager results differ from those of the original"
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            try:
                data = export(copy.deepcopy(model), copy.deepcopy(inputs[0]), case)
            except Exception as error:  # noqa: BLE001 - whatever stops an export is what is measured
                return failed(error)
        told = [str(w.message).partition(". ")[0][:120] for w in caught if w.category is torch.jit.TracerWarning]
        return judged(data, model, inputs, expected, told)


def eager_error(model: torch.nn.Module, given: tuple[Any, ...]) -> RuntimeError | None:
    """What eager mode refuses an input with."""
    try:
        model(*given)
    except RuntimeError as error:
        return error
    return None


def failed(error: Exception) -> tuple[str, str]:
    """The verdict on an export that stopped, with the first cause."""
    while error.__cause__ is not None and isinstance(error.__cause__, Exception):
        error = error.__cause__
    return "fails", f"export: {type(error).__name__}: {error}".partition("\n")[0][:300]


def judged(
    data: bytes, model: torch.nn.Module, inputs: list[Any], expected: list[Any], told: list[str]
) -> tuple[str, str]:
    """Verdict and detail of an export that succeeded: loaded, and run on both inputs."""
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    problems = []
    try:
        session = onnxruntime.InferenceSession(data, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # noqa: BLE001 - what stops it is what is measured
        return "fails", f"load: {error}".partition("\n")[0][:300]
    for which, given, result in zip(("first", "second"), inputs, expected, strict=True):
        told_apart = [r for r in leaves(result) if not isinstance(r, str)]
        wanted = [np.asarray(r.numpy() if isinstance(r, torch.Tensor) else r) for r in told_apart]
        try:
            got = [np.asarray(g) for g in run(session, model, given)]
        except Exception as error:  # noqa: BLE001 - likewise
            return "fails", f"run, {which} input: {error}".partition("\n")[0][:300]
        if len(got) != len(wanted):
            problems.append(f"{which}: {len(got)} outputs for {len(wanted)}")
        elif any(g.shape != w.shape or not np.allclose(g, w, 1e-3, 1e-4) for g, w in zip(got, wanted, strict=True)):
            problems.append(f"{which}: differs")
    if problems:
        return "silently wrong", "; ".join([*problems, *(f"warned: {t}" for t in told)])
    if told:
        return "warns", told[0]
    return ("warns", "keys, None or text are lost") if names_lost(expected[0]) else ("fine", "")


def measure_script(case: dict[str, Any]) -> tuple[str, str]:
    """Verdict and detail of a script that calls the exporter itself: the call is made as it is written, by the engine
    under test, and the model run on its example and on the second input."""
    calls: list[tuple[torch.nn.Module, Any, dict[str, Any]]] = []
    original = torch.onnx.export

    def call(model: Any, args: Any = (), f: Any = None, **given: Any) -> Any:
        given["dynamo"] = case["engine"] == "dynamo"
        calls.append((model, args, {"file": f}))
        calls[-1][2]["program"] = original(model, args, f, **given)
        return calls[-1][2]["program"]

    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        os.chdir(folder)
        torch.manual_seed(0)
        torch.onnx.export = call
        try:
            namespace = load(case["source"], folder)
        except Exception as error:  # noqa: BLE001 - whatever stops the script is what is measured
            return failed(error)
        finally:
            torch.onnx.export = original
        model, args, made = calls[0]
        first = args if isinstance(args, tuple) else (args,)
        inputs = [first, eval(case["second"], namespace)]
        model.eval()
        with torch.no_grad():
            expected = [copy.deepcopy(model)(*copy.deepcopy(given)) for given in inputs]
        told = [str(w.message)[:120] for w in caught if any(m in str(w.message) for m in case["messages"])]
        if made["file"] is None:
            data = made["program"].model_proto.SerializeToString()
        elif isinstance(made["file"], io.BytesIO):
            data = made["file"].getvalue()
        else:
            data = made["file"]  # by path: weights may lie beside it
        return judged(data, model, inputs, expected, told)


def in_child(case: dict[str, Any]) -> dict[str, str]:
    """Measure in a forked child. A death of the child is a failure of the engine, and said so."""
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reader)
        signal.alarm(TIME_LIMIT)
        try:
            verdict, detail = measure_script(case) if case["is_script"] else measure(case)
        except BaseException as error:  # noqa: BLE001 - told to the parent
            verdict, detail = "broken case", f"{type(error).__name__}: {error}"[:300]
        os.write(writer, json.dumps([verdict, detail]).encode())
        os._exit(0)
    os.close(writer)
    with os.fdopen(reader, "rb") as pipe:
        answer = pipe.read()
    _, status = os.waitpid(child, 0)
    died = ("fails", f"the interpreter died of signal {os.WTERMSIG(status)}")
    verdict, detail = json.loads(answer) if answer else died
    return {"id": case["id"], "engine": case["engine"], "verdict": verdict, "detail": detail}


@contextlib.contextmanager
def silence() -> Iterator[None]:
    """Engines and crashing children write to the file descriptors themselves."""
    null = os.open(os.devnull, os.O_WRONLY)
    kept = os.dup(1), os.dup(2)
    os.dup2(null, 1)
    os.dup2(null, 2)
    try:
        yield
    finally:
        for number, old in zip((1, 2), kept, strict=True):
            os.dup2(old, number)
            os.close(old)
        os.close(null)


class _WarmUp(torch.nn.Module):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return torch.relu(x[:2]) + 1


def main() -> None:
    cases = json.load(sys.stdin)
    torch.set_num_threads(1)
    logging.disable(logging.WARNING)
    if any(case["engine"] == "dynamo" for case in cases):
        # the first export of a process takes seconds; children inherit what it imported
        with silence(), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            torch.onnx.export(_WarmUp(), (torch.randn(4, 4),), dynamo=True, verbose=False)
    with open(sys.argv[1], "w", encoding="utf-8") as out:
        for case in cases:
            with silence():
                result = in_child(case)
            out.write(json.dumps(result) + "\n")
            out.flush()


if __name__ == "__main__":
    main()
