"""Turn what the worker saw into diagnostics: each on the user's innermost line, with the way there as notes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from onnx_lint.codes import name_of
from onnx_lint.diagnostic import Diagnostic, Evidence, EvidenceState, Note, Severity, Span
from onnx_lint_exporter.causes import Seen, drop_consequences, harmless_branch, uses_of_other_lines
from onnx_lint_exporter.codes import ExportCode
from onnx_lint_exporter.explain_place import explain
from onnx_lint_exporter.outcome import Outcome
from onnx_lint_exporter.source_code import SourceFile, Sources

Json = dict[str, Any]

_FAILURE_CODES: dict[str, ExportCode] = {
    "usage": ExportCode.LOAD,
    "load-error": ExportCode.LOAD,
    "eager-error": ExportCode.LOAD,
    "unknown-input": ExportCode.LOAD,
    "capture-error": ExportCode.CAPTURE,
    "data-dependent": ExportCode.CAPTURE,
    "lost-data": ExportCode.CAPTURE,
    "static-size": ExportCode.STATIC,
    "unsupported-operator": ExportCode.TRANSLATE,
    "translate-error": ExportCode.TRANSLATE,
    "check-error": ExportCode.CHECK,
    "run-error": ExportCode.RUN,
    "output-mismatch": ExportCode.MISMATCH,
    "crash": ExportCode.CRASH,
    "exit": ExportCode.CRASH,
    "timeout": ExportCode.TIMEOUT,
    "out-of-memory": ExportCode.MEMORY,
    "wrong-engine": ExportCode.ENGINE,
}
_HAZARD_CODES: dict[str, ExportCode] = {
    "tracer-warning": ExportCode.BAKED,
    "baked-value": ExportCode.BAKED,
    "structure": ExportCode.BAKED,
    "vanished-input": ExportCode.VANISHED,
    "dead-input": ExportCode.VANISHED,
    "constant-output": ExportCode.VANISHED,
    "static-axis": ExportCode.STATIC,
    "narrowed-axis": ExportCode.STATIC,
    "dropped-output": ExportCode.DROPPED,
    "flattened-output": ExportCode.DROPPED,
    "random-output": ExportCode.RANDOM,
    "engine-warning": ExportCode.ENGINE_WARNING,
    "frozen-argument": ExportCode.FROZEN_ARGUMENT,
    "strict-capture": ExportCode.STRICT,
}
_EXPLAINABLE = (
    "lost-data",
    "tracer-warning",
    "baked-value",
    "structure",
    "data-dependent",
    "static-size",
    "static-axis",
    "narrowed-axis",
    "run-error",
)
_SIZES_FROZEN = ("ONX105", "ONX201", "ONX202", "ONX207", "ONX209")
"""Rules whose breach shows as a failure at run time, on an input of other sizes than the traced one."""
_OUTPUT_KINDS = ("output-kind", "dropped-output", "flattened-output")
NO_OUTPUT_TENSOR = ("observable data dependence", "Only tuples, lists and Variables are supported")
_FORM = ("dropped-output", "flattened-output", "frozen-argument", "engine-warning", "strict-capture", "random-output")
_MAX_NOTES = 12


def diagnose(outcome: Outcome, sources: Sources) -> list[Diagnostic]:
    """All diagnostics of one outcome, sorted, one for each place and code."""
    seen = [each for item in outcome.observations for each in _place(item, outcome, sources)]
    used_elsewhere = uses_of_other_lines(seen)
    seen = drop_consequences(seen, outcome)
    frozen_here = {
        (each.span.path, each.span.line) for each in seen if each.item["kind"] in ("baked-value", "structure")
    }
    if frozen_here and not used_elsewhere and not any(each.item["kind"] == "structure" for each in seen):
        seen = [each for each in seen if not harmless_branch(each, frozen_here)]
    merged: dict[tuple[str, int, str], Diagnostic] = {}
    for each in seen:
        severity = _severity(each, outcome, used_elsewhere or (each.span.path, each.span.line) in frozen_here)
        diagnostic = _diagnostic(each, outcome, severity, sources)
        key = (each.span.path, each.span.line, each.code)
        merged[key] = _merge(merged[key], diagnostic) if key in merged else diagnostic
    return sorted(_promote(list(merged.values()), outcome), key=lambda d: d.sort_key)


# --- where ---------------------------------------------------------------------------------------------------------


def _place(item: Json, outcome: Outcome, sources: Sources) -> Iterator[Seen]:
    """The places of an observation: usually one; an output has its return statements."""
    kind, stack = item["kind"], item["stack"]
    if kind == "capture-error" and any(words in item["message"] for words in NO_OUTPUT_TENSOR):
        kind, stack = "output-kind", []
    if kind in _OUTPUT_KINDS or (item.get("operator") == "prim::DictConstruct" and not stack):
        yield from _outputs(item, kind, outcome, sources)
        return
    frame = stack[0] if stack else _definition(outcome)
    if frame is None:
        yield Seen(item, _own_code(item), Span(outcome.target.rpartition(":")[0] or outcome.target, 1, 1, 1, 2), False)
        return
    file = sources.get(frame["file"])
    if file is None:
        line = frame["line"]
        yield Seen(item, _own_code(item), Span(sources.shown(frame["file"]), line, 1, line, 2), False)
        return
    if frame.get("inside"):
        function = file.function_at(frame["line"])
        frame = {**frame, "line": getattr(function, "lineno", frame["line"])}
    found = None
    if stack and kind in _EXPLAINABLE:
        found = explain(file, frame, kind, item.get("what", ""), item.get("lines", []))
        if kind == "run-error" and (outcome.input1["state"] != "right" or (found or ("",))[0] not in _SIZES_FROZEN):
            found = None
    if found is not None:
        yield Seen(item, found[0], found[1] or _span(file, frame), True)
    else:
        yield Seen(item, _own_code(item), _span(file, frame), False)


def _own_code(item: Json) -> str:
    return {**_FAILURE_CODES, **_HAZARD_CODES}.get(item["kind"], ExportCode.CAPTURE).code


def _outputs(item: Json, kind: str, outcome: Outcome, sources: Sources) -> Iterator[Seen]:
    code = "ONX402" if kind in ("output-kind", "dropped-output") else "ONX401"
    frame = _definition(outcome)
    file = sources.get(frame["file"]) if frame else None
    if frame is None or file is None:
        return
    returned = file.returns(frame["line"])
    span = file.span(returned[-1]) if returned else _span(file, frame)
    yield Seen(item, code, span, True)


def _definition(outcome: Outcome) -> Json | None:
    """The target's ``forward``: where to point when nothing is more exact."""
    place = outcome.facts.get("definition") or {}
    return (
        {"file": place["file"], "line": place["line"], "inside": place.get("inside")}
        if place.get("file") and place.get("line")
        else None
    )


