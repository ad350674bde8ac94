"""Every switch of ``onnx-lint --export`` has its effect, seen in the file or the document that results."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import onnx
import pytest

sys.path.insert(0, str(Path(__file__).parent))
from commands import Ran, export

pytestmark = pytest.mark.torch
BOTH = ("torchscript", "dynamo")
NETS = """import time

import torch
from torch import nn


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.linear = nn.Linear(3, 400)
        self.register_buffer("scale", torch.tensor([2.0]))

    def forward(self, x, y):
        return self.linear(x) * (self.scale * 3), y * 2


class Slow(nn.Module):
    def forward(self, x):
        time.sleep(600)
        return x


class Hungry(nn.Module):
    def forward(self, x):
        print("eating", flush=True)
        return x + torch.zeros(1 << 34).sum()


class Reading(nn.Module):
    def forward(self, x):
        return x * torch.from_numpy(x.detach().numpy())


class Threads(nn.Module):
    def forward(self, x):
        assert torch.get_num_threads() == 2
        return x + 1
"""
CUSTOM = """import torch
from torch import nn


@torch.library.custom_op("expb::twice", mutates_args=())
def twice(x: torch.Tensor) -> torch.Tensor:
    return x * 2


@twice.register_fake
def _(x):
    return torch.empty_like(x)


class Net(nn.Module):
    def forward(self, x):
        return twice(x)
"""
REGISTER = """import torch
from onnxscript import opset18 as op
from torch.onnx import register_custom_op_symbolic


def symbolic(g, x):
    return g.op("expb.domain::Twice", x)


def translated(x):
    return op.Add(x, x)


register_custom_op_symbolic("expb::twice", symbolic, 9)
custom_translation_table = {torch.ops.expb.twice.default: translated}
"""
NET = ["nets.py:Net", "--input", "x:float32[n,3]", "--input", "y:float32[n,3]"]
JSON = ["--output-format", "json"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("options")
    (made / "nets.py").write_text(NETS)
    (made / "custom.py").write_text(CUSTOM)
    (made / "register.py").write_text(REGISTER)
    return made


@pytest.fixture(scope="module")
def plain(folder: Path, warm_python: str) -> Ran:
    """The export without any option but the place for the models."""
    return export(folder, warm_python, [*NET, "--output", "plain-{engine}.onnx", *JSON])


def models(folder: Path, python: str, *options: str) -> dict[str, onnx.ModelProto]:
    """What both engines write with these options, right on both inputs."""
    ran = export(folder, python, [*NET, "--output", "made-{engine}.onnx", *JSON, *options])
    assert ran.status == 0, ran.out + ran.err
    for engine in BOTH:
        entry = ran.export(engine)
        assert (entry["input1"]["state"], entry["input2"]["state"]) == ("right", "right"), entry
    return {engine: onnx.load(folder / f"made-{engine}.onnx", load_external_data=False) for engine in BOTH}


def names(values: Any) -> list[str]:
    return [value.name for value in values]


def dims(value: Any) -> list[Any]:
    return [dim.dim_param or dim.dim_value for dim in value.type.tensor_type.shape.dim]


def test_without_options(folder: Path, plain: Ran) -> None:
    assert plain.status == 0 and plain.err.count("  right    right") == 2
    for engine in BOTH:
        model = onnx.load(folder / f"plain-{engine}.onnx")
        assert plain.export(engine)["output"] == f"plain-{engine}.onnx"
        assert names(model.graph.input) == ["x", "y"] and len(model.graph.initializer) >= 2
        assert plain.export(engine)["size"] == (folder / f"plain-{engine}.onnx").stat().st_size
        assert "text" not in plain.export(engine)
    assert not list(folder.glob("*.data")) and not list(folder.glob("*.onnxmap.json"))


def test_opset(folder: Path, warm_python: str, plain: Ran) -> None:
    found = models(folder, warm_python, "--opset", "19")
    assert {e.version for model in found.values() for e in model.opset_import if e.domain == ""} == {19}
    assert plain.export("dynamo")["opset"] != 19


def test_one_output_for_both_engines_is_dynamos(folder: Path, warm_python: str) -> None:
    ran = export(folder, warm_python, [*NET, "--output", "one.onnx", *JSON])
    assert [ran.export(engine)["output"] for engine in BOTH] == [None, "one.onnx"]
    assert onnx.load(folder / "one.onnx").graph.node[0].name == "node_linear"


def test_names_of_inputs_and_outputs(folder: Path, warm_python: str) -> None:
    found = models(folder, warm_python, "--input-names", "a, b", "--output-names", "p,q")
    for model in found.values():
        assert (names(model.graph.input), names(model.graph.output)) == (["a", "b"], ["p", "q"])
        assert dims(model.graph.input[0]) == ["n", 3]


@pytest.mark.parametrize("in_a_file", [False, True])
def test_dynamic_axes(folder: Path, warm_python: str, in_a_file: bool) -> None:
    text = json.dumps({"x": {"0": "rows"}, "y": {"0": "others"}})
    (folder / "axes.json").write_text(text)
    fixed = ["nets.py:Net", "--input", "x:float32[2,3]", "--input", "y:float32[4,3]"]
    option = ["--dynamic-axes", "axes.json" if in_a_file else text]
    ran = export(folder, warm_python, [*fixed, *option, *JSON])
    assert ran.status == 0, ran.out
    for engine in BOTH:
        assert [entry["shape"] for entry in ran.export(engine)["inputs"]] == [["rows", 3], ["others", 3]]
        assert ran.export(engine)["arguments"][0]["second"] == "float32[3,3]"


@pytest.mark.parametrize("in_a_file", [False, True])
def test_dynamic_shapes(folder: Path, warm_python: str, in_a_file: bool) -> None:
    text = json.dumps({"x": {"0": "rows"}, "y": None})
    (folder / "shapes.json").write_text(text)
    fixed = ["nets.py:Net", "--input", "x:float32[2,3]", "--input", "y:float32[4,3]", "--engine", "dynamo"]
    ran = export(folder, warm_python, [*fixed, "--dynamic-shapes", "shapes.json" if in_a_file else text, *JSON])
    assert ran.status == 0, ran.out
    assert [entry["shape"] for entry in ran.export("dynamo")["inputs"]] == [["rows", 3], [4, 3]]
    assert [entry["second"] for entry in ran.export("dynamo")["arguments"]] == ["float32[3,3]", "float32[4,3]"]


def test_keep_initializers_as_inputs(folder: Path, warm_python: str) -> None:
    for model in models(folder, warm_python, "--keep-initializers-as-inputs").values():
        assert names(model.graph.input)[:2] == ["x", "y"]
        assert set(names(model.graph.initializer)) <= set(names(model.graph.input))


def test_weights_left_out_are_inputs_and_the_model_is_proved_with_them(folder: Path, warm_python: str) -> None:
    for model in models(folder, warm_python, "--no-export-params").values():
        assert not model.graph.initializer
        assert sorted(names(model.graph.input)) == ["linear.bias", "linear.weight", "scale", "x", "y"]


def test_external_data(folder: Path, warm_python: str, plain: Ran) -> None:
    """The weights in a second file of the model's name, named by its bare name, and replaced as a pair."""
    for _ in range(2):
        found = models(folder, warm_python, "--external-data")
        for engine, model in found.items():
            data = folder / f"made-{engine}.onnx.data"
            outside = [t for t in model.graph.initializer if t.data_location == onnx.TensorProto.EXTERNAL]
            assert "linear.weight" in names(outside)
            assert {e.value for t in outside for e in t.external_data if e.key == "location"} == {data.name}
            assert data.stat().st_size >= 3 * 400 * 4
            whole = onnx.load(folder / f"made-{engine}.onnx")
            weight = next(t for t in whole.graph.initializer if t.name == "linear.weight")
            assert len(weight.raw_data) == 3 * 400 * 4
        assert sorted(path.name for path in folder.glob("made-*.data*")) == [
            "made-dynamo.onnx.data",
            "made-torchscript.onnx.data",
        ]
    models(folder, warm_python)
    assert not list(folder.glob("made-*.data*"))


