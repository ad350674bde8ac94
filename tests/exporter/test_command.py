"""``onnx-lint --export`` as a user types it: targets, inputs, the join with the linter, exit status, formats."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
from commands import export

from onnx_lint_exporter import evidence_cache

pytestmark = pytest.mark.torch

NETS = """import torch
from torch import nn


class Net(nn.Module):
    def forward(self, x, k: int = 2):
        return torch.relu(x) * k


class Needs(nn.Module):
    def __init__(self, size):
        super().__init__()


instance = Net()
scripted = torch.jit.script(Net())


@torch.jit.script
def function(x):
    return x + 1


def factory():
    return Net()


def program():
    return torch.export.export(Net(), (torch.randn(2, 3),))


def inputs():
    return [(torch.randn(2, 3), {"k": 3}), (torch.randn(4, 3), {"k": 3})]
"""
QUICK = ["--engine", "torchscript", "--output-format", "json"]


@pytest.fixture
def nets(tmp_path: Path) -> Path:
    (tmp_path / "nets.py").write_text(NETS)
    return tmp_path


@pytest.mark.parametrize("name", ["Net", "instance", "scripted", "function", "factory"])
def test_every_kind_of_target(nets: Path, warm_python: str, name: str) -> None:
    ran = export(nets, warm_python, [f"nets.py:{name}", "--input", "x:float32[n,3]", *QUICK])
    entry = ran.export("torchscript")
    assert (ran.status, entry["input1"]["state"], entry["input2"]["state"]) == (0, "right", "right"), ran.err


def test_an_exported_program_is_for_dynamo(nets: Path, warm_python: str) -> None:
    ran = export(nets, warm_python, ["nets.py:program", "--output-format", "json"])
    assert ran.status == 1
    assert ran.export("dynamo")["ok"] and not ran.export("torchscript")["ok"]
    assert [code for code, _, engines in ran.said if engines == "torchscript"] == ["ONX918"]


@pytest.mark.parametrize(
    ("target", "words"),
    [
        ("nets.py", "which one? write one of :Net, :Needs, :instance, :scripted, :function"),
        ("nets.py:Absent", "no `Absent` there; write one of :Net"),
        ("nets.py:Needs", "`Needs` needs arguments (size)"),
        ("absent.py:Net", "absent.py: no such file"),
        ("nets.py:Net --input y:float32[2]", "no input `y`: forward takes x, k"),
        ("nets.py:Net --input x:float33[2]", "unknown dtype 'float33'"),
        ("nets.py:Net --map", "--map: written beside a model or a page"),
        ("nets.py:Net --report absent/page.html", "does not exist; make it first"),
        ("nets.py:Net --opset 3", "7 is the oldest"),
    ],
)
def test_what_cannot_be_done_is_said_in_one_line(nets: Path, warm_python: str, target: str, words: str) -> None:
    ran = export(nets, warm_python, [*target.split(), "--engine", "torchscript"])
    assert ran.status == 2
    assert words in ran.err and ran.err.count("\n") == 1


def test_a_package_with_relative_imports(tmp_path: Path, warm_python: str) -> None:
    package = tmp_path / "src" / "family"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text("")
    (package / "base.py").write_text("from torch import nn\nWIDTH = 3\nBase = nn.Module\n")
    (package / "net.py").write_text(
        "from . import base\n\n\nclass Net(base.Base):\n    def forward(self, x):\n        return x * base.WIDTH\n"
    )
    ran = export(tmp_path, warm_python, ["src/family/net.py", "--input", "x:float32[n,3]", *QUICK])
    assert ran.status == 0, ran.err


def test_inputs_from_a_function_give_both_inputs_and_the_axes(nets: Path, warm_python: str) -> None:
    ran = export(nets, warm_python, ["nets.py:Net", "--inputs-from", "nets.py:inputs", *QUICK])
    entry = ran.export("torchscript")
    assert ran.status == 0
    first = entry["arguments"][0]
    assert (first["name"], first["kind"], first["second"]) == ("x", "float32[2,3]", "float32[4,3]")
    assert entry["inputs"][0]["shape"] == ["d0", 3]


JOINED = """import torch
from torch import nn


