"""One file open under two URIs: both documents get diagnostics and answers, whatever the order of events."""

from __future__ import annotations

from pathlib import Path

from lsp_wire import Json, Wire, connect, profile

MODEL = """\
from torch import nn


class Net(nn.Module):
    def forward(self, x):
        n = x.sum().item()
        return x.data * n
"""


def other_spelling(wire: Wire, path: Path, text: str) -> str:
    uri = path.as_uri().replace("model.py", "%6Dodel.py")
    item = {"uri": uri, "languageId": "python", "version": 7, "text": text}
    wire.tell("textDocument/didOpen", {"textDocument": item})
    return uri


def close(wire: Wire, uri: str) -> None:
    wire.tell("textDocument/didClose", {"textDocument": {"uri": uri}})


def hover(wire: Wire, uri: str) -> Json | None:
    place = {"textDocument": {"uri": uri}, "position": {"line": 5, "character": 12}}
    answer: Json | None = wire.ask("textDocument/hover", place)
    return answer


def actions(wire: Wire, uri: str) -> list[Json]:
    where = {"start": {"line": 6, "character": 0}, "end": {"line": 6, "character": 20}}
    params = {"textDocument": {"uri": uri}, "range": where, "context": {"diagnostics": [], "only": ["quickfix"]}}
    found: list[Json] = wire.ask("textDocument/codeAction", params)
    return found


def test_both_documents_are_served(tmp_path: Path) -> None:
    with connect(tmp_path / "stderr") as wire:
        wire.initialize(profile("visual-studio-code"), [tmp_path])
        first = wire.open(tmp_path / "model.py", MODEL)
        wire.codes(first, "ONX202", "ONX205")
        second = other_spelling(wire, tmp_path / "model.py", MODEL)
        wire.codes(second, "ONX202", "ONX205")
        for uri, version in ((first, 1), (second, 7)):
            answer = hover(wire, uri)
            assert answer is not None and "ONX202" in answer["contents"]["value"]
            edits = [a["edit"]["documentChanges"][0] for a in actions(wire, uri) if "edit" in a]
            assert edits and {e["textDocument"]["uri"] for e in edits} == {uri}
            assert {e["textDocument"]["version"] for e in edits} == {version}

        before = len(wire.received)
        wire.replace(second, 8, MODEL.replace(".item()", ""))
        wire.codes(first, "ONX205", after=before)
        wire.codes(second, "ONX205", after=before)
        assert hover(wire, first) is None, "its text is not the one that is analysed"
        assert actions(wire, first) == []

        before = len(wire.received)
        wire.replace(first, 2, MODEL.replace(".data", ""))
        wire.codes(first, "ONX202", after=before)

        before = len(wire.received)
        close(wire, first)
        wire.codes(first, after=before)
        wire.codes(second, "ONX205", after=before)
        close(wire, second)
        wire.codes(second, after=before)
        assert wire.end() == 0
    assert "internal error" not in wire.stderr.read_text()
