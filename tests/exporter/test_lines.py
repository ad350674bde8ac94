"""Failures stand on the innermost line that a person can change, in a virtual environment as outside of one."""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
from pathlib import Path

import commands
import pytest
import torch

from onnx_lint_exporter.worker import frames
from onnx_lint_exporter.worker.frames import Rank, UserCode
from onnx_lint_exporter.worker.protocol import Frame

SITE = Path(torch.__file__).parents[1]
HELPER = """\
import torch


def smooth(x):
    y = x * 2
    return torch.special.airy_ai(y)
"""
NET = """\
import torch

from toy.helper import smooth


class Net(torch.nn.Module):
    def forward(self, x):
        return self._inner(x) + 1

    def _inner(self, x):
        return smooth(x)
"""
USER = """\
import torch
from toy.net import Net


def build():
    return Net()


class Wrapped(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.net = Net()

    def forward(self, x):
        x = x - 1
        return self._call(x)

    def _call(self, x):
        return self.net(x)
"""


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A virtual environment with a package of its own beside this one's torch."""
    folder = tmp_path_factory.mktemp("environment") / "venv"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(folder)], check=True)
    scheme = {"base": str(folder), "platbase": str(folder)}
    packages = Path(sysconfig.get_path("purelib", "venv", vars=scheme))
    (packages / "torch_of_another.pth").write_text(f"{SITE}\n")
    toy = packages / "toy"
    toy.mkdir()
    (toy / "__init__.py").touch()
    (toy / "helper.py").write_text(HELPER)
    (toy / "net.py").write_text(NET)
    return folder


def _exe(environment: Path) -> str:
    return str(environment / ("Scripts/python.exe" if os.name == "nt" else "bin/python"))


@pytest.mark.parametrize(
    ("target", "file", "line", "chain"),
    [
        ("build", "helper.py", 6, [("net.py", 11), ("net.py", 8)]),
        ("Wrapped", "use.py", 19, [("use.py", 16)]),
    ],
)
def test_a_failure_in_an_installed_package(
    environment: Path, tmp_path: Path, target: str, file: str, line: int, chain: list[tuple[str, int]]
) -> None:
    (tmp_path / "use.py").write_text(USER)
    ran = commands.export(
        tmp_path, _exe(environment), [f"use.py:{target}", "--input", "x:float32[n,3]", "--output-format", "json"]
    )
    failures = [d for d in ran.document["diagnostics"] if d["severity"] == "error"]
    assert {"+".join(d["engines"]) for d in failures} >= {"torchscript", "dynamo"}, ran.out
    for d in failures:
        assert (Path(d["path"]).name, d["line"]) == (file, line), d
        path = [(Path(step["path"]).name, step["line"]) for step in reversed(d["path_notes"])]
        assert path == chain, d


def test_an_environment_inside_the_folder_of_the_standard_library(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        frames.sysconfig, "get_paths", lambda: {"stdlib": "/usr/lib/python3.11", "platstdlib": "/env/lib/python3.11"}
    )
    code = UserCode()
    code.prefer("/env/lib/python3.11/site-packages/timm")
    assert code.rank("/env/lib/python3.11/site-packages/timm/layers/drop.py") is Rank.MODEL
    assert code.rank("/env/lib/python3.11/site-packages/einops/einops.py") is Rank.LIBRARY
    assert code.rank("/env/lib/python3.11/site-packages/torch/nn/modules/linear.py") is Rank.ENGINE
    assert code.rank("/env/lib/python3.11/site-packages/torchvision/ops/misc.py") is Rank.LIBRARY
    assert code.rank("/usr/lib/python3.11/functools.py") is Rank.ENGINE
    assert code.rank("/home/me/torch/net.py") is Rank.USER


def test_the_model_goes_before_what_it_is_built_with() -> None:
    code = UserCode()
    code.prefer("/env/lib/python3.11/site-packages/vit")
    stack = [
        Frame("/env/lib/python3.11/site-packages/torch/_tensor.py", 1),
        Frame("/env/lib/python3.11/site-packages/einops/einops.py", 2),
        Frame("/env/lib/python3.11/site-packages/vit/vit.py", 3),
        Frame("/env/lib/python3.11/site-packages/vit/vit.py", 4),
    ]
    assert [frame.line for frame in code.choose(stack)] == [3, 4]


def test_a_claimed_folder_does_not_claim_the_environment_in_it(tmp_path: Path) -> None:
    code = UserCode()
    code.claim(str(tmp_path))
    assert code.owns(str(tmp_path / "net.py"))
    assert not code.owns(str(tmp_path / ".venv" / "lib" / "python3.11" / "site-packages" / "timm" / "vit.py"))


def test_what_a_library_generated_is_nobody_s(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(frames.tempfile, "gettempdir", lambda: str(tmp_path))
    monkeypatch.syspath_prepend(str(tmp_path / "project"))
    code = UserCode()
    assert code.rank(str(tmp_path / "me_pyg" / "conv_edge_updater_dq8gh9hq.py")) is Rank.ENGINE
    assert code.rank(str(tmp_path / "project" / "net.py")) is Rank.USER


def test_what_called_the_worker_is_not_part_of_the_way(tmp_path: Path) -> None:
    code = UserCode()
    ours = os.path.join(os.path.dirname(frames.__file__), "execution.py")
    stack = [Frame("/home/me/net.py", 1), Frame(ours, 2), Frame("/home/me/export.py", 3)]
    assert [frame.line for frame in code.choose(stack)] == [1]


def test_a_linted_library_file_gets_columns_and_evidence(environment: Path, tmp_path: Path) -> None:
    packages = next((environment).rglob("toy")).parent
    (packages / "toy" / "branch.py").write_text(
        "import torch\n\n\nclass Net(torch.nn.Module):\n    def forward(self, x):\n"
        "        if x.sum() > 0:\n            return x * 2\n        return x\n"
    )
    (tmp_path / "use.py").write_text("from toy.branch import Net\n\n\ndef build():\n    return Net()\n")
    arguments = ["use.py:build", str(packages / "toy" / "branch.py"), "--engine", "torchscript"]
    arguments += ["--input", "x:float32[n,3]", "--output-format", "json"]
    ran = commands.export(tmp_path, _exe(environment), arguments)
    (found,) = [d for d in ran.document["diagnostics"] if Path(d["path"]).name == "branch.py"]
    assert found["evidence"], found
    assert found["line"] == 6
