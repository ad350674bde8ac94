"""The set-up of a checkout: one line for each step, and no environment of a Python that is too old."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest
from systems import needs_posix

ROOT = Path(__file__).parents[2]
FAKE = """#!/bin/sh
# stands for a Python: {version}
case "$*" in
    --version) echo "Python {version}" ;;
    "-c import sys; sys.exit(sys.version_info < (3, 10))") exit {status} ;;
    "-m venv --clear .venv") mkdir -p .venv/bin && cp "$0" .venv/bin/python ;;
    "-m pip install"*) echo "$*" >>pip.log ;;
    *) echo "unexpected: $*" >&2; exit 9 ;;
esac
"""


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    (tmp_path / "tools").mkdir()
    for name in ("tools/setup.sh", "pyproject.toml", "constraints.txt"):
        shutil.copy(ROOT / name, tmp_path / name)
    for name, version, status in (("old", "3.9.18", 1), ("new", "3.11.7", 0)):
        path = tmp_path / name
        path.write_text(FAKE.format(version=version, status=status))
        path.chmod(0o755)
    return tmp_path


def setup(checkout: Path, python: str, what: str = "lint") -> subprocess.CompletedProcess[str]:
    env = {**os.environ, "PYTHON": str(checkout / python)}
    command = ["sh", str(checkout / "tools" / "setup.sh"), what]
    return subprocess.run(command, env=env, capture_output=True, text=True, check=False)


@needs_posix
def test_every_step_is_named_and_done_once(checkout: Path) -> None:
    done = setup(checkout, "new")
    assert done.returncode == 0 and [line.split()[0] for line in done.stderr.splitlines()] == ["Making", "Installing"]
    assert (checkout / "pip.log").read_text().count("pip install") == 2
    again = setup(checkout, "new")
    assert (again.returncode, again.stderr) == (0, "") and (checkout / "pip.log").read_text().count("install") == 2
    assert "torch" in setup(checkout, "new", "all").stderr


@needs_posix
def test_an_old_python_is_refused_and_leaves_nothing(checkout: Path) -> None:
    done = setup(checkout, "old")
    assert done.returncode == 1 and "needs Python 3.10 or newer" in done.stderr and "3.9.18" in done.stderr
    assert not (checkout / ".venv").exists()


@needs_posix
def test_an_environment_of_an_old_python_is_made_anew(checkout: Path) -> None:
    (checkout / ".venv" / "bin").mkdir(parents=True)
    shutil.copy(checkout / "old", checkout / ".venv" / "bin" / "python")
    done = setup(checkout, "new")
    assert done.returncode == 0, done.stderr
    assert "3.11.7" in (checkout / ".venv" / "bin" / "python").read_text()
