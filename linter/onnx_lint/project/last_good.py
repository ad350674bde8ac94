"""What stands in for a chunk that does not parse at the moment: its last valid version, at the new places."""

from __future__ import annotations

from onnx_lint.project.chunks import LoweredChunk

Position = tuple[int, int]
"""Line (from 1) and column (from 0) within a chunk."""


class LastGood:
    """How the text in the file (`new`) differs from the valid one that stands in for it (`old`): one stretch."""

    __slots__ = ("_from", "_lines", "_to_new", "_to_old", "chunk")

    def __init__(self, old: str, new: str, chunk: LoweredChunk) -> None:
        head = common_start(old, new)
        tail = common_end(old, new, head)
        self._from = _position(old, head)
        self._to_old, self._to_new = _position(old, len(old) - tail), _position(new, len(new) - tail)
        self._lines = self._to_new[0] - self._to_old[0]
        self.chunk = chunk
        """The lowered chunk of the text in the file, for its fault."""

    def place(self, line: int, column: int, end_line: int, end_column: int) -> tuple[int, int, int, int]:
        """A place in the old text as it is in the new one."""
        return (*self._moved((line, column)), *self._moved((end_line, end_column)))

    def _moved(self, position: Position) -> Position:
        if position <= self._from:
            return position
        if position < self._to_old:
            return self._from
        line, column = position
        if line == self._to_old[0]:
            column += self._to_new[1] - self._to_old[1]
        return line + self._lines, column

    def hides(self, line: int, column: int, end_line: int, end_column: int) -> bool:
        """Whether a place in the old text touches what was typed over."""
        return (line, column) < self._to_old and (end_line, end_column) > self._from


def common_start(first: str, second: str) -> int:
    """The length of the common beginning of two texts."""
    low, high = 0, min(len(first), len(second))
    while low < high:
        middle = (low + high + 1) // 2
        if first[low:middle] == second[low:middle]:
            low = middle
        else:
            high = middle - 1
    return low


def common_end(first: str, second: str, head: int) -> int:
    """The length of the common end of two texts, behind their common beginning of length `head`."""
    low, high = 0, min(len(first), len(second)) - head
    while low < high:
        middle = (low + high + 1) // 2
        if first[len(first) - middle : len(first) - low] == second[len(second) - middle : len(second) - low]:
            low = middle
        else:
            high = middle - 1
    return low


def _position(text: str, offset: int) -> Position:
    return text.count("\n", 0, offset) + 1, offset - (text.rfind("\n", 0, offset) + 1)
