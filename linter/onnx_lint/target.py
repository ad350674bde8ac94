"""What a model is exported to: the export engine, the ONNX opset, the torch version.

*Engine* always means an export engine of ``torch.onnx.export``: ``torchscript`` (``dynamo=False``, tracing) or
``dynamo`` (``dynamo=True``, ``torch.export``; the default since torch 2.9).
"""

from __future__ import annotations

import re
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

    @property
    def bit(self) -> int:
        """Its place in a bit set of engines, as values carry it: torchscript 1, dynamo 2."""
        return 1 << list(Engine).index(self)


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


_PHRASE = re.compile(r"((?:\w+ly )?)(\w+s)\b")


@dataclass(frozen=True)
class Effect:
    """What one engine makes of a construct: the verdict, and what there is to say about it.

    Raises `ValueError` for a verdict other than fine whose words do not begin with a verb.
    """

    verdict: Verdict
    words: str = ""
    """A phrase whose subject is the engine, with its only verb in front: ``keeps the example's number``,
    ``silently keeps only the way taken``."""
    after: str = ""
    """What is said instead of `words` behind those of the other engine, where that is shorter: ``does so silently``."""
    help: str = ""
    """What to write instead, if that holds for this engine only."""

    def __post_init__(self) -> None:
        if self.verdict is not Verdict.FINE and _PHRASE.match(self.words) is None:
            raise ValueError(f"the words of an effect begin with a verb in the third person, not {self.words!r}")

    @property
    def plural(self) -> str:
        """The words as they follow "both engines": ``keep the example's number``."""
        phrase = _PHRASE.match(self.words)
        assert phrase is not None, "checked when it was made"
        adverb, verb = phrase.groups()
        stem = verb[:-2] if verb.endswith(("xes", "oes", "sses", "shes", "ches")) else verb[:-1]
        return f"{adverb}{stem}{self.words[phrase.end() :]}"


FINE = Effect(Verdict.FINE)

Effects = Mapping[Engine, Effect]
"""What each engine makes of a construct; for an engine that is missing it is fine."""


def measured(*, torchscript: Effect = FINE, dynamo: Effect = FINE) -> Effects:
    """What each engine was seen to make of a construct, as a rule states it."""
    return MappingProxyType({Engine.TORCHSCRIPT: torchscript, Engine.DYNAMO: dynamo})


def fails(words: str, *, after: str = "", help: str = "") -> Effect:
    """The export, or the exported model at run time, stops with an error."""
    return Effect(Verdict.FAILS, words, after, help)


def wrong(words: str, *, after: str = "", help: str = "") -> Effect:
    """The export succeeds, and the exported model is wrong for another input."""
    return Effect(Verdict.SILENTLY_WRONG, words, after, help)


def warns(words: str, *, after: str = "", help: str = "") -> Effect:
    """The engine warns, or something is lost that no number shows; the result is right."""
    return Effect(Verdict.WARNS, words, after, help)


@dataclass(frozen=True)
class Target:
    """What a run of the linter checks for."""

    engines: tuple[Engine, ...] = BOTH
    opset: int | None = None
    """ONNX opset version, ``None`` for the exporter's default (20 in torch 2.13 for both engines)."""
    torch: str = "2.13"
    """The torch version whose measured behaviour counts."""
