"""Whether an export names the right line: over the corpus of the tests, and over places proved wrong.

    python benchmarks/export_lines.py [--silent] [--engine both] [--only TEXT] [--quiet]

Each case is exported by ``onnx-lint``'s own supervision, in a worker of its own, and what it reports at warning or
above is compared with the marks in the source:

* the cases of ``tests/exporter/corpus``, in both engines, with the codes that may stand on each marked line;
* with ``--silent`` those of ``benchmarks/silent``, in the torchscript engine for which their lines are marked.

A failing or wrong case is *pinned* when it has an error and every marked line of it is reported (of the silent cases:
one of them). It *strays* when an unmarked line is reported too. A *false alarm* is a report on a case that is right on
both inputs. Exit status 1 when a case of the corpus is not pinned or a right one is blamed.
"""

from __future__ import annotations

import argparse
import ast
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from onnx_lint.config import engines_of
from onnx_lint.diagnostic import Diagnostic, Severity
from onnx_lint.target import Engine
from onnx_lint_exporter.locate import diagnose
from onnx_lint_exporter.outcome import Outcome
from onnx_lint_exporter.runs import Request, Run
from onnx_lint_exporter.source_code import Sources
from onnx_lint_exporter.worker.protocol import Job, Target

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT / "tests" / "exporter"), str(ROOT / "benchmarks")]

import corpus_runs  # noqa: E402 - of the tests
import silent_hazards  # noqa: E402
from warm import WarmPython  # noqa: E402


@dataclass(frozen=True)
class Case:
    """A model, and the lines of its file that must be reported, with the codes that may stand there (if they count)."""

    name: str
    file: Path
    marked: dict[int, set[str] | None]
    every: bool
    """Whether all marked lines must be reported, or one is enough."""
    outcome: Callable[[str], Outcome]


@dataclass
class Counts:
    """What came of the cases of one set in one engine."""

    cases: int = 0
    bad: int = 0
    pinned: int = 0
    strayed: int = 0
    right: int = 0
    blamed: int = 0
    other: int = 0
    """Neither: random, or not to be run in ONNX Runtime."""
    seconds: float = 0.0
    notes: list[str] = field(default_factory=list)

    def add(self, case: Case, outcome: Outcome) -> None:
        self.cases += 1
        self.seconds += outcome.seconds
        found = [d for d in diagnose(outcome, Sources(str(ROOT))) if d.severity > Severity.INFO]
        places = [f"{Path(d.span.path).name}:{d.span.line} {d.code}" for d in found]
        if outcome.wrong or (not outcome.ok and not outcome.cancelled):
            self.bad += 1
            pinned, strayed = _pinned(case, found), [d for d in found if not _marked(case, d)]
            self.pinned += pinned
            self.strayed += bool(strayed)
            if not pinned or strayed:
                what = "not pinned" if not pinned else "strays"
                self.notes.append(
                    f"{case.name}: {what}: {', '.join(places) or 'nothing'}; marked {sorted(case.marked)}"
                )
        elif outcome.verified:
            self.right += 1
            stray = [d for d in found if not _marked(case, d)]
            self.blamed += bool(stray)
            if stray:
                self.notes.append(f"{case.name}: right, and blamed: {', '.join(places)}")
        else:
            self.other += 1

    def line(self, title: str) -> str:
        return (
            f"{title:24} {self.cases:5} {self.bad:13} {self.pinned:7} {self.strayed:7} {self.right:6} {self.blamed:12}"
            f" {self.other:6} {self.seconds:7.0f} s"
        )


HEADING = (
    f"{'':24} {'cases':>5} {'wrong/failing':>13} {'pinned':>7} {'strayed':>7} {'right':>6} {'false alarms':>12} "
    f"{'other':>6} {'time':>9}"
)


def _marked(case: Case, d: Diagnostic) -> bool:
    if (ROOT / d.span.path).resolve() != case.file.resolve():
        return False
    codes = case.marked.get(d.span.line, set())
    return codes is None or d.code in codes


def _pinned(case: Case, found: list[Diagnostic]) -> bool:
    lines = {d.span.line for d in found if _marked(case, d)}
    told = set(case.marked) <= lines if case.every else bool(lines)
    return bool(case.marked) and told and any(d.severity is Severity.ERROR for d in found)


