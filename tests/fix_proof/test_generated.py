"""Random programs do the same before and after `--fix`; after unsafe fixes they still parse."""

from __future__ import annotations

import ast

import pytest
from fix_proof.attacks import Attack
from fix_proof.programs import programs
from hypothesis import given, settings

from onnx_lint.diagnostic import Applicability
from onnx_lint.testing import check_source, fixed

pytestmark = pytest.mark.torch


def differs(program: Attack) -> str:
    """How a program differs after its safe fixes; empty if it does not."""
    from fix_proof.running import outcomes, same

    source, calls = program.source, program.calls
    after = fixed(source)
    if after == source:
        return ""
    for call, one, other in zip(calls, outcomes(source, calls), outcomes(after, calls), strict=True):
        if not same(one, other):
            return f"{call} was {one!r}, is {other!r} after:\n{after}"
    return ""


@settings(max_examples=120, deadline=None)
@given(programs())
def test_safe_fixes_change_nothing(program: Attack) -> None:
    assert not differs(program)
    ast.parse(fixed(program.source, unsafe=True))


@pytest.mark.slow
@settings(max_examples=2_000, deadline=None)
@given(programs())
def test_safe_fixes_change_nothing_in_many(program: Attack) -> None:
    assert not differs(program)
    ast.parse(fixed(program.source, unsafe=True))


def test_such_programs_are_fixed_at_all() -> None:
    source = "x: Tensor, y: Tensor"
    model = f"import torch\nfrom torch import Tensor, nn\nclass M(nn.Module):\n    def forward(self, {source}):\n"
    model += "        return (x + int(x.shape[0]), -(y).data)\n"
    found = [d.fix.applicability for d in check_source(model) if d.fix is not None]
    assert found == [Applicability.SAFE, Applicability.SAFE]
