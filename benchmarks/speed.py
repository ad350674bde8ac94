"""What a run costs, whole process, beside other linters.

    python benchmarks/speed.py TREE [TREE ...] [--file FILE] [--only onnx-lint,ruff] [--runs 3] [--peers FOLDER]

Each row is the processor time (user and system) of one process and all its children, cold: caches are off or in a fresh
folder; the median of the runs. Elapsed time depends on what else the machine does, so it is not shown. On a busy one
processor time grows too: the row "import libcst" says by how much, against the 0.15 s of an idle one;
ratios inside one table stay meaningful.

FOLDER is the ``bin`` of an environment that has the other linters (ruff, flake8, pylint, torchfix, fixit, pyrefly);
those that are not found there or on the path are left out. They do other work than this one: the table compares what a
user waits for.
"""

from __future__ import annotations

import argparse
import os
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from importlib.metadata import version
from pathlib import Path

OURS = "onnx-lint"
COMMANDS = {
    OURS: [sys.executable, "-m", "onnx_lint", "--isolated", "--no-cache", "--no-gitignore", "-j1", "-q", "--exit-zero"],
    "ruff (F)": ["ruff", "check", "--isolated", "--no-cache", "--select", "F", "-q", "--exit-zero"],
    "ruff (ALL)": ["ruff", "check", "--isolated", "--no-cache", "--select", "ALL", "-q", "--exit-zero"],
    "flake8 (F)": ["flake8", "--isolated", "-j1", "--select", "F", "--exit-zero"],
    "torchfix": ["torchfix", "--select=ALL"],
    "pylint (-E)": ["pylint", "--errors-only", "--recursive=y", "-j1", "--exit-zero"],
    "pyrefly": ["pyrefly", "check", "--threads", "1"],
    "fixit": ["fixit", "--quiet", "lint"],
}
"""The path comes behind."""


@dataclass(frozen=True)
class Cost:
    """Of one command over one path; `seconds` is ``None`` when it did not end in time."""

    seconds: float | None
    megabytes: float = 0


def measure(command: list[str], timeout: float) -> Cost:
    """Run once, output thrown away."""
    with tempfile.TemporaryDirectory() as cache:
        environment = {**os.environ, "XDG_CACHE_HOME": cache}
        process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            env=environment, start_new_session=True,
        )  # fmt: skip
        ended = threading.Event()

        def stop() -> None:
            if not ended.is_set():
                os.killpg(process.pid, 9)  # its own session: what this run started

        timer = threading.Timer(timeout, stop)
        timer.start()
        _, status, usage = os.wait4(process.pid, 0)
        ended.set()
        timer.cancel()
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode < 0:
        return Cost(None)
    return Cost(usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024)


def median(command: list[str], runs: int, timeout: float) -> Cost:
    costs = [measure(command, timeout) for _ in range(runs)]
    seconds = [c.seconds for c in costs if c.seconds is not None]
    if len(seconds) < runs:
        return Cost(None)
    return Cost(statistics.median(seconds), max(c.megabytes for c in costs))


def lines_of(path: Path) -> tuple[int, int]:
    """How many Python files a tree has, and how many lines."""
    files = [path] if path.is_file() else [f for f in path.rglob("*.py") if f.is_file()]
    return len(files), sum(f.read_bytes().count(b"\n") for f in files)


def rows(path: Path, chosen: dict[str, list[str]], runs: int, timeout: float) -> Iterator[str]:
    """A Markdown table, row by row as it is measured."""
    files, lines = lines_of(path)
    what = f"{files} files, {lines:,} lines" if path.is_dir() else f"{lines} lines"
    yield f"\n**{path.name}** ({what})\n"
    yield "| Linter | CPU s | s per 100,000 lines | per line, onnx-lint = 1 | MB |"
    yield "| --- | ---: | ---: | ---: | ---: |"
    ours: float | None = None
    for name, command in chosen.items():
        cost = median([*command, str(path)], runs, timeout)
        if cost.seconds is None:
            yield f"| {name} | did not end within {timeout:.0f} s | | | |"
            continue
        ours = cost.seconds if name == OURS else ours
        ratio = f"{cost.seconds / ours:.2f}" if ours else ""
        per = cost.seconds / lines * 100_000
        yield f"| {name} | {cost.seconds:.2f} | {per:.2f} | {ratio} | {cost.megabytes:.0f} |"


def installed(search: str) -> dict[str, list[str]]:
    """The commands that there are, with their full paths."""
    out: dict[str, list[str]] = {}
    for name, command in COMMANDS.items():
        program = shutil.which(command[0], path=search)
        if program is not None:
            out[name] = [program, *command[1:]]
    return out


def heading(chosen: dict[str, list[str]]) -> str:
    """Date, machine and versions, for whoever reads the figures later."""
    versions = [f"libcst {version('libcst')}"]
    for program in sorted({command[0] for name, command in chosen.items() if name != OURS}):
        done = subprocess.run([program, "--version"], capture_output=True, text=True, check=False)
        text = (done.stdout or done.stderr).split("\n")[0]
        versions.append(text if Path(program).name in text else f"{Path(program).name} {text}")
    return (
        f"{date.today()}, onnx-lint {version('onnx-lint')}, Python {platform.python_version()}, {platform.machine()}, "
        f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}; {', '.join(versions)}"
    )


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("trees", nargs="*", type=Path)
    parser.add_argument("--file", type=Path, help="a single file, for the cost of one short run")
    parser.add_argument("--only", help="names of linters, separated by commas (default: all that are found)")
    parser.add_argument("--runs", type=int, default=1, help="of each row over a tree; short runs are made five times")
    parser.add_argument("--timeout", type=float, default=900)
    parser.add_argument("--peers", help="where the other linters are installed")
    given = parser.parse_args()
    search = os.pathsep.join(filter(None, (given.peers, os.environ.get("PATH", ""))))
    chosen = installed(search)
    if given.only:
        chosen = {name: c for name, c in chosen.items() if name.split(" ")[0] in given.only.split(",")}
    say = sys.stdout.write
    say(f"{heading(chosen)}\n\n")
    say("| Short runs | CPU s |\n| --- | ---: |\n")
    for name, command in (
        ("python -c pass", [sys.executable, "-c", "pass"]),
        ("import libcst", [sys.executable, "-c", "import libcst"]),
        ("onnx-lint --version", [sys.executable, "-m", "onnx_lint", "--version"]),
    ):
        say(f"| {name} | {median(command, 5, 60).seconds:.3f} |\n")
    if given.file is not None:
        _, lines = lines_of(given.file)
        for name, command in chosen.items():
            cost = median([*command, str(given.file)], 5, given.timeout)
            say(f"| {name} {given.file.name} ({lines} lines) | {cost.seconds:.3f} |\n")
    for tree in given.trees:
        for line in rows(tree, chosen, given.runs, given.timeout):
            say(line + "\n")
            sys.stdout.flush()
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
