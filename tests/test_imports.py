"""Every module can be imported first, in a fresh process: none rests on another one that happened to come before."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
ROOTS = {"onnx_lint": "linter", "onnx_lint_rules": "rules", "onnx_lint_exporter": "exporter", "onnx_lint_lsp": "lsp"}
NEED_TORCH = {f"onnx_lint_exporter.{name}" for name in ("api", "mismatch_report", "reproduction")}
"""Outside the worker."""


def modules() -> list[str]:
    found = []
    for package, folder in ROOTS.items():
        for file in (ROOT / folder / package).rglob("*.py"):
            parts = file.relative_to(ROOT / folder).with_suffix("").parts
            if parts[-1] != "__main__":  # starts its program
                found.append(".".join(parts[:-1] if parts[-1] == "__init__" else parts))
    return sorted(found)


def parameter(name: str) -> object:
    marks = []
    if name.startswith("onnx_lint_exporter.worker"):
        marks = [pytest.mark.torch, pytest.mark.slow]
    elif name in NEED_TORCH:
        marks = [pytest.mark.torch]
    return pytest.param(name, marks=marks)


@pytest.mark.parametrize("name", [parameter(name) for name in modules()])
def test_a_module_can_be_imported_first(name: str) -> None:
    path = [str(ROOT / folder) for folder in ROOTS.values()]
    script = f"import sys; sys.path[:0] = {path!r}; import {name}"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_all_four_packages_are_looked_at() -> None:
    assert {name.partition(".")[0] for name in modules()} == set(ROOTS)
    assert len(modules()) > 150
