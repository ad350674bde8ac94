"""What models do every day: each case is found under its code, as severe as it is, for the engines that do harm."""

from __future__ import annotations

import textwrap

import pytest
from rules.everyday_cases import CASES, Everyday
from rules.proofs import Case, Measured, measure

from onnx_lint.settings import Settings
from onnx_lint.target import BOTH, Engine, Target, Verdict
from onnx_lint.testing import check_source

HARMFUL = (Verdict.FAILS, Verdict.SILENTLY_WRONG)


def settings_for(case: Everyday, *engines: Engine) -> Settings:
    return Settings(target=Target(engines or BOTH, case.opset), engine_given=bool(engines))


@pytest.mark.parametrize("name", CASES)
def test_it_is_found_under_its_code_and_as_severe_as_it_is(name: str) -> None:
    case = CASES[name]
    found = check_source(case.source, settings=settings_for(case))
    assert {d.code for d in found} == set(case.codes.split())
    assert max(d.severity for d in found).name.lower() == case.severity


@pytest.mark.parametrize("name", CASES)
def test_it_is_found_for_the_engines_that_do_harm(name: str) -> None:
    case = CASES[name]
    for engine, verdict in ((Engine.TORCHSCRIPT, case.torchscript), (Engine.DYNAMO, case.dynamo)):
        found = check_source(case.source, settings=settings_for(case, engine))
        is_harm_said = any(d.severity.name != "INFO" for d in found)
        assert is_harm_said == (verdict in HARMFUL), textwrap.indent(case.source, "    ")


@pytest.fixture(scope="module")
def measured() -> dict[str, dict[Engine, Measured]]:
    return measure(
        Case(name, c.source, c.first, c.second, c.dynamic, opset=c.opset, is_sequence=c.is_sequence)
        for name, c in CASES.items()
    )


@pytest.mark.torch
@pytest.mark.slow
@pytest.mark.parametrize("name", CASES)
def test_the_engines_do_what_is_said(name: str, measured: dict[str, dict[Engine, Measured]]) -> None:
    case, seen = CASES[name], measured[name]
    assert (seen[Engine.TORCHSCRIPT].verdict, seen[Engine.DYNAMO].verdict) == (case.torchscript, case.dynamo), seen
