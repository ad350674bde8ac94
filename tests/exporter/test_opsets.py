"""``--opset 17..23``: which opsets an engine converts to, the checker takes, ONNX Runtime runs, and which are right."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import pytest

from onnx_lint_exporter import opsets

sys.path.insert(0, str(Path(__file__).parent))
from commands import export

pytestmark = pytest.mark.torch
MODEL = """import torch


class Net(torch.nn.Module):
    def forward(self, x):
        return torch.nn.functional.layer_norm(x, (4,)) + torch.nn.functional.gelu(x)


class Sample(torch.nn.Module):
    def forward(self, x, grid):
        return torch.nn.functional.grid_sample(x, grid, align_corners=False)
"""


def test_a_table_of_opsets(tmp_path: Path, warm_python: str) -> None:
    """Grid sampling begins with opset 16: torchscript refuses 15, dynamo makes a file of 18 instead."""
    (tmp_path / "net.py").write_text(MODEL)
    given = ["--input", "x:float32[n,3,4,4]", "--input", "grid:float32[n,5,5,2]=-1..1", "--opset", "15..17"]
    options = ["--output-format", "json", "--report", "page.html"]
    ran = export(tmp_path, warm_python, ["net.py:Sample", *given, *options])
    rows = {engine: {row["opset"]: row for row in ran.export(engine)["opsets"]} for engine in ("torchscript", "dynamo")}
    right = {
        engine: [n for n, row in found.items() if row["right"] and row["file_opset"] == n]
        for engine, found in rows.items()
    }
    assert right == {"torchscript": [16, 17], "dynamo": [16, 17]}
    assert not rows["torchscript"][15]["convert"] and "grid_sampler" in rows["torchscript"][15]["why"]
    assert rows["dynamo"][15]["file_opset"] == 18 and rows["dynamo"][15]["right"]
    assert ran.export("torchscript")["opset"] == 17  # the highest at which both are right is the one reported
    page = (tmp_path / "page.html").read_text()
    assert '<section id="opsets">' in page and "torchscript: right at opset 16, 17" in page
    assert "dynamo: right at opset 16, 17" in ran.err and ran.status == 0


@pytest.mark.parametrize("text", ["20..17", "17..", "x", "7..99"])
def test_a_wrong_range(text: str) -> None:
    with pytest.raises(argparse.ArgumentTypeError):
        opsets.asked(text)


def test_one_opset() -> None:
    assert opsets.asked("18") == (18,) and opsets.asked("17..19") == (17, 18, 19)
