"""The join with the linter, strictly: every state of the evidence is there, on its line, for its engine."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
from commands import Ran, export

pytestmark = pytest.mark.torch
EVERY = """import torch
from torch import nn


class Net(nn.Module):
    def forward(self, x):
        y = x * float(x.max())  # cast
        if x.shape[0] > 100:  # branch
            y = y * x.min().item()  # unreached
        return y * eval("x.min().item()")  # eval


class Right(nn.Module):
    def forward(self, x):
        if x.shape[0] > 100:  # large
            x = x.clone()
        y = x.reshape(int(x.shape[1]), -1)  # fixed
        return y[: 1000000 + int(x.max())]  # useless


class Aliased(nn.Module):
    def forward(self, x):
        n = x.shape[0]
        before = n
        n += 2  # alias
        return torch.zeros(n, 3) + before
"""


def line(mark: str) -> int:
    return 1 + next(number for number, text in enumerate(EVERY.split("\n")) if text.endswith(f"# {mark}"))


def evidence(ran: Ran) -> dict[tuple[int, str, str], list[tuple[str, str]]]:
    """Line, code and source of a diagnostic → engine and state of each piece of evidence."""
    return {
        (d["line"], d["code"], d["source"]): [(e["engine"], e["state"]) for e in d["evidence"]]
        for d in ran.document["diagnostics"]
    }


@pytest.fixture(scope="module")
def joined(tmp_path_factory: pytest.TempPathFactory, warm_python: str) -> Ran:
    folder = tmp_path_factory.mktemp("joined")
    (folder / "net.py").write_text(EVERY)
    return export(folder, warm_python, ["net.py:Net", "net.py", "--input", "x:float32[n,3]", "--output-format", "json"])


def test_confirmed(joined: Ran) -> None:
    assert evidence(joined)[line("cast"), "ONX201", "lint"] == [("torchscript", "confirmed")]
    found = next(d for d in joined.document["diagnostics"] if d["line"] == line("cast"))
    assert "wrong on input 2" in found["evidence"][0]["text"]


def test_a_branch_that_both_inputs_take_alike_is_not_confirmed(joined: Ran) -> None:
    """The result of torchscript is wrong, and the branch has no part in it; dynamo does not get as far as a result."""
    assert evidence(joined)[line("branch"), "ONX102", "lint"] == [("torchscript", "untested")]


def test_not_reached(joined: Ran) -> None:
    assert evidence(joined)[line("unreached"), "ONX202", "lint"] == [("torchscript", "not reached")]


def test_missed_by_lint(joined: Ran) -> None:
    """Code that is a string until it runs: no reading of the source tells what it does."""
    found = evidence(joined)
    assert found[line("eval"), "ONX907", "export"] == [("torchscript", "missed by lint")]
    assert not any(source == "lint" for place, _, source in found if place == line("eval"))


def test_nothing_else_is_said(joined: Ran) -> None:
    places = {line(mark) for mark in ("cast", "branch", "unreached", "eval", "large", "fixed", "useless", "alias")}
    assert {place for place, _, _ in evidence(joined)} <= places
    assert joined.status == 1


def _of_right(tmp_path: Path, warm_python: str, *options: str) -> dict[tuple[int, str, str], list[tuple[str, str]]]:
    (tmp_path / "net.py").write_text(EVERY)
    arguments = ["net.py:Right", "net.py", "--engine", "torchscript", "--input", "x:float32[n=4,6]", *options]
    ran = export(tmp_path, warm_python, [*arguments, "--output-format", "json"])
    assert all(entry["ok"] for entry in ran.document["exports"]), ran.out
    return evidence(ran)


def test_refuted(tmp_path: Path, warm_python: str) -> None:
    """Both ways were tried, other values were read, and all was right."""
    found = _of_right(tmp_path, warm_python)
    assert found[line("large"), "ONX102", "lint"] == [("torchscript", "refuted")]
    assert found[line("useless"), "ONX201", "lint"] == [("torchscript", "refuted")]
    assert found[line("fixed"), "ONX201", "lint"] == [("torchscript", "untested")]  # that size never changes
    assert found[line("cast"), "ONX201", "lint"] == [("torchscript", "not reached")]


def test_nothing_is_refuted_without_a_search(tmp_path: Path, warm_python: str) -> None:
    found = _of_right(tmp_path, warm_python, "--effort", "0")
    assert {state for each in found.values() for _, state in each} == {"untested", "not reached"}


def test_a_wrong_translation_is_not_laid_on_a_constant(tmp_path: Path, warm_python: str) -> None:
    """A rule that speaks of the line is not the cause, and its milder severity does not count."""
    (tmp_path / "net.py").write_text(
        "import torch\n\n\nclass Net(torch.nn.Module):\n    def forward(self, x):\n"
        "        return x[torch.tensor([0, -1]), torch.tensor([1, -1])] * 2\n"
    )
    arguments = ["net.py", "net.py", "--engine", "torchscript", "--input", "x:float32[3,4]", "--output-format", "json"]
    ran = export(tmp_path, warm_python, arguments)
    errors = [d for d in ran.document["diagnostics"] if d["severity"] == "error"]
    assert [(d["code"], d["line"]) for d in errors] == [("ONX906", 6)], ran.out


def test_the_cause_that_the_linter_knows_is_confirmed_at_its_place(tmp_path: Path, warm_python: str) -> None:
    """The first value that differs is a line later; nothing is missed by lint."""
    (tmp_path / "net.py").write_text(EVERY)
    arguments = ["net.py:Aliased", "net.py", "--input", "x:float32[n,6]", "--engine", "torchscript"]
    found = evidence(export(tmp_path, warm_python, [*arguments, "--output-format", "json"]))
    assert found[line("alias"), "ONX301", "lint"] == [("torchscript", "confirmed")]
    assert not any(state == "missed by lint" for each in found.values() for _, state in each)
