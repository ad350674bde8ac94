"""The scaffold of a rule, followed as CONTRIBUTING says, in a copy of the project."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).parents[2]


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    for name in (
        "linter",
        "rules",
        "tools",
        "tests/rules",
        "tests/fixtures/rules",
        "tests/systems.py",
        "pyproject.toml",
    ):
        source, target = CHECKOUT / name, tmp_path / name
        target.parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, target)
    return tmp_path


def run(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    path = os.pathsep.join(str(folder / name) for name in ("linter", "rules"))
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=folder, env={**os.environ, "PYTHONPATH": path}, capture_output=True, text=True, check=False,
    )  # fmt: skip


def check_rule(folder: Path, code: str) -> subprocess.CompletedProcess[str]:
    return run(folder, "-m", "pytest", "-q", "-p", "no:cacheprovider", "tests/rules/test_documentation.py",
               "-k", code, "-m", "not torch")  # fmt: skip


def test_a_rule_from_scaffold_to_green(copy: Path) -> None:
    """`unpack-tensor` is taken away and written anew."""
    (copy / "rules/onnx_lint_rules/containers/unpack_tensor.py").unlink()
    done = run(copy, "tools/new_rule.py", "containers", "tensor-taken-apart", "--site", "Iteration")
    assert done.returncode == 0, done.stderr
    made = done.stdout.split("\n\n")[0].split()
    assert made == [
        "rules/onnx_lint_rules/containers/tensor_taken_apart.py",
        "tests/fixtures/rules/hazards/tensor_taken_apart.py",
        "tests/fixtures/rules/clean/tensor_taken_apart.py",
    ]
    path = copy / made[0]
    text = path.read_text()
    assert text.startswith('"""ONX211 tensor-taken-apart."""\n'), "the first free code of the topic"
    unfinished = check_rule(copy, "ONX211")
    assert unfinished.returncode == 1 and "test_the_examples_are_true" in unfinished.stdout, unfinished.stdout

    for blank, written in (
        ("ONE SENTENCE: WHAT IT FINDS.", "A tensor unpacked into names."),
        ("WHAT EACH ENGINE DOES WITH IT, AND WITH WHAT MESSAGE. WHAT COMES OUT WRONG FOR OTHER INPUTS.",
         "Tracing fixes how many parts there are. It warns of that."),
        ("return x\n", "a, b = x[:2]\n        return a + b\n"),
        ("return x\n", "a, b = x[:2].unbind(0)\n        return a + b\n"),
        ("WHERE IT IS DOCUMENTED OR DISCUSSED", "PyTorch documentation, torch.unbind"),
        ("if iteration.depends_on_data:", "if iteration.how == \"unpack\":"),
        ("WHAT STANDS HERE, WITHOUT AN ENGINE", "the tensor is unpacked"),
        ("WHAT TO WRITE INSTEAD", "write `.unbind(0)`"),
    ):  # fmt: skip
        assert blank in text
        text = text.replace(blank, written, 1)
    path.write_text(text)
    finished = check_rule(copy, "ONX211")
    assert finished.returncode == 0, finished.stdout
    assert " passed" in finished.stdout


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("control_flow", "no-loops"), "'no-loops' is not a rule name"),
        (("control_flow", "data-dependent-branch", "ONX199"), "there is a rule data-dependent-branch already"),
        (("control_flow", "my-pattern", "ONX101"), "ONX101 is data-dependent-branch already; the next free code is"),
        (("weather", "my-pattern"), "weather has no rule yet"),
        (("control_flow", "my-pattern", "E501"), "'E501' is not a code"),
    ],
)
def test_what_cannot_be_begun(copy: Path, arguments: tuple[str, ...], told: str) -> None:
    done = run(copy, "tools/new_rule.py", *arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith(f"new_rule: {told}") and done.stderr.count("\n") == 1
