"""The table of ``README.md``: every row of the documentation has tests, and each of them exists."""

from __future__ import annotations

import ast
import re
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
from corpus_runs import cases

HERE = Path(__file__).parent
ROWS = {
    row: re.findall(r"`([^`]+)`", tests)
    for row, tests in re.findall(r"^\| ([PE]\d+) \|[^|]*\| ([^|]*) \|", (HERE / "README.md").read_text(), re.M)
}
WANTED = [f"P{number}" for number in range(1, 23)] + [f"E{number}" for number in range(1, 16)]


def test_every_row_is_there() -> None:
    assert list(ROWS) == WANTED
    assert all(ROWS.values())


@pytest.mark.parametrize("row", WANTED)
def test_every_test_of_a_row_exists(row: str) -> None:
    models = {case.id for case in cases()}
    for name in ROWS[row]:
        file, _, function = name.partition("::")
        if not function:
            assert name in models
            continue
        tree = ast.parse((HERE / file).read_text())
        assert function in {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}, name


def test_every_model_of_the_corpus_belongs_to_a_row_or_goes_beyond_the_page() -> None:
    named = {name for names in ROWS.values() for name in names}
    beyond = {
        "modules.Attention",
        "modules.ConvNorm",
        "modules.Mutating",
        "operators.Mismatched",
        "shapes.CleanSizes",
        "shapes.TensorOfSize",
        "structures.KeywordInput",
    }
    assert {case.id for case in cases()} - named == beyond
