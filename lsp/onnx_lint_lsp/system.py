"""What is asked of the operating system: whether a process lives, how much memory this one holds, and its end."""

from __future__ import annotations

import os
import signal
import sys
import time
from _thread import interrupt_main

GRACE = 3.0
"""Seconds that Windows leaves the main thread to clean up."""


def end_this_process() -> None:
    """End this process from a thread of it, by way of the handler of ``SIGTERM`` where there is one, so that the main
    thread ends what it started. On Windows `os.kill` ends a process at once, without any handler: there the main
    thread is asked first."""
    if sys.platform == "win32":
        interrupt_main(signal.SIGTERM)
        time.sleep(GRACE)
    os.kill(os.getpid(), signal.SIGTERM)


def is_alive(process: int) -> bool:
    """Whether a process exists. One of another user does; so does one that has ended and that its parent has not taken
    note of, except on Windows."""
    if process <= 0:
        return False
    if sys.platform == "win32":
        import ctypes

        synchronize, query, access_denied, timeout = 0x00100000, 0x1000, 5, 0x00000102
        kernel = ctypes.WinDLL("kernel32", use_last_error=True)
        handle = kernel.OpenProcess(synchronize | query, False, process)
        if not handle:
            return ctypes.get_last_error() == access_denied
        waited = kernel.WaitForSingleObject(handle, 0)
        kernel.CloseHandle(handle)
        return bool(waited == timeout)
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except (OSError, OverflowError):
        return True  # the process exists and belongs to another user
    return True


def resident_bytes() -> int:
    """The memory that this process holds, in bytes: on macOS the most it has held; 0 where the system does not say."""
    if sys.platform == "win32":
        return _windows_working_set()
    try:
        with open("/proc/self/statm", "rb") as file:
            return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except (OSError, ValueError, IndexError):
        return _peak()


def _peak() -> int:
    try:
        import resource
    except ImportError:
        return 0
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


def _windows_working_set() -> int:
    if sys.platform != "win32":
        return 0
    import ctypes
    from ctypes import wintypes

    class Counters(ctypes.Structure):
        _fields_ = (
            ("cb", wintypes.DWORD),
            ("PageFaultCount", wintypes.DWORD),
            *(
                (name, ctypes.c_size_t)
                for name in (
                    "PeakWorkingSetSize",
                    "WorkingSetSize",
                    "QuotaPeakPagedPoolUsage",
                    "QuotaPagedPoolUsage",
                    "QuotaPeakNonPagedPoolUsage",
                    "QuotaNonPagedPoolUsage",
                    "PagefileUsage",
                    "PeakPagefileUsage",
                )
            ),
        )

    counters = Counters(cb=ctypes.sizeof(Counters))
    kernel = ctypes.WinDLL("kernel32")
    kernel.GetCurrentProcess.restype = wintypes.HANDLE
    kernel.K32GetProcessMemoryInfo.argtypes = (wintypes.HANDLE, ctypes.c_void_p, wintypes.DWORD)
    if not kernel.K32GetProcessMemoryInfo(kernel.GetCurrentProcess(), ctypes.byref(counters), counters.cb):
        return 0
    return int(counters.WorkingSetSize)
