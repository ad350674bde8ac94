"""A limit of the analysis in an editor: reported at the class as it stands, kept and dropped as it is met."""

from __future__ import annotations

from cli.test_coverage import chain

from onnx_lint.checker import check_with_coverage
from onnx_lint.coverage import Coverage
from onnx_lint.diagnostic import Diagnostic
from onnx_lint.project.project import Project
from onnx_lint.semantics.evaluation.state import MAX_DEPTH
from onnx_lint.settings import Settings
from onnx_lint.source.text import SourceText

DEEP = chain(MAX_DEPTH + 1)


def checked(project: Project, text: str) -> tuple[list[Diagnostic], Coverage]:
    project.add(SourceText.from_text("net.py", text))
    result = check_with_coverage(project, [(Settings(), {"net.py"})])
    return [d for d in result.diagnostics if d.code == "ONX009"], result.coverage


def line_of_class(text: str) -> int:
    return text[: text.index("class Net")].count("\n") + 1


def test_the_limit_moves_with_the_class() -> None:
    project = Project(editor=True)
    for text in (DEEP, "# moved\n\n" + DEEP, DEEP.replace("class Net", "x = 1\n\n\nclass Net")):
        (found,), coverage = checked(project, text)
        assert found.span.line == line_of_class(text)
        assert [c.span for c in coverage.cut_offs] == [found.span]
        (fresh,), _ = checked(Project(), text)
        assert (found.span, found.message, found.severity) == (fresh.span, fresh.message, fresh.severity)


def test_the_limit_goes_when_it_is_no_longer_met() -> None:
    project = Project(editor=True)
    assert len(checked(project, DEEP)[0]) == 1
    assert checked(project, DEEP.replace("return f5(x)", "return x"))[0] == []
    assert len(checked(project, DEEP)[0]) == 1
