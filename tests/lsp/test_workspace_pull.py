"""Diagnostics of the whole workspace, for clients that ask for them."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from lsp_wire import Json, Wire, connect, profile, until_dead

HELPER = "def scale(v):\n    return {}\n"
USER = """\
from torch import nn
from helper import scale


class Net(nn.Module):
    def forward(self, x):
        if scale(x) > 1:
            x = x * 2
        return x
"""
ITEM = """\
from torch import nn


class Net(nn.Module):
    def forward(self, x):
        s = "\U0001f984é"; n = x.sum().item()
        return x * n
"""
COLUMN = {"visual-studio-code": 23, "neovim": 26, "emacs": 22}


def make(folder: Path) -> None:
    files = {
        "helper.py": HELPER.format("2"),
        "user.py": USER,
        "item.py": ITEM,
        "clean.py": "x = 1\n",
        "left/out.py": ITEM,
        "ignored/item.py": ITEM,
        ".gitignore": "ignored/\n",
        "pyproject.toml": "[tool.onnx-lint]\nexclude = ['left']\n",
    }
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)


def begin(wire: Wire, *folders: Path, name: str = "visual-studio-code", settings: Json | None = None) -> None:
    capabilities = profile(name)
    capabilities["textDocument"]["diagnostic"] = {"dynamicRegistration": True}
    capabilities["workspace"]["diagnostics"] = {"refreshSupport": True}
    capabilities["workspace"]["configuration"] = False
    server = wire.initialize(capabilities, folders, {"diagnostics": "pull", "settings": settings})
    assert server["diagnosticProvider"]["workspaceDiagnostics"] is True
    assert server["diagnosticProvider"]["workDoneProgress"] is True


def asked(before: dict[str, Json] | None = None, **tokens: str) -> Json:
    ids = [{"uri": uri, "value": r["resultId"]} for uri, r in (before or {}).items() if "resultId" in r]
    return {"previousResultIds": ids, **tokens}


def pull(wire: Wire, before: dict[str, Json] | None = None) -> dict[str, Json]:
    """The reports by URI."""
    reports = wire.ask("workspace/diagnostic", asked(before))["items"]
    assert len({report["uri"] for report in reports}) == len(reports)
    return {report["uri"]: report for report in reports}


def codes(reports: dict[str, Json], folder: Path) -> dict[str, list[str]]:
    base = folder.as_uri() + "/"
    return {uri.removeprefix(base): [d["code"] for d in r["items"]] for uri, r in reports.items() if "items" in r}


@pytest.mark.parametrize("name", ["visual-studio-code", "neovim", "emacs"])
def test_the_files_of_the_command_are_reported_as_the_command_and_the_open_document_do(
    name: str, tmp_path: Path
) -> None:
    make(tmp_path)
    with connect(tmp_path / "stderr") as wire:
        begin(wire, tmp_path, name=name)
        reports = pull(wire)
        assert codes(reports, tmp_path) == {"item.py": ["ONX202"]}
        uri = (tmp_path / "item.py").as_uri()
        assert reports[uri]["version"] is None
        assert reports[uri]["items"][0]["range"]["start"]["character"] == COLUMN[name]
        wire.open(tmp_path / "item.py")
        alone = wire.ask("textDocument/diagnostic", {"textDocument": {"uri": uri}})
        assert alone["items"] == reports[uri]["items"] and alone["resultId"] == reports[uri]["resultId"]
        assert wire.of("textDocument/publishDiagnostics") == []
        assert wire.end() == 0
    command = [sys.executable, "-m", "onnx_lint", "--output-format", "concise", "."]
    shown = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False).stdout
    assert [line.split(":")[0] for line in shown.splitlines() if "ONX" in line] == ["item.py"]


def test_what_did_not_change_is_said_to_be_so_and_unsaved_texts_count(tmp_path: Path) -> None:
    make(tmp_path)
    with connect(tmp_path / "stderr") as wire:
        begin(wire, tmp_path)
        helper = wire.open(tmp_path / "helper.py")
        first = pull(wire)
        assert codes(first, tmp_path) == {"helper.py": [], "item.py": ["ONX202"]}
        assert first[helper]["version"] == 1
        second = pull(wire, first)
        assert {uri: r["kind"] for uri, r in second.items()} == dict.fromkeys(first, "unchanged")

        wire.replace(helper, 2, HELPER.format("v.sum()"))
        third = pull(wire, first)
        assert codes(third, tmp_path) == {"user.py": ["ONX101"]}
        assert (third[helper]["kind"], third[helper]["version"]) == ("unchanged", 2)
        user = (tmp_path / "user.py").as_uri()
        wire.tell("textDocument/didClose", {"textDocument": {"uri": helper}})  # unsaved: the disk counts again
        (tmp_path / "item.py").unlink()
        fourth = pull(wire, {**first, user: third[user]})
        assert codes(fourth, tmp_path) == {"user.py": [], "item.py": []}
        assert "resultId" not in fourth[(tmp_path / "item.py").as_uri()]
        assert wire.end() == 0


def test_a_client_that_tells_of_files_gets_what_is_known_until_one_changes(tmp_path: Path) -> None:
    make(tmp_path)
    capabilities = profile("visual-studio-code")
    assert capabilities["workspace"]["didChangeWatchedFiles"]["dynamicRegistration"] is True
    with connect(tmp_path / "stderr") as wire:
        begin(wire, tmp_path)
        pull(wire)  # the first may come before the folders are set up
        first = pull(wire)
        item, user = tmp_path / "item.py", tmp_path / "user.py"
        item.write_text(ITEM.replace(".item()", ""))
        assert pull(wire, first)[item.as_uri()]["kind"] == "unchanged", "nobody has told of it yet"
        wire.tell("workspace/didChangeWatchedFiles", {"changes": [{"uri": item.as_uri(), "type": 2}]})
        wire.until(lambda message: message.get("method") == "workspace/diagnostic/refresh")
        second = pull(wire, first)
        assert codes(second, tmp_path) == {"item.py": []}
        (tmp_path / "helper.py").write_text(HELPER.format("v.sum()"))
        wire.tell("workspace/didChangeConfiguration", {"settings": {"onnxLint": {"select": ["ONX101"]}}})
        assert codes(pull(wire, second), tmp_path) == {"user.py": ["ONX101"]}
        wire.tell("workspace/didChangeConfiguration", {"settings": {"onnxLint": {"enable": False}}})
        assert codes(pull(wire, {user.as_uri(): {"resultId": "x"}}), tmp_path) == {"user.py": []}
        (tmp_path / ".gitignore").write_text("*.py\n!ignored/*.py\n")
        wire.tell(
            "workspace/didChangeWatchedFiles", {"changes": [{"uri": (tmp_path / ".gitignore").as_uri(), "type": 2}]}
        )
        wire.tell("workspace/didChangeConfiguration", {"settings": {"onnxLint": {}}})
        assert codes(pull(wire), tmp_path) == {"ignored/item.py": ["ONX202"]}
        assert wire.end() == 0


def test_a_file_belongs_to_the_innermost_folder(tmp_path: Path) -> None:
    make(tmp_path)
    with connect(tmp_path / "stderr") as wire:
        begin(wire, tmp_path, tmp_path / "left", tmp_path / "ignored")
        assert set(codes(pull(wire), tmp_path)) == {"item.py", "ignored/item.py"}
        assert wire.end() == 0


def test_reports_come_in_parts_with_progress_for_clients_that_give_tokens(tmp_path: Path) -> None:
    make(tmp_path)
    with connect(tmp_path / "stderr") as wire:
        begin(wire, tmp_path)
        uri = wire.open(tmp_path / "user.py")
        result = wire.ask("workspace/diagnostic", asked(partialResultToken="part", workDoneToken="work"))
        assert result == {"items": []}
        parts = [p["value"]["items"] for p in wire.of("$/progress") if p["token"] == "part"]
        assert [[r["uri"] for r in part] for part in parts] == [[uri], [(tmp_path / "item.py").as_uri()]]
        kinds = [p["value"]["kind"] for p in wire.of("$/progress") if p["token"] == "work"]
        assert (kinds[0], kinds[-1], set(kinds[1:-1]) <= {"report"}) == ("begin", "end", True)
        assert wire.end() == 0


def test_what_was_found_is_kept_for_the_next_server(tmp_path: Path) -> None:
    cache, folder = tmp_path / "cache", tmp_path / "w"
    folder.mkdir()
    make(folder)
    env = {"ONNX_LINT_NO_CACHE": "", "ONNX_LINT_CACHE_DIR": str(cache)}
    for helper, expected in (("2", []), ("2", []), ("v.sum()", ["user.py"])):
        (folder / "helper.py").write_text(HELPER.format(helper))
        with connect(tmp_path / "stderr", env) as wire:
            begin(wire, folder)
            assert set(codes(pull(wire), folder)) == {"item.py", *expected}
            assert wire.end() == 0
        assert sorted(path.suffix for path in cache.iterdir()) == [".json", ".parts"]


def children(wire: Wire) -> list[int]:
    """The processes that check folders."""
    out = subprocess.run(["ps", "-wweo", "pid,ppid,args"], capture_output=True, text=True, check=True).stdout
    rows = [line.split(None, 2) for line in out.splitlines()]
    return [int(r[0]) for r in rows if r[1] == str(wire.process.pid) and "folder_child.py" in r[2]]


def child_of(wire: Wire) -> int:
    end = time.monotonic() + 60
    while not (found := children(wire)):
        assert time.monotonic() < end
        time.sleep(0.02)
    return found[0]


@pytest.mark.skipif(os.name == "nt", reason="looks for processes by `ps`")
@pytest.mark.parametrize("by_progress", [False, True])
def test_a_cancelled_request_ends_its_process_and_documents_are_answered_meanwhile(
    by_progress: bool, tmp_path: Path
) -> None:
    make(tmp_path)
    with connect(tmp_path / "stderr") as wire:
        begin(wire, tmp_path)
        ident = wire.send("workspace/diagnostic", asked(workDoneToken="work"))
        child = child_of(wire)
        os.kill(child, signal.SIGSTOP)  # however long it takes
        uri = wire.open(tmp_path / "item.py")
        alone = wire.ask("textDocument/diagnostic", {"textDocument": {"uri": uri}})
        assert [d["code"] for d in alone["items"]] == ["ONX202"]
        if by_progress:
            wire.tell("window/workDoneProgress/cancel", {"token": "work"})
        else:
            wire.tell("$/cancelRequest", {"id": ident})
        assert wire.answer(ident)["error"]["code"] == -32800
        assert until_dead(child)
        assert [p["value"]["kind"] for p in wire.of("$/progress")][-1] == "end"
        assert codes(pull(wire), tmp_path) == {"item.py": ["ONX202"]}
        assert wire.end() == 0


@pytest.mark.skipif(os.name == "nt", reason="looks for processes by `ps`")
def test_a_check_that_dies_is_an_error_and_ends_with_the_server(tmp_path: Path) -> None:
    make(tmp_path)
    with connect(tmp_path / "stderr") as wire:
        begin(wire, tmp_path)
        ident = wire.send("workspace/diagnostic", asked())
        os.kill(child_of(wire), signal.SIGKILL)
        assert "ended with status" in wire.answer(ident)["error"]["message"]
        wire.send("workspace/diagnostic", asked())
        child = child_of(wire)
        wire.process.kill()
        assert until_dead(child)
