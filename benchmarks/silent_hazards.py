"""Places where an export is proved wrong: how many of them the tracer warns of, and how many onnx-lint reports.

    python benchmarks/silent_hazards.py              prove, compare, print
    python benchmarks/silent_hazards.py --update     and write benchmarks/silent/proved.json
    python benchmarks/silent_hazards.py --lint       the linter's part alone, on what proved.json says; needs no torch

The cases are the classes of ``benchmarks/silent/*.py`` that have ``example()``, which gives a first and a second tuple
of inputs. A comment ``# wrong`` marks the line that spoils the export, in the class or in a helper above it; if a case
has two such lines, naming either is enough. A case without a mark is meant to export right.

Each case is exported by the torchscript engine with every axis of every input dynamic, in a forked child. ONNX Runtime
and eager mode then run the first input and, twice, the second one (twice, since state that tracing has changed may hide
one difference). The place counts as proved if the results for the second input differ, or ONNX Runtime fails on it. If
eager mode itself is random, shapes alone are compared. The tracer warns of a place if a ``TracerWarning`` was raised
while a marked line was the innermost one of the case's file; onnx-lint reports it if a diagnostic at warning or above
begins there. A false alarm is a diagnostic at warning or above in a case that was proved right.
"""

from __future__ import annotations

import argparse
import ast
import importlib.util
import inspect
import io
import json
import logging
import os
import signal
import sys
import time
import warnings
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

from onnx_lint.diagnostic import Diagnostic, Severity
from onnx_lint.settings import Settings
from onnx_lint.target import Engine, Target
from onnx_lint.testing import check_source

FOLDER = Path(__file__).parent / "silent"
PROVED = FOLDER / "proved.json"
TIME_LIMIT = 60
"""Seconds for one case."""


@dataclass(frozen=True)
class Case:
    """A module of the collection. Its lines begin where those of the case before end, so that its helpers are in."""

    path: Path
    name: str
    lines: range
    marked: tuple[int, ...]

    @property
    def key(self) -> str:
        return f"{self.path.stem}.{self.name}"

    @property
    def place(self) -> str:
        return f"{self.path.name}:{self.marked[0] if self.marked else self.lines.start} {self.name}"


@dataclass(frozen=True)
class Result:
    """`outcome` is ``wrong``, ``right`` or ``not exported``; `warned` holds the lines of the tracer's warnings."""

    outcome: str
    detail: str
    warned: tuple[int, ...]


def cases() -> list[Case]:
    found = []
    for path in sorted(FOLDER.glob("*.py")):
        text = path.read_text(encoding="utf-8")
        marked = [number for number, line in enumerate(text.splitlines(), 1) if line.endswith("# wrong")]
        start = 1
        for node in ast.parse(text).body:
            if isinstance(node, ast.ClassDef) and any(getattr(n, "name", "") == "example" for n in node.body):
                lines = range(start, (node.end_lineno or node.lineno) + 1)
                found.append(Case(path, node.name, lines, tuple(n for n in marked if n in lines)))
                start = lines.stop
    return found


# ------------------------------------------------------------------------------------------------------------ linting
def reported(path: Path) -> dict[int, list[Diagnostic]]:
    """The diagnostics at warning or above, by the line where they begin."""
    target = Target(engines=(Engine.TORCHSCRIPT,))
    settings = Settings(target=target, engine_given=True)
    found: dict[int, list[Diagnostic]] = {}
    for diagnostic in check_source(path.read_text(encoding="utf-8"), path=path.name, settings=settings):
        if diagnostic.severity >= Severity.WARNING:
            found.setdefault(diagnostic.span.line, []).append(diagnostic)
    return found


# ------------------------------------------------------------------------------------------------------------ proving
def load(path: Path) -> ModuleType:
    name = f"silent_{path.stem}"  # not one that begins with `torch`, where torch hides the tracer's warnings
    specification = importlib.util.spec_from_file_location(name, path)
    assert specification is not None and specification.loader is not None
    module = importlib.util.module_from_spec(specification)
    sys.modules[name] = module
    specification.loader.exec_module(module)
    return module


