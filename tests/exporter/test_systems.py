"""The exporter on Linux, macOS and Windows, as far as one of them can show it.

Modules that a system lacks are hidden, in the command's process and in the worker's, and a real export runs that way.
"""

from __future__ import annotations

import json
import ntpath
import os
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest

from onnx_lint_exporter import paths, processes, targets
from onnx_lint_exporter.child import WORKER
from onnx_lint_exporter.worker.frames import of_python_text, of_trace_text
from onnx_lint_exporter.worker.protocol import Frame, Job, Target
from onnx_lint_exporter.worker.wire import encode_job

NET = """import torch


class Net(torch.nn.Module):
    def forward(self, x):
        return x + 1
"""
HIDDEN = """
import importlib.abc, os, signal, sys


class Hidden(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if name in {names}:
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)


sys.meta_path.insert(0, Hidden())
for name in {names}:
    sys.modules.pop(name, None)
for holder, names in ((os, {of_os}), (signal, {of_signal})):
    for name in names:
        if hasattr(holder, name):
            delattr(holder, name)
if not hasattr(signal, "SIGKILL"):  # the standard library is still that of this system
    import subprocess

    subprocess.Popen.kill = lambda self: self.poll() is None and os.kill(self.pid, 9)

from onnx_lint_exporter import processes

processes.LINUX = False
"""
WINDOWS = {
    "names": ("fcntl", "resource", "pwd", "grp", "termios"),
    "of_os": ("killpg", "getpgrp", "getpgid", "setsid", "getsid", "O_TMPFILE", "fchmod", "sysconf", "geteuid"),
    "of_signal": ("SIGKILL", "SIGHUP", "SIGQUIT", "SIGUSR1", "SIGUSR2", "SIGALRM", "pthread_sigmask", "sigtimedwait"),
}
MACOS = {
    "names": ("psutil",),
    "of_os": ("O_TMPFILE",),
    "of_signal": ("sigtimedwait", "sigwaitinfo"),
}


def hide(folder: Path, system: dict[str, tuple[str, ...]]) -> dict[str, str]:
    """An environment in which every interpreter starts without what a system lacks."""
    folder.mkdir()
    code = HIDDEN.format(**system)
    (folder / "sitecustomize.py").write_text(code)
    inherited = os.environ.get("PYTHONPATH", "")
    return {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, [str(folder), inherited]))}


