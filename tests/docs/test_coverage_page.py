"""The page of what is covered: its rules exist, and the rules of a row speak of the cases that it names."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from rules.everyday_cases import CASES
from rules.test_verdicts import SOURCES

from onnx_lint.registry import rules_of
from onnx_lint.settings import Settings
from onnx_lint.target import BOTH, Target
from onnx_lint.testing import check_source, example

PAGE = Path(__file__).parents[2] / "docs" / "coverage.md"
ROWS = [
    tuple(cell.strip() for cell in line.strip("|").split(" | "))
    for line in PAGE.read_text(encoding="utf-8").splitlines()
    if re.match(r"\| (?:P?\d+) \|", line)
]
RULES = {rule.code: rule for rule in rules_of("onnx_lint_rules")}
CODE = re.compile(r"\[(ONX\d+)\]\(rules/(ONX\d+)\.md\)")


def test_every_row_stands_there_once() -> None:
    assert [row[0] for row in ROWS] == [f"P{n}" for n in range(1, 23)] + [str(n) for n in range(1, 31)]


def diagnosed(name: str) -> set[str]:
    """The codes that are reported in a case."""
    kind, _, case = name.partition(": ")
    if kind == "everyday":
        target = Target(BOTH, CASES[case].opset)
        return {d.code for d in check_source(CASES[case].source, settings=Settings(target=target))}
    source = example(RULES[f"ONX{case}"]).bad if kind == "example" else SOURCES[name]
    return {d.code for d in check_source(source)}


@pytest.mark.parametrize("row", ROWS, ids=[row[0] for row in ROWS])
def test_its_rules_speak_of_its_cases(row: tuple[str, ...]) -> None:
    _, subject, rules, tests = row
    codes = {code for code, page in CODE.findall(rules) if code == page}
    assert subject
    if not codes:
        assert tests.endswith("."), "a row without a rule says why"
        return
    assert codes <= set(RULES)
    for name in tests.split("; "):
        assert diagnosed(name) & codes, name
