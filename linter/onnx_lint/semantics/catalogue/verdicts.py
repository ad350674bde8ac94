"""What each export engine makes of operators and modules: a table made by running them.

The table is data (``data/verdicts.json``, made by ``tools/generate_verdicts.py``) with the versions it was made with.
A *form* is an operator or module with what of its arguments matters, run with dynamic dimensions; an operator without
forms was run with PyTorch's own samples.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from onnx_lint.target import Engine

_DATA = Path(__file__).with_name("data") / "verdicts.json"


@dataclass(frozen=True)
class Outcome:
    """What one engine made of an operator. `verdict`: ``fine``, ``fails``, ``silently wrong``, ``random`` or ``mixed``
    (its samples disagree). `stage`: where it failed (``capture``, ``translate``, ``check``, ``run, example``,
    ``run, other size``) or was wrong (``example``, ``other size``)."""

    verdict: str
    stage: str = ""
    message: str = ""

    @property
    def at_other_size(self) -> bool:
        """Whether the example itself is right."""
        return self.stage.endswith("other size")


@dataclass(frozen=True)
class Entry:
    """What both engines made of an operator or form."""

    outcomes: Mapping[Engine, Outcome]
    lowest: int | None = None
    """The lowest opset at which torchscript exports it; ``None`` where the lowest that was tried works."""


@dataclass(frozen=True)
class Verdicts:
    """The table, by full name. `versions` are those of the libraries it was made with, `opset` that of the runs."""

    versions: Mapping[str, str]
    opset: int
    operators: Mapping[str, Entry]
    forms: Mapping[str, Entry]


@lru_cache(maxsize=1)
def table() -> Verdicts:
    """The table that comes with the linter."""
    data: dict[str, Any] = json.loads(_DATA.read_text(encoding="utf-8"))
    operators = {name: _entry(found) for name, found in data["operators"].items()}
    forms = {name: _entry(found) for name, found in data["forms"].items()}
    return Verdicts(data["versions"], data["opset"], operators, forms)


def _entry(found: dict[str, Any]) -> Entry:
    outcomes = {engine: Outcome(*found[engine.value]) for engine in Engine if engine.value in found}
    return Entry(outcomes, found.get("lowest"))


@lru_cache(maxsize=1)
def names() -> frozenset[str]:
    """The full names of all operators and modules in the table, methods of tensors included."""
    found = {*table().operators, *(key.partition(":")[0] for key in table().forms)}
    methods = {f"torch.Tensor.{name[6:]}" for name in found if name.startswith("torch.") and name.count(".") == 1}
    return frozenset(found | methods)
