"""Real files, damaged: no internal error, places inside the text, fixes that apply or are refused."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
from robustness.mutations import analysed, mutated

ROOT = Path(__file__).parents[2]
FILES = sorted([*(ROOT / "examples").glob("*.py"), *(ROOT / "tests" / "fixtures" / "rules").rglob("*.py")])
MUTANTS = 100
TRUNCATED = {"hazards/sizes.py": 7, "clean/not_traced.py": 7, "hazards/containers.py": 21}
"""A file, and the bytes from one truncation to the next: more for one that has many fixes to try."""


def test_the_files_are_sound_before() -> None:
    assert len(FILES) >= 10
    for path in FILES:
        said = analysed(path.read_bytes())
        assert said is not None
        assert not any(d.code == "ONX000" for d in said), path


@pytest.mark.parametrize("batch", range(5))
def test_mutants(batch: int) -> None:
    """The seed of each mutant is its number, so that a failure can be had again."""
    for seed in range(batch, MUTANTS, 5):
        source = random.Random(seed)
        path = source.choice(FILES)
        data = mutated(path.read_bytes(), source)
        try:
            analysed(data)
        except Exception as error:
            raise AssertionError(f"mutant {seed} of {path.name}: {error}") from error


@pytest.mark.parametrize("name", TRUNCATED)
def test_truncated(name: str) -> None:
    """As a file is while it is typed: everything up to some byte."""
    data = (ROOT / "tests" / "fixtures" / "rules" / name).read_bytes()
    for end in range(0, len(data), TRUNCATED[name]):
        analysed(data[:end])
