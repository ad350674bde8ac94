"""An editor's change to a file: what did not change stays as it is, and what does not parse at the moment is stood in
for by its last valid version.

While somebody types, most states of a file are broken: a bracket or a quote is open, a name is half written. A change
within one chunk that breaks it therefore leaves the rest of the file as it was split before, however much of it an
open quote seems to swallow. Only the part of the file around a change is ever looked at.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import replace

from onnx_lint.project.classes import Classes
from onnx_lint.project.edits import Change
from onnx_lint.project.last_good import common_end, common_start
from onnx_lint.project.modules import SourceModule
from onnx_lint.project.reconcile import reconcile
from onnx_lint.source.split import Chunk, one_chunk, resplit, split
from onnx_lint.source.text import SourceText

_LARGE = 20_000
"""Characters that a chunk which does not parse may have, or four times its length, for a try to read on behind it."""


def revise(module: SourceModule, classes: Classes, source: SourceText) -> None:
    """Give a file a new text. What did not change outlives it; dependents of the rest are invalidated."""
    before, chunks = module.source, module.chunks
    module.source = source
    if before.normal != source.normal:
        reconcile(module, classes, _Revision(module, chunks, before, source).change())


class _Revision:
    """One change of a text, at the offsets `start` to `old_end`, which are `start` to `new_end` now."""

    def __init__(self, module: SourceModule, chunks: list[Chunk], before: SourceText, after: SourceText) -> None:
        self.module, self.chunks = module, chunks
        old, new = before.normal, after.normal
        self.starts, self.old, self.new = before.normal_starts, old, new
        self.start = common_start(old, new)
        tail = common_end(old, new, self.start)
        self.old_end, self.new_end = len(old) - tail, len(new) - tail
        self.shift = new.count("\n", self.start, self.new_end) - old.count("\n", self.start, self.old_end)
        self.line = bisect_right(self.starts, self.start)
        self.index = bisect_right(self.chunks, self.line, key=lambda c: c.line) - 1

    def change(self) -> Change:
        leaf = self._leaf()
        inside = leaf.changed() if leaf is not None else None
        if any(unit.is_broken and (leaf is None or unit is not leaf.unit) for unit in self.module.units()):
            chunks = split(self.new)  # what is broken elsewhere may have been waiting for just this
            if self._parses(chunks, _LARGE):
                return Change(0, len(self.chunks), chunks, self.shift)
        elif inside is not None and leaf is not None and leaf.is_broken:
            # a decorator that belongs to what follows, a quote closed further down?
            limit = max(_LARGE, 4 * len(leaf.text))
            change = self._around(limit)
            if change is not None and self._parses(change.chunks, limit):
                return change
        if inside is None:
            inside = self._around(None)
            assert inside is not None, "without a limit it ends with the text"
        return inside

    def _leaf(self) -> _Leaf | None:
        """The chunk without members within which the change lies, if it does."""
        if self.index < 0:
            return None
        owner = self.chunks[self.index]
        following = self.chunks[self.index + 1].line if self.index + 1 < len(self.chunks) else None
        number = None
        chunk = owner
        if owner.members:
            number = bisect_right(owner.members, self.line, key=lambda c: c.line) - 1
            if number < 0:
                return None  # the header
            chunk = owner.members[number]
            if number + 1 < len(owner.members):
                following = owner.members[number + 1].line
        end = self.starts[following - 1] if following is not None else len(self.old)
        if self.old_end > end or (self.old_end == end and following is not None):
            return None  # it touches the line of the next one
        start = self.starts[chunk.line - 1]
        return _Leaf(self, number, chunk, self.new[start : len(self.new) - (len(self.old) - end)])

    def _around(self, limit: int | None) -> Change | None:
        """The chunks around the change, split again; ``None`` if that takes more than `limit` characters."""
        begin = self.index
        if begin >= 0 and self.chunks[begin].line == self.line:
            begin -= 1  # it may belong to what stands before it now
        line = self.chunks[begin].line if begin >= 0 else 1
        start = self.starts[line - 1]
        moved = len(self.new) - len(self.old) - start
        marks: list[int] = []
        numbers = range(begin + 1, len(self.chunks) + 1)
        for chunk in self.chunks[begin + 1 :]:
            offset = self.starts[chunk.line - 1]
            is_behind = offset >= self.old_end and offset > self.start
            marks.append(offset + moved if is_behind else -1)
        marks.append(len(self.new) - start)
        first = next(n for n, mark in enumerate(marks) if mark >= 0)
        found = resplit(self.new[start:], line, marks[first:], limit)
        if found is None:
            return None
        chunks, mark = found
        return Change(max(begin, 0), numbers[first + mark], chunks, self.shift)

    def _parses(self, chunks: list[Chunk], limit: int) -> bool:
        """Whether all chunks parse. One that is new and longer than `limit` is not tried: something open swallows the
        file."""
        store = self.module.store
        for chunk in chunks:
            for each, is_member in ((chunk, False), *((m, True) for m in chunk.members)):
                text = each.header + " pass" if each.members else each.text
                if len(text) > limit and not store.has(text, is_member):
                    return False
                if store.get(text, is_member).lowered.fault is not None:
                    return False
        return True


class _Leaf:
    """The chunk in which a change lies, with its new `text`. `member` is its place in its class."""

    def __init__(self, revision: _Revision, member: int | None, chunk: Chunk, text: str) -> None:
        self._revision, self.member, self.chunk = revision, member, chunk
        self.unit = revision.module.held_unit(chunk)
        indent = chunk.text[: len(chunk.text) - len(chunk.text.lstrip())]
        self._one = one_chunk(text, chunk.line, indent) if text.strip() else None
        self.text = (self._one.text if self._one is not None else text).rstrip()
        self.is_broken = False

    def changed(self) -> Change | None:
        """The change, if the new text is broken or still one chunk that is no class with members."""
        if not self.text:
            return None
        store = self._revision.module.store
        lowered = store.get(self.text, self.member is not None)
        self.is_broken = lowered.lowered.fault is not None
        one = self._one
        if self.is_broken:
            one = replace(self.chunk, text=self.text)
        elif lowered.refused is not None or one is None or one.members or self.chunk.kind != one.kind:
            return None
        index, shift = self._revision.index, self._revision.shift
        if self.member is not None:
            owner = self._revision.chunks[index]
            below = owner.members[self.member + 1 :]
            if shift:
                below = tuple([replace(m, line=m.line + shift) for m in below])
            one = replace(owner, members=(*owner.members[: self.member], one, *below))
        return Change(index, index + 1, [one], shift)
