"""``type(x) is A`` and ``type(x) in (A, B)`` say what ``isinstance`` says, and that it is no subclass."""

from __future__ import annotations

import pytest
from semantics.programs import reported_lines

HEAD = "import math\nimport torch\nfrom torch import nn\nclass A: pass\nclass B: pass\n"
MODEL = "class M(nn.Module):\n    def forward(self, x, k=0):\n"


EITHER = ("y = [1]", "if self.k:", "    y = x.shape[0]")


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
    lines = [*EITHER, "if type(y) is list:", "    y = 3", "return x + math.floor(y)"]
    assert reported(*lines) == [lines[-1]]
    lines[3] = "if type(y) is not list:"
    assert reported(*lines) == []


@pytest.mark.parametrize(
    ("test", "is_frozen"),
    [
        ("type(y) is list or type(y) is tuple", False),
        ("isinstance(y, list) or y is None", False),
        ("not (not isinstance(y, list) and y is not None)", False),
        ("isinstance(y, list) or self.k", True),
        ("isinstance(y, list) or type(y) is torch.Tensor", True),
    ],
)
def test_of_two_tests_one_holds(test: str, is_frozen: bool) -> None:
    lines = [*EITHER, f"if {test}:", "    x = x + math.floor(y)", "return x"]
    assert reported(*lines) == (["x = x + math.floor(y)"] if is_frozen else [])


def test_a_number_that_dynamo_follows_is_an_int_under_torchscript_only() -> None:
    lines = ["n = 3", "if self.k:", "    n = int(x.shape[0])", "if {}:", "    x = x + math.floor(n)", "return x"]
    plain = reported(*[line.format("self.k") for line in lines])
    assert plain == ["n = int(x.shape[0])", "x = x + math.floor(n)"]
    assert reported(*[line.format("type(n) in (int, float)") for line in lines]) == plain[:1]
