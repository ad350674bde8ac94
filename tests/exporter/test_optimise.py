"""The optimiser on files of the torchscript engine: smaller, as right as before, on the same lines; else left alone."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import onnx
import pytest

sys.path.insert(0, str(Path(__file__).parent))
from commands import Ran, export

pytestmark = pytest.mark.torch
MODEL = """import torch


class Block(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.attention = torch.nn.MultiheadAttention(16, 2, batch_first=True)
        self.norm = torch.nn.LayerNorm(16)

    def forward(self, x):
        h = self.norm(x)
        return x + self.attention(h, h, h, need_weights=False)[0]


class Net(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.first, self.second = Block(), Block()

    def forward(self, x):
        return self.second(self.first(x))


class Small(torch.nn.Module):
    def forward(self, x):
        return torch.relu(x) + 1
"""
BROKEN = """import onnx
from onnxscript import optimizer

original = optimizer.optimize


def broken(model, **options):
    made = original(model, **options)
    last = made.graph.node[-1]
    name = last.output[0]
    last.output[0] = "before"
    made.graph.initializer.append(onnx.helper.make_tensor("limit", 1, [], [{limit}]))
    made.graph.node.append(onnx.helper.make_node("Min", ["before", "limit"], [name]))
    return made


optimizer.optimize = broken
"""


def _export(folder: Path, python: str, *more: str) -> Ran:
    (folder / "net.py").write_text(MODEL)
    given = ["net.py:Net", "--input", "x:float32[2,5,16]", "--engine", "torchscript", "--output-format", "json"]
    return export(folder, python, [*given, *more])


def test_the_file_gets_smaller_and_keeps_its_lines(tmp_path: Path, warm_python: str) -> None:
    plain = _export(tmp_path, warm_python, "--no-optimize").export("torchscript")
    ran = _export(tmp_path, warm_python, "--output", "net.onnx", "--map")
    found = ran.export("torchscript")
    assert found["nodes"] < 0.7 * plain["nodes"] and found["optimised"] in ran.err
    assert found["optimised"].endswith(f"to {found['nodes']} nodes")
    assert found["ok"] and found["proof"]["inputs"] > 10 and plain["optimised"] is None
    assert len(onnx.load(tmp_path / "net.onnx").graph.node) == found["nodes"]
    rows = json.loads((tmp_path / "net.onnxmap.json").read_text())["nodes"]
    lines = {(row["op"], frame["line"]) for row in rows for frame in row["stack"][:1]}
    assert {("LayerNormalization", 11), ("Softmax", 12), ("Add", 12)} <= lines
    assert all(row["stack"] for row in rows)


@pytest.mark.parametrize(
    ("limit", "words"),
    [
        ("-100.0", "not optimised: the optimised file gives other results"),
        ("30.0", "not optimised: the search found an input on which the optimised file is wrong"),
    ],
)
def test_a_wrong_optimiser_changes_nothing(tmp_path: Path, warm_python: str, limit: str, words: str) -> None:
    """Wrong on the example, or only on values that the search has to find: the plain file is the result, and right."""
    (tmp_path / "broken.py").write_text(BROKEN.format(limit=limit))
    found = _export(tmp_path, warm_python, "--register", "broken.py", "--output", "net.onnx").export("torchscript")
    assert found["optimised"] == words
    assert found["ok"] and found["proof"]["failed"]["state"] == "not run" and found["proof"]["inputs"] > 10
    assert "Min" not in {node.op_type for node in onnx.load(tmp_path / "net.onnx").graph.node}


def test_a_small_file_is_left_alone(tmp_path: Path, warm_python: str) -> None:
    (tmp_path / "net.py").write_text(MODEL)
    ran = export(tmp_path, warm_python, ["net.py:Small", "--input", "x:float32[n,3]", "--output-format", "json"])
    assert [entry["optimised"] for entry in ran.document["exports"]] == [None, None]
