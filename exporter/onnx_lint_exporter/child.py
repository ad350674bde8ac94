"""Start a worker in the user's interpreter, listen to it, bound it, and end it with all it started.

The worker's standard output is the private channel: one JSON message a line, each behind a token that only we and the
worker know. Everything the model prints goes to standard error, of which a bounded part is kept.
"""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

WORKER = Path(__file__).parent / "worker" / "__main__.py"
LOG_LIMIT = 256 * 1024
"""Bytes kept of the model's output, half from its start and half from its end."""
MESSAGE_LIMIT = 256 * 1024 * 1024
GRACE = 3.0
"""Seconds between the signal that makes a process tell where it hangs and the one that ends it."""
START_LIMIT = 180.0
"""Seconds for the interpreter to start and import torch, when no time limit was given."""
LOAD_LIMIT = 30.0
"""Seconds for importing and building the model, and again for its first run, when no time limit was given."""
WHOLE_LIMIT = 1800.0
"""Seconds for one engine's export, when no time limit was given."""

_running: set[int] = set()
"""Process ids of the workers of this process that have not ended."""

Json = dict[str, Any]


@dataclass(frozen=True)
class Limits:
    """Bounds of one worker. `seconds` is for the whole export; without it loading has a limit of its own."""

    seconds: float | None = None
    memory_mb: int | None = None


@dataclass
class ChildResult:
    """What came of a worker: its messages, how it ended, and what it printed."""

    messages: list[Json] = field(default_factory=list)
    raw: str = ""
    """What stood in the channel besides messages: the crash report of ``faulthandler``."""
    log: str = ""
    status: int | None = None
    """Exit status, negative for a signal."""
    ended: str = "done"
    """``done``, ``timeout``, ``cancelled`` or ``died`` (without saying that it is done)."""
    stage: str = "start"
    seconds: float = 0.0
    limit: float = 0.0

    def last(self, event: str) -> Json | None:
        return next((message for message in reversed(self.messages) if message.get("event") == event), None)


