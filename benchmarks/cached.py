"""What a run costs when the last one is known: processor time of whole processes, with a cache of their own.

    python benchmarks/cached.py TREE --change FILE:FUNCTION [--jobs N]

TREE is copied first. Rows: without a cache; the first run; the same again; after a comment above the function, which
moves all code below it; after a statement in the function, which is then another helper for all that call it. After
each change the output is compared with that of a run without a cache: a difference ends the script with status 1.
"""

from __future__ import annotations

import argparse
import os
import re
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path


def run(tree: str, folder: str, *options: str) -> tuple[bytes, float, float]:
    """The output of a run, its processor time with that of its children, and its elapsed time."""
    environment = {**os.environ, "ONNX_LINT_CACHE_DIR": folder}
    command = [
        sys.executable,
        "-m",
        "onnx_lint",
        "-q",
        "--isolated",
        "--exit-zero",
        "--output-format",
        "json",
        *options,
    ]
    before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    said = subprocess.run([*command, tree], env=environment, stdout=subprocess.PIPE, check=True).stdout
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    seconds = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return said, seconds, time.monotonic() - start


def changes(text: str, function: str) -> list[tuple[str, str]]:
    """The text with a comment above a function, and with a statement in it, each with what the row is called."""
    found = re.search(rf"^( *)def {function}\(", text, re.M)
    if found is None:
        raise SystemExit(f"no function {function} there")
    commented = f"{text[: found.start()]}{found[1]}# a comment\n{text[found.start() :]}"
    body = re.search(rf"^ *def {function}\(.*?\)[^\n()]*:\n(?: *(?:\"\"\".*?\"\"\")\n)?( +)", commented, re.M | re.S)
    if body is None:
        raise SystemExit(f"the body of {function} was not found")
    changed = f"{commented[: body.start(1)]}{body[1]}unused = 1\n{commented[body.start(1) :]}"
    return [("a comment above a function", commented), ("a statement in a function", changed)]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("tree", type=Path)
    parser.add_argument("--change", required=True, metavar="FILE:FUNCTION", help="of a file below TREE")
    parser.add_argument("--jobs", default="1", help="processes of each run")
    given = parser.parse_args()
    file, _, function = given.change.partition(":")
    is_same = True
    with tempfile.TemporaryDirectory() as top:
        tree, folder = os.path.join(top, given.tree.name), os.path.join(top, "cache")
        shutil.copytree(given.tree, tree)
        options = ("--jobs", given.jobs)
        print(f"{'run':<30}{'processor s':>12}{'elapsed s':>11}")

        def row(name: str, *more: str) -> bytes:
            said, seconds, elapsed = run(tree, folder, *options, *more)
            print(f"{name:<30}{seconds:>12.2f}{elapsed:>11.2f}", flush=True)
            return said

        expected = row("without a cache", "--no-cache")
        is_same = row("first") == expected and is_same
        is_same = row("the same again") == expected and is_same
        path = Path(tree, file)
        for name, text in changes(path.read_text(encoding="utf-8"), function):
            path.write_text(text, encoding="utf-8")
            said = row(name)
            is_same = said == run(tree, folder, *options, "--no-cache")[0] and is_same
    print("the output is the same with and without a cache" if is_same else "THE OUTPUT DIFFERS")
    return int(not is_same)


if __name__ == "__main__":
    raise SystemExit(main())
