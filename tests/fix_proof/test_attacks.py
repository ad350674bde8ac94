"""No constructed program behaves differently after `--fix`, and none stops parsing after `--unsafe-fixes` either."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest
from fix_proof.attacks import ATTACKS as FIRST
from fix_proof.scope_attacks import SCOPE_ATTACKS

pytestmark = pytest.mark.torch

ATTACKS = FIRST | SCOPE_ATTACKS


def test_there_are_as_many_as_were_asked_for() -> None:
    assert len(ATTACKS) >= 95


@pytest.mark.parametrize("name", ATTACKS)
def test_a_safe_fix_changes_nothing(name: str, tmp_path: Path) -> None:
    from fix_proof.running import fixed, outcomes, same

    attack = ATTACKS[name]
    after, said = fixed(attack.source, tmp_path)
    assert said == ""
    wanted, got = outcomes(attack.source, attack.calls), outcomes(after, attack.calls)
    for call, one, other in zip(attack.calls, wanted, got, strict=True):
        assert same(one, other), f"{call} was {one!r}, is {other!r} after:\n{after}"
    ast.parse(fixed(attack.source, tmp_path, "--unsafe-fixes")[0])
