"""What a test needs of the operating system, and a terminal for a command."""

from __future__ import annotations

import os
import struct
import subprocess
import sys
from pathlib import Path

import pytest

IS_ROOT = hasattr(os, "geteuid") and os.geteuid() == 0
needs_posix = pytest.mark.skipif(os.name == "nt", reason="Windows has no FIFOs, pseudo-terminals or permission bits")


def untraced() -> dict[str, str]:
    """The environment without what makes coverage follow a child: for one whose time is measured, or that CPython 3.11
    would let hang (see `test_analysis_thread`)."""
    return {name: value for name, value in os.environ.items() if name != "COVERAGE_PROCESS_CONFIG"}


def on_a_terminal(
    arguments: tuple[str, ...], cwd: Path, env: dict[str, str] | None = None, columns: int | None = None
) -> str:
    """What a terminal is sent by the command, with all streams on it; one that has so many columns, or says of none."""
    import fcntl  # these are not on Windows
    import pty
    import termios

    parent, child = pty.openpty()
    if columns is not None:
        fcntl.ioctl(child, termios.TIOCSWINSZ, struct.pack("HHHH", 50, columns, 0, 0))
    process = subprocess.Popen(
        [sys.executable, "-m", "onnx_lint", *arguments], cwd=cwd, stdin=child, stdout=child, stderr=child,
        env={**os.environ, "TERM": "xterm-256color", "COLUMNS": "100", **(env or {})},
    )  # fmt: skip
    os.close(child)
    received = b""
    while True:
        try:
            data = os.read(parent, 65536)
        except OSError:  # Linux: the last one closed the other end
            break
        if not data:
            break
        received += data
    process.wait()
    os.close(parent)
    return received.decode("utf-8", "replace")
