"""``--report FILE.html``: one page that stands alone, with the source and what each line of it became.

The page has no script and loads nothing: its policy forbids both. Everything that comes from outside is escaped.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from onnx_lint.diagnostic import Diagnostic
from onnx_lint.source.text import SourceText
from onnx_lint.target import Engine
from onnx_lint_exporter import table
from onnx_lint_exporter.outcome import Outcome
from onnx_lint_exporter.report_listing import Annotations, listing, note, text
from onnx_lint_exporter.source_code import Sources
from onnx_lint_exporter.writer import write_text

_STYLE = Path(__file__).with_name("report_style.css")
_MAX_STEPS = 400
_MARKS = {"equal": "✓", "fused": "·", "differs": "✗"}


def write_report(
    path: str,
    target: str,
    outcomes: Sequence[Outcome],
    diagnostics: Sequence[Diagnostic],
    sources: Sources,
    linted: Mapping[str, SourceText] | None = None,
) -> None:
    """Write the page. `linted` are texts that the linter has read. Raises `WriteError`."""
    write_text(path, lambda: "".join(page(target, outcomes, diagnostics, sources, linted or {})))


def page(
    target: str,
    outcomes: Sequence[Outcome],
    diagnostics: Sequence[Diagnostic],
    sources: Sources,
    linted: Mapping[str, SourceText],
) -> Iterator[str]:
    """The page, in pieces."""
    known = _annotations(outcomes, diagnostics, sources)
    texts = {**linted, **sources.texts()}
    yield (
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">'
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">"
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{text(target)}: export report</title><style>\n{_STYLE.read_text(encoding='utf-8')}</style></head>\n"
        f"<body><main><header><h1>{text(target)}</h1><p>{text(_verdict(outcomes))}</p></header>\n"
    )
    yield from _engines(outcomes)
    yield (
        '<div class="view"><label><input type="checkbox" id="hide-info"> hide infos</label>'
        '<label><input type="checkbox" id="hide-operators"> hide operators</label>'
        "<span>a green edge beside a line number: executed on input 1</span></div>\n"
    )
    engines = [outcome.engine for outcome in outcomes if outcome.facts.get("map")]
    homeless: list[Diagnostic] = []
    for name in _order(known, outcomes, sources):
        source = texts.get(name)
        if source is None:
            homeless += known[name].diagnostics
            continue
        yield f"<section><h2><code>{text(name)}</code></h2>\n"
        yield from listing(source, known[name], engines)
        yield "</section>\n"
    if homeless:
        yield "<section><h2>Without a place in a file that can be read</h2>\n"
        yield from map(note, homeless)
        yield "</section>\n"
    for outcome in outcomes:
        yield from _search(outcome, sources)
    yield "<footer>Written by onnx-lint.</footer></main></body></html>\n"


def _verdict(outcomes: Sequence[Outcome]) -> str:
    words = []
    for outcome in outcomes:
        if outcome.cancelled:
            state = "was cancelled"
        elif not outcome.exported:
            state = f"fails in the stage “{outcome.stage}”"
        elif outcome.wrong:
            state = "exports, and the result is wrong"
        elif outcome.verified:
            state = "exports, and is right on both inputs"
        else:
            state = "exports" if outcome.ok else f"exports, and fails in the stage “{outcome.stage}”"
        words.append(f"{outcome.engine} {state}")
    return "; ".join(words) + "."


def _engines(outcomes: Sequence[Outcome]) -> Iterator[str]:
    yield '<div class="scroll"><table class="engines"><thead><tr>'
    yield from (f"<th>{text(heading)}</th>" for heading in table.HEADINGS)
    yield "</tr></thead><tbody>"
    for outcome, row in zip(outcomes, table.rows(outcomes), strict=True):
        classes = (outcome.engine.value, *map(_state_class, row[1:]))
        cells = (f'<td class="{name}">{text(cell)}</td>' for name, cell in zip(classes, row, strict=True))
        yield f"<tr>{''.join(cells)}</tr>"
    yield "</tbody></table></div>\n"
    below = table.remarks(outcomes)
    if below:
        yield f'<ul class="details soft">{"".join(f"<li>{text(line)}</li>" for line in below)}</ul>\n'


def _state_class(cell: str) -> str:
    word = cell.partition(":")[0]
    return word if word in ("right", "wrong", "failed", "yes", "no") else ""


def _annotations(
    outcomes: Sequence[Outcome], diagnostics: Sequence[Diagnostic], sources: Sources
) -> dict[str, Annotations]:
    known: dict[str, Annotations] = {}

    def of(name: str) -> Annotations:
        return known.setdefault(name, Annotations())

    for outcome in outcomes:
        for row in outcome.facts.get("map") or []:
            frame = row["stack"][0] if row["stack"] else None
            if frame is not None and sources.get(frame["file"]) is not None:
                lines = of(sources.shown(frame["file"])).operators.setdefault(outcome.engine, {})
                lines.setdefault(frame["line"], []).append(row)
        found = outcome.facts.get("mismatch") or {}
        culprit = found.get("culprit")
        if culprit is not None and sources.get(culprit["file"]) is not None:
            lines_of = of(sources.shown(culprit["file"])).differing
            lines_of.setdefault(culprit["line"], []).append(f"{outcome.engine}: {_about(found)}")
    for d in diagnostics:
        of(d.span.path).diagnostics.append(d)
    for outcome in outcomes:
        for file, executed in (outcome.facts.get("executed") or {}).items():
            name = sources.shown(file)
            if name in known:
                known[name].executed.update(executed)
    return known


def _order(known: Mapping[str, Annotations], outcomes: Sequence[Outcome], sources: Sources) -> list[str]:
    """The model's own file first, then those of which most is said."""
    defined = [outcome.facts.get("definition") or {} for outcome in outcomes]
    own = {sources.shown(place["file"]) for place in defined if place.get("file")}
    return sorted(known, key=lambda name: (name not in own, -len(known[name].lines()), name))


