"""A progress bar on a terminal, once a run takes longer than a moment."""

from __future__ import annotations

import sys
import time
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
    def __init__(self, label: str) -> None:
        self._label, self._start = label, time.monotonic()
        self._shown: tuple[Progress, TaskID] | None = None

    def step(self, done: int, total: int) -> None:
        if self._shown is None:
            if time.monotonic() - self._start < _DELAY:
                return
            from rich.console import Console
            from rich.progress import Progress

            bar = Progress(console=Console(stderr=True), transient=True)
            bar.start()
            self._shown = bar, bar.add_task(self._label, total=total)
        bar, task = self._shown
        bar.update(task, completed=done, total=total)

    def stop(self) -> None:
        if self._shown is not None:
            self._shown[0].stop()
