"""The page of what was attacked: the tests and commands that it names exist, and its number of inputs is right."""

from __future__ import annotations

import re
from pathlib import Path

from robustness.growth import GROWTHS

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "robustness.md").read_text(encoding="utf-8")
NAMED = re.findall(r"`(tests/[\w/]+\.py)(?:::(\w+))?`", PAGE)


def test_every_named_test_exists() -> None:
    assert len(NAMED) > 30
    for file, test in NAMED:
        text = (ROOT / file).read_text(encoding="utf-8")
        assert re.search(rf"^(?:async )?def {test or 'test_'}", text, re.M), f"{file}::{test}"


def test_every_row_names_a_test() -> None:
    rows = [line for line in PAGE.partition("## At scale")[0].splitlines() if line.startswith("| ")][2:]
    assert rows and all("`tests/" in row for row in rows)


def test_every_named_script_and_option_exists() -> None:
    scripts = re.findall(r"`python ((?:benchmarks|tests)/[\w/]+\.py)([^`]*)`", PAGE)
    assert scripts
    for file, given in scripts:
        text = (ROOT / file).read_text(encoding="utf-8")
        assert all(f'"{option}"' in text for option in re.findall(r"--\w+", given)), (file, given)


def test_the_number_of_inputs() -> None:
    assert f"{len(GROWTHS)} kinds of input" in PAGE
