"""The guide ``docs/export.md``: its Python runs, its options exist, its commands parse."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from onnx_lint_exporter.options import parser
from onnx_lint_exporter.worker.spec import parse

GUIDE = (Path(__file__).parents[2] / "docs" / "export.md").read_text(encoding="utf-8")


@pytest.mark.torch
def test_the_python_of_the_guide_runs(tmp_path: Path) -> None:
    (code,) = re.findall(r"```python\n(.*?)```", GUIDE, re.S)
    file = tmp_path / "guide.py"
    file.write_text(code)
    done = subprocess.run(
        [sys.executable, str(file)], check=False, cwd=tmp_path, capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, done.stderr
    line = 1 + code.split("\n").index("        return torch.special.airy_ai(x) + 1")
    assert f"translate [('ONX903', {line})]" in done.stdout
    assert "first difference" in done.stdout and "ir_version" in done.stdout


def test_every_option_of_the_guide_exists() -> None:
    known = {option for action in parser()._actions for option in action.option_strings}
    named = set(re.findall(r"--[a-z][a-z-]+", GUIDE))
    assert len(named) > 25
    assert named <= known


@pytest.mark.parametrize("text", sorted(set(re.findall(r"`(\w+:\w+(?:\[[^\]]*\])?(?:=[\w.]+)?)`", GUIDE))))
def test_every_input_of_the_guide_is_read(text: str) -> None:
    (spec,) = parse([text.replace("\\", "")])
    assert spec.name == text.partition(":")[0]