def _lines_of(file: Path) -> dict[str, range]:
    """The lines of each case: a class's from the end of the case before, with its helpers; a factory's class's."""
    found, start = {}, 1
    classes: dict[str, range] = {}
    made: dict[str, str] = {}
    for node in ast.parse(file.read_text(encoding="utf-8")).body:
        end = (node.end_lineno or node.lineno) + 1
        if isinstance(node, ast.FunctionDef):
            made[node.name] = ast.unparse(node)
        elif isinstance(node, ast.ClassDef):
            classes[node.name] = range(node.lineno, end)
            if any("result" in ast.unparse(part).split(" =")[0] for part in node.body):
                found[node.name], start = range(start, end), end
        elif isinstance(node, ast.Assign) and ast.unparse(node.targets[0]).endswith(".result"):
            name = ast.unparse(node.targets[0]).removesuffix(".result")
            found[name] = next(lines for kind, lines in classes.items() if f"{kind}(" in made[name])
            start = end
    return found


def corpus(engine: Engine) -> list[Case]:
    """The cases of the tests' corpus, with what must be reported in this engine."""
    found = []
    for case in corpus_runs.cases():
        wanted = corpus_runs.expected(case.file, engine)
        marked = {line: codes for line, codes in wanted.items() if line in _lines_of(case.file)[case.name]}

        def outcome(python: str, case: corpus_runs.Case = case) -> Outcome:
            return corpus_runs.outcome(case, engine, python)

        found.append(Case(case.id, case.file, dict(marked), True, outcome))
    return found


def silent(folder: Path) -> list[Case]:
    """The cases that are proved wrong without a word of torch, with their marked lines."""
    found = []
    for case in silent_hazards.cases():
        inputs = folder / f"inputs_of_{case.path.stem}_{case.name}.py"
        inputs.write_text(
            f"import sys\n\nsys.path.insert(0, {str(case.path.parent)!r})\nimport {case.path.stem} as cases\n\n\n"
            f"def inputs():\n    return list(cases.{case.name}.example())\n"
        )

        def outcome(python: str, case: silent_hazards.Case = case, inputs: Path = inputs) -> Outcome:
            target = Target(f"{case.path.name}:{case.name}", str(case.path), None, case.name)
            source = Target(inputs.name, str(inputs), None, "inputs")
            job = Job(target, Engine.TORCHSCRIPT.value, inputs_from=source)
            run = Run(Request(job, (Engine.TORCHSCRIPT,), python))
            try:
                return run.run()[0]
            finally:
                run.close()

        found.append(Case(case.key, case.path, dict.fromkeys(case.marked), False, outcome))
    return found


def main() -> int:
    parser = argparse.ArgumentParser(description="Whether an export names the right line.")
    parser.add_argument("--silent", action="store_true", help="the cases of benchmarks/silent too")
    parser.add_argument("--engine", default="both", choices=("torchscript", "dynamo", "both"))
    parser.add_argument("--only", default="", help="cases whose name holds this text")
    parser.add_argument("--quiet", action="store_true", help="the table alone")
    given = parser.parse_args()
    bad = False
    with tempfile.TemporaryDirectory(prefix="onnx-lint-lines-") as name:
        server, start = WarmPython(Path(name)), time.monotonic()
        try:
            sets = [(f"corpus, {engine}", corpus(engine)) for engine in engines_of(given.engine)]
            if given.silent:
                sets.append(("silent, torchscript", silent(Path(name))))
            print(HEADING)
            for title, cases in sets:
                counts = Counts()
                for case in cases:
                    if given.only in case.name:
                        counts.add(case, case.outcome(str(server.program)))
                print(counts.line(title), flush=True)
                if not given.quiet:
                    print("".join(f"    {note}\n" for note in counts.notes), end="", flush=True)
                bad |= counts.blamed > 0 or ("corpus" in title and counts.pinned < counts.bad)
        finally:
            server.close()
    print(f"{time.monotonic() - start:.0f} s")
    return int(bad)


if __name__ == "__main__":
    sys.exit(main())
