"""Other processes: their start, their limits, and the end of all that they started.

The only module of the exporter's own side that knows the operating system; `worker.system` is that of the worker.
psutil comes with the ``export`` extra and is used where it is installed. Without it, as in an editor that only has
the linter and names another interpreter with torch, the standard library has to do: liveness and process groups on
Linux and macOS, Linux's ``/proc``.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from pathlib import Path
from types import ModuleType


def _optional(name: str) -> ModuleType | None:
    try:
        return import_module(name)
    except ImportError:
        return None


psutil = _optional("psutil")
LINUX = sys.platform.startswith("linux")
_PR_SET_CHILD_SUBREAPER = 36
_CGROUP_LIMITS = ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes")
_NEW_GROUP = getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0)
"""On Windows: Ctrl-C in the console is for us, not for the worker."""
_WINDOWS_CRASHES = {
    0xC0000005: "an access violation",
    0xC00000FD: "a stack overflow",
    0xC0000409: "a stack buffer overrun",
    0xC000001D: "an illegal instruction",
    0xC0000017: "a lack of memory",
}
_SIGNALS = {
    "SIGSEGV": "a segmentation fault",
    "SIGABRT": "an abort",
    "SIGKILL": "SIGKILL, as when the system runs out of memory",
    "SIGBUS": "a bus error",
    "SIGFPE": "a floating point exception",
    "SIGILL": "an illegal instruction",
}

_running: dict[int, Callable[[str], None]] = {}
"""The workers of this process that have not ended: process id → who hears what it did to us."""


class Worker:
    """A process with pipes, in a session or group of its own where there are such."""

    def __init__(self, command: Sequence[str], environment: Mapping[str, str], accuse: Callable[[str], None]) -> None:
        self.process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
            creationflags=_NEW_GROUP,
            env=environment,
        )
        _running[self.process.pid] = accuse
        self._family: dict[int, float] = {}
        """Descendants that were seen, with the times of their start: numbers are used again."""

    def wait(self, seconds: float) -> None:
        """Wait for its end, not longer than this."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(seconds)

    def ask_where_it_is(self) -> None:
        """Make a process that hangs say where, and end. Windows has nothing like it: there it is only ended."""
        if hasattr(os, "killpg"):
            self._signal_group(signal.SIGABRT)

    def end(self) -> None:
        """Kill it and everything that is known to have been started by it."""
        self.look_around()
        if hasattr(os, "killpg"):
            self._signal_group(signal.SIGKILL)
        else:
            self.process.kill()
        for pid, started in self._family.items():
            _kill_if_still(pid, started)
        self.process.wait()
        _running.pop(self.process.pid, None)

    def _signal_group(self, number: int) -> None:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.process.pid, number)

    def look_around(self) -> None:
        """Note its descendants, while they can be found. On Linux `end_orphans` finds them afterwards."""
        if LINUX or psutil is None:
            return
        with contextlib.suppress(psutil.Error):
            for one in psutil.Process(self.process.pid).children(recursive=True):
                self._family.setdefault(one.pid, one.create_time())

    def memory_mb(self) -> int:
        """Megabytes of memory that it and its descendants hold; 0 where that cannot be seen."""
        if psutil is None:
            return 0
        used = 0
        with contextlib.suppress(psutil.Error):
            whole = psutil.Process(self.process.pid)
            for one in [whole, *whole.children(recursive=True)]:
                used += one.memory_info().rss
        return used >> 20


def _kill_if_still(pid: int, started: float) -> None:
    if psutil is None:
        return
    with contextlib.suppress(psutil.Error):
        found = psutil.Process(pid)
        if found.create_time() == started:
            found.kill()


def limits_itself() -> bool:
    """Whether the system bounds a worker's memory by itself; elsewhere it has to be watched."""
    return LINUX


def is_alive(pid: int) -> bool:
    """Whether a process of this number runs on this machine; true where that cannot be found out."""
    if psutil is not None:
        return bool(psutil.pid_exists(pid))
    if not hasattr(os, "killpg"):  # signal 0 is Ctrl-C on Windows
        return True
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except OSError:  # the process exists and belongs to another user
        return True
    return True


def accuse_sender(pid: int, number: int) -> bool:
    """Whether a signal for us came from one of our workers or its children; that worker is distrusted then."""
    if not hasattr(os, "getsid"):
        return False
    try:
        accuse = _running.get(os.getsid(pid))
    except OSError:  # it has ended: nobody knows whose it was
        return False
    if accuse is None:
        return False
    accuse(f"its process sent {signal.Signals(number).name} to the exporter")
    return True


def crash_words(status: int | None) -> str | None:
    """What a status says when the process did not end by its own will; ``None`` for a usual exit."""
    status = status or 0
    if status < 0:
        name = signal.Signals(-status).name
        return _SIGNALS.get(name, name)
    if status >= 0xC0000000:
        return _WINDOWS_CRASHES.get(status, f"status {status:#x}")
    return None


# --- what a worker leaves behind -----------------------------------------------------------------------------------


def adopt_orphans() -> bool:
    """Become the parent of what a worker leaves behind in other sessions (Linux), so that `end_orphans` finds it."""
    if not LINUX:
        return False
    import ctypes

    try:
        return bool(ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) == 0)
    except (OSError, AttributeError):
        return False


def end_orphans(before: set[int]) -> None:
    """Kill the children that we did not have before and that are not workers, once one's own workers have ended."""
    for _ in range(5):
        strays = children() - before - set(_running)
        if not strays:
            return
        for pid in strays:
            with contextlib.suppress(ProcessLookupError, ChildProcessError):
                os.kill(pid, signal.SIGKILL)
                os.waitpid(pid, 0)


def children() -> set[int]:
    """The process ids of our direct children (Linux; elsewhere the empty set)."""
    if not LINUX:
        return set()
    try:
        tasks = os.listdir("/proc/self/task")
        return {int(pid) for task in tasks for pid in Path(f"/proc/self/task/{task}/children").read_text().split()}
    except (OSError, ValueError):  # a kernel without the list, or a thread that has just ended
        return {pid for pid in _all_processes() if _parent_of(pid) == os.getpid()}


def _all_processes() -> list[int]:
    return [int(name) for name in os.listdir("/proc") if name.isdigit()]


def _parent_of(pid: int) -> int:
    try:
        return int(Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[1])
    except (OSError, ValueError, IndexError):  # it has ended
        return -1


# --- the machine ---------------------------------------------------------------------------------------------------


def memory_of_machine() -> int | None:
    """Megabytes of memory that there are for us: the machine's, or the control group's when that is less (Linux)."""
    sizes = []
    if psutil is not None:
        sizes.append(int(psutil.virtual_memory().total))
    elif hasattr(os, "sysconf"):
        with contextlib.suppress(ValueError, OSError):  # a system that does not say
            sizes.append(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"))
    for path in _CGROUP_LIMITS:
        with contextlib.suppress(OSError, ValueError):  # no such control group, or its limit is the word "max"
            sizes.append(int(Path(path).read_text()))
    return min(sizes) >> 20 if sizes else None
