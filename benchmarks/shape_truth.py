"""What the linter knows of shapes in real libraries, against what tensors were when models of them ran.

    python benchmarks/shape_truth.py TRUTH SOURCES                    # a table
    python benchmarks/shape_truth.py TRUTH SOURCES --library timm

TRUTH is a folder of ``shapes-LIBRARY.json``, recorded while models ran eagerly on inputs of two or more sizes:

    {"library": "timm", "sites": [{"file": "layers/mlp.py", "line": 44, "name": "x",
                                   "observations": [["vit", 0, "float32", [2, 197, 192]], …]}, …]}

a site being an assignment of a tensor, an observation ``[model, run, dtype, sizes]``. SOURCES holds the libraries, each
a folder of its name; of each ``--show-values`` is read.

*Known*: of the sites, those of which the number of dimensions is said; *right*: of these, where all runs had that one.
Of the dimensions of these, *fixed*: of those that no run of a model changed, said to be fixed (as the number seen, or
without one); *varying*: of those that a run changed, said to vary; *wrong*: of all that something is said of, said to
be fixed and changed, or another number than was seen. A run that breaks off half way, as most do whose input has a size
that the model does not take, is seen with fewer sizes than there are; so the last two are counted of *whole* runs too:
those that passed as many sites as the longest one of the same model.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from collections import Counter, defaultdict
from collections.abc import Iterable
from pathlib import Path
from typing import Any

Observation = tuple[str, int, str, list[int]]
Said = dict[tuple[str, int, str], dict[str, Any]]
"""What is said of a name, by file inside of the library and line."""


def said_of(folder: Path) -> Said:
    """What ``--show-values`` says of the assignments of a library; where two stand in a line, what has a shape."""
    command = [sys.executable, "-m", "onnx_lint", "--isolated", "--no-cache", "-q", "--show-values"]
    ran = subprocess.run(
        [*command, "--output-format", "json", folder.name],
        cwd=folder.parent,
        capture_output=True,
        text=True,
        check=False,
    )
    found: Said = {}
    for value in json.loads(ran.stdout)["values"]:
        key = (value["path"].removeprefix(f"{folder.name}/"), value["line"], value["name"])
        if key not in found or found[key]["shape"] is None:
            found[key] = value
    return found


def whole_runs(sites: Iterable[dict[str, Any]]) -> set[tuple[str, int]]:
    """The runs of each model that passed as many sites as its longest one."""
    passed = Counter((model, run) for site in sites for model, run, _, _ in site["observations"])
    longest: Counter[str] = Counter()
    for (model, _), count in passed.items():
        longest[model] = max(longest[model], count)
    return {run for run, count in passed.items() if count == longest[run[0]]}


def count(said: Said, sites: list[dict[str, Any]]) -> Counter[str]:
    """The counts of one library."""
    counts: Counter[str] = Counter()
    whole = whole_runs(sites)
    for site in sites:
        claim = said.get((site["file"], site["line"], site["name"]), {})
        observations: list[Observation] = site["observations"]
        counts["sites"] += 1
        if claim.get("dtype") is not None:
            counts["typed"] += 1
            counts["typed right"] += claim["dtype"] in {dtype for _, _, dtype, _ in observations}
        shape = claim.get("shape")
        if shape is None:
            continue
        counts["known"] += 1
        if {len(sizes) for _, _, _, sizes in observations} != {len(shape)}:
            continue
        counts["right"] += 1
        for axis, dim in enumerate(shape):
            count_dimension(counts, "", dim, observations, axis)
            count_dimension(counts, "whole ", dim, [o for o in observations if (o[0], o[1]) in whole], axis)
    return counts


def count_dimension(counts: Counter[str], of: str, dim: Any, observations: list[Observation], axis: int) -> None:
    """Compare what is said of one dimension with these observations."""
    runs: dict[str, dict[int, set[int]]] = defaultdict(lambda: defaultdict(set))
    for model, run, _, sizes in observations:
        runs[model][run].add(sizes[axis])
    compared = [list(by_run.values()) for by_run in runs.values() if len(by_run) > 1]
    if not compared:
        return
    varied = any(one != seen[0] for seen in compared for one in seen)
    counts[of + ("varying" if varied else "fixed")] += 1
    varies = False if isinstance(dim, int) else None if dim is None else dim["varies"]
    if varies is None:
        return
    counts[of + "said"] += 1
    is_other = isinstance(dim, int) and {sizes[axis] for _, _, _, sizes in observations} != {dim}
    if varies:
        counts[of + "varying found"] += varied
    elif varied or is_other:
        counts[of + "wrong"] += 1
    else:
        counts[of + "fixed found"] += 1


COLUMNS = (
    ("Known", "known", "sites"), ("right", "right", "known"), ("Fixed", "fixed found", "fixed"),
    ("Varying", "varying found", "varying"), ("Wrong", "wrong", "said"),
    ("Varying, whole runs", "whole varying found", "whole varying"), ("Wrong, whole runs", "whole wrong", "whole said"),
    ("Dtype", "typed", "sites"), ("right", "typed right", "typed"),
)  # fmt: skip


def row(name: str, counts: Counter[str]) -> str:
    """A line of the table."""
    shares = [f"{counts[part] / counts[all_]:.1%}" if counts[all_] else "-" for _, part, all_ in COLUMNS]
    return f"| {name} | {counts['sites']} | {' | '.join(shares)} |"


def main() -> int:
    parser = argparse.ArgumentParser(description="What is known of shapes, against what tensors were.")
    parser.add_argument("truth", type=Path)
    parser.add_argument("sources", type=Path)
    parser.add_argument("--library", action="append", help="only this one; may be given again")
    args = parser.parse_args()
    files = sorted(args.truth.glob("shapes-*.json"))
    wanted = args.library or [file.stem.removeprefix("shapes-") for file in files]
    print(f"| Library | Sites | {' | '.join(title for title, _, _ in COLUMNS)} |")
    print(f"| --- | ---: | {' | '.join('---:' for _ in COLUMNS)} |")
    total: Counter[str] = Counter()
    for name in wanted:
        sites = json.loads((args.truth / f"shapes-{name}.json").read_text())["sites"]
        counts = count(said_of(args.sources / name), sites)
        total += counts
        print(row(name, counts), flush=True)
    print(row("All", total))
    return 0


if __name__ == "__main__":
    sys.exit(main())
