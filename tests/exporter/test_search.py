"""The search for an input that goes wrong: models built to fool it, and right ones that it must leave alone."""

from __future__ import annotations

from pathlib import Path

import commands
import fooled
import pytest

FILE = Path(fooled.__file__)


def _hazard(name: str) -> int:
    lines = FILE.read_text().split("\n")
    start = next(number for number, line in enumerate(lines, 1) if line.startswith(f"class {name}("))
    return next(number for number, line in enumerate(lines, 1) if number > start and line.endswith("# hazard"))


def _ran(case: fooled.Case, folder: Path, python: str) -> commands.Ran:
    (folder / "fooled.py").write_text(FILE.read_text())
    return commands.export(
        folder, python, [f"fooled.py:{case.name}", "fooled.py", *case.arguments, "--output-format", "json"]
    )


@pytest.mark.parametrize("case", fooled.CASES, ids=lambda case: f"{case.name}-{case.arguments[-1]}")
def test_fooled(case: fooled.Case, tmp_path: Path, warm_python: str) -> None:
    ran = _ran(case, tmp_path, warm_python)
    line = _hazard(case.name)
    for engine, wanted in (("torchscript", case.torchscript), ("dynamo", case.dynamo)):
        entry = ran.export(engine)
        states = [run["state"] for run in (entry["input1"], entry["input2"])]
        states += [entry["proof"]["failed"]["state"]] if entry["proof"] else []
        evidence = [
            each["state"]
            for d in ran.document["diagnostics"]
            if d["line"] == line
            for each in d["evidence"]
            if each["engine"] == engine
        ]
        if wanted == "fails":
            assert not entry["exported"], entry
            continue
        bad = [state for state in states if state in ("wrong", "failed")]
        assert bool(bad) == (wanted == "wrong"), (engine, entry)
        assert wanted == "right" or "refuted" not in evidence, (engine, evidence)
        if wanted == "wrong":
            assert not entry["ok"]
            here = [d for d in ran.document["diagnostics"] if d["line"] == line and engine in d["engines"]]
            assert any(d["severity"] == "error" for d in here), (engine, ran.document["diagnostics"])
