"""``--report FILE.html``: one page that stands alone, with the source and what each line of it became.

The page has no script and loads nothing: its policy forbids both. Everything that comes from outside is escaped.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from onnx_lint.diagnostic import Diagnostic, EvidenceState, Severity
from onnx_lint.source.text import SourceText
from onnx_lint_exporter import opsets as opset_words
from onnx_lint_exporter import table
from onnx_lint_exporter.codes import ExportCode
from onnx_lint_exporter.messages import blame
from onnx_lint_exporter.opsets import OpsetRow
from onnx_lint_exporter.outcome import Outcome
from onnx_lint_exporter.report_graph import graph
from onnx_lint_exporter.report_listing import Annotations, Told, listing, text
from onnx_lint_exporter.report_names import PageNames
from onnx_lint_exporter.report_proof import Link, differences, searched
from onnx_lint_exporter.source_code import Sources
from onnx_lint_exporter.worker.protocol import Fault, Frame, Mismatch, Step, StepState
from onnx_lint_exporter.writer import write_text

_STYLE = Path(__file__).with_name("report_style.css")
_MAX_STEPS = 400
_MAX_LINKS = 12
"""Lines with errors that the index links to, for each file."""
MARKS = {StepState.EQUAL: "✓", StepState.FUSED: "·", StepState.UNUSED: "→", StepState.DIFFERS: "✗"}
"""How a step is drawn."""


def write_report(
    path: str,
    target: str,
    outcomes: Sequence[Outcome],
    diagnostics: Sequence[Diagnostic],
    sources: Sources,
    linted: Mapping[str, SourceText] | None = None,
    opsets: Sequence[OpsetRow] = (),
) -> None:
    """Write the page. `linted` are texts that the linter has read. Raises `WriteError`."""
    write_text(path, lambda: "".join(page(target, outcomes, diagnostics, sources, linted or {}, opsets)))


def page(
    target: str,
    outcomes: Sequence[Outcome],
    diagnostics: Sequence[Diagnostic],
    sources: Sources,
    linted: Mapping[str, SourceText],
    opsets: Sequence[OpsetRow] = (),
) -> Iterator[str]:
    """The page, in pieces."""
    names = PageNames(outcomes)
    target = names.target(target, sources)
    known = _annotations(outcomes, [names.notes(d) for d in diagnostics], sources)
    texts = {**linted, **sources.texts()}
    yield (
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">'
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">"
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{text(target)}: export report</title><style>\n{_STYLE.read_text(encoding='utf-8')}</style></head>\n"
        f"<body><main><header><h1>{text(target)}</h1><p>{text(_verdict(outcomes))}</p></header>\n"
    )
    order = _order(known, outcomes, sources)
    anchors = {name: f"file-{number}" for number, name in enumerate((n for n in order if n in texts), 1)}
    yield from _index(outcomes, known, anchors, names, opsets)
    yield from _engines(outcomes)
    yield from _opsets(opsets)
    yield (
        '<div class="view"><label><input type="checkbox" id="hide-info"> hide infos</label>'
        '<label><input type="checkbox" id="hide-operators"> hide operators</label>'
        "<span>a green edge beside a line number: executed on input 1</span></div>\n"
    )
    engines = [outcome.engine for outcome in outcomes if outcome.result.node_map]
    homeless: list[Diagnostic] = []
    told = Told()
    for name in order:
        source = texts.get(name)
        if source is None:
            homeless += known[name].diagnostics
            continue
        yield f'<section id="{anchors[name]}"><h2><code>{text(names.of(name))}</code></h2>\n'
        yield from listing(source, known[name], engines, anchors[name], told)
        yield "</section>\n"
    if homeless:
        yield "<section><h2>Without a place in a file that can be read</h2>\n"
        yield from (told.note(d, "") for d in homeless)
        yield "</section>\n"

    def link(frame: Frame) -> str:
        name = sources.shown(frame.file)
        words = f"{text(names.of(name))}:{frame.line}"
        return f'<a href="#{anchors[name]}-{frame.line}">{words}</a>' if name in anchors else words

    for outcome in outcomes:
        yield from _mismatch(outcome, link)
    yield from _proof(outcomes, link)
    yield from _graphs(outcomes)
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
        cells = (
            f'<td class="{name}" data-label="{text(heading)}">{text(cell)}</td>'
            for name, heading, cell in zip(classes, table.HEADINGS, row, strict=True)
        )
        yield f"<tr>{''.join(cells)}</tr>"
    yield "</tbody></table></div>\n"
    below = table.remarks(outcomes)
    if below:
        yield f'<ul class="details soft">{"".join(f"<li>{text(line)}</li>" for line in below)}</ul>\n'


def _index(
    outcomes: Sequence[Outcome],
    known: Mapping[str, Annotations],
    anchors: Mapping[str, str],
    names: PageNames,
    opsets: Sequence[OpsetRow],
) -> Iterator[str]:
    """Links to the parts of the page; for each file how much is said of it, and where its errors stand."""
    parts = [("#opsets", "Opsets")] if opsets else []
    parts += [
        (f"#differs-{outcome.engine}", f"{outcome.engine}: the first value that differs")
        for outcome in outcomes
        if outcome.result.mismatch is not None and outcome.result.mismatch.steps
    ]
    parts += [("#proof", "Search and figures")] if any(map(_has_proof, outcomes)) else []
    parts += [("#graph", "The graph by module")] if any(outcome.result.node_map for outcome in outcomes) else []
    yield "<nav><ul>"
    for name, anchor in anchors.items():
        said = known[name].diagnostics
        lines = sorted({d.span.line for d in said if d.severity is Severity.ERROR})
        count = f' <span class="soft">{len(said)} said</span>' if said else ""
        yield f'<li><a href="#{anchor}"><code>{text(names.of(name))}</code></a>{count}'
        yield "".join(f' <a class="error-link" href="#{anchor}-{line}">line {line}</a>' for line in lines[:_MAX_LINKS])
        yield "</li>"
    yield "".join(f'<li><a href="{where}">{text(words)}</a></li>' for where, words in parts)
    yield "</ul></nav>\n"


def _opsets(rows: Sequence[OpsetRow]) -> Iterator[str]:
    """The table of ``--opset 17..23``."""
    if not rows:
        return
    yield '<section id="opsets"><h2>Opsets</h2><div class="scroll"><table class="engines"><thead><tr>'
    yield from (f"<th>{text(heading)}</th>" for heading in opset_words.HEADINGS)
    yield "</tr></thead><tbody>"
    for row in rows:
        words = opset_words.cells(row)
        classes = ("", row.engine.value, *map(_state_class, words[2:]))
        cells = (
            f'<td class="{name}" data-label="{text(heading)}">{text(cell)}</td>'
            for name, heading, cell in zip(classes, opset_words.HEADINGS, words, strict=True)
        )
        yield f"<tr>{''.join(cells)}</tr>"
    yield "</tbody></table></div>"
    yield f'<ul class="details soft">{"".join(f"<li>{text(line)}</li>" for line in opset_words.verdicts(rows))}</ul>'
    yield "</section>\n"


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
        own = outcome.result.definition
        if own is not None and sources.get(own.file) is not None:
            of(sources.shown(own.file))  # the model's own file is shown also when nothing is said of it
        for row in outcome.result.node_map:
            frame = row.stack[0] if row.stack else None
            if frame is not None and sources.get(frame.file) is not None:
                lines = of(sources.shown(frame.file)).operators.setdefault(outcome.engine, {})
                lines.setdefault(frame.line, []).append(row)
        for path, line, badge, words in _marks(outcome, diagnostics, sources):
            of(path).differing.setdefault(line, []).append((badge, words))
    for d in diagnostics:
        of(d.span.path).diagnostics.append(d)
    for outcome in outcomes:
        for file, executed in (outcome.result.executed or {}).items():
            name = sources.shown(file)
            if name in known:
                known[name].executed.update(executed)
    return known


_NO_CAUSE = {
    entry.code for entry in ExportCode if entry not in (ExportCode.BAKED, ExportCode.STATIC, ExportCode.VANISHED)
}
"""Codes of what follows from a frozen value, or has nothing to do with one."""


def _marks(
    outcome: Outcome, diagnostics: Sequence[Diagnostic], sources: Sources
) -> Iterator[tuple[str, int, str, str]]:
    """The lines to blame for a wrong result: path, line, badge, words.

    Where the recording froze a value, that line is the cause, and the first value that differs only shows it.
    """
    found = outcome.result.mismatch
    culprit = found.culprit.stack[0] if found is not None and found.culprit is not None else None
    converter = found is not None and found.fault is Fault.CONVERTER
    frozen = [] if converter or not outcome.wrong else _frozen(outcome, diagnostics)
    here = sources.shown(culprit.file) if culprit is not None and sources.get(culprit.file) is not None else None
    for path, line in frozen:
        elsewhere = culprit is not None and here is not None and (path, line) != (here, culprit.line)
        shows = f"; it shows first in line {culprit.line}" if culprit is not None and elsewhere else ""
        yield path, line, "frozen here", f"{outcome.engine}: the cause of the wrong result{shows}"
    if found is not None and culprit is not None and here is not None:
        lines = sorted({line for path, line in frozen if path == here} - {culprit.line})
        cause = f"; frozen in line {', '.join(map(str, lines))}" if lines else ""
        yield here, culprit.line, "first value that differs", f"{outcome.engine}: {_about(found)}{cause}"


def _frozen(outcome: Outcome, diagnostics: Sequence[Diagnostic]) -> list[tuple[str, int]]:
    """The lines that an error with a cause of its own names, shown to be one by this engine's export."""
    shown = (EvidenceState.CONFIRMED, EvidenceState.MISSED_BY_LINT)
    return list(
        dict.fromkeys(
            (d.span.path, d.span.line)
            for d in diagnostics
            if d.severity is Severity.ERROR
            and d.code not in _NO_CAUSE
            and any(e.engine is outcome.engine and e.state in shown for e in d.evidence)
        )
    )


