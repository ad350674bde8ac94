"""The analysis thread and its watchdog: a job that does not end, or takes all memory, costs nobody else anything."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import CancelledError
from typing import Any

import pytest

from onnx_lint_lsp.analysis_thread import BACKGROUND, CHECK, REQUEST, AnalysisThread, GaveUp

_LIMIT = 0.5
_WAIT = 60


@pytest.fixture
def thread() -> Iterator[AnalysisThread]:
    made = AnalysisThread()
    yield made
    made.stop()


@pytest.fixture(autouse=True)
def untraced() -> Iterator[None]:
    """No coverage of the threads of these tests. CPython 3.11 never leaves a traced call while another thread has an
    exception to come that it cannot take yet (`CHECK_EVAL_BREAKER` in `DO_TRACING`, ceval.c): with a tracer, one thread
    that blocks in native code stops all others."""
    here, threads = sys.gettrace(), threading.gettrace()
    sys.settrace(None)
    threading.settrace(None)
    yield
    threading.settrace(threads)
    sys.settrace(here)


def spins() -> None:
    while True:
        pass


def swallows() -> None:
    while True:
        try:
            spins()
        except Exception:  # noqa: BLE001 - what an interruption must get past
            continue


def leaves_slowly() -> None:
    try:
        spins()
    finally:
        time.sleep(0.6)


def nests(depth: int = 0) -> None:
    while depth > 500:
        pass
    nests(depth + 1)


def recording(thread: list[threading.Thread], job: Callable[[], None]) -> Callable[[], None]:
    def run() -> None:
        thread.append(threading.current_thread())
        job()

    return run


@pytest.mark.parametrize("job", [spins, swallows, leaves_slowly, nests])
def test_a_job_that_does_not_end_is_abandoned_and_its_thread_ends(
    thread: AnalysisThread, job: Callable[[], None]
) -> None:
    ran: list[threading.Thread] = []
    endless = thread.submit(recording(ran, job), CHECK, step_limit=_LIMIT)
    behind = thread.submit(threading.current_thread, CHECK)
    with pytest.raises(GaveUp, match=r"more than 0\.5 seconds"):
        endless.result(_WAIT)
    assert behind.result(_WAIT) is not ran[0]
    ran[0].join(_WAIT)
    assert not ran[0].is_alive()


def test_a_job_that_cannot_be_interrupted_is_left_behind(thread: AnalysisThread) -> None:
    release = threading.Event()
    ran: list[threading.Thread] = []

    def blocks() -> str:
        ran.append(threading.current_thread())
        release.wait(_WAIT)
        return "late"

    blocked = thread.submit(blocks, CHECK, step_limit=_LIMIT)
    assert thread.submit(lambda: "next", CHECK).result(_WAIT) == "next"
    release.set()
    ran[0].join(_WAIT)
    assert not ran[0].is_alive()
    with pytest.raises(GaveUp):
        blocked.result(_WAIT)  # told just after the next thread has begun
    assert thread.submit(lambda: "still one thread", CHECK).result(_WAIT) == "still one thread"


def test_a_job_that_advances_is_not_abandoned(thread: AnalysisThread) -> None:
    def advances() -> str:
        for _ in range(6):
            time.sleep(0.3)
            thread.beat()
        return "done"

    assert thread.submit(advances, CHECK, step_limit=1.0).result(_WAIT) == "done"


def test_progress_without_end_is_abandoned_too(thread: AnalysisThread) -> None:
    def advances() -> None:
        while True:
            time.sleep(0.02)
            thread.beat()

    with pytest.raises(GaveUp, match="more than 3 seconds"):
        thread.submit(advances, CHECK, step_limit=_LIMIT).result(_WAIT)


def test_a_job_that_takes_all_memory_is_abandoned() -> None:
    held = [100]

    def grows() -> None:
        while True:
            time.sleep(0.02)
            held[0] += 10

    thread = AnalysisThread(memory_limit=500, memory=lambda: held[0])
    try:
        with pytest.raises(GaveUp, match="memory"):
            thread.submit(grows, CHECK).result(_WAIT)
        assert thread.submit(lambda: 1, CHECK).result(_WAIT) == 1
    finally:
        thread.stop()


@pytest.mark.parametrize("error", [MemoryError, RecursionError, SystemExit, KeyboardInterrupt])
def test_no_exception_of_a_job_ends_the_thread(thread: AnalysisThread, error: type[BaseException]) -> None:
    def fails() -> None:
        raise error

    with pytest.raises(error):
        thread.submit(fails, CHECK).result(_WAIT)
    assert thread.submit(lambda: 1, CHECK).result(_WAIT) == 1


def test_the_end_of_background_work_is_heard_of(thread: AnalysisThread) -> None:
    def heard(work: Iterator[Any]) -> BaseException | None:
        ends: list[BaseException | None] = []
        done = threading.Event()
        thread.background(work, lambda error: (ends.append(error), done.set()))
        assert done.wait(_WAIT)
        return ends[0]

    def fails() -> Iterator[int]:
        yield 1
        raise OSError("gone")

    assert heard(iter(range(1000))) is None
    assert isinstance(heard(fails()), OSError)


def test_the_most_urgent_job_comes_first(thread: AnalysisThread) -> None:
    order: list[str] = []
    begin = threading.Event()
    thread.submit(lambda: begin.wait(_WAIT), CHECK)
    jobs = [thread.submit(lambda n=n: order.append(n), u) for n, u in (("b", BACKGROUND), ("c", CHECK), ("r", REQUEST))]
    cancelled = thread.submit(lambda: order.append("cancelled"), REQUEST)
    cancelled.cancel()
    begin.set()
    for job in jobs:
        job.result(_WAIT)
    assert order == ["r", "c", "b"]
    with pytest.raises(CancelledError):
        cancelled.result(0)
