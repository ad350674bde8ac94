"""What the worker saw at a place, as plain data: an observation is ``{kind, message, stack, …}``.

The parent turns observations into diagnostics. The kinds are listed with their codes in ``onnx_lint_exporter.codes``.
"""

from __future__ import annotations

import re
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from .channel import clip
from .frames import Frame, UserCode, of_live

Observation = dict[str, Any]


def observation(kind: str, message: object, stack: list[Frame], **details: Any) -> Observation:
    """One thing seen at a place; `stack` has the user's frames, innermost first."""
    return {"kind": kind, "message": clip(message), "stack": stack[:30], **details}


_TRACER_KINDS = (
    ("to a Python boolean", "boolean"),
    ("to a Python index", "index"),
    ("to a Python integer", "integer"),
    ("to a Python float", "float"),
    ("to a Python number", "number"),
    ("to a Python list", "list"),
    ("to a NumPy array", "numpy"),
    ("Iterating over a tensor", "iteration"),
    ("Using len to get tensor shape", "length"),
    ("registered as constants in the trace", "constant"),
    ("There are 2 live references", "in-place"),
)


def tracer_kind(message: str) -> str:
    return next((kind for part, kind in _TRACER_KINDS if part in message), "other")


_OWN_AXIS = re.compile(
    r"The axis name: (\S+) will not be used, since it shares the same shape constraints with another axis: \1\.?$"
)
"""Said of one name for equal axes of several inputs, which is what such a name means."""


_TRIGGERED = re.compile(r" \(Triggered internally at .*\)$")


def _plain(text: str) -> str:
    """The first line, without the place in torch's own sources."""
    return _TRIGGERED.sub("", text.partition("\n")[0]).strip()


class Warnings:
    """Collects warnings at the user's innermost line, folded by place and kind, whatever line torch names."""

    def __init__(self, user: UserCode) -> None:
        self._user = user
        self.seen: dict[tuple[Any, ...], Observation] = {}

    def _show(
        self, message: Any, category: Any, filename: str, lineno: int, file: Any = None, line: Any = None
    ) -> None:
        name = getattr(category, "__name__", str(category))
        text = clip(message)
        if _OWN_AXIS.search(text) or name in ("DeprecationWarning", "FutureWarning", "PendingDeprecationWarning"):
            return
        stack = of_live(sys._getframe(1), self._user)
        kind = "tracer-warning" if name == "TracerWarning" else "engine-warning"
        what = tracer_kind(text) if kind == "tracer-warning" else text.split("\n")[0][:80]
        place = (stack[0]["file"], stack[0]["line"], stack[0].get("column")) if stack else ("", 0, 0)
        key = (kind, what, *place)
        if key in self.seen:
            self.seen[key]["count"] += 1
        elif len(self.seen) < 500:
            self.seen[key] = observation(kind, _plain(text), stack, what=what, category=name, count=1)

    @contextmanager
    def collecting(self) -> Iterator[None]:
        with warnings.catch_warnings():
            warnings.simplefilter("always")
            warnings.showwarning = self._show
            yield

    def observations(self) -> list[Observation]:
        return list(self.seen.values())
