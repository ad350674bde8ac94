"""What was found the last time is shown when a document is opened, and never where anything it rests on is another."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from onnx_lint.diagnostic import Diagnostic
from onnx_lint_lsp.analysis_thread import AnalysisThread
from onnx_lint_lsp.configuration import Configuration
from onnx_lint_lsp.documents import Document
from onnx_lint_lsp.scheduling import Checks
from onnx_lint_lsp.source_view import SourceView
from onnx_lint_lsp.text import Text
from onnx_lint_lsp.workspace import Result, Workspace

HELPER = "def scale(v):\n    return v * v.sum().item()\n"
NET = """\
from torch import nn

from helper import scale


class Net(nn.Module):
    def forward(self, x):
        if x.sum() > 0:
            x = scale(x)
        return x
"""


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A workspace of two files, and a cache."""
    monkeypatch.delenv("ONNX_LINT_NO_CACHE")
    monkeypatch.setenv("ONNX_LINT_CACHE_DIR", str(tmp_path / "cache"))
    folder = tmp_path / "work"
    folder.mkdir()
    (folder / "net.py").write_text(NET)
    (folder / "helper.py").write_text(HELPER)
    return folder


def view(path: Path, text: str | None = None) -> SourceView:
    shown = path.read_text() if text is None else text
    return SourceView.of_document(Document(path.as_uri(), 1, Text(shown, "utf-16")))


def opened(folder: Path, *, text: str | None = None, name: str = "net.py") -> Workspace:
    """A new workspace, in which one document is open."""
    workspace = Workspace(str(folder), Configuration())
    path = folder / name
    workspace.update(os.fspath(path), view(path, text))
    return workspace


def known(workspace: Workspace) -> list[Diagnostic] | None:
    results = workspace.kept()
    return list(results[0].diagnostics) if results else None


def looked_at(folder: Path) -> list[Diagnostic]:
    """What a server found that looked at it before."""
    (result,) = opened(folder).check()
    return list(result.diagnostics)


def test_what_was_found_is_found_again(folder: Path) -> None:
    assert known(opened(folder)) is None
    found = looked_at(folder)
    assert {d.code for d in found} == {"ONX101"} and known(opened(folder)) == found
    workspace = opened(folder)
    workspace.check()
    assert workspace.kept() == [], "what was looked at needs no older answer"


def new_helper(folder: Path) -> None:
    (folder / "helper.py").write_text("def scale(v):\n    return v\n")


def no_helper(folder: Path) -> None:
    (folder / "helper.py").unlink()


def other_settings(folder: Path) -> None:
    (folder / "onnx-lint.toml").write_text('ignore = ["ONX101"]\n')


def other_text(folder: Path) -> None:
    (folder / "net.py").write_text(NET + "\n")


def damage(folder: Path) -> None:
    for path in (folder.parent / "cache").glob("*.json"):
        path.write_bytes(path.read_bytes().replace(b"ONX101", b"ONX102"))


def truncate(folder: Path) -> None:
    for path in (folder.parent / "cache").glob("*.json"):
        path.write_bytes(path.read_bytes()[:-9])


CHANGES = [new_helper, no_helper, other_settings, other_text, damage, truncate]


@pytest.mark.parametrize("change", CHANGES, ids=lambda change: change.__name__)
def test_whatever_it_rests_on_counts(folder: Path, change: Callable[[Path], None]) -> None:
    looked_at(folder)
    change(folder)
    assert known(opened(folder)) is None


def test_a_helper_that_comes_counts(folder: Path) -> None:
    (folder / "helper.py").rename(folder / "other.py")
    looked_at(folder)
    assert known(opened(folder)) is not None
    (folder / "other.py").rename(folder / "helper.py")
    assert known(opened(folder)) is None


def test_an_unsaved_helper_counts(folder: Path) -> None:
    looked_at(folder)
    workspace = opened(folder)
    workspace.update(str(folder / "helper.py"), view(folder / "helper.py", "def scale(v):\n    return v\n"))
    assert known(workspace) is None
    workspace.update(str(folder / "helper.py"), view(folder / "helper.py"))
    assert known(workspace) is not None


def test_what_is_not_saved_is_not_kept(folder: Path) -> None:
    opened(folder, text=NET.replace("sum", "mean")).check()
    assert not (folder.parent / "cache").exists()


def test_without_a_cache_nothing_is_kept(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ONNX_LINT_NO_CACHE", "1")
    looked_at(folder)
    assert known(opened(folder)) is None and not (folder.parent / "cache").exists()


class Quiet:
    """A client that is told nothing."""

    def __getattr__(self, name: str) -> Callable[..., None]:
        return lambda *arguments: None


def test_it_comes_before_the_analysis_does(folder: Path) -> None:
    found = looked_at(folder)
    came: list[Result] = []

    async def open_it() -> None:
        thread = AnalysisThread()
        workspace = Workspace(str(folder), Configuration())
        checks: Checks[list[Result]] = Checks(
            thread, workspace, lambda _, results: results, came.extend, Quiet(), lambda: 20.0  # type: ignore[arg-type]
        )  # fmt: skip
        path = folder / "net.py"
        checks.update(str(path), view(path))
        checks.request(at_once=True, opened=True)
        for _ in range(500):
            if len(came) > 1:
                break
            await asyncio.sleep(0.02)
        checks.stop()
        thread.stop()

    asyncio.run(open_it())
    assert [result.is_kept for result in came[:2]] == [True, False]
    assert all(list(result.diagnostics) == found for result in came[:2])
