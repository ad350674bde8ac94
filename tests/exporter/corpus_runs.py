"""The cases of the corpus, their expectations, and their outcomes, run once for all tests."""

from __future__ import annotations

import ast
import json
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from onnx_lint.diagnostic import Diagnostic, Severity
from onnx_lint.target import Engine
from onnx_lint_exporter.child import ChildResult
from onnx_lint_exporter.engines import _with_strict, _worth_strict
from onnx_lint_exporter.locate import diagnose
from onnx_lint_exporter.outcome import Outcome, from_child
from onnx_lint_exporter.source_code import Sources

HERE = Path(__file__).parent
CORPUS = HERE / "corpus"
_EXPECTED = re.compile(r"(torchscript|dynamo): (\S+)")


@dataclass(frozen=True)
class Case:
    """One model of the corpus: its file, its name, the lines of its class."""

    file: Path
    name: str
    first: int
    last: int
    results: tuple[tuple[str, str], ...]

    @property
    def id(self) -> str:
        return f"{self.file.stem}.{self.name}"

    def result(self, engine: Engine) -> str:
        return dict(self.results)[engine.value]


def cases() -> list[Case]:
    """All cases, read from the source: nothing of the corpus is imported here."""
    found = []
    for file in sorted(CORPUS.glob("*.py")):
        tree = ast.parse(file.read_text())
        for node in tree.body:
            if isinstance(node, ast.ClassDef):
                for part in node.body:
                    if isinstance(part, ast.Assign) and getattr(part.targets[0], "id", "") == "result":
                        results = tuple(ast.literal_eval(part.value).items())
                        found.append(Case(file, node.name, node.lineno, node.end_lineno or 0, results))
            if isinstance(node, ast.Assign) and getattr(node.targets[0], "attr", "") == "result":
                name = node.targets[0].value.id  # type: ignore[attr-defined]
                found.append(Case(file, name, 0, 0, tuple(ast.literal_eval(node.value).items())))
    return found


def expected(file: Path, engine: Engine) -> dict[int, set[str]]:
    """Line → the codes of which one must be reported there."""
    lines: dict[int, set[str]] = {}
    for number, text in enumerate(file.read_text().split("\n"), 1):
        for name, codes in _EXPECTED.findall(text.partition("#")[2]):
            if name == engine.value:
                lines[number] = set(codes.split("|"))
    return lines


def job(case: Case, engine: Engine, folder: Path, strict: bool = False) -> dict[str, Any]:
    place = {"file": str(case.file), "module": None, "text": str(case.file)}
    return {
        "engine": engine.value,
        "strict": strict,
        "target": {**place, "attribute": case.name},
        "inputs_from": {**place, "attribute": f"{case.name}.inputs"},
        "folder": str(folder / f"{case.id}-{engine}-{strict}"),
        "name": "model.onnx",
        "data_name": "model.onnx.data",
        "token": "",
    }


def run_jobs(jobs: list[dict[str, Any]]) -> list[ChildResult]:
    """Run jobs in forks of one warm process."""
    given = "\n".join(json.dumps(each) for each in jobs)
    done = subprocess.run(
        [sys.executable, str(HERE / "forked.py")], input=given, capture_output=True, text=True, check=True, timeout=900
    )
    results = []
    for line in done.stdout.strip().split("\n"):
        raw = json.loads(line)
        finished = any(message["event"] in ("done", "internal") for message in raw["messages"])
        result = ChildResult(raw["messages"], raw["raw"], raw["log"], raw["status"], "done" if finished else "died")
        stages = [message["stage"] for message in raw["messages"] if message["event"] == "stage"]
        result.stage = stages[-1] if stages else "start"
        results.append(result)
    return results


def outcomes(chosen: list[Case], engine: Engine, folder: Path) -> dict[str, Outcome]:
    """The outcome of each case, with the second, strict attempt where the first asks for one."""
    targets = [f"{case.file}:{case.name}" for case in chosen]
    first = run_jobs([job(case, engine, folder) for case in chosen])
    found = {
        case.id: from_child(result, engine, target)
        for case, result, target in zip(chosen, first, targets, strict=False)
    }
    again = [case for case in chosen if engine is Engine.DYNAMO and _worth_strict(found[case.id])]
    if again:
        for case, result in zip(
            again, run_jobs([job(case, engine, folder, strict=True) for case in again]), strict=False
        ):
            found[case.id] = _with_strict(found[case.id], from_child(result, engine, f"{case.file}:{case.name}"))
    return found


def result_of(outcome: Outcome) -> str:
    """The outcome in the words of the corpus."""
    if any(item["kind"] == "random-output" for item in outcome.observations):
        return "random"
    if not outcome.exported:
        return f"error {outcome.stage}"
    for number, run in ((1, outcome.input1), (2, outcome.input2)):
        if run["state"] in ("wrong", "failed"):
            return f"{'wrong' if run['state'] == 'wrong' else 'fails'} {number}"
    if not outcome.verified:
        return f"not verified: {outcome.input1} {outcome.input2}"
    return "right strict" if outcome.strict else "right"


def reported(case: Case, outcome: Outcome, folder: Path) -> list[Diagnostic]:
    """What is reported at warning or above."""
    return [d for d in diagnose(outcome, Sources(str(folder))) if d.severity > Severity.INFO]
