"""What a model is exported to: the export engine, the ONNX opset, the torch version.

*Engine* always means an export engine of ``torch.onnx.export``: ``torchscript`` (``dynamo=False``, tracing) or
``dynamo`` (``dynamo=True``, ``torch.export``; the default since torch 2.9).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from types import MappingProxyType


class Engine(str, Enum):
    """An export engine of ``torch.onnx.export``."""

    TORCHSCRIPT = "torchscript"
    DYNAMO = "dynamo"

    def __str__(self) -> str:
        return self.value


BOTH: tuple[Engine, ...] = (Engine.TORCHSCRIPT, Engine.DYNAMO)


class Verdict(str, Enum):
    """What an engine makes of a construct.

    Every verdict that a rule states is proved by exporting the rule's own example (torch 2.13.0).
    """

    FAILS = "fails"
    """The export, or the exported model at run time, stops with an error."""
    SILENTLY_WRONG = "silently wrong"
    """The export succeeds; on another input the exported model gives a wrong result."""
    WARNS = "warns"
    """The engine warns, the result is right, or right as long as the value does not change."""
    FINE = "fine"
    """Exports and agrees with eager execution."""


def measured(*, torchscript: Verdict, dynamo: Verdict) -> Mapping[Engine, Verdict]:
    """What each engine was seen to make of a construct, as a rule states it."""
    return MappingProxyType({Engine.TORCHSCRIPT: torchscript, Engine.DYNAMO: dynamo})


@dataclass(frozen=True)
class Target:
    """What a run of the linter checks for."""

    engines: tuple[Engine, ...] = BOTH
    opset: int | None = None
    """ONNX opset version, ``None`` for the exporter's default (20 in torch 2.13 for both engines)."""
    torch: str = "2.13"
    """The torch version whose measured behaviour counts."""
