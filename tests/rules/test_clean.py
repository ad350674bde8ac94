"""Negative cases: code that looks like a hazard and is none. Nothing at warning or above, and it exports right."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest
from rules.proofs import Case, Measured, measure

from onnx_lint.diagnostic import Severity
from onnx_lint.settings import Settings
from onnx_lint.target import Engine, Verdict
from onnx_lint.testing import check_source

FOLDER = Path(__file__).parents[1] / "fixtures" / "rules" / "clean"
FILES = {path.name: path.read_text(encoding="utf-8") for path in sorted(FOLDER.glob("*.py"))}


def models(text: str) -> dict[str, int]:
    """The modules with a ``forward`` of a file, with their line."""
    classes = [node for node in ast.parse(text).body if isinstance(node, ast.ClassDef)]
    return {
        node.name: node.lineno
        for node in classes
        if any(isinstance(member, ast.FunctionDef) and member.name == "forward" for member in node.body)
    }


def inputs(text: str) -> dict[str, tuple[str, str, dict[str, tuple[int, ...]]]]:
    """The table ``INPUTS`` of a file: class to example, other input and dynamic axes."""
    for node in ast.parse(text).body:
        target = (
            node.target
            if isinstance(node, ast.AnnAssign)
            else node.targets[0]
            if isinstance(node, ast.Assign)
            else None
        )
        if isinstance(target, ast.Name) and target.id == "INPUTS" and isinstance(node, (ast.Assign, ast.AnnAssign)):
            assert node.value is not None
            found = ast.literal_eval(node.value)
            assert isinstance(found, dict)
            return found
    raise AssertionError("no INPUTS")


CASES = [(name, model) for name, text in FILES.items() for model in models(text)]


@pytest.mark.parametrize("name", FILES)
def test_nothing_is_said_at_warning_or_above(name: str) -> None:
    grave = [
        d
        for d in check_source(FILES[name], path=name, settings=Settings(preview=True))
        if d.severity >= Severity.WARNING
    ]
    assert [f"{d.span.line}: {d.code} {d.message}" for d in grave] == []


def test_there_are_sixty_of_them() -> None:
    assert len(CASES) >= 60


@pytest.fixture(scope="module")
def measured() -> dict[str, dict[Engine, Measured]]:
    cases: list[Case] = []
    for name, model in CASES:
        if name == "not_traced.py":
            continue
        table = inputs(FILES[name])
        source = f"{FILES[name]}\n\nModel = {model}\n"
        engines = (Engine.TORCHSCRIPT,)
        if model in table:
            first, second, dynamic = table[model]
            cases.append(Case(f"{name}:{model}", source, first, second, dynamic, engines))
        else:
            cases.append(Case(f"{name}:{model}", source, engines=engines))
    return measure(cases)


@pytest.mark.torch
@pytest.mark.parametrize(("name", "model"), [c for c in CASES if c[0] != "not_traced.py"])
def test_it_exports_right(name: str, model: str, measured: dict[str, dict[Engine, Measured]]) -> None:
    found = measured[f"{name}:{model}"][Engine.TORCHSCRIPT]
    assert found.verdict in (Verdict.FINE, Verdict.WARNS), found.detail