@pytest.mark.torch
@pytest.mark.parametrize("system", [WINDOWS, MACOS], ids=["windows", "macos"])
def test_an_export_without_what_another_system_lacks(tmp_path: Path, system: dict[str, tuple[str, ...]]) -> None:
    environment = hide(tmp_path / "hidden", system)
    folder = tmp_path / "model"
    folder.mkdir()
    (folder / "net.py").write_text(NET)
    (folder / "net.onnx").write_bytes(b"old")
    target = ["net.py:Net", "--input", "x:float32[n,3]", "--engine", "torchscript", "--external-data"]
    options = ["--isolated", "--output", "net.onnx", "--map", "--output-format", "json"]
    ran = subprocess.run(
        [sys.executable, "-m", "onnx_lint", "--export", *target, *options],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    (entry,) = json.loads(ran.stdout)["exports"]
    assert (entry["ok"], entry["input1"]["state"], entry["input2"]["state"]) == (True, "right", "right")
    assert (folder / "net.onnx").read_bytes() != b"old"
    names = {path.name for path in folder.iterdir()} - {"__pycache__"}
    assert names == {"net.py", "net.onnx", "net.onnxmap.json"}


@pytest.mark.parametrize("name", ["processes", "child", "runs", "signals", "writer", "command", "worker.system"])
def test_each_module_is_imported_without_what_windows_lacks(name: str, tmp_path: Path) -> None:
    environment = hide(tmp_path / "hidden", WINDOWS)
    command = [sys.executable, "-c", f"import onnx_lint_exporter.{name}"]
    ran = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr


# --- orphans ---------------------------------------------------------------------------------------------------------


def gone(pid: int, seconds: float = 10.0) -> bool:
    """Whether a process ends within some seconds."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        try:
            if Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] == "Z":
                return True
        except OSError:
            return True
        time.sleep(0.05)
    return False


ORPHAN = """
import importlib, os, runpy, sys, time
{before}
start = runpy.run_path({worker!r}, run_name="loaded by a test")
start["worker_package"]()
system = importlib.import_module(start["PACKAGE"] + ".system")
system.sys = type("sys", (), {{"platform": {platform!r}}})
print(os.getpid(), file=sys.stderr, flush=True)
line = sys.stdin.buffer.readline()
if line:
    system.end_with_parent()
    time.sleep(600)
"""


@pytest.mark.skipif(not os.path.isdir("/proc/self"), reason="looks processes up in /proc")
@pytest.mark.parametrize("platform", ["linux", "darwin", "win32"])
@pytest.mark.parametrize("moment", ["before the job", "after the job"])
def test_a_worker_ends_with_its_parent_on_every_system(platform: str, moment: str, tmp_path: Path) -> None:
    """Killed as no parent can prepare for. On Linux the kernel helps; elsewhere the end of standard input says it."""
    code = ORPHAN.format(worker=str(WORKER), platform=platform, before="")
    write = "child.stdin.write(b'job\\n'); child.stdin.flush()" if moment == "after the job" else "pass"
    script = f"""
        import subprocess, sys, time
        child = subprocess.Popen([sys.executable, "-c", {code!r}], stdin=subprocess.PIPE, start_new_session=True)
        {write}
        child.wait()
    """
    parent = subprocess.Popen([sys.executable, "-c", textwrap.dedent(script)], stderr=subprocess.PIPE, text=True)
    assert parent.stderr is not None
    pid = int(parent.stderr.readline())
    if moment == "after the job":
        time.sleep(0.5)
    parent.kill()
    parent.wait()
    parent.stderr.close()
    assert gone(pid)


@pytest.mark.skipif(not os.path.isdir("/proc/self"), reason="looks processes up in /proc")
def test_the_real_worker_ends_in_its_first_second() -> None:
    """Its parent is gone while the interpreter starts: it never gets as far as importing torch."""
    job = encode_job(Job(Target("net.py:Net"), "torchscript", token="t"))
    script = f"""
        import os, subprocess, sys
        child = subprocess.Popen(
            [sys.executable, {str(WORKER)!r}], stdin=subprocess.PIPE, stdout=subprocess.PIPE, start_new_session=True
        )
        child.stdin.write({job!r}); child.stdin.flush()
        os.write(1, str(child.pid).encode())
        os.kill(os.getpid(), {int(signal.SIGKILL)})
    """
    ran = subprocess.run([sys.executable, "-c", textwrap.dedent(script)], capture_output=True, check=False)
    assert gone(int(ran.stdout), 5.0)


def test_a_worker_without_a_whole_job_ends_at_once() -> None:
    ran = subprocess.run(
        [sys.executable, str(WORKER)], input=b'{"target"', capture_output=True, timeout=30, check=False
    )
    assert (ran.returncode, ran.stdout) == (1, b"")


# --- processes -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("with_psutil", [True, False])
def test_liveness(with_psutil: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    if with_psutil:
        pytest.importorskip("psutil", reason="comes with the export extra")
    else:
        monkeypatch.setattr(processes, "psutil", None)
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    assert processes.is_alive(os.getpid())
    assert not processes.is_alive(ended.pid)


def test_liveness_never_signals_on_windows(monkeypatch: pytest.MonkeyPatch) -> None:
    """There signal 0 is Ctrl-C; what cannot be found out counts as alive, so that nothing of it is removed."""
    monkeypatch.setattr(processes, "psutil", None)
    monkeypatch.delattr(processes.os, "killpg")
    monkeypatch.setattr(processes.os, "kill", lambda *given: pytest.fail("a signal was sent"))
    assert processes.is_alive(2**22 + 1)


def test_memory_of_machine_is_known_without_psutil(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(processes, "psutil", None)
    assert (processes.memory_of_machine() or 0) > 100


def test_a_worker_that_no_system_bounds_is_watched(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Where there is no limit of the system's own, psutil sees the memory, and the exporter ends the worker."""
    pytest.importorskip("psutil", reason="comes with the export extra")
    from onnx_lint_exporter import child

    monkeypatch.setattr(processes, "LINUX", False)
    monkeypatch.setattr(child, "WORKER", tmp_path / "worker.py")
    (tmp_path / "worker.py").write_text("kept = bytearray(400 << 20)\nimport time; time.sleep(60)\n")
    job = Job(Target("net.py:Net"), "torchscript")
    result = child.Child(sys.executable, job, child.Limits(60.0, 200)).run()
    assert result.ended == "memory"
    assert result.seconds < 30


@pytest.mark.parametrize(
    ("status", "words"),
    [
        (0xC0000005, "an access violation"),
        (0xC00000FD, "a stack overflow"),
        (0xC0FFEE00, "status 0xc0ffee00"),
        (-int(signal.SIGSEGV), "a segmentation fault"),
        (0, None),
        (1, None),
        (None, None),
    ],
)
def test_crashes_in_words(status: int | None, words: str | None) -> None:
    assert processes.crash_words(status) == words


# --- paths of Windows ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        (r"C:\models\net.py:Net", (r"C:\models\net.py", "Net")),
        (r"C:\models\net.py", (r"C:\models\net.py", "")),
        (r"C:net.py", ("C:net.py", "")),
        ("C:/models/net.py:build", ("C:/models/net.py", "build")),
        (r"models\net.py:Net.inner", (r"models\net.py", "Net.inner")),
        ("pkg.module:Net", ("pkg.module", "Net")),
        ("pkg.module", ("pkg.module", "")),
    ],
)
def test_a_drive_is_not_a_name(text: str, parts: tuple[str, str]) -> None:
    assert targets.split(text) == parts


def test_a_path_with_backslashes_is_a_file_and_not_a_module() -> None:
    with pytest.raises(targets.TargetError, match="no such file"):
        targets.parse(r"C:\models\net:Net")


@pytest.mark.parametrize(
    ("path", "folder", "relative", "below"),
    [
        (r"C:\a\net.py", r"C:\a", "net.py", "net.py"),
        (r"C:\b\net.py", r"C:\a", r"..\b\net.py", None),
        (r"D:\net.py", r"C:\a", r"D:\net.py", None),
        (r"C:\a\..b\net.py", r"C:\a", r"..b\net.py", r"..b\net.py"),
    ],
)
def test_relative_paths_over_drives(
    path: str, folder: str, relative: str, below: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    windows = type("os", (), {"path": ntpath, "pardir": "..", "sep": "\\"})
    monkeypatch.setattr(paths, "os", windows)
    assert paths.relative(path, folder) == relative
    assert paths.below(path, folder) == below
    assert paths.with_slashes(relative) == relative.replace("\\", "/")


def test_places_of_windows_in_torchs_texts() -> None:
    traced = "C:\\models\\net.py(7): forward\nC:\\torch\\nn.py(9): _call_impl"
    assert of_trace_text(traced)[0] == Frame("C:\\models\\net.py", 7, "forward")
    assert of_trace_text("# C:\\models\\net.py:7:4")[0] == Frame("C:\\models\\net.py", 7, "", 5)
    assert of_python_text('  File "C:\\models\\net.py", line 7, in forward')[0] == Frame(
        "C:\\models\\net.py", 7, "forward"
    )
