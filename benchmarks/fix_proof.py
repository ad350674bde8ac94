"""Applies fixes to the sources of real libraries, and says what came of it.

    python benchmarks/fix_proof.py FOLDER … [--unsafe] [--count]

For each folder a copy is fixed by the command of this environment. Counted are the fixes offered (safe, unsafe, for
display), and of the files that changed: those that no longer parse, those that changed outside the places of the first
round, and those that a second run changes again; all three must be 0. `--unsafe` applies unsafe fixes too; `--count`
only counts. Prints a row of Markdown a folder; exit status 1 if something must be 0 and is not. (An unsafe fix can
make the next one possible: ``int(x.item())`` becomes ``int(x)``, then ``x``. Places are compared for safe ones only.)
"""

from __future__ import annotations

import argparse
import ast
import json
import shutil
import subprocess
import sys
import tempfile
import warnings
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

HEADER = "| Library | Safe | Unsafe | Display | Files changed | No longer parse | Outside | Changed again | Refused |"
_COMMAND = "import sys; sys.path[:] = [p for p in sys.path if p]; from onnx_lint.cli import main; sys.exit(main())"


@dataclass
class Proof:
    """What fixing one folder came to; `refused` counts the lines in which the command says that it left something."""

    offered: Counter[str]
    changed: int = 0
    broken: int = 0
    outside: int = 0
    unstable: int = 0
    refused: int = 0

    @property
    def is_good(self) -> bool:
        return not (self.broken or self.outside or self.unstable or self.refused)

    def row(self, name: str) -> str:
        counts = [self.offered[kind] for kind in ("safe", "unsafe", "display")]
        numbers = [*counts, self.changed, self.broken, self.outside, self.unstable, self.refused]
        return f"| {name} | {' | '.join(map(str, numbers))} |"


def lint(folder: Path, *options: str) -> tuple[str, str]:
    """What the command says of a folder, on standard output and standard error."""
    # not from within: ``python -m`` would import a library's `typing.py` for Python's own
    command = [sys.executable, "-c", _COMMAND, "--isolated", "--no-gitignore", *options, "."]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, errors="surrogateescape", check=False)
    if done.returncode not in (0, 1, 2):
        raise SystemExit(f"{' '.join(command)}: status {done.returncode}: {done.stderr[-2000:]}")
    return done.stdout, done.stderr


def prove(folder: Path, *, unsafe: bool, only_count: bool) -> Proof:
    """Fix a copy of a folder."""
    said = json.loads(lint(folder, "--output-format", "json")[0])["diagnostics"]
    fixes = [d["fix"] for d in said if d["fix"] is not None]
    proof = Proof(Counter(fix["applicability"] for fix in fixes))
    if only_count:
        return proof
    applied = {"safe", "unsafe"} if unsafe else {"safe"}
    places: dict[str, list[dict[str, Any]]] = {}
    for edit in (edit for fix in fixes if fix["applicability"] in applied for edit in fix["edits"]):
        places.setdefault(edit["path"], []).append(edit)
    with tempfile.TemporaryDirectory() as temporary:
        copy = Path(temporary) / "copy"
        shutil.copytree(folder, copy, symlinks=True)
        options = ("--fix", "-q", "--output-format", "concise", *(["--unsafe-fixes"] if unsafe else []))
        proof.refused = lint(copy, *options)[1].count("not fixed")
        before = {path: path.read_bytes() for path in folder.rglob("*.py") if path.is_file()}
        after = {path: (copy / path.relative_to(folder)).read_bytes() for path in before}
        for path in (path for path in before if before[path] != after[path]):
            proof.changed += 1
            proof.broken += parses(before[path]) and not parses(after[path])
            proof.outside += not unsafe and not is_within(
                before[path], after[path], places.get(str(path.relative_to(folder)), [])
            )
        lint(copy, *options)
        proof.unstable = sum((copy / path.relative_to(folder)).read_bytes() != after[path] for path in before)
    return proof


def parses(data: bytes) -> bool:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            ast.parse(data)
        except (SyntaxError, ValueError):
            return False
    return True


def is_within(before: bytes, after: bytes, edits: list[dict[str, Any]]) -> bool:
    """Whether two texts differ only inside the places of these edits."""
    old, new = before.decode("utf-8", "surrogateescape"), after.decode("utf-8", "surrogateescape")
    starts = [0]
    for line in old.splitlines(keepends=True):
        starts.append(starts[-1] + len(line))
    spans = sorted((starts[e["line"] - 1] + e["column"] - 1, len(e["replaces"])) for e in edits)
    kept, position = [], 0
    for start, length in spans:
        if start >= position:
            kept.append(old[position:start])
        position = max(position, start + length)
    at = 0
    for piece in kept:
        found = new.find(piece, at)
        if found < 0 or (at == 0 and found != 0):
            return False
        at = found + len(piece)
    return new[at:].endswith(old[position:])


def main() -> int:
    arguments = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    arguments.add_argument("folders", nargs="+", type=Path)
    arguments.add_argument("--unsafe", action="store_true")
    arguments.add_argument("--count", action="store_true")
    options = arguments.parse_args()
    print(HEADER + "\n|" + " --- |" * HEADER.count(" | ") + " --- |", flush=True)
    is_good = True
    for folder in options.folders:
        proof = prove(folder.resolve(), unsafe=options.unsafe, only_count=options.count)
        print(proof.row(folder.name), flush=True)
        is_good = is_good and proof.is_good
    return 0 if is_good else 1


if __name__ == "__main__":
    sys.exit(main())