class _Log:
    """The start and the end of a stream, bounded."""

    def __init__(self) -> None:
        self._head = bytearray()
        self._tail = bytearray()
        self._total = 0

    def add(self, data: bytes) -> None:
        self._total += len(data)
        room = LOG_LIMIT // 2 - len(self._head)
        if room > 0:
            self._head += data[:room]
            data = data[room:]
        self._tail += data
        if len(self._tail) > LOG_LIMIT:
            del self._tail[: -LOG_LIMIT // 2]

    def text(self) -> str:
        tail = bytes(self._tail[-LOG_LIMIT // 2 :])
        gap = self._total - len(self._head) - len(tail)
        middle = f"\n… {gap} bytes left out …\n".encode() if gap > 0 else b""
        return (bytes(self._head) + middle + tail).decode("utf-8", "replace")


class Child:
    """One worker process. `run` blocks until it has ended; `cancel` may be called from any thread."""

    def __init__(self, python: str, job: Json, limits: Limits, on_event: Callable[[Json], None] | None = None) -> None:
        self._python = python
        self._job = job
        self._limits = limits
        self._on_event = on_event
        self._cancelled = threading.Event()
        self._done = threading.Event()
        self._lock = threading.Lock()
        self._stage_since = 0.0
        self._result = ChildResult()

    def cancel(self) -> None:
        """Ask the worker to end; `run` returns soon after."""
        self._cancelled.set()

    def run(self) -> ChildResult:
        """Start the worker, hand it the job, and wait for its end or ours."""
        token = secrets.token_hex(8)
        job = {**self._job, "token": token, "memory_mb": self._limits.memory_mb}
        start = self._stage_since = time.monotonic()
        process = subprocess.Popen(
            self._command(),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
            env=self._environment(),
        )
        _running.add(process.pid)
        assert process.stdin and process.stdout and process.stderr
        log = _Log()
        readers = [
            threading.Thread(target=self._listen, args=(process.stdout.fileno(), token.encode()), daemon=True),
            threading.Thread(target=_drain, args=(process.stderr.fileno(), log), daemon=True),
        ]
        for reader in readers:
            reader.start()
        try:
            try:
                process.stdin.write(json.dumps(job).encode())
                process.stdin.close()
            except BrokenPipeError:
                pass  # it died before it read its job: its exit status and log tell why
            self._wait(process, start)
        finally:
            end_group(process)
            _running.discard(process.pid)
            for reader in readers:
                reader.join(2.0)
            process.stdout.close()
            process.stderr.close()
        result = self._result
        result.status = process.returncode
        result.seconds = time.monotonic() - start
        result.log = log.text()
        return result

    def _command(self) -> list[str]:
        return [self._python, "-X", "faulthandler", str(WORKER)]

    def _environment(self) -> dict[str, str]:
        return {
            **os.environ,
            "PYTHONIOENCODING": "utf-8:backslashreplace",
            "PYTHONUNBUFFERED": "1",
            "PYTHONNOUSERSITE": os.environ.get("PYTHONNOUSERSITE", ""),
        }

    def _wait(self, process: subprocess.Popen[bytes], start: float) -> None:
        while True:
            if self._done.is_set():
                self._result.ended = "done"
                _wait_for(process, GRACE)
                return
            if process.poll() is not None:
                self._done.wait(1.0)  # its last message may still be in the pipe
                self._result.ended = "done" if self._done.is_set() else "died"
                return
            over = self._over(start)
            if over or self._cancelled.is_set():
                self._result.ended = "cancelled" if self._cancelled.is_set() else "timeout"
                self._result.limit = over
                _signal_group(process, signal.SIGABRT)
                _wait_for(process, GRACE)
                return
            self._done.wait(0.05)

    def _over(self, start: float) -> float:
        """The limit that has passed, in seconds; 0 while there is time."""
        now = time.monotonic()
        if self._limits.seconds is not None:
            return self._limits.seconds if now - start > self._limits.seconds else 0.0
        limit = {"start": START_LIMIT, "load": LOAD_LIMIT, "eager": LOAD_LIMIT}.get(self._result.stage, WHOLE_LIMIT)
        if now - self._stage_since > limit:
            return limit
        return WHOLE_LIMIT if now - start > WHOLE_LIMIT else 0.0

    def _listen(self, fd: int, token: bytes) -> None:
        pending: list[bytes] = []
        size, raw = 0, _Log()
        for data in _chunks(fd):
            first, *more = data.split(b"\n")
            pending.append(first)
            size += len(first)
            if more:
                for line in (b"".join(pending), *more[:-1]):
                    if line.startswith(token):
                        self._message(line[len(token) :])
                    else:
                        raw.add(line + b"\n")
                pending, size = [more[-1]], len(more[-1])
            elif size > MESSAGE_LIMIT:
                pending, size = [], 0
            self._result.raw = raw.text()
        raw.add(b"".join(pending))
        self._result.raw = raw.text()

    def _message(self, data: bytes) -> None:
        try:
            message = json.loads(data)
        except ValueError:
            return  # cut off by the death of the worker; its last whole message counts
        if message.get("event") == "stage":
            self._result.stage = message["stage"]
            self._stage_since = time.monotonic()
        self._result.messages.append(message)
        if self._on_event is not None:
            self._on_event(message)
        if message.get("event") in ("done", "environment", "unwritable", "internal"):
            self._done.set()


def _chunks(fd: int) -> Any:
    while True:
        try:
            data = os.read(fd, 1 << 16)
        except OSError:
            return
        if not data:
            return
        yield data


def _drain(fd: int, log: _Log) -> None:
    for data in _chunks(fd):
        log.add(data)


def _wait_for(process: subprocess.Popen[bytes], seconds: float) -> None:
    try:
        process.wait(seconds)
    except subprocess.TimeoutExpired:
        return


def _signal_group(process: subprocess.Popen[bytes], number: int) -> None:
    try:
        if hasattr(os, "killpg"):
            os.killpg(process.pid, number)
        else:
            process.kill()
    except (ProcessLookupError, PermissionError):
        return


def end_group(process: subprocess.Popen[bytes]) -> None:
    """Kill the worker and everything in its session's process group."""
    _signal_group(process, getattr(signal, "SIGKILL", signal.SIGTERM))
    process.wait()


def adopt_orphans() -> bool:
    """Become the parent of what a worker leaves behind in other sessions (Linux), so that `end_orphans` finds it."""
    if not sys.platform.startswith("linux"):
        return False
    import ctypes

    pr_set_child_subreaper = 36
    try:
        return bool(ctypes.CDLL(None).prctl(pr_set_child_subreaper, 1, 0, 0, 0) == 0)
    except (OSError, AttributeError):
        return False


def end_orphans(before: set[int]) -> None:
    """Kill the children that we did not have before and that are no workers; for when one's own workers have ended."""
    for _ in range(5):
        strays = children() - before - _running
        if not strays:
            return
        for pid in strays:
            try:
                os.kill(pid, signal.SIGKILL)
                os.waitpid(pid, 0)
            except (ProcessLookupError, ChildProcessError):
                continue


def memory_of_machine() -> int | None:
    """Megabytes of memory that there are for us: the machine's, or the control group's when that is less (Linux)."""
    sizes = []
    with contextlib.suppress(ValueError, OSError, AttributeError):  # a system that does not say
        sizes.append(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"))
    for path in ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"):
        try:
            sizes.append(int(Path(path).read_text()))
        except (OSError, ValueError):
            continue  # no such control group, or its limit is the word "max"
    return min(sizes) >> 20 if sizes else None


def children() -> set[int]:
    """The process ids of our direct children (Linux; elsewhere the empty set)."""
    found: set[int] = set()
    try:
        for task in os.listdir("/proc/self/task"):
            found |= {int(pid) for pid in Path(f"/proc/self/task/{task}/children").read_text().split()}
    except (OSError, ValueError):
        found = {pid for pid in _all_processes() if _parent_of(pid) == os.getpid()}
    return found


def _all_processes() -> list[int]:
    try:
        return [int(name) for name in os.listdir("/proc") if name.isdigit()]
    except OSError:
        return []


def _parent_of(pid: int) -> int:
    try:
        return int(Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[1])
    except (OSError, ValueError, IndexError):
        return -1
