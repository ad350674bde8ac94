"""The test command fails when one of its checks does. Its programs are stood in for by scripts that end as wanted."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
pytestmark = pytest.mark.skipif(os.name == "nt", reason="a shell script")


@pytest.mark.parametrize(
    ("together", "alone", "wanted"),
    [(0, 0, 0), (1, 0, 1), (0, 1, 1), (2, 0, 2), (0, 5, 0), (5, 0, 0), (5, 5, 5), (1, 5, 1), (139, 0, 139)],
)
def test_status_of_the_groups_of_tests(tmp_path: Path, together: int, alone: int, wanted: int) -> None:
    pytest_of = f'case "$*" in *"not alone"*) exit {together} ;; *) exit {alone} ;; esac'
    assert _status(tmp_path, python=pytest_of) == wanted


@pytest.mark.parametrize("name", ["ruff", "mypy", "lint-imports"])
def test_status_of_the_other_checks(tmp_path: Path, name: str) -> None:
    assert _status(tmp_path, **{name: "exit 3"}) == 3


def _status(folder: Path, **programs: str) -> int:
    tools, made = folder / "tools", folder / ".venv" / "bin"
    tools.mkdir()
    made.mkdir(parents=True)
    shutil.copy(ROOT / "tools" / "test.sh", tools)
    (tools / "setup.sh").write_text("exit 0\n")
    for name in ("python", "ruff", "mypy", "lint-imports", "coverage"):
        program = made / name
        program.write_text(f"#!/bin/sh\n{programs.get(name, 'exit 0')}\n")
        program.chmod(0o755)
    environment = {k: v for k, v in os.environ.items() if k not in ("COVERAGE", "WORKERS")}
    return subprocess.run(["sh", str(tools / "test.sh")], env=environment, check=False, capture_output=True).returncode