def _span(file: SourceFile, frame: Json) -> Span:
    column = frame.get("column")
    if column is None or frame.get("end_line") is None:
        nodes = file.at(frame) if frame.get("function") else []
        if nodes and nodes[0].lineno == frame["line"] and nodes[0].end_lineno == frame["line"]:  # type: ignore[attr-defined]
            return file.span(nodes[0])
        return file.line_span(frame["line"])
    return Span(file.path, frame["line"], column, frame["end_line"], max(frame["end_column"], column + 1))


def _severity(each: Seen, outcome: Outcome, frozen: bool) -> Severity:
    """`frozen`: the twin trace saw a difference at this line, or one at the use of a value from another line."""
    kind, item = each.item["kind"], each.item
    if item["failure"]:
        return Severity.ERROR
    if each.code in ("ONX103", "ONX208") or kind in ("engine-warning", "strict-capture", "flattened-output"):
        return Severity.INFO
    if kind == "dropped-output":
        return Severity.INFO if "is None" in item["message"] else Severity.WARNING
    if kind == "static-axis":
        return Severity.ERROR if outcome.wrong else Severity.WARNING
    if kind == "random-output":
        return Severity.WARNING
    if kind == "tracer-warning" and (
        not outcome.exported or (not frozen and (outcome.input1["state"] != "right" or item["what"] == "constant"))
    ):
        return Severity.INFO
    if not outcome.wrong:
        decided = outcome.input2["state"] == "right" or kind == "frozen-argument"
        return Severity.INFO if decided else Severity.WARNING
    if kind == "tracer-warning":
        return Severity.ERROR if frozen else Severity.WARNING
    if kind == "frozen-argument":
        return Severity.INFO
    return Severity.ERROR


