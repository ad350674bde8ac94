"""A unit: one chunk of one file, lowered when first needed, with places in the file."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

from onnx_lint.diagnostic import Span
from onnx_lint.source.guards import too_complex
from onnx_lint.source.split import Chunk

if TYPE_CHECKING:
    from onnx_lint.project.modules import SourceModule
    from onnx_lint.source.lower import Lowered
    from onnx_lint.source.positions import Place


_TREE_LINES = 6_000


class LoweredChunk:
    """The IR and the places of all chunks with one text. Shared, since real projects repeat half of their code."""

    __slots__ = ("lines", "lowered", "member", "refused", "spans", "text")

    def __init__(self, text: str, member: bool) -> None:
        from onnx_lint.source.lower import Lowered, lower  # libcst costs 0.15 s: only when something is parsed

        self.text, self.member = text, member
        self.spans: list[Place] | None = None
        self.refused = too_complex(text)
        self.lowered: Lowered = Lowered(()) if self.refused is not None else lower(text, member=member)
        self.lines = text.count("\n") + 1

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
    """Lowered chunks by text. `keep` bounds how many stay when a long-lived server calls `trim`."""

    def __init__(self) -> None:
        self._chunks: dict[tuple[str, bool], LoweredChunk] = {}
        self._with_tree: deque[LoweredChunk] = deque()
        self._lines = 0

    def get(self, text: str, member: bool) -> LoweredChunk:
        key = (text, member)
        chunk = self._chunks.get(key)
        if chunk is None:
            chunk = self._chunks[key] = LoweredChunk(text, member)
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

    def trim(self, wanted: set[int]) -> None:
        """Forget chunks that are not among `wanted` (identities of `LoweredChunk`)."""
        self._chunks = {k: c for k, c in self._chunks.items() if id(c) in wanted}

    def __len__(self) -> int:
        return len(self._chunks)


class Unit:
    """One chunk at its place in a file."""

    __slots__ = ("_chunk", "line", "member", "module", "text")

    def __init__(self, module: SourceModule, chunk: Chunk, text: str, member: bool) -> None:
        self.module, self.text, self.member, self.line = module, text, member, chunk.line
        self._chunk: LoweredChunk | None = None

    @property
    def chunk(self) -> LoweredChunk:
        if self._chunk is None:
            self._chunk = self.module.project.store.get(self.text, self.member)
        return self._chunk

    @property
    def is_lowered(self) -> bool:
        return self._chunk is not None

    def span(self, at: int) -> Span:
        """The place of IR node `at` in the file."""
        line, column, end_line, end_column = self.chunk.place(at)
        shift, source = self.line - 1, self.module.source
        first, last = line + shift, end_line + shift
        return Span(source.path, first, source.column(first, column) + 1, last, source.column(last, end_column) + 1)

    def fault_span(self, line: int, column: int) -> Span:
        """The place of a syntax error at `line` and `column` of the chunk, one character long."""
        source, first = self.module.source, line + self.line - 1
        start = source.column(first, column) + 1
        return Span(source.path, first, start, first, start + 1)
