"""How right the linter is about real libraries, against what PyTorch's own tracer said of them.

    python benchmarks/accuracy.py TRUTH SOURCES                       # a table
    python benchmarks/accuracy.py TRUTH SOURCES --library timm --list # and each statement missed, each line false

TRUTH is a folder of ``truth-LIBRARY.json``, made by tracing models of a library:

    {"library": "timm", "version": "1.0.31", "torch": "2.13.0", "files": {"layers/attention.py": {
        "executed": ["12-40", "52"],                lines that ran while tracing
        "warnings": {"31": ENTRY},                  statements that the tracer warned of
        "silent": {"35": ENTRY},                    values that it froze without a warning
        "torch_internal": {"36": ENTRY}}}}          warnings that arose inside of torch only
    ENTRY = {"span": [31, 33], "role": "branch", "text": "if x.sum() > 0:", …, "clean": true}

A role ``check`` only raises, asserts or reports; ``constant`` is ``torch.tensor`` of a literal. A silent value is clean
when its trace had no warnings, so that nothing else can have caused it. SOURCES holds the libraries, each a folder of
its name, in the version that the truth names; they are linted in one run.

*Recall*: of the statements with a warning, those with a diagnostic on one of their lines. *Precision*: of the lines
with a diagnostic that ran, those that belong to a warning or to a clean silent value; where only torch itself warned,
or the silent value is not clean, a line counts neither way. That is a lower bound: a line that did not warn in these
models can still be wrong.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

MINOR = ("check", "constant")
CODES = "ONX1,ONX2,ONX3"
"""The rules about traced values; no tracer speaks of outputs."""

Lines = dict[str, dict[int, set[str]]]
"""Codes by line, by path inside of the library."""


@dataclass
class Score:
    """Counts of one library, or of several."""

    library: str
    wanted: int = 0
    hit: int = 0
    grave: int = 0
    """Wanted statements besides the minor roles."""
    grave_hit: int = 0
    true: int = 0
    false: int = 0
    neutral: int = 0
    not_run: int = 0
    missed: list[str] = field(default_factory=list)
    false_lines: list[str] = field(default_factory=list)

    def __iadd__(self, other: Score) -> Score:
        for name in ("wanted", "hit", "grave", "grave_hit", "true", "false", "neutral", "not_run"):
            setattr(self, name, getattr(self, name) + getattr(other, name))
        return self

    def row(self) -> list[str]:
        return [
            self.library,
            _share(self.grave_hit, self.grave),
            _share(self.hit, self.wanted),
            _share(self.true, self.true + self.false),
        ]


def _share(part: int, whole: int) -> str:
    return f"{100 * part / whole:5.1f} % ({part}/{whole})" if whole else "-"


def diagnostics_of(folders: list[Path], options: list[str]) -> list[dict[str, Any]]:
    """What the linter says of these folders, in a process of its own. Raises `RuntimeError` if it fails."""
    command = [
        sys.executable,
        "-m",
        "onnx_lint",
        "--isolated",
        "--no-cache",
        "--no-gitignore",
        "--output-format",
        "json",
        *options,
    ]
    done = subprocess.run([*command, *map(str, folders)], capture_output=True, text=True, check=False)
    if done.returncode not in (0, 1):
        raise RuntimeError(f"the linter failed: {done.stderr.strip()[-500:]}")
    found: list[dict[str, Any]] = json.loads(done.stdout)["diagnostics"]
    return found


def by_line(diagnostics: Iterable[dict[str, Any]], folder: Path, prefixes: tuple[str, ...]) -> Lines:
    """The diagnostics of the chosen codes, by the line where they begin."""
    out: Lines = {}
    for d in diagnostics:
        if d["code"].startswith(prefixes) and Path(d["path"]).is_relative_to(folder):
            path = Path(d["path"]).relative_to(folder).as_posix()
            out.setdefault(path, {}).setdefault(d["line"], set()).add(d["code"])
    return out


def _numbers(ranges: Iterable[str | int]) -> set[int]:
    out: set[int] = set()
    for item in ranges:
        first, _, last = str(item).partition("-")
        out.update(range(int(first), int(last or first) + 1))
    return out


def _lines(line: str, entry: dict[str, Any]) -> set[int]:
    first, last = entry["span"]
    return {int(line), *range(first, last + 1)}


def score(truth: dict[str, Any], found: Lines, folder: Path) -> Score:
    """Compare the diagnostics of one library with what its traces showed."""
    out = Score(truth["library"])
    for path, seen in truth["files"].items():
        mine = found.get(path, {})
        _recall(out, path, seen, mine)
        good: set[int] = set()
        neutral: set[int] = set()
        for line, entry in seen.get("warnings", {}).items():
            good |= _lines(line, entry)
        for line, entry in seen.get("silent", {}).items():
            (good if entry["clean"] else neutral).update(_lines(line, entry))
        for line, entry in seen.get("torch_internal", {}).items():
            neutral |= _lines(line, entry)
        ran = _numbers(seen["executed"])
        for number, codes in sorted(mine.items()):
            if number in good:
                out.true += 1
            elif number in neutral:
                out.neutral += 1
            elif number in ran:
                out.false += 1
                out.false_lines.append(f"{path}:{number}: {','.join(sorted(codes))}  {_text(folder / path, number)}")
            else:
                out.not_run += 1
    return out


def _recall(out: Score, path: str, seen: dict[str, Any], mine: dict[int, set[str]]) -> None:
    """Count each statement with a warning once, however many of its lines warned."""
    statements: dict[tuple[int, int], list[dict[str, Any]]] = {}
    for entry in seen.get("warnings", {}).values():
        statements.setdefault(tuple(entry["span"]), []).append(entry)
    for (first, last), entries in statements.items():
        hit = any(number in mine for number in range(first, last + 1))
        grave = any(entry["role"] not in MINOR for entry in entries)
        out.wanted += 1
        out.hit += hit
        out.grave += grave
        out.grave_hit += hit and grave
        if not hit:
            out.missed.append(f"{path}:{first}: {entries[0]['role']}  {entries[0]['text'][:100]}")


def _text(path: Path, number: int) -> str:
    lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    return lines[number - 1].strip()[:100] if number <= len(lines) else ""


def table(rows: list[list[str]]) -> Iterator[str]:
    """A Markdown table."""
    head = ["Library", "Recall without checks and constants", "Recall of all", "Precision"]
    for row in (head, ["---"] * len(head), *rows):
        yield f"| {' | '.join(row)} |"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("truth", type=Path)
    parser.add_argument("sources", type=Path)
    parser.add_argument("--library", action="append", help="only this one; may be repeated")
    parser.add_argument("--codes", default=CODES, help=f"prefixes of the codes that count (default: {CODES})")
    parser.add_argument("--option", action="append", default=[], help="an option for the linter: --engine=dynamo")
    parser.add_argument("--list", action="store_true", help="list what was missed and what is false")
    given = parser.parse_args()
    truths = [json.loads(path.read_text(encoding="utf-8")) for path in sorted(given.truth.glob("truth-*.json"))]
    truths = [t for t in truths if not given.library or t["library"] in given.library]
    if not truths:
        sys.stderr.write(f"{given.truth}: no truth-*.json of that library\n")
        return 2
    for truth in truths:
        if not (given.sources / truth["library"]).is_dir():
            sys.stderr.write(f"{given.sources}: lacks {truth['library']}=={truth['version']}\n")
            return 2
    diagnostics = diagnostics_of([given.sources / t["library"] for t in truths], given.option)
    total = Score("All")
    rows: list[list[str]] = []
    for truth in truths:
        folder = given.sources / truth["library"]
        one = score(truth, by_line(diagnostics, folder, tuple(given.codes.split(","))), folder)
        total += one
        rows.append([f"{truth['library']} {truth['version']}", *one.row()[1:]])
        if given.list:
            for title, entries in (("missed", one.missed), ("false", one.false_lines)):
                sys.stdout.write(f"\n{truth['library']}: {len(entries)} {title}\n")
                sys.stdout.writelines(f"  {entry}\n" for entry in entries)
    rows.append(total.row())
    sys.stdout.writelines(f"{line}\n" for line in table(rows))
    sys.stdout.write(f"\n{total.neutral} lines judged neither way, {total.not_run} not run by the traced models\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
