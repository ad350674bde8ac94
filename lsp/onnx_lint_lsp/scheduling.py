"""When a root is checked: at once while checks are quick, after a pause in typing when they are not."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from concurrent.futures import CancelledError, Future
from dataclasses import dataclass
from enum import Enum
from typing import Generic, TypeVar

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
_BREATH = 0.15
"""Seconds without a change before files that are not open are looked at: one of their models is not left halfway."""
_PATIENCE = 0.25
"""Seconds a check of the open files only runs before a newer text stops it."""
_MOST_STOPS = 4
"""Checks stopped in a row: then one runs to its end, so that someone who never pauses sees diagnostics too."""


class _Kind(Enum):
    """What a check is for."""

    HURRIED = "what the open files themselves tell, at once"
    WHOLE = "what the files around them add, whenever nobody waits"
    SETTLED = "the same, for a broken text at which nobody types"


@dataclass(frozen=True)
class _Ended(Generic[T]):
    converted: T
    seconds: float
    is_complete: bool
    is_broken: bool


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
        self._kind = _Kind.HURRIED
        self._is_first = False
        """Whether a document was opened since the last check: that does not tell how long a keystroke's takes."""
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
        """Something changed: check, soon."""
        if self._stopped:
            return
        self._is_first |= opened
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

    def _start(self, kind: _Kind = _Kind.HURRIED) -> None:
        self._timer = self._settling = None
        if self._stopped:
            return
        self._running, self._again, self._hurry, self._kind = True, False, False, kind
        future = self._thread.submit(lambda: self._job(kind), worker.CHECK)
        future.add_done_callback(lambda f: self._loop.call_soon_threadsafe(self._ended, f))

    def _job(self, kind: _Kind) -> _Ended[T]:
        start = time.perf_counter()
        may_stop = self._stops < _MOST_STOPS

        def progress(done: int, total: int) -> None:
            if kind is _Kind.HURRIED:
                is_late = self._again and may_stop and time.perf_counter() - start > _PATIENCE
            else:
                is_late = self._again or self._thread.is_wanted
            if self._stopped or is_late:
                raise Superseded

        results = self.root.check(progress, settled=kind is _Kind.SETTLED, open_files_only=kind is _Kind.HURRIED)
        converted = self._convert(self.root, results)
        broken = any(is_broken(result.diagnostics, result.limits) for result in results)
        return _Ended(converted, time.perf_counter() - start, self.root.is_complete, broken)

    def _ended(self, future: Future[_Ended[T]]) -> None:
        self._running = False
        if self._stopped:
            return
        kind, following = self._kind, None
        try:
            ended = future.result()
        except Superseded:
            if kind is _Kind.HURRIED:
                self._stops += 1
                self.cost = max(self.cost, 2 * _PATIENCE)
            else:
                following = kind  # what was done is kept
        except CancelledError:
            return
        except Exception as error:  # noqa: BLE001 - told to the log; the next edit tries again
            self._failed(error)
        else:
            self._done(ended.converted)
            if kind is _Kind.HURRIED:
                self._stops = 0
                self._learn(ended.seconds)
            if not ended.is_complete:
                following = _Kind.WHOLE
            elif ended.is_broken and kind is not _Kind.SETTLED:
                following = _Kind.SETTLED
        if self._again:
            self.request(at_once=self._hurry)
        elif following is not None:
            pause = _SETTLED if following is _Kind.SETTLED else _BREATH
            self._settling = self._loop.call_later(pause, self._start, following)

    def _learn(self, seconds: float) -> None:
        """How long the checks of keystrokes take: one quick check after a slow one is believed at once, one slow one
        half."""
        if not self._is_first:
            self.cost = min(seconds, 0.5 * self.cost + 0.5 * seconds) if self.cost else seconds
        self._is_first = False
