"""A safe fix never makes a right export wrong: the exporter's corpus, before and after, through both engines.

Its models are annotated first, since only what is certain is fixed.
"""

from __future__ import annotations

import re
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from onnx_lint.target import BOTH, Engine

sys.path.insert(0, str(Path(__file__).parents[1] / "exporter"))
from corpus_runs import CORPUS, Case, cases, outcome, result_of

pytestmark = [pytest.mark.torch, pytest.mark.slow]
_INPUT = re.compile(r"(?<=def forward\(self, )(\w+)(?=[,)])")


def annotated(text: str) -> str:
    """The text with the first input of each model annotated as a tensor."""
    return _INPUT.sub(r"\1: torch.Tensor", text)


def pairs(folder: Path) -> list[tuple[Case, Case]]:
    """The cases that fixes change, as they are before and after."""
    from fix_proof.running import fixed

    found: list[tuple[Case, Case]] = []
    for file in sorted(CORPUS.glob("*.py")):
        text = annotated(file.read_text(encoding="utf-8"))
        after, _ = fixed(text, folder)
        assert after.count("\n") == text.count("\n"), "cases are told apart by their lines"
        sides = [folder / side / file.name for side in ("before", "after")]
        for path, content in zip(sides, (text, after), strict=True):
            path.parent.mkdir(exist_ok=True)
            path.write_text(content, encoding="utf-8")
        old, new = text.split("\n"), after.split("\n")
        for case in (case for case in cases() if case.file == file):
            if old[case.first - 1 : case.last] != new[case.first - 1 : case.last]:
                found.append((replace(case, file=sides[0]), replace(case, file=sides[1])))
    return found


@pytest.mark.parametrize("engine", BOTH, ids=str)
def test_a_right_export_stays_right(engine: Engine, tmp_path: Path) -> None:
    changed = pairs(tmp_path)
    assert changed, "no case of the corpus is fixed: this proves nothing"
    for before, after in changed:
        old, new = (result_of(outcome(case, engine, sys.executable)) for case in (before, after))
        assert new.startswith("right") or not old.startswith("right"), f"{before.id}: {old}, then {new}"
