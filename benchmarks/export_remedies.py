"""Of the exports that fail or are wrong: how many get a remedy that works, and how many ``--repair`` repairs.

    python benchmarks/export_remedies.py [--only TEXT] [--part corpus|silent|both] [--every N] [--list]

The models are those of the tests' corpus and of ``benchmarks/silent``, each exported by both engines. A remedy that
works is one of these, all of them executed: the other engine exports the model right in the same run, and is named
first; a replacement of the operator from ``remedies``, whose tests run it; or a repair, a patch or the compiled model,
with which the engine, else the other one, is right and the model gives what it gave. The share that ``--repair``
repairs is given by itself.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT / "tests" / "exporter"), str(ROOT / "tests"), str(ROOT / "benchmarks")]

import corpus_runs  # noqa: E402 - of the tests
import silent_hazards  # noqa: E402
from commands import Ran, export  # noqa: E402
from warm import WarmPython  # noqa: E402

from onnx_lint_exporter.remedies import TORCH  # noqa: E402

ENGINES = ("torchscript", "dynamo")
_FROM_TABLE = f"(tried with torch {TORCH})"


@dataclass(frozen=True)
class Model:
    """One model, in a file with a function that gives its inputs."""

    key: str
    source: str
    name: str
    inputs: str


def models(part: str) -> Iterator[Model]:
    """Those of the corpus and of the silent hazards."""
    if part in ("corpus", "both"):
        for case in corpus_runs.cases():
            yield Model(f"corpus.{case.id}", case.file.read_text(), case.name, f"{case.name}.inputs")
    if part in ("silent", "both"):
        for each in silent_hazards.cases():
            text = each.path.read_text() + f"\n\ndef given():\n    return list({each.name}.example())\n"
            yield Model(f"silent.{each.key}", text, each.name, "given")


def run(folder: Path, python: str, model: Model) -> Ran:
    """The export of a model by both engines, with repairs."""
    (folder / "net.py").write_text(model.source)
    given = [f"net.py:{model.name}", "--inputs-from", f"net.py:{model.inputs}"]
    return export(folder, python, [*given, "--repair", "--output-format", "json", "--quiet"])


def remedy_of(ran: Ran, engine: str) -> str:
    """The first kind of remedy that works; empty when there is none."""
    entry = ran.export(engine)
    if entry["repair"] is not None:
        return "repair"
    said = [d for d in ran.document["diagnostics"] if engine in d["engines"] and d["severity"] == "error"]
    if any(_FROM_TABLE in (d["help"] or "") for d in said):
        return "replacement"
    others = [each for each in ran.document["exports"] if each["engine"] != engine]
    if any(each["ok"] and not each["not_proved"] for each in others):
        return "engine"
    return "other engine repaired" if any(each["repair"] is not None for each in others) else ""


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--only", default="")
    parser.add_argument("--part", choices=("corpus", "silent", "both"), default="both")
    parser.add_argument("--every", type=int, default=1, help="every Nth model only")
    parser.add_argument("--list", action="store_true", help="print each failure with what helps")
    given = parser.parse_args()
    found: dict[str, Counter[str]] = {engine: Counter() for engine in ENGINES}
    with tempfile.TemporaryDirectory() as temporary:
        server = Path(temporary) / "warm"
        server.mkdir()
        warm = WarmPython(server)
        for number, model in enumerate(models(given.part)):
            if given.only not in model.key or number % given.every:
                continue
            folder = Path(temporary) / str(number)
            folder.mkdir()
            try:
                ran = run(folder, str(warm.program), model)
                bad = [entry["engine"] for entry in ran.document["exports"] if not entry["ok"]]
            except json.JSONDecodeError:
                print(f"    {model.key}: {ran.err.strip()[-200:]}", flush=True)
                continue
            for engine in bad:
                helps = remedy_of(ran, engine)
                found[engine][helps or "none"] += 1
                if given.list:
                    first = next((d for d in ran.document["diagnostics"] if engine in d["engines"]), None)
                    words = f"{first['code']} {first['message'][:90]}" if first else ""
                    print(f"    {model.key}, {engine}: {helps or 'NONE'}: {words}", flush=True)
        warm.close()
    for engine, counts in [*found.items(), ("both", sum(found.values(), Counter()))]:
        count = counts.total()
        if count:
            helped, repaired = count - counts["none"], counts["repair"]
            helps, repairs = f"{helped} ({100 * helped / count:.0f} %)", f"{repaired} ({100 * repaired / count:.0f} %)"
            print(
                f"{engine}: of {count} that fail or are wrong {helps} get a remedy that works, {repairs} are repaired: "
                f"{dict(counts.most_common())}"
            )
    return 0


if __name__ == "__main__":
    sys.exit(main())
