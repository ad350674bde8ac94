"""Runs real models before and after `--fix`: results, exceptions, and exports with both engines.

    python benchmarks/fix_proof_models.py [--unsafe] [--only TEXT] [--damage LIBRARY/FILE]

The installed timm, torchvision and transformers are copied, and the copies fixed by the command of this environment. A
model of ``real_models.py`` is compared if one of the changed files ran when it was built and called: what it returns,
bit by bit, or which exception it raises, and whether each engine's export is right. Prints the files that changed, and
a line for each model compared; exit status 1 if a result differs, or a right export is right no longer.

``--damage`` makes every ``forward`` in that file of the copy raise, as a bad fix would: the models that run it must be
reported, which shows that a run without a report means something.
"""

from __future__ import annotations

import argparse
import hashlib
import importlib.util
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Any

from fix_proof import lint
from real_models import MODELS

_DAMAGE = """

def _damaged(*_args, **_kwargs):
    raise RuntimeError("damaged")


for _class in [c for c in vars().copy().values() if isinstance(c, type) and c.__module__ == __name__]:
    if "forward" in vars(_class):
        _class.forward = _damaged
"""
LIBRARIES = ("timm", "torchvision", "transformers")


@dataclass(frozen=True)
class Ran:
    """One run of a model: a digest of its results, or its exception; and the files of the libraries that ran."""

    outcome: str
    files: frozenset[str]


# ---------------------------------------------------------------------------------------------------- in the child
def run(name: str) -> dict[str, Any]:
    """Build a model and call it with both inputs. Files are relative to the folder that holds the library."""
    import torch

    from onnx_lint_exporter.worker.execution import call, leaves
    from onnx_lint_exporter.worker.inputs import from_specs
    from onnx_lint_exporter.worker.spec import parse

    files: set[str] = set()

    def note(frame: FrameType, event: str, _argument: object) -> None:
        if event == "call":
            files.add(frame.f_code.co_filename)

    digest = hashlib.sha256()
    sys.setprofile(note)
    try:
        torch.manual_seed(0)
        model = MODELS[name].build().eval()
        inputs = from_specs(model, parse(MODELS[name].inputs))
        for given in (inputs.first, inputs.second):
            for path, value in leaves(call(model, given)):
                digest.update(f"{path} {type(value).__name__} ".encode())
                if isinstance(value, torch.Tensor):
                    digest.update(f"{value.dtype} {tuple(value.shape)} ".encode())
                    digest.update(value.detach().contiguous().numpy().tobytes())
                else:
                    digest.update(repr(value).encode())
        outcome = digest.hexdigest()
    except Exception as error:  # noqa: BLE001 - which exception it is, is what is compared
        outcome = type(error).__name__
    finally:
        sys.setprofile(None)
    roots = {library: _installed(library).parent for library in LIBRARIES if library in sys.modules}
    found = {
        str(Path(file).relative_to(root))
        for file in files
        for library, root in roots.items()
        if Path(file).is_relative_to(root / library)
    }
    return {"outcome": outcome, "files": sorted(found)}


# --------------------------------------------------------------------------------------------------- in the parent
def _installed(library: str) -> Path:
    """The folder of a package that is installed, without importing it."""
    found = importlib.util.find_spec(library)
    if found is None or found.origin is None:
        raise SystemExit(f"{library} is not installed")
    return Path(found.origin).parent


def _environment(first: Path | None) -> dict[str, str]:
    """An environment whose Python looks for packages in that folder first."""
    paths = [str(first)] if first is not None else []
    paths += [path for path in [os.environ.get("PYTHONPATH", "")] if path]
    return {**os.environ, "PYTHONPATH": os.pathsep.join(paths)}


def ran(name: str, first: Path | None) -> Ran:
    """Run a model in a process of its own."""
    command = [sys.executable, __file__, "--run", name]
    done = subprocess.run(command, env=_environment(first), capture_output=True, text=True, check=False)
    if done.returncode:
        return Ran(f"status {done.returncode}: {done.stderr[-300:]}", frozenset())
    said = json.loads(done.stdout.splitlines()[-1])
    return Ran(said["outcome"], frozenset(said["files"]))


def exported(name: str, first: Path | None) -> dict[str, bool]:
    """By engine, whether the export is right on both inputs."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "rows.json"
        script = Path(__file__).with_name("export_real_models.py")
        command = [sys.executable, str(script), "--only", name, "--json", str(file)]
        subprocess.run(command, env=_environment(first), capture_output=True, check=False)
        return {r["engine"]: bool(r.get("verified")) for r in json.loads(file.read_text()) if r["model"] == name}


def fix(libraries: Iterable[str], into: Path, *, unsafe: bool) -> set[str]:
    """Copy libraries into a folder and fix them there: the files that changed, relative to it."""
    changed: set[str] = set()
    for library in libraries:
        original = _installed(library)
        copy = into / library
        shutil.copytree(original, copy, symlinks=True, ignore=shutil.ignore_patterns("__pycache__"))
        lint(copy, "--fix", "-q", "--output-format", "concise", *(["--unsafe-fixes"] if unsafe else []))
        for path in copy.rglob("*.py"):
            if path.read_bytes() != (original / path.relative_to(copy)).read_bytes():
                changed.add(str(path.relative_to(into)))
    return changed


def compare(name: str, folder: Path, changed: set[str]) -> bool | None:
    """Whether a model does the same before and after; ``None`` if no file that changed has a part in it."""
    before = ran(name, None)
    if not before.files & changed:
        return None
    after = ran(name, folder)
    is_good = before.outcome == after.outcome
    said = ["results equal" if is_good else f"RESULTS DIFFER: {before.outcome[:60]}, then {after.outcome[:300]}"]
    old, new = exported(name, None), exported(name, folder)
    for engine, was in old.items():
        is_worse = was and not new.get(engine, False)
        said.append(f"{engine} {'right' if was else 'not right'} -> {'right' if new.get(engine) else 'not right'}")
        is_good = is_good and not is_worse
    print(f"{name}: {', '.join(said)} ({', '.join(sorted(before.files & changed))})", flush=True)
    return is_good


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--unsafe", action="store_true", help="apply unsafe fixes too, to see what they do")
    parser.add_argument("--only", default="", help="models whose name holds this text")
    parser.add_argument("--damage", action="append", default=[], metavar="LIBRARY/FILE")
    parser.add_argument("--run", metavar="MODEL", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.run:
        print(json.dumps(run(options.run)))
        return 0
    names = [name for name in MODELS if options.only in name]
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary).resolve()
        wanted = [library for library in LIBRARIES if any(name.startswith(library) for name in names)]
        changed = fix(wanted, folder, unsafe=options.unsafe)
        for file in options.damage:
            with (folder / file).open("a", encoding="utf-8") as stream:
                stream.write(_DAMAGE)
            changed.add(file)
        print(f"{len(changed)} files changed: {', '.join(sorted(changed))}", flush=True)
        judged = [compare(name, folder, changed) for name in names] if changed else []
    compared = [is_good for is_good in judged if is_good is not None]
    print(f"{len(names)} models, {len(compared)} of them run a changed file, {compared.count(False)} do worse")
    return int(not all(compared))


if __name__ == "__main__":
    sys.exit(main())
