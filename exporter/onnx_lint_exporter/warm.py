"""A warm interpreter for the further exports of one command: `worker.server`, started and ended from here."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from types import TracebackType

from onnx_lint_exporter.child import WORKER, environment
from onnx_lint_exporter.runs import PREFIX

_START_LIMIT = 120.0
"""Seconds for the server to import torch. Then exports start interpreters of their own, as without it."""
_CLIENT = WORKER.with_name("forked.py")


class Warm:
    """The server while it is entered. `command` starts a worker by it; empty where there is none."""

    def __init__(self, python: str) -> None:
        self._python = python
        self._server: subprocess.Popen[bytes] | None = None
        self._folder = ""
        self._tried = False

    def __enter__(self) -> Warm:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._server is not None:
            self._server.kill()
            self._server.wait()
        if self._folder:
            shutil.rmtree(self._folder, ignore_errors=True)

    @property
    def command(self) -> tuple[str, ...]:
        """What starts a worker; the server is started with the first."""
        if not self._tried:
            self._tried = True
            self._start()
        if self._server is None or self._server.poll() is not None:
            return ()
        return (sys.executable, "-I", "-S", str(_CLIENT), self._address)

    @property
    def _address(self) -> str:
        return os.path.join(self._folder, "warm.sock")

    def _start(self) -> None:
        if not sys.platform.startswith("linux"):
            return
        self._folder = tempfile.mkdtemp(prefix=f"{PREFIX}{os.getpid()}-warm-")
        command = [self._python, "-X", "faulthandler", str(WORKER), "--serve", self._address]
        with contextlib.suppress(OSError):  # a full disk, or a path that is too long for a socket: exports are cold
            self._server = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                start_new_session=True,
                env=environment(),
            )
            self._wait(self._server)

    def _wait(self, server: subprocess.Popen[bytes]) -> None:
        end = time.monotonic() + _START_LIMIT
        while not Path(self._address).exists():
            if server.poll() is not None:
                return
            if time.monotonic() > end:
                server.kill()
                server.wait()
                return
            time.sleep(0.02)
