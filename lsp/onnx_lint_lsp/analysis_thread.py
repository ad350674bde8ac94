"""The analysis thread: the only one that parses, with a deep stack. Jobs wait by urgency, and a watchdog looks at the
one that runs.

A job that takes more time or memory than it may is abandoned: whoever waits for it gets `GaveUp`, a new thread goes on
with the next job, and the old one is interrupted wherever it is. What an abandoned job worked on must not be used any
more. One long call into native code that holds Python's lock stops the watchdog as well; it acts when that call ends.
"""

from __future__ import annotations

import heapq
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from dataclasses import dataclass, field
from itertools import count
from typing import Any, TypeVar

from onnx_lint.deep_stack import start_deep_thread
from onnx_lint_lsp.garbage import Garbage
from onnx_lint_lsp.system import resident_bytes

T = TypeVar("T")

REQUEST, CHECK, BACKGROUND = range(3)
"""Urgencies: somebody waits for an answer; diagnostics; the index."""

STEP_LIMIT = 20.0
"""Seconds that a job may take between two calls of `AnalysisThread.beat`."""
_STEPS = 6
"""A whole job may take so many times that."""
MEMORY_LIMIT = 1 << 30
"""Bytes by which the process may grow while one job runs."""

_PAUSE = 0.5
"""Seconds without a job that count as a pause."""
_SLICE = 0.008
"""Seconds of background work between two looks at what is more urgent."""
_TICK = 0.25
"""Seconds between two looks of the watchdog."""
_LONGEST_TICK = 5.0
"""Seconds that count for one tick at most: a computer that slept did not compute."""


class Superseded(Exception):
    """Raised inside a job whose result nobody needs any more."""


class GaveUp(Exception):
    """The result of a job that was abandoned. The message completes "not analysed: …"."""


class _Abandoned(BaseException):
    """Raised inside an abandoned job, so that its thread ends. No ``except Exception`` stops it."""


@dataclass(order=True)
class _Job:
    urgency: int
    order: int
    function: Callable[[], Any] = field(compare=False)
    future: Future[Any] = field(compare=False)
    limit: float = field(compare=False)


class _Runner:
    """A thread, and the job that it is at."""

    def __init__(self) -> None:
        self.thread: threading.Thread | None = None
        self.ticket: list[_Job] = []
        """The job. Whoever takes it out settles the job's future: the thread at its end, or the watchdog before."""
        self.step = self.total = 0.0
        """Seconds since the last beat, and since the beginning of the job."""
        self.memory: int | None = None
        """Bytes that the process held when the watchdog first saw the job."""

    def begin(self, job: _Job) -> None:
        """A job begins: so does its time."""
        self.step = self.total = 0.0
        self.memory = None
        self.ticket.append(job)

    def take(self) -> _Job | None:
        """Take the job out, to settle its future; ``None`` if the other side has."""
        try:
            return self.ticket.pop()
        except IndexError:
            return None


