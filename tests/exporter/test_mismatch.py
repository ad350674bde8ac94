"""``find_mismatch`` with a wrong translation of relu, in both engines: rows E6 and E10; and the log switch, row E13."""

from __future__ import annotations

import logging
import os
import subprocess
import sys
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from onnxscript import opset20 as op
from torch import nn

sys.path.insert(0, str(Path(__file__).parent))
from commands import export as command

from onnx_lint_exporter import ExportError, disable_log, enable_log, find_mismatch, unconvertible_ops, verify

pytestmark = [pytest.mark.torch, pytest.mark.usefixtures("torchlib_once")]
BOTH = pytest.mark.parametrize("engine", ["torchscript", "dynamo"])
SLOPE = 0.5


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.linear = nn.Linear(3, 4)

    def forward(self, x):
        y = self.linear(x)
        z = torch.relu(y)  # relu
        return z * 2 + 1


def leaky(g, given):
    return g.op("LeakyRelu", given, alpha_f=SLOPE)


def leaky_onnx(self):
    return op.LeakyRelu(self, alpha=SLOPE)


X = torch.tensor([[1.0, -2.0, 3.0], [-4.0, 5.0, -6.0]])


@pytest.fixture(autouse=True)
def seeded() -> Iterator[None]:
    torch.manual_seed(0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


@pytest.fixture
def wrong(engine: str) -> Iterator[dict[str, Any]]:
    """The options of an export whose relu is wrong; in torchscript it is registered for that time."""
    if engine == "dynamo":
        yield {"custom_translation_table": {torch.ops.aten.relu.default: leaky_onnx}}
        return
    torch.onnx.register_custom_op_symbolic("aten::relu", leaky, 9)
    yield {}
    torch.onnx.unregister_custom_op_symbolic("aten::relu", 9)


def line_of(mark: str) -> int:
    lines = Path(__file__).read_text().split("\n")
    return 1 + next(number for number, text in enumerate(lines) if text.endswith(f"# {mark}"))


@BOTH
def test_the_first_value_that_differs(engine: str, wrong: dict[str, Any], tmp_path: Path, warm_python: str) -> None:
    model = Net().eval()
    report = find_mismatch(model, (X,), engine=engine, **wrong)
    assert report and report.state == "wrong"
    assert report.place is not None and Path(report.place.path).name == Path(__file__).name
    assert (report.place.line, report.operator, report.fault) == (line_of("relu"), "relu", "converter")
    assert any("LeakyRelu" in node for node in report.nodes)
    states = {step.name: step.state for step in report.steps}
    assert states == {"linear": "equal", "relu": "differs", "mul": "differs", "add": "differs"}
    tree = str(report).split("\n")
    assert tree[0].startswith(f"{engine}: wrong: output ")
    assert [text.split()[:2] for text in tree if "✓" in text or "✗" in text] == [
        ["✓", "linear"],
        ["✗", "relu"],
        ["✗", "mul"],
        ["✗", "add"],
    ]
    assert tree[-1].endswith("`relu` (converter)")

    report.write_reproduction(tmp_path / "alone.py")
    ran = subprocess.run(
        [warm_python, "alone.py"], check=False, cwd=tmp_path, capture_output=True, text=True, env=dict(os.environ)
    )
    assert ran.returncode == 1 and "AssertionError" in ran.stderr
    assert "(ACTUAL), 0.0 (DESIRED)" in ran.stderr
    text = (tmp_path / "alone.py").read_text()
    assert "torch.relu(given[0])" in text and f"SLOPE = {SLOPE}" in text
    assert "linear" not in text  # the call alone


@BOTH
def test_right_again_without_the_registration(engine: str) -> None:
    report = find_mismatch(Net().eval(), (X,), engine=engine)
    assert not report and report.state == "right"
    with pytest.raises(ValueError, match="no differing call"):
        report.write_reproduction("nowhere.py")


def test_a_registered_symbolic_function_is_used_until_it_is_unregistered() -> None:
    """Of an operator that has no other, torch then says something else than before."""

    class Airy(nn.Module):
        def forward(self, x):
            return torch.special.modified_bessel_i0(x)

    def missing() -> list[str]:
        return [found.operator for found in unconvertible_ops(Airy(), (X,))]

    assert missing() == ["aten::special_modified_bessel_i0"]
    name = "aten::special_modified_bessel_i0"
    torch.onnx.register_custom_op_symbolic(name, lambda g, given: g.op("Identity", given), 9)
    assert missing() == []
    torch.onnx.unregister_custom_op_symbolic("aten::special_modified_bessel_i0", 9)
    with pytest.raises(ExportError, match="`aten::special_modified_bessel_i0` cannot be translated: min"):
        missing()


def test_a_registration_holds_until_torch_has_a_later_one() -> None:
    """torch has translations of gelu for opset 9 and for opset 20: one registered for 9 counts below 20 only."""

    class Gelu(nn.Module):
        def forward(self, x):
            return nn.functional.gelu(x)

    torch.onnx.register_custom_op_symbolic("aten::gelu", lambda g, given, approximate: g.op("Neg", given), 9)
    try:
        assert find_mismatch(Gelu(), (X,), opset_version=17)
        assert not find_mismatch(Gelu(), (X,), opset_version=20)
    finally:
        torch.onnx.unregister_custom_op_symbolic("aten::gelu", 9)


def test_the_tracing_is_told_from_the_converter() -> None:
    class Frozen(nn.Module):
        def forward(self, x):
            return x * float(x.max())

    assert find_mismatch(Frozen(), (X,), (X * 2,)).fault == "tracing"


def test_a_function_that_cannot_be_written_out_is_named(tmp_path: Path) -> None:
    torch.onnx.register_custom_op_symbolic("aten::relu", lambda g, given: g.op("Neg", given), 9)
    try:
        report = find_mismatch(Net().eval(), (X,))
        with pytest.raises(ValueError, match="only plain functions of a module"):
            report.write_reproduction(tmp_path / "alone.py")
    finally:
        torch.onnx.unregister_custom_op_symbolic("aten::relu", 9)


FILE = """import torch
from onnxscript import opset20 as op
from torch import nn


class Net(nn.Module):
    def forward(self, x):
        y = torch.relu(x)
        return y * 2


def leaky(g, given):
    return g.op("LeakyRelu", given, alpha_f=0.5)


torch.onnx.register_custom_op_symbolic("aten::relu", leaky, 9)
custom_translation_table = {torch.ops.aten.relu.default: lambda self: op.LeakyRelu(self, alpha=0.5)}
"""


def test_the_command_pins_it_too(tmp_path: Path, warm_python: str) -> None:
    (tmp_path / "net.py").write_text(FILE)
    ran = command(tmp_path, warm_python, ["net.py:Net", "--input", "x:float32[n,3]", "--output-format", "json"])
    assert ran.status == 1
    found = {(d["code"], d["line"], d["engines"][0]): d["message"] for d in ran.document["diagnostics"]}
    assert set(found) == {("ONX906", 8, "torchscript"), ("ONX906", 8, "dynamo")}
    assert all("the recorded program is right, its translation is wrong" in text for text in found.values())
    assert {entry["mismatch"]["fault"] for entry in ran.document["exports"]} == {"converter"}


# --- E13 -------------------------------------------------------------------------------------------------------------


@pytest.fixture
def log() -> Iterator[None]:
    yield
    disable_log()


LOGGED = """
import sys
import torch
from onnx_lint_exporter import disable_log, enable_log, find_mismatch

class Net(torch.nn.Module):
    def forward(self, x):
        return torch.relu(x) + 1

def part(name):
    print(name, file=sys.stderr, flush=True)
    find_mismatch(Net().eval(), (torch.ones(2, 3),))

part("off")
enable_log()
part("on")
disable_log()
part("off again")
"""


def test_the_log_switch() -> None:
    """In a process of its own: what torch prints from C++ depends on all that was done to its stream before."""
    done = subprocess.run([sys.executable, "-W", "ignore", "-c", LOGGED], capture_output=True, text=True, check=True)
    assert done.stdout == ""
    lines = done.stderr.splitlines()
    on, off = lines.index("on"), lines.index("off again")
    logged = [line for line in lines if line.startswith("onnx_lint_exporter: ")]
    assert logged == [line for line in lines[on:off] if line.startswith("onnx_lint_exporter: ")]
    assert logged[0] == "onnx_lint_exporter: find mismatch Net"
    assert any(line.startswith("onnx_lint_exporter: | ") and "onnx::Relu" in line for line in logged)  # torch's graph
    assert not any("onnx::Relu" in line for line in (*lines[:on], *lines[off:]))


@pytest.mark.usefixtures("log")
def test_the_log_is_an_ordinary_logger(caplog: pytest.LogCaptureFixture, tmp_path: Path) -> None:
    model, path = Net().eval(), str(tmp_path / "net.onnx")
    torch.onnx.export(model, (X,), path, dynamo=False)
    with caplog.at_level(logging.INFO, "onnx_lint_exporter"):
        assert verify(model, path, (X,))
    assert [message for message in caplog.messages if "agree" in message] == [
        "input 1: right: 1 output agrees",
        "input 2: right: 1 output agrees",
    ]
    enable_log(logging.WARNING)
    assert logging.getLogger("onnx_lint_exporter").level == logging.WARNING
    disable_log()
    assert not logging.getLogger("onnx_lint_exporter").handlers
