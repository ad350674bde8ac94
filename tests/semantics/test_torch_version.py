"""The version of torch in conditions: decided where all supported versions say the same."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from semantics.programs import reports

from onnx_lint.semantics.domain import torch_version

NET = """
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.old = not ({test})
    def forward(self, x):
        if self.old:
            return x if x.sum() > 0 else -x
        return x
"""


@pytest.mark.parametrize(
    ("test", "is_told"),
    [
        ('torch.__version__ > "1.9.0"', False),
        ('torch.__version__ > "1.9.0" or torch.__version__ == "1.9.0"', False),
        ('torch.__version__ >= "2.4"', False),
        ('torch.__version__ != "1.13"', False),
        ('torch.__version__ < "1.10"', True),
        ('torch.__version__ >= "2.9"', True),
        ('torch.__version__ >= "2.5"', True),
        ('torch.__version__ >= "nightly"', True),
    ],
)
def test_what_all_supported_versions_answer_alike_is_decided(test: str, is_told: bool) -> None:
    line = "return x if x.sum() > 0 else -x"
    assert [at for _, _, at in reports(NET.format(test=test))] == ([line] if is_told else [])


def test_the_oldest_version_is_that_of_the_requirements() -> None:
    text = (Path(__file__).parents[2] / "pyproject.toml").read_text(encoding="utf-8")
    found = re.search(r'"torch>=(\d+)\.(\d+)"', text)
    assert found is not None
    assert tuple(map(int, found.groups())) == torch_version.OLDEST
