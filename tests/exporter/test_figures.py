"""What a result is worth: its speed, its form in another number format, its values one by one, and where it runs."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest

from onnx_lint_exporter.figures import BUCKETS
from onnx_lint_exporter.worker.differences import difference, histogram

sys.path.insert(0, str(Path(__file__).parent))
from commands import Ran, export

pytestmark = pytest.mark.torch
MODEL = """import torch


class Net(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.first, self.second = torch.nn.Linear(64, 64), torch.nn.Linear(64, 64)

    def forward(self, x):
        y = torch.relu(self.first(x))
        return self.second(y) * 2


class Large(torch.nn.Module):
    def forward(self, x):
        y = x * 100.0
        return y * 60000.0 / 6000000.0
"""


def _export(folder: Path, python: str, name: str, *more: str) -> Ran:
    (folder / "net.py").write_text(MODEL)
    return export(folder, python, [f"net.py:{name}", "--input", "x:float32[n=4,64]", "--output-format", "json", *more])


@pytest.mark.parametrize("form", ["fp16", "int8"])
def test_a_conversion_is_verified_and_its_drift_told(form: str, tmp_path: Path, warm_python: str) -> None:
    """The file that is written is the converted one; inputs and outputs keep their types; lines say what changed."""
    ran = _export(tmp_path, warm_python, "Net", "--convert", form, "--output", "net-{engine}.onnx")
    assert ran.status == 0
    for engine in ("torchscript", "dynamo"):
        made = ran.export(engine)["conversion"]
        assert made["form"] == form and made["size"] < 0.7 * made["before"]
        assert [run["state"] for run in made["runs"]] == ["right", "right"]
        path = tmp_path / f"net-{engine}.onnx"
        types = {tensor.data_type for tensor in onnx.load(path).graph.initializer}
        assert (onnx.TensorProto.FLOAT16 if form == "fp16" else onnx.TensorProto.INT8) in types
        session = onnxruntime.InferenceSession(str(path))
        assert {entry.type for entry in [*session.get_inputs(), *session.get_outputs()]} == {"tensor(float)"}
        assert {each["line"] for each in made["drift"]} <= {10, 11} and made["drift"]
    told = [d for d in ran.document["diagnostics"] if d["code"] == "ONX925"]
    assert told and all(d["severity"] == "info" and f"{form} changes this value" in d["message"] for d in told)


def test_a_conversion_that_is_too_far_off(tmp_path: Path, warm_python: str) -> None:
    """Half precision ends at 65,504: nothing is written, and the line is the one that it changes most."""
    arguments = ["--engine", "torchscript", "--convert", "fp16", "--output", "net.onnx"]
    ran = _export(tmp_path, warm_python, "Large", *arguments)
    errors = [d for d in ran.document["diagnostics"] if d["severity"] == "error"]
    assert ran.status == 1 and not (tmp_path / "net.onnx").exists()
    assert [(d["code"], d["line"]) for d in errors] == [("ONX925", 17)]
    assert "the model as fp16 is too far off" in errors[0]["message"]


def test_speed_and_differences(tmp_path: Path, warm_python: str) -> None:
    ran = _export(tmp_path, warm_python, "Net", "--measure", "--differences", "--engine", "torchscript")
    entry = ran.export("torchscript")
    assert entry["speed"]["exported"] > 0 and entry["speed"]["eager"] > 0
    assert entry["speed"]["weights"] == 4 * 2 * (64 * 64 + 64)
    rows = [(row["name"], row["path"], row["line"]) for row in entry["differences"]]
    assert rows == [
        (name, "net.py", line) for name, line in (("linear", 10), ("relu", 10), ("linear", 11), ("mul", 11))
    ]
    for row in entry["differences"]:
        assert list(row["histogram"]) == list(BUCKETS) and sum(row["histogram"].values()) == 4 * 64
        assert row["largest"] < 1e-4 and row["relative"] < 1e-4
    plain = _export(tmp_path, warm_python, "Net", "--engine", "torchscript").export("torchscript")
    assert plain["speed"] is None and plain["differences"] == []


def test_where_it_runs(tmp_path: Path, warm_python: str) -> None:
    """A provider that is not there, and a file that is no library: nothing is proved, and the status says so."""
    one = ("--engine", "torchscript")
    assert _export(tmp_path, warm_python, "Net", *one, "--provider", "cpu").status == 0
    ran = _export(tmp_path, warm_python, "Net", *one, "--provider", "Imagined")
    assert ran.status == 3 and "no provider ImaginedExecutionProvider here" in ran.err
    ran = _export(tmp_path, warm_python, "Net", *one, "--custom-ops-library", "net.py")
    assert ran.status == 3 and "net.py is no library of operators" in ran.err
    assert _export(tmp_path, warm_python, "Net", *one, "--custom-ops-library", "none.so").status == 2


def test_the_histogram_counts_every_element_once() -> None:
    values = np.array([0.0, 1e-9, 5e-8, 5e-7, 5e-6, 5e-5, 5e-4, 5e-3, 0.05, 0.5, 7.0, np.inf])
    assert histogram(values) == (1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 2)


def test_equal_infinities_and_nan_do_not_differ() -> None:
    one = np.array([np.inf, np.nan, 1.0])
    same = difference("x", one, one.copy(), ())
    assert same is not None and same.largest == same.relative == 0.0
    other = difference("x", np.array([1.0, 2.0]), np.array([1.0, np.nan]), ())
    assert other is not None and other.largest > 1e100
    assert difference("x", np.zeros(2), np.zeros(3), ()) is None
