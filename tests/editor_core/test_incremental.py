"""A project that is edited says what a fresh analysis of the same texts says, and costs only what was touched."""

from __future__ import annotations

import ast
import random
import textwrap

import pytest
from small_project import BLOCKS, INIT, OPS

from onnx_lint.checker import check_groups
from onnx_lint.diagnostic import Diagnostic
from onnx_lint.project.classes import ClassInfo
from onnx_lint.project.project import Project
from onnx_lint.semantics import entry, input_shapes
from onnx_lint.semantics.evaluation import decorators
from onnx_lint.semantics.evaluation.state import Analysis, Summary
from onnx_lint.semantics.incremental import Session
from onnx_lint.settings import Settings
from onnx_lint.source.text import SourceText

FILES = {
    "pkg/__init__.py": INIT,
    "pkg/ops.py": f"{OPS}\ndef make(kind):\n    from pkg.blocks import Block\n    return Block(kind)\n",
    "pkg/blocks.py": BLOCKS,
    "pkg/model.py": textwrap.dedent(
        """\
        import torch
        from torch import nn

        from pkg import Block
        from pkg.ops import make


        class Model(nn.Module):
            def __init__(self):
                super().__init__()
                self.first = Block("a")
                self.second = Block("b", masked=True)
                self.third = make("c")

            def forward(self, x):
                x = self.first(x)
                x = self.second(x)
                total = x.sum()
                if total > 0:
                    x = self.third(x)
                return {"out": x, "n": len(x)}


        class Other(nn.Module):
            def forward(self, x):
                return x.tolist()
        """
    ),
}
_TYPED = ["x", "(", ")", '"', "\n", " ", "# c", ".item()", '"""', ":", "=", "return x\n", "    ", "def f(x):\n"]

Said = tuple[object, ...]


def said(diagnostics: list[Diagnostic]) -> list[Said]:
    """All but the notes: which of several ways to a place is told depends on which was gone first."""
    return [(d.code, d.severity, d.span, d.message, d.engines, d.fix) for d in diagnostics]


def fresh(texts: dict[str, str], path: str) -> list[Said]:
    project = Project(editor=True)
    for name, text in texts.items():
        project.add(SourceText.from_text(name, text))
    return said(check_groups(project, [(Settings(), {path})]))


def edited(rng: random.Random, text: str) -> str:
    lines = text.split("\n")
    number, kind = rng.randrange(len(lines)), rng.random()
    if kind < 0.5:
        at = rng.randrange(len(text) + 1)
        return text[:at] + rng.choice(_TYPED) + text[at:]
    if kind < 0.7:
        return "\n".join(lines[:number] + lines[number + 1 :])
    return "\n".join([*lines[:number], lines[rng.randrange(len(lines))], *lines[number:]])


def parses(texts: dict[str, str]) -> bool:
    try:
        for text in texts.values():
            ast.parse(text)
    except SyntaxError:
        return False
    return True


@pytest.mark.parametrize("seed", range(4))
def test_after_any_edits_the_same_is_said_as_of_the_texts_alone(seed: int) -> None:
    rng = random.Random(seed)
    texts = dict(FILES)
    settings = Settings()
    project = Project(editor=True)
    for name, text in texts.items():
        project.add(SourceText.from_text(name, text))
    compared = 0
    for _ in range(60):
        path = rng.choice(list(FILES))
        before = texts[path]
        states = [edited(rng, before)]
        states.append(before if rng.random() < 0.7 else edited(rng, states[0]))
        for state in states:
            texts[path] = state
            project.add(SourceText.from_text(path, state))
            for open_path in ("pkg/model.py", "pkg/ops.py"):
                found = said(check_groups(project, [(settings, {open_path})]))
                if parses(texts):
                    compared += 1
                    assert found == fresh(texts, open_path)
        if not parses(texts):
            texts[path] = before
            project.add(SourceText.from_text(path, before))
    assert compared > 40


def test_an_editors_project_says_what_the_command_line_says() -> None:
    plain, editor = Project(), Project(editor=True)
    for name, text in FILES.items():
        plain.add(SourceText.from_text(name, text))
        editor.add(SourceText.from_text(name, text))
    for path in FILES:
        groups = [(Settings(), {path})]
        assert said(check_groups(editor, groups)) == said(check_groups(plain, groups))


