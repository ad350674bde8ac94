"""onnx-lint on the places of ``benchmarks/silent`` where an export was proved wrong; the proofs stand in a file."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest

SCRIPT = Path(__file__).parents[1] / "benchmarks" / "silent_hazards.py"


@pytest.fixture(scope="module")
def benchmark() -> ModuleType:
    specification = importlib.util.spec_from_file_location("silent_hazards", SCRIPT)
    assert specification is not None and specification.loader is not None
    module = importlib.util.module_from_spec(specification)
    sys.modules["silent_hazards"] = module  # dataclasses look their module up
    specification.loader.exec_module(module)
    return module


def test_the_proofs_are_those_of_the_cases(benchmark: ModuleType) -> None:
    marked = {case.key for case in benchmark.cases() if case.marked}
    unmarked = {case.key for case in benchmark.cases() if not case.marked}
    proofs = benchmark.stored()
    assert set(proofs["wrong"]) == marked
    assert set(proofs["right"]) == unmarked
    assert len(marked) >= 60 and len(unmarked) >= 15


def test_no_fewer_places_are_reported_than_measured(benchmark: ModuleType) -> None:
    proofs = benchmark.stored()
    hits, alarms = benchmark.lint_figures(list(proofs["wrong"]), proofs["right"])
    missed = sorted(set(proofs["wrong"]) - set(hits))
    assert len(hits) >= proofs["reported"], missed
    assert len(hits) > sum(proofs["wrong"].values()), "the tracer, which runs the model, warns at more places"
    assert alarms == []
