"""Observations take over the rule that the linter reports at their place, however the code there is written."""

from __future__ import annotations

from pathlib import Path

import pytest

from onnx_lint.diagnostic import Severity
from onnx_lint.target import Engine
from onnx_lint_exporter.locate import diagnose
from onnx_lint_exporter.outcome import Outcome
from onnx_lint_exporter.source_code import Sources
from onnx_lint_exporter.worker.protocol import Comparison, Frame, Kind, Observation, Read, Result, State

NET = """import math

import torch
from torch import nn

up = math.ceil


def decide(x):
    return x.sum() > 0


class Net(nn.Module):
    def forward(self, x):
        n = up(x.mean())  # alias
        if decide(x):  # helper
            x = x + n  # onnx-lint: ignore
        while x.sum() > n:
            x = x - 1  # inside
        y = x.max().item()  # onnx-lint: ignore[ONX202]
        z = eval("x.max().item()")  # unseen
        return x * y * z
"""


def line(mark: str) -> int:
    return 1 + next(number for number, text in enumerate(NET.split("\n")) if text.endswith(mark))


def codes(folder: Path, *items: Observation) -> list[str]:
    """The codes of the diagnostics, of an export that is wrong on its second input."""
    right, wrong = Comparison(State.RIGHT), Comparison(State.WRONG, "differs")
    result = Result("torchscript", exported=True, checked=True, input1=right, input2=wrong, observations=items)
    outcome = Outcome(Engine.TORCHSCRIPT, "net.py:Net", result)
    return [d.code for d in diagnose(outcome, Sources(str(folder)))]


@pytest.fixture
def file(tmp_path: Path) -> str:
    path = tmp_path / "net.py"
    path.write_text(NET)
    return str(path)


def warning(file: str, mark: str, read: Read) -> Observation:
    return Observation(Kind.TRACER_WARNING, "converting a tensor", (Frame(file, line(mark), "forward"),), read=read)


@pytest.mark.parametrize(
    ("mark", "read", "code"),
    [
        ("# alias", Read.NUMBER, "ONX201"),
        ("# helper", Read.BOOLEAN, "ONX101"),
        ("# onnx-lint: ignore[ONX202]", Read.NUMBER, "ONX202"),
    ],
)
def test_the_rule_of_the_line(mark: str, read: Read, code: str, file: str, tmp_path: Path) -> None:
    """Also where the code is an alias, a helper or suppressed: the linter knows, and nothing else decides."""
    assert codes(tmp_path, warning(file, mark, read)) == [code]


def test_a_difference_in_structure_belongs_to_the_loop_around_it(file: str, tmp_path: Path) -> None:
    seen = Observation(Kind.STRUCTURE, "operations", (Frame(file, line("# inside")),), lines=(line("# inside"),))
    assert codes(tmp_path, seen) == ["ONX101"]


def test_what_the_linter_does_not_see_has_a_code_of_the_exporters(file: str, tmp_path: Path) -> None:
    assert codes(tmp_path, warning(file, "# unseen", Read.NUMBER)) == ["ONX907"]


def test_texts_that_change_are_read_again(file: str, tmp_path: Path) -> None:
    seen = warning(file, "# alias", Read.NUMBER)
    assert codes(tmp_path, seen) == ["ONX201"]
    Path(file).write_text(NET.replace("n = up(x.mean())", "n = torch.ceil(x)"))
    assert codes(tmp_path, seen) == ["ONX907"]


def test_an_assert_stays_an_information(file: str, tmp_path: Path) -> None:
    Path(file).write_text(NET.replace("n = up(x.mean())", "assert x.sum() > 0; n = 1"))
    right = Comparison(State.RIGHT)
    seen = warning(file, "# alias", Read.BOOLEAN)
    result = Result("torchscript", exported=True, checked=True, input1=right, input2=right, observations=(seen,))
    (found,) = diagnose(Outcome(Engine.TORCHSCRIPT, "net.py:Net", result), Sources(str(tmp_path)))
    assert (found.code, found.severity) == ("ONX103", Severity.INFO)
