"""Whether a failure inside a library stands on the line that is to blame, beside what torch's own message names.

    python benchmarks/export_true_lines.py [--only TEXT] [--no-torch] [--show]

``true_lines.json`` lists failures of models of ``real_models.py`` and ``library_models.py``: the engine, the file, and
the text of the line (of one of several, where more than one is to blame), found by reading the code. Run it with an
environment of its own in which the libraries are installed, since that is where places get lost. A case whose library
has changed, so that no line of the file has the text any more, or that no longer fails, is counted apart. ``--show``
prints what every model of both files fails with, to extend the list.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from onnx_lint.diagnostic import Diagnostic, Severity
from onnx_lint_exporter import options
from onnx_lint_exporter.locate import diagnose
from onnx_lint_exporter.outcome import WorkerError
from onnx_lint_exporter.runs import Run
from onnx_lint_exporter.source_code import Sources
from onnx_lint_exporter.warm import Warm

HERE = Path(__file__).parent
Entry = dict[str, Any]
_PLAIN = """
import sys, warnings
sys.path[:0] = {path!r}
warnings.simplefilter("ignore")
import torch
from onnx_lint_exporter.worker.inputs import from_specs, name_leaves, graph_names, parameters
from onnx_lint_exporter.worker.engines.dynamo_capture import dynamic_shapes
from onnx_lint_exporter.worker.spec import parse
import {module} as models
entry = models.MODELS[{name!r}]
model = entry.build().eval()
given = from_specs(model, parse(list(entry.inputs)))
first, names = given.first, graph_names(name_leaves(model, given.first))
if {dynamo}:
    extra = {{"dynamic_shapes": dynamic_shapes(first, given.axes, parameters(model))}}
else:
    extra = {{"input_names": names, "dynamic_axes": given.axes}}
try:
    torch.onnx.export(model, first.args, "/dev/null", kwargs=first.kwargs, dynamo={dynamo}, **extra)
except BaseException as error:
    while error is not None:
        print(str(error))
        error = error.__cause__
"""


def failures(
    module: str, name: str, inputs: tuple[str, ...], engine: str, warm: tuple[str, ...] = ()
) -> list[Diagnostic]:
    """The errors of one export, by the command that starts its worker."""
    arguments = ["--export", f"{HERE / (module + '.py')}:{name}", "--engine", engine, "--timeout", "600"]
    arguments += ["--effort", "0", *(part for text in inputs for part in ("--input", text))]
    run = Run(replace(options.request(options.parse(arguments)), command=warm))
    try:
        (outcome,) = run.run()
    except WorkerError as error:
        print(f"    {name} {engine}: {error}")
        return []
    finally:
        run.close()
    return [d for d in diagnose(outcome, Sources(os.getcwd())) if d.severity is Severity.ERROR]


def line_text(path: str, line: int) -> str:
    try:
        return Path(path).read_text(encoding="utf-8").splitlines()[line - 1].strip()
    except (OSError, IndexError):
        return ""


def is_true(entry: Entry, found: Diagnostic) -> bool:
    """Whether a diagnostic stands on a line that is to blame."""
    here = Path(found.span.path).as_posix().endswith(entry["file"])
    return here and line_text(found.span.path, found.span.line) in entry["lines"]


def torch_names_it(entry: Entry, module: str) -> bool:
    """Whether the message of plain torch holds the file and the line."""
    code = _PLAIN.format(
        path=[str(HERE), *sys.path], module=module, name=entry["model"], dynamo=entry["engine"] == "dynamo"
    )
    said = subprocess.run([sys.executable, "-c", code], check=False, capture_output=True, text=True, timeout=900).stdout
    numbers = []
    for text in said.split("\n"):
        if entry["file"] in text:
            numbers += [part for part in text.replace(":", " ").replace(",", " ").split() if part.isdigit()]
    path = next((part for part in said.replace('"', " ").replace(":", " ").split() if part.endswith(entry["file"])), "")
    return any(line_text(path, int(number)) in entry["lines"] for number in numbers)


def known_models() -> dict[str, tuple[str, Any]]:
    """Name → the module of this folder that has the model, and the model."""
    sys.path.insert(0, str(HERE))
    import library_models
    import real_models

    found = {name: ("real_models", model) for name, model in real_models.MODELS.items()}
    return {**found, **{name: ("library_models", model) for name, model in library_models.MODELS.items()}}


def show(only: str, models: dict[str, tuple[str, Any]], engines: list[str]) -> None:
    """Everything that fails, in the form of an entry."""
    for name, (module, model) in models.items():
        for engine in engines if only in name else ():
            for d in failures(module, name, model.inputs, engine):
                entry = {"model": name, "engine": engine, "file": d.span.path.partition("site-packages/")[2]}
                entry["lines"] = [line_text(d.span.path, d.span.line)]
                print(json.dumps(entry), f"  # {d.span.line}: {d.message[:160]}", flush=True)


def checked(
    only: str, with_torch: bool, models: dict[str, tuple[str, Any]], warm: Warm
) -> Iterator[tuple[str, bool, bool]]:
    """For each entry its state, whether ours stands on a true line, and whether torch names one."""
    for entry in json.loads((HERE / "true_lines.json").read_text(encoding="utf-8")):
        if only not in entry["model"]:
            continue
        module, model = models[entry["model"]]
        found = failures(module, entry["model"], model.inputs, entry["engine"], warm.command)
        files = {d.span.path for d in found if Path(d.span.path).as_posix().endswith(entry["file"])}
        ours = any(is_true(entry, d) for d in found)
        plain = with_torch and torch_names_it(entry, module)
        state = "fails" if found else "does not fail"
        yield f"{entry['model']} {entry['engine']}: {state}", ours, plain
        if found and not ours:
            yield f"    at {[f'{d.span.path}:{d.span.line}' for d in found][:3]} {files}", False, False


def main() -> int:
    """Print a line for each case, then the shares."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", default="", help="models whose name holds this text")
    parser.add_argument("--engine", default="", help="with --show: this engine alone")
    parser.add_argument("--no-torch", action="store_true", help="leave out plain torch")
    parser.add_argument("--show", action="store_true", help="print what fails, and stop")
    given = parser.parse_args()
    models = known_models()
    if given.show:
        show(given.only, models, [given.engine] if given.engine else ["torchscript", "dynamo"])
        return 0
    total = right = named = 0
    with Warm(sys.executable) as warm:
        for text, ours, plain in checked(given.only, not given.no_torch, models, warm):
            print(f"{'true' if ours else '-':5} {'torch' if plain else '-':6} {text}", flush=True)
            if text.endswith(": fails"):
                total, right, named = total + 1, right + ours, named + plain
    print(f"{right} of {total} failures on a true line; torch's message names {named}")
    return int(right < 0.9 * total)


if __name__ == "__main__":
    sys.exit(main())
