"""Turn what the worker saw into diagnostics: each on the user's innermost line, with the way there as notes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from onnx_lint.diagnostic import Diagnostic, Evidence, EvidenceState, Severity, Span
from onnx_lint_exporter.attribute import RuleSites, rule_at
from onnx_lint_exporter.causes import (
    FREEZING,
    SHOWN_TO_DIFFER,
    LocatedObservation,
    drop_consequences,
    harmless_branch,
    uses_of_other_lines,
)
from onnx_lint_exporter.codes import CODES, ExportCode
from onnx_lint_exporter.messages import confirmed_by, help_of, message_of, notes_of, result_words
from onnx_lint_exporter.outcome import Outcome
from onnx_lint_exporter.rule_causes import may_explain
from onnx_lint_exporter.source_code import SourceFile, Sources
from onnx_lint_exporter.worker.protocol import Frame, Kind, Observation, Read, State

_CODES: dict[Kind, ExportCode] = {
    Kind.USAGE: ExportCode.LOAD,
    Kind.LOAD_ERROR: ExportCode.LOAD,
    Kind.EAGER_ERROR: ExportCode.LOAD,
    Kind.UNKNOWN_INPUT: ExportCode.LOAD,
    Kind.WRONG_ENGINE: ExportCode.ENGINE,
    Kind.CAPTURE_ERROR: ExportCode.CAPTURE,
    Kind.DATA_DEPENDENT: ExportCode.CAPTURE,
    Kind.LOST_DATA: ExportCode.CAPTURE,
    Kind.STATIC_SIZE: ExportCode.STATIC,
    Kind.UNSUPPORTED_OPERATOR: ExportCode.TRANSLATE,
    Kind.TRANSLATE_ERROR: ExportCode.TRANSLATE,
    Kind.OUTPUT_KIND: ExportCode.DROPPED,
    Kind.CHECK_ERROR: ExportCode.CHECK,
    Kind.RUN_ERROR: ExportCode.RUN,
    Kind.OUTPUT_MISMATCH: ExportCode.MISMATCH,
    Kind.OUT_OF_MEMORY: ExportCode.MEMORY,
    Kind.CRASH: ExportCode.CRASH,
    Kind.EXIT: ExportCode.CRASH,
    Kind.TIMEOUT: ExportCode.TIMEOUT,
    Kind.FORGED: ExportCode.FORGED,
    Kind.TRACER_WARNING: ExportCode.BAKED,
    Kind.ENGINE_WARNING: ExportCode.ENGINE_WARNING,
    Kind.BAKED_VALUE: ExportCode.BAKED,
    Kind.STRUCTURE: ExportCode.BAKED,
    Kind.TURNED: ExportCode.BAKED,
    Kind.STATE: ExportCode.STATE,
    Kind.VANISHED_INPUT: ExportCode.VANISHED,
    Kind.DEAD_INPUT: ExportCode.VANISHED,
    Kind.CONSTANT_OUTPUT: ExportCode.VANISHED,
    Kind.FROZEN_ARGUMENT: ExportCode.FROZEN_ARGUMENT,
    Kind.STATIC_AXIS: ExportCode.STATIC,
    Kind.NARROWED_AXIS: ExportCode.STATIC,
    Kind.FLATTENED_OUTPUT: ExportCode.DROPPED,
    Kind.DROPPED_OUTPUT: ExportCode.DROPPED,
    Kind.RANDOM_OUTPUT: ExportCode.RANDOM,
    Kind.STRICT_CAPTURE: ExportCode.STRICT,
    Kind.CONVERSION: ExportCode.CONVERSION,
    Kind.DRIFT: ExportCode.CONVERSION,
}
"""The code of what no rule explains."""
_EXPLAINABLE = (
    Kind.LOST_DATA,
    Kind.TRACER_WARNING,
    Kind.BAKED_VALUE,
    Kind.STRUCTURE,
    Kind.TURNED,
    Kind.DATA_DEPENDENT,
    Kind.STATIC_SIZE,
    Kind.STATIC_AXIS,
    Kind.NARROWED_AXIS,
    Kind.RUN_ERROR,
)
_OUTPUT_KINDS = (Kind.OUTPUT_KIND, Kind.DROPPED_OUTPUT, Kind.FLATTENED_OUTPUT)
NO_OUTPUT_TENSOR = ("observable data dependence", "Only tuples, lists and Variables are supported")
_OWN_CODES = {each.code for each in CODES}


def diagnose(outcome: Outcome, sources: Sources, rules: RuleSites | None = None) -> list[Diagnostic]:
    """All diagnostics of one outcome, sorted, one for each place and code.

    `rules` is what the linter says about the files; without it the linter is asked here.
    """
    if rules is None:
        rules = _rules_for(outcome, sources)
    seen = [each for item in outcome.observations for each in _located(item, outcome, sources, rules)]
    used_elsewhere = uses_of_other_lines(seen)
    seen = drop_consequences(seen, outcome)
    frozen_here = {each.line for each in seen if each.item.kind in SHOWN_TO_DIFFER}
    if frozen_here and not used_elsewhere and not any(each.item.kind is Kind.STRUCTURE for each in seen):
        seen = [each for each in seen if not harmless_branch(each, frozen_here)]
    merged: dict[tuple[str, int, str], Diagnostic] = {}
    for each in seen:
        severity = _severity(each, outcome, used_elsewhere or each.line in frozen_here)
        diagnostic = _diagnostic(each, outcome, severity, sources)
        key = (*each.line, each.code)
        merged[key] = _merge(merged[key], diagnostic) if key in merged else diagnostic
    return sorted(_promote(list(merged.values()), outcome), key=lambda d: d.sort_key)


def _rules_for(outcome: Outcome, sources: Sources) -> RuleSites:
    """The rules' view of the files that observations which a rule may explain lie in."""
    files = [item.stack[0].file for item in outcome.observations if item.stack and item.kind in _EXPLAINABLE]
    if any(_is_about_outputs(item) for item in outcome.observations):
        definition = outcome.result.definition
        files += [definition.file] if definition is not None else []
    return RuleSites.of_files(dict.fromkeys(files), sources)


