"""What the engines warn about while they record, as observations at the user's lines."""

from __future__ import annotations

import re
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import TextIO

from .channel import clip
from .frames import UserCode
from .protocol import Kind, Observation, Read

MAX_STACK = 30
"""Frames of a stack that are sent."""
_MAX_WARNINGS = 500

_READS = (
    ("to a Python boolean", Read.BOOLEAN),
    ("to a Python index", Read.INDEX),
    ("to a Python integer", Read.INTEGER),
    ("to a Python float", Read.FLOAT),
    ("to a Python number", Read.NUMBER),
    ("to a Python list", Read.LIST),
    ("to a NumPy array", Read.NUMPY),
    ("Iterating over a tensor", Read.ITERATION),
    ("Using len to get tensor shape", Read.LENGTH),
    ("registered as constants in the trace", Read.CONSTANT),
    ("There are 2 live references", Read.IN_PLACE),
)


def read_of(message: str) -> Read:
    """What a tracer warning says that Python does with the tensor."""
    return next((read for part, read in _READS if part in message), Read.OTHER)


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
        self._seen: dict[tuple[object, ...], Observation] = {}

    def _show(
        self,
        message: Warning | str,
        category: type[Warning],
        filename: str,
        lineno: int,
        file: TextIO | None = None,
        line: str | None = None,
    ) -> None:
        name = getattr(category, "__name__", str(category))
        text = clip(message)
        if _OWN_AXIS.search(text) or name in ("DeprecationWarning", "FutureWarning", "PendingDeprecationWarning"):
            return
        stack = self._user.choose_live(sys._getframe(1))[:MAX_STACK]
        traced = name == "TracerWarning"
        read = read_of(text) if traced else None
        topic = "" if traced else text.split("\n")[0][:80]
        key = (read, topic, *((stack[0].file, stack[0].line, stack[0].column) if stack else ()))
        known = self._seen.get(key)
        if known is not None:
            self._seen[key] = replace(known, count=known.count + 1)
        elif len(self._seen) < _MAX_WARNINGS:
            kind = Kind.TRACER_WARNING if traced else Kind.ENGINE_WARNING
            self._seen[key] = Observation(kind, _plain(text), stack, read=read, topic=topic)

    @contextmanager
    def collecting(self) -> Iterator[None]:
        """Collect all warnings of the block."""
        with warnings.catch_warnings():
            warnings.simplefilter("always")
            warnings.showwarning = self._show
            yield

    def observations(self) -> list[Observation]:
        """What was collected, in the order in which it was first seen."""
        return list(self._seen.values())
