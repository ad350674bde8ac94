"""What an export saw, in words."""

from __future__ import annotations

from collections.abc import Callable

from onnx_lint.diagnostic import Note, Span
from onnx_lint.target import Engine
from onnx_lint_exporter.outcome import Outcome
from onnx_lint_exporter.remedies import remedy_for
from onnx_lint_exporter.source_code import SourceFile, Sources
from onnx_lint_exporter.worker.protocol import Fault, Frame, Kind, Observation, Read, Stack, State, StepState

_MAX_NOTES = 12
_FORM = (
    Kind.DROPPED_OUTPUT,
    Kind.FLATTENED_OUTPUT,
    Kind.FROZEN_ARGUMENT,
    Kind.ENGINE_WARNING,
    Kind.STRICT_CAPTURE,
    Kind.RANDOM_OUTPUT,
    Kind.CONVERSION,
    Kind.DRIFT,
)
"""Seen in the graph itself: how its values compare says nothing of it."""
_OF_OPERATORS = (
    Kind.UNSUPPORTED_OPERATOR,
    Kind.TRANSLATE_ERROR,
    Kind.CAPTURE_ERROR,
    Kind.OUTPUT_MISMATCH,
    Kind.RUN_ERROR,
)
"""Failures that an operator may be to blame for."""
_READ_WORDS = {
    Read.BOOLEAN: "the trace keeps only the way taken for the example: a tensor becomes a Python bool here",
    Read.INDEX: "a tensor becomes a Python index here, which the trace keeps as a constant",
    Read.INTEGER: "a tensor becomes a Python int here, which the trace keeps as a constant",
    Read.FLOAT: "a tensor becomes a Python float here, which the trace keeps as a constant",
    Read.NUMBER: "a tensor becomes a Python number here, which the trace keeps as a constant",
    Read.LIST: "a tensor becomes a Python list here, which the trace keeps as a constant",
    Read.NUMPY: "a tensor becomes a NumPy array here, which the trace keeps as a constant",
    Read.ITERATION: "iterating over a tensor unrolls the loop for the example's length",
    Read.LENGTH: "len() of a tensor is kept as a constant",
    Read.CONSTANT: "a tensor made from Python values here is a constant in the trace",
    Read.IN_PLACE: "an in-place change of a value with other live references may be lost in the trace",
}
_BEGINNINGS = {
    Kind.LOAD_ERROR: "the model cannot be loaded: ",
    Kind.EAGER_ERROR: "the model itself fails on this input: ",
    Kind.UNKNOWN_INPUT: "no input is given, and the model fails on those that were tried, first with ",
    Kind.CAPTURE_ERROR: "cannot be recorded: ",
    Kind.LOST_DATA: "the tensor read here leaves the recording: ",
    Kind.CHECK_ERROR: "the ONNX checker refuses the model: ",
    Kind.OUT_OF_MEMORY: "the memory limit was reached: ",
    Kind.BAKED_VALUE: "this value is ",
    Kind.STRUCTURE: "the trace follows the example here: ",
    Kind.DATA_DEPENDENT: "needs a value that is not known while exporting: ",
    Kind.STATIC_SIZE: "this fixes a size that was asked to be dynamic: ",
}


def blame(fault: Fault) -> str:
    """Who is to blame for a wrong result, as the end of a sentence; empty when that is not known."""
    return {
        Fault.CONVERTER: "; the recorded program is right, its translation is wrong",
        Fault.TRACING: "; the recorded program itself is wrong",
        Fault.UNKNOWN: "",
    }[fault]


def message_of(item: Observation) -> str:
    """The message of a diagnostic."""
    text = _sentence(item)
    return f"{text} ({item.count} times)" if item.count > 1 else text


def _sentence(item: Observation) -> str:
    kind, operator = item.kind, item.operator
    text = item.message.rstrip(".")
    if kind is Kind.TRACER_WARNING:
        return _READ_WORDS.get(item.read or Read.OTHER, text)
    if kind is Kind.UNSUPPORTED_OPERATOR:
        return f"`{operator}` has no translation to ONNX: {text}"
    if kind is Kind.TRANSLATE_ERROR and operator:
        return f"`{operator}` cannot be translated: {text}"
    if kind is Kind.OUTPUT_MISMATCH:
        if item.changed_size:
            return f"{text}; a size is changed in place here, which changes it under its other names in the trace, too"
        text += blame(item.fault)
        if not operator:
            return text
        if item.step is StepState.EQUAL:
            return f"{text}; the graph has the value of `{operator}` here, but gives another"
        return f"{text}; here `{operator}` is the first value that differs"
    return _BEGINNINGS.get(kind, "") + text


def result_words(outcome: Outcome) -> str:
    """What the runs of the exported model showed."""
    if not outcome.exported:
        return f"the export fails in the stage `{outcome.stage}`"
    words = []
    for number, run in enumerate(outcome.runs, 1):
        if run.state is State.WRONG:
            words.append(f"wrong on input {number}: {run.text}")
        elif run.state is State.FAILED:
            words.append(f"fails on input {number}: ONNX Runtime fails: {run.text[:160]}")
    failed = outcome.result.proof.failed
    if failed.state in (State.WRONG, State.FAILED):
        words.append(f"wrong on an input that was searched for: {failed.text[:200]}")
    return "; ".join(words) or ("right on both inputs" if outcome.verified else "exported")


def confirmed_by(item: Observation, outcome: Outcome) -> str:
    """The words of the evidence for an observation; empty where the runs say nothing about it."""
    if item.kind in _FORM:
        return ""
    if item.failure and not outcome.exported:
        return f"fails in the stage `{item.stage}`"
    return result_words(outcome)


def notes_of(stack: Stack, sources: Sources, span_of: Callable[[SourceFile, Frame], Span]) -> tuple[Note, ...]:
    """The user's stack, outermost first, without the place itself."""
    notes = []
    for frame in reversed(stack[1 : _MAX_NOTES + 1]):
        file = sources.get(frame.file)
        span = span_of(file, frame) if file else Span(sources.shown(frame.file), frame.line, 1, frame.line, 2)
        notes.append(Note(span, f"called in `{frame.function}`" if frame.function else "called here"))
    return tuple(notes)


def help_of(item: Observation, engine: Engine) -> str | None:
    """What to do, where there is something."""
    if item.operator == "prim::DictConstruct":
        return "return a tuple of the values"
    called = item.called if item.kind is Kind.RUN_ERROR else ()  # only then the operator is ONNX's own
    remedy = remedy_for(item.operator, item.message, called) if item.failure else None
    if remedy is not None and item.kind in _OF_OPERATORS:
        return remedy
    if item.kind is Kind.UNSUPPORTED_OPERATOR:
        return (
            "write it with supported operators, or give a translation: "
            + ("`custom_translation_table`" if engine is Engine.DYNAMO else "`register_custom_op_symbolic`")
            + (", since dynamo reads no symbolic functions" if engine is Engine.DYNAMO else "")
            + " (see --register)"
        )
    if item.kind is Kind.OUTPUT_MISMATCH and item.nodes:
        return f"the ONNX nodes of this line: {', '.join(item.nodes)}"
    if item.kind is Kind.UNKNOWN_INPUT:
        return "give one with --input 'x:float32[n,3]' for each argument, with --inputs-from, or with ONNX_LINT_INPUTS"
    if item.kind is Kind.TIMEOUT:
        return "the innermost line of the model that was running when time was up"
    return None