# --- where -----------------------------------------------------------------------------------------------------------


def _located(item: Observation, outcome: Outcome, sources: Sources, rules: RuleSites) -> Iterator[LocatedObservation]:
    """The place of an observation and its code: a rule's where one explains it, else one of the exporter's own."""
    kind, stack = item.kind, item.stack
    definition = outcome.result.definition
    if _is_about_outputs(item):
        file = sources.get(definition.file) if definition is not None else None
        if file is not None and definition is not None:
            yield _of_output(item, file, definition, outcome, rules)
        return
    frame = stack[0] if stack else definition
    if frame is None:
        yield _own(item, Span(outcome.target.rpartition(":")[0] or outcome.target, 1, 1, 1, 2))
        return
    file = sources.get(frame.file)
    if file is None:
        yield _own(item, Span(sources.shown(frame.file), frame.line, 1, frame.line, 2))
        return
    if frame.inside:
        function = file.function_at(frame.line)
        frame = replace(frame, line=function.lineno if function is not None else frame.line)
    found = None
    own_fault = kind is Kind.RUN_ERROR and outcome.result.input1.state is not State.RIGHT
    if stack and kind in _EXPLAINABLE and not own_fault:
        found = rule_at(rules, file, frame, item, outcome.engine, lambda code: may_explain(code, item, outcome))
    yield _by_rule(item, found) if found is not None else _own(item, span_of(file, frame))


def _is_about_outputs(item: Observation) -> bool:
    """Whether an observation is about the form of the outputs, which has no place in the stack."""
    refused = item.kind is Kind.CAPTURE_ERROR and any(words in item.message for words in NO_OUTPUT_TENSOR)
    dict_built = item.operator == "prim::DictConstruct" and not item.stack
    return refused or dict_built or item.kind in _OUTPUT_KINDS


def _own(item: Observation, span: Span) -> LocatedObservation:
    code = _CODES[item.kind]
    return LocatedObservation(item, code.code, code.title, span, False)


def _by_rule(item: Observation, found: Diagnostic) -> LocatedObservation:
    return LocatedObservation(item, found.code, found.name, found.span, True, RuleSites.is_harmless(found.code))


def _of_output(
    item: Observation, file: SourceFile, definition: Frame, outcome: Outcome, rules: RuleSites
) -> LocatedObservation:
    """What concerns the outputs stands at the last ``return`` of ``forward``."""
    returned = file.returns(definition.line)
    span = file.span(returned[-1]) if returned else span_of(file, definition)
    found = rules.within(span, outcome.engine)
    if found is not None:
        return LocatedObservation(item, found.code, found.name, span, True)
    code = ExportCode.DROPPED
    return LocatedObservation(item, code.code, code.title, span, True)


