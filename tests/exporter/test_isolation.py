"""Supervision of a worker: whatever it does, we hear its messages, know how it ended, and leave nothing running.

The workers here are small stand-ins, since the subject is our side; those that need the worker's own channel load it
without torch.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from onnx_lint.target import Engine
from onnx_lint_exporter import child as supervision
from onnx_lint_exporter.child import Child, ChildResult, Limits
from onnx_lint_exporter.outcome import Outcome, WorkerError, from_child
from onnx_lint_exporter.worker.protocol import (
    InternalError,
    Job,
    Kind,
    ModelLoaded,
    Observation,
    ResultSoFar,
    Target,
)

_SEND = """
import itertools, json, os, signal, subprocess, sys, time
job = json.loads(sys.stdin.buffer.readline())
numbers = itertools.count()
def line(kind, number=None, **fields):
    number = next(numbers) if number is None else number
    body = {"number": number, "kind": kind, "message": fields}
    return job["token"].encode() + json.dumps(body).encode() + b"\\n"
def send(kind, **fields):
    os.write(1, line(kind, **fields))
def show(value):
    send("ModelLoaded", definition={"file": str(value), "line": 1})
READY = {"torch": "2", "python": "python3"}
"""
_CHANNEL = f"""
import importlib, json, os, runpy, sys
start = runpy.run_path({str(supervision.WORKER)!r}, run_name="loaded by a test")
start["worker_package"]()
job = json.loads(sys.stdin.buffer.readline())
load = lambda name: importlib.import_module(start["PACKAGE"] + "." + name)
module, protocol = load("channel"), load("protocol")
channel = module.open_channel(job["token"], home="")
"""
JOB = Job(Target("net.py:Net"), "torchscript")
Start = Callable[..., Child]


@pytest.fixture
def start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Start:
    """Makes a child that runs the given code as its worker."""

    def make(code: str, limits: Limits | None = None, head: str = _SEND, **options: Any) -> Child:
        worker = tmp_path / "worker.py"
        worker.write_text(head + textwrap.dedent(code))
        monkeypatch.setattr(supervision, "WORKER", worker)
        return Child(sys.executable, JOB, limits or Limits(60.0), **options)

    return make


def kinds(result: ChildResult) -> list[str]:
    return [type(message).__name__ for message in result.messages]


def shown(result: ChildResult) -> list[str]:
    """What the stand-in has shown, in its order."""
    return [m.definition.file for m in result.messages if isinstance(m, ModelLoaded) and m.definition is not None]


def only_observation(outcome: Outcome) -> Observation:
    (item,) = outcome.observations
    return item


def ends(pid: int) -> bool:
    """Whether a process is gone, or only waits to be buried, within some seconds."""
    for _ in range(200):
        try:
            state = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
        except OSError:
            return True
        if state == "Z":
            return True
        time.sleep(0.05)
    return False


def test_noise_on_the_channel_is_no_message(start: Start) -> None:
    result = start(
        """
        os.write(1, b'{"number": 0, "kind": "Done", "message": {}}\\n\\xff\\xfe no message\\n')
        os.write(1, b'0000000000000000{"number": 0, "kind": "Done", "message": {}}\\n')
        send("StageBegun", stage="load")
        send("Done")
        """
    ).run()
    assert kinds(result) == ["StageBegun", "Done"]
    assert (result.ended, result.status, result.stage) == ("done", 0, "load")
    assert "no message" in result.raw


def test_a_message_longer_than_the_pipe_arrives_whole(start: Start) -> None:
    code = "send('ResultSoFar', result={'engine': 'x' * 3_000_000, 'text': '\\u00e9\\n'}); send('Done')"
    message = start(code).run().last(ResultSoFar)
    assert message is not None
    assert (len(message.result.engine), message.result.text) == (3_000_000, "é\n")


def test_what_the_model_prints_is_bounded_with_both_ends(start: Start) -> None:
    result = start(
        """
        sys.stderr.write("first words " + "x" * 5_000_000 + " last words")
        sys.stderr.flush()
        send("Done")
        """
    ).run()
    assert result.ended == "done"
    assert len(result.log) < supervision.LOG_LIMIT + 100
    assert result.log.startswith("first words ")
    assert result.log.endswith(" last words")
    assert "bytes left out" in result.log


@pytest.mark.parametrize(
    ("code", "status"),
    [
        ("sys.exit(0)", 0),
        ("os._exit(77)", 77),
        ("os.kill(os.getpid(), signal.SIGSEGV)", -signal.SIGSEGV),
        ("os.kill(os.getpid(), signal.SIGKILL)", -signal.SIGKILL),
    ],
)
def test_an_end_without_the_word_done_is_a_death_whatever_the_status(start: Start, code: str, status: int) -> None:
    sent = "send('Ready', **READY); send('ResultSoFar', result={'engine': 'torchscript', 'stage': 'capture'})"
    result = start(f"{sent}; {code}").run()
    assert (result.ended, result.status) == ("died", status)
    outcome = from_child(result, Engine.TORCHSCRIPT, "net.py:Net")
    assert not outcome.ok
    assert only_observation(outcome).kind is (Kind.CRASH if status < 0 else Kind.EXIT)


def test_a_message_cut_off_by_death_is_dropped_and_the_whole_ones_count(start: Start) -> None:
    result = start(
        """
        send("Ready", **READY)
        os.write(1, line("Done")[:-3])
        os.kill(os.getpid(), signal.SIGKILL)
        """
    ).run()
    assert kinds(result) == ["Ready"]
    assert result.ended == "died"


def test_a_worker_that_never_began_is_an_error_with_its_last_words(start: Start) -> None:
    result = start("sys.exit('no such interpreter option')").run()
    with pytest.raises(WorkerError, match=r"did not start.*no such interpreter option"):
        from_child(result, Engine.DYNAMO, "net.py:Net")


@pytest.mark.parametrize(
    ("kind", "fields"),
    [
        ("EnvironmentLacks", {"missing": ["torch"], "python": "python3"}),
        ("Unwritable", {"folder": "made", "text": "no room"}),
        ("InternalError", {"error": "ValueError", "text": "no room"}),
    ],
)
def test_troubles_outside_the_model_are_errors(start: Start, kind: str, fields: dict[str, Any]) -> None:
    result = start(f"send({kind!r}, **{fields!r}); time.sleep(60)").run()
    with pytest.raises(WorkerError, match=r"torch|no room"):
        from_child(result, Engine.DYNAMO, "net.py:Net")


def test_a_hang_while_loading_ends_although_signals_are_ignored(start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(supervision, "LOAD_LIMIT", 0.3)
    monkeypatch.setattr(supervision, "GRACE", 0.3)
    result = start(
        """
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGABRT): signal.signal(number, signal.SIG_IGN)
        send("Ready", **READY); send("StageBegun", stage="load")
        while True: time.sleep(1)
        """,
        Limits(),
    ).run()
    assert (result.ended, result.limit, result.status) == ("timeout", 0.3, -signal.SIGKILL)
    outcome = from_child(result, Engine.TORCHSCRIPT, "net.py:Net")
    assert "loading the model" in outcome.observations[-1].message
    assert "--timeout" in outcome.observations[-1].message


def test_a_hang_is_told_with_the_line_where_it_hangs(start: Start, tmp_path: Path) -> None:
    model = tmp_path / "net.py"
    model.write_text("import time\n\n\ndef forward():\n    while True:\n        time.sleep(0.01)\n")
    result = start(
        f"""
        import faulthandler
        faulthandler.enable(1)
        sys.path.insert(0, {str(tmp_path)!r})
        send("Ready", **READY); send("ModelLoaded", definition={{"file": {str(model)!r}, "line": 4}})
        send("StageBegun", stage="capture")
        import net
        net.forward()
        """,
        Limits(3.0),
    ).run()
    item = only_observation(from_child(result, Engine.TORCHSCRIPT, "net.py:Net"))
    assert item.kind is Kind.TIMEOUT
    assert (item.stack[0].file, item.stack[0].function) == (str(model), "forward")
    assert item.stack[0].line in (5, 6)


def test_a_model_that_ran_once_is_slow_and_not_hung(start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(supervision, "LOAD_LIMIT", 0.5)
    result = start("send('StageBegun', stage='reference'); time.sleep(1.5); send('Done')", Limits()).run()
    assert result.ended == "done"


def test_a_thread_that_never_ends_does_not_hold_us_up(start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(supervision, "GRACE", 0.3)
    result = start(
        """
        import threading, time
        threading.Thread(target=time.sleep, args=(600,)).start()
        channel.send(protocol.Done())
        channel.leave()
        """,
        head=_CHANNEL,
    ).run()
    assert result.ended == "done"


@pytest.mark.parametrize("end", ["time.sleep(600)", "os._exit(3)", "os.kill(os.getpid(), signal.SIGKILL)"])
def test_an_end_that_is_not_a_workers_is_not_trusted(end: str, start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(supervision, "GRACE", 0.3)
    result = start(f"send('Done'); {end}").run()
    assert result.ended == "forged"
    assert "did not end by itself" in only_observation(from_child(result, Engine.TORCHSCRIPT, "net.py:Net")).message


def test_cancel_from_another_thread_ends_the_worker(start: Start) -> None:
    ready = threading.Event()
    code = "show(os.getpid()); send('StageBegun', stage='load'); time.sleep(600)"
    child = start(code, on_stage=lambda stage: ready.set() if stage else None)
    results: list[ChildResult] = []
    thread = threading.Thread(target=lambda: results.append(child.run()))
    thread.start()
    assert ready.wait(30)
    child.cancel()
    thread.join(30)
    [result] = results
    assert result.ended == "cancelled"
    assert ends(int(shown(result)[0]))


def test_processes_of_the_workers_group_end_with_it(start: Start) -> None:
    result = start(
        """
        stray = subprocess.Popen(["sleep", "600"])
        show(stray.pid)
        forked = os.fork()
        if forked == 0:
            time.sleep(600)
        show(forked)
        time.sleep(0.5)
        send("Done")
        """
    ).run()
    pids = [int(pid) for pid in shown(result)]
    assert len(pids) == 2
    assert all(ends(pid) for pid in pids)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only Linux has subreapers")
def test_processes_in_sessions_of_their_own_end_too_and_others_children_do_not(tmp_path: Path) -> None:
    """In a process of its own, which becomes the parent of what its worker leaves behind."""
    worker = tmp_path / "worker.py"
    worker.write_text(_SEND + "show(subprocess.Popen(['sleep', '600'], start_new_session=True).pid)\nsend('Done')\n")
    script = f"""
        import json, subprocess, sys
        from pathlib import Path
        from onnx_lint_exporter import child as c, processes as p
        from onnx_lint_exporter.worker.protocol import Job, Target
        c.WORKER = Path({str(worker)!r})
        other = subprocess.Popen(["sleep", "600"])
        before, adopted = p.children(), p.adopt_orphans()
        result = c.Child(sys.executable, Job(Target("net.py"), "dynamo"), c.Limits(60.0)).run()
        p.end_orphans(before)
        print(json.dumps([adopted, int(result.messages[0].definition.file), other.poll()]))
        other.kill()
    """
    done = subprocess.run([sys.executable, "-c", textwrap.dedent(script)], capture_output=True, text=True, check=True)
    adopted, stray, other = json.loads(done.stdout)
    assert adopted
    assert ends(stray)
    assert other is None


def test_the_model_cannot_reach_the_channel_nor_silence_it(start: Start) -> None:
    result = start(
        """
        print("to the log"); os.write(1, b"raw to the log\\n"); sys.stdout.flush()
        assert sys.stdin.read() == ""
        if os.fork() == 0:
            channel.send(protocol.Done())
            os._exit(0)
        os.wait()
        sys.stdout.close(); sys.stderr = None
        for fd in range(3, 100):
            try: os.close(fd)
            except OSError: pass
        os.close(1); os.close(2)
        os.write = os.getpid = json.dumps = None
        channel.send(protocol.ModelLoaded(None))
        channel.send(protocol.Done())
        channel.leave()
        """,
        head=_CHANNEL,
    ).run()
    assert kinds(result) == ["ModelLoaded", "Done"]
    assert (result.ended, result.status) == ("done", 0)
    assert "to the log" in result.log
    assert "raw to the log" in result.log


def test_texts_that_no_json_takes_are_told_all_the_same(start: Start) -> None:
    result = start(
        """
        class Bad:
            def __str__(self): raise RuntimeError
        channel.send(protocol.InternalError(module.clip(Bad()), module.clip("a\\ud800" + "z" * 50_000_000)))
        channel.leave()
        """,
        head=_CHANNEL,
    ).run()
    message = result.last(InternalError)
    assert message is not None
    assert message.text.startswith("a?zzz")
    assert len(message.text) <= 4100
    assert "Bad" in message.error


def test_an_early_exit_says_where(start: Start) -> None:
    result = start(
        """
        channel.send(protocol.Ready("2", "python3"))
        channel.live_stack = lambda: (protocol.Frame("/home/net.py", 7, "forward"),)
        module.report_exits(channel)
        os._exit(0)
        """,
        head=_CHANNEL,
    ).run()
    item = only_observation(from_child(result, Engine.TORCHSCRIPT, "net.py:Net"))
    assert item.kind is Kind.EXIT
    assert "os._exit with status 0" in item.message
    assert item.stack[0].line == 7


NET = "import torch\nclass Net(torch.nn.Module):\n    def forward(self, x):\n        return x + 1\n"


def command(folder: Path, python: str, *arguments: str) -> list[str]:
    (folder / "net.onnx").write_bytes(b"old model")
    (folder / "net.onnx.data").write_bytes(b"old data")
    output = ["--output", "net.onnx", "--output-format", "json", "--no-cache"]
    target = ["--export", "net.py:Net", "--engine", "torchscript", "--input", "x:float32[2,3]"]
    return [sys.executable, "-m", "onnx_lint", *target, *output, "--python", python, *arguments]


def intact(folder: Path) -> bool:
    pair = ((folder / "net.onnx").read_bytes(), (folder / "net.onnx.data").read_bytes())
    names = {path.name for path in folder.iterdir()} - {"__pycache__"}
    return pair == (b"old model", b"old data") and names == {"net.py", "net.onnx", "net.onnx.data"}


@pytest.mark.torch
def test_a_failed_export_leaves_the_old_pair_and_one_document(tmp_path: Path, warm_python: str) -> None:
    body = "print('{')\n        import os; os._exit(0)"
    (tmp_path / "net.py").write_text(NET.replace("return x + 1", body))
    ran = subprocess.run(command(tmp_path, warm_python), cwd=tmp_path, capture_output=True, text=True, check=False)
    assert ran.returncode == 1, ran.stderr
    document = json.loads(ran.stdout)
    assert [(d["line"], d["code"]) for d in document["diagnostics"]] == [(5, "ONX911")]
    assert intact(tmp_path)


@pytest.mark.torch
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_leaves_the_old_pair_no_process_and_no_temporary_folder(number: int, tmp_path: Path) -> None:
    """With the interpreter itself: what the tests' warm one leaves behind is not ours to end."""
    folder, temporary = tmp_path / "model", tmp_path / "temporary"
    folder.mkdir()
    temporary.mkdir()
    pid_file = tmp_path / "pid"
    hang = f"import os, time\nopen({str(pid_file)!r}, 'w').write(str(os.getpid()) + ' ')\ntime.sleep(600)\n"
    (folder / "net.py").write_text(hang + NET)
    environment = {**os.environ, "TMPDIR": str(temporary)}
    process = subprocess.Popen(
        command(folder, sys.executable), cwd=folder, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    for _ in range(600):
        if pid_file.exists() and pid_file.read_text().endswith(" "):
            break
        time.sleep(0.1)
    process.send_signal(number)
    process.communicate(timeout=60)
    assert process.returncode == 128 + number
    assert intact(folder)
    assert ends(int(pid_file.read_text()))
    assert not list(temporary.glob("onnx-lint-export-*"))
