"""The server as a process: its output, its log, its end, its background work."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from lsp_wire import PROFILES, connect, install, profile, until_dead

from onnx_lint_lsp.system import is_alive

MODEL = """\
from torch import nn


class Net(nn.Module):
    def forward(self, x):
        n = x.sum().item()
        return x * n
"""
NOISY_RULE = """\
    import os
    from collections.abc import Iterator

    from onnx_lint.rule import Finding, Rule
    from onnx_lint.semantics.domain.sites import TensorCall
    from onnx_lint.target import Engine, fails


    class Noisy(Rule[TensorCall]):
        code = "NOI001"
        name = "noisy"
        effects = {Engine.TORCHSCRIPT: fails("fails")}

        def check(self, site: TensorCall, /) -> Iterator[Finding]:
            print("stray print")
            os.write(1, b"stray write")
            os.system("echo stray child")
            raise RuntimeError("a rule of somebody else")
"""
BROKEN_LENSES = """\
    from onnx_lint_lsp import lenses


    def models(workspace, view):
        raise RuntimeError("a fault of our own")


    lenses.models = models
"""


def test_a_fault_is_answered_each_time_and_logged_once_and_prints_go_to_standard_error(tmp_path: Path) -> None:
    env = install(tmp_path / "site", {"rule": NOISY_RULE, "fault": BROKEN_LENSES})
    with connect(tmp_path / "stderr", env) as wire:
        wire.initialize(profile("visual-studio-code"))
        uri = wire.open(tmp_path / "model.py", MODEL)
        items = wire.published(uri, lambda items: "ONX099" in [d["code"] for d in items])
        assert [d["code"] for d in items] == ["ONX099", "ONX202"]
        assert "NOI001 failed on this code: RuntimeError" in items[0]["message"]
        for _ in range(3):
            answer = wire.answer(wire.send("textDocument/codeLens", {"textDocument": {"uri": uri}}))
            assert answer["error"]["code"] == -32603
            assert "a fault of our own" in answer["error"]["message"]
        wire.replace(uri, 2, MODEL + "\n\nx = 1\n")
        wire.published(uri, lambda items: [d["code"] for d in items] == ["ONX099", "ONX202"])
        assert wire.end() == 0
        assert wire.rest == b""
        logged = [m["message"] for m in wire.of("window/logMessage") if "a fault of our own" in m["message"]]
        assert len(logged) == 1
        assert wire.of("window/showMessage") == []
    said = wire.stderr.read_text()
    assert said.count("internal error, please report it") == 1
    assert all(stray in said for stray in ("stray print", "stray write", "stray child"))


def test_the_server_ends_with_its_client(tmp_path: Path) -> None:
    command = [sys.executable, "-c", "input()"]
    with subprocess.Popen(command, stdin=subprocess.PIPE) as editor, connect(tmp_path / "stderr") as wire:
        wire.initialize(profile("neovim"), process=editor.pid)
        assert wire.process.poll() is None
        editor.kill()
        editor.wait()  # the pipes stay open, as a child of the editor might hold them
        assert wire.process.wait(60) == 1


@pytest.mark.parametrize("shutdown", [True, False])
def test_the_end_as_the_protocol_has_it(shutdown: bool, tmp_path: Path) -> None:
    with connect(tmp_path / "stderr") as wire:
        wire.initialize(profile("emacs"))
        if shutdown:
            wire.ask("shutdown", None)
        wire.tell("exit", None)
        assert wire.process.wait(60) == (0 if shutdown else 1)
        assert until_dead(wire.process.pid)


@pytest.mark.parametrize("name", PROFILES)
def test_the_index_of_a_large_folder_shows_progress_and_reload_walks_it_again(name: str, tmp_path: Path) -> None:
    folder = tmp_path / "workspace"
    folder.mkdir()
    for number in range(250):
        (folder / f"part_{number}.py").write_text(f"import part_{number // 2}\n")
    (folder / "model.py").write_text(MODEL)
    taken = threading.Event()
    capabilities = profile(name)
    capabilities.setdefault("window", {})["workDoneProgress"] = name != "emacs"
    with connect(tmp_path / "stderr") as wire:
        wire.answers["window/workDoneProgress/create"] = lambda params: taken.set()
        wire.initialize(capabilities, [folder])
        ready = wire.until(lambda m: m.get("method") == "onnx-lint/status" and m["params"]["state"] == "ready")
        assert ready["params"]["files"] == 251
        before = len(wire.received)
        (folder / "late.py").write_text("")
        (folder / "onnx-lint.toml").write_text('ignore = ["ONX202"]\n')
        uri = wire.open(folder / "model.py")
        wire.command("onnx-lint.reload")
        again = wire.until(lambda m: m.get("method") == "onnx-lint/status" and m["params"]["state"] == "ready", before)
        assert again["params"]["files"] == 252
        wire.codes(uri, after=before)
        if name == "emacs":
            assert not taken.is_set() and wire.of("$/progress") == []
        else:
            shown = [(p["token"], p["value"]["kind"]) for p in wire.of("$/progress")]
            tokens = list(dict.fromkeys(token for token, _ in shown))
            # asked for in any case; nothing is shown when the index was there before the client's answer
            assert taken.is_set() and set(tokens) <= {p["token"] for p in wire.of("window/workDoneProgress/create")}
            for token in tokens:
                kinds = [kind for other, kind in shown if other == token]
                assert (kinds[0], kinds[-1]) == ("begin", "end")
        assert wire.end() == 0


@pytest.mark.parametrize("name", PROFILES)
def test_inlay_hints_stand_behind_what_is_frozen(name: str, tmp_path: Path) -> None:
    text = MODEL.replace("n = x", 's = "\U0001f984é"; n = x')
    where = {"start": {"line": 0, "character": 0}, "end": {"line": 7, "character": 0}}
    with connect(tmp_path / "stderr") as wire:
        settings = {"inlayHints": True}
        wire.answers["workspace/configuration"] = lambda params: [settings for _ in params["items"]]
        server = wire.initialize(profile(name), options={"settings": settings})
        uri = wire.open(tmp_path / "model.py", text)
        hints = wire.ask("textDocument/inlayHint", {"textDocument": {"uri": uri}, "range": where})
        column = {"utf-8": 40, "utf-16": 37, "utf-32": 36}[server.get("positionEncoding", "utf-16")]
        assert (hints[0]["position"], hints[0]["kind"]) == ({"line": 5, "character": column}, 1)
        assert "frozen" in hints[0]["label"]
        settings = {"inlayHints": False}
        wire.tell("workspace/didChangeConfiguration", {"settings": {"onnxLint": settings}})
        end = time.monotonic() + 60  # some clients are asked for their settings first
        while wire.ask("textDocument/inlayHint", {"textDocument": {"uri": uri}, "range": where}):
            assert time.monotonic() < end
        assert wire.end() == 0


@pytest.mark.parametrize("begun", [False, True])
def test_the_server_ends_with_its_input(begun: bool, tmp_path: Path) -> None:
    with connect(tmp_path / "stderr") as wire:
        if begun:
            wire.initialize({})
        assert wire.process.stdin is not None
        wire.process.stdin.close()
        assert wire.process.wait(60) == 1


def test_what_is_asked_of_the_system() -> None:
    assert is_alive(os.getpid())
    assert not is_alive(0)
    assert not is_alive(-1)
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as child:
        assert is_alive(child.pid)
        child.kill()
        child.wait()
        assert not is_alive(child.pid)


def test_the_memory_of_a_process_grows_with_what_it_holds() -> None:
    """In a process of its own: what this one held before may be used again."""
    code = (
        "from onnx_lint_lsp.system import resident_bytes; before = resident_bytes(); "
        "held = bytes(64 << 20).replace(bytes(1), b'x'); print(before, resident_bytes(), len(held))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    before, after, held = map(int, done.stdout.split())
    assert 0 < before < before + held // 2 < after
