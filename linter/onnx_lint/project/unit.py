"""A unit: one chunk of one file, lowered when first needed, with places in the file."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

from onnx_lint.diagnostic import Span
from onnx_lint.project.dependencies import Node
from onnx_lint.source.guards import too_complex

if TYPE_CHECKING:
    from onnx_lint.project.last_good import LastGood
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


class Unit:
    """One chunk at its place in a file. In an editor it outlives changes elsewhere in the file, and stands in for its
    chunk while that does not parse."""

    __slots__ = ("_chunk", "_record", "is_gone", "last_good", "line", "member", "module", "moves", "text")

    def __init__(self, module: SourceModule, line: int, text: str, member: bool) -> None:
        self.module, self.text, self.member, self.line = module, text, member, line
        self.last_good: LastGood | None = None
        """How the text in the file differs, while that does not parse."""
        self.is_gone = False
        """Whether its file says something else now."""
        self.moves = 0
        """Grows when its places move in the file."""
        self._chunk: LoweredChunk | None = None
        self._record: Node | None = None

    def move(self, line: int, last_good: LastGood | None) -> None:
        """Put it where it stands now."""
        if line != self.line or last_good is not self.last_good:
            self.line, self.last_good = line, last_good
            self.moves += 1

    @property
    def chunk(self) -> LoweredChunk:
        if self._chunk is None:
            self._chunk = self.module.project.store.get(self.text, self.member)
        return self._chunk

    @property
    def is_lowered(self) -> bool:
        return self._chunk is not None

    @property
    def is_faulty(self) -> bool:
        """Whether something is known to be wrong with what the file says."""
        return self.last_good is not None or (self._chunk is not None and not self._chunk.is_sound)

    @property
    def is_broken(self) -> bool:
        """Whether what the file says is known not to parse."""
        return self.last_good is not None or (
            self._chunk is not None and self._chunk.lowered.fault is not None and self._chunk.refused is None
        )

    @property
    def dependency(self) -> Node:
        """The fact of what the chunk says."""
        if self._record is None:
            self._record = Node()
        return self._record

    def span(self, at: int) -> Span:
        """The place of IR node `at` in the file."""
        line, column, end_line, end_column = self.chunk.place(at)
        if self.last_good is not None:
            line, column, end_line, end_column = self.last_good.place(line, column, end_line, end_column)
        shift, source = self.line - 1, self.module.source
        first, last = line + shift, end_line + shift
        return Span(source.path, first, source.column(first, column) + 1, last, source.column(last, end_column) + 1)

    def is_masked(self, at: int) -> bool:
        """Whether a node stands where the text in the file is another, so that nothing can be said about it."""
        return self.last_good is not None and self.last_good.hides(*self.chunk.place(at))

    def fault_span(self, line: int, column: int) -> Span:
        """The place of a syntax error at `line` and `column` of the chunk: one character, or none at the end of a
        line."""
        source = self.module.source
        first = min(line + self.line - 1, len(source.starts))
        behind = len(source.line(first)) + 1
        start = min(source.column(first, column) + 1, behind)
        return Span(source.path, first, start, first, min(start + 1, behind))
