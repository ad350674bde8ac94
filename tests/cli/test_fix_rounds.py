"""Several rounds of fixes: places are those of the text of the round, and a file that cannot be trusted is left."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
from cli.conftest import DATA, Lint, Put
from hypothesis import given, settings
from hypothesis import strategies as st

from onnx_lint import fixer
from onnx_lint.checker import check
from onnx_lint.diagnostic import Diagnostic
from onnx_lint.project.project import Project
from onnx_lint.settings import Settings
from onnx_lint.source.text import SourceText

HANDED_IN = """\
from torch import nn


class CorrBlock(nn.Module):
    def __init__(self, levels):
        super().__init__()
        self.levels = levels

    def build_pyramid(self, x):
        n = x.shape[0]
        {statement}
        return x.new_ones(rows)

    def forward(self, x):
        return x


class Net(nn.Module):
    def __init__(self, corr_block):
        super().__init__()
        self.corr_block = corr_block

    def forward(self, x):
        return self.corr_block.build_pyramid(x)
"""
"""A part that is only known by its method: its class is found through an index over all files."""

STATEMENTS = [
    ("rows = int(n) + self.levels * 2 - 1", "rows = n + self.levels * 2 - 1"),
    (f"rows = int(n) + {' + '.join(f'p{i}' for i in range(10))} + q0",
     f"rows = n + {' + '.join(f'p{i}' for i in range(10))} + q0"),
    ("rows = n\n        rows += self.levels", "rows = n\n        rows = rows + self.levels"),
]  # fmt: skip


@pytest.mark.parametrize(("before", "after"), STATEMENTS)
def test_a_second_round_finds_the_places_of_the_new_text(lint: Lint, put: Put, before: str, after: str) -> None:
    path = put("m.py", HANDED_IN.format(statement=before))
    done = lint("--isolated", "--fix", "--unsafe-fixes", "m.py")
    assert "not fixed" not in done.stderr
    wanted = after if "rows +=" not in before else path.read_text().partition("        return x.new_ones")[0][-60:]
    assert path.read_text().count("self.levels") == HANDED_IN.format(statement=before).count("self.levels")
    if "rows +=" not in before:
        assert path.read_text() == HANDED_IN.format(statement=wanted)


def test_an_index_follows_the_file_when_its_text_changes() -> None:
    project = Project()
    project.add(SourceText.from_text("m.py", HANDED_IN.format(statement="rows = int(n)")))
    check(project, Settings())
    moved = "\n\n\n" + HANDED_IN.format(statement="rows = int(n)")
    project.add(SourceText.from_text("m.py", moved))
    found = [d for d in check(project, Settings()) if d.code == "ONX201"]
    assert [d.span.line for d in found] == [moved[: moved.index("int(n)")].count("\n") + 1]


BASE = """\
import torch
from torch import nn


class Base(nn.Module):
    def whole(self, x: torch.Tensor):
        return x * int(x.shape[0]) + int(x.max().item())
"""
DERIVED = """\
import torch
from base import Base


class Net(Base):
    def forward(self, x: torch.Tensor):
        return self.whole(x)
"""


def test_a_class_follows_its_base_when_that_file_changes(lint: Lint, put: Put) -> None:
    """The derived class, whose own file stays, knew the methods of the base at their old places."""
    base, _ = put("base.py", BASE), put("net.py", DERIVED)
    done = lint("--fix", "--unsafe-fixes", "base.py", "net.py")
    assert "not fixed" not in done.stderr
    assert base.read_text() == BASE.replace("int(x.shape[0]) + int(x.max().item())", "x.shape[0] + x.max()")


def test_a_refused_round_leaves_the_file_as_it_was(
    lint: Lint, put: Put, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Places that a later round gets wrong: the first round is not written either, and other files are."""
    path, other = put("a.py", DATA), put("b.py", DATA)
    rounds = {"a.py": 0}
    real = fixer.apply

    def apply(source: SourceText, diagnostics: Iterable[Diagnostic], **options: Any) -> fixer.Fixed:
        if source.path == "a.py":
            rounds["a.py"] += 1
            if rounds["a.py"] == 2:
                raise fixer.FixError("a.py:6: not fixed: another text stands at the place of the fix")
        return real(source, diagnostics, **options)

    text = DATA.replace("return x.data * 2", "y = len(x)\n        return x.data * y * int(x.sum())")
    path.write_text(text)
    monkeypatch.setattr("onnx_lint.fixing.apply", apply)
    nested = text.replace("int(x.sum())", "int(int(x.sum()))")  # the inner one is left to the second round
    path.write_text(nested)
    done = lint("--fix", "--unsafe-fixes", "a.py", "b.py")
    assert rounds["a.py"] == 2 and done.returncode == 2
    assert path.read_text() == nested and "x.detach()" in other.read_text()
    assert "a.py:6: not fixed: another text stands at the place of the fix; the file is left as it was" in done.stderr


# -------------------------------------------------------------------------------------- only what the first round said
LINES = [
    "n = int(x.shape[0])",
    "n = len(x)",
    "m = n",
    "n += 2",
    "n //= 2",
    "x = x.data * 2",
    "x = x + int(x.shape[0])",
    "x = x * int(int(x.shape[0]))",
    "x = x + len(x + len(x))",
    "x = x * math.floor(x.shape[1] / 2)",
    "x = torch.cat([x.data, x])",
    "x = x * x.max().item()",
    "if n > 2:\n            x = x + int(x.shape[1])",
    "for i in range(len(x)):\n            x = x + i",
    "x = self.part(x)",
]
PROGRAM = """\
import math
import torch
from torch import nn


class Part(nn.Module):
    def forward(self, x):
        return x + int(x.shape[0]) + self.offset.data


class Net(nn.Module):
    def __init__(self, part):
        super().__init__()
        self.part = part

    def forward(self, x: torch.Tensor):
        n = m = 1
        {body}
        return x * n + m
"""


def outside(text: str, spans: list[tuple[int, int]]) -> str:
    """The text without these places."""
    kept, position = "", 0
    for start, end in sorted(spans):
        if start >= position:
            kept += text[position:start]
        position = max(position, end)
    return kept + text[position:]


@settings(max_examples=60, deadline=None)
@given(st.lists(st.sampled_from(LINES), min_size=1, max_size=6), st.booleans())
def test_a_round_changes_nothing_outside_the_places_of_its_fixes(lines: list[str], unsafe: bool) -> None:
    project = Project()
    text = PROGRAM.format(body="\n        ".join(lines))
    for _ in range(4):
        source = SourceText.from_text("m.py", text)
        project.add(source)
        found = check(project, Settings())
        fixed = fixer.apply(source, found, unsafe=unsafe)
        assert fixed.refused == ()
        spans, written = [], []
        for edit in (edit for fix in fixed.applied for edit in fix.edits):
            start = source.offset(edit.span.line, edit.span.column)
            spans.append((start, start + len(edit.replaces)))
            written.append((start, edit))
        new, shift = [], 0
        for start, edit in sorted(written, key=lambda pair: pair[0]):
            new.append((start + shift, start + shift + len(edit.text)))
            shift += len(edit.text) - len(edit.replaces)
        assert outside(text, spans) == outside(fixed.text, new)
        text = fixed.text
