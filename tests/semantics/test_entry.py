"""Where traced code begins: also in classes that are defined inside another statement."""

from __future__ import annotations

import pytest
from semantics.programs import reported_lines

CONDITIONAL = """
if torch.cuda.is_available():
    class Model(nn.Module):
        def forward(self, x):
            return x.flatten()
else:
    class Model(nn.Module):
        def forward(self, x):
            return x if x.sum() > 0 else -x
"""
ATTEMPTED = """
try:
    from fast import Model
except ImportError:
    class Model(nn.Module):
        def forward(self, x):
            return x if x.sum() > 0 else -x
"""


@pytest.mark.parametrize("code", [CONDITIONAL, ATTEMPTED])
def test_a_class_inside_a_statement_is_an_entry_point(code: str) -> None:
    assert reported_lines(code) == ["return x if x.sum() > 0 else -x"]


def test_the_last_class_of_a_statement_is_entered_first() -> None:
    """As at the top level: the part gets what the model gives it, which is a constant here."""
    assert not reported_lines(
        """
if torch.cuda.is_available():
    class Part(nn.Module):
        def forward(self, x, n):
            return x if n > 0 else -x
    class Model(nn.Module):
        def __init__(self):
            super().__init__()
            self.part = Part()
        def forward(self, x):
            return self.part(x, 3)
"""
    )
