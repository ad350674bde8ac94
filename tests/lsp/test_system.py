"""A process ends itself by way of its handler on every system: Windows' way is run here, with its name."""

from __future__ import annotations

import subprocess
import sys

import pytest

CHILD = """
import signal, sys, threading, time
from onnx_lint_lsp import system

sys.platform, system.GRACE = {platform!r}, {grace}
{prepare}
try:
    threading.Thread(target=system.end_this_process, daemon=True).start()
    for _ in range(600):
        time.sleep(0.1)
    print("not ended")
finally:
    print("cleaned up")
"""
HANDLER = """
def leave(number, frame):
    raise SystemExit(7)

signal.signal(signal.SIGTERM, leave)
"""
KILL = """
import os
os.kill = lambda process, number: os._exit(50 + number) if process == os.getpid() else None  # as Windows does
"""
TERM = 15


def end(platform: str, grace: float, prepare: str) -> tuple[int, str]:
    code = CHILD.format(platform=platform, grace=grace, prepare=prepare)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False)
    return done.returncode, done.stdout


@pytest.mark.skipif(sys.platform == "win32", reason="the way of other systems")
def test_a_signal_runs_the_handler() -> None:
    assert end("linux", 0.0, HANDLER) == (7, "cleaned up\n")


def test_windows_runs_the_handler_before_it_would_end_the_process() -> None:
    assert end("win32", 30.0, KILL + HANDLER) == (7, "cleaned up\n")


@pytest.mark.parametrize("deaf", ["", "signal.signal(signal.SIGTERM, lambda *_: None)\n"])
def test_windows_ends_a_process_that_does_not_end_itself(deaf: str) -> None:
    assert end("win32", 0.3, KILL + deaf) == (50 + TERM, "")
