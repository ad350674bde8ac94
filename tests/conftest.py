"""Settings of the test tools, for all tests."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import settings

_TESTS = Path(__file__).parent

# the same examples in every run, and no time limit for one: the machine may be busy
settings.register_profile("suite", derandomize=True, deadline=None, database=None, max_examples=100)
settings.load_profile("suite")

# the longest first, so that no worker is left with one of them in the end
_ORDER = ("rules", "exporter", "fix_proof", "lsp", "cli", "semantics", "robustness")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Folders in the order of the time that their tests take, and files with tests marked `torch` first in each."""
    place = {name: number for number, name in enumerate(_ORDER)}
    with_torch = {item.path for item in items if item.get_closest_marker("torch") is not None}

    def key(item: pytest.Item) -> tuple[int, bool]:
        folder = item.path.relative_to(_TESTS).parts[0]
        return place.get(folder, len(place)), item.path not in with_torch

    items.sort(key=key)


_PLATFORM = (
    "GITHUB_ACTIONS", "GITHUB_WORKSPACE", "CI_PROJECT_DIR", "BUILD_SOURCESDIRECTORY", "TF_BUILD",
    "ONNX_LINT_OUTPUT_FORMAT", "ONNX_LINT_CACHE_DIR",
)  # fmt: skip


@pytest.fixture(autouse=True)
def not_on_a_platform(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a platform tells the command changes its output; tests that want that say so."""
    for name in _PLATFORM:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("ONNX_LINT_NO_CACHE", "1")  # limits and rules change under the tests
