"""A linted folder, and the command run in it: in this process, or, where that matters, as one of its own."""

from __future__ import annotations

import gc
import io
import os
import subprocess
import sys
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from unittest import mock

import pytest

from onnx_lint.cli import main
from onnx_lint.registry import load

RULES = sum(not rule.preview for rule in load())
"""How many run by default."""

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
from torch import Tensor, nn


class Net(nn.Module):
    def forward(self, x: Tensor):
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
Put = Callable[[str, "str | bytes"], Path]


def _text(data: bytes) -> str:
    return data.decode("utf-8", "surrogateescape")


class _Stream(io.TextIOWrapper):
    """A standard stream in memory, as the interpreter makes it: characters over bytes."""

    def __init__(self, data: bytes = b"") -> None:
        self.bytes = io.BytesIO(data)
        super().__init__(self.bytes, encoding="utf-8", write_through=True)


def run_here(arguments: tuple[str, ...], stdin: bytes, folder: Path, env: dict[str, str]) -> tuple[int, bytes, bytes]:
    """Run the command in this process; exit status, standard output, standard error."""
    streams = {"stdin": _Stream(stdin), "stdout": _Stream(), "stderr": _Stream()}
    before = os.getcwd()
    with ExitStack() as stack:
        stack.callback(gc.enable)  # a run switches it off, because it ends soon
        stack.callback(os.chdir, before)
        os.chdir(folder)
        stack.enter_context(mock.patch.dict(os.environ, env))
        for name, stream in streams.items():
            stack.enter_context(mock.patch.object(sys, name, stream))
        try:
            status = main(list(arguments))
        except SystemExit as leave:  # from the parser of arguments
            status = int(leave.code or 0)
    return status, streams["stdout"].bytes.getvalue(), streams["stderr"].bytes.getvalue()


@pytest.fixture
def lint(tmp_path: Path) -> Lint:
    """``lint("--fix", "a.py")`` is ``onnx-lint --fix a.py`` in `tmp_path`."""

    def run(
        *arguments: str, stdin: str | bytes = "", env: dict[str, str] | None = None, cwd: Path | None = None
    ) -> subprocess.CompletedProcess[str]:
        data = stdin.encode() if isinstance(stdin, str) else stdin
        status, out, err = run_here(arguments, data, cwd or tmp_path, env or {})
        assert b"Traceback" not in err and b"internal error" not in err, _text(err)
        return subprocess.CompletedProcess(arguments, status, _text(out), _text(err))

    return run


@pytest.fixture
def process(tmp_path: Path) -> Lint:
    """Like `lint`, as a process of its own."""

    def run(*arguments: str, stdin: bytes = b"", env: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
        done = subprocess.run(
            [sys.executable, "-m", "onnx_lint", *arguments],
            input=stdin,
            capture_output=True,
            cwd=tmp_path,
            env={**os.environ, **(env or {})},
            timeout=300,
            check=False,
        )
        assert b"Traceback" not in done.stderr, _text(done.stderr)
        return subprocess.CompletedProcess(done.args, done.returncode, _text(done.stdout), _text(done.stderr))

    return run


@pytest.fixture
def put(tmp_path: Path) -> Put:
    """Write a file below `tmp_path`."""

    def write(name: str, content: str | bytes) -> Path:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    return write
