"""Workspaces of several folders: each with its own settings, coming and going while files are open."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from lsp_wire import PROFILES, Json, connect, profile

MODEL = """\
from torch import nn


class Net(nn.Module):
    def forward(self, x):
        n = x.sum().item()
        return x.data * n
"""


def change(added: list[Path], removed: list[Path]) -> Json:
    def folders(paths: list[Path]) -> list[Json]:
        return [{"uri": path.as_uri(), "name": path.name} for path in paths]

    return {"event": {"added": folders(added), "removed": folders(removed)}}


@pytest.mark.parametrize("name", PROFILES)
def test_each_folder_has_its_own_settings(name: str, tmp_path: Path) -> None:
    one, two, three = (tmp_path / folder for folder in ("one", "two", "three"))
    for folder in (one, two, three):
        folder.mkdir()
        (folder / "model.py").write_text(MODEL)
    (three / "pyproject.toml").write_text('[tool.onnx-lint]\nignore = ["ONX205"]\n')
    settings: dict[str, Json] = {one.as_uri(): {"ignore": ["ONX202"]}, two.as_uri(): {}, three.as_uri(): {}}

    def configuration(params: Any) -> list[Json]:
        return [settings.get(item.get("scopeUri"), {}) for item in params["items"]]

    capabilities = profile(name)
    with connect(tmp_path / "stderr") as wire:
        wire.answers["workspace/configuration"] = configuration
        wire.initialize(capabilities, [one, two])
        first, second = wire.open(one / "model.py"), wire.open(two / "model.py")
        third = wire.open(three / "model.py")  # in no folder yet; its project file counts nevertheless
        asked = capabilities["workspace"].get("configuration", False)
        wire.codes(first, *(["ONX205"] if asked else ["ONX202", "ONX205"]))
        wire.codes(second, "ONX202", "ONX205")
        wire.codes(third, "ONX202")

        if not asked:  # such a client sends one section, for all folders
            wire.tell("workspace/didChangeConfiguration", {"settings": {"onnxLint": {"ignore": ["ONX202"]}}})
            wire.codes(first, "ONX205")
            wire.codes(second, "ONX205")
            assert wire.end() == 0
            return
        before = len(wire.received)
        settings[three.as_uri()] = {"enable": False}
        settings[two.as_uri()] = {"select": ["ONX205"]}
        wire.tell("workspace/didChangeWorkspaceFolders", change([three], [one]))
        wire.codes(third, after=before)
        wire.codes(second, "ONX205", after=before)
        wire.codes(first, "ONX202", "ONX205", after=before)

        before = len(wire.received)
        settings[three.as_uri()] = {}
        wire.tell("workspace/didChangeConfiguration", {"settings": None})
        wire.codes(third, "ONX202", after=before)
        assert wire.end() == 0


def test_what_is_typed_outside_the_folder_counts_where_it_is_imported(tmp_path: Path) -> None:
    package = tmp_path / "package"
    inner = package / "inner"
    inner.mkdir(parents=True)
    for folder in (package, inner):
        (folder / "__init__.py").write_text("")
    (package / "helper.py").write_text("def scale(v):\n    return 2\n")
    user = MODEL.replace("from torch import nn\n", "from torch import nn\nfrom ..helper import scale\n")
    user = user.replace("x.sum().item()", "scale(x)").replace("x.data * n", "x if n > 1 else -x")
    (inner / "user.py").write_text(user)
    with connect(tmp_path / "stderr") as wire:
        wire.initialize(profile("visual-studio-code"), [inner])
        uri = wire.open(inner / "user.py")
        wire.codes(uri)
        helper = wire.open(package / "helper.py")
        for version, value in ((2, "v.sum()"), (4, "v.max()")):
            before = len(wire.received)
            wire.replace(helper, version, f"def scale(v):\n    return {value}\n")
            wire.codes(uri, "ONX101", after=before)
            before = len(wire.received)
            wire.replace(helper, version + 1, "def scale(v):\n    return 2\n")
            wire.codes(uri, after=before)
        wire.replace(helper, 6, "def scale(v):\n    return v.sum()\n")
        wire.codes(uri, "ONX101", after=before)
        before = len(wire.received)
        wire.tell("textDocument/didClose", {"textDocument": {"uri": helper}})
        wire.codes(uri, after=before)
        assert wire.end() == 0
