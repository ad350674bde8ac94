"""Signals that ask the command to end, kept apart from those that the exported model sends."""

from __future__ import annotations

import _thread
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

_NAMES = ("SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT", "SIGUSR1", "SIGUSR2", "SIGALRM", "SIGBREAK")
"""What ends a process that does nothing about it, where the system has it."""
_PATIENCE = 10.0
"""Seconds for which a second signal is ignored: ending the workers takes about `child.GRACE`."""
_SECONDS_BETWEEN_LOOKS = 0.05


class Interrupted(BaseException):
    """A signal that asks us to end; carries the exit status."""

    def __init__(self, status: int) -> None:
        super().__init__(status)
        self.status = status


@contextmanager
def ended_by_signals(is_foreign: Callable[[int, int], bool]) -> Iterator[None]:
    """Turn Ctrl-C, SIGTERM and the like into `Interrupted`, so that the workers are ended on the way out.

    While that goes on, further signals (an impatient Ctrl-C, one for the group and one for us) change nothing.
    `is_foreign` is given the sender's process id and the signal's number, and says whether it was dealt with; that
    needs a system that names the sender (Linux). Handlers that somebody else has set stay.
    """
    if threading.current_thread() is not threading.main_thread():
        yield  # whoever runs us in another thread handles signals
        return
    first: list[float] = []

    def end(number: int, frame: FrameType | None) -> None:
        if first and time.monotonic() - first[0] < _PATIENCE:
            return
        first[:] = [time.monotonic()]
        raise Interrupted(128 + number)

    ours = [number for number in map(_number, _NAMES) if number is not None and _is_free(number)]
    before = {number: signal.signal(number, end) for number in ours}
    try:
        if hasattr(signal, "sigtimedwait"):
            with _senders_known(frozenset(ours), is_foreign):
                yield
        else:
            yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _number(name: str) -> signal.Signals | None:
    return getattr(signal, name, None)


def _is_free(number: signal.Signals) -> bool:
    return signal.getsignal(number) in (signal.SIG_DFL, signal.default_int_handler)


@contextmanager
def _senders_known(numbers: frozenset[signal.Signals], is_foreign: Callable[[int, int], bool]) -> Iterator[None]:
    """Take the signals in a thread that learns who sent them, and hand on those that are for us."""
    over = threading.Event()

    def watch() -> None:
        while not over.is_set():
            taken = signal.sigtimedwait(numbers, _SECONDS_BETWEEN_LOOKS)
            if taken is not None and not is_foreign(taken.si_pid, taken.si_signo):
                _thread.interrupt_main(signal.Signals(taken.si_signo))

    blocked = signal.pthread_sigmask(signal.SIG_BLOCK, numbers)
    watcher = threading.Thread(target=watch, name="onnx-lint-signals", daemon=True)
    watcher.start()
    try:
        yield
    finally:
        over.set()
        watcher.join()
        signal.pthread_sigmask(signal.SIG_SETMASK, blocked)
