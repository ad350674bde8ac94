"""What a renderer is given, and the choice of renderer by name."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from importlib import import_module
from typing import Any, TextIO

from onnx_lint.diagnostic import Diagnostic, Severity
from onnx_lint.rule import Rule
from onnx_lint.source.text import SourceText


@dataclass
class Report:
    """The outcome of a run, as plain data.

    `problems` are one-line messages about what could not be done (a file that cannot be read); `exports` are the
    outcomes of exports, as written to JSON.
    """

    diagnostics: list[Diagnostic]
    problems: list[str] = field(default_factory=list)
    sources: Mapping[str, SourceText] = field(default_factory=dict)
    rules: tuple[Rule[Any], ...] = ()
    files: int = 0
    exports: list[dict[str, object]] = field(default_factory=list)
    colour: bool = False
    quiet: bool = False
    """No summary below the diagnostics."""

    def counts(self) -> dict[Severity, int]:
        out = {Severity.ERROR: 0, Severity.WARNING: 0, Severity.INFO: 0}
        for diagnostic in self.diagnostics:
            out[diagnostic.severity] += 1
        return out


def engines_text(diagnostic: Diagnostic) -> str:
    """The engines for which a diagnostic holds, for people: ``torchscript``, ``dynamo`` or ``both engines``."""
    return "both engines" if len(diagnostic.engines) > 1 else "".join(e.value for e in diagnostic.engines)


def evidence_text(diagnostic: Diagnostic) -> str:
    """What exports showed of a diagnostic, in brackets behind its message; empty when nothing is known."""
    return "".join(f" [{e.engine}: {e.state.value}]" for e in diagnostic.evidence)


def printable(text: str) -> str:
    """Text without control characters, which a terminal would obey, and without lone surrogates."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() or c == "\t" else _escaped(c) for c in text)


def _escaped(character: str) -> str:
    return character.encode("unicode_escape", "surrogatepass").decode()


def render(name: str, report: Report, stream: TextIO) -> None:
    """Write a report in the format of that name."""
    write: Callable[[Report, TextIO], None] = import_module(f"onnx_lint.report.{name}").write
    write(report, stream)
