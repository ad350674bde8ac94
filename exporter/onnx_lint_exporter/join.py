"""Static diagnostics × what the exports saw: confirmed, refuted, untested, not reached, or missed by the linter."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from dataclasses import replace

from onnx_lint.diagnostic import Diagnostic, Evidence, EvidenceState, Severity, Span
from onnx_lint.target import Engine
from onnx_lint_exporter.adequacy import tested_at
from onnx_lint_exporter.codes import ExportCode
from onnx_lint_exporter.messages import result_words
from onnx_lint_exporter.outcome import Outcome
from onnx_lint_exporter.rule_causes import may_cause
from onnx_lint_exporter.source_code import Sources

_NOT_FOR_LINT = {
    ExportCode.LOAD.code,
    ExportCode.CHECK.code,
    ExportCode.CRASH.code,
    ExportCode.TIMEOUT.code,
    ExportCode.MEMORY.code,
    ExportCode.ENGINE.code,
    ExportCode.ENGINE_WARNING.code,
    ExportCode.STRICT.code,
    ExportCode.RANDOM.code,
    ExportCode.FORGED.code,
}
"""What no reading of the source could find: never *missed by lint*."""


def merge_evidence(
    static: Sequence[Diagnostic],
    exported: Sequence[tuple[Outcome, list[Diagnostic]]],
    sources: Sources,
    linted: Iterable[str],
) -> list[Diagnostic]:
    """The combined list: each static diagnostic with its evidence, and what only the exports found.

    `linted` are the shown paths of the files that were linted: only there can the linter have missed anything.
    """
    inside = set(linted)
    used: set[tuple[Engine, int]] = set()
    out = []
    for diagnostic in static:
        evidence, confirming = list(diagnostic.evidence), []
        for outcome, found in exported:
            near = [d for d in found if same_place(diagnostic, d)]
            matches = [d for d in near if may_cause(diagnostic.code, d.code, outcome)]
            confirming += [d for d in matches if d.severity is not Severity.INFO]
            used |= {(outcome.engine, id(d)) for d in matches}
            evidence += _evidence(diagnostic, outcome, matches, sources)
        worst = max([diagnostic.severity, *(d.severity for d in confirming)])
        out.append(replace(diagnostic, evidence=tuple(evidence), severity=worst))
    for outcome, found in exported:
        for d in found:
            if (outcome.engine, id(d)) not in used:
                out.append(_missed(d, outcome) if d.span.path in inside else d)
    return sorted(fold_engines(out), key=lambda d: d.sort_key)


def attribute_to_rules(found: list[Diagnostic], static: Sequence[Diagnostic], outcome: Outcome) -> list[Diagnostic]:
    """Give what an export saw the code, origin and fix of the rule that explains the same place."""
    out = []
    for d in found:
        near = [s for s in static if same_place(s, d) and d.engines[0] in s.engines]
        match = next((s for s in near if may_cause(s.code, d.code, outcome)), None)
        if match is None or d.code in _NOT_FOR_LINT:
            out.append(d)
            continue
        out.append(
            replace(
                d,
                code=match.code,
                name=match.name,
                span=match.span,
                origin=match.origin,
                help=match.help or d.help,
                fix=match.fix,
            )
        )
    return out


def fold_engines(diagnostics: list[Diagnostic]) -> list[Diagnostic]:
    """One diagnostic for both engines where they say the same of the same place."""
    merged: dict[tuple[object, ...], Diagnostic] = {}
    for d in diagnostics:
        key = (d.span, d.code, d.source, d.message)
        other = merged.get(key)
        if other is None or d.source == "lint":
            merged[key if other is None else (*key, len(merged))] = d
            continue
        merged[key] = replace(
            other,
            engines=tuple(sorted({*other.engines, *d.engines}, key=lambda e: list(Engine).index(e))),
            evidence=other.evidence + tuple(e for e in d.evidence if e not in other.evidence),
            severity=max(other.severity, d.severity),
        )
    return list(merged.values())


def same_place(static: Diagnostic, export: Diagnostic) -> bool:
    """Whether a static diagnostic speaks of what the export saw: the lines overlap, or the static chain leads there."""
    if _overlap(static.span, export.span):
        return True
    explained = export.code == static.code
    return explained and any(_overlap(note.span, export.span) for note in static.origin)


def _overlap(a: Span, b: Span) -> bool:
    return a.path == b.path and a.line <= b.end_line and b.line <= a.end_line


def _evidence(diagnostic: Diagnostic, outcome: Outcome, matches: list[Diagnostic], sources: Sources) -> list[Evidence]:
    """What one engine's export says of a static diagnostic; nothing when it does not show anything."""
    if outcome.engine not in diagnostic.engines or outcome.result.usage or outcome.cancelled:
        return []
    harmful = [d for d in matches if d.severity is not Severity.INFO]
    if harmful:
        sure = [e for d in harmful for e in d.evidence if e.state is EvidenceState.CONFIRMED]
        suspected = [e for d in harmful for e in d.evidence]
        text = next((e.text for e in sure or suspected if e.text), result_words(outcome))
        state = EvidenceState.CONFIRMED if sure or not suspected else EvidenceState.UNTESTED
        return [Evidence(state, outcome.engine, text)]
    executed = executed_lines(outcome, sources).get(diagnostic.span.path)
    if executed is None and not outcome.result.executed:
        return []
    if executed is None or not executed & set(range(diagnostic.span.line, diagnostic.span.end_line + 1)):
        return [Evidence(EvidenceState.NOT_REACHED, outcome.engine, "not executed with this input")]
    if outcome.exported and diagnostic.severity is not Severity.INFO:
        tested, text = tested_at(diagnostic.span, outcome, sources)
        state = EvidenceState.REFUTED if tested else EvidenceState.UNTESTED
        return [Evidence(state, outcome.engine, text)]
    return []


def executed_lines(outcome: Outcome, sources: Sources) -> dict[str, set[int]]:
    """The executed lines by shown path."""
    lines: dict[str, set[int]] = {}
    for file, found in (outcome.result.executed or {}).items():
        if os.path.isabs(file):
            lines.setdefault(sources.shown(file), set()).update(found)
    return lines


def _missed(diagnostic: Diagnostic, outcome: Outcome) -> Diagnostic:
    if diagnostic.code in _NOT_FOR_LINT or diagnostic.severity is Severity.INFO:
        return diagnostic
    text = next((e.text for e in diagnostic.evidence if e.text), "")
    return replace(diagnostic, evidence=(Evidence(EvidenceState.MISSED_BY_LINT, outcome.engine, text),))
