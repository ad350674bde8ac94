"""``type(x) is A`` and ``type(x) in (A, B)`` say what ``isinstance`` says, and that it is no subclass."""

from __future__ import annotations

import pytest
from semantics.programs import reported_lines

HEAD = "import math\nimport torch\nfrom torch import nn\nclass A: pass\nclass B: pass\n"
MODEL = "class M(nn.Module):\n    def forward(self, x, k=0):\n"


def reported(*lines: str) -> list[str]:
    return reported_lines(HEAD + MODEL + "".join(f"        {line}\n" for line in lines))


@pytest.mark.parametrize(
    ("test", "is_frozen"),
    [
        ("type(n) in (int, float)", False),
        ("type(n) is int", False),
        ("type(n) == int", False),
        ("not (type(n) is not int)", False),
        ("type(n) in (int, bool) or (type(n) is float and not math.isnan(n))", False),
        ("type(n) in {int, torch.Tensor}", True),
        ("type(n) not in (int, float)", True),
        ("type(n) is not int", True),
        ("type(n) is torch.Tensor", True),
        ("type(n) in types", True),
        ("type(x) is torch.Tensor", True),
        ("type(x) is list", False),
        ("type(A()) is B", False),
        ("type(A()) is A", True),
        ("type(3) is int", True),
        ("type(3) is str", False),
        ("type([x]) in (list, tuple)", True),
        ("type([x]) is tuple", False),
    ],
)
def test_what_the_test_rules_out_is_not_reported(test: str, is_frozen: bool) -> None:
    """A traced size is of type `torch.Tensor` or `torch.SymInt`."""
    found = reported("n = x.shape[0]", f"if {test}:", "    x = x + math.floor(n)", "return x")
    assert found == (["x = x + math.floor(n)"] if is_frozen else [])


def test_the_alternatives_of_the_other_type_are_dropped() -> None:
    lines = ["y = [x] if k else x.shape[0]", "if type(y) is list:", "    y = 3", "return x + math.floor(y)"]
    assert reported(*lines) == [lines[-1]]
    lines[1] = "if type(y) is not list:"
    assert reported(*lines) == []
