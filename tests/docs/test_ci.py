"""Continuous integration runs what the documentation says is supported."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
yaml = pytest.importorskip("yaml", reason="comes with pre-commit")


def jobs() -> dict[str, Any]:
    document = yaml.safe_load((ROOT / ".github" / "workflows" / "ci.yml").read_text(encoding="utf-8"))
    jobs = document["jobs"]
    assert isinstance(jobs, dict)
    return jobs


def versions_of_the_metadata() -> list[str]:
    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    return re.findall(r'"Programming Language :: Python :: (3\.\d+)"', text)


def test_all_tests_run_with_every_supported_version() -> None:
    versions = versions_of_the_metadata()
    assert jobs()["test"]["strategy"]["matrix"]["python"] == versions
    text = (ROOT / "docs" / "command-line.md").read_text(encoding="utf-8")
    assert f"Linux, macOS and Windows with Python {versions[0]} to {versions[-1]}." in text
    assert f'requires-python = ">={versions[0]}"' in (ROOT / "pyproject.toml").read_text(encoding="utf-8")


def test_coverage_is_measured_once() -> None:
    (step,) = [step for step in jobs()["test"]["steps"] if step.get("run") == ".ci/run"]
    assert step["env"]["COVERAGE"] == "${{ matrix.python == '3.12' && '1' || '0' }}"
    script = (ROOT / "tools" / "test.sh").read_text(encoding="utf-8")
    assert '"${COVERAGE:-}" = 1' in script and "coverage report" in script


def test_fixes_are_proved() -> None:
    said = "\n".join(step.get("run", "") for step in jobs()["fixes"]["steps"])
    for part in ("pytest tests/fix_proof", "benchmarks/fix_proof.py", "benchmarks/fix_proof_models.py"):
        assert part in said
        assert (ROOT / part.split()[-1]).exists(), part


def test_linter_export_and_server_run_on_three_systems() -> None:
    job = jobs()["systems"]
    assert [os.partition("-")[0] for os in job["strategy"]["matrix"]["os"]] == ["ubuntu", "macos", "windows"]
    said = "\n".join(step.get("run", "") for step in job["steps"])
    assert "pytest tests/cli" in said and "onnx-lint --export " in said and "tests/lsp" in said
    for path in re.findall(r"\b(?:tests|examples)/[\w/.]+", said):
        assert (ROOT / path).exists(), path


def test_line_ends_are_those_of_the_repository_on_every_system() -> None:
    """Git for Windows would change them on checkout: sources and expectations are compared byte by byte."""
    rules = [line for line in (ROOT / ".gitattributes").read_text(encoding="utf-8").splitlines() if line[:1] != "#"]
    assert rules == ["* -text"]