class AnalysisThread:
    """Runs jobs one after the other, the most urgent first. All methods may be called from any thread."""

    def __init__(self, *, memory_limit: int = MEMORY_LIMIT, memory: Callable[[], int] = resident_bytes) -> None:
        self._memory_limit, self._memory = memory_limit, memory
        self._jobs: list[_Job] = []
        self._order = count()
        self._ready = threading.Condition()
        self._stopped = False
        self._runner: _Runner | None = None
        self._watched = threading.Event()
        """Set while there may be something for the watchdog to look at."""
        self._abandoned: list[threading.Thread] = []

    @property
    def is_wanted(self) -> bool:
        """Whether somebody waits for an answer."""
        return bool(self._jobs) and self._jobs[0].urgency == REQUEST

    def submit(self, job: Callable[[], T], urgency: int, *, step_limit: float = STEP_LIMIT) -> Future[T]:
        """Run `job` on the analysis thread. A future that is cancelled before its turn never runs; that of a job that
        takes longer than `step_limit` without a beat, or too much memory, gets `GaveUp`."""
        future: Future[T] = Future()
        with self._ready:
            if self._runner is None:
                self._start_runner()
                threading.Thread(target=self._watch, name="onnx-lint-watchdog", daemon=True).start()
            heapq.heappush(self._jobs, _Job(urgency, next(self._order), job, future, step_limit))
            self._ready.notify()
        self._watched.set()
        return future

    def beat(self) -> None:
        """Called by a job that advances: its time begins anew. Ends a job that was abandoned."""
        runner = self._runner
        if runner is None or runner.thread is not threading.current_thread():
            raise _Abandoned
        runner.step = 0.0

    def background(self, work: Iterator[Any], then: Callable[[BaseException | None], None]) -> None:
        """Exhaust an iterator in slices, whenever nothing else is to do; `then` hears of its end or failure."""

        def step() -> bool:
            end = time.monotonic() + _SLICE
            while time.monotonic() < end and not self._stopped:
                try:
                    next(work)
                except StopIteration:
                    return True
                if self._jobs:
                    break
            return False

        def stepped(future: Future[bool]) -> None:
            if future.cancelled() or self._stopped:
                return
            error = future.exception()
            if error is not None or future.result():
                then(error)
            else:
                self.submit(step, BACKGROUND).add_done_callback(stepped)

        self.submit(step, BACKGROUND).add_done_callback(stepped)

    def stop(self) -> None:
        """Start nothing more. What runs is not waited for: the thread ends with the process."""
        with self._ready:
            self._stopped = True
            for job in self._jobs:
                job.future.cancel()
            self._jobs.clear()
            self._ready.notify_all()
        self._watched.set()

    # ------------------------------------------------------------------------------------------------- the thread
    def _start_runner(self) -> None:
        runner = self._runner = _Runner()

        def body() -> None:
            try:
                self._run(runner)
            except _Abandoned:
                return

        runner.thread = start_deep_thread(body, "onnx-lint-analysis")

    def _run(self, runner: _Runner) -> None:
        garbage = Garbage()
        while True:
            with self._ready:
                if not self._jobs and not self._stopped:
                    self._ready.wait(_PAUSE if garbage.is_due else None)
                if self._stopped:
                    return
                job = heapq.heappop(self._jobs) if self._jobs else None
            if job is None:
                garbage.in_pause()
            elif job.future.set_running_or_notify_cancel():
                if not self._perform(runner, job):
                    return
                del job
                if not self._jobs:
                    garbage.after_job()

    @staticmethod
    def _perform(runner: _Runner, job: _Job) -> bool:
        """Run a job; whether this thread may go on."""
        result: Any = None
        failure: BaseException | None = None
        runner.begin(job)
        try:
            result = job.function()
        except BaseException as error:  # noqa: BLE001 - handed to whoever waits for the future
            failure = error
        if runner.take() is None:
            return False  # abandoned meanwhile: the future is settled, and another thread is at work
        if failure is not None:
            job.future.set_exception(failure)
        else:
            job.future.set_result(result)
        return True

    # ----------------------------------------------------------------------------------------------- the watchdog
    def _watch(self) -> None:
        last = time.monotonic()
        while not self._stopped:
            if not self._watched.is_set():
                self._watched.wait()
                last = time.monotonic()
            time.sleep(_TICK)
            now = time.monotonic()
            elapsed, last = min(now - last, _LONGEST_TICK), now
            runner = self._runner
            if runner is not None:
                reason = self._overdue(runner, elapsed)
                if reason is not None:
                    self._abandon(runner, reason)
            self._abandoned = [thread for thread in self._abandoned if thread.is_alive()]
            for thread in self._abandoned:
                _interrupt(thread)
            self._rest(runner)

    def _rest(self, runner: _Runner | None) -> None:
        """Do not look again before there is something to look at."""
        with self._ready:
            if not self._jobs and not self._abandoned and self._runner is runner and (not runner or not runner.ticket):
                self._watched.clear()

    def _overdue(self, runner: _Runner, elapsed: float) -> str | None:
        """Why the job that runs is to be abandoned."""
        jobs = runner.ticket[:]
        if not jobs:
            return None
        limit = jobs[0].limit
        runner.step += elapsed
        runner.total += elapsed
        if runner.step > limit or runner.total > limit * _STEPS:
            seconds = limit if runner.step > limit else limit * _STEPS
            return f"its analysis takes more than {seconds:g} seconds"
        memory = self._memory()
        if runner.memory is None:
            runner.memory = memory
        if memory - runner.memory > self._memory_limit:
            return f"its analysis takes more than {self._memory_limit / (1 << 30):g} GB of memory"
        return None

    def _abandon(self, runner: _Runner, reason: str) -> None:
        job = runner.take()
        if job is None:
            return  # it has just ended
        with self._ready:
            if self._stopped:
                return
            self._start_runner()
        if runner.thread is not None:
            self._abandoned.append(runner.thread)
        job.future.set_exception(GaveUp(reason))


def _interrupt(thread: threading.Thread) -> None:
    """Raise `_Abandoned` in a thread, at its next instruction of Python. Where that cannot be done, the thread goes on
    to its own end."""
    try:
        import ctypes

        raise_in = ctypes.pythonapi.PyThreadState_SetAsyncExc
    except (ImportError, AttributeError):
        return  # a Python without ctypes, or another one than CPython
    if thread.ident is not None:
        raise_in(ctypes.c_ulong(thread.ident), ctypes.py_object(_Abandoned))