def opened(path: str = "pkg/model.py") -> tuple[Project, list[Said]]:
    project = Project(editor=True)
    for name, text in FILES.items():
        project.add(SourceText.from_text(name, text))
    return project, said(check_groups(project, [(Settings(), {path})]))


def after(project: Project, path: str, text: str, of: str) -> list[Diagnostic]:
    project.add(SourceText.from_text(path, text))
    return check_groups(project, [(Settings(), {of})])


def test_a_broken_function_is_stood_in_for_and_the_rest_stays_in_place() -> None:
    project, _ = opened()
    broken = FILES["pkg/model.py"].replace("        total = x.sum()\n", "        total = x.sum((\n\n")
    found = {d.code: d for d in after(project, "pkg/model.py", broken, "pkg/model.py")}
    assert "ONX000" in found
    assert found["ONX101"].span.line == 20, "below what was typed: one line further down"
    assert found["ONX203"].span.line == 27, "in a function that was not touched"


def test_an_open_quote_costs_only_the_function_that_it_stands_in() -> None:
    project, before = opened()
    broken = FILES["pkg/model.py"].replace("        x = self.first(x)\n", '        """\n        x = self.first(x)\n')
    found = after(project, "pkg/model.py", broken, "pkg/model.py")
    assert {d.code for d in found} - {"ONX000"} == {str(b[0]) for b in before}


def test_nothing_is_said_where_the_text_is_another_now() -> None:
    project, _ = opened("pkg/ops.py")
    broken = FILES["pkg/ops.py"].replace("x * x.max().item()", "x * x.max(.item()")
    found = after(project, "pkg/ops.py", broken, "pkg/ops.py")
    assert {d.code for d in found} == {"ONX000", "ONX102"}


def test_a_helper_in_another_file_changes_what_is_said() -> None:
    project, _ = opened("pkg/blocks.py")
    ranged = [d for d in check_groups(project, [(Settings(), {"pkg/blocks.py"})]) if d.code == "ONX105"]
    assert ranged
    changed = FILES["pkg/ops.py"].replace("    return x\n\ndef scaled", "    return 3\n\ndef scaled")
    assert "ONX105" not in {d.code for d in after(project, "pkg/ops.py", changed, "pkg/blocks.py")}


def test_only_what_rests_on_a_change_is_interpreted_again(monkeypatch: pytest.MonkeyPatch) -> None:
    project, _ = opened()
    entered: list[str] = []
    enter = entry.enter

    def watched(analysis: Analysis, info: ClassInfo) -> Summary | None:
        entered.append(info.name)
        return enter(analysis, info)

    monkeypatch.setattr(entry, "enter", watched)
    changed = FILES["pkg/model.py"].replace("x.tolist()", "x.numpy()")
    after(project, "pkg/model.py", changed, "pkg/model.py")
    assert entered == ["Other"]
    entered.clear()
    after(project, "pkg/model.py", changed.replace("import torch\n", "import torch  # as ever\n", 1), "pkg/model.py")
    assert entered == []


@pytest.mark.parametrize("seed", range(3))
def test_the_pause_after_haste_says_what_the_texts_alone_say(seed: int) -> None:
    """Whatever was presumed while somebody typed."""
    rng = random.Random(seed)
    texts, project = dict(FILES), Project(editor=True)
    for name, text in texts.items():
        project.add(SourceText.from_text(name, text))
    session = project.derived.get(Session)
    group = [(Settings(), {"pkg/model.py"})]
    compared = presumed = 0
    for _ in range(40):
        path = rng.choice(list(FILES))
        before = texts[path]
        session.is_hasty = True
        for _ in range(3):
            texts[path] = edited(rng, texts[path])
            project.add(SourceText.from_text(path, texts[path]))
            check_groups(project, group, open_files_only=True)
            presumed += not session.is_complete
        session.is_hasty = False
        if parses(texts):
            compared += 1
            assert said(check_groups(project, group)) == fresh(texts, "pkg/model.py")
            assert session.is_complete
        else:
            texts[path] = before
            project.add(SourceText.from_text(path, before))
    assert compared > 5 and presumed > 20


