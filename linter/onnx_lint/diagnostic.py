"""What we say: a diagnostic, its place, the chain of places behind it, its fix, and the evidence of an export.

Plain data. Every room makes the same `Diagnostic`, every output is a renderer of it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum

from onnx_lint.target import Engine


class Severity(str, Enum):
    """How bad a diagnostic is. Ordered: ``INFO < WARNING < ERROR``."""

    INFO = "info"
    """Worth knowing; the export is right as things are (a statement that only checks, a fixed dimension)."""
    WARNING = "warning"
    """Wrong for other inputs than the example, as far as the dimension or value concerned varies."""
    ERROR = "error"
    """The export fails or is wrong."""

    @property
    def rank(self) -> int:
        return ("info", "warning", "error").index(self.value)

    # all four: as a `str`, it has them already, by the alphabet, and `total_ordering` would leave them alone
    def __lt__(self, other: object) -> bool:
        return self.rank < other.rank if isinstance(other, Severity) else NotImplemented

    def __le__(self, other: object) -> bool:
        return self.rank <= other.rank if isinstance(other, Severity) else NotImplemented

    def __gt__(self, other: object) -> bool:
        return self.rank > other.rank if isinstance(other, Severity) else NotImplemented

    def __ge__(self, other: object) -> bool:
        return self.rank >= other.rank if isinstance(other, Severity) else NotImplemented

    def __str__(self) -> str:
        return self.value


class Applicability(str, Enum):
    """How safe a fix is."""

    SAFE = "safe"
    """Whatever reaches the place, eager results, gradients, exceptions and aliasing stay as they are, and the export
    is not worse; proved by execution in the tests. Applied by ``--fix``."""
    UNSAFE = "unsafe"
    """May change what the program does. Applied by ``--fix --unsafe-fixes``."""
    DISPLAY = "display"
    """A hint; never applied."""


@dataclass(frozen=True, order=True)
class Span:
    """A stretch of one source file. Lines and columns count from 1, columns in characters of the decoded text
    (without a byte order mark); the end is exclusive. Lines end at ``\\n``, ``\\r\\n`` or ``\\r`` only."""

    path: str
    line: int
    column: int
    end_line: int
    end_column: int
    cell: int = 0
    """In a notebook, once places are those of its cells: the number of the cell, from 1, that lines count from."""

    @property
    def label(self) -> str:
        """The file, or the cell of a notebook, as people are shown it; the key of its text in a report."""
        return f"{self.path}:cell {self.cell}" if self.cell else self.path


@dataclass(frozen=True)
class Note:
    """A place that belongs to a diagnostic: a step of the origin chain, or of the way that leads here."""

    span: Span
    text: str


@dataclass(frozen=True)
class Edit:
    """Replace the text of `span`, which is `replaces`, by `text`. An empty span inserts.

    `replaces` is in the words of the file, newlines included; where another text stands, the edit is not applied.
    """

    span: Span
    text: str
    replaces: str = ""


@dataclass(frozen=True)
class Fix:
    """Edits that belong together, in one file."""

    title: str
    applicability: Applicability
    edits: tuple[Edit, ...]


class EvidenceState(str, Enum):
    """What an export says of a diagnostic."""

    CONFIRMED = "confirmed"
    REFUTED = "refuted"
    """The statement was executed, other inputs gave it other values to read, and the export was right on all."""
    UNTESTED = "untested"
    """The statement was executed, and nothing that was run shows whether the export is right about it."""
    NOT_REACHED = "not reached"
    MISSED_BY_LINT = "missed by lint"
    """The export found it, the linter did not."""


@dataclass(frozen=True)
class Evidence:
    """What one engine's export showed about one diagnostic."""

    state: EvidenceState
    engine: Engine
    text: str = ""


@dataclass(frozen=True)
class Diagnostic:
    """One thing we say about one place.

    `code` and `name` are the rule's (``ONX101``, ``data-dependent-branch``). `engines` are the engines for which it
    holds; `message` is one sentence without a final full stop. `origin` is the chain by which the value came here,
    first cause first; `path` the calls by which traced code reaches this place, outermost first.
    """

    code: str
    name: str
    severity: Severity
    span: Span
    message: str
    engines: tuple[Engine, ...]
    opset: int | None = None
    origin: tuple[Note, ...] = ()
    path: tuple[Note, ...] = ()
    help: str | None = None
    fix: Fix | None = None
    source: str = "lint"
    """``lint`` or ``export``."""
    evidence: tuple[Evidence, ...] = field(default=())

    @property
    def sort_key(self) -> tuple[str, int, int, str, str]:
        return (self.span.path, self.span.line, self.span.column, self.code, self.message)
