"""What the code of one file led to: the unit of a run that is computed by itself, kept for the next run, and joined.

A part is what the entry points of a file reach, wherever it lies, and what is said of the file's own uses of the
exporter. It does not depend on which other parts were computed before, except for what is handed to it: which of the
file's models were entered from others.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from onnx_lint.coverage import CutOff
from onnx_lint.diagnostic import Diagnostic, Span

if TYPE_CHECKING:
    from onnx_lint.project.project import Project

Place = tuple[str, int, int]
"""A node of the IR, as another process finds it again: the path of the file, the number of the chunk in the file, and
the number of the node in the chunk."""


WHOLE_TEXT = -1
"""Among the chunks that were read: the text of the file as a whole."""


@dataclass
class Findings:
    """What the rules say under the settings of one group of files."""

    diagnostics: list[Diagnostic] = field(default_factory=list)
    safe_at: list[tuple[Place, str, Span]] = field(default_factory=list)
    """Of diagnostics with a safe fix: the place of the site, the code and the span."""


@dataclass
class Basis:
    """The facts that a part rests on."""

    chunks: dict[str, list[int]] = field(default_factory=dict)
    """By path: the functions that were read, as numbers of chunks, or `WHOLE_TEXT`. Of each of these files also all
    that is not inside a function."""
    names: list[tuple[str, str]] = field(default_factory=list)
    """What was looked up in an index over all files: the index, and the name."""


@dataclass
class Part:
    """What one file led to."""

    path: str
    entered_before: list[Place]
    """Which of its models were entered from other files before."""
    findings: list[Findings]
    """For each group of settings."""
    others: list[Place]
    """Where values that fixes are not for were met."""
    models: int
    forwards: list[Place]
    """The ``forward`` of its models, as far as they are their own."""
    entry_points: int
    traced: list[Place]
    """The functions that were followed."""
    cut_offs: list[CutOff]
    basis: Basis | None = None
    """``None`` where nobody asked."""

    def fits(self, entered: set[Place]) -> bool:
        """Whether it was computed for these models having been entered before."""
        return {place for place in self.forwards if place in entered} == set(self.entered_before)


class Parts(Protocol):
    """Where parts come from and go to."""

    def begin(self, project: Project, said: str) -> None:
        """A check begins; `said` is what export calls say, on which every part rests."""

    def order(self) -> list[str] | None:
        """The files with models in the order in which they are looked at, if it is known."""

    def known(self, path: str, entered: set[Place]) -> Part | None:
        """A part that still holds, where of all models these were entered before."""

    def keep(self, part: Part) -> None:
        """A part was computed."""

    def parses(self, path: str) -> bool:
        """Whether a file is known to hold nothing that does not parse."""


class NoParts:
    """Every part is computed, and none is kept."""

    def begin(self, project: Project, said: str) -> None:
        pass

    def order(self) -> list[str] | None:
        return None

    def known(self, path: str, entered: set[Place]) -> Part | None:
        return None

    def keep(self, part: Part) -> None:
        pass

    def parses(self, path: str) -> bool:
        return False
