"""What the analysis takes for granted of inputs, and where it gives way: checks, flags, types of sizes."""

from __future__ import annotations

import pytest
from semantics.programs import reports

NET = """
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 8, 3)
    def forward(self, x, block: int = 4, **kwargs):
        y = self.conv(x)
{body}
        return y
"""
HAZARD = "if y.sum() > 0: y = y + 1"


def found(*lines: str) -> list[tuple[str, str, str]]:
    return reports(NET.format(body="".join(f"        {line}\n" for line in lines)))


@pytest.mark.parametrize(
    "check",
    [
        ("assert x.shape[0] == 1",),
        ("if x.shape[0] != 1:", "    raise ValueError('one image')"),
        ("if not x.shape[0] == 1:", "    raise ValueError('one image')"),
    ],
)
def test_a_check_that_the_taken_sizes_fail_does_not_end_the_way(check: tuple[str, ...]) -> None:
    assert ("ONX101", "error", HAZARD) in found(*check, HAZARD)


def test_an_assertion_that_fails_whatever_the_sizes_are_ends_it() -> None:
    assert found("assert False", HAZARD) == []


@pytest.mark.parametrize(
    ("test", "is_told"),
    [
        ('kwargs.get("keep", False)', False),
        ('kwargs.pop("keep", False)', False),
        ('kwargs.get("keep", False) and self.training is False', False),
        ('kwargs.get("mode", "plain") == "other"', False),
        ('kwargs.get("keep", True)', True),
        ('kwargs.get("mode", "plain") == "plain"', True),
        ('kwargs.get("keep")', True),
        ('kwargs.get("keep", False) or kwargs.get("keep", True)', True),
    ],
)
def test_a_flag_in_kwargs_is_its_default(test: str, is_told: bool) -> None:
    line = "if x.sum() > 0: y = y + 1"
    assert [at for _, _, at in found(f"if {test}:", f"    {line}")] == ([line] if is_told else [])


@pytest.mark.parametrize(
    ("size", "classes", "is_told"),
    [
        ("x.shape[0]", "int", False),
        ("x.shape[0]", "(int, float)", False),
        ("x.shape[0]", "torch.Tensor", True),
        ("x.shape[0]", "(int, torch.Tensor)", True),
        ("x.shape[0]", "(int, torch.SymInt)", True),
        ("x.shape[1]", "int", True),  # the convolution fixes it: three, an int under dynamo
        ("x.shape[1]", "torch.SymInt", False),
    ],
)
def test_a_size_that_changes_is_no_int_under_either_engine(size: str, classes: str, is_told: bool) -> None:
    line = "if y.sum() > 0: y = y + 1"
    assert [at for _, _, at in found(f"if isinstance({size}, {classes}):", f"    {line}")] == (
        [line] if is_told else []
    )


@pytest.mark.parametrize(
    ("lines", "severity"),
    [
        (("pad = (block - x.shape[2] % block) % block", "if pad > 0: y = y + 1"), "warning"),
        (("n = x.shape[2]", "if n > 0: y = y + 1"), "info"),
        (("n = x.numel()", "if n > 0: y = y + 1"), "info"),
        (("pad = x.shape[2] - 7", "while pad > 0: pad = pad - 4"), "warning"),
    ],
)
def test_a_padding_is_asked_for_more_than_emptiness(lines: tuple[str, str], severity: str) -> None:
    assert [(s, at) for code, s, at in found(*lines) if code == "ONX102"] == [(severity, lines[1])]


OPTIONAL = """
from dataclasses import dataclass
from typing import Optional
from torch.distributed import ProcessGroup

@dataclass
class Packing:
    length: int
    streams: Optional[int] = None

@dataclass
class Memory:
    keys: torch.Tensor
    length: int = 0

@dataclass
class LargerMemory(Memory):
    size: int = 0

class Net(nn.Module):
    def forward(self, x, given: {kind} = None):
        if given is not None:
            x = x + 1 if x.sum() > 0 else x
        return x
"""


@pytest.mark.parametrize(
    ("kind", "is_told"),
    [
        ("Optional[ProcessGroup]", False),
        ("ProcessGroup", False),
        ("Optional[Packing]", False),
        ("Optional[int]", False),
        ("Optional[tuple[int, int]]", False),
        ("Optional[torch.Tensor]", True),
        ("Optional[dict[str, torch.Tensor]]", True),
        ("Optional[tuple[int, torch.Tensor]]", True),
        ("Optional[list]", True),
        ("Optional[Memory]", True),
        ("Optional[LargerMemory]", True),
        ("Optional[SomethingUnknown]", True),
    ],
)
def test_an_optional_input_that_holds_no_tensor_is_left_out(kind: str, is_told: bool) -> None:
    line = "x = x + 1 if x.sum() > 0 else x"
    assert [at for _, _, at in reports(OPTIONAL.format(kind=kind))] == ([line] if is_told else [])


EXPORTABLE = """
class Net(nn.Module):
    def __init__(self, size, exportable{kind}):
        super().__init__()
        self.layer = nn.Linear(size, 4)
        self.exportable = exportable
    def forward(self, x):
        y = self.layer(x)
        if self.exportable:
            return y if y.sum() > 0 else -y
        return y if y.sum() > 1 else y * 2
{rest}
"""
FOR_EXPORT, OTHERWISE = "return y if y.sum() > 0 else -y", "return y if y.sum() > 1 else y * 2"


@pytest.mark.parametrize(
    "rest",
    [
        "",
        "def make(**options): return Net(4, **options)",
        "def make(exportable=False): return Net(4, exportable)",
        "def make(): return Net(4, exportable=False)",
    ],
)
def test_a_model_that_can_be_made_for_an_export_is(rest: str) -> None:
    assert [at for _, _, at in reports(EXPORTABLE.format(kind=": bool = False", rest=rest))] == [FOR_EXPORT]


def test_a_name_that_only_begins_alike_is_no_flag_of_an_export() -> None:
    other = EXPORTABLE.format(kind=": bool = False", rest="").replace("exportable", "exporters")
    assert [at for _, _, at in reports(other)].count(OTHERWISE) == 1


@pytest.mark.parametrize(
    ("line", "is_told"),
    [
        ("n = max(y.shape[2], x.shape[2] - 2)", False),
        ("n = min(x.shape[2] + 3, x.shape[2])", False),
        ("n = max(x.shape[2] - 7, 1)", True),
        ("n = min(x.shape[2], 7)", True),
    ],
)
def test_which_of_two_sizes_is_less_may_be_decided(line: str, is_told: bool) -> None:
    assert [at for code, _, at in found(line) if code == "ONX206"] == ([line] if is_told else [])


def test_a_size_that_is_asked_whether_it_is_whole_decides() -> None:
    lines = ("part = x.shape[2] / 4", "if part.is_integer(): y = y + 1")
    assert [(code, at) for code, _, at in found(*lines)] == [("ONX102", lines[1])]
