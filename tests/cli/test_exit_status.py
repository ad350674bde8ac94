"""What the command's exit status means, and that bad input costs only itself."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from cli.conftest import BRANCH, CLEAN, RULES, Lint, Put
from systems import IS_ROOT, needs_posix


def test_clean_code_is_0(lint: Lint, put: Put) -> None:
    put("a.py", CLEAN)
    done = lint("a.py")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == f"No hazard found by {RULES} rules in 1 file: 1 entry point, 1 function followed.\n"


def test_diagnostics_are_1(lint: Lint, put: Put) -> None:
    put("a.py", BRANCH)
    done = lint("--output-format", "concise")
    assert done.returncode == 1
    assert done.stdout.startswith("a.py:6:12: error ONX101 ")


@pytest.mark.parametrize(
    ("options", "status"),
    [
        (("--exit-zero",), 0),
        (("--fail-level", "error"), 1),
        (("--ignore", "ONX101"), 0),
        (("--ignore", "data-dependent-branch"), 0),
        (("--ignore", "ONX1"), 0),
        (("--select", "ONX2"), 0),
        (("--select", "ONX1"), 1),
        (("--select", "ONX2", "--extend-select", "data-dependent-branch"), 1),
        (("--severity", "error"), 1),
    ],
)
def test_options_that_change_it(lint: Lint, put: Put, options: tuple[str, ...], status: int) -> None:
    put("a.py", BRANCH)
    assert lint("a.py", *options).returncode == status


def test_information_alone_is_0(lint: Lint, put: Put) -> None:
    put("a.py", BRANCH)
    put("onnx-lint.toml", '[severities]\nONX101 = "info"\n')
    done = lint("--output-format", "concise")
    assert (done.returncode, "info ONX101" in done.stdout) == (0, True)
    assert lint("--fail-level", "info").returncode == 1
    assert lint("--severity", "warning", "--output-format", "concise").stdout == ""


@needs_posix
@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("gone.py",), "gone.py: no such file"),
        (("bad.py",), "bad.py: cannot be decoded"),
        (("cookie.py",), "cookie.py: cannot be decoded"),
        (("fifo.py",), "fifo.py: is not a regular file"),
        (("loop.py",), "loop.py: cannot be read"),
    ],
)
def test_what_cannot_be_read_is_told_and_the_rest_is_linted(
    lint: Lint, put: Put, tmp_path: Path, arguments: tuple[str, ...], told: str
) -> None:
    put("a.py", BRANCH)
    put("bad.py", b"x = '\xff'\n")
    put("cookie.py", b"# coding: nonsense-9\nx = 1\n")
    os.mkfifo(tmp_path / "fifo.py")
    (tmp_path / "loop.py").symlink_to("loop.py")
    done = lint("--output-format", "concise", *arguments, "a.py")
    assert done.returncode == 2
    assert "a.py:6:12: error ONX101" in done.stdout
    assert done.stderr.startswith(f"onnx-lint: error: {told}") and done.stderr.count("\n") == 1


@needs_posix
@pytest.mark.skipif(IS_ROOT, reason="root can read everything")
def test_an_unreadable_file_is_told(lint: Lint, put: Put) -> None:
    put("a.py", BRANCH)
    put("b.py", CLEAN).chmod(0)
    done = lint()
    assert done.returncode == 2 and "b.py: cannot be read" in done.stderr and "ONX101" in done.stdout


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("--select", "data-dependant-branch"), "did you mean data-dependent-branch?"),
        (("--ignore", "ONX9999"), "'ONX9999' is not a rule code, prefix or name"),
        (("--explain", "data-dependent-brunch"), "did you mean data-dependent-branch?"),
        (("--opset", "3"), "--opset 3: must be an opset version, 7 to 30"),
        (("-", "a.py"), "- (standard input) cannot be combined with other paths"),
        (("--config", "gone.toml"), "gone.toml: cannot be read"),
        (("--engine", "onnx"), "invalid choice: 'onnx'"),
        (("--output-file", "gone/report", "a.py"), "--output-file gone/report: No such file or directory"),
    ],
)
def test_usage_errors_are_2(lint: Lint, put: Put, arguments: tuple[str, ...], told: str) -> None:
    put("a.py", CLEAN)
    done = lint(*arguments)
    assert done.returncode == 2
    assert told in done.stderr


def test_a_syntax_error_costs_its_statement_only(lint: Lint, put: Put) -> None:
    put("a.py", "def broken(:\n    pass\n\n\n" + BRANCH)
    done = lint("--output-format", "concise")
    assert done.returncode == 1
    assert "error ONX000" in done.stdout and "a.py:10:12: error ONX101" in done.stdout


def test_machine_formats_give_a_document_whatever_goes_wrong(lint: Lint) -> None:
    import json

    done = lint("--output-format", "json", "gone.py")
    document = json.loads(done.stdout)
    assert done.returncode == 2
    assert document["diagnostics"] == [] and "gone.py" in document["errors"][0]
    done = lint("--output-format", "json", "--select", "nonsense")
    assert done.returncode == 2 and "nonsense" in json.loads(done.stdout)["errors"][0]


def test_standard_input(lint: Lint, put: Put) -> None:
    done = lint("-", "--output-format", "concise", stdin=BRANCH)
    assert done.returncode == 1 and done.stdout.startswith("<stdin>.py:6:12: error ONX101")
    put("models/onnx-lint.toml", 'ignore = ["ONX101"]\n')
    assert lint("-", "--stdin-filename", "models/net.py", stdin=BRANCH).returncode == 0


def test_engines(lint: Lint, put: Put) -> None:
    put("a.py", BRANCH)
    done = lint("--engine", "dynamo", "--output-format", "concise")
    assert "(dynamo)" in done.stdout
    done = lint("--engine", "both", "--output-format", "concise")
    assert "(both engines)" in done.stdout


def test_listings(lint: Lint, put: Put) -> None:
    put("b.py", BRANCH)
    put("pkg/a.py", CLEAN)
    put("notes.txt", "x")
    assert lint("--show-files").stdout.split() == ["b.py", "pkg/a.py"]
    assert lint("--statistics", "-q").stdout == "1  ONX101  data-dependent-branch\n"
    assert lint("--version").stdout.startswith("onnx-lint ")
    explained = lint("--explain", "ONX101")
    assert explained.returncode == 0 and explained.stdout.startswith("# ONX101 data-dependent-branch\n")
    assert lint("--explain", "all").stdout.count("\n## Why it breaks export\n") >= 10


def test_quiet_prints_diagnostics_only(lint: Lint, put: Put) -> None:
    put("a.py", CLEAN)
    assert lint("-q").stdout == ""
    put("a.py", BRANCH)
    assert "Found" not in lint("-q").stdout and "ONX101" in lint("-q").stdout


def test_output_file(lint: Lint, put: Put, tmp_path: Path) -> None:
    put("a.py", BRANCH)
    done = lint("--output-file", "report.txt", "--output-format", "concise")
    assert (done.returncode, done.stdout) == (1, "")
    assert (tmp_path / "report.txt").read_text().startswith("a.py:6:12:")
