"""Export real models with both engines, verify each on a second input of other sizes, and print the table.

    python benchmarks/export_real_models.py [--only TEXT] [--engine both] [--timeout 600] [--json FILE]

Needs timm, torchvision and transformers beside torch; weights are random, nothing is downloaded. The models are
those of ``real_models.py``. Exit status 1 when a failure is on no line of source.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from pathlib import Path
from typing import Any

from onnx_lint_exporter import options
from onnx_lint_exporter.locate import diagnose
from onnx_lint_exporter.outcome import Outcome, WorkerError
from onnx_lint_exporter.runs import Run
from onnx_lint_exporter.source_code import Sources

HERE = Path(__file__).parent
Row = dict[str, Any]


def row_of(name: str, outcome: Outcome) -> Row:
    """What the table says of one engine's export of one model; a failure has its place."""
    sources = Sources(os.getcwd())
    failures = [d for d in diagnose(outcome, sources) if d.severity.value == "error"]
    placed = bool(failures) and all(_on_a_line(d.span.path, d.span.line, sources) for d in failures)
    first = failures[0] if failures else None
    first_run, second_run = outcome.runs
    return {
        "model": name,
        "engine": outcome.engine.value,
        "ok": outcome.ok,
        "verified": outcome.verified,
        "stage": "done" if outcome.ok else outcome.stage.value,
        "input1": first_run.state.value,
        "input2": second_run.state.value,
        "text": second_run.text or first_run.text,
        "nodes": outcome.result.nodes,
        "seconds": round(outcome.seconds, 1),
        "stages": outcome.result.seconds or {},
        "failures": [f"{d.span.path}:{d.span.line}:{d.span.column}: {d.code} {d.message}" for d in failures],
        "placed": placed or outcome.ok,
        "where": f"{_short(first.span.path)}:{first.span.line}: {first.message}" if first else "",
    }


def _on_a_line(path: str, line: int, sources: Sources) -> bool:
    """Whether a place names a line that exists in a file of Python code other than the list of models."""
    file = Path(path)
    try:
        count = len(file.read_text(encoding="utf-8").splitlines())
    except OSError:
        return False
    return file.suffix == ".py" and file.name != "real_models.py" and 1 <= line <= count


def _short(path: str) -> str:
    return path.rpartition("site-packages" + os.sep)[2] if "site-packages" in path else "/".join(Path(path).parts[-3:])


def export(name: str, inputs: tuple[str, ...], given: argparse.Namespace) -> list[Row]:
    """Both engines' rows of one model; a worker that could not work is a row too."""
    arguments = ["--export", f"{HERE / 'real_models.py'}:{name}", "--engine", given.engine]
    arguments += ["--timeout", str(given.timeout), "--threads", "1"]
    for text in inputs:
        arguments += ["--input", text]
    run = Run(options.request(options.parse(arguments)))
    try:
        return [row_of(name, outcome) for outcome in run.run()]
    except WorkerError as error:
        return [{"model": name, "engine": given.engine, "ok": False, "placed": False, "where": str(error)}]
    finally:
        run.close()


def line_of(row: Row) -> str:
    state = "right" if row.get("verified") else "exported" if row["ok"] else f"no: {row.get('stage', 'start')}"
    runs = f"{row.get('input1', '-'):8} {row.get('input2', '-'):8}"
    return (
        f"{row['model']:44} {row['engine']:11} {state:14} {runs} {row.get('nodes') or '-':>6} "
        f"{row.get('seconds', 0):6.1f} s  {row['where'][:150]}"
    )


def main() -> int:
    """Print a line for each export as it comes, then the sums."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", default="", help="models whose name holds one of these texts, separated by commas")
    parser.add_argument("--engine", choices=("torchscript", "dynamo", "both"), default="both")
    parser.add_argument("--timeout", type=float, default=600.0)
    parser.add_argument("--json")
    given = parser.parse_args()
    sys.path.insert(0, str(HERE))
    from real_models import MODELS

    wanted = [text for text in given.only.split(",") if text] or [""]
    rows: list[Row] = []
    start = time.monotonic()
    for name, model in MODELS.items():
        if not any(text in name for text in wanted):
            continue
        for row in export(name, model.inputs, given):
            rows.append(row)
            print(line_of(row), flush=True)
        if given.json:
            Path(given.json).write_text(json.dumps(rows, indent=1))
    for engine in ("torchscript", "dynamo"):
        mine = [row for row in rows if row["engine"] == engine]
        counts = f"{sum(row.get('verified', False) for row in mine)} right on both inputs"
        failed = [row for row in mine if not row["ok"]]
        lost = [row["model"] for row in failed if not row["placed"]]
        print(f"{engine}: {len(mine)} models, {counts}, {len(failed)} failed or wrong, without a line: {lost}")
    print(f"{time.monotonic() - start:.0f} s")
    return int(not all(row["placed"] for row in rows))


if __name__ == "__main__":
    sys.exit(main())
