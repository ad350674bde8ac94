"""Whether the inputs of an export have tested what a static diagnostic says of a place."""

from __future__ import annotations

from onnx_lint.diagnostic import Span
from onnx_lint_exporter.outcome import Outcome
from onnx_lint_exporter.source_code import Sources
from onnx_lint_exporter.worker.protocol import Kind, PlaceRead, Read, State

_NUMBERS = (Read.FLOAT, Read.NUMBER)
_Extent = tuple[tuple[int, int], tuple[int, int]]


def tested_at(span: Span, outcome: Outcome, sources: Sources) -> tuple[bool, str]:
    """Whether a place was tested, and why or why not, in words.

    It was when what Python read there differed between inputs, on all of which the exported model was right, and no
    branch of the model that an input can turn was left untried, since what was read may matter in there alone.
    """
    proof = outcome.result.proof
    if not outcome.verified or proof.failed.state is not State.NOT_RUN:
        return False, "the export is wrong or not proved, and nothing shows whether this is why"
    if not proof.searched:
        return False, "no inputs were searched for (see --effort)"
    reads = [read for read in proof.reads if sources.shown(read.file) == span.path]
    here = _at(span, reads)
    if not here:
        return False, "what is read here cannot be told from inputs"
    untried = [read for read in here if not read.tested]
    if untried:
        read = untried[0]
        if ", " in read.values:
            return False, f"`{read.text}` was {read.values}, and what Python made of it was always the same"
        return False, f"`{read.text}` was {read.values} on all {proof.inputs} inputs"
    if _is_constant(span, outcome, sources):
        return False, f"the trace keeps it as a constant, which {proof.inputs} inputs do not show"
    if proof.open_branches:
        branch = proof.open_branches[0]
        return False, f"right so far, but `{branch.text}` (line {branch.line}) was {branch.values} on every input"
    if not proof.lively:
        return False, f"right, but little can be seen: {(*proof.dull, 'no output is of floating point')[0]}"
    return True, f"right on {proof.inputs} inputs; `{here[0].text}` was {here[0].values}"


def _is_constant(span: Span, outcome: Outcome, sources: Sources) -> bool:
    """Whether the tracer said that a number is frozen here. A branch is tested by its ways; what a number is worth may
    be less than rounding for the inputs that were made."""
    return any(
        item.kind is Kind.TRACER_WARNING
        and item.read in _NUMBERS
        and item.stack
        and sources.shown(item.stack[0].file) == span.path
        and span.line <= item.stack[0].line <= span.end_line
        for item in outcome.observations
    )


def _at(span: Span, reads: list[PlaceRead]) -> list[PlaceRead]:
    """The reads that a diagnostic is about: the outermost ones in its span, else the innermost one around it."""
    wanted = _extent(span)
    inside = [read for read in reads if _contains(wanted, _extent(read))]
    if inside:
        return [read for read in inside if not any(_is_within(read, other) for other in inside)]
    around = [read for read in reads if _contains(_extent(read), wanted)]
    return [min(around, key=_size)] if around else []


def _extent(place: Span | PlaceRead) -> _Extent:
    return (place.line, place.column), (place.end_line, place.end_column)


def _contains(outer: _Extent, inner: _Extent) -> bool:
    return outer[0] <= inner[0] and inner[1] <= outer[1]


def _is_within(read: PlaceRead, other: PlaceRead) -> bool:
    return _extent(read) != _extent(other) and _contains(_extent(other), _extent(read))


def _size(read: PlaceRead) -> tuple[int, int]:
    lines = read.end_line - read.line
    return lines, read.end_column - read.column if not lines else read.end_column