class Net(nn.Module):
    def forward(self, x):
        y = x * float(x.max())
        if self.training:
            y = y + x.min().item()
        return y
"""


def test_the_join_with_the_linter(tmp_path: Path, warm_python: str) -> None:
    (tmp_path / "net.py").write_text(JOINED)
    ran = export(tmp_path, warm_python, ["net.py", "net.py", "--input", "x:float32[n,3]", *QUICK])
    assert ran.status == 1
    evidence = {d["line"]: [e["state"] for e in d["evidence"]] for d in ran.document["diagnostics"]}
    assert evidence[7] == ["confirmed"]
    assert 9 not in evidence  # only in training mode, in which nothing is exported
    assert {d["source"] for d in ran.document["diagnostics"]} <= {"lint", "export"}


@pytest.mark.parametrize("form", ["full", "concise", "json", "sarif", "github", "gitlab", "junit"])
def test_evidence_is_in_every_format(tmp_path: Path, warm_python: str, form: str) -> None:
    (tmp_path / "net.py").write_text(JOINED)
    arguments = ["net.py", "net.py", "--input", "x:float32[n,3]", "--engine", "torchscript", "--output-format", form]
    assert "confirmed" in export(tmp_path, warm_python, arguments).out


def test_evidence_is_kept_by_content(tmp_path: Path, warm_python: str, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "net.py").write_text(JOINED)
    export(tmp_path, warm_python, ["net.py", "--input", "x:float32[n,3]", *QUICK])
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    kept = evidence_cache.lookup(JOINED)
    assert [(d["line"], d["evidence"][0]["state"]) for d in kept] == [(7, "confirmed")]
    assert evidence_cache.lookup(JOINED + "\n") == []


def test_unknown_axes_are_told(nets: Path, warm_python: str) -> None:
    axes = json.dumps({"typo": {"0": "n"}})
    ran = export(nets, warm_python, ["nets.py:Net", "--input", "x:float32[2,3]", "--dynamic-axes", axes, *QUICK])
    assert ran.status == 2 and "no input `typo`; the inputs are x" in ran.err


@pytest.mark.parametrize(
    ("comment", "paths", "left"),
    [
        ("", [], True),
        ("  # onnx-lint: ignore[random-output] dropout is wanted", [], False),
        ("  # onnx-lint: ignore[random-output] dropout is wanted", ["noisy.py"], False),
        ("  # onnx-lint: ignore[ONX906] something else", ["noisy.py"], True),
    ],
)
def test_what_an_export_found_can_be_suppressed(
    tmp_path: Path, warm_python: str, comment: str, paths: list[str], left: bool
) -> None:
    (tmp_path / "noisy.py").write_text(
        "import torch\nfrom torch import nn\n\n\nclass Noisy(nn.Module):\n    def forward(self, x):\n"
        f"        return x + torch.rand_like(x){comment}\n"
    )
    without_lint = ["--ignore", "ONX712"]  # what the linter says of the same line
    given = ["noisy.py:Noisy", *paths, *without_lint, "--input", "x:float32[n,3]", *QUICK]
    ran = export(tmp_path, warm_python, given)
    assert [(code, line) for code, line, _ in ran.said] == ([("ONX914", 7)] if left else []), ran.out


def test_the_target_is_linted_whatever_its_name_says(tmp_path: Path, warm_python: str) -> None:
    (tmp_path / "losses.py").write_text(
        "from torch import nn\n\n\nclass TripletLoss(nn.Module):\n    def forward(self, x):\n"
        "        if x.sum() > 0:\n            x = x + 1\n        return x\n"
    )
    ran = export(tmp_path, warm_python, ["losses.py:TripletLoss", "losses.py", "--input", "x:float32[n,3]", *QUICK])
    (found,) = [d for d in ran.document["diagnostics"] if d["code"] == "ONX101"]
    assert found["source"] == "lint" and found["line"] == 6, ran.out
