"""Real sources by two roads: chunk by chunk, as the linter reads them, and as a whole."""

from __future__ import annotations

from pathlib import Path

import pytest
from robustness.oracle import difference, split_difference

from onnx_lint.source.text import read

ROOT = Path(__file__).parents[2]
FOLDERS = {
    # one file of so many: the lowering is compared node by node, which takes its time
    "examples": 1,
    "tests/fixtures": 1,
    "rules": 3,
    "linter": 6,
    "lsp": 6,
    "exporter": 6,
    "benchmarks": 4,
    "tools": 1,
}


@pytest.mark.parametrize("folder", FOLDERS)
def test_chunks_and_the_whole_say_the_same(folder: str) -> None:
    """A difference of the splitter shows with its reason: it compares with Python's own parser."""
    files = sorted((ROOT / folder).rglob("*.py"))[:: FOLDERS[folder]]
    assert files
    found = {}
    for path in files:
        normal = read(str(path)).normal
        wrong = split_difference(normal) or difference(normal)
        if wrong is not None:
            found[str(path.relative_to(ROOT))] = wrong
    assert found == {}
