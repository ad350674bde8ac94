"""What is known of an expression in traced code."""

from __future__ import annotations

import textwrap

from onnx_lint.checker import check
from onnx_lint.project.project import Project
from onnx_lint.semantics.knowledge import Known, value_at, values_in
from onnx_lint.settings import Settings
from onnx_lint.source.text import SourceText

TEXT = textwrap.dedent(
    """\
    import torch
    from torch import nn


    class Net(nn.Module):
        def forward(self, x, scale: float):
            n = x.shape[0]
            y = x.view(n, -1)
            k = y.sum().item()
            pair = (y, k)
            fixed = scale * 2
            return y * k

    def helper():
        return torch.zeros(3)
    """
)


def known_at(text: str, needle: str, project: Project | None = None) -> Known | None:
    """What is known at the beginning of `needle`."""
    if project is None:
        project = Project(editor=True)
        project.add(SourceText.from_text("net.py", text))
        check(project, Settings())
    offset = text.index(needle)
    line = text.count("\n", 0, offset) + 1
    return value_at(project, "net.py", line, offset - (text.rfind("\n", 0, offset) + 1) + 1)


def test_a_size_is_told_with_its_dimension() -> None:
    known = known_at(TEXT, "n, -1")
    assert known is not None
    assert known.text == "size `x.shape[0]`: changes with the input, dimension 0 of `x`"
    assert not known.frozen


def test_a_number_read_from_a_tensor_is_frozen_and_says_where() -> None:
    known = known_at(TEXT, "k\n\ndef")
    assert known is not None
    assert known.text == "Python number read from a tensor at line 9: frozen under torchscript"
    assert known.frozen


def test_the_innermost_expression_counts() -> None:
    known = known_at(TEXT, "x.view")
    assert known is not None
    assert known.text == "tensor: input `x` of the model"
    assert (known.span.column, known.span.end_column) == (13, 14)


def test_fixed_values_and_untraced_code_say_nothing() -> None:
    assert known_at(TEXT, "scale * 2") is None
    assert known_at(TEXT, "torch.zeros(3)") is None


def test_values_in_lines_come_in_order() -> None:
    project = Project(editor=True)
    project.add(SourceText.from_text("net.py", TEXT))
    check(project, Settings())
    found = values_in(project, "net.py", 7, 8)
    assert [k.span for k in found] == sorted(k.span for k in found)
    assert {k.span.line for k in found} == {7, 8}


def test_it_follows_an_edit_above() -> None:
    project = Project(editor=True)
    project.add(SourceText.from_text("net.py", TEXT))
    check(project, Settings())
    moved = TEXT.replace("import torch\n", "import torch\n\n# one more line\n", 1)
    project.add(SourceText.from_text("net.py", moved))
    check(project, Settings())
    known = known_at(moved, "k\n\ndef", project)
    assert known is not None and known.text.startswith("Python number read from a tensor at line 11")


def test_without_an_editor_nothing_is_kept() -> None:
    project = Project()
    project.add(SourceText.from_text("net.py", TEXT))
    check(project, Settings())
    assert values_in(project, "net.py", 1, 20) == []
