"""What outlives a change of a file: units, classes, and what was computed from names that mean the same as before.

A chunk whose place among the others, kind and name are as before is the same chunk, whatever a function's body says
now. Of the others the names are looked at: what was computed from one of them is stale.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

from onnx_lint.project.classes import Classes
from onnx_lint.project.edits import Change
from onnx_lint.project.last_good import LastGood
from onnx_lint.project.modules import STARS, SourceModule, Unit
from onnx_lint.source.split import Chunk
from onnx_lint.source.statements import is_docstring

_NAME = re.compile(r"[^\W\d]\w*")


def reconcile(module: SourceModule, classes: Classes, change: Change) -> None:
    """Replace chunks of a file."""
    _Reconciliation(module, classes).run(change)


class _Reconciliation:
    """One change: `units` are those of the chunks that go, by the identity of the chunk."""

    def __init__(self, module: SourceModule, classes: Classes) -> None:
        self.module, self.classes, self.dropped = module, classes, list[Unit]()

    def run(self, change: Change) -> None:
        module = self.module
        old, new = module.chunks[change.first : change.last], change.chunks
        head = _alike(old, new)
        tail = _alike(old[head:][::-1], new[head:][::-1])
        units = module.take_units(old)
        for before, after in _pairs(old, new, head, tail):
            self._keep(before, after, units)
        gone, come = old[head : len(old) - tail], new[head : len(new) - tail]
        names = {name for chunk in (*gone, *come) for name in _names(chunk)}
        self._reuse(gone, come, units)
        module.replace(change, is_other=bool(gone or come), rebinds=any(c.kind == "statement" for c in (*gone, *come)))
        self._forget(gone, names)

    # ------------------------------------------------------------------------------------------ the same chunk
    def _keep(self, before: Chunk, after: Chunk, units: dict[int, Unit]) -> None:
        unit = units.get(id(before))
        if after.members:
            if unit is not None:
                unit.move(after.line, None)
                self.module.hold(after, unit)
            for a, b in zip(before.members, after.members, strict=True):
                self._keep_leaf(a, b, units.get(id(a)), is_member=True)
        else:
            self._keep_leaf(before, after, unit, is_member=False)
        self.classes.move(self.module, before, after)

    def _keep_leaf(self, before: Chunk, after: Chunk, unit: Unit | None, *, is_member: bool) -> None:
        if unit is None:
            if before.text == after.text:
                return
            unit = Unit(self.module, before.line, before.text, is_member)
        self.module.hold(after, self._revised(unit, after, is_member))

    def _revised(self, unit: Unit, chunk: Chunk, is_member: bool) -> Unit:
        """The unit of a chunk: as it is, patched where the new text is broken, or a new one."""
        if unit.text == chunk.text:
            unit.move(chunk.line, None)
            return unit
        if unit.last_good is not None and unit.last_good.chunk.text == chunk.text:
            unit.move(chunk.line, unit.last_good)
            return unit
        store = self.module.store
        if unit.chunk.is_sound:
            lowered = store.get(chunk.text, is_member)
            store.forget(chunk.text, is_member)  # most texts that are typed are typed on
            if lowered.lowered.fault is not None:
                unit.move(chunk.line, LastGood(unit.text, chunk.text, lowered))
                return unit
            store.put(lowered)
        self.dropped.append(unit)
        return self._made(chunk, chunk.text, is_member)

    def _made(self, chunk: Chunk, text: str, is_member: bool) -> Unit:
        """A new unit, of which is known what is wrong with it."""
        unit = Unit(self.module, chunk.line, text, is_member)
        _ = unit.chunk
        return unit

    # -------------------------------------------------------------------------------------------- other chunks
    def _reuse(self, gone: Sequence[Chunk], come: Sequence[Chunk], units: dict[int, Unit]) -> None:
        """Give the units of chunks that go to chunks that say the same."""
        free: dict[tuple[str, bool], list[Unit]] = {}
        for chunk, is_member in _flat(gone):
            unit = units.get(id(chunk))
            if unit is not None:
                free.setdefault((_text(chunk), is_member), []).append(unit)
        for chunk, is_member in _flat(come):
            text = _text(chunk)
            fitting = free.get((text, is_member))
            unit = fitting.pop() if fitting else self._made(chunk, text, is_member)
            unit.move(chunk.line, unit.last_good)
            self.module.hold(chunk, unit)
        for left in free.values():
            self.dropped += left

    def _forget(self, gone: Iterable[Chunk], names: set[str]) -> None:
        module = self.module
        self.classes.drop(module, {id(chunk) for chunk in gone}, {id(unit) for unit in self.dropped})
        for unit in self.dropped:
            unit.leave()
            module.store.forget(unit.text, unit.member)
            module.tracker.invalidate(unit.dependency)
        for name in names:
            module.names.invalidate(name)


def _alike(old: Sequence[Chunk], new: Sequence[Chunk]) -> int:
    """How many first chunks look the same to other code."""
    count = 0
    for before, after in zip(old, new, strict=False):
        if before is not after and signature(before) != signature(after):
            break
        count += 1
    return count


def signature(chunk: Chunk) -> tuple[object, ...]:
    """What other code can see of a chunk without looking into a function: its name, or all of a statement."""
    if chunk.kind == "statement":
        return ("docstring",) if is_docstring(chunk.text) else ("statement", chunk.text)
    if chunk.kind == "class":
        if not chunk.members:
            return ("class", chunk.text)
        return ("class", chunk.name, chunk.header, tuple([signature(m) for m in chunk.members]))
    return (chunk.kind, chunk.name)


def _pairs(old: list[Chunk], new: list[Chunk], head: int, tail: int) -> Iterator[tuple[Chunk, Chunk]]:
    yield from zip(old[:head], new[:head], strict=True)
    yield from zip(old[len(old) - tail :], new[len(new) - tail :], strict=True)


def _flat(chunks: Iterable[Chunk]) -> Iterator[tuple[Chunk, bool]]:
    for chunk in chunks:
        yield chunk, False
        for member in chunk.members:
            yield member, True


def _text(chunk: Chunk) -> str:
    return chunk.header + " pass" if chunk.members else chunk.text


def _names(chunk: Chunk) -> Iterator[str]:
    """Names that a chunk may bind at the top level."""
    if chunk.kind != "statement":
        yield chunk.name
        return
    yield from _NAME.findall(chunk.text)
    if "*" in chunk.text:
        yield STARS
