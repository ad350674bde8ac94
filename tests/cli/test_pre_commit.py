"""The hooks for pre-commit, run by the real one in a repository of their own.

pre-commit clones the repository of the hooks and installs it with pip into a fresh environment, so that this test needs
the package index, as the set-up of the tests does.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from cli.conftest import BRANCH, CLEAN, DATA

CHECKOUT = Path(__file__).parents[2]
SOURCES = ("linter", "rules", "exporter", "lsp", "pyproject.toml", "README.md", "LICENSE", ".pre-commit-hooks.yaml")
FIXED = DATA.replace("x.data", "x.detach()")


def git(folder: Path, *arguments: str, env: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    identity = ("-c", "user.name=Test", "-c", "user.email=test@example.org", "-c", "commit.gpgsign=false")
    return subprocess.run(
        ["git", *identity, *arguments],
        cwd=folder, capture_output=True, text=True, check=False, env={**os.environ, **(env or {})},
    )  # fmt: skip


def commit(folder: Path, env: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    assert git(folder, "add", "--all").returncode == 0
    return git(folder, "commit", "--quiet", "--message", "Change", env=env)


@pytest.mark.slow
def test_hooks_in_a_real_repository(tmp_path: Path) -> None:
    hooks, user = tmp_path / "hooks", tmp_path / "user"
    hooks.mkdir()
    user.mkdir()
    for name in SOURCES:  # as they stand, committed or not
        source = CHECKOUT / name
        if source.is_dir():
            shutil.copytree(source, hooks / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, hooks / name)
    for folder in (hooks, user):
        assert git(folder, "init", "--quiet").returncode == 0
    assert commit(hooks).returncode == 0
    revision = git(hooks, "rev-parse", "HEAD").stdout.strip()

    def configure(*ids: str) -> None:
        chosen = "".join(f"      - id: {each}\n" for each in ids)
        text = f"repos:\n  - repo: {hooks}\n    rev: {revision}\n    hooks:\n{chosen}"
        (user / ".pre-commit-config.yaml").write_text(text)

    env = {
        "PRE_COMMIT_HOME": str(tmp_path / "cache"),
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "PRE_COMMIT_COLOR": "never",
    }
    done = subprocess.run(
        [sys.executable, "-m", "pre_commit", "install"],
        cwd=user, env={**os.environ, **env}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr

    # a hazard stops the commit, and is told; what the configuration excludes is left out although it is handed over
    configure("onnx-lint")
    model = user / "model.py"
    model.write_text(BRANCH)
    (user / "notes.txt").write_text("x.data\n")
    (user / "onnx-lint.toml").write_text('exclude = ["generated"]\n')
    (user / "generated").mkdir()
    (user / "generated" / "net.py").write_text(BRANCH)
    done = commit(user, env)
    assert done.returncode == 1, done.stdout + done.stderr
    said = done.stdout + done.stderr
    assert "ONX101" in said and "model.py:6:12" in said and "net.py" not in said

    # repaired, it goes through
    model.write_text(CLEAN)
    done = commit(user, env)
    assert done.returncode == 0, done.stdout + done.stderr

    # the fixing hook repairs, which stops the commit once
    configure("onnx-lint-fix")
    model.write_text(DATA)
    done = commit(user, env)
    assert done.returncode == 1 and "files were modified by this hook" in done.stdout + done.stderr
    assert model.read_text() == FIXED
    done = commit(user, env)
    assert done.returncode == 0, done.stdout + done.stderr

    # a helper and the model that uses it, one after the other: the second commit is stopped
    configure("onnx-lint")
    (user / "helper.py").write_text("def scale(v):\n    return v * v.sum().item()\n")
    done = commit(user, env)
    assert done.returncode == 0, done.stdout + done.stderr
    model.write_text(CLEAN.replace("from torch", "from helper import scale\nfrom torch").replace("x + 1", "scale(x)"))
    done = commit(user, env)
    assert done.returncode == 1 and "helper.py:2:" in done.stdout + done.stderr
    model.write_text(CLEAN)

    # the other way round: it was the helper that became bad
    (user / "helper.py").write_text("def scale(v):\n    return v * 2\n")
    model.write_text(CLEAN.replace("from torch", "from helper import scale\nfrom torch").replace("x + 1", "scale(x)"))
    assert commit(user, env).returncode == 0
    (user / "helper.py").write_text("def scale(v):\n    return v * int(v.sum())\n")
    done = commit(user, env)
    assert done.returncode == 1 and "helper.py:2:" in done.stdout + done.stderr

    (python,) = (tmp_path / "cache").glob("repo*/py_env-*/bin/python")
    probe = "import importlib.util as u; print([n for n in ('onnx_lint', 'torch', 'onnx', 'pygls') if u.find_spec(n)])"
    assert subprocess.check_output([python, "-c", probe], text=True, cwd=tmp_path) == "['onnx_lint']\n"
