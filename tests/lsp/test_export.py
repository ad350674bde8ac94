"""Real exports through the server: progress, evidence beside the diagnostics, operators, the report, the end."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from lsp_wire import Json, Wire, connect, profile, until_dead

pytestmark = pytest.mark.torch

MODEL = """\
import torch
from torch import nn


class Wrong(nn.Module):
    def forward(self, x):
        if x.shape[1] == 7:
            x = x * x.sum().item()
        return torch.relu(x) * int(x.sum())


class Right(nn.Module):
    def forward(self, x):
        return torch.relu(x) * int(x.shape[1])
"""
SLOW = """\
import os
import time
from torch import nn

with open("processes", "a") as file:
    print(os.getpid(), os.getppid(), file=file)


class Net(nn.Module):
    def forward(self, x):
        time.sleep(600)
        return x
"""
INPUTS = ["x:float32[n=2,4]"]


def start(wire: Wire, uri: str, name: str) -> int:
    target = {"uri": uri, "name": name, "inputs": INPUTS, "engine": "torchscript"}
    return wire.send("workspace/executeCommand", {"command": "onnx-lint.export", "arguments": [target]})


def evidence(items: list[Json]) -> list[tuple[str, int, list[str]]]:
    return [
        (d["code"], d["range"]["start"]["line"], [e["state"] for e in d["data"]["evidence"]])
        for d in items
        if d["data"]["evidence"]
    ]


def hover(wire: Wire, uri: str, line: int) -> str:
    answer = wire.ask("textDocument/hover", {"textDocument": {"uri": uri}, "position": {"line": line, "character": 16}})
    return str(answer["contents"]["value"]) if answer else ""


def test_an_export_shows_progress_evidence_operators_and_its_report(tmp_path: Path) -> None:
    (tmp_path / "model.py").write_text(MODEL)
    capabilities = profile("visual-studio-code")
    with connect(tmp_path / "stderr") as wire:
        wire.answers["window/showDocument"] = lambda params: {"success": True}
        wire.initialize(capabilities, [tmp_path], {"trusted": False})
        uri = wire.open(tmp_path / "model.py")
        wire.codes(uri, "ONX102", "ONX202", "ONX201", "ONX201")
        refused = wire.answer(start(wire, uri, "Wrong"))["result"]
        assert not refused["ok"] and "not trusted" in refused["message"]
        wire.tell("onnx-lint/didChangeTrust", {"trusted": True})

        before = len(wire.received)
        result = wire.answer(start(wire, uri, "Wrong"))["result"]
        assert (result["ok"], [e["engine"] for e in result["exports"]]) == (False, ["torchscript"])
        created = [p["token"] for p in wire.of("window/workDoneProgress/create")]
        shown = [p["value"] for p in wire.of("$/progress") if p["token"] == created[-1]]
        assert (shown[0]["title"], shown[0]["cancellable"]) == ("Exporting Wrong", True)
        stages = [v["message"] for v in shown if v["kind"] == "report"]
        assert {"torchscript: load", "torchscript: capture", "torchscript: compare"} <= set(stages)
        shares = [v["percentage"] for v in shown if v["kind"] != "end"]
        assert shares == sorted(shares) and shares[-1] > shares[0]
        assert shown[-1]["kind"] == "end"
        items = wire.published(uri, evidence, before)
        found = evidence(items)
        assert ("ONX202", 7, ["not reached"]) in found
        assert ("ONX201", 8, ["confirmed"]) in found
        (confirmed,) = [d for d in items if d["range"]["start"]["line"] == 8]
        assert "torchscript export: confirmed: wrong on input 2" in confirmed["message"]
        shown_report = wire.command("onnx-lint.showReport", {"uri": uri, "name": "Wrong"})
        assert shown_report == result["report"]
        assert wire.of("window/showDocument")[-1]["uri"] == shown_report
        assert (tmp_path / "onnx-lint-export" / "Wrong.html").is_file()

        before = len(wire.received)
        result = wire.answer(start(wire, uri, "Right"))["result"]
        assert result["ok"] and len(result["outputs"]) == 1
        items = wire.published(uri, lambda items: ("ONX201", 13, ["untested"]) in evidence(items), before)
        assert ("ONX201", 8, ["confirmed"]) in evidence(items)
        assert "`Relu`" in hover(wire, uri, 13)
        lenses = wire.ask("textDocument/codeLens", {"textDocument": {"uri": uri}})
        titles = [lens["command"]["title"] for lens in lenses]
        assert titles.count("Export to ONNX and verify") == 2
        assert "torchscript: right on both inputs" in titles
        assert "torchscript: wrong on the second input" in titles

        before = len(wire.received)
        wire.replace(uri, 2, "# changed\n" + MODEL)
        wire.published(uri, lambda items: items and not evidence(items), before)
        assert "before the last change of the file" in hover(wire, uri, 14)
        assert wire.end() == 0
        assert wire.rest == b""


def begun(tmp_path: Path, wire: Wire) -> tuple[int, list[int]]:
    """Start an export that takes long; the request, and the processes that load the model."""
    (tmp_path / "model.py").write_text(SLOW)
    wire.initialize(profile("visual-studio-code"), [tmp_path], {"trusted": True})
    ident = start(wire, wire.open(tmp_path / "model.py"), "Net")
    notes = tmp_path / "processes"
    end = time.monotonic() + 120
    while not (notes.is_file() and notes.read_text().endswith("\n")):
        assert time.monotonic() < end and wire.process.poll() is None
        time.sleep(0.1)
    return ident, [int(number) for number in notes.read_text().split()]


def by_command(wire: Wire, ident: int) -> None:
    assert wire.command("onnx-lint.cancelExport") is True


def by_progress(wire: Wire, ident: int) -> None:
    token = wire.of("window/workDoneProgress/create")[-1]["token"]
    wire.tell("window/workDoneProgress/cancel", {"token": token})


REPAIRABLE = """\
from torch import nn