def _promote(diagnostics: list[Diagnostic], outcome: Outcome) -> list[Diagnostic]:
    """A wrong export has at least one error: when no cause is sure, all suspects are, else whatever froze a value."""
    if not outcome.wrong or any(d.severity is Severity.ERROR for d in diagnostics):
        return diagnostics
    suspects = {id(d) for d in diagnostics if d.severity is Severity.WARNING}
    suspects = suspects or {id(d) for d in diagnostics if d.code.startswith(("ONX1", "ONX2", "ONX3"))}
    confirmed = (Evidence(EvidenceState.CONFIRMED, outcome.engine, result_words(outcome)),)
    return [
        replace(d, severity=Severity.ERROR, evidence=d.evidence or confirmed) if id(d) in suspects else d
        for d in diagnostics
    ]


def _merge(one: Diagnostic, two: Diagnostic) -> Diagnostic:
    """Two observations of one thing: the more telling message, the worse severity, the narrower place."""
    first, second = (one, two) if one.severity >= two.severity else (two, one)
    evidence = first.evidence + tuple(e for e in second.evidence if e.text not in {x.text for x in first.evidence})
    return replace(first, evidence=evidence, path=first.path or second.path)


# --- in words ------------------------------------------------------------------------------------------------------

_WARNING_WORDS = {
    "boolean": "the trace keeps only the way taken for the example: a tensor becomes a Python bool here",
    "index": "a tensor becomes a Python index here, which the trace keeps as a constant",
    "integer": "a tensor becomes a Python int here, which the trace keeps as a constant",
    "float": "a tensor becomes a Python float here, which the trace keeps as a constant",
    "number": "a tensor becomes a Python number here, which the trace keeps as a constant",
    "list": "a tensor becomes a Python list here, which the trace keeps as a constant",
    "numpy": "a tensor becomes a NumPy array here, which the trace keeps as a constant",
    "iteration": "iterating over a tensor unrolls the loop for the example's length",
    "length": "len() of a tensor is kept as a constant",
    "constant": "a tensor made from Python values here is a constant in the trace",
    "in-place": "an in-place change of a value with other live references may be lost in the trace",
}


def blame(fault: str | None) -> str:
    """Who is to blame for a wrong result, as the end of a sentence; empty when that is not known."""
    return {
        "converter": "; the recorded program is right, its translation is wrong",
        "tracing": "; the recorded program itself is wrong",
    }.get(fault or "", "")


