"""A change of a file, as the chunks that go and come."""

from __future__ import annotations

from dataclasses import dataclass

from onnx_lint.source.split import Chunk


@dataclass(slots=True)
class Change:
    """Chunks `first` up to `last` of a file are replaced by `chunks`; what follows moves down by `shift` lines."""

    first: int
    last: int
    chunks: list[Chunk]
    shift: int