def span_of(file: SourceFile, frame: Frame) -> Span:
    """The exact place of a frame; without columns the statement when it has the line for itself, else the line."""
    if frame.column is None or frame.end_line is None or frame.end_column is None:
        nodes = file.at(frame) if frame.function else []
        if nodes and nodes[0].lineno == nodes[0].end_lineno == frame.line:
            return file.span(nodes[0])
        return file.line_span(frame.line)
    return Span(file.path, frame.line, frame.column, frame.end_line, max(frame.end_column, frame.column + 1))


# --- how severe ------------------------------------------------------------------------------------------------------


def _severity(each: LocatedObservation, outcome: Outcome, frozen: bool) -> Severity:
    """`frozen`: the twin trace saw a difference at this line, or one at the use of a value from another line."""
    item, kind = each.item, each.item.kind
    first, second = outcome.runs
    if item.failure:
        return Severity.ERROR
    if each.only_tells or kind in (Kind.ENGINE_WARNING, Kind.STRICT_CAPTURE, Kind.FLATTENED_OUTPUT, Kind.DRIFT):
        return Severity.INFO
    if kind is Kind.DROPPED_OUTPUT:
        return Severity.INFO if "is None" in item.message else Severity.WARNING
    if kind is Kind.STATIC_AXIS:
        return Severity.ERROR if outcome.wrong else Severity.WARNING
    if kind is Kind.RANDOM_OUTPUT:
        return Severity.WARNING
    if kind is Kind.TRACER_WARNING and (
        not outcome.exported or (not frozen and (first.state is not State.RIGHT or item.read is Read.CONSTANT))
    ):
        return Severity.INFO
    if not outcome.wrong:
        decided = second.state is State.RIGHT or kind is Kind.FROZEN_ARGUMENT
        return Severity.INFO if decided else Severity.WARNING
    if kind is Kind.TRACER_WARNING:
        return Severity.ERROR if frozen else Severity.WARNING
    return Severity.INFO if kind is Kind.FROZEN_ARGUMENT else Severity.ERROR


def _promote(diagnostics: list[Diagnostic], outcome: Outcome) -> list[Diagnostic]:
    """A wrong export has at least one error: when no cause is sure, all suspects are, else whatever froze a value."""
    if not outcome.wrong or any(d.severity is Severity.ERROR for d in diagnostics):
        return diagnostics
    suspects = {id(d) for d in diagnostics if d.severity is Severity.WARNING}
    suspects = suspects or {id(d) for d in diagnostics if d.code not in _OWN_CODES}
    state = EvidenceState.CONFIRMED if len(suspects) == 1 else EvidenceState.UNTESTED
    words = result_words(outcome) + ("" if len(suspects) == 1 else f"; one of {len(suspects)} places that may be why")
    evidence = (Evidence(state, outcome.engine, words),)
    return [replace(d, severity=Severity.ERROR, evidence=evidence) if id(d) in suspects else d for d in diagnostics]


def _merge(one: Diagnostic, two: Diagnostic) -> Diagnostic:
    """Two observations of one thing: the clearer message, the worse severity, the narrower place."""
    first, second = (one, two) if one.severity >= two.severity else (two, one)
    evidence = first.evidence + tuple(e for e in second.evidence if e.text not in {x.text for x in first.evidence})
    return replace(first, evidence=evidence, path=first.path or second.path)


def _diagnostic(each: LocatedObservation, outcome: Outcome, severity: Severity, sources: Sources) -> Diagnostic:
    item = each.item
    state = EvidenceState.CONFIRMED if severity is not Severity.INFO or item.failure else None
    if state and severity is not Severity.ERROR and item.kind in FREEZING:
        state = EvidenceState.UNTESTED  # suspected: frozen, and not seen to differ on the input that goes wrong
    return Diagnostic(
        code=each.code,
        name=each.name,
        severity=severity,
        span=each.span,
        message=message_of(item),
        engines=(outcome.engine,),
        opset=outcome.result.opset,
        path=notes_of(item.stack, sources, span_of),
        help=help_of(item, outcome.engine),
        source="export",
        evidence=(Evidence(state, outcome.engine, confirmed_by(item, outcome)),) if state else (),
    )
