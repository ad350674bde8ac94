"""Work in several processes, forked from this one: what is there already is shared, and nothing is started anew.

A worker that dies costs its job a second try; what fails twice, or has no worker left, is handed back. Workers end with
the process that forked them, however it ends.
"""

from __future__ import annotations

import contextlib
import json
import os
import select
import signal
import sys
import warnings
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, BinaryIO

_TRIES = 2


def available() -> int:
    """How many workers make sense here: one for each processor that this process may use; one where processes cannot
    be forked safely."""
    if not sys.platform.startswith("linux"):
        return 1  # macOS forbids what a forked process does; Windows has no fork
    return len(os.sched_getaffinity(0))


@dataclass(eq=False)
class _Worker:
    """A process, as its parent sees it."""

    process: int
    orders: BinaryIO
    answers: BinaryIO
    job: str | None = None

    def end(self) -> None:
        """It is not needed any more, or is dead."""
        for stream in (self.orders, self.answers):
            with contextlib.suppress(OSError):  # what was not flushed goes to nobody
                stream.close()
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.process, signal.SIGKILL)
        os.waitpid(self.process, 0)


@dataclass
class Workers:
    """Processes that do `work` for each job: it is called with the job and with what `order` says of it when it is
    handed out, in their order. `done` hears of each result as it comes. Orders and results are of JSON's own kinds."""

    count: int
    work: Callable[[str, Any], Any]
    order: Callable[[str], Any]
    done: Callable[[str, Any], None]
    _running: list[_Worker] = field(default_factory=list)

    def run(self, jobs: Iterable[str]) -> list[str]:
        """Have all jobs done; those that were not, in their order."""
        waiting = deque(jobs)
        tries: dict[str, int] = {}
        failed: set[str] = set()
        everything = list(waiting)
        try:
            for _ in range(min(self.count, len(waiting))):
                self._fork()
            while self._running and (waiting or any(w.job is not None for w in self._running)):
                for worker in list(self._running):
                    if worker.job is None and waiting:
                        self._hand_out(worker, waiting.popleft())
                busy = {worker.answers: worker for worker in self._running if worker.job is not None}
                for stream in select.select(list(busy), [], [])[0]:
                    worker = busy[stream]
                    job = worker.job
                    assert job is not None, "a worker that answers was asked"
                    result = _read(worker.answers)
                    if result is None:
                        self._running.remove(worker)
                        worker.end()
                        tries[job] = tries.get(job, 0) + 1
                        if tries[job] < _TRIES:
                            waiting.appendleft(job)
                            self._fork()
                        else:
                            failed.add(job)
                        continue
                    worker.job = None
                    self.done(job, result[0])
        finally:
            left = failed | set(waiting) | {worker.job for worker in self._running if worker.job is not None}
            for worker in self._running:
                worker.end()
            self._running.clear()
        return [job for job in everything if job in left]

    def _hand_out(self, worker: _Worker, job: str) -> None:
        worker.job = job
        with contextlib.suppress(OSError):  # it is dead: its answer will say so
            _write([job, self.order(job)], worker.orders)

    def _fork(self) -> None:
        orders_read, orders_write = os.pipe()
        answers_read, answers_write = os.pipe()
        with warnings.catch_warnings():
            # Python warns of threads whose locks a fork copies; ours wait for this one and hold none
            warnings.simplefilter("ignore", DeprecationWarning)
            process = os.fork()
        if process == 0:
            os.close(orders_write)
            os.close(answers_read)
            for other in self._running:  # else they would not see that the parent is gone
                os.close(other.orders.fileno())
                os.close(other.answers.fileno())
            self._serve(os.fdopen(orders_read, "rb"), os.fdopen(answers_write, "wb"))
        os.close(orders_read)
        os.close(answers_write)
        self._running.append(_Worker(process, os.fdopen(orders_write, "wb"), os.fdopen(answers_read, "rb")))

    def _serve(self, orders: BinaryIO, answers: BinaryIO) -> None:
        """What a worker does. It never comes back, and writes nothing of what its parent had in its buffers."""
        status = 1
        try:
            signal.signal(signal.SIGINT, signal.SIG_DFL)
            sys.stdout = sys.stderr = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115 - as long as the process
            while (asked := _read(orders)) is not None:
                job, order = asked
                _write([self.work(job, order)], answers)
            status = 0
        finally:
            os._exit(status)


def _write(message: list[Any], stream: BinaryIO) -> None:
    stream.write(json.dumps(message, separators=(",", ":")).encode() + b"\n")
    stream.flush()


def _read(stream: BinaryIO) -> list[Any] | None:
    """The next message; ``None`` when the other side has ended, also in the middle of one."""
    try:
        line = stream.readline()
    except OSError:
        return None
    if not line.endswith(b"\n"):
        return None
    message: list[Any] = json.loads(line)
    return message
