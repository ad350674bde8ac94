"""Threads whose stack lasts for deep recursion over deep code."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable
from typing import TypeVar

_STACK = 512 * 1024 * 1024
_RECURSION = 60_000

_ROOM = 1 << 17
"""Words of Python's own stack of frames, below what a thread runs."""

T = TypeVar("T")

_THREAD = threading.local()


def _with_room(body: Callable[[], None]) -> None:
    body()


# CPython 3.11 and later keep frames in chunks of 16 kB, and give a chunk back as soon as its last frame has ended: a
# recursion that goes to and fro over a border asks the system for memory at each step. A chunk is made larger than its
# first frame, up to twice as large, so that after a large one there is room. The frame's own part is never touched.
_with_room.__code__ = _with_room.__code__.replace(co_stacksize=_ROOM)


def start_deep_thread(body: Callable[[], None], name: str = "onnx-lint-analysis") -> threading.Thread:
    """Start a daemon thread with a stack that deep recursion over deep code cannot exhaust: the default one of a
    thread is down to 512 kB on some systems, and an overflow kills the process. For a thread that stays alive, the
    recursion limit of the process is raised and stays so."""

    def marked() -> None:
        _THREAD.is_deep = True
        _with_room(body)

    before = threading.stack_size(_STACK)
    try:
        thread = threading.Thread(target=marked, name=name, daemon=True)
        sys.setrecursionlimit(max(sys.getrecursionlimit(), _RECURSION))
        thread.start()
    finally:
        threading.stack_size(before)
    return thread


def with_deep_stack(function: Callable[[], T]) -> T:
    """Run in a thread of `start_deep_thread`: in this one if it is such a thread, else in a new one."""
    if getattr(_THREAD, "is_deep", False):
        return function()
    result: list[T] = []
    failure: list[BaseException] = []

    def body() -> None:
        try:
            result.append(function())
        except BaseException as error:  # noqa: BLE001 - handed on to the caller, below
            failure.append(error)

    before_limit = sys.getrecursionlimit()
    start_deep_thread(body).join()
    sys.setrecursionlimit(before_limit)
    if failure:
        raise failure[0]
    return result[0]
