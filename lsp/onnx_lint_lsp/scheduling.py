"""When a workspace is checked: at once while checks are quick, after a pause in typing when they are not."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from concurrent.futures import CancelledError, Future
from dataclasses import dataclass
from enum import Enum
from typing import Generic, TypeVar

from onnx_lint_lsp.analysis_thread import CHECK, AnalysisThread, GaveUp, Superseded
from onnx_lint_lsp.client import Client
from onnx_lint_lsp.loop import post
from onnx_lint_lsp.quarantine import Quarantine
from onnx_lint_lsp.source_view import SourceView
from onnx_lint_lsp.workspace import Result, Workspace, is_broken

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
_PROBATION = 3.0
"""Seconds without progress after which a check is abandoned that looks at a document for which one was before."""
_MOST_STOPS = 4
"""Checks stopped in a row: then one runs to its end, so that someone who never pauses sees diagnostics too."""


class _Kind(Enum):
    """What a check is for."""

    OPEN_FILES = "what the open files themselves show, at once"
    WHOLE = "what the files around them add, whenever nobody waits"
    SETTLED = "the same, for a broken text at which nobody types"


@dataclass(frozen=True)
class _Ended(Generic[T]):
    converted: T
    analysed: tuple[SourceView, ...]
    seconds: float
    is_complete: bool
    is_broken: bool


class Checks(Generic[T]):
    """The checks of one workspace. `convert` runs on the analysis thread, `done` on the event loop, as do all methods.

    A check that fails costs the document that is to blame its diagnostics, and no other: see `Quarantine`."""

    def __init__(
        self,
        thread: AnalysisThread,
        workspace: Workspace,
        convert: Callable[[Workspace, list[Result]], T],
        done: Callable[[T], None],
        client: Client,
        step_limit: Callable[[], float],
    ) -> None:
        self.workspace = workspace
        self._thread, self._convert, self._done, self._client = thread, convert, done, client
        self._configured_limit = step_limit
        self._loop = asyncio.get_running_loop()
        self._quarantine = Quarantine(self._loop.time)
        self._is_alone = False
        self._timer: asyncio.TimerHandle | None = None
        self._running = False
        self._again = False
        self._hurry = False
        """Whether what came in during a check is not to wait for a pause."""
        self._kind = _Kind.OPEN_FILES
        self._is_first = False
        """Whether a document was opened since the last check: a keystroke's takes another time."""
        self._settling: asyncio.TimerHandle | None = None
        self._admission: asyncio.TimerHandle | None = None
        self._stopped = False
        self._stops = 0
        self.cost = 0.0
        """Seconds of recent checks, averaged."""

    @property
    def step_limit(self) -> float:
        """Seconds that an analysis may take without progress."""
        limit = self._configured_limit()
        return min(limit, _PROBATION) if self._quarantine.is_on_probation else limit

    # --------------------------------------------------------------------------------------------------- documents
    def update(self, path: str, view: SourceView | None) -> None:
        """A document of the workspace is opened, has a new text, or is closed (``None``)."""
        self._quarantine.change(path, view)
        self._hand_over(path)
        self._admit_later()

    def analysed(self, path: str) -> SourceView | None:
        """The document of that path, if it is open here and not left out."""
        return self._quarantine.admitted.get(path)

    def _hand_over(self, path: str) -> None:
        """Give the workspace the state of a document, unless it waits to be analysed."""
        quarantine = self._quarantine
        left = quarantine.left_out.get(path)
        if left is not None:
            self.workspace.update(path, left.view, left_out=left.reason)
        else:
            self.workspace.update(path, quarantine.admitted.get(path))

    def forget_failures(self) -> None:
        """Analyse everything anew, also what was left out."""
        views = self._quarantine.everything()
        self._quarantine = Quarantine(self._loop.time)
        self._is_alone = False
        for path, view in views.items():
            self._quarantine.change(path, view)
        self._renew()

    def _renew(self) -> None:
        """Begin with a new workspace. What works on the old one, if anything does, is without consequence."""
        self.workspace = self.workspace.renewed(is_alone=self._is_alone)
        for path in (*self._quarantine.admitted, *self._quarantine.left_out):
            self._hand_over(path)

    def _admit_later(self) -> None:
        """See to it that a document that was left out is tried again in its time."""
        if self._admission is not None:
            self._admission.cancel()
            self._admission = None
        delay = self._quarantine.delay()
        if delay is not None and not self._stopped:
            self._admission = self._loop.call_later(delay, self._admit)

    def _admit(self) -> bool:
        """Analyse one more document, if one waits."""
        path = self._quarantine.admit()
        if path is not None:
            self._hand_over(path)
            self.request(at_once=True)
        self._admit_later()
        return path is not None

    def failed(self, error: Exception, culprit: SourceView | None = None) -> None:
        """An analysis of the workspace failed, or was abandoned: that of one document if the `culprit` is known."""
        quarantine = self._quarantine
        reason = _reason(error)
        seen = dict(self.workspace.views)
        if culprit is not None:
            quarantine.leave_out(culprit.path, culprit, reason)
        elif self._kind is _Kind.OPEN_FILES:
            quarantine.failed(seen, reason)
        else:
            self._is_alone = True
            self._client.log(f"{self.workspace.folder}: files that are not open are left out of the analysis: {reason}")
        if isinstance(error, GaveUp):
            self._client.log(f"{self.workspace.folder}: an analysis was abandoned: {reason}")
        else:
            self._client.failed(error)
        self._renew()
        if seen or culprit is not None:  # else it fails without any document: the next change tries again
            self.request(at_once=True)

    # ------------------------------------------------------------------------------------------------------ timing
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
        """Check nothing more."""
        self._stopped = True
        self._unsettle()
        if self._admission is not None:
            self._admission.cancel()
        if self._timer is not None:
            self._timer.cancel()

    def _start(self, kind: _Kind = _Kind.OPEN_FILES) -> None:
        self._timer = self._settling = None
        if self._stopped:
            return
        self._running, self._again, self._hurry, self._kind = True, False, False, kind
        workspace = self.workspace
        if self._is_first and kind is _Kind.OPEN_FILES:
            before = self._thread.submit(lambda: self._kept(workspace), CHECK, step_limit=self.step_limit)
            before.add_done_callback(lambda f: post(self._loop, self._had_kept, f))
        future = self._thread.submit(lambda: self._job(workspace, kind), CHECK, step_limit=self.step_limit)
        future.add_done_callback(lambda f: post(self._loop, self._ended, f))

    def _job(self, workspace: Workspace, kind: _Kind) -> _Ended[T]:
        start = time.perf_counter()
        may_stop = self._stops < _MOST_STOPS

        def progress(done: int, total: int) -> None:
            self._thread.beat()
            if kind is _Kind.OPEN_FILES:
                is_late = self._again and may_stop and time.perf_counter() - start > _PATIENCE
            else:
                is_late = self._again or self._thread.is_wanted
            if self._stopped or is_late:
                raise Superseded

        results = workspace.check(
            progress, settled=kind is _Kind.SETTLED, open_files_only=kind is _Kind.OPEN_FILES or workspace.is_alone
        )
        converted = self._convert(workspace, results)
        analysed = [result for result in results if not result.is_left_out]
        return _Ended(
            converted,
            tuple(result.view for result in analysed),
            time.perf_counter() - start,
            workspace.is_complete,
            any(is_broken(result.diagnostics, result.limits) for result in analysed),
        )

    def _kept(self, workspace: Workspace) -> T | None:
        """What is known from the last time of what was opened."""
        results = workspace.kept()
        return self._convert(workspace, results) if results else None

    def _had_kept(self, future: Future[T | None]) -> None:
        if self._stopped or future.cancelled() or future.exception() is not None:
            return  # what fails here fails in the check that follows, which says so
        converted = future.result()
        if converted is not None:
            self._done(converted)

    def _ended(self, future: Future[_Ended[T]]) -> None:
        self._running = False
        if self._stopped:
            return
        kind, following = self._kind, None
        try:
            ended = future.result()
        except Superseded:
            if kind is _Kind.OPEN_FILES:
                self._stops += 1
                self.cost = max(self.cost, 2 * _PATIENCE)
            else:
                following = kind  # what was done is kept
        except CancelledError:
            return
        except Exception as error:  # noqa: BLE001 - logged; the document to blame is left out
            self.failed(error)
            return
        else:
            self._quarantine.passed(ended.analysed)
            self._done(ended.converted)
            if kind is _Kind.OPEN_FILES:
                self._stops = 0
                self._learn(ended.seconds)
            if not ended.is_complete and not self._is_alone:
                following = _Kind.WHOLE
            elif ended.is_broken and kind is not _Kind.SETTLED and not self._is_alone:
                following = _Kind.SETTLED
        if self._admit():
            return
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


def _reason(error: Exception) -> str:
    """Why a document is not analysed, in a clause."""
    if isinstance(error, GaveUp):
        return str(error)
    if isinstance(error, MemoryError):
        return "its analysis runs out of memory"
    if isinstance(error, RecursionError):
        return "its analysis nests too deep"
    return f"its analysis fails with {type(error).__name__}, which is a fault of onnx-lint"
