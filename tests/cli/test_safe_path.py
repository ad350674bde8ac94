"""The current folder holds what is linted; no module of it is imported."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from cli.conftest import CLEAN, Put

from onnx_lint import safe_path

TELL = "import pathlib\npathlib.Path(__file__).with_suffix('.was-run').touch()\n"
SHADOWS = (
    "json",
    "gc",
    "onnx_lint_rules/__init__",
    "onnx_lint_lsp/__init__",
    "libcst/__init__",
    "difflib",
    "sitecustomize",
)


def was_run(folder: Path) -> list[str]:
    return sorted(p.name for p in folder.rglob("*.was-run"))


def command(folder: Path, arguments: list[str], env: dict[str, str]) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=folder,
        capture_output=True,
        env={**os.environ, **env},
        timeout=300,
        check=False,
    )


@pytest.fixture
def shadowed(put: Put, tmp_path: Path) -> Path:
    for name in SHADOWS:
        put(f"{name}.py", TELL)
    put("model.py", CLEAN)
    return tmp_path


@pytest.mark.parametrize(
    ("arguments", "env"),
    [
        (["-m", "onnx_lint", "model.py"], {}),
        (["-m", "onnx_lint", "--explain", "ONX101"], {}),
        (["-I", "-m", "onnx_lint", "model.py"], {}),
    ],
)
def test_nothing_of_the_folder_is_imported(shadowed: Path, arguments: list[str], env: dict[str, str]) -> None:
    done = command(shadowed, arguments, env)
    assert done.returncode == 0, done.stderr
    assert was_run(shadowed) == []


def test_the_folder_named_by_pythonpath_is_not_searched_either(put: Put, tmp_path: Path) -> None:
    """Python itself imports `sitecustomize` from there before the command begins; all else comes later."""
    for name in SHADOWS:
        if name != "sitecustomize":
            put(f"{name}.py", TELL)
    put("model.py", CLEAN)
    script = "import sys; from onnx_lint.cli import main; sys.exit(main(['--output-format', 'json', 'model.py']))"
    done = command(
        tmp_path, ["-P", "-c", script] if sys.version_info >= (3, 11) else ["-c", script], {"PYTHONPATH": "."}
    )
    assert done.returncode == 0, done.stderr
    assert was_run(tmp_path) == []


def test_the_server_does_not_import_from_the_folder(shadowed: Path) -> None:
    done = command(shadowed, ["-m", "onnx_lint", "--lsp"], {})
    assert was_run(shadowed) == [], done.stderr


def test_what_comes_with_the_installation_stays(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    library = os.path.dirname(os.__file__)
    monkeypatch.chdir(tmp_path)
    here = str(tmp_path)
    monkeypatch.setattr(sys, "path", ["", here, "/elsewhere", library, "/site", here])
    safe_path.drop_current_folder()
    assert sys.path == ["/elsewhere", library, "/site", here], "an editable installation may be the current folder"


def test_the_folder_of_this_package_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    own = Path(safe_path.__file__).parents[1]
    monkeypatch.chdir(own)
    monkeypatch.setattr(sys, "path", [str(own), os.path.dirname(os.__file__)])
    safe_path.drop_current_folder()
    assert str(own) in sys.path


def test_a_folder_that_is_gone(monkeypatch: pytest.MonkeyPatch) -> None:
    def gone() -> str:
        raise FileNotFoundError

    monkeypatch.setattr(os, "getcwd", gone)
    before = list(sys.path)
    safe_path.drop_current_folder()
    assert sys.path == before
