"""The models against PyTorch's own samples, and the data files against their generators.

Here a part of the samples is run; ``tools/prove_shapes.py`` runs them all.
"""

from __future__ import annotations

import importlib.util
import json
import sys
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parents[3]
DATA = ROOT / "linter/onnx_lint/semantics/catalogue/data"
TORCH = "2.13.0"
"""The version of torch whose samples are counted below."""

pytestmark = [pytest.mark.torch, pytest.mark.slow, pytest.mark.filterwarnings("ignore")]


def tool(name: str) -> ModuleType:
    """A script in tools/."""
    pytest.importorskip("torch")
    pytest.importorskip("expecttest", reason="torch.testing._internal needs it")
    spec = importlib.util.spec_from_file_location(name, ROOT / f"tools/{name}.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # dataclasses look their module up, and one script imports the other
    spec.loader.exec_module(module)
    return module


def test_operators_give_what_torch_gives() -> None:
    tallies, samples = tool("prove_shapes").prove_operators(most=2)
    assert [w for t in tallies.values() for w in t.wrong] == []
    assert len(samples) > 550
    assert sum(1 for t in tallies.values() if t.proved) > 800


def test_modules_give_what_torch_gives() -> None:
    tallies = tool("prove_shapes").prove_modules(most=3)
    assert [w for t in tallies.values() for w in t.wrong] == []
    assert sum(1 for t in tallies.values() if t.proved) > 105


def test_the_signatures_of_modules_are_those_of_torch() -> None:
    generator = tool("generate_module_signatures")
    made = generator.table()
    if made["torch"] != TORCH:
        pytest.skip(f"the table is of torch {TORCH}")
    assert generator.serialised(made) == (DATA / "torch_nn.json").read_text(encoding="utf-8")


def test_other_names_of_functions_are_those_that_torch_has() -> None:
    tool("prove_shapes")
    generator = tool("generate_elementwise")
    table = json.loads((DATA / "elementwise.json").read_text(encoding="utf-8"))
    if table["torch"] != TORCH:
        pytest.skip(f"the table is of torch {TORCH}")
    assert generator.aliases() == table["aliases"]
