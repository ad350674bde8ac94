"""Op models of other packages: used for their own functions; none replaces ours, and a broken one costs no other."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from cli.conftest import Lint, Put, process

from onnx_lint import op_packages
from onnx_lint.semantics.catalogue import offered, registry, verdicts
from onnx_lint.semantics.catalogue.shapes import registry as shapes

__all__ = ["process"]

NET = """\
import kernels
from torch import nn


class Net(nn.Module):
    def forward(self, x):
        rows = kernels.rows(x)
        if rows > 0:
            return rows
        return -rows
"""
MODEL = """\
from onnx_lint.op_models import Tensor, models


@models("kernels.rows")
def rows(frame, call):
    return Tensor(call.first.is_traced, origin=call.first.origin)
"""
VERDICT = (
    'from onnx_lint.op_models import verdict\nverdict("kernels.rows", torchscript="fails", dynamo="silently wrong")\n'
)


@pytest.fixture
def site(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder of installed packages, last on the path; what they register is taken back."""
    folder = tmp_path_factory.mktemp("site")
    monkeypatch.setattr(sys, "path", [*sys.path, str(folder)])
    before = set(sys.modules)
    tables: list[dict[Any, Any]] = [*registry.tables(), shapes.MODELS, verdicts.OFFERED]
    kept = [dict(table) for table in tables]
    op_packages.forget()
    yield folder
    for table, entries in zip(tables, kept, strict=True):
        table.clear()
        table.update(entries)
    offered.NAMES.clear()
    for name in set(sys.modules) - before:
        if name.startswith("other_"):
            del sys.modules[name]
    op_packages.forget()


def install(site: Path, package: str, text: str) -> Path:
    """A package whose models stand in one module; the module."""
    (site / package).mkdir()
    (site / package / "__init__.py").write_text("")
    metadata = site / f"{package}-1.0.dist-info"
    metadata.mkdir()
    (metadata / "entry_points.txt").write_text(f"[onnx_lint.op_models]\nmore = {package}\n")
    module = site / package / "rows.py"
    module.write_text(text)
    return module


def codes(said: str) -> list[str]:
    return [line.split(" ")[2] for line in said.splitlines()]


def test_without_a_package_nothing_is_said(lint: Lint, put: Put) -> None:
    put("net.py", NET)
    assert lint("--output-format", "concise").stdout == ""


def test_what_a_function_returns(site: Path, lint: Lint, put: Put) -> None:
    install(site, "other_good", MODEL)
    put("net.py", NET)
    done = lint("--output-format", "concise")
    assert (codes(done.stdout), done.stderr, done.returncode) == (["ONX101"], "", 1)


@pytest.mark.parametrize("name", ["rows", "normal"])
def test_what_the_engines_make_of_it(site: Path, lint: Lint, put: Put, name: str) -> None:
    """Also of a function that is called like a random one of torch, of which another rule speaks."""
    install(site, "other_verdict", VERDICT.replace("rows", name))
    put("net.py", NET.replace("kernels.rows", f"kernels.{name}"))
    said = lint("--output-format", "concise").stdout
    assert "net.py:7:16: error ONX601 " in said and "net.py:7:16: error ONX603 " in said


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("import nowhere_to_be_found\n", "ModuleNotFoundError: No module named 'nowhere_to_be_found'"),
        (MODEL.replace("kernels.rows", "torch.tensor"), "ValueError: there are two models of torch.tensor"),
        (MODEL + "raise RuntimeError('two\\nlines')\n", "RuntimeError: two lines"),
        (MODEL + VERDICT.replace("fails", "bad"), "ValueError: 'bad' is not a verdict; these are fine, "),
        (VERDICT.replace("kernels.rows", "torch.cumprod"), "ValueError: there are two verdicts of torch.cumprod"),
    ],
)
def test_a_broken_package_is_named_and_passed_over_as_a_whole(
    site: Path, lint: Lint, put: Put, text: str, said: str
) -> None:
    install(site, "other_broken", text)
    install(site, "other_good", VERDICT)
    put("net.py", NET)
    done = lint("--output-format", "concise")
    assert done.returncode == 2 and done.stderr.count("\n") == 1
    assert f"the op model package 'other_broken' cannot be loaded and is passed over: {said}" in done.stderr
    assert codes(done.stdout) == ["ONX601", "ONX603"], "of `rows` nothing is known but the verdict"


def test_a_model_that_raises_costs_nothing_else(site: Path, lint: Lint, put: Put) -> None:
    install(site, "other_raising", MODEL.replace("    return ", "    return 1 / 0, "))
    put("net.py", NET + "\n\nclass Other(nn.Module):\n    def forward(self, x):\n        return x + x.item()\n")
    done = lint("--output-format", "concise")
    assert codes(done.stdout) == ["ONX009", "ONX202"]
    assert "the op model of `kernels.rows` raises ZeroDivisionError: division by zero" in done.stdout


def test_the_cache_knows_the_models(site: Path, put: Put, tmp_path: Path) -> None:
    put("net.py", NET)
    env = {**os.environ, "PYTHONPATH": os.pathsep.join([*filter(os.path.isabs, sys.path)])}
    command = [sys.executable, "-m", "onnx_lint", "net.py", "--output-format", "concise", "--cache-dir", "kept"]

    def found() -> list[str]:
        done = subprocess.run(command, cwd=tmp_path, env=env, capture_output=True, text=True, check=False)
        assert done.stderr == ""
        return codes(done.stdout)

    assert found() == []
    module = install(site, "other_good", MODEL)
    assert found() == ["ONX101"] == found()
    module.write_text(VERDICT)
    assert found() == ["ONX601", "ONX603"]


def test_the_cache_knows_that_a_package_was_passed_over(site: Path, put: Put, lint: Lint, tmp_path: Path) -> None:
    """It may load another day without a change of its own: what it needs is installed then."""
    install(site, "other_needy", "import other_needed\n" + MODEL)
    put("net.py", NET)
    command = ("net.py", "--output-format", "concise", "--cache-dir", "kept")
    kept = {"ONNX_LINT_NO_CACHE": ""}
    done = lint(*command, env=kept)
    assert done.returncode == 2 and done.stdout == ""
    (site / "other_needed.py").write_text("")
    op_packages.forget()
    done = lint(*command, env=kept)
    assert (codes(done.stdout), done.returncode) == (["ONX101"], 1)
