"""What the search for an input that goes wrong finds, what it blames without cause, and what it costs.

    python benchmarks/export_search.py [--effort 100] [--engine both] [--only TEXT]

The cases of the tests' corpus that are said to be right are searched with up to three inputs for each percent of
effort: each that is called wrong is a false alarm, unless the corpus says so. Then the models of
``tests/exporter/fooled.py``, wrong files that are right on both inputs, at the default effort. Exit status 1 on
a false alarm, or on a model that is neither found wrong nor said to be untested.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path

from onnx_lint.config import engines_of
from onnx_lint.target import Engine
from onnx_lint_exporter import options
from onnx_lint_exporter.outcome import Outcome
from onnx_lint_exporter.runs import Request, Run

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT / "tests" / "exporter")]

import corpus_runs  # noqa: E402 - of the tests
import fooled  # noqa: E402
from warm import WarmPython  # noqa: E402


def _outcome(request: Request) -> Outcome:
    run = Run(request)
    try:
        return run.run()[0]
    finally:
        run.close()


def right_cases(python: str, engine: Engine, effort: int, only: str) -> tuple[int, int, int]:
    """How many cases that are right, how many inputs they were right on, and how many were called wrong."""
    cases = inputs = alarms = 0
    for case in corpus_runs.cases():
        if only not in case.id or not case.result(engine).startswith("right"):
            continue
        request = corpus_runs.request(case, engine, python)
        outcome = _outcome(replace(request, job=replace(request.job, effort=effort)))
        cases += 1
        inputs += outcome.result.proof.inputs
        if outcome.wrong:
            alarms += 1
            print(
                f"    {case.id}: {outcome.result.proof.failed.text or [run.text for run in outcome.runs]}", flush=True
            )
    return cases, inputs, alarms


def fooled_cases(python: str, engine: Engine, only: str) -> int:
    """A line for each model that fools two inputs; how many are neither found nor said to be untested."""
    missed = 0
    for case in fooled.CASES:
        wanted = getattr(case, engine.value)
        if only not in case.name or wanted == "fails":
            continue
        given = [f"{ROOT / 'tests' / 'exporter' / 'fooled.py'}:{case.name}", *case.arguments, "--engine", engine.value]
        given = [text.replace("fooled.py:one", f"{ROOT}/tests/exporter/fooled.py:one") for text in given]
        outcome = _outcome(options.request(options.parse(["--python", python, "--export", *given])))
        proof = outcome.result.proof
        said = "wrong" if outcome.wrong else "right" if proof.lively and not proof.open_branches else "untested"
        bad = wanted == "wrong" and said == "right"
        missed += bad
        print(
            f"    {case.name:16} {engine.value:12} {said:9} {'MISSED' if bad else ''} {proof.failed.text[:90]}",
            flush=True,
        )
    return missed


def main() -> int:
    """Print the sums of both parts for each engine."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--effort", type=int, default=100)
    parser.add_argument("--engine", default="both", choices=("torchscript", "dynamo", "both"))
    parser.add_argument("--only", default="", help="cases whose name holds this text")
    given = parser.parse_args()
    bad, start = 0, time.monotonic()
    with tempfile.TemporaryDirectory(prefix="onnx-lint-search-") as folder:
        server = WarmPython(Path(folder))
        try:
            for engine in engines_of(given.engine):
                cases, inputs, alarms = right_cases(str(server.program), engine, given.effort, given.only)
                print(f"{engine}: {cases} right cases, {inputs} inputs, {alarms} false alarms", flush=True)
                missed = fooled_cases(str(server.program), engine, given.only)
                print(f"{engine}: {missed} of the models that fool two inputs are called right", flush=True)
                bad += alarms + missed
        finally:
            server.close()
    print(f"{time.monotonic() - start:.0f} s")
    return int(bad > 0)


if __name__ == "__main__":
    sys.exit(main())