def _message(each: Seen, outcome: Outcome) -> str:
    item, kind = each.item, each.item["kind"]
    text: str = item["message"].rstrip(".")
    operator = item.get("operator", "")
    if kind == "tracer-warning":
        return _WARNING_WORDS.get(item["what"], text)
    if kind == "baked-value":
        return f"this value is {text}"
    if kind == "structure":
        return f"the trace follows the example here: {text}"
    if kind == "unsupported-operator":
        return f"`{operator}` has no translation to ONNX: {text}"
    if kind == "translate-error" and operator:
        return f"`{operator}` cannot be translated: {text}"
    if kind == "output-mismatch":
        if item.get("what") == "changed-size":
            return f"{text}; a size is changed in place here, which changes it under its other names in the trace, too"
        if not operator:
            return text + blame(item.get("fault"))
        if item.get("state") == "equal":
            return f"{text}{blame(item.get('fault'))}; the graph has the value of `{operator}` here, but gives another"
        return f"{text}{blame(item.get('fault'))}; here `{operator}` is the first value that differs"
    if kind == "data-dependent":
        return f"needs a value that is not known while exporting: {text}"
    if kind == "static-size":
        return f"this fixes a size that was asked to be dynamic: {text}"
    if kind == "run-error":
        return text
    prefix = {
        "load-error": "the model cannot be loaded: ",
        "eager-error": "the model itself fails on this input: ",
        "unknown-input": "no input is given, and the model fails on those that were tried, first with ",
        "capture-error": "cannot be recorded: ",
        "lost-data": "the tensor read here leaves the recording: ",
        "check-error": "the ONNX checker refuses the model: ",
        "out-of-memory": "the memory limit was reached: ",
    }.get(kind, "")
    return prefix + text


def result_words(outcome: Outcome) -> str:
    """What the runs of the exported model showed, in words."""
    if not outcome.exported:
        return f"the export fails in the stage `{outcome.stage}`"
    words = []
    for number, run in ((1, outcome.input1), (2, outcome.input2)):
        if run["state"] in ("wrong", "failed"):
            text = run["text"] if run["state"] == "wrong" else f"ONNX Runtime fails: {run['text'][:160]}"
            words.append(
                f"wrong on input {number}: {text}" if run["state"] == "wrong" else f"fails on input {number}: {text}"
            )
    return "; ".join(words) or "right on both inputs" if outcome.verified else "; ".join(words) or "exported"


def _diagnostic(each: Seen, outcome: Outcome, severity: Severity, sources: Sources) -> Diagnostic:
    message = _message(each, outcome)
    item = each.item
    if item.get("count", 1) > 1:
        message += f" ({item['count']} times)"
    state = EvidenceState.CONFIRMED if severity is not Severity.INFO or item["failure"] else None
    evidence = (Evidence(state, outcome.engine, _evidence_text(each, outcome)),) if state else ()
    return Diagnostic(
        code=each.code,
        name=name_of(each.code),
        severity=severity,
        span=each.span,
        message=message,
        engines=(outcome.engine,),
        opset=outcome.facts.get("opset"),
        path=_notes(item["stack"], sources),
        help=_help(item),
        source="export",
        evidence=evidence,
    )


def _evidence_text(each: Seen, outcome: Outcome) -> str:
    if each.item["kind"] in _FORM:
        return ""  # seen in the graph itself; how its values compare says nothing of it
    if each.item["failure"] and not outcome.exported:
        return f"fails in the stage `{each.item['stage']}`"
    return result_words(outcome)


def _notes(stack: list[Json], sources: Sources) -> tuple[Note, ...]:
    """The user's stack, outermost first, without the place itself."""
    notes = []
    for frame in reversed(stack[1 : _MAX_NOTES + 1]):
        file = sources.get(frame["file"])
        span = _span(file, frame) if file else Span(sources.shown(frame["file"]), frame["line"], 1, frame["line"], 2)
        notes.append(Note(span, f"called in `{frame['function']}`" if frame.get("function") else "called here"))
    return tuple(notes)


def _help(item: Json) -> str | None:
    kind = item["kind"]
    if item.get("operator") == "prim::DictConstruct":
        return "return a tuple of the values"
    if kind == "unsupported-operator":
        return (
            "write it with supported operators, or register a translation "
            "(register_custom_op_symbolic, custom_translation_table; see --register)"
        )
    if kind == "output-mismatch" and item.get("nodes"):
        return f"the ONNX nodes of this line: {', '.join(item['nodes'])}"
    if kind == "unknown-input":
        return "give one with --input 'x:float32[n,3]' for each argument, with --inputs-from, or with ONNX_LINT_INPUTS"
    if kind == "timeout":
        return "the innermost line of the model that was running when time was up"
    return None