def measure(case: Case, module: ModuleType) -> Result:
    """Export one case and compare. The process is spoiled afterwards: cases change global state, too."""
    import numpy as np
    import onnxruntime
    import torch

    torch.manual_seed(0)
    model_class = getattr(module, case.name)
    first, second = model_class.example()
    calls = (first, second, second)

    def eager(seed: int) -> list[list[Any]]:
        """The results of one and the same model, as a program that goes on would see them."""
        with GlobalsKept(module):
            torch.manual_seed(1)
            model = model_class().eval()
            torch.manual_seed(seed)
            np.random.seed(seed)
            with torch.no_grad():
                return [arrays(model(*(value.clone() for value in given))) for given in calls]

    def arrays(value: Any) -> list[Any]:
        return [leaf.detach().numpy().copy() for leaf in (value if isinstance(value, tuple) else (value,))]

    expected, again = eager(2), eager(3)
    is_random = not all(same(a, b, values=True) for a, b in zip(expected, again, strict=True))
    torch.manual_seed(1)
    model = model_class().eval()
    names = list(inspect.signature(model.forward).parameters)[: len(first)]
    axes = {
        name: {axis: f"{name}_{axis}" for axis in range(value.dim())} for name, value in zip(names, first, strict=True)
    }
    warned: set[int] = set()

    def note(_message: Any, category: type[Warning], *_rest: Any) -> None:
        frame = sys._getframe(1)
        while frame is not None and frame.f_code.co_filename != str(case.path):
            frame = frame.f_back  # type: ignore[assignment]
        if frame is not None and issubclass(category, torch.jit.TracerWarning):
            warned.add(frame.f_lineno)

    buffer = io.BytesIO()
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        warnings.showwarning = note
        try:
            given = tuple(value.clone() for value in first)
            torch.onnx.export(model, given, buffer, dynamo=False, input_names=names, dynamic_axes=axes)
        except Exception as error:  # noqa: BLE001 - whatever stops an export; the case does not count then
            return Result("not exported", f"{type(error).__name__}: {error}".partition("\n")[0], tuple(sorted(warned)))
    told = tuple(sorted(warned))
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    try:
        session = onnxruntime.InferenceSession(buffer.getvalue(), options, providers=["CPUExecutionProvider"])
    except Exception as error:  # noqa: BLE001 - likewise
        return Result("not exported", f"load: {error}".partition("\n")[0], told)
    taken = {value.name for value in session.get_inputs()}
    for which, given, wanted in zip(("first", "second", "second"), calls, expected, strict=True):
        feed = {name: value.numpy() for name, value in zip(names, given, strict=True) if name in taken}
        try:
            got = session.run(None, feed)
        except Exception as error:  # noqa: BLE001 - the export is wrong whatever the runtime says
            if which == "first":
                return Result("not exported", f"run: {error}".partition("\n")[0], told)
            return Result("wrong", "ONNX Runtime fails on the second input", told)
        if which == "second" and not same(got, wanted, values=not is_random):
            return Result("wrong", "another result for the second input", told)
    return Result("right", "", told)


def same(ours: list[Any], theirs: list[Any], *, values: bool) -> bool:
    import numpy as np

    return len(ours) == len(theirs) and all(
        a.shape == b.shape and (not values or np.allclose(a, b, 1e-3, 1e-4)) for a, b in zip(ours, theirs, strict=True)
    )


class GlobalsKept:
    """The globals of a case's file are put back afterwards: numbers and dictionaries that its models change."""

    def __init__(self, module: ModuleType) -> None:
        self.module = module

    def __enter__(self) -> None:
        self.kept = {
            name: dict(value) if isinstance(value, dict) else value
            for name, value in vars(self.module).items()
            if isinstance(value, (dict, int)) and not name.startswith("__")
        }

    def __exit__(self, *_error: object) -> None:
        vars(self.module).update(self.kept)


