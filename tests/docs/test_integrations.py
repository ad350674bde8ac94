"""What is offered for platforms to copy works: its commands are taken by the program, and the action runs."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from onnx_lint import __version__
from onnx_lint.arguments import CheckOptions, parse
from onnx_lint.commands import as_options

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "integrations"
yaml = pytest.importorskip("yaml", reason="comes with libcst")
HAZARD = """\
from torch import nn


class Net(nn.Module):
    def forward(self, x):
        return x * x.sum().item()
"""


def read(path: Path) -> Any:
    return yaml.safe_load(path.read_text(encoding="utf-8"))


def commands() -> list[tuple[str, list[str]]]:
    """Every call of the command in the folder, by file, without what a pipe does with it."""
    out = []
    for path in sorted(p for p in FOLDER.iterdir() if p.is_file()):
        for line in path.read_text(encoding="utf-8").splitlines():
            found = re.search(r"(?:^|\s|- )(onnx-lint (?:check|explain|export) .*)", line)
            if found and not line.lstrip().startswith("#"):
                out.append((path.name, shlex.split(found[1].partition(" | ")[0])[1:]))
    return out


def test_every_command_is_taken() -> None:
    found = commands()
    assert {name for name, _ in found} == {"gitlab.yml", "azure.yml", "reviewdog.sh"}
    for _, arguments in found:
        assert isinstance(parse(as_options(arguments)), CheckOptions)
    hooks = read(FOLDER / "pre-commit.yaml")["repos"][0]["hooks"]
    offered = {hook["id"]: hook for hook in read(ROOT / ".pre-commit-hooks.yaml")}
    for hook in hooks:
        arguments = [*shlex.split(offered[hook["id"]]["entry"])[1:], *hook["args"]]
        assert parse(arguments).whole_project


def test_versions_are_this_one() -> None:
    assert read(FOLDER / "pre-commit.yaml")["repos"][0]["rev"] == f"v{__version__}"
    assert f"onnx-lint@v{__version__} " in (FOLDER / "github.yml").read_text(encoding="utf-8")


def test_the_action_hands_its_inputs_over_as_variables() -> None:
    action = read(ROOT / "action.yml")
    (step,) = action["runs"]["steps"]
    assert "${{" not in step["run"], "an input is never part of the script"
    assert {value.split("inputs.")[1].split(" ")[0] for value in step["env"].values()} == set(action["inputs"])
    script = (FOLDER / "github-action.sh").read_text(encoding="utf-8")
    assert all(name in script for name in step["env"])
    for job in read(FOLDER / "github.yml")["jobs"].values():
        (used,) = [s["with"] for s in job["steps"] if "onnx-lint@" in s["uses"]]
        assert set(used) <= set(action["inputs"])


@pytest.mark.skipif(shutil.which("bash") is None, reason="no bash")
@pytest.mark.skipif(os.name == "nt", reason="the runner's own bash there")
def test_the_action_lints(tmp_path: Path) -> None:
    (tmp_path / "net.py").write_text(HAZARD)
    (tmp_path / "it's $(touch ran).py").write_text(HAZARD)
    command = tmp_path.parent / f"{tmp_path.name}-onnx-lint"
    command.write_text(f'#!/bin/sh\nexec {sys.executable} -m onnx_lint "$@"\n')
    command.chmod(0o755)
    env = {
        **os.environ,
        "ONNX_LINT_COMMAND": str(command),
        "ONNX_LINT_PATHS": "net.py",
        "ONNX_LINT_ARGS": "--severity warning $(touch ran)",
        "ONNX_LINT_SARIF": "out.sarif",
        "GITHUB_STEP_SUMMARY": str(tmp_path / "summary.md"),
        "GITHUB_WORKSPACE": str(tmp_path),
    }
    script = ["bash", str(FOLDER / "github-action.sh")]
    done = subprocess.run(script, cwd=tmp_path, env=env, capture_output=True, text=True, check=False)
    assert not (tmp_path / "ran").exists() and "file=net.py,line=6" in done.stdout
    env["ONNX_LINT_ARGS"] = "--severity warning"
    done = subprocess.run(script, cwd=tmp_path, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 1 and done.stdout.startswith("::error title=onnx-lint (ONX202),file=net.py,line=6")
    assert "ONX202" in (tmp_path / "out.sarif").read_text()
    assert (tmp_path / "summary.md").read_text().startswith("| Severity |")


def test_workflows_pin_what_they_use() -> None:
    """By version: a branch would be another program tomorrow. Files to copy name the major version."""
    for path in (ROOT / ".github" / "workflows").glob("*.yml"):
        for used in re.findall(r"uses: (\S+)", path.read_text(encoding="utf-8")):
            assert re.search(r"@(v\d+\.\d+\.\d+|[0-9a-f]{40}|release/v1)$", used), (path.name, used)


def test_the_package_of_rules_works(tmp_path: Path) -> None:
    """Its own tests pass, and installed, it is found by its entry points; the rule is selected and explained."""
    package = FOLDER / "rule-package"
    site = tmp_path / "site"
    for name in ("house_rules", "house_op_models"):
        shutil.copytree(package / name, site / name, ignore=shutil.ignore_patterns("__pycache__"))
    metadata = site / "house_rules-0.1.0.dist-info"
    metadata.mkdir()
    project = (package / "pyproject.toml").read_text(encoding="utf-8")
    offered = re.findall(r'\[project\.entry-points\."([\w.]+)"\]\n(\w+) = "(\w+)"', project)
    assert [group for group, _, _ in offered] == ["onnx_lint.rules", "onnx_lint.op_models"]
    (metadata / "entry_points.txt").write_text(
        "".join(f"[{group}]\n{name} = {value}\n" for group, name, value in offered)
    )
    env = {**os.environ, "PYTHONPATH": os.pathsep.join([str(site), *filter(os.path.isabs, sys.path)])}

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", *arguments]
        return subprocess.run(command, cwd=tmp_path, env=env, capture_output=True, text=True, check=False)

    done = run("pytest", "-q", "-p", "no:cacheprovider", str(package / "tests"))
    assert done.returncode == 0, done.stdout
    (tmp_path / "net.py").write_text(HAZARD.replace("x.sum().item()", "x.tolist()[0]"))
    said = run("onnx_lint", "net.py", "--output-format", "concise").stdout
    assert "net.py:6:20: " in said and " HOUSE101 `.tolist()` is not allowed in our models" in said
    assert run("onnx_lint", "net.py", "--ignore", "HOUSE", "--output-format", "concise").stdout.count("HOUSE101") == 0
    assert run("onnx_lint", "explain", "HOUSE101").stdout.startswith("# HOUSE101 no-python-lists\n")
    kernel = HAZARD.replace("x * x.sum().item()", "house_kernels.gather_rows(x, x.long())")
    (tmp_path / "net.py").write_text(f"import house_kernels\n{kernel}")
    said = run("onnx_lint", "net.py", "--output-format", "concise").stdout
    assert "net.py:7:16: " in said and " ONX601 `house_kernels.gather_rows(x, x.long())`: torchscript fails" in said
