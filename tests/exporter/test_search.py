"""The search for an input that goes wrong: models built to fool it, and right ones that it must leave alone."""

from __future__ import annotations

import subprocess
import sys
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


@pytest.mark.parametrize(
    ("name", "arguments"),
    [("RareMaximum", ["--input", "x:float32[n=4,3]"]), ("Counting", ["--input", "x:float32[4,3]"])],
)
def test_the_witness_is_a_test_that_fails(name: str, arguments: list[str], tmp_path: Path, warm_python: str) -> None:
    (tmp_path / "fooled.py").write_text(FILE.read_text())
    tests = tmp_path / "tests"
    tests.mkdir()
    given = [f"fooled.py:{name}", "--engine", "torchscript", *arguments, "--save-witness", "tests/test_export.py"]
    ran = commands.export(tmp_path, warm_python, given)
    assert ran.status == 1 and "a test that fails today" in ran.err
    test = tests / "test_export.py"
    assert name in test.read_text()
    pytested = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(test)]
    failing = subprocess.run(pytested, check=False, capture_output=True, text=True, timeout=120)
    assert failing.returncode == 1 and "values differ" in failing.stdout, failing.stdout
    # and it passes once the model is repaired
    repaired = FILE.read_text().replace("if x.max() > 8:", "if False:").replace("self.calls += 1", "self.calls = 1")
    (tmp_path / "fooled.py").write_text(repaired)
    passing = subprocess.run(pytested, check=False, capture_output=True, text=True, timeout=120)
    assert passing.returncode == 0, passing.stdout


def test_no_witness_of_a_right_export(tmp_path: Path, warm_python: str) -> None:
    (tmp_path / "net.py").write_text(RIGHT)
    ran = commands.export(
        tmp_path, warm_python, ["net.py", "--input", "x:float32[n,3]", "--save-witness", "test_it.py"]
    )
    assert ran.status == 0 and not (tmp_path / "test_it.py").exists()
    assert "test_it.py is not written" in ran.err


RIGHT = """\
import torch


class Net(torch.nn.Module):
    def forward(self, x):
        y = x * 2
        if x.shape[1] == 3:
            y = y + 1
        return torch.where(x > 0, y, x)
"""


def test_how_much_was_proved(tmp_path: Path, warm_python: str) -> None:
    (tmp_path / "net.py").write_text(RIGHT)
    ran = commands.export(tmp_path, warm_python, ["net.py", "--input", "x:float32[n,3]", "--output-format", "json"])
    proof = ran.export("torchscript")["proof"]
    assert proof["inputs"] > 20 and proof["axes"] == proof["axes_varied"] == 1
    assert proof["branches"] == 0  # its only branch is on a size that cannot change
    ran = commands.export(tmp_path, warm_python, ["net.py", "--input", "x:float32[n,3]"])
    assert f"torchscript: right on {proof['inputs']} inputs; 1 of 1 size varied" in ran.out


def test_sizes_vary_by_themselves(tmp_path: Path, warm_python: str) -> None:
    """Without any option, every size varies that may, so that what the trace has frozen shows."""
    (tmp_path / "net.py").write_text(
        "import torch\n\n\nclass Net(torch.nn.Module):\n    def __init__(self):\n        super().__init__()\n"
        "        self.words = torch.nn.Embedding(100, 8)\n        self.linear = torch.nn.Linear(8, 4)\n\n"
        "    def forward(self, ids):\n        return self.linear(self.words(ids)[:, : int(ids.shape[0])])\n"
    )
    ran = commands.export(tmp_path, warm_python, ["net.py", "--engine", "torchscript", "--output-format", "json"])
    assert ran.export("torchscript")["inputs_from"] == "inputs from the analysis: ids: int64[N, S] below 100"
    assert ran.status == 1 and [d["line"] for d in ran.document["diagnostics"] if d["severity"] == "error"] == [11]


def test_a_branch_of_a_script_in_a_trace_is_not_to_blame(tmp_path: Path, warm_python: str) -> None:
    """``script_if_tracing`` keeps both ways, so that the decision is none of the trace's."""
    (tmp_path / "net.py").write_text(
        "import torch\n\n\n@torch.jit.script_if_tracing\ndef doubled(x):\n    if x.shape[0] > 7:\n"
        "        return x * 2\n    return x\n\n\nclass Net(torch.nn.Module):\n    def forward(self, x):\n"
        "        return doubled(x) * min(x.shape[0], 10)\n"
    )
    arguments = ["net.py", "--engine", "torchscript", "--input", "x:float32[n=4,3]", "--output-format", "json"]
    ran = commands.export(tmp_path, warm_python, arguments)
    errors = [d["line"] for d in ran.document["diagnostics"] if d["severity"] == "error"]
    assert errors == [13], ran.document["diagnostics"]
