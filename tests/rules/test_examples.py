"""The gallery: the hazards are found, and the repaired twins say the same in eager mode and export right."""

from __future__ import annotations

from pathlib import Path

import pytest
from rules.proofs import Case, Measured, measure

from onnx_lint.diagnostic import Severity
from onnx_lint.target import Engine, Verdict
from onnx_lint.testing import check_source

FOLDER = Path(__file__).parents[2] / "examples"
GALLERY = {
    "transformer_block": (
        "TransformerBlock",
        "(torch.randn(2, 6, 32), torch.tensor([6, 4]))",
        "(torch.randn(3, 40, 32), torch.tensor([40, 3, 17]))",
        {"x": (0, 1), "lengths": (0,)},
    ),
    "detection_head": (
        "DetectionHead",
        "(torch.randn(2, 16, 4, 6),)",
        "(torch.randn(3, 16, 7, 5),)",
        {"feature": (0, 2, 3)},
    ),
    "lstm_tagger": (
        "Tagger",
        "(torch.randint(1, 100, (2, 6)),)",
        "(torch.randint(1, 100, (3, 9)),)",
        {"words": (0, 1)},
    ),
}
names = pytest.mark.parametrize("name", GALLERY)


def text(name: str) -> str:
    return (FOLDER / f"{name}.py").read_text(encoding="utf-8")


def test_every_example_is_tested() -> None:
    files = {path.stem for path in FOLDER.glob("*.py")}
    assert files == {f"{name}_{kind}" for name in GALLERY for kind in ("hazards", "repaired")}


@names
def test_hazards_of_many_kinds_are_found(name: str) -> None:
    found = check_source(text(f"{name}_hazards"))
    assert len({d.code for d in found}) >= 6
    assert len([d for d in found if d.severity >= Severity.WARNING]) >= 6


@names
def test_the_repaired_twin_is_clean(name: str) -> None:
    assert [f"{d.span.line}: {d.code}" for d in check_source(text(f"{name}_repaired"))] == []


@pytest.fixture(scope="module")
def measured() -> dict[str, dict[Engine, Measured]]:
    cases: list[Case] = []
    for name, (model, first, second, dynamic) in GALLERY.items():
        for kind in ("hazards", "repaired"):
            source = f"{text(f'{name}_{kind}')}\n\nModel = {model}\n"
            cases.append(Case(f"{name}_{kind}", source, first, second, dynamic))
        cases.append(
            Case(f"{name} in eager mode", comparison(name, model), first, second, dynamic, (Engine.TORCHSCRIPT,))
        )
    return measure(cases)


def comparison(name: str, model: str) -> str:
    """A model that runs both twins with the same weights and fails unless they say the same."""
    load = "".join(
        f"{kind} = types.ModuleType({kind!r})\nsys.modules[{kind!r}] = {kind}\n"
        f"exec(compile({text(f'{name}_{kind}')!r}, {kind!r}, 'exec'), vars({kind}))\n"
        for kind in ("hazards", "repaired")
    )
    return f"""
import sys
import types

import torch

{load}

def tensors(value):
    parts = value.values() if isinstance(value, dict) else value
    return [part for part in parts if isinstance(part, torch.Tensor)]


class Model(torch.nn.Module):
    def forward(self, *inputs):
        torch.manual_seed(1)
        before = hazards.{model}().eval()
        torch.manual_seed(1)
        after = repaired.{model}().eval()
        ours, theirs = tensors(before(*inputs)), tensors(after(*inputs))
        assert len(ours) == len(theirs)
        for one, other in zip(ours, theirs):
            torch.testing.assert_close(one, other)
        return tuple(theirs)
"""


@pytest.mark.torch
@names
def test_the_repaired_twin_exports_right_in_both_engines(
    name: str, measured: dict[str, dict[Engine, Measured]]
) -> None:
    found = measured[f"{name}_repaired"]
    assert all(m.verdict in (Verdict.FINE, Verdict.WARNS) for m in found.values()), found


@pytest.mark.torch
@names
def test_the_hazards_break_both_engines(name: str, measured: dict[str, dict[Engine, Measured]]) -> None:
    found = measured[f"{name}_hazards"]
    assert all(m.verdict in (Verdict.FAILS, Verdict.SILENTLY_WRONG) for m in found.values()), found


@pytest.mark.torch
@names
def test_both_twins_say_the_same_in_eager_mode(name: str, measured: dict[str, dict[Engine, Measured]]) -> None:
    assert f"{name} in eager mode" in measured, "`measure` refuses a case that eager mode cannot run"
