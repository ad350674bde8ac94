"""The gallery exported: hazards are pinned on the lines that hold them, the repaired twins are right."""

from __future__ import annotations

import re
import shlex
import shutil
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
from commands import export

pytestmark = pytest.mark.torch
ROOT = Path(__file__).parents[2]
GUIDE = (ROOT / "docs" / "export.md").read_text(encoding="utf-8")
SCRIPT = (ROOT / "tools" / "export_example.sh").read_text(encoding="utf-8")
COMMANDS = [shlex.split(line) for line in re.findall(r"^    onnx-lint --export (examples/\S+ .*)$", GUIDE, re.M)]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    shutil.copytree(ROOT / "examples", tmp_path / "examples")
    return tmp_path


def line_of(name: str, code: str) -> int:
    lines = (ROOT / "examples" / name).read_text(encoding="utf-8").split("\n")
    (found,) = [number for number, line in enumerate(lines, 1) if code in line]
    return found


def test_the_commands_of_the_guide(folder: Path, warm_python: str) -> None:
    hazards, repaired = COMMANDS
    ran = export(folder, warm_python, [*hazards, "--output-format", "json"])
    name = "transformer_block_hazards.py"
    assert ran.status == 1 and (folder / "hazards.html").is_file()
    traced, refused = ran.export("torchscript"), ran.export("dynamo")
    assert (traced["input1"]["state"], traced["input2"]["state"]) == ("right", "failed")
    assert (refused["exported"], refused["stage"]) == (False, "capture")
    errors = {(d["code"], d["line"]) for d in ran.document["diagnostics"] if d["severity"] == "error"}
    assert errors >= {
        ("ONX105", line_of(name, "for i in range(batch)")),
        ("ONX205", line_of(name, "residual = x.data")),
        ("ONX101", line_of(name, "if x.abs().max() > 100")),
    }
    ran = export(folder, warm_python, [*repaired, "--output-format", "json"])
    assert ran.status == 0 and ran.document["diagnostics"] == [] and (folder / "block.onnx").is_file()
    for engine in ("torchscript", "dynamo"):
        entry = ran.export(engine)
        assert (entry["input1"]["state"], entry["input2"]["state"]) == ("right", "right")


def test_the_script_runs_the_commands_of_the_guide() -> None:
    for command in COMMANDS:
        for word in command[1:]:
            if ":" in word:
                assert f"'{word}'" in SCRIPT
    assert {command[0] for command in COMMANDS} == {
        f"examples/transformer_block_{twin}.py:TransformerBlock" for twin in ("hazards", "repaired")
    }


@pytest.mark.parametrize(
    ("name", "inputs"),
    [
        ("detection_head", ["--input", "feature:float32[b,16,h=6,w=7]"]),
        ("lstm_tagger", ["--input", "words:int64[b,s]=100"]),
    ],
)
def test_the_other_pairs_in_torchscript(folder: Path, warm_python: str, name: str, inputs: list[str]) -> None:
    states = []
    for twin in ("hazards", "repaired"):
        ran = export(
            folder,
            warm_python,
            [f"examples/{name}_{twin}.py", *inputs, "--engine", "torchscript", "--output-format", "json"],
        )
        entry = ran.export("torchscript")
        states.append((ran.status, entry["input2"]["state"]))
    assert states[0][0] == 1 and states[1] == (0, "right")
