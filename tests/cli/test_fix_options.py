"""Which fixes are applied, what is told of them, and what is left unsaid."""

from __future__ import annotations

from pathlib import Path

import pytest
from cli.conftest import DATA, Lint, Put

from onnx_lint.arguments import parse

BOTH = """\
from torch import Tensor, nn


class Net(nn.Module):
    def forward(self, x: Tensor, y: Tensor, n):
        a = x.data + y.data
        if a.sum() > 0:
            return a
        return a + int(n.shape[0])
"""
"""Two safe fixes of ONX205, an unsafe one of ONX201, and ONX101 without any."""
NOTHING = "# no code of ONX205\n"


def test_fix_only_reports_nothing_that_is_left(lint: Lint, put: Put) -> None:
    path = put("net.py", BOTH)
    done = lint("--fix-only")
    assert (done.returncode, done.stdout) == (0, "")
    assert "2 fixes applied in 1 file" in done.stderr
    assert ".data" not in path.read_text() and "int(" in path.read_text()
    assert lint("--fix-only", "--exit-non-zero-on-fix").returncode == 0  # nothing more to fix
    path.write_text(BOTH)
    assert lint("--fix-only", "--exit-non-zero-on-fix").returncode == 1
    assert lint("--fix-only", "gone.py").returncode == 2


def test_what_was_fixed_is_told_by_file_and_rule(lint: Lint, put: Put) -> None:
    put("b.py", BOTH)
    put("a.py", DATA)
    told = lint("--fix", "--show-fixes", "--unsafe-fixes", "--output-format", "concise").stderr.splitlines()
    assert told[:3] == [
        "onnx-lint: a.py: 1 fix of ONX205 (tensor-data)",
        "onnx-lint: b.py: 1 fix of ONX201 (python-cast)",
        "onnx-lint: b.py: 2 fixes of ONX205 (tensor-data)",
    ]
    assert lint("--fix", "--show-fixes").stderr == ""


@pytest.mark.parametrize(
    ("options", "configuration", "data", "cast"),
    [
        ((), "", False, False),
        (("--unfixable", "ONX205"), "", True, False),
        (("--fixable", "ONX2", "--unfixable", "ONX205,ONX3"), "", True, False),
        (("--fixable", "tensor-data"), "", False, True),
        ((), 'unfixable = ["ALL"]\n', True, True),
        ((), 'fixable = ["ONX205"]\n', False, True),
        (("--fixable", "ONX201"), 'fixable = ["ONX205"]\n', True, False),
        (("--fixable", "ALL"), 'unfixable = ["ONX201"]\n', False, True),
    ],
)
def test_fixes_that_are_shown_and_not_applied(
    lint: Lint, put: Put, options: tuple[str, ...], configuration: str, data: bool, cast: bool
) -> None:
    path = put("net.py", BOTH)
    put("onnx-lint.toml", configuration or NOTHING)
    report = lint(*options).stdout
    assert ("fix: Use `.detach()`\n" in report) is data  # with no option that applies it
    assert ("fix: Replace by `n.shape[0]`\n" in report) is cast
    assert lint("--fix", "--unsafe-fixes", *options).returncode == 1
    assert (".data" in path.read_text(), "int(" in path.read_text()) == (data, cast)


def test_an_unknown_rule_is_named(lint: Lint, put: Put) -> None:
    put("net.py", DATA)
    assert "ONX20x" in lint("--unfixable", "ONX20x").stderr
    put("onnx-lint.toml", 'fixable = ["tensor-dat"]\n')
    done = lint()
    assert done.returncode == 2 and "did you mean" in done.stderr and "ONX205" in done.stdout


def test_per_file_ignores_of_one_run(lint: Lint, put: Put, tmp_path: Path) -> None:
    put("net.py", DATA)
    put("old/net.py", BOTH)
    put("onnx-lint.toml", '[per-file-ignores]\n"net.py" = ["ONX101"]\n')

    def codes(*options: str) -> list[str]:
        return [line.split()[2] for line in lint("--output-format", "concise", *options).stdout.splitlines()]

    assert codes() == ["ONX205", "ONX205", "ONX205", "ONX201"]
    assert codes("--per-file-ignores", "old:tensor-data, old/*:ONX201") == ["ONX205"]
    assert codes("--per-file-ignores", "*:ALL") == []
    for wrong in ("old", ":ONX1", "old:"):
        done = lint("--per-file-ignores", wrong)
        assert done.returncode == 2 and "is not GLOB:RULE" in done.stderr


def test_short_options_and_silence(lint: Lint, put: Put, tmp_path: Path) -> None:
    given = parse(["-wens"])
    assert given.watch and given.exit_zero and given.no_cache and given.silent and given.quiet
    put("net.py", DATA)
    done = lint("-s", "--output-format", "json=all.json")
    assert (done.returncode, done.stdout, done.stderr) == (1, "", "")
    assert "ONX205" in (tmp_path / "all.json").read_text()
    assert lint("-qw").returncode == 2


def test_the_file_of_the_report_by_a_variable(lint: Lint, put: Put, tmp_path: Path) -> None:
    put("net.py", DATA)
    assert lint("net.py", env={"ONNX_LINT_OUTPUT_FILE": "a.txt"}).stdout == ""
    assert "ONX205" in (tmp_path / "a.txt").read_text()
    assert lint("-o", "b.txt", env={"ONNX_LINT_OUTPUT_FILE": "a.txt"}).stdout == ""
    assert "ONX205" in (tmp_path / "b.txt").read_text()
