"""Related places: those of the present texts, also in other files, after any edits, in the client's units."""

from __future__ import annotations

import os
import random
from pathlib import Path

import pytest

from onnx_lint_lsp.client import Json
from onnx_lint_lsp.configuration import Configuration
from onnx_lint_lsp.convert import Converter
from onnx_lint_lsp.documents import Document
from onnx_lint_lsp.source_view import SourceView
from onnx_lint_lsp.text import Encoding, Text
from onnx_lint_lsp.workspace import Workspace

HELPER = """\
import torch

LIMIT = 4


def scale(v):
    n = "\U0001f984é" and v.sum().item()
    return v * n


def window(x, size):
    "é"; n = x.shape[1]
    if n % size:
        x = x[:, : n - n % size]
    return x
"""
USER = """\
from torch import nn

from helper import scale, window


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.size = 4

    def forward(self, x):
        "\U0001f984"; y = window(x, self.size)
        if y.sum() > 0:
            y = scale(y)
        return scale(y) * x.shape[0]
"""
LINES = ("x = 1", "# \U0001f984", "", "def f(a):", "    return (", "    pass", "import torch", "    '''")


class Editor:
    """Two open documents, or one and a file on disk."""

    def __init__(self, folder: Path, encoding: Encoding = "utf-16") -> None:
        self.folder, self.encoding = folder, encoding
        self.configuration = Configuration()
        self.workspace = Workspace(str(folder), self.configuration)
        self.converter = Converter(encoding=encoding)
        self.views: dict[str, SourceView] = {}

    def show(self, name: str, text: str) -> None:
        path = self.folder / name
        view = SourceView.of_document(Document(path.as_uri(), 1, Text(text, self.encoding)))
        self.views[view.path] = view
        self.workspace.update(view.path, view)

    def wire(self) -> dict[str, list[Json]]:
        """What is sent. What was converted before and did not change is not converted again; that it is the same as if
        it were is looked at here."""
        out: dict[str, list[Json]] = {}
        for result in self.workspace.check(settled=True):
            held = self.workspace.converted.setdefault(result.view.path, {})
            found = [(diagnostic, False) for diagnostic in result.diagnostics]
            out[result.view.path], anew = (
                [item for _, item in self.converter.all(found, result.view, self.workspace, before)]
                for before in (held, {})
            )
            assert out[result.view.path] == anew
        return out

    def fresh(self) -> dict[str, list[Json]]:
        """What a new editor with the same texts is sent."""
        other = Editor(self.folder, self.encoding)
        for path, view in self.views.items():
            other.show(os.path.basename(path), view.source.text)
        return other.wire()


def edited(text: str, choose: random.Random) -> str:
    lines = text.split("\n")
    at = choose.randrange(len(lines))
    kind = choose.random()
    if kind < 0.5:
        lines.insert(at, choose.choice(LINES))
    elif kind < 0.75 and len(lines) > 3:
        del lines[at]
    else:
        lines[at] = lines[at] + choose.choice(("  # \U0001f984", " ", ")", ""))
    return "\n".join(lines)


@pytest.mark.parametrize("seed", range(100))
def test_they_are_current_after_random_edits(seed: int, tmp_path: Path) -> None:
    choose = random.Random(seed)
    editor = Editor(tmp_path)
    originals = {"helper.py": HELPER, "user.py": USER}
    texts = dict(originals)
    for name, text in texts.items():
        editor.show(name, text)
    for _ in range(25):
        name = choose.choice(sorted(texts))
        texts[name] = originals[name] if choose.random() < 0.15 else edited(texts[name], choose)
        editor.show(name, texts[name])
        if choose.random() < 0.7:
            editor.wire()
    for name, text in originals.items():
        editor.show(name, text)
    wire = editor.wire()
    assert wire == editor.fresh()
    related = [r["location"]["uri"] for items in wire.values() for d in items for r in d.get("relatedInformation", ())]
    assert {uri.rpartition("/")[2] for uri in related} == set(texts)


@pytest.mark.parametrize(
    ("name", "before", "after"),
    [
        ("user.py", "from torch", "\nfrom torch"),
        ("helper.py", "LIMIT", "\nLIMIT"),
        ("helper.py", '    "é"; n =', '    "\U0001f984é"; n ='),
        ("user.py", "        if y.sum()", "\n        if y.sum()"),
    ],
)
def test_they_move_with_what_they_speak_of(name: str, before: str, after: str, tmp_path: Path) -> None:
    editor = Editor(tmp_path)
    texts = {"helper.py": HELPER, "user.py": USER}
    for file, text in texts.items():
        editor.show(file, text)
    first = editor.wire()
    assert before in texts[name]
    editor.show(name, texts[name].replace(before, after, 1))
    second = editor.wire()
    assert second != first
    assert second == editor.fresh()


@pytest.mark.parametrize(("encoding", "column"), [("utf-8", 19), ("utf-16", 17), ("utf-32", 16)])
def test_places_in_files_that_are_not_open_are_in_the_clients_units(
    encoding: Encoding, column: int, tmp_path: Path
) -> None:
    (tmp_path / "helper.py").write_text('def size_of(v):\n    "\U0001f984"; return v.shape[0]\n', encoding="utf-8")
    editor = Editor(tmp_path, encoding)
    text = USER.replace("y.sum() > 0", "size_of(y) > 3").replace("import scale,", "import scale, size_of,")
    editor.show("user.py", text)
    (items,) = editor.wire().values()
    places = [r["location"] for d in items for r in d.get("relatedInformation", ())]
    abroad = [p["range"]["start"] for p in places if p["uri"].endswith("/helper.py")]
    assert {"line": 1, "character": column} in abroad
