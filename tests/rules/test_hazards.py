"""Positive cases: what each rule finds, in varied code, on the line where it stands."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from onnx_lint.registry import rules_of
from onnx_lint.settings import Settings
from onnx_lint.testing import assert_expectations, expectations

FOLDER = Path(__file__).parents[1] / "fixtures" / "rules" / "hazards"
FILES = {path.name: path.read_text(encoding="utf-8") for path in sorted(FOLDER.glob("*.py"))}


@pytest.mark.parametrize("name", FILES)
def test_every_hazard_is_found_where_it_stands(name: str) -> None:
    others = {other: text for other, text in FILES.items() if other != name}
    assert_expectations(FILES[name], path=name, files=others, settings=Settings(preview=True))


def test_every_rule_has_five_hazards() -> None:
    counts = Counter(code for text in FILES.values() for codes in expectations(text).values() for code in codes)
    assert {rule.code: counts[rule.code] for rule in rules_of("onnx_lint_rules") if counts[rule.code] < 5} == {}
