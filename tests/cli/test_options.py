"""Options that do not change what is found: listings, documentation, which files, and what is said of wrong ones."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
from pathlib import Path

import pytest
from cli.conftest import BRANCH, CLEAN, DATA, Lint, Put
from systems import needs_posix, on_a_terminal

from onnx_lint import progress as bars
from onnx_lint.codes import Origin
from onnx_lint.explain import pages

ADDED = """\
from torch import Tensor, nn


class Net(nn.Module):
    def forward(self, x: Tensor):
        return x + int(x.shape[0])
"""


def test_statistics_say_what_can_be_fixed_and_what_was_looked_at(lint: Lint, put: Put) -> None:
    put("a.py", BRANCH)
    put("b.py", ADDED)
    put("c.py", BRANCH)
    done = lint("--statistics")
    assert done.returncode == 1
    assert done.stdout == (
        "2  ONX101      data-dependent-branch\n1  ONX201  [*] python-cast\n[*] can be fixed with --fix, [-] in part\n"
        "Found 2 errors, 1 warning in 3 files: 3 models, 3 entry points, 3 functions followed. "
        "1 can be fixed with --fix.\n"
    )
    assert lint("--statistics", "-q", "a.py").stdout == "1  ONX101  data-dependent-branch\n"
    assert lint("--statistics", "-q", "--select", "ONX3").stdout == ""


def test_statistics_as_json_and_into_a_file(lint: Lint, put: Put, tmp_path: Path) -> None:
    put("b.py", ADDED)
    done = lint("--statistics", "--output-format", "json", "--output-file", "out.json", "b.py", "gone.py")
    assert (done.returncode, done.stdout) == (2, "")
    document = json.loads((tmp_path / "out.json").read_text())
    assert document.pop("coverage")["functions"] == 1
    assert document == {
        "version": 1,
        "statistics": [{"code": "ONX201", "name": "python-cast", "count": 1, "fixable": 1}],
        "errors": ["gone.py: no such file or folder"],
    }


@pytest.mark.parametrize(
    ("selector", "codes"),
    [
        ("ONX101", ["ONX101"]),
        ("onx101", ["ONX101"]),
        ("data-dependent-branch", ["ONX101"]),
        ("ONX207,item-call", ["ONX207", "ONX202"]),
        ("ONX00", ["ONX000", "ONX001", "ONX002", "ONX003", "ONX009"]),
        ("all", [p.code for p in pages()]),
    ],
)
def test_explain_takes_what_select_takes(lint: Lint, selector: str, codes: list[str]) -> None:
    done = lint("--explain", selector)
    assert done.returncode == 0
    assert [line.split()[1] for line in done.stdout.splitlines() if line.startswith("# ONX")] == codes


def test_every_code_has_a_page() -> None:
    assert {p.origin for p in pages()} == set(Origin)
    assert all(len(p.page) > 60 for p in pages())


def test_explain_in_colour_keeps_to_the_terminal(lint: Lint) -> None:
    done = lint("--explain", "ONX101", "--color", "always", env={"COLUMNS": "80"})
    assert "\x1b[" in done.stdout and "```" not in done.stdout


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("--exten-select", "ONX1"), "unknown option --exten-select; did you mean --extend-select?"),
        (("--frobnicate",), "unknown option --frobnicate; see --help"),
        (("--opset", "many"), "argument --opset: invalid int value: 'many'"),
        (("--select",), "argument --select: expected one argument"),
        (("--engine=\x1b[31m\udce9",), "argument --engine: invalid choice: '"),
    ],
)
def test_a_usage_error_is_one_line(lint: Lint, arguments: tuple[str, ...], told: str) -> None:
    done = lint(*arguments)
    assert done.returncode == 2 and done.stdout == ""
    assert done.stderr.startswith(f"onnx-lint: error: {told}")
    assert done.stderr[:-1].isprintable() and done.stderr.endswith("\n")


def test_a_named_file_is_linted_unless_exclusion_is_forced(lint: Lint, put: Put) -> None:
    put("onnx-lint.toml", 'exclude = ["build"]\n')
    put("build/deep/a.py", BRANCH)
    assert lint("build/deep/a.py").returncode == 1
    done = lint("--force-exclude", "build/deep/a.py")
    assert (done.returncode, done.stdout) == (0, "Nothing to analyse: no Python files found.\n")
    assert lint("--force-exclude", "--isolated", "build/deep/a.py").returncode == 1
    assert lint("--force-exclude", "--isolated", "--exclude", "deep", "build/deep/a.py").returncode == 0


def test_suppressions_can_be_passed_over(lint: Lint, put: Put) -> None:
    put("a.py", "# onnx-lint: ignore-file[ONX101] known\n" + BRANCH)
    assert lint().returncode == 0
    done = lint("--ignore-suppressions", "--output-format", "concise")
    assert done.returncode == 1 and done.stdout.startswith("a.py:7:12: error ONX101")


def test_a_fix_can_be_made_to_count(lint: Lint, put: Put) -> None:
    path = put("a.py", DATA)
    assert lint("--fix", "--exit-non-zero-on-fix").returncode == 1 and "detach" in path.read_text()
    assert lint("--fix", "--exit-non-zero-on-fix").returncode == 0


def test_output_that_nobody_reads_to_the_end(put: Put, tmp_path: Path) -> None:
    """``onnx-lint | head -1``: no traceback, as with any filter."""
    for number in range(40):
        put(f"m{number}.py", BRANCH)
    read, write = os.pipe()
    os.close(read)
    done = subprocess.run(
        [sys.executable, "-m", "onnx_lint"], cwd=tmp_path, stdout=write, stderr=subprocess.PIPE, check=False
    )
    os.close(write)
    assert (done.returncode, done.stderr) == (2, b"")


# ------------------------------------------------------------------------------------------------- on a terminal
@needs_posix
def test_colour_on_a_terminal_only(lint: Lint, put: Put, tmp_path: Path) -> None:
    put("a.py", BRANCH)
    assert "\x1b[1;31merror\x1b[0m" in on_a_terminal((), tmp_path).replace("[ONX101]", "")
    colourless = on_a_terminal((), tmp_path, {"NO_COLOR": "1"})
    assert re.search(r"\x1b\[[0-9;]*m", colourless) is None, "a slow machine shows the bar, without colour as well"
    assert "\x1b" not in lint().stdout
    assert "\x1b[1;31m" in lint("--color", "always").stdout


def test_the_bar_appears_late_and_leaves_nothing(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(bars, "_DELAY", 0.01)
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    monkeypatch.setenv("TERM", "xterm-256color")
    with bars.progress("counting parts", wanted=True) as step:
        assert step is not None
        end = time.monotonic() + 60
        shown = ""
        while "counting parts" not in shown and time.monotonic() < end:  # before the first step
            time.sleep(0.01)
            shown += capsys.readouterr().err
        assert "counting parts" in shown
        for done in range(500):
            step(done, 500)
    shown = capsys.readouterr().err
    assert "/500" in shown
    assert shown.rstrip().endswith("\x1b[2K"), "the line is erased at the end"


def test_no_bar_in_a_short_run_or_when_nobody_looks(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(bars, "_DELAY", 3600)
    with bars.progress("a", wanted=False) as step:
        assert step is None
    with bars.progress("a", wanted=True) as step:
        assert step is None, "standard error is no terminal here"
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    with bars.progress("a", wanted=True) as step:
        assert step is not None
        step(1, 2)
    assert capsys.readouterr().err == ""


@needs_posix
def test_a_quiet_run_of_clean_code_says_nothing(put: Put, tmp_path: Path) -> None:
    put("a.py", CLEAN)
    assert on_a_terminal(("-q",), tmp_path) == ""
