"""What a repair proposes becomes an edit of the documents, or nothing where these say something else."""

from __future__ import annotations

import os
import random
from pathlib import Path

import pytest

from onnx_lint.fixer import Fixed, diff
from onnx_lint.source.text import SourceText
from onnx_lint_lsp.patches import LineEdit, Outdated, edits


def applied(text: str, made: list[LineEdit]) -> str:
    lines = text.split("\n")
    for edit in reversed(made):
        lines[edit.first : edit.last] = edit.text.split("\n")[:-1]
    return "\n".join(lines)


def patch_of(path: str, before: str, after: str) -> str:
    return diff(Fixed(SourceText(path, before), after, 1)).decode()


@pytest.mark.parametrize("seed", range(20))
@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_the_edits_make_what_the_patch_makes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, seed: int, newline: str
) -> None:
    monkeypatch.chdir(tmp_path)
    rng = random.Random(seed)
    lines = [f"line {rng.randrange(5)}{newline}" for _ in range(40)]
    before = "".join(lines)
    for _ in range(4):
        at = rng.randrange(len(lines))
        lines[at : at + rng.randrange(3)] = [f"new {n}{newline}" for n in range(rng.randrange(3))]
    after = "".join(lines)
    path = os.path.join(tmp_path, "a b.py")
    Path(path).write_text("")
    found = edits(patch_of("a b.py", before, after), str(tmp_path), {path: before}.get)
    assert list(found) == ([path] if before != after else [])
    assert applied(before, found.get(path, [])) == after


@pytest.mark.parametrize("text", [None, "x = 1\ny = 3\n", "x = 1\n", "x = 1\ny = 2"])
def test_another_text_than_it_was_made_from_is_left_alone(text: str | None) -> None:
    patch = patch_of("a.py", "x = 1\ny = 2\n", "x = 1\ny = 4\n")
    with pytest.raises(Outdated):
        edits(patch, os.sep, lambda path: text)
    with pytest.raises(Outdated):
        edits(patch[: patch.index("+y")], os.sep, lambda path: "x = 1\ny = 2\n")