def _order(known: Mapping[str, Annotations], outcomes: Sequence[Outcome], sources: Sources) -> list[str]:
    """The model's own file first, then those of which most is said."""
    defined = [outcome.result.definition for outcome in outcomes]
    own = {sources.shown(place.file) for place in defined if place is not None}
    return sorted(known, key=lambda name: (name not in own, -len(known[name].lines()), name))


def _proof(outcomes: Sequence[Outcome], link: Link) -> Iterator[str]:
    """What was searched, converted and measured."""
    if not any(map(_has_proof, outcomes)):
        return
    yield '<section id="proof"><h2>Search and figures</h2>\n'
    for outcome in outcomes:
        yield from searched(outcome)
        made = outcome.result.conversion
        named = f'<span class="{outcome.engine}">{outcome.engine}</span>'
        if made is not None:
            yield from differences(f"{named}: what {text(made.form)} changes", made.drift, link)
        yield from differences(f"{named}: the model and the graph", outcome.result.differences, link)
    yield "</section>\n"


def _has_proof(outcome: Outcome) -> bool:
    result = outcome.result
    return bool(result.proof.searched or result.proof.witness or result.differences or result.conversion)


def _graphs(outcomes: Sequence[Outcome]) -> Iterator[str]:
    """The picture of each engine's graph."""
    drawn = [outcome for outcome in outcomes if outcome.result.node_map]
    if not drawn:
        return
    yield '<section id="graph"><h2>The graph by module</h2>\n'
    for outcome in drawn:
        count = f'<span class="soft">{len(outcome.result.node_map)} nodes</span>'
        yield f'<details class="whole"><summary class="{outcome.engine}">{outcome.engine} {count}</summary>'
        yield from graph(outcome.result.node_map)
        yield "</details>"
    yield "</section>\n"


