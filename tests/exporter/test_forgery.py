"""A model that speaks in the worker's name, attacks the exporter, or leaves other files than were asked for."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from onnx_lint.target import Engine
from onnx_lint_exporter.outcome import Outcome
from onnx_lint_exporter.received import model_of
from onnx_lint_exporter.worker.protocol import Result
from onnx_lint_exporter.writer import OutputPath, WriteError

sys.path.insert(0, str(Path(__file__).parent))
from commands import Ran, export

NET = """import gc, os, signal, sys, time
import torch


class Net(torch.nn.Module):
    def forward(self, x):
        {attack}
        return x + 1
"""
FIND = "channel = next(o for o in gc.get_objects() if type(o).__name__ == 'Channel')"
LIE = """
        protocol = sys.modules[type(channel).__module__.rpartition(".")[0] + ".protocol"]
        right = protocol.Comparison(protocol.State.RIGHT)
        lie = protocol.Result("torchscript", exported=True, checked=True, complete=True, input1=right, input2=right)
"""
SEND = FIND + LIE + "        channel.send(protocol.ResultSoFar(lie)); channel.send(protocol.Done())"
WRITE = (
    FIND
    + LIE
    + """        for number, message in enumerate((protocol.ResultSoFar(lie), protocol.Done()), channel._number):
            os.write(channel.fd, channel._token + protocol.encode(message, number) + b"\\n")
        time.sleep(2)"""
)
GARBAGE = FIND + '; os.write(channel.fd, channel._token + b"{}\\n"); time.sleep(60)'


def attacked(folder: Path, python: str, attack: str, *options: str) -> Ran:
    (folder / "net.py").write_text(NET.format(attack=attack))
    arguments = ["net.py:Net", "--input", "x:float32[2,3]", "--engine", "torchscript", "--output-format", "json"]
    return export(folder, python, [*arguments, *options])


@pytest.mark.torch
@pytest.mark.parametrize(
    ("attack", "words"),
    [
        (SEND, "sent a message in the worker's name"),
        (GARBAGE, "a message cannot be read"),
    ],
    ids=["send", "garbage"],
)
def test_a_forged_message_is_reported_and_nothing_is_trusted(
    attack: str, words: str, tmp_path: Path, warm_python: str
) -> None:
    ran = attacked(tmp_path, warm_python, attack, "--output", "net.onnx")
    assert ran.status == 1, ran.err
    (found,) = ran.document["diagnostics"]
    assert (found["code"], found["severity"]) == ("ONX919", "error")
    assert words in found["message"]
    entry = ran.export("torchscript")
    assert (entry["ok"], entry["exported"], entry["input1"]["state"]) == (False, False, "not run")
    assert not (tmp_path / "net.onnx").exists()


@pytest.mark.torch
def test_the_line_that_sends_is_named(tmp_path: Path, warm_python: str) -> None:
    ran = attacked(tmp_path, warm_python, SEND)
    (found,) = ran.document["diagnostics"]
    line = 1 + (tmp_path / "net.py").read_text().split("\n").index(
        "        channel.send(protocol.ResultSoFar(lie)); channel.send(protocol.Done())"
    )
    assert found["line"] == line


@pytest.mark.torch
def test_raw_messages_with_the_right_numbers_have_no_model_behind_them(tmp_path: Path, warm_python: str) -> None:
    """The most that a model can do: it knows the protocol, and counts. No file is taken that is not a model."""
    secret = tmp_path / "secret"
    secret.write_text("secret")
    attack = WRITE.replace("for number", "os.makedirs(FOLDER, exist_ok=True)\n        for number", 1).replace(
        "os.makedirs(FOLDER, exist_ok=True)",
        "job = next(o for o in gc.get_objects() if type(o).__name__ == 'Job')\n"
        f"        os.makedirs(job.folder); os.symlink({str(secret)!r}, os.path.join(job.folder, job.name))",
    )
    ran = attacked(tmp_path, warm_python, attack, "--output", "net.onnx")
    assert ran.status in (1, 2), ran.err
    assert not (tmp_path / "net.onnx").exists()


@pytest.mark.torch
@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only Linux tells who sent a signal")
@pytest.mark.parametrize("name", ["SIGTERM", "SIGINT", "SIGHUP", "SIGUSR1"])
def test_a_model_that_signals_the_exporter_is_reported(name: str, tmp_path: Path) -> None:
    """Twice, as the second one used to end the command without a word."""
    send = f"os.kill(os.getppid(), signal.{name})"
    (tmp_path / "net.py").write_text(NET.format(attack=f"{send}; time.sleep(0.5); {send}; time.sleep(60)"))
    target = ["net.py:Net", "--input", "x:float32[2,3]", "--engine", "torchscript", "--output-format", "json"]
    ran = subprocess.run(
        [sys.executable, "-m", "onnx_lint", "--isolated", "--export", *target],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 1, ran.stderr
    (found,) = json.loads(ran.stdout)["diagnostics"]
    assert found["code"] == "ONX919"
    assert f"sent {name} to the exporter" in found["message"]


# --- files -----------------------------------------------------------------------------------------------------------

MODEL = b"\x08\x0a" + b"\x3a\x02\x0a\x00"
"""``ir_version: 10`` and an almost empty graph, as protobuf writes them."""


def outcome(folder: Path) -> Outcome:
    return Outcome(Engine.TORCHSCRIPT, "net.py:Net", Result("torchscript"), str(folder))


def place(folder: Path) -> OutputPath:
    return OutputPath(str(folder / "net.onnx"), "net.onnx.data", "net.onnx.1-00000000.data")


def test_a_model_is_taken(tmp_path: Path) -> None:
    (tmp_path / "net.onnx").write_bytes(MODEL)
    assert model_of(outcome(tmp_path), place(tmp_path)).model == str(tmp_path / "net.onnx")


@pytest.mark.parametrize(
    "data",
    [b"", b"secret", b"\x08\x0a", b"\x3a\x02\x0a\x00", MODEL[:-1], MODEL + b"\xff\xff\xff", b"\x00" * 20],
    ids=["empty", "text", "no graph", "no version", "cut off", "garbage behind", "zeros"],
)
def test_what_is_not_a_model_is_not_taken(data: bytes, tmp_path: Path) -> None:
    (tmp_path / "net.onnx").write_bytes(data)
    with pytest.raises(WriteError, match="not an ONNX model"):
        model_of(outcome(tmp_path), place(tmp_path))


def test_a_link_is_not_taken(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").write_bytes(MODEL)
    (tmp_path / "net.onnx").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(WriteError, match="left no such file"):
        model_of(outcome(tmp_path), place(tmp_path))


@pytest.mark.parametrize("missing", ["net.onnx", "net.onnx.spare"])
def test_a_missing_file_is_reported(missing: str, tmp_path: Path) -> None:
    for name in {"net.onnx", "net.onnx.spare"} - {missing}:
        (tmp_path / name).write_bytes(MODEL)
    (tmp_path / "net.onnx.data").write_bytes(b"weights")
    with pytest.raises(WriteError, match=f"{missing}: the export left no such file"):
        model_of(outcome(tmp_path), place(tmp_path))
