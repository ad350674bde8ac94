"""Every documented pitfall and function, in both engines: the result, the line, the code; nothing on clean lines."""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest

from onnx_lint.diagnostic import Severity
from onnx_lint.target import BOTH, Engine
from onnx_lint_exporter.outcome import Outcome
from onnx_lint_exporter.worker.protocol import Fault, Kind, StepState

sys.path.insert(0, str(Path(__file__).parent))
from corpus_runs import CORPUS, Case, cases, expected, outcome, reported, result_of

pytestmark = pytest.mark.torch
CASES = cases()
Lookup = Callable[[Case, Engine], Outcome]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("corpus")


@pytest.fixture(scope="module")
def outcome_of(warm_python: str) -> Lookup:
    """Each case is exported once for all tests, when the first asks for it."""

    @cache
    def lookup(case: Case, engine: Engine) -> Outcome:
        return outcome(case, engine, warm_python)

    return lookup


def test_the_corpus_is_there() -> None:
    assert len(CASES) >= 70
    assert len({case.id for case in CASES}) == len(CASES)


@pytest.mark.parametrize("engine", BOTH, ids=str)
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
def test_case(case: Case, engine: Engine, outcome_of: Lookup, folder: Path) -> None:
    seen = outcome_of(case, engine)
    assert result_of(seen) == case.result(engine)
    wanted = expected(case.file, engine)
    lines: dict[int, set[str]] = {}
    for diagnostic in reported(case, seen, folder):
        assert Path(folder / diagnostic.span.path).samefile(case.file)
        lines.setdefault(diagnostic.span.line, set()).add(diagnostic.code)
    for line in (line for line in wanted if case.first <= line <= case.last):
        assert lines.get(line, set()) & wanted[line], f"line {line} is not reported"
    for line, codes in lines.items():
        assert codes <= wanted.get(line, set()), f"line {line} is reported for nothing"


@pytest.mark.parametrize("engine", BOTH, ids=str)
def test_wrong_or_failing_has_an_error(engine: Engine, outcome_of: Lookup, folder: Path) -> None:
    for case in CASES:
        seen = outcome_of(case, engine)
        if not seen.ok:
            severities = {d.severity for d in reported(case, seen, folder)}
            assert Severity.ERROR in severities, case.id


def test_places_have_columns(outcome_of: Lookup, folder: Path) -> None:
    """The place is the expression, not just its line."""
    case = next(case for case in CASES if case.name == "ItemScale")
    (found,) = reported(case, outcome_of(case, Engine.TORCHSCRIPT), folder)
    text = (CORPUS / "values.py").read_text().split("\n")[found.span.line - 1]
    assert text[found.span.column - 1 : found.span.end_column - 1] == "largest.item()"


def test_the_mismatch_names_output_index_and_values(outcome_of: Lookup) -> None:
    case = next(case for case in CASES if case.name == "ReadTwoNegative")
    seen = outcome_of(case, Engine.TORCHSCRIPT)
    worst, mismatch = seen.result.input1.worst, seen.result.mismatch
    assert worst is not None and mismatch is not None
    assert worst.index in ((0,), (1,))
    assert worst.got != worst.want
    assert mismatch.fault is Fault.CONVERTER
    assert [step.state for step in mismatch.steps] == [StepState.EQUAL, StepState.DIFFERS]


def test_the_tracing_is_told_from_the_converter(outcome_of: Lookup) -> None:
    case = next(case for case in CASES if case.name == "FloatScale")
    mismatch = outcome_of(case, Engine.TORCHSCRIPT).result.mismatch
    assert mismatch is not None and mismatch.fault is Fault.TRACING


def test_baked_values_are_named(outcome_of: Lookup) -> None:
    case = next(case for case in CASES if case.name == "IntShape")
    baked = [i for i in outcome_of(case, Engine.TORCHSCRIPT).observations if i.kind is Kind.BAKED_VALUE]
    assert ("4", "5") in {(item.value, item.other) for item in baked}


def test_all_unconvertible_operators_at_once(outcome_of: Lookup) -> None:
    case = next(case for case in CASES if case.name == "Unsupported")
    for engine in BOTH:
        found = [i for i in outcome_of(case, engine).observations if i.kind is Kind.UNSUPPORTED_OPERATOR]
        names = {item.operator.split("::")[1].split(".")[0] for item in found}
        assert names == {"special_airy_ai", "special_bessel_j0"}
        assert len({item.stack[0].line for item in found}) == 3