def _search(outcome: Outcome, sources: Sources) -> Iterator[str]:
    """The steps of the search for the first value that differs."""
    found: dict[str, Any] = outcome.facts.get("mismatch") or {}
    steps = found.get("steps") or []
    if not steps:
        return
    yield f'<section><h2><span class="{outcome.engine}">{outcome.engine}</span>: the first value that differs</h2>\n'
    yield f"<p>{text(_about(found))}</p>"
    first = next((k for k, step in enumerate(steps) if step["state"] == "differs"), 0)
    start = max(0, first - _MAX_STEPS // 2)
    yield '<div class="scroll"><pre class="tree">'
    for step in steps[start : start + _MAX_STEPS]:
        yield _step(step, sources)
    yield "</pre></div>"
    yield '<p class="soft">✓ in the graph, · computed away inside another operator, ✗ not in the graph.</p></section>\n'


def _about(found: dict[str, Any]) -> str:
    """What the search knows of the first value that differs."""
    words = f"`{found['operator']}`, {found['detail']}" if found.get("detail") else f"`{found['operator']}`"
    blame = {
        "converter": "; the recorded program is right, its translation is wrong",
        "tracing": "; the recorded program itself is wrong",
    }.get(found.get("fault", ""), "")
    return words + blame


def _step(step: dict[str, Any], sources: Sources) -> str:
    frame = step["stack"][0] if step["stack"] else None
    place = f"{os.path.basename(sources.shown(frame['file']))}:{frame['line']}" if frame else ""
    line = f"{_MARKS[step['state']]} {place:28} {step['name']}" + (f"  {step['detail']}" if step["detail"] else "")
    return f'<span class="{step["state"]}">{text(line)}</span>\n'


__all__ = ["Engine", "page", "write_report"]
