"""Documents that the analysis cannot deal with: found, left out, and tried again when they change.

A check that fails (it was abandoned, ran out of memory, met a fault of ours) does not say which document is to blame.
Documents whose text passed the last check are not. If one is left it is the one; of several, each is analysed again
with those that passed, one more at a time, until the check fails for one of them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from onnx_lint_lsp.source_view import SourceView

_QUIET = 2.0
"""Seconds without a change before a document that was left out is tried again."""
_FIRST_WAIT, _LONGEST_WAIT = 5.0, 60.0
"""Seconds between a failure and the next try, doubled with each failure."""


@dataclass(frozen=True)
class LeftOut:
    """A document that is not analysed."""

    failed: SourceView
    """The state that failed."""
    view: SourceView
    """The present state."""
    reason: str
    due: float | None
    """When it is tried again, by the clock; ``None`` as long as its text is the one that failed."""


class Quarantine:
    """The open documents of one workspace: those that are analysed, those that wait, those that are left out. `clock`
    gives seconds that never go back."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self.admitted: dict[str, SourceView] = {}
        """What is analysed."""
        self.left_out: dict[str, LeftOut] = {}
        self._waiting: dict[str, SourceView] = {}
        self._passed: dict[str, SourceView] = {}
        self._failures: dict[str, int] = {}
        self._failed_at: dict[str, float] = {}

    @property
    def is_on_probation(self) -> bool:
        """Whether a document is analysed that failed before and has not passed since."""
        return any(path in self._failures for path in self.admitted)

    def everything(self) -> dict[str, SourceView]:
        """The present state of all documents."""
        return {**self.admitted, **self._waiting, **{path: left.view for path, left in self.left_out.items()}}

    def change(self, path: str, view: SourceView | None) -> None:
        """A document is opened, has a new text, or is closed (``None``)."""
        left = self.left_out.get(path)
        if view is None:
            for held in (self.admitted, self.left_out, self._waiting, self._passed, self._failures, self._failed_at):
                held.pop(path, None)
        elif left is not None:
            now = self._clock()
            due = None if left.failed.same_source(view) else max(now + _QUIET, self._next_try(path))
            self.left_out[path] = LeftOut(left.failed, view, left.reason, due)
        elif path in self._waiting:
            self._waiting[path] = view
        else:
            self.admitted[path] = view

    def _next_try(self, path: str) -> float:
        wait: float = _FIRST_WAIT * 2 ** (self._failures.get(path, 1) - 1)
        return self._failed_at.get(path, 0.0) + min(wait, _LONGEST_WAIT)

    def passed(self, views: Iterable[SourceView]) -> None:
        """A check of these documents came to its end."""
        self._passed = {view.path: view for view in views if view.path in self.admitted}
        for path in self._passed:
            self._failures.pop(path, None)
            self._failed_at.pop(path, None)

    def failed(self, seen: Mapping[str, SourceView], reason: str) -> None:
        """A check of these documents failed, or was abandoned."""
        present = {path: view for path, view in seen.items() if path in self.admitted}
        suspects = {path: view for path, view in present.items() if not self._has_passed(view)} or present
        if len(suspects) == 1:
            ((path, view),) = suspects.items()
            self.leave_out(path, view, reason)
        else:
            for path in suspects:
                self._waiting[path] = self.admitted.pop(path)
                self._passed.pop(path, None)

    def _has_passed(self, view: SourceView) -> bool:
        before = self._passed.get(view.path)
        return before is not None and before.same_source(view)

    def leave_out(self, path: str, failed: SourceView, reason: str) -> None:
        """Analyse a document no longer, until its text changes."""
        present = self.admitted.pop(path, None)
        if present is None:
            return
        self._passed.pop(path, None)
        self._failures[path] = self._failures.get(path, 0) + 1
        self._failed_at[path] = self._clock()
        self.left_out[path] = LeftOut(failed, failed, reason, None)
        self.change(path, present)

    def admit(self) -> str | None:
        """Analyse one more of the documents that wait, or of those left out whose time has come; which."""
        for path in self._waiting:
            self.admitted[path] = self._waiting.pop(path)
            return path
        now = self._clock()
        for path, left in self.left_out.items():
            if left.due is not None and left.due <= now:
                self.admitted[path] = self.left_out.pop(path).view
                return path
        return None

    def delay(self) -> float | None:
        """Seconds until `admit` has something to do that it has not now; ``None`` if nothing is to come."""
        times = [left.due for left in self.left_out.values() if left.due is not None]
        return max(min(times) - self._clock(), 0.0) if times else None