def _mismatch(outcome: Outcome, link: Link) -> Iterator[str]:
    """The steps of the search for the first value that differs."""
    found = outcome.result.mismatch
    steps = found.steps if found is not None else ()
    if found is None or not steps:
        return
    yield f'<section id="differs-{outcome.engine}"><h2><span class="{outcome.engine}">{outcome.engine}</span>'
    yield ": the first value that differs</h2>\n"
    yield f"<p>{text(_about(found))}</p>"
    first = next((k for k, step in enumerate(steps) if step.state is StepState.DIFFERS), 0)
    start = max(0, first - _MAX_STEPS // 2)
    yield '<div class="scroll"><pre class="tree">'
    for step in steps[start : start + _MAX_STEPS]:
        yield _step(step, link)
    yield "</pre></div>"
    yield (
        '<p class="soft">✓ in the graph, · computed away within another operator, → for Python alone (no output is '
        "made of it), ✗ not in the graph.</p></section>\n"
    )


def _about(found: Mismatch) -> str:
    """What the search knows of the first value that differs."""
    if found.culprit is None:
        return blame(found.fault)
    words = f"`{found.culprit.name}`" + (f", {found.culprit.detail}" if found.culprit.detail else "")
    return words + blame(found.fault)


def _step(step: Step, link: Link) -> str:
    place = link(step.stack[0]) if step.stack else ""
    line = f"{step.name}" + (f"  {step.detail}" if step.detail else "")
    return f'<span class="{step.state}">{MARKS[step.state]} {text(line)}</span>  {place}\n'
