"""Where the report goes: colour, a file, a pipe that nobody reads."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from cli.conftest import BRANCH, Lint, Put

from .conftest import FORMATS

ANSI = re.compile("\x1b\\[[0-9;]*m")


@pytest.mark.parametrize(
    ("arguments", "env", "coloured"),
    [
        ((), {}, False),
        ((), {"FORCE_COLOR": "1"}, True),
        ((), {"FORCE_COLOR": "1", "NO_COLOR": "1"}, False),
        (("--color", "never"), {"FORCE_COLOR": "1"}, False),
        (("--color", "always"), {}, True),
        (("--color", "always"), {"NO_COLOR": "1"}, True),
        (("--color", "always"), {"TERM": "dumb"}, True),
    ],
)
def test_colour(lint: Lint, put: Put, arguments: tuple[str, ...], env: dict[str, str], coloured: bool) -> None:
    put("net.py", BRANCH)
    plain = {"NO_COLOR": "", "FORCE_COLOR": "", "TERM": "xterm"}
    out = lint("net.py", *arguments, env={**plain, **env}).stdout
    assert ("\x1b[1;31merror" in out) is coloured
    assert ("\x1b" in out) is coloured
    expected = lint("net.py", env=plain).stdout
    assert [line.rstrip() for line in ANSI.sub("", out).splitlines()] == expected.splitlines()


@pytest.mark.parametrize("name", [f for f in FORMATS if f != "full"])
def test_only_the_full_format_has_colour(lint: Lint, put: Put, name: str) -> None:
    put("net.py", BRANCH)
    assert "\x1b" not in lint("net.py", "--color", "always", "--output-format", name).stdout


@pytest.mark.parametrize("name", FORMATS)
def test_output_file(lint: Lint, put: Put, tmp_path: Path, name: str) -> None:
    put("net.py", BRANCH)
    shown = lint("net.py", "--output-format", name)
    done = lint("net.py", "--output-format", name, "--output-file", "report.txt", env={"FORCE_COLOR": "1"})
    assert (done.stdout, done.stderr, done.returncode) == ("", "", 1)
    assert (tmp_path / "report.txt").read_text(encoding="utf-8") == shown.stdout


def test_output_file_in_colour_when_asked(lint: Lint, put: Put, tmp_path: Path) -> None:
    put("net.py", BRANCH)
    lint("net.py", "--output-file", "report.txt", "--color", "always")
    assert "\x1b[1;31merror" in (tmp_path / "report.txt").read_text(encoding="utf-8")


def test_output_file_that_cannot_be_written(lint: Lint, put: Put) -> None:
    put("net.py", BRANCH)
    done = lint("net.py", "--output-file", "missing/report.txt")
    assert (done.stdout, done.returncode) == ("", 2)
    assert done.stderr == "onnx-lint: error: --output-file missing/report.txt: No such file or directory\n"


def test_a_pipe_that_nobody_reads(put: Put, tmp_path: Path) -> None:
    put("net.py", BRANCH)
    reader, writer = os.pipe()
    os.close(reader)
    try:
        done = subprocess.run(
            [sys.executable, "-m", "onnx_lint", "net.py"],
            stdout=writer,
            stderr=subprocess.PIPE,
            cwd=tmp_path,
            timeout=300,
            check=False,
        )
    finally:
        os.close(writer)
    assert (done.stderr, done.returncode) == (b"", 2)
