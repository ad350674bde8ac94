"""How the cost of a run grows with the number of lines.

    python benchmarks/linear.py TREE [--steps 6]

Lints growing parts of a tree, each in a process of its own, and shows processor time against lines: a table, a plot,
and the exponent of the power law that fits best: 1.0 is linear. A part is made of direct children of the tree, files
or folders, in a shuffled order that is always the same: take a tree of many models that stand side by side, since a
library cut in the middle of its imports has less to follow. The start of the process is taken off before the fit.
"""

from __future__ import annotations

import argparse
import math
import os
import random
import subprocess
import sys
import tempfile
from pathlib import Path

WIDTH = 60
SMALLEST = "from torch import nn\n\n\nclass A(nn.Module):\n    def forward(self, x):\n        return x\n"


def cost(folder: Path) -> float:
    """Processor time of one run, in seconds."""
    command = [sys.executable, "-m", "onnx_lint", "--isolated", "--no-cache", "--no-gitignore", "-q", "--exit-zero"]
    process = subprocess.Popen([*command, str(folder)], stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        raise RuntimeError(f"the linter ended with {process.returncode}")
    return usage.ru_utime + usage.ru_stime


def parts(tree: Path, steps: int) -> list[list[Path]]:
    """Growing lists of files, each with about the same number of lines more than the one before."""
    children = sorted(tree.iterdir())
    random.Random(1).shuffle(children)
    units = [[c] if c.suffix == ".py" else sorted(c.rglob("*.py")) for c in children]
    total = sum(_lines(f) for unit in units for f in unit)
    out: list[list[Path]] = []
    taken: list[Path] = []
    lines = 0
    for unit in units:
        taken += unit
        lines += sum(map(_lines, unit))
        if lines >= total * (len(out) + 1) / steps:
            out.append(list(taken))
    return out


def _lines(file: Path) -> int:
    return file.read_bytes().count(b"\n")


def exponent(points: list[tuple[int, float]]) -> float:
    """The slope of the best line through the logarithms."""
    xs, ys = [math.log(n) for n, _ in points], [math.log(s) for _, s in points]
    mx, my = sum(xs) / len(xs), sum(ys) / len(ys)
    return sum((x - mx) * (y - my) for x, y in zip(xs, ys, strict=True)) / sum((x - mx) ** 2 for x in xs)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("tree", type=Path)
    parser.add_argument("--steps", type=int, default=6)
    given = parser.parse_args()
    say = sys.stdout.write
    with tempfile.TemporaryDirectory() as name:
        (Path(name) / "empty").mkdir()
        (Path(name) / "empty" / "a.py").write_text(SMALLEST)
        start = cost(Path(name) / "empty")
        say(f"start {start:.2f} s\n\n")
        say("| Files | Lines | CPU s | without start, ms per 1,000 lines |\n| ---: | ---: | ---: | ---: |\n")
        points: list[tuple[int, float]] = []
        for number, files in enumerate(parts(given.tree, given.steps)):
            folder = Path(name) / str(number)
            for file in files:
                target = folder / given.tree.name / file.relative_to(given.tree)
                target.parent.mkdir(parents=True, exist_ok=True)
                target.symlink_to(file.resolve())
            lines, seconds = sum(map(_lines, files)), cost(folder)
            points.append((lines, max(seconds - start, 1e-3)))
            say(f"| {len(files)} | {lines:,} | {seconds:.2f} | {1e6 * points[-1][1] / lines:.1f} |\n")
            sys.stdout.flush()
    most = max(s for _, s in points)
    say("\n")
    for lines, seconds in points:
        say(f"{lines:>9,} {'█' * round(WIDTH * seconds / most)} {seconds:.2f} s\n")
    say(f"\ncost grows as lines to the power of {exponent(points):.2f}\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
