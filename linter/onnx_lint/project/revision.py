"""An editor's change to a file: what did not change stays as it is, and what does not parse at the moment is stood in
for by its last valid version.

While somebody types, most states of a file are broken: a bracket or a quote is open, a name is half written. A change
within one chunk that breaks it therefore leaves the rest of the file as it was split before, however much of it an
open quote seems to swallow.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from onnx_lint.project.unit import LoweredChunk, Unit
from onnx_lint.source.split import Chunk, split
from onnx_lint.source.statements import is_docstring
from onnx_lint.source.text import SourceText

if TYPE_CHECKING:
    from onnx_lint.project.modules import SourceModule

_LARGE = 20_000

Position = tuple[int, int]
"""Line (from 1) and column (from 0) within a chunk."""


class Patch:
    """How the text in the file (`new`) differs from the valid one that stands in for it (`old`): one stretch."""

    __slots__ = ("_from", "_lines", "_to_new", "_to_old", "chunk")

    def __init__(self, old: str, new: str, chunk: LoweredChunk) -> None:
        head = _common(old, new)
        tail = min(_common(old[::-1], new[::-1]), len(old) - head, len(new) - head)
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


def _common(first: str, second: str) -> int:
    """The length of the common beginning of two texts."""
    low, high = 0, min(len(first), len(second))
    while low < high:
        middle = (low + high + 1) // 2
        if first[low:middle] == second[low:middle]:
            low = middle
        else:
            high = middle - 1
    return low


def _position(text: str, offset: int) -> Position:
    return text.count("\n", 0, offset) + 1, offset - (text.rfind("\n", 0, offset) + 1)


@dataclass(slots=True)
class _Leaf:
    """A chunk that has no members, as an index into the chunks and into the members of that one; or the header of a
    class."""

    index: int
    member: int | None
    line: int
    is_header: bool = False


def revise(module: SourceModule, source: SourceText) -> None:
    """Give a file a new text. Units whose text is still there outlive it; dependents of the others are spoiled."""
    before, old = module.source, module.chunks
    module.source = source
    if before.normal == source.normal:
        return
    change = _change_of(module, old, before, source.normal)
    chunks = change.chunks if change is not None else split(source.normal)
    if change is not None and change.broken is not None:
        whole = split(source.normal)
        if _parses(module, old, whole, max(_LARGE, 4 * len(change.broken))):
            change, chunks = None, whole  # a decorator that belongs to what follows, a quote closed further down
    if (change is not None and change.keeps_names) or [_signature(c) for c in old] == [_signature(c) for c in chunks]:
        _keep_names(module, old, chunks)
    else:
        _rebuild(module, old, chunks)


# ----------------------------------------------------------------------------------------------- within one chunk
@dataclass(slots=True)
class _Change:
    """The chunks after a change within one of them, and whether the file still binds the same names."""

    chunks: list[Chunk]
    keeps_names: bool
    broken: str | None
    """The new text of the chunk, when it does not parse."""


def _change_of(module: SourceModule, old: list[Chunk], source: SourceText, after: str) -> _Change | None:
    """The chunks as they were, one of them with a new text, when the change lies within that one, and either breaks
    it or leaves it one chunk of the same kind. ``None`` if the file has to be split anew."""
    before = source.normal
    head = before.count("\n", 0, _common(before, after)) + 1  # the first line that changed
    tail = _common_end(before, after)
    last = len(before) - tail
    leaves = list(_leaves(old))
    place = bisect_right([leaf.line for leaf in leaves], head) - 1
    if place < 0 or leaves[place].is_header:
        return None
    leaf = leaves[place]
    start = _offset_of_line(source, leaf.line)
    end = _offset_of_line(source, leaves[place + 1].line) if place + 1 < len(leaves) else len(before)
    if last > end or (last == end and place + 1 < len(leaves)):
        return None  # it touches the line of the next one
    text = after[start : len(after) - (len(before) - end)].rstrip()
    chunk = old[leaf.index] if leaf.member is None else old[leaf.index].members[leaf.member]
    changed = _same_chunk(module, chunk, text, leaf.member is not None)
    if changed is None:
        return None
    shift = after.count("\n") - before.count("\n")
    chunks = [*old[: leaf.index], *(_shifted(c, shift) for c in old[leaf.index + 1 :])]
    if leaf.member is not None:
        owner = old[leaf.index]
        members = [*owner.members[: leaf.member], *(_shifted(m, shift) for m in owner.members[leaf.member + 1 :])]
        members.insert(leaf.member, changed)
        chunks.insert(leaf.index, replace(owner, members=tuple(members)))
    else:
        chunks.insert(leaf.index, changed)
    is_broken = module.project.store.get(text, leaf.member is not None).lowered.fault is not None
    keeps_names = is_broken or _signature(chunk) == _signature(changed)
    return _Change(chunks, keeps_names, text if is_broken else None)


def _parses(module: SourceModule, old: list[Chunk], new: list[Chunk], bound: int) -> bool:
    """Whether all chunks parse. One longer than `bound` that was not there before is not tried: something open
    swallows the file."""
    valid: set[tuple[str, bool]] = set()
    for chunk in old:
        for each, is_member in ((chunk, False), *((m, True) for m in chunk.members)):
            unit = module.held_unit(each)
            if unit is not None and unit.patch is None and unit.is_lowered and unit.chunk.lowered.fault is None:
                valid.add((unit.text, is_member))
    for chunk in new:
        for each, is_member in ((chunk, False), *((m, True) for m in chunk.members)):
            text = each.header + " pass" if each.members else each.text
            if (text, is_member) not in valid:
                if len(text) > bound or module.project.store.get(text, is_member).lowered.fault is not None:
                    return False
    return True


def _same_chunk(module: SourceModule, chunk: Chunk, text: str, is_member: bool) -> Chunk | None:
    """The chunk with its new text, if that is broken or still one chunk of that kind and name."""
    if not text:
        return None
    lowered = module.project.store.get(text, is_member)
    if lowered.lowered.fault is not None:
        return replace(chunk, text=text)
    if lowered.refused is not None:
        return None
    parts: list[Chunk] | tuple[Chunk, ...] = split(text)
    if is_member:
        whole = split(f"class _:\n{text}")
        parts = whole[0].members if len(whole) == 1 else ()
    if len(parts) != 1 or (parts[0].kind, parts[0].name) != (chunk.kind, chunk.name) or parts[0].text != text:
        return None
    return replace(parts[0], line=chunk.line)


def _common_end(first: str, second: str) -> int:
    """The length of the common end of two texts, behind their common beginning."""
    low, high = 0, min(len(first), len(second)) - _common(first, second)
    while low < high:
        middle = (low + high + 1) // 2
        if first[len(first) - middle : len(first) - low] == second[len(second) - middle : len(second) - low]:
            low = middle
        else:
            high = middle - 1
    return low


def _offset_of_line(source: SourceText, line: int) -> int:
    """Where a line begins in the normal text."""
    if source.normal is source.text:
        return source.starts[line - 1]
    offset = 0
    for _ in range(line - 1):
        offset = source.normal.index("\n", offset) + 1
    return offset


def _leaves(chunks: list[Chunk]) -> Iterator[_Leaf]:
    for index, chunk in enumerate(chunks):
        if chunk.members:
            yield _Leaf(index, None, chunk.line, True)
            for number, member in enumerate(chunk.members):
                yield _Leaf(index, number, member.line)
        else:
            yield _Leaf(index, None, chunk.line)


def _shifted(chunk: Chunk, lines: int) -> Chunk:
    if not lines:
        return chunk
    return replace(chunk, line=chunk.line + lines, members=tuple([_shifted(m, lines) for m in chunk.members]))


# -------------------------------------------------------------------------------------------------- the same names
def _signature(chunk: Chunk) -> tuple[object, ...]:
    """What other code can see of a chunk without looking into a function: its name, or all of a statement."""
    if chunk.kind == "statement":
        return ("docstring",) if is_docstring(chunk.text) else ("statement", chunk.text)
    if chunk.kind == "class":
        if not chunk.members:
            return ("class", chunk.text)
        return ("class", chunk.name, chunk.header, tuple([_signature(m) for m in chunk.members]))
    return (chunk.kind, chunk.name)


def _pairs(old: list[Chunk], new: list[Chunk]) -> Iterator[tuple[Chunk, Chunk, bool, bool]]:
    """Old and new chunk, whether they are members, and whether the unit is a class header."""
    for before, after in zip(old, new, strict=True):
        yield before, after, False, bool(after.members)
        for a, b in zip(before.members, after.members, strict=True):
            yield a, b, True, False


def _keep_names(module: SourceModule, old: list[Chunk], new: list[Chunk]) -> None:
    """The chunks are the same but for what is in functions, or for one that is broken."""
    units: dict[int, Unit] = {}
    moved: dict[int, Chunk] = {}
    dropped: set[int] = set()
    for before, after, is_member, is_header in _pairs(old, new):
        moved[id(before)] = after
        unit = module.held_unit(before)
        if unit is not None:
            if is_header:
                unit.move(after.line, None)
            elif before is not after:
                kept = _revised(module, unit, after, is_member)
                if kept is not unit:
                    dropped.add(id(unit))
                unit = kept
            units[id(after)] = unit
    module.take_over(new, units, moved, dropped)


def _revised(module: SourceModule, unit: Unit, chunk: Chunk, is_member: bool) -> Unit:
    """The unit of a chunk: as it is, patched where the new text is broken, or a new one."""
    if unit.text == chunk.text:
        unit.move(chunk.line, None)
        return unit
    if unit.patch is not None and unit.patch.chunk.text == chunk.text:
        unit.move(chunk.line, unit.patch)
        return unit
    store = module.project.store
    if unit.is_lowered and unit.chunk.lowered.fault is None and unit.chunk.refused is None:
        lowered = store.get(chunk.text, is_member)
        store.forget(chunk.text, is_member)  # most texts that are typed are typed on
        if lowered.lowered.fault is not None:
            unit.move(chunk.line, Patch(unit.text, chunk.text, lowered))
            return unit
        store.put(lowered)
    _drop(module, unit)
    return Unit(module, chunk.line, chunk.text, is_member)


def _drop(module: SourceModule, unit: Unit) -> None:
    tracker = module.project.tracker
    if tracker is not None:
        tracker.spoil(unit.record)
    module.project.store.forget(unit.text, unit.member)


# ------------------------------------------------------------------------------------------------------ other names
def _rebuild(module: SourceModule, old: list[Chunk], new: list[Chunk]) -> None:
    """The file binds other names: all that was computed from its names is stale."""
    free: dict[tuple[str, bool], list[Unit]] = {}
    for before in _flat(old):
        unit = module.held_unit(before)
        if unit is not None:
            free.setdefault((unit.text, unit.member), []).append(unit)
    units: dict[int, Unit] = {}
    for chunk in new:
        for each, is_member in ((chunk, False), *((m, True) for m in chunk.members)):
            text = each.header + " pass" if each.members else each.text
            fitting = free.get((text, is_member))
            if fitting:
                unit = fitting.pop()
                unit.move(each.line, None)
                units[id(each)] = unit
    for left in free.values():
        for unit in left:
            _drop(module, unit)
    module.take_over(new, units, None, set())
    tracker = module.project.tracker
    if tracker is not None:
        tracker.spoil(module.record)


def _flat(chunks: list[Chunk]) -> Iterator[Chunk]:
    for chunk in chunks:
        yield chunk
        yield from chunk.members
