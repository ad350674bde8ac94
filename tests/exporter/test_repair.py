"""``--repair``: fixes that were tried, exported and compared; a fix that changes the model itself is not kept."""

from __future__ import annotations

import subprocess
from pathlib import Path

import commands

HAZARDS = """\
import torch
from torch import nn


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.linear = nn.Linear(4, 4)

    def forward(self, x):
        half = int(x.shape[0] / 2)
        y = self.linear(x)[:half] * x.max().item()
        return y + len(x)
"""
CHANGING = """\
from torch import nn


class Net(nn.Module):
    def forward(self, x, scale):
        return x.sum() * scale.item() + len(x)
"""
WITHOUT = """\
from torch import nn


class Net(nn.Module):
    def forward(self, x):
        values = {float(value) for value in x.flatten()}
        return x * len(values)
"""
WITHOUT_IMPORT = """\
from torch import nn


class Net(nn.Module):
    def forward(self, x):
        if x.sum() > 0:
            return x * 2
        return x
"""


def _run(folder: Path, python: str, source: str, *inputs: str) -> commands.Ran:
    (folder / "net.py").write_text(source)
    given = [part for text in inputs for part in ("--input", text)]
    arguments = ["net.py", "net.py", "--engine", "torchscript", "--repair", *given, "--output-format", "json"]
    return commands.export(folder, python, arguments)


def test_the_patch_makes_it_right(tmp_path: Path, warm_python: str) -> None:
    ran = _run(tmp_path, warm_python, HAZARDS, "x:float32[n=4,4]")
    repair = ran.export("torchscript")["repair"]
    assert ran.status == 1 and len(repair["fixes"]) == 3 and repair["inputs"] > 5
    assert (tmp_path / "net.py").read_text() == HAZARDS  # nothing was touched
    (tmp_path / "fix.patch").write_text(repair["patch"])
    subprocess.run(["git", "apply", "fix.patch"], cwd=tmp_path, check=True)
    assert "x.max()\n" in (tmp_path / "net.py").read_text()
    arguments = ["net.py", "--engine", "torchscript", "--input", "x:float32[n=4,4]"]
    assert commands.export(tmp_path, warm_python, arguments).status == 0


def test_a_fix_that_changes_the_model_is_not_kept(tmp_path: Path, warm_python: str) -> None:
    """Without ``.item()`` the sum is multiplied by a tensor of one dimension, and has one itself."""
    ran = _run(tmp_path, warm_python, CHANGING, "x:float32[n=4,4]", "scale:float32[1]")
    assert any(d["fix"] is not None and d["code"] == "ONX202" for d in ran.document["diagnostics"])
    assert ran.export("torchscript")["repair"] is None


def test_without_a_fix(tmp_path: Path, warm_python: str) -> None:
    (tmp_path / "net.py").write_text(WITHOUT)
    arguments = ["net.py", "--engine", "torchscript", "--repair", "--input", "x:float32[n,3]"]
    ran = commands.export(tmp_path, warm_python, arguments)
    assert "torchscript: no fix of the rules, and no other change that was tried, makes it right" in ran.out


def test_a_change_brings_its_import(tmp_path: Path, warm_python: str) -> None:
    """``torch.where`` in a module that has imported names of torch only."""
    repair = _run(tmp_path, warm_python, WITHOUT_IMPORT, "x:float32[n,3]").export("torchscript")["repair"]
    assert "+import torch\n from torch import nn" in repair["patch"]
    assert "+        return torch.where(x.sum() > 0, x * 2, x)" in repair["patch"]
