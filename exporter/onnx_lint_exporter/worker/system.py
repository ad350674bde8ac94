"""What the worker asks of the operating system, and the only module of the worker that knows which one that is."""

from __future__ import annotations

import contextlib
import os
import queue
import signal
import sys
import threading
from collections.abc import Iterator
from importlib import import_module
from types import ModuleType


def _optional(name: str) -> ModuleType | None:
    try:
        return import_module(name)
    except ImportError:
        return None


resource = _optional("resource")
"""Windows has none: there the exporter bounds the memory from outside, see ``processes``."""
_read = os.read
_exit = os._exit
_LIFELINE_FD = 201
"""The private copy of standard input, away from the small numbers that code closes. `channel` has 200."""
_PR_SET_PDEATHSIG = 1
_ANSWERS: queue.SimpleQueue[bytes] = queue.SimpleQueue()
"""The lines that the parent wrote after the job."""


def end_with_parent() -> None:
    """End this process when the parent is gone, however that ends, from now on and on every system.

    The parent keeps the other end of standard input open, and writes to it after the job only what it is asked for, see
    `answer`: end of file means that the parent is gone. A thread waits for it, which native code that keeps the
    interpreter's lock can hold up; on Linux the kernel ends the process without that.
    """
    os.dup2(0, _LIFELINE_FD, inheritable=False)
    threading.Thread(target=_wait_for_the_end, name="onnx-lint-lifeline", daemon=True).start()
    die_with_parent()


def die_with_parent() -> None:
    """Have the kernel kill this process when its parent ends, where it can (Linux)."""
    if sys.platform.startswith("linux"):
        import ctypes

        with contextlib.suppress(OSError, AttributeError):  # another libc: whoever has a thread for it keeps that
            ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def _wait_for_the_end() -> None:
    pending = b""
    try:
        while data := _read(_LIFELINE_FD, 1 << 16):
            *whole, pending = (pending + data).split(b"\n")
            for line in whole:
                _ANSWERS.put(line)
    except OSError:  # the model closed it: what it cannot close is the kernel's part
        return
    end_group()


def answer(seconds: float) -> bytes | None:
    """The next line that the parent writes to standard input; ``None`` when none comes in that time."""
    try:
        return _ANSWERS.get(timeout=seconds)
    except queue.Empty:
        return None


def end_group() -> None:
    """End this process, and where there are process groups all that it started in its own."""
    if hasattr(os, "killpg") and os.getpgrp() == os.getpid():
        os.killpg(os.getpid(), signal.SIGKILL)
    _exit(1)


def limit_memory(megabytes: int | None) -> None:
    """Bound the data segment and write no core files; without effect where the system has no such limits.

    Address space would be too blunt: torch maps far more than it uses.
    """
    if resource is None:
        return
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if megabytes:
        hard = resource.getrlimit(resource.RLIMIT_DATA)[1]
        wanted = megabytes << 20
        with contextlib.suppress(ValueError, OSError):  # macOS refuses some values: `processes` watches there
            resource.setrlimit(resource.RLIMIT_DATA, (wanted if hard < 0 else min(wanted, hard), hard))


class OutOfTimeError(BaseException):
    """The time of a block is over; no ``except Exception`` of the code in it takes this."""


@contextlib.contextmanager
def time_limit(seconds: float) -> Iterator[None]:
    """Raise `OutOfTimeError` in the block when it takes longer; no limit on Windows and outside the main thread."""
    timer = getattr(signal, "setitimer", None)
    if timer is None or threading.current_thread() is not threading.main_thread():
        yield
        return

    def over(number: int, frame: object) -> None:
        raise OutOfTimeError

    before = signal.signal(signal.SIGALRM, over)
    timer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        timer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def unblock_signals() -> None:
    """Receive every signal: the exporter starts its workers while it has some of them blocked."""
    if hasattr(signal, "pthread_sigmask"):
        signal.pthread_sigmask(signal.SIG_SETMASK, [])
