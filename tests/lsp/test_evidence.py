"""Evidence of exports: joined with what the analysis says, faded and moved once the file changes."""

from __future__ import annotations

from onnx_lint.diagnostic import Diagnostic, Evidence, EvidenceState, Severity, Span
from onnx_lint.settings import Settings
from onnx_lint.target import BOTH, Engine
from onnx_lint_lsp.documents import Document
from onnx_lint_lsp.evidence import EvidenceStore, FileEvidence, line_in, moved
from onnx_lint_lsp.source_view import SourceView
from onnx_lint_lsp.text import Text
from onnx_lint_lsp.workspace import Result

PATH = "/w/m.py"
TEXT = "a\nb\nc\nd\n"
CONFIRMED = (Evidence(EvidenceState.CONFIRMED, Engine.TORCHSCRIPT, "differs"),)


def diagnostic(code: str, line: int, source: str = "lint", evidence: tuple[Evidence, ...] = ()) -> Diagnostic:
    span = Span(PATH, line, 1, line, 2)
    return Diagnostic(code, "name", Severity.WARNING, span, "m", BOTH, source=source, evidence=evidence)


def result(text: str, *found: Diagnostic) -> Result:
    return Result(SourceView.of_document(Document("file:///w/m.py", 1, Text(text, "utf-16"))), found, Settings())


def store(*found: Diagnostic) -> EvidenceStore:
    held = EvidenceStore()
    held.put("t", {PATH: FileEvidence(TEXT, found, {3: (("dynamo", "Add"),)})})
    return held


def test_a_static_diagnostic_gets_its_evidence_once() -> None:
    held = store(diagnostic("ONX101", 2, evidence=CONFIRMED), diagnostic("ONX901", 3, "export"))
    joined = list(held.joined(result(TEXT, diagnostic("ONX101", 2), diagnostic("ONX101", 4))))
    assert [(d.code, d.span.line, d.evidence, faded) for d, faded in joined] == [
        ("ONX101", 2, CONFIRMED, False),
        ("ONX101", 4, (), False),
        ("ONX901", 3, (), False),
    ]


def test_after_an_edit_the_exports_own_fade_and_move_and_the_static_ones_lose_it() -> None:
    held = store(diagnostic("ONX101", 2, evidence=CONFIRMED), diagnostic("ONX901", 3, "export"))
    joined = list(held.joined(result("new\n" + TEXT, diagnostic("ONX101", 3))))
    assert [(d.code, d.span.line, d.evidence, faded) for d, faded in joined] == [
        ("ONX101", 3, (), False),
        ("ONX901", 4, (), True),
    ]


def test_a_line_that_was_edited_loses_what_was_shown_on_it() -> None:
    evidence = FileEvidence(TEXT, (diagnostic("ONX901", 3, "export"), diagnostic("ONX902", 4, "export")))
    assert [d.code for d in moved(evidence, "a\nb\nX\nd\n")] == ["ONX902"]
    assert line_in(evidence, "a\nd\n", 2) == 4
    assert line_in(evidence, TEXT, 2) == 2


def test_a_new_export_of_a_target_replaces_the_old() -> None:
    held = store(diagnostic("ONX901", 3, "export"))
    held.put("t", {})
    assert held.of(PATH) == []


def test_what_one_model_does_not_reach_is_not_told_where_another_did() -> None:
    missed = (
        Evidence(EvidenceState.NOT_REACHED, Engine.TORCHSCRIPT),
        Evidence(EvidenceState.NOT_REACHED, Engine.DYNAMO),
    )
    held = store(diagnostic("ONX101", 2, evidence=CONFIRMED))
    held.put("other", {PATH: FileEvidence(TEXT, (diagnostic("ONX101", 2, evidence=missed),))})
    ((joined, _),) = held.joined(result(TEXT, diagnostic("ONX101", 2)))
    assert joined.evidence == (*CONFIRMED, missed[1])
