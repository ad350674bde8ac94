"""When a root is checked: at once while checks are quick, after a pause in typing when they are not."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from concurrent.futures import CancelledError
from typing import Any, Generic, TypeVar

from onnx_lint_lsp import worker
from onnx_lint_lsp.root import Result, Root, is_broken
from onnx_lint_lsp.worker import Superseded, Worker

T = TypeVar("T")

_QUICK = 0.04
"""Seconds that a check may take to run at every keystroke."""
_LONGEST = 0.5
"""Seconds of the longest pause that is waited for."""
_SETTLED = 0.3
"""Seconds without a change after which a broken text counts as settled."""
_PATIENCE = 0.25
"""Seconds a check runs before a newer text stops it."""
_MOST_STOPS = 4
"""Checks stopped in a row: then one runs to its end, so that someone who never pauses sees diagnostics too."""


class Checks(Generic[T]):
    """The checks of one root. `convert` runs on the analysis thread, `done` and `failed` on the event loop."""

    def __init__(
        self,
        thread: Worker,
        root: Root,
        convert: Callable[[Root, list[Result]], T],
        done: Callable[[T], None],
        failed: Callable[[BaseException], None],
    ) -> None:
        self._thread, self.root, self._convert, self._done, self._failed = thread, root, convert, done, failed
        self._loop = asyncio.get_running_loop()
        self._timer: asyncio.TimerHandle | None = None
        self._running = False
        self._again = False
        self._hurry = False
        """Whether what came in during a check is not to wait for a pause."""
        self._opened = False
        """Whether a document was opened that was not looked at yet."""
        self._settling: asyncio.TimerHandle | None = None
        self._stopped = False
        self._stops = 0
        self.cost = 0.0
        """Seconds of recent checks, averaged."""

    @property
    def pause(self) -> float:
        """How long to wait for the next keystroke before a check begins."""
        return 0.0 if self.cost <= _QUICK else min(self.cost, _LONGEST)

    def request(self, *, at_once: bool = False, opened: bool = False) -> None:
        """Something changed: check, soon. A document that was `opened` is looked at by itself first."""
        if self._stopped:
            return
        self._opened |= opened
        if self._running:
            self._again = True
            self._hurry |= at_once
            return
        self._unsettle()
        pause = 0.0 if at_once else self.pause
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if pause:
            self._timer = self._loop.call_later(pause, self._start)
        else:
            self._start()

    def _unsettle(self) -> None:
        if self._settling is not None:
            self._settling.cancel()
            self._settling = None

    def stop(self) -> None:
        self._stopped = True
        self._unsettle()
        if self._timer is not None:
            self._timer.cancel()

    def _start(self, settled: bool = False) -> None:
        self._timer = self._settling = None
        if self._stopped:
            return
        self._running, self._again, self._hurry = True, False, False
        if self._opened:
            self._opened, self._again, self._hurry = False, True, True
            future = self._thread.submit(self._first_job, worker.CHECK)
        else:
            future = self._thread.submit(lambda: self._job(settled), worker.CHECK)
        future.add_done_callback(lambda f: self._loop.call_soon_threadsafe(self._ended, f))

    def _first_job(self) -> tuple[T, float, bool]:
        return self._convert(self.root, self.root.check_opened()), self.cost, False

    def _job(self, settled: bool) -> tuple[T, float, bool]:
        start = time.perf_counter()
        may_stop = self._stops < _MOST_STOPS

        def progress(done: int, total: int) -> None:
            if self._stopped or (self._again and may_stop and time.perf_counter() - start > _PATIENCE):
                raise Superseded

        results = self.root.check(progress, settled=settled)
        converted = self._convert(self.root, results)
        settles = not settled and any(is_broken(result.diagnostics) for result in results)
        return converted, time.perf_counter() - start, settles

    def _ended(self, future: Any) -> None:
        self._running = False
        if self._stopped:
            return
        try:
            converted, seconds, settles = future.result()
        except Superseded:
            self._stops += 1
            self.cost = max(self.cost, 2 * _PATIENCE)
        except CancelledError:
            return
        except Exception as error:  # noqa: BLE001 - told to the log; the next edit tries again
            self._failed(error)
        else:
            self._stops = 0
            self.cost = seconds if self.cost == 0 else 0.5 * self.cost + 0.5 * seconds
            self._done(converted)
            if settles and not self._again:
                self._settling = self._loop.call_later(_SETTLED, self._start, True)
        if self._again:
            self.request(at_once=self._hurry)
