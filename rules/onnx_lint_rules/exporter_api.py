"""What `torch.onnx` offers, and offered once, as data: the version is in the file."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib import resources
from typing import Any


@dataclass(frozen=True)
class ExporterApi:
    """`removed_parameters` and `removed_names` say what to use instead. `opsets` are by engine: ``lowest``,
    ``highest``, and ``fails_from`` where higher ones than the highest are tried at first."""

    torch: str
    parameters: frozenset[str]
    removed_parameters: Mapping[str, str]
    removed_names: Mapping[str, str]
    opsets: Mapping[str, Mapping[str, int]]


@lru_cache(maxsize=1)
def exporter_api() -> ExporterApi:
    """The table that comes with the rules."""
    text = (resources.files("onnx_lint_rules") / "data" / "exporter_api.json").read_text(encoding="utf-8")
    data: dict[str, Any] = json.loads(text)
    return ExporterApi(
        data["torch"],
        frozenset(data["parameters"]),
        data["removed_parameters"],
        data["removed_names"],
        data["opsets"],
    )
