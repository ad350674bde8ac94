"""The command in a folder, as for the tests of the command; and reports made by hand, rendered to text."""

from __future__ import annotations

import io

from cli.conftest import lint, process, put

from onnx_lint.coverage import Coverage
from onnx_lint.diagnostic import Applicability, Diagnostic, Edit, Evidence, EvidenceState, Fix, Note, Severity, Span
from onnx_lint.output_formats import NAMES
from onnx_lint.report.report import Report, render
from onnx_lint.source.text import SourceText
from onnx_lint.target import BOTH, Engine

__all__ = ["lint", "process", "put"]

FORMATS = NAMES


COVERAGE = Coverage(files=1, models=1, entry_points=1, functions=1, rules=20, all_rules=20)


def rendered(name: str, report: Report) -> str:
    stream = io.StringIO()
    render(name, report, stream)
    return stream.getvalue()


def report_of(text: str, marked: str, *, path: str = "model.py", said: str = "said", colour: bool = False) -> Report:
    """A report of one diagnostic at the first `marked` in `text`, with `said` wherever a diagnostic carries words."""
    source = SourceText.from_text(path, text)
    at = text.index(marked)
    span = Span(path, *source.position(at), *source.position(at + len(marked)))
    diagnostic = Diagnostic(
        "ONX101",
        "data-dependent-branch",
        Severity.ERROR,
        span,
        f"message {said}",
        BOTH,
        origin=(Note(span, f"origin {said}"),),
        path=(Note(span, f"call {said}"),),
        help=f"help {said}",
        fix=Fix(f"title {said}", Applicability.SAFE, (Edit(span, said),)),
        evidence=(Evidence(EvidenceState.CONFIRMED, Engine.DYNAMO, f"evidence {said}"),),
    )
    return Report([diagnostic], [f"problem {said}"], {path: source}, coverage=COVERAGE, colour=colour)