def test_optimize(folder: Path, warm_python: str, plain: Ran) -> None:
    found = models(folder, warm_python, "--no-optimize")
    for engine in BOTH:
        assert len(found[engine].graph.node) > plain.export(engine)["nodes"]
    again = models(folder, warm_python, "--optimize")
    assert [len(again[engine].graph.node) for engine in BOTH] == [plain.export(e)["nodes"] for e in BOTH]


def test_registrations_and_opsets_of_custom_operators(folder: Path, warm_python: str) -> None:
    net = ["custom.py:Net", "--input", "x:float32[n,3]", "--output", "custom-{engine}.onnx", *JSON]
    assert export(folder, warm_python, net).status == 1
    assert not (folder / "custom-dynamo.onnx").exists()
    ran = export(folder, warm_python, [*net, "--register", "register.py", "--custom-opsets", '{"expb.domain": 7}'])
    assert ran.status == 3, ran.out
    opsets = {e.domain: e.version for e in onnx.load(folder / "custom-torchscript.onnx").opset_import}
    assert opsets["expb.domain"] == 7
    assert [node.op_type for node in onnx.load(folder / "custom-dynamo.onnx").graph.node] == ["Add"]
    assert ran.export("dynamo")["input2"]["state"] == "right"


def test_strict_capture_alone(folder: Path, warm_python: str) -> None:
    ran = export(folder, warm_python, [*NET, "--engine", "dynamo", "--strict", *JSON])
    assert ran.status == 0 and ran.export("dynamo")["strict"]
    assert not any(code == "ONX917" for code, _, _ in ran.said)
    quiet = export(folder, warm_python, [*NET, "--engine", "dynamo", *JSON])
    assert not quiet.export("dynamo")["strict"]


