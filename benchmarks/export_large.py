"""A model above 2 GB, whose weights must lie in a file of their own, through ``onnx-lint --export``.

    python benchmarks/export_large.py [--engine both] [--megabytes 2200] [--folder DIR]

Needs several times the weights in memory and on disk; the engines run one after the other. Exports twice to the same
place, so that a pair replaces a pair, and looks at what is there: one model and one data file of its name, which the
model names relatively, taken by the ONNX checker, right in ONNX Runtime on both inputs. Exit status 1 when anything is
not so.
"""

from __future__ import annotations

import argparse
import io
import json
import resource
import sys
import tempfile
import time
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Any

import onnx

from onnx_lint.config import engines_of
from onnx_lint_exporter.command import run

MODEL = """import torch
from torch import nn

WIDTH, PIECES = 16384, {pieces}


class Large(nn.Module):
    \"\"\"Tables of 64 MB each: rows are gathered and multiplied, no weight needs folding.\"\"\"

    def __init__(self):
        super().__init__()
        self.tables = nn.ParameterList(nn.Parameter(torch.full((1024, WIDTH), 1 / (k + 1))) for k in range(PIECES))

    def forward(self, ids, x):
        total = x
        for table in self.tables:
            total = total + nn.functional.embedding(ids, table)
        return total.sum(-1)
"""


def export(engine: str, output: Path) -> tuple[int, dict[str, Any]]:
    """One run of the command: its status and the entry of its document."""
    out = io.StringIO()
    arguments = [
        "--isolated",
        "--quiet",
        "--export",
        f"{output.parent / 'large.py'}:Large",
        "--input",
        "ids:int64[b,s]=1024",
        "--input",
        "x:float32[b,s,16384]",
        "--engine",
        engine,
        "--output",
        str(output),
        "--timeout",
        "1200",
        "--output-format",
        "json",
    ]
    with redirect_stdout(out), redirect_stderr(io.StringIO()):
        status = run(arguments)
    document = json.loads(out.getvalue())
    if "exports" not in document:
        raise SystemExit(f"{engine}: {document['errors']}")
    return status, document["exports"][0]


def problems(folder: Path, output: Path, megabytes: int) -> list[str]:
    """What is not as it should be in the folder."""
    found = []
    files = sorted(path.name for path in folder.iterdir() if path.suffix in (".onnx", ".data") or "spare" in path.name)
    if files != [output.name, f"{output.name}.data"]:
        found.append(f"files: {files}")
        return found
    model = onnx.load(output, load_external_data=False)
    places = {entry.value for t in model.graph.initializer for entry in t.external_data if entry.key == "location"}
    if places != {f"{output.name}.data"}:
        found.append(f"locations: {places}")
    if (folder / f"{output.name}.data").stat().st_size < megabytes << 20:
        found.append("the data file is too small")
    onnx.checker.check_model(str(output))
    return found


def main() -> int:
    parser = argparse.ArgumentParser(description="A model above 2 GB, through onnx-lint --export.")
    parser.add_argument("--engine", default="both", choices=("torchscript", "dynamo", "both"))
    parser.add_argument("--megabytes", type=int, default=2200, help="of weights; 64 each (default: 2200)")
    parser.add_argument("--folder", help="where there is room (default: the temporary folder)")
    given = parser.parse_args()
    pieces = -(-given.megabytes // 64)
    bad = False
    print(f"{pieces} tables of 64 MB: {pieces * 64 / 1024:.2f} GB of float32")
    for engine in engines_of(given.engine):
        with tempfile.TemporaryDirectory(prefix="onnx-lint-large-", dir=given.folder) as name:
            folder, output = Path(name), Path(name) / "large.onnx"
            (folder / "large.py").write_text(MODEL.format(pieces=pieces))
            for number in (1, 2):
                start = time.monotonic()
                status, entry = export(engine.value, output)
                wrong = problems(folder, output, pieces * 64) if status == 0 else [json.dumps(entry)[:2000]]
                memory = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1e6
                states = f"input 1 {entry['input1']['state']}, input 2 {entry['input2']['state']}"
                print(
                    f"{engine} {number}: status {status}, {states}, "
                    f"{(entry['size'] or 0) / 1e9:.2f} GB, {time.monotonic() - start:.0f} s, "
                    f"peak {memory:.1f} GB; {'; '.join(wrong) or 'a pair, named relatively, checked'}",
                    flush=True,
                )
                print(f"    {entry['stages']}")
                bad |= bool(wrong) or status != 0
    return int(bad)


if __name__ == "__main__":
    sys.exit(main())
