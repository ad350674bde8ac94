"""A server lives long: of texts that were typed over, and of projects that were closed, nothing stays."""

from __future__ import annotations

import gc

import pytest

from onnx_lint.checker import check_groups
from onnx_lint.project.modules import SourceModule, Unit
from onnx_lint.project.project import Project
from onnx_lint.semantics import incremental
from onnx_lint.semantics.domain import keys
from onnx_lint.settings import Settings
from onnx_lint.source.text import SourceText

MODEL = """\
import torch
from torch import nn

def helper_{n}(x, part):
    return part(x)[: len(x) - {n}]

class Part_{n}(nn.Module):
    def forward(self, x):
        return [x, x.sum().item() + {n}]

class Model(nn.Module):
    def __init__(self):
        super().__init__()
        self.part = Part_{n}()

    def forward(self, x):
        return helper_{n}(x, self.part)
"""
FILES = 2


def alive(kind: type) -> int:
    gc.collect()
    keys.trim()
    gc.collect()
    return sum(isinstance(each, kind) and "/memory/" in _path(each) for each in gc.get_objects())


def _path(each: SourceModule | Unit) -> str:
    return each.path if isinstance(each, SourceModule) else each.module.path


def typed(project: Project, rounds: int) -> None:
    """Each file gets another text in each round, and is checked."""
    for number in range(rounds):
        for file in range(FILES):
            path = f"/memory/m{file}.py"
            project.add(SourceText.from_text(path, MODEL.format(n=number * FILES + file)))
            assert check_groups(project, [(Settings(), {path})])


def test_what_was_typed_over_does_not_pile_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(incremental, "_PRUNE_AFTER", 20)
    project = Project(editor=True)
    typed(project, 20)
    assert alive(Unit) < 60  # 10 are in the texts


def test_of_files_that_come_and_go_and_of_a_closed_project_nothing_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(incremental, "_PRUNE_AFTER", 20)
    project = Project(editor=True)
    for _ in range(8):
        typed(project, 1)
        for path in list(project.modules):
            project.remove(path)
        project.trim()
    assert alive(SourceModule) < 4 * FILES
    del project
    keys.clear()
    assert alive(SourceModule) == alive(Unit) == 0
