"""The graph of an export in the page of a report: a picture for each module, which opens into those of its parts.

A picture has a box for each part of a module and for each run of its own operators, from top to bottom as values flow.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from onnx_lint_exporter.report_listing import text
from onnx_lint_exporter.worker.protocol import NodeRow

MOST_BOXES = 80
"""Boxes of one picture."""
_MOST_DEEP = 12
_WIDE, _HIGH, _GAP, _STEP = 168, 44, 20, 30
_LETTERS = 23
"""Characters that a box has room for."""


@dataclass
class Module:
    """A module with the nodes of all that it contains, in the order of the graph."""

    name: str
    path: str
    nodes: list[int] = field(default_factory=list)
    parts: dict[str, Module] = field(default_factory=dict)


@dataclass
class Box:
    """A part of a module, or a run of operators that are its own."""

    title: str
    detail: str
    nodes: list[int]
    is_module: bool
    layer: int = 0
    place: int = 0


def modules(rows: Sequence[NodeRow]) -> Module:
    """The tree of modules that the nodes come from."""
    root = Module("", "")
    for number, row in enumerate(rows):
        if row.op == "Constant":
            continue  # as weights are, a value that is there from the start
        here = root
        here.nodes.append(number)
        for part in row.module.split(".")[:_MOST_DEEP] if row.module else ():
            path = f"{here.path}.{part}" if here.path else part
            here = here.parts.setdefault(part, Module(part, path))
            here.nodes.append(number)
    return root


def boxes(module: Module, rows: Sequence[NodeRow]) -> list[Box]:
    """What the picture of a module shows, in the order of the graph."""
    part_of = {number: part for part in module.parts.values() for number in part.nodes}
    found: list[Box] = []
    shown: set[str] = set()
    for number in module.nodes:
        part = part_of.get(number)
        if part is None:
            if not found or found[-1].is_module:
                found.append(Box("", "", [], False))
            found[-1].nodes.append(number)
        elif part.name not in shown:
            shown.add(part.name)
            count = len(part.nodes)
            found.append(Box(part.name, f"{count} node{'s' if count != 1 else ''}", part.nodes, True))
    for box in found:
        if not box.is_module:
            counted = Counter(rows[number].op for number in box.nodes)
            box.title = ", ".join(f"{op} ×{count}" if count > 1 else op for op, count in counted.items())
            box.detail = f"{len(box.nodes)} operator{'s' if len(box.nodes) != 1 else ''}"
    return found


def edges(found: Sequence[Box], rows: Sequence[NodeRow]) -> list[tuple[int, int]]:
    """Which box uses a value of which other one. A module that is called again has one box: no edge leads back."""
    owner = {number: place for place, box in enumerate(found) for number in box.nodes}
    made = {out.name: number for number in owner for out in rows[number].outputs}
    pairs = {
        (owner[made[name]], owner[number])
        for number in owner
        for name in rows[number].inputs
        if name in made and owner[made[name]] < owner[number]
    }
    return sorted(pairs)


def _lay_out(found: Sequence[Box], pairs: Sequence[tuple[int, int]]) -> int:
    """Give each box a layer below those that it uses, and a place in it; the width of the widest layer."""
    for one, two in pairs:  # sorted by the first, and every edge leads to a later box
        found[two].layer = max(found[two].layer, found[one].layer + 1)
    filled: Counter[int] = Counter()
    for box in found:
        box.place = filled[box.layer]
        filled[box.layer] += 1
    return max(filled.values(), default=1)


def picture(found: Sequence[Box], pairs: Sequence[tuple[int, int]]) -> Iterator[str]:
    """The boxes and lines of a module as SVG."""
    wide = _lay_out(found, pairs)
    filled = Counter(box.layer for box in found)
    width, height = wide * (_WIDE + _GAP) + _GAP, (max(filled, default=0) + 1) * (_HIGH + _STEP) - _STEP // 2

    def corner(box: Box) -> tuple[float, float]:
        free = width - filled[box.layer] * (_WIDE + _GAP) + _GAP
        return free / 2 + box.place * (_WIDE + _GAP), box.layer * (_HIGH + _STEP) + _STEP / 4

    yield f'<svg class="graph" viewBox="0 0 {width} {height}" width="{width}" role="img">'
    for one, two in pairs:
        (x, y), (u, v) = corner(found[one]), corner(found[two])
        x, y, u = x + _WIDE / 2, y + _HIGH, u + _WIDE / 2
        middle = (y + v) / 2
        yield f'<path d="M{x:.0f} {y:.0f} C{x:.0f} {middle:.0f} {u:.0f} {middle:.0f} {u:.0f} {v:.0f}"/>'
    for box in found:
        x, y = corner(box)
        kind = "module" if box.is_module else "operators"
        title = box.title if len(box.title) <= _LETTERS else box.title[: _LETTERS - 1] + "…"
        yield (
            f'<g class="{kind}"><title>{text(box.title)}: {text(box.detail)}</title>'
            f'<rect x="{x:.0f}" y="{y:.0f}" width="{_WIDE}" height="{_HIGH}" rx="7"/>'
            f'<text x="{x + _WIDE / 2:.0f}" y="{y + 18:.0f}">{text(title)}</text>'
            f'<text class="small" x="{x + _WIDE / 2:.0f}" y="{y + 34:.0f}">{text(box.detail)}</text></g>'
        )
    yield "</svg>"


def graph(rows: Sequence[NodeRow]) -> Iterator[str]:
    """The whole graph: its picture, and below it those of its modules, closed."""
    yield from _pictures(modules(rows), rows)


def _pictures(module: Module, rows: Sequence[NodeRow]) -> Iterator[str]:
    found = boxes(module, rows)
    left = len(found) - MOST_BOXES
    found = found[:MOST_BOXES]
    yield '<div class="picture">'
    yield from picture(found, edges(found, rows))
    yield "</div>"
    if left > 0:
        yield f'<p class="soft">{left} more parts are not drawn.</p>'
    for part in module.parts.values():
        if len(part.nodes) > 1:
            count = f'<span class="soft">{len(part.nodes)} nodes</span>'
            yield f"<details><summary><code>{text(part.path)}</code> {count}</summary>"
            yield from _pictures(part, rows)
            yield "</details>"
