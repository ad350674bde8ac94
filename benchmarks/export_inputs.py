"""Whether the inputs that the exporter makes by itself run, and vary every dimension that can vary.

    python benchmarks/export_inputs.py [--only TEXT] [--source analysis|guess] [--seconds 20] [--json FILE]

Takes the models of ``real_models.py``, without converting any. What can vary is found out apart from the exporter, from
the inputs that are listed with the models: each dimension is given other sizes, alone, together with those that have
the same axis name, and height with width; it can vary when the model runs on one of them. ``--source guess`` leaves
the analysis out. Needs timm, torchvision and transformers beside torch; nothing is downloaded.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
import warnings
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import torch

from onnx_lint_exporter.knowing import Knowledge
from onnx_lint_exporter.worker.analysed import UnfitError, from_analysis
from onnx_lint_exporter.worker.asking import InputsAsked
from onnx_lint_exporter.worker.execution import call
from onnx_lint_exporter.worker.guess import GuessError, guess
from onnx_lint_exporter.worker.inputs import Inputs, from_specs
from onnx_lint_exporter.worker.spec import Dim, InputSpec, parse

HERE = Path(__file__).parent
Place = tuple[str, int]
_STEPS = (lambda s: s + 1, lambda s: 2 * s, lambda s: s + 32, lambda s: s + 16, lambda s: s - 1, lambda s: s + 2)


@dataclass
class Row:
    """One model: the input that was made, and the dimensions that can vary and do not."""

    model: str
    runs: bool
    origin: str
    missing: list[str]
    seconds: float
    asked_seconds: float

    @property
    def ok(self) -> bool:
        """It runs, and all that can vary does."""
        return self.runs and not self.missing


def can_vary(model: Any, specs: list[InputSpec], until: float) -> set[Place]:
    """The dimensions of an example in which the model takes another size, as far as the time lasts."""
    found: set[Place] = set()
    for group in _groups(specs):
        if group <= found or time.monotonic() > until:
            continue
        sizes = {size for spec in specs for k, size in _sizes(spec) if (spec.name, k) in group}
        for step in _STEPS if len(sizes) == 1 else ():
            wanted = step(next(iter(sizes)))
            if wanted > 1 and _takes(model, [_resized(spec, group, wanted) for spec in specs]):
                found |= group
                break
    return found


def _sizes(spec: InputSpec) -> Iterator[tuple[int, int]]:
    return ((k, dim.first) for k, dim in enumerate(spec.dims))


def _groups(specs: list[InputSpec]) -> Iterator[set[Place]]:
    named: dict[str, set[Place]] = {}
    for spec in specs:
        for k, dim in enumerate(spec.dims):
            if dim.axis:
                named.setdefault(dim.axis, set()).add((spec.name, k))
            else:
                yield {(spec.name, k)}
        if len(spec.dims) > 3:
            yield {(spec.name, len(spec.dims) - 2), (spec.name, len(spec.dims) - 1)}
    yield from named.values()


def _resized(spec: InputSpec, group: set[Place], size: int) -> InputSpec:
    dims = [Dim(size, size) if (spec.name, k) in group else Dim(d.first, d.first) for k, d in enumerate(spec.dims)]
    return replace(spec, dims=tuple(dims))


def _takes(model: Any, specs: list[InputSpec]) -> bool:
    try:
        call(model, from_specs(model, specs).first)
    except Exception:  # noqa: BLE001 - whatever the model raises means that it does not take that
        return False
    return True


def made(model: Any, source: str, knowledge: Knowledge) -> tuple[Inputs | None, str, float]:
    """The inputs, where they come from, and the seconds that the linter took."""
    cls, start, why = type(model), time.monotonic(), ""
    if source == "analysis":
        file = sys.modules[cls.__module__].__file__ or ""
        known = knowledge.answer(InputsAsked(file, cls.__qualname__))
        asked = time.monotonic() - start
        try:
            return from_analysis(model, known.inputs), "", asked
        except UnfitError as error:
            why = f" (not from the analysis: {error})"
    else:
        asked = 0.0
    try:
        inputs = guess(model)
    except GuessError as error:
        return None, f"no guess runs: {error.__cause__}{why}"[:300], asked
    inputs.origin += why
    return inputs, "", asked


def row_of(name: str, entry: Any, given: argparse.Namespace, knowledge: Knowledge) -> Row:
    """Build a model, make inputs for it, and compare with what can vary."""
    torch.manual_seed(0)
    model = entry.build().eval()
    start = time.monotonic()
    inputs, problem, asked = made(model, given.source, knowledge)
    seconds = time.monotonic() - start
    if inputs is None:
        return Row(name, False, problem, [], round(seconds, 1), round(asked, 1))
    free = can_vary(model, parse(entry.inputs), time.monotonic() + given.seconds)
    names = {leaf for leaf, value in inputs.named(model) if isinstance(value, torch.Tensor)}
    varied = {(leaf, dim) for leaf, dims in inputs.axes.items() for dim in dims}
    missing = sorted(f"{leaf}[{dim}]" for leaf, dim in free - varied if leaf in names)
    if not names & {leaf for leaf, _ in free}:
        missing = ["other inputs than those listed"]
    return Row(name, True, inputs.origin, missing, round(seconds, 1), round(asked, 1))


def main() -> int:
    """A line for each model, then the sums."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", default="", help="models whose name holds this text")
    parser.add_argument("--source", choices=("analysis", "guess"), default="analysis")
    parser.add_argument("--seconds", type=float, default=20.0, help="for what can vary, of each model")
    parser.add_argument("--json")
    given = parser.parse_args()
    warnings.simplefilter("ignore")
    torch.set_num_threads(1)
    sys.path.insert(0, str(HERE))
    from real_models import MODELS

    rows: list[Row] = []
    knowledge = Knowledge()
    for name, entry in MODELS.items():
        if given.only in name:
            row = row_of(name, entry, given, knowledge)
            rows.append(row)
            state = "ok" if row.ok else "misses " + ", ".join(row.missing) if row.runs else "does not run"
            print(f"{name:44} {state:24} {row.seconds:5.1f} s ({row.asked_seconds:.1f})  {row.origin}", flush=True)
            if given.json:
                Path(given.json).write_text(json.dumps([asdict(row) for row in rows], indent=1))
    run, right = sum(row.runs for row in rows), sum(row.ok for row in rows)
    print(f"{len(rows)} models: {run} inputs run, {right} of these vary every dimension that can vary")
    return 0


if __name__ == "__main__":
    sys.exit(main())
