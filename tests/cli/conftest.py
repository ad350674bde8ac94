"""A linted folder, and the command run in it as a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

BRANCH = """\
from torch import nn


class Net(nn.Module):
    def forward(self, x):
        if x.sum() > 0:
            return x
        return x + 1
"""
"""One error: ONX101 on line 6."""

DATA = """\
from torch import nn


class Net(nn.Module):
    def forward(self, x):
        return x.data * 2
"""
"""One error with a safe fix: ONX205 on line 6."""

CLEAN = """\
from torch import nn


class Net(nn.Module):
    def forward(self, x):
        return x + 1
"""

Lint = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def lint(tmp_path: Path) -> Lint:
    """``lint("--fix", "a.py")`` runs ``onnx-lint --fix a.py`` in `tmp_path`."""

    def run(
        *arguments: str, stdin: str | bytes = "", env: dict[str, str] | None = None, cwd: Path | None = None
    ) -> subprocess.CompletedProcess[str]:
        data = stdin.encode() if isinstance(stdin, str) else stdin
        done = subprocess.run(
            [sys.executable, "-m", "onnx_lint", *arguments],
            input=data,
            capture_output=True,
            cwd=cwd or tmp_path,
            env={**os.environ, **(env or {})},
            timeout=120,
            check=False,
        )
        out, err = done.stdout.decode("utf-8", "surrogateescape"), done.stderr.decode("utf-8", "surrogateescape")
        assert "Traceback" not in err, err
        return subprocess.CompletedProcess(done.args, done.returncode, out, err)

    return run


@pytest.fixture
def put(tmp_path: Path) -> Callable[[str, str | bytes], Path]:
    """Write a file below `tmp_path`."""

    def write(name: str, content: str | bytes) -> Path:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    return write
