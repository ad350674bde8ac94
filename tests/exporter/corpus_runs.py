"""The cases of the corpus, their expectations, and their outcomes, run once for all tests."""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass
from pathlib import Path

from onnx_lint.diagnostic import Diagnostic, Severity
from onnx_lint.target import Engine
from onnx_lint_exporter.locate import diagnose
from onnx_lint_exporter.outcome import Outcome
from onnx_lint_exporter.runs import Request, Run
from onnx_lint_exporter.source_code import Sources
from onnx_lint_exporter.worker.protocol import Job, Kind, State, Target

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
                first, last = _built(tree, name)
                found.append(Case(file, name, first, last, tuple(ast.literal_eval(node.value).items())))
    return found


def _built(tree: ast.Module, factory: str) -> tuple[int, int]:
    """The lines of the class that a function builds."""
    function = next(node for node in tree.body if isinstance(node, ast.FunctionDef) and node.name == factory)
    names = {node.id for node in ast.walk(function) if isinstance(node, ast.Name)}
    built = next(node for node in tree.body if isinstance(node, ast.ClassDef) and node.name in names)
    return built.lineno, built.end_lineno or 0


def expected(file: Path, engine: Engine) -> dict[int, set[str]]:
    """Line → the codes of which one must be reported there."""
    lines: dict[int, set[str]] = {}
    for number, text in enumerate(file.read_text().split("\n"), 1):
        for name, codes in _EXPECTED.findall(text.partition("#")[2]):
            if name == engine.value:
                lines[number] = set(codes.split("|"))
    return lines


def request(case: Case, engine: Engine, python: str) -> Request:
    """What ``--export FILE:NAME --inputs-from FILE:NAME.inputs`` asks for."""
    text, file = f"{case.file}:{case.name}", str(case.file)
    inputs = Target(text, file, None, f"{case.name}.inputs")
    job = Job(Target(text, file, None, case.name), engine.value, inputs_from=inputs, want_map=True)
    return Request(job, (engine,), python)


def outcome(case: Case, engine: Engine, python: str) -> Outcome:
    """The outcome of one case, by the product's own supervision."""
    run = Run(request(case, engine, python))
    try:
        return run.run()[0]
    finally:
        run.close()


def result_of(outcome: Outcome) -> str:
    """The outcome in the words of the corpus."""
    if any(item.kind is Kind.RANDOM_OUTPUT for item in outcome.observations):
        return "random"
    if not outcome.exported:
        return f"error {outcome.stage}"
    first, second = outcome.runs
    for number, run in ((1, first), (2, second)):
        if run.state in (State.WRONG, State.FAILED):
            return f"{'wrong' if run.state is State.WRONG else 'fails'} {number}"
    searched = outcome.result.proof.failed
    if searched.state in (State.WRONG, State.FAILED):
        return f"{'wrong' if searched.state is State.WRONG else 'fails'} searched"
    if first.state is second.state is State.NOT_RUN and "has no operator" in first.text:
        return "not run"
    if not outcome.verified:
        return f"not verified: {first} {second}"
    return "right strict" if outcome.result.strict else "right"


def reported(case: Case, outcome: Outcome, folder: Path) -> list[Diagnostic]:
    """What is reported at warning or above."""
    return [d for d in diagnose(outcome, Sources(str(folder))) if d.severity > Severity.INFO]
