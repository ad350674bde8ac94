"""The analysis thread: the only one that parses, with a deep stack, alive as long as the server. Jobs wait by
urgency."""

from __future__ import annotations

import heapq
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from itertools import count
from typing import Any, TypeVar

from onnx_lint.deep_stack import start_deep_thread
from onnx_lint_lsp.garbage import Garbage

T = TypeVar("T")

REQUEST, CHECK, BACKGROUND = range(3)
"""Urgencies: somebody waits for an answer; diagnostics; the index."""

_PAUSE = 0.5
"""Seconds without a job that count as a pause."""
_SLICE = 0.008
"""Seconds of background work between two looks at what is more urgent."""


class Superseded(Exception):
    """Raised inside a job whose result nobody needs any more."""


class Worker:
    """Runs jobs one after the other, the most urgent first."""

    def __init__(self) -> None:
        self._jobs: list[tuple[int, int, Callable[[], Any], Future[Any]]] = []
        self._order = count()
        self._ready = threading.Condition()
        self._stopped = False
        self._thread: threading.Thread | None = None

    @property
    def is_wanted(self) -> bool:
        """Whether somebody waits for an answer."""
        return bool(self._jobs) and self._jobs[0][0] == REQUEST

    def submit(self, job: Callable[[], T], urgency: int) -> Future[T]:
        """Run `job` on the analysis thread. A future that is cancelled before its turn never runs."""
        future: Future[T] = Future()
        with self._ready:
            if self._thread is None:
                self._thread = start_deep_thread(self._run, "onnx-lint-analysis")
            heapq.heappush(self._jobs, (urgency, next(self._order), job, future))
            self._ready.notify()
        return future

    def background(self, work: Iterator[Any], then: Callable[[BaseException | None], None]) -> None:
        """Exhaust an iterator in slices, whenever nothing else is to do; `then` hears of its end or failure."""

        def step() -> None:
            end = time.monotonic() + _SLICE
            try:
                while time.monotonic() < end and not self._stopped:
                    next(work)
                    if self._jobs:
                        break
            except StopIteration:
                then(None)
                return
            except Exception as error:  # noqa: BLE001 - handed to the caller, who reports it
                then(error)
                return
            if not self._stopped:
                self.submit(step, BACKGROUND)

        self.submit(step, BACKGROUND)

    def stop(self) -> None:
        """Start nothing more. What runs is not waited for: the thread ends with the process."""
        with self._ready:
            self._stopped = True
            for *_, future in self._jobs:
                future.cancel()
            self._jobs.clear()
            self._ready.notify()

    def _run(self) -> None:
        garbage = Garbage()
        while True:
            with self._ready:
                if not self._jobs and not self._stopped:
                    self._ready.wait(_PAUSE if garbage.is_due else None)
                if self._stopped:
                    return
                taken = heapq.heappop(self._jobs) if self._jobs else None
            if taken is None:
                garbage.in_pause()
                continue
            _, _, job, future = taken
            if not future.set_running_or_notify_cancel():
                continue
            try:
                result = job()
            except BaseException as error:  # noqa: BLE001 - handed to whoever waits for the future
                future.set_exception(error)
            else:
                future.set_result(result)
            del taken, job, future
            if not self._jobs:
                garbage.after_job()
