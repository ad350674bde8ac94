"""What a check looked at, and what it did not: the summary of every output is made of it."""

from __future__ import annotations

from dataclasses import dataclass, field

from onnx_lint.diagnostic import Span


@dataclass(frozen=True)
class CutOff:
    """A limit of the analysis that an entry point met, a function, or a class: code below it was not followed, or
    with less knowledge."""

    span: Span
    """The entry point, the function, or the class."""
    name: str
    """The name of the class or function."""
    reason: str
    """What was not followed, and the limit: words that go behind "`Net` is not analysed in full: "."""
    kind: str = "model"
    """``model``, which is an entry point, ``function`` or ``class``."""


@dataclass(frozen=True)
class Coverage:
    """What a check looked at."""

    files: int = 0
    """Files that were to be reported on."""
    models: int = 0
    """Classes with a ``forward`` in the project."""
    entry_points: int = 0
    """Models whose ``forward`` was entered from outside; others are followed as parts of these, or not exported."""
    functions: int = 0
    """Distinct functions and methods that were followed as traced code."""
    rules: int = 0
    """Rules that ran."""
    all_rules: int = 0
    """Stable rules that are installed."""
    cut_offs: tuple[CutOff, ...] = ()

    @property
    def is_empty(self) -> bool:
        """Whether no traced code was followed, so that finding nothing means nothing."""
        return not self.functions


@dataclass
class Tally:
    """Counts while the analysis goes on."""

    models: int = 0
    entry_points: int = 0
    functions: int = 0
    cut_offs: set[CutOff] = field(default_factory=set)
