"""What other tools know of the shapes of tensors at assignments, in the form of `--show-values --output-format json`.

    python benchmarks/shape_peers.py pyrefly TRUTH.json SOURCES --config pyrefly.toml > values.json
    python benchmarks/shape_peers.py torchshapeflow TRUTH.json SOURCES > values.json

TRUTH.json lists the assignments that count: ``{"library", "sites": [{"file", "line", "name"}]}``, files below the
folder ``SOURCES/library``. For pyrefly (with pyrefly-torch-stubs) a copy of the library gets ``reveal_type(name)``
behind each of these, which is what its hover says; torchshapeflow prints its hovers itself (``tsf check --json``). Both
commands are looked for on the path. Sources are as people wrote them, without annotations of shapes.
"""

from __future__ import annotations

import argparse
import ast
import json
import re
import shutil
import subprocess
import sys
import tempfile
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path

Site = tuple[str, int, str]
_TENSOR = re.compile(r"\b(?:Tensor|Parameter)\[\[(.*)\]\]")


def dims_of(text: str) -> list[object] | None:
    """The dimensions in a type as pyrefly writes it, ``Tensor[[B, 3, (H // 2)]]``; ``None`` without any, or with a part
    of unknown length."""
    match = _TENSOR.search(text)
    if match is None:
        return None
    parts, depth = [""], 0
    for letter in match[1]:
        depth += (letter in "([") - (letter in ")]")
        if letter == "," and not depth:
            parts.append("")
        else:
            parts[-1] += letter
    found = [part.strip() for part in parts if part.strip()]
    if any(part.startswith("*") or (part in ("...", "Unknown", "Any") and len(found) == 1) for part in found):
        return None
    return [int(p) if p.lstrip("-").isdigit() else {"expression": p, "varies": None} for p in found]


def with_reveals(text: str, sites: Iterable[Site]) -> tuple[str, dict[int, Site]]:
    """A file with a ``reveal_type`` behind each of the assignments; and which line asks for which."""
    wanted: dict[int, list[Site]] = defaultdict(list)
    for site in sites:
        wanted[site[1]].append(site)
    behind: dict[int, list[tuple[int, Site]]] = defaultdict(list)
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Assign | ast.AnnAssign | ast.AugAssign) and node.end_lineno is not None:
            behind[node.end_lineno] += [(node.col_offset, site) for site in wanted.pop(node.lineno, [])]
    lines: list[str] = []
    asked: dict[int, Site] = {}
    for number, line in enumerate(text.split("\n"), 1):
        lines.append(line)
        for indent, site in behind[number]:
            lines.append(" " * indent + f"reveal_type({site[2]})")
            asked[len(lines)] = site
    return "\n".join(lines), asked


def of_pyrefly(sources: Path, library: str, sites: list[Site], config: str | None) -> dict[Site, list[object]]:
    """What pyrefly says of each site."""
    by_file: dict[str, list[Site]] = defaultdict(list)
    for site in sites:
        by_file[site[0]].append(site)
    found: dict[Site, list[object]] = {}
    with tempfile.TemporaryDirectory() as folder:
        shutil.copytree(sources / library, Path(folder) / library)
        if config is not None:
            shutil.copy(config, Path(folder) / "pyrefly.toml")
        asked: dict[tuple[str, int], Site] = {}
        for name, of_file in by_file.items():
            path = Path(folder) / library / name
            text, lines = with_reveals(path.read_text(encoding="utf-8"), of_file)
            path.write_text(text, encoding="utf-8")
            asked |= {(f"{library}/{name}", line): site for line, site in lines.items()}
        command = ["pyrefly", "check", "--output-format", "json", *(f"{library}/{name}" for name in by_file)]
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
        for error in json.loads(done.stdout)["errors"]:
            place = (Path(error["path"]).as_posix().rpartition(f"/{library}/")[2], error["line"])
            site = asked.get((f"{library}/{place[0].removeprefix(library + '/')}", place[1]))
            dims = dims_of(error["description"]) if error["name"] == "reveal-type" else None
            if site is not None and dims is not None:
                found[site] = dims
    return found


def of_torchshapeflow(sources: Path, library: str, sites: list[Site]) -> dict[Site, list[object]]:
    """What torchshapeflow says of each site."""
    done = subprocess.run(
        ["tsf", "check", "--json", str(sources / library)], capture_output=True, text=True, check=False
    )
    known: dict[Site, list[object]] = {}
    for file in json.loads(done.stdout)["files"]:
        name = Path(file["path"]).relative_to((sources / library).absolute()).as_posix()
        for hover in file["hovers"]:
            parts = re.findall(r"[^\[\], ]+", str(hover.get("shape", "")))
            known[name, hover["line"], hover["name"]] = list(parts)
    return {site: known[site] for site in sites if site in known}


def main() -> int:
    """Prints what one of the tools knows."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("tool", choices=("pyrefly", "torchshapeflow"))
    parser.add_argument("truth", type=Path)
    parser.add_argument("sources", type=Path)
    parser.add_argument("--config", help="a pyrefly.toml that finds torch and the stubs")
    arguments = parser.parse_args()
    truth = json.loads(arguments.truth.read_text(encoding="utf-8"))
    library, sites = truth["library"], [(s["file"], s["line"], s["name"]) for s in truth["sites"]]
    if arguments.tool == "pyrefly":
        found = of_pyrefly(arguments.sources, library, sites, arguments.config)
    else:
        found = of_torchshapeflow(arguments.sources, library, sites)
    values = [
        {"path": f"{library}/{file}", "line": line, "name": name, "kind": "tensor", "shape": shape, "dtype": None}
        for (file, line, name), shape in found.items()
    ]
    json.dump({"values": values}, sys.stdout)
    return 0


if __name__ == "__main__":
    sys.exit(main())