def in_child(case: Case, module: ModuleType) -> Result:
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reader)
        null = os.open(os.devnull, os.O_WRONLY)
        os.dup2(null, 1)
        os.dup2(null, 2)
        signal.alarm(TIME_LIMIT)
        try:
            result = measure(case, module)
        except BaseException as error:  # noqa: BLE001 - told to the parent, which stops
            result = Result("broken case", f"{type(error).__name__}: {error}", ())
        os.write(writer, json.dumps([result.outcome, result.detail[:300], result.warned]).encode())
        os._exit(0)
    os.close(writer)
    with os.fdopen(reader, "rb") as pipe:
        answer = pipe.read()
    _, status = os.waitpid(child, 0)
    if not answer:
        return Result("broken case", f"the child died of signal {os.WTERMSIG(status)}", ())
    outcome, detail, warned = json.loads(answer)
    return Result(outcome, detail, tuple(warned))


def prove(chosen: list[Case]) -> dict[str, Result]:
    import onnxruntime  # noqa: F401 - loaded here, so that the children inherit it
    import torch

    torch.set_num_threads(1)
    logging.disable(logging.WARNING)
    modules = {path: load(path) for path in sorted({case.path for case in chosen})}
    return {case.key: in_child(case, modules[case.path]) for case in chosen}


# ---------------------------------------------------------------------------------------------------------- comparing
def stored() -> dict[str, Any]:
    content: dict[str, Any] = json.loads(PROVED.read_text(encoding="utf-8"))
    return content


def lint_figures(wrong: list[str], right: list[str]) -> tuple[list[str], list[str]]:
    """Which of the cases proved wrong onnx-lint reports, and its false alarms in those proved right."""
    by_path = {path: reported(path) for path in FOLDER.glob("*.py")}
    known = {case.key: case for case in cases()}
    hits = [key for key in wrong if any(line in by_path[known[key].path] for line in known[key].marked)]
    alarms = [
        f"{known[key].path.name}:{line} {d.code} {d.message}"
        for key in right
        for line, diagnostics in sorted(by_path[known[key].path].items())
        if line in known[key].lines
        for d in diagnostics
    ]
    return hits, alarms


def share(part: int, whole: int) -> str:
    return f"{part} ({part / whole:.0%})" if whole else "0"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--update", action="store_true", help="write what was proved")
    parser.add_argument("--lint", action="store_true", help="take the proofs from the file")
    options = parser.parse_args()
    began = time.monotonic()
    known = {case.key: case for case in cases()}
    good = True
    if options.lint:
        content = stored()
        wrong, right, warned = list(content["wrong"]), content["right"], [k for k, w in content["wrong"].items() if w]
    else:
        results = prove(list(known.values()))
        wrong = [key for key, r in results.items() if r.outcome == "wrong" and known[key].marked]
        right = [key for key, r in results.items() if r.outcome == "right"]
        warned = [key for key in wrong if set(results[key].warned) & set(known[key].marked)]
        for key, r in results.items():
            if r.outcome not in ("wrong", "right") or (r.outcome == "wrong") != bool(known[key].marked):
                good = False
                print(f"not as marked: {known[key].place}: {r.outcome}: {r.detail}")
    hits, alarms = lint_figures(wrong, right)
    print(f"places proved wrong: {len(wrong)}; modules proved right: {len(right)}")
    print(f"the tracer warns at  {share(len(warned), len(wrong))}")
    print(f"onnx-lint reports    {share(len(hits), len(wrong))}")
    silent = [key for key in wrong if key not in warned]
    print(f"  where the tracer is silent: {sum(key in hits for key in silent)} of {len(silent)}")
    print(f"false alarms in the modules proved right: {len(alarms)}")
    for title, names in (("the tracer misses", warned), ("onnx-lint misses", hits)):
        print(f"{title}:")
        for key in wrong:
            if key not in names:
                print(f"  {known[key].place}")
    for alarm in alarms:
        print(f"false alarm: {alarm}")
    print(f"{time.monotonic() - began:.0f} s")
    if options.update and not options.lint:
        import torch

        content = {
            "torch": torch.__version__.partition("+")[0],
            "wrong": {key: key in warned for key in wrong},
            "right": right,
            "reported": len(hits),
        }
        PROVED.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