TYPED_IN = """\
import functools

from torch import nn


def documented(text):
    def mark(function):
        function.__doc__ = text
        return function
    return mark


class Model(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 8, 3)

    @documented("What it does")
    def forward(self, x):
        y = self.conv(x)
        if x.shape[0] > 2:
            y = y + 1
        return y
"""


def test_haste_interprets_what_was_typed_and_finds_out_nothing_else(monkeypatch: pytest.MonkeyPatch) -> None:
    project = Project(editor=True)
    project.add(SourceText.from_text("a.py", TYPED_IN))
    group = [(Settings(), {"a.py"})]
    first = [d.code for d in check_groups(project, group)]
    looked: list[str] = []
    for module, name in ((input_shapes, "search"), (decorators, "_decorate")):
        real = getattr(module, name)
        monkeypatch.setattr(module, name, lambda *a, _n=name, _r=real, **k: (looked.append(_n), _r(*a, **k))[1])
    session = project.derived.get(Session)
    session.is_hasty = True
    for text in (TYPED_IN.replace("y + 1", "y + 2"), TYPED_IN.replace("y + 1", "y + x.sum().item()")):
        project.add(SourceText.from_text("a.py", text))
        found = [d.code for d in check_groups(project, group, open_files_only=True)]
        assert (found == first) == ("item" not in text) and not looked and not session.is_complete
    # another decorator is interpreted at once, and the pause finds out the rest
    project.add(SourceText.from_text("a.py", TYPED_IN.replace('documented("What', 'documented("That')))
    check_groups(project, group, open_files_only=True)
    assert looked == ["_decorate"]
    session.is_hasty = False
    assert [d.code for d in check_groups(project, group)] == first and "search" in looked and session.is_complete


@pytest.mark.parametrize("seed", range(3))
def test_files_that_come_and_go_leave_what_a_fresh_analysis_says(seed: int) -> None:
    rng = random.Random(seed)
    settings = Settings()
    project = Project(editor=True)
    texts: dict[str, str] = {}
    for _ in range(40):
        path = rng.choice(list(FILES))
        if path in texts and rng.random() < 0.4:
            del texts[path]
            project.remove(path)
        else:
            texts[path] = FILES[path] if rng.random() < 0.7 else edited(rng, FILES[path])
            if not parses({path: texts[path]}):
                texts[path] = FILES[path]
            project.add(SourceText.from_text(path, texts[path]))
        for open_path in texts:
            assert said(check_groups(project, [(settings, {open_path})])) == fresh(texts, open_path)


def test_what_is_wrong_with_a_text_is_known_after_any_edits() -> None:
    """Also where what stood there before was broken too."""
    project = Project(editor=True)
    path = "one.py"
    for first, header, broken in (("1", "f(:", 1), ("1", "f(::", 1), ("(", "f(::", 2)):
        project.add(SourceText.from_text(path, f"x = {first}\n\n\ndef {header}\n    pass\n"))
        found = check_groups(project, [(Settings(), {path})])
        assert [d.code for d in found] == ["ONX000"] * broken
    project.add(SourceText.from_text(path, "x = 1\n\n\ndef f():\n    pass\n"))
    assert check_groups(project, [(Settings(), {path})]) == []


@pytest.mark.parametrize("seed", range(3))
def test_related_places_are_never_those_of_code_that_is_gone(seed: int) -> None:
    """Also where the result of a helper outlives the call by which it was reached first."""
    rng = random.Random(seed)
    texts, project = dict(FILES), Project(editor=True)
    for name, text in texts.items():
        project.add(SourceText.from_text(name, text))
    looked_at = 0
    for _ in range(30):
        path = rng.choice(list(FILES))
        before = texts[path]
        texts[path] = edited(rng, before)
        project.add(SourceText.from_text(path, texts[path]))
        for open_path in ("pkg/model.py", "pkg/ops.py"):
            for diagnostic in check_groups(project, [(Settings(), {open_path})]):
                for note in diagnostic.path:
                    looked_at += 1
                    shown = SourceText.from_text(note.span.path, texts[note.span.path]).slice(note.span)
                    assert shown.endswith(")") and "(" in shown, (note, shown)
        if not parses(texts):
            texts[path] = before
            project.add(SourceText.from_text(path, before))
    assert looked_at > 20
