"""Taking the linter up in a code base that has diagnostics: baselines, and suppressions with a reason."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from cli.conftest import BRANCH, CLEAN, DATA, Lint, Put
from systems import needs_posix

TWO = BRANCH.replace("return x + 1", "return x * x.sum().item()")
"""ONX101 in line 6, ONX202 in line 8."""
CONCISE = ("--output-format", "concise", "-q")
WRITE = ("--baseline", "base.json", "--write-baseline")
READ = ("--baseline", "base.json", *CONCISE)


def entries(path: Path) -> list[tuple[str, str, int]]:
    return [(e["path"], e["rule"], e["count"]) for e in json.loads(path.read_text())["entries"]]


def test_only_what_is_new_is_reported(lint: Lint, put: Put, tmp_path: Path) -> None:
    put("a.py", TWO)
    done = lint(*WRITE)
    assert done.returncode == 0 and "base.json: written with 2 diagnostics" in done.stderr
    assert lint(*READ).stdout == "" and lint(*READ).returncode == 0
    done = lint("--baseline", "base.json")
    assert "2 diagnostics in the baseline base.json" in done.stderr
    put("b.py", DATA)
    done = lint(*READ)
    assert done.stdout.startswith("b.py:6:") and done.returncode == 1


def test_a_baseline_survives_edits_and_moves(lint: Lint, put: Put, tmp_path: Path) -> None:
    path = put("a.py", TWO)
    lint(*WRITE)
    put("a.py", "import os\n\n\n" + TWO.replace("x.sum() > 0", "x.sum()  >  0").replace("class Net", "class Other"))
    assert lint(*READ).stdout == ""
    (tmp_path / "sub").mkdir()
    path.rename(tmp_path / "sub" / "moved.py")
    assert lint(*READ).stdout == ""
    lint(*WRITE)
    assert entries(tmp_path / "base.json") == [("sub/moved.py", "ONX101", 1), ("sub/moved.py", "ONX202", 1)]


def test_one_more_of_the_same_is_new(lint: Lint, put: Put) -> None:
    put("a.py", TWO)
    lint(*WRITE)
    again = TWO.replace("class Net", "class Second").removeprefix("from torch import nn\n")
    put("a.py", TWO + again)
    done = lint(*READ)
    assert done.stdout.count("\n") == 2 and done.returncode == 1
    put("a.py", TWO)
    put("copy.py", TWO)
    assert {line.split(":")[0] for line in lint(*READ).stdout.splitlines()} == {"copy.py"}


def test_it_only_shrinks(lint: Lint, put: Put, tmp_path: Path) -> None:
    put("a.py", TWO)
    lint(*WRITE)
    put("a.py", BRANCH)
    put("b.py", DATA)
    done = lint("--baseline", "base.json")
    assert "1 of its entries are gone; --write-baseline takes them out" in done.stderr
    done = lint(*WRITE)
    assert done.returncode == 1 and "b.py" in done.stdout and "base.json: 1 gone, 1 left" in done.stderr
    assert entries(tmp_path / "base.json") == [("a.py", "ONX101", 1)]
    put("a.py", TWO)
    assert "ONX202" in lint(*READ).stdout


def test_a_run_over_a_part_keeps_the_rest(lint: Lint, put: Put, tmp_path: Path) -> None:
    put("a.py", TWO)
    put("b.py", DATA)
    lint(*WRITE)
    before = entries(tmp_path / "base.json")
    lint("b.py", *WRITE)
    assert entries(tmp_path / "base.json") == before
    (tmp_path / "a.py").unlink()
    lint("b.py", *WRITE)
    assert entries(tmp_path / "base.json") == [("b.py", "ONX205", 1)]


def test_paths_count_from_the_folder_of_the_baseline(lint: Lint, put: Put, tmp_path: Path) -> None:
    put("pkg/a.py", TWO)
    lint(*WRITE)
    assert lint("--baseline", "../base.json", *CONCISE, cwd=tmp_path / "pkg").stdout == ""


@pytest.mark.parametrize(
    "content", ["", "{}", "[]", '{"version": 2, "entries": []}', '{"version": 1, "entries": [1]}', "[" * 100_000]
)
def test_a_file_that_is_no_baseline(lint: Lint, put: Put, content: str) -> None:
    put("a.py", TWO)
    put("base.json", content)
    done = lint(*READ)
    assert done.returncode == 2 and done.stderr.startswith("onnx-lint: error: base.json: ")
    assert len(done.stderr.splitlines()) == 1


def test_what_does_not_go_together(lint: Lint, put: Put, tmp_path: Path) -> None:
    put("a.py", TWO)
    for arguments in (["--write-baseline"], [*WRITE, "--select", "ONX1"], ["--baseline", "none.json"]):
        done = lint(*arguments)
        assert done.returncode == 2 and len(done.stderr.splitlines()) == 1, arguments
    assert not (tmp_path / "base.json").exists()


# ------------------------------------------------------------------------------------------------------- add-ignore
def test_suppressions_with_a_reason(lint: Lint, put: Put, tmp_path: Path) -> None:
    path = put("a.py", TWO)
    put("clean.py", CLEAN)
    done = lint("--add-ignore", "checked by hand")
    assert done.returncode == 0 and "2 diagnostics suppressed in 1 file" in done.stderr
    assert path.read_text() == TWO.replace(
        "if x.sum() > 0:", "if x.sum() > 0:  # onnx-lint: ignore[ONX101] checked by hand"
    ).replace("x.sum().item()", "x.sum().item()  # onnx-lint: ignore[ONX202] checked by hand")
    assert lint(*CONCISE).stdout == ""
    assert (tmp_path / "clean.py").read_text() == CLEAN


def test_several_on_a_line_and_above_it(lint: Lint, put: Put) -> None:
    path = put("a.py", DATA.replace("x.data * 2", 'x.data * x.sum().item(), """\n  text\n"""'))
    assert lint(*CONCISE).stdout.count("\n") == 3
    lint("--add-ignore", "why")
    assert lint(*CONCISE).stdout == "" and path.read_text().count("# onnx-lint: ignore[") == 2


def test_windows_newlines_stay(lint: Lint, put: Put) -> None:
    path = put("a.py", TWO.replace("\n", "\r\n").encode())
    lint("--add-ignore", "why")
    data = path.read_bytes()
    assert data.count(b"\n") == data.count(b"\r\n") and b"ignore[ONX202] why\r\n" in data


def test_a_patch_of_suppressions(lint: Lint, put: Put, tmp_path: Path) -> None:
    path = put("a.py", TWO)
    done = lint("--add-ignore", "why", "--diff")
    assert path.read_text() == TWO and done.returncode == 1
    subprocess.run(["git", "apply"], cwd=tmp_path, input=done.stdout, text=True, check=True)
    assert "ignore[ONX101] why" in path.read_text()


def test_where_no_comment_can_stand(lint: Lint, put: Put) -> None:
    text = CLEAN.replace(
        "return x + 1", "y = 1 + \\\n            x.sum().item() \\\n            + 1\n        return x * y"
    )
    path = put("a.py", text)
    done = lint("--add-ignore", "why")
    assert done.returncode == 1 and path.read_text() == text
    assert "a.py:7: no comment can stand here; ONX202 is not suppressed" in done.stderr


@pytest.mark.parametrize("reason", ["", "  ", "two # marks", "two\nlines"])
def test_reasons_that_are_none(lint: Lint, put: Put, reason: str) -> None:
    path = put("a.py", TWO)
    assert lint("--add-ignore", reason).returncode == 2 and path.read_text() == TWO


@needs_posix
def test_the_next_run_removes_what_one_left_that_was_killed_writing_the_baseline(
    lint: Lint, put: Put, tmp_path: Path
) -> None:
    put("a.py", BRANCH)
    script = (
        "import os, onnx_lint.atomic as a\n"
        "a.os.replace = lambda *_: os.kill(os.getpid(), 9)\n"
        "from onnx_lint.cli import main\n"
        f"main([*{WRITE!r}, 'a.py'])\n"
    )
    killed = subprocess.run([sys.executable, "-c", script], cwd=tmp_path, capture_output=True, check=False)
    assert killed.returncode == -signal.SIGKILL and len(os.listdir(tmp_path)) == 2
    assert lint(*WRITE).returncode == 0 and sorted(os.listdir(tmp_path)) == ["a.py", "base.json"]
