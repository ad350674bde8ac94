"""Lowered chunks: what a text says, shared by all files and places that say it."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

from onnx_lint.source.guards import too_complex

if TYPE_CHECKING:
    from onnx_lint.source.lower import Lowered
    from onnx_lint.source.positions import Place

_TREE_LINES = 6_000
"""Lines of which the trees are kept, for their places."""


class LoweredChunk:
    """The IR and the places of all chunks with one text. Shared, since real projects repeat half of their code."""

    __slots__ = ("lines", "lowered", "member", "refused", "spans", "text")

    def __init__(self, text: str, member: bool) -> None:
        from onnx_lint.source.lower import Lowered, lower  # libcst costs 0.15 s: only when something is parsed

        self.text, self.member = text, member
        self.spans: list[Place] | None = None
        self.refused = too_complex(text)
        self.lowered: Lowered = Lowered(()) if self.refused is not None else lower(text, member=member)
        if self.lowered.fault is not None and not self.lowered.fault.is_error:
            self.refused = self.lowered.fault.message
        self.lines = text.count("\n") + 1

    @property
    def is_sound(self) -> bool:
        """Whether it parses and is within the guards."""
        return self.refused is None and self.lowered.fault is None

    def place(self, at: int) -> Place:
        if self.spans is None:
            from onnx_lint.source.lower import lower
            from onnx_lint.source.positions import spans

            tree = self.lowered.tree or lower(self.text, member=self.member).tree
            assert tree is not None, "a node of a chunk that did not lower"
            self.spans = spans(tree, member=self.member)
            self.lowered.tree = None
        return self.spans[at]


class ChunkStore:
    """Lowered chunks by text."""

    def __init__(self) -> None:
        self._chunks: dict[tuple[str, bool], LoweredChunk] = {}
        self._with_tree: deque[LoweredChunk] = deque()
        self.has_faults = False
        """Whether there may be code that is not analysed in full."""
        self._lines = 0

    def get(self, text: str, member: bool) -> LoweredChunk:
        key = (text, member)
        chunk = self._chunks.get(key)
        if chunk is None:
            chunk = self._chunks[key] = LoweredChunk(text, member)
            self.has_faults = self.has_faults or not chunk.is_sound
            self._keep_tree(chunk)
        return chunk

    def _keep_tree(self, chunk: LoweredChunk) -> None:
        """Keep the trees of the last few thousand lines: what is reported is mostly what was just lowered."""
        self._with_tree.append(chunk)
        self._lines += chunk.lines
        while self._lines > _TREE_LINES and self._with_tree:
            oldest = self._with_tree.popleft()
            oldest.lowered.tree = None
            self._lines -= oldest.lines

    def has(self, text: str, member: bool) -> bool:
        return (text, member) in self._chunks

    def put(self, chunk: LoweredChunk) -> None:
        """Keep a chunk again."""
        self._chunks[(chunk.text, chunk.member)] = chunk

    def forget(self, text: str, member: bool) -> None:
        """Do not keep a text that was typed over; units that still have it are not concerned."""
        self._chunks.pop((text, member), None)

    def keep_only(self, wanted: set[int]) -> None:
        """Forget chunks that are not among `wanted`, identities of chunks that units hold."""
        self._chunks = {key: chunk for key, chunk in self._chunks.items() if id(chunk) in wanted}

    def __len__(self) -> int:
        return len(self._chunks)
