"""What a renderer is given, and the choice of renderer by name."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING, Any, TextIO

from onnx_lint.coverage import Coverage
from onnx_lint.diagnostic import Diagnostic, Severity
from onnx_lint.source.text import SourceText

if TYPE_CHECKING:
    from onnx_lint.rule import Rule


@dataclass
class Report:
    """The outcome of a run, as plain data.

    `problems` are one-line messages about what could not be done (a file that cannot be read); `sources` are texts by
    the label of a span; `exports` are the outcomes of exports, as written to JSON.
    """

    diagnostics: list[Diagnostic]
    problems: list[str] = field(default_factory=list)
    sources: Mapping[str, SourceText] = field(default_factory=dict)
    rules: tuple[Rule[Any], ...] = ()
    coverage: Coverage = field(default_factory=Coverage)
    exports: list[dict[str, object]] = field(default_factory=list)
    colour: bool = False
    links: bool = False
    """With `colour`: codes link to their pages, and places to the files."""
    columns: int | None = None
    """Columns of the terminal that the report is written to, by which text is laid out; ``None``: unlimited."""
    verbose: bool = False
    """All that is known of the run in the summary, instead of one line."""
    quiet: bool = False
    """No summary below the diagnostics."""
    minimum: Severity = Severity.INFO
    """Diagnostics below it were left out."""

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


def portable_path(path: str) -> str:
    """A path with slashes, as platforms for reviews know the files of a repository."""
    return path.replace(os.sep, "/")


def printable(text: str) -> str:
    """Text without what a terminal or a workflow runner would obey: control characters, marks that turn the direction
    of text, lone surrogates; on GitHub and Azure also ``##[`` and ``##vso[``, which begin commands there."""
    if not text.isprintable():
        text = "".join(c if c.isprintable() or c == "\t" else _escaped(c) for c in text)
    if "##" in text and (os.environ.get("GITHUB_ACTIONS") or os.environ.get("TF_BUILD")):
        text = text.replace("##[", "\\x23#[").replace("##vso[", "\\x23#vso[")
    return text


def printable_line(text: str) -> str:
    """`printable` for text that begins a line: a file called ``::stop-commands::x.py`` is not a workflow command."""
    shown = printable(text)
    return shown.replace(":", "\\x3a", 1) if shown.lstrip().startswith("::") else shown


def _escaped(character: str) -> str:
    return character.encode("unicode_escape", "surrogatepass").decode()


def format_module(name: str) -> ModuleType:
    """The module of an output format."""
    return import_module(f"onnx_lint.report.formats.{name.replace('-', '_')}")


def is_document(name: str | None) -> bool:
    """Whether the readers of a format need a whole document, whatever went wrong."""
    return name is not None and bool(getattr(format_module(name), "IS_DOCUMENT", False))


def rules_for(name: str) -> tuple[Rule[Any], ...]:
    """What `Report.rules` is for a format: loading the rules for one that does not want them would cost time."""
    if not getattr(format_module(name), "NEEDS_RULES", False):
        return ()
    from onnx_lint.registry import load

    return load()


def render(name: str, report: Report, stream: TextIO) -> None:
    """Write a report in the format of that name."""
    write: Callable[[Report, TextIO], None] = format_module(name).write
    write(report, stream)