def test_torchs_report_and_program(folder: Path, warm_python: str) -> None:
    ran = export(folder, warm_python, [*NET, "--engine", "dynamo", "--artifacts-dir", "made/here", *JSON])
    assert ran.status == 0, ran.out
    kinds = {path.suffix for path in (folder / "made" / "here").iterdir()}
    assert ".md" in kinds and ".pt2" in kinds


def test_profile_needs_a_place_and_a_profiler(folder: Path, warm_python: str) -> None:
    dynamo = [*NET, "--engine", "dynamo", "--profile"]
    ran = export(folder, warm_python, dynamo)
    assert ran.status == 2 and "give --artifacts-dir as well" in ran.err and ran.err.count("\n") == 1
    ran = export(folder, warm_python, [*dynamo, "--artifacts-dir", "profiled"])
    try:
        import pyinstrument  # noqa: F401
    except ImportError:
        assert ran.status == 2 and "pip install pyinstrument" in ran.err and ran.err.count("\n") == 1
    else:
        assert ran.status == 0 and "Profiling result" in next((folder / "profiled").glob("*.md")).read_text()


def test_text(folder: Path, warm_python: str) -> None:
    ran = export(folder, warm_python, [*NET, "--text", *JSON])
    for engine, operator in (("torchscript", "Gemm"), ("dynamo", "Gemm")):
        text = ran.export(engine)["text"]
        assert f"= {operator} <" in text and 'float[400,3] "linear.weight"' in text and len(text) < 4000
        assert text.count("linear.bias") == 2  # declared and used
    assert "= Gemm <" in export(folder, warm_python, [*NET, "--text", "--engine", "torchscript"]).out


def test_no_verify(folder: Path, warm_python: str) -> None:
    ran = export(folder, warm_python, ["nets.py:Reading", "--input", "x:float32[n,3]", "--no-verify", *JSON])
    for engine in BOTH:
        assert ran.export(engine)["exported"] and ran.export(engine)["input1"]["state"] == "not run"
        assert "run" not in ran.export(engine)["stages"]


def test_threads(folder: Path, warm_python: str) -> None:
    threads = ["nets.py:Threads", "--input", "x:float32[n,3]", "--engine", "torchscript", "--threads"]
    assert [export(folder, warm_python, [*threads, count]).status for count in ("2", "1")] == [0, 1]


def test_log(folder: Path, warm_python: str) -> None:
    hungry = ["nets.py:Hungry", "--input", "x:float32[n,3]", "--engine", "torchscript", "--memory-limit", "3000"]
    ran = export(folder, warm_python, [*hungry, "--log"])
    assert "--- log of torchscript" in ran.err and "eating" in ran.err and "eating" not in ran.out


def test_memory_limit(folder: Path, warm_python: str) -> None:
    """64 GB where 3 GB are allowed: an outcome on the line that asks for them."""
    hungry = ["nets.py:Hungry", "--input", "x:float32[n,3]", "--engine", "torchscript", "--memory-limit", "3000"]
    ran = export(folder, warm_python, [*hungry, *JSON])
    line = NETS.split("\n").index("        return x + torch.zeros(1 << 34).sum()") + 1
    assert (ran.status, ran.said) == (1, [("ONX913", line, "torchscript")])


def test_timeout(folder: Path, warm_python: str) -> None:
    slow = ["nets.py:Slow", "--input", "x:float32[n,3]", "--engine", "torchscript", "--timeout", "4"]
    ran = export(folder, warm_python, [*slow, *JSON])
    line = NETS.split("\n").index("        time.sleep(600)") + 1
    assert (ran.status, ran.said) == (1, [("ONX912", line, "torchscript")])
    assert "not finished after 4 s" in ran.document["diagnostics"][0]["message"]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ("--dynamic-axes {", "--dynamic-axes: neither JSON nor a file with JSON"),
        ("--dynamic-shapes gone.json", "--dynamic-shapes: neither JSON nor a file with JSON"),
        ("--custom-opsets gone.json", "--custom-opsets: neither JSON nor a file with JSON"),
        ("--register gone.py", "--register gone.py: no such file"),
        ("--python gone", "--python gone: no such program"),
        ("--timeout 0", "--timeout: must be more than 0"),
        ("--memory-limit -1", "--memory-limit: must be more than 0"),
        ("--opset 99", "--opset 99: must be an opset version, 7 to 30"),
        ("--output gone/net.onnx", "gone"),
        ("--artifacts-dir nets.py", "--artifacts-dir nets.py: File exists"),
    ],
)
def test_options_that_cannot_be_used_give_one_line(folder: Path, warm_python: str, options: str, words: str) -> None:
    ran = export(folder, warm_python, [*NET, *options.split()])
    assert ran.status == 2 and words in ran.err and ran.err.count("\n") == 1, ran.err
