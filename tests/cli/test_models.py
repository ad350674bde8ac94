"""``--models``: every model is judged by itself, with all that it reaches."""

from __future__ import annotations

import json
from pathlib import Path
from xml.etree import ElementTree

import pytest
from cli.conftest import CLEAN, DATA, Lint, Put

HELPER = "def scale(v):\n    return v * v.sum().item()\n"
TWO = """\
from torch import nn

from helper import scale


class First(nn.Module):
    def forward(self, x):
        return scale(x)


class Second(nn.Module):
    def forward(self, x):
        if x.sum() > 0:
            x = -x
        return scale(x)


class Third(nn.Module):
    def forward(self, x):
        return x + 1
"""


@pytest.fixture
def two(put: Put) -> None:
    put("helper.py", HELPER)
    put("net.py", TWO)


def test_a_shared_hazard_counts_for_each(lint: Lint, two: None) -> None:
    done = lint("--models")
    assert done.stdout == (
        "net.py:6 First    torchscript: 1 error   dynamo: clean\n"
        "net.py:11 Second  torchscript: 2 errors  dynamo: 1 error\n"
        "net.py:18 Third   torchscript: clean     dynamo: clean\n"
        "\n"
        "Clean of 3 models: 1 for torchscript, 2 for dynamo.\n"
    )
    assert done.returncode == 1 and lint("--models", "--exit-zero", "-q").returncode == 0
    assert lint("--models", "--engine", "dynamo").stdout.splitlines()[0] == "net.py:6 First    dynamo: clean"


def test_json_and_markdown(lint: Lint, two: None, tmp_path: Path) -> None:
    said = json.loads(lint("--models", "--output-format", "json").stdout)
    assert [m["name"] for m in said["models"]] == ["First", "Second", "Third"]
    assert said["models"][1]["engines"]["torchscript"] == {"errors": 2, "warnings": 0}
    rows = lint("--models", "--output-format", "markdown", "-o", "table.md").stdout
    assert rows == "" and (tmp_path / "table.md").read_text().count("\n| ") == 4
    assert "| ✓ clean | ✓ clean |" in (tmp_path / "table.md").read_text()
    done = lint("--models", "--output-format", "sarif")
    assert done.returncode == 2 and "not as sarif" in done.stderr


def test_a_badge(lint: Lint, two: None, put: Put, tmp_path: Path) -> None:
    lint("--models", "--badge", "models.svg")
    text = (tmp_path / "models.svg").read_text()
    assert "1 of 3 models" in text and "#c33" in text and ElementTree.fromstring(text).tag.endswith("svg")
    put("net.py", CLEAN)
    assert lint("--models", "--badge", "models.svg").returncode == 0
    assert "1 of 1 model" in (tmp_path / "models.svg").read_text()


def test_suppressed_hazards_do_not_count(lint: Lint, put: Put) -> None:
    put("a.py", DATA.replace("x.data * 2", "x.data * 2  # onnx-lint: ignore[ONX205] detached on purpose"))
    done = lint("--models")
    assert "a.py:4 Net  torchscript: clean  dynamo: clean\n" in done.stdout and done.returncode == 0


def test_no_model(lint: Lint, put: Put) -> None:
    put("a.py", "x = 1\n")
    assert lint("--models").stdout == "No model found.\n"


def test_what_was_not_analysed_in_full_is_not_clean(lint: Lint, put: Put, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("onnx_lint.semantics.evaluation.state.MAX_DEPTH", 0)
    put("helper.py", HELPER)
    put("net.py", CLEAN.replace("from torch", "from helper import scale\nfrom torch").replace("x + 1", "scale(x)"))
    done = lint("--models")
    assert "not analysed in full" in done.stdout and done.returncode == 1