class Net(nn.Module):
    def forward(self, x):
        return x.reshape(int(x.shape[0]), -1)
"""


def test_a_repair_is_offered_where_an_export_went_wrong_and_put_into_the_document(tmp_path: Path) -> None:
    (tmp_path / "model.py").write_text(REPAIRABLE)
    with connect(tmp_path / "stderr") as wire:
        wire.answers["workspace/applyEdit"] = lambda params: {"applied": True}
        wire.initialize(profile("visual-studio-code"), [tmp_path], {"trusted": True})
        uri = wire.open(tmp_path / "model.py")
        wire.codes(uri, "ONX201")
        document = {"textDocument": {"uri": uri}}
        place = {"line": 5, "character": 20}
        asked = {**document, "range": {"start": place, "end": place}, "context": {"diagnostics": []}}

        def offered() -> list[Json]:
            actions = [a for a in wire.ask("textDocument/codeAction", asked) if a["title"].startswith("Repair")]
            lenses = [x for x in wire.ask("textDocument/codeLens", document) if x["command"]["title"].startswith("Rep")]
            assert [a["command"]["arguments"] for a in actions] == [x["command"]["arguments"] for x in lenses]
            return [a["command"] for a in actions]

        assert offered() == []
        assert not wire.answer(start(wire, uri, "Net"))["result"]["ok"]
        (command,) = offered()
        assert not wire.of("workspace/applyEdit")
        argument = {**command["arguments"][0], "engine": "torchscript"}
        result = wire.command(command["command"], argument)
        (applied,) = wire.of("workspace/applyEdit")
        (edit,) = applied["edit"]["changes"][uri]
        assert edit["newText"] == "        return x.reshape(x.shape[0], -1)\n"
        assert (edit["range"]["start"]["line"], edit["range"]["end"]["line"]) == (5, 6)
        assert "repaired, and right on" in result["message"] and "look at it" in result["message"]
        assert (tmp_path / "model.py").read_text() == REPAIRABLE, "the person saves it"


SCRIPT = """\
import torch
from torch import nn


class Net(nn.Module):
    def forward(self, x):
        return torch.relu(x) * int(x.sum())


def main():
    axes = {"x": {0: "n"}}
    torch.onnx.export(Net(), (torch.ones(2, 4),), "net.onnx", input_names=["x"], dynamic_axes=axes, dynamo=False)


if __name__ == "__main__":
    main()
"""


def test_a_script_is_run_and_what_it_exports_is_verified(tmp_path: Path) -> None:
    (tmp_path / "export.py").write_text(SCRIPT)
    (tmp_path / "library.py").write_text(SCRIPT.partition("if __name__")[0])
    with connect(tmp_path / "stderr") as wire:
        wire.initialize(profile("visual-studio-code"), [tmp_path], {"trusted": True})
        library, uri = wire.open(tmp_path / "library.py"), wire.open(tmp_path / "export.py")

        def lenses(of: str) -> dict[str, Json]:
            found = wire.ask("textDocument/codeLens", {"textDocument": {"uri": of}})
            return {lens["command"]["title"]: lens for lens in found}

        assert "Export with my script" not in lenses(library), "running it exports nothing"
        lens = lenses(uri)["Export with my script"]
        assert lens["range"]["start"]["line"] == 11
        asked = {"textDocument": {"uri": uri}, "range": lens["range"], "context": {"diagnostics": []}}
        (action,) = [a for a in wire.ask("textDocument/codeAction", asked) if a["title"] == "Export with my script"]
        assert action["command"] == lens["command"]
        elsewhere = {"start": {"line": 0, "character": 0}, "end": {"line": 0, "character": 0}}
        titles = [a["title"] for a in wire.ask("textDocument/codeAction", {**asked, "range": elsewhere})]
        assert "Export with my script" not in titles

        before = len(wire.received)
        result = wire.command(lens["command"]["command"], *lens["command"]["arguments"])
        summary = "torchscript: wrong on the second input"
        assert (result["ok"], result["message"]) == (False, f"export.py: {summary}")
        assert [os.path.basename(e["target"]) for e in result["exports"]] == ["export.py:12"]
        items = wire.published(uri, evidence, before)
        assert ("ONX201", 6, ["confirmed"]) in evidence(items)
        assert (tmp_path / "net.onnx").is_file(), "the script writes what it writes"
        assert {"Export with my script", summary} <= lenses(uri).keys()
        shown = lenses(uri)[summary]
        assert wire.command(shown["command"]["command"], *shown["command"]["arguments"]) == result["report"]
        assert wire.end() == 0


@pytest.mark.parametrize("cancel", [by_command, by_progress])
def test_a_cancelled_export_is_answered_and_its_processes_end(
    cancel: Callable[[Wire, int], None], tmp_path: Path
) -> None:
    with connect(tmp_path / "stderr") as wire:
        ident, processes = begun(tmp_path, wire)
        cancel(wire, ident)
        answer: Any = wire.answer(ident)["result"]
        assert (answer["ok"], answer["message"]) == (False, "the export of Net was cancelled")
        assert until_dead(*processes)
        assert wire.command("onnx-lint.cancelExport") is False
        assert wire.end() == 0


@pytest.mark.skipif(os.name == "nt", reason="Windows knows no SIGKILL")
def test_the_processes_of_an_export_end_when_the_server_is_killed(tmp_path: Path) -> None:
    with connect(tmp_path / "stderr") as wire:
        _, processes = begun(tmp_path, wire)
        wire.process.kill()
        assert until_dead(*processes)
