"""A progress bar on a terminal, once a run takes longer than a moment."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

_DELAY = 1.0
"""Seconds before the bar appears."""

Step = Callable[[int, int], None]
"""Called with how many parts are done, and of how many."""


@contextmanager
def progress(label: str, *, wanted: bool) -> Iterator[Step | None]:
    """What to call after each part; ``None`` where nobody would see it."""
    if not wanted or sys.stderr is None or not sys.stderr.isatty():
        yield None
        return
    bar = _Bar(label)
    try:
        yield bar.step
    finally:
        bar.stop()


class _Bar:
    """Appears by a timer, not by the first step: finding out how many parts there are can take long itself."""

    def __init__(self, label: str) -> None:
        self._label = label
        self._done: int = 0
        self._total: int | None = None
        self._shown: tuple[Progress, TaskID] | None = None
        self._lock = threading.Lock()
        self._timer: threading.Timer | None = threading.Timer(_DELAY, self._show)
        self._timer.daemon = True
        self._timer.start()

    def _show(self) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
        bar = Progress(*columns, console=Console(stderr=True), transient=True)
        with self._lock:
            if self._timer is not None:  # not stopped meanwhile
                bar.start()
                self._shown = bar, bar.add_task(self._label, completed=self._done, total=self._total)

    def step(self, done: int, total: int) -> None:
        self._done, self._total = done, total
        if self._shown is not None:
            bar, task = self._shown
            bar.update(task, completed=done, total=total)

    def stop(self) -> None:
        with self._lock:
            if self._timer is not None:
                self._timer.cancel()
                self._timer = None
            if self._shown is not None:
                self._shown[0].stop()
