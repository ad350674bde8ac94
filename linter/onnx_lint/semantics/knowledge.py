"""What the analysis knows of an expression, for a reader of the code: hovers and inlay hints.

Only in an editor's project, and only after a check of the file: the results of calls are kept then, with what each
expression in them may hold.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from onnx_lint.diagnostic import Span
from onnx_lint.project.modules import SourceModule, Unit
from onnx_lint.project.project import Project
from onnx_lint.semantics import needs
from onnx_lint.semantics.domain.lattice import alternatives, join_all
from onnx_lint.semantics.domain.origin import Origin, StepKind
from onnx_lint.semantics.domain.parts import origin_of
from onnx_lint.semantics.domain.shapes import TensorType, join_known
from onnx_lint.semantics.domain.values import (
    Alternatives,
    Array,
    Const,
    Dict,
    Frozen,
    Seq,
    Size,
    Tensor,
    Value,
)
from onnx_lint.semantics.evaluation.state import Analysis
from onnx_lint.semantics.incremental import Session
from onnx_lint.semantics.size_names import type_text, varying

_MAX_SOURCE = 40
_BACKTICKS = re.compile("`+")


@dataclass(frozen=True)
class Known:
    """What is known of the expression at `span`. `text` is one phrase in Markdown; `frozen` says that its value is
    that of the example once the model is traced."""

    span: Span
    text: str
    frozen: bool


def value_at(project: Project, path: str, line: int, column: int) -> Known | None:
    """The innermost expression at a position (both from 1) of which something is known; ``None`` outside traced
    code."""
    best: Known | None = None
    for known in values_in(project, path, line, line, with_assigned=True):
        span = known.span
        if (span.line, span.column) <= (line, column) < (span.end_line, span.end_column) and (
            best is None or _size(span) < _size(best.span)
        ):
            best = known
    return best


def values_in(
    project: Project, path: str, first_line: int, last_line: int, *, with_assigned: bool = False
) -> list[Known]:
    """What is known of the expressions that touch these lines (from 1, inclusive), in order of their places; with
    `with_assigned` also of the names that are assigned there."""
    module = project.modules.get(path)
    if module is None or not project.is_editor:
        return []
    found: dict[Span, Known] = {}
    analysis = project.derived.get(Session).analysis
    for unit in _units(module, first_line, last_line):
        for at, values in _kept(project, unit, with_assigned, with_values=True).items():
            if unit.is_masked(at):
                continue
            value = join_all(values)
            span = unit.span(at)
            if value is None or span.end_line < first_line or span.line > last_line:
                continue
            text = describe(value)
            type = _type_of(values)
            if text is not None and type is not None and type.shape is not None:
                text = _with_type(text, type, analysis, unit)
                if isinstance(value, Tensor) and value.parameter is not None:
                    needed = ", ".join(needs.of_input(analysis, unit, type))
                    text += f"; the model needs {inline_code(needed)}" if needed else ""
            if text is not None:
                found[span] = Known(span, text, _is_frozen(value))
    return [found[span] for span in sorted(found)]


def assigned_in(project: Project, path: str, first_line: int, last_line: int) -> list[Known]:
    """The tensors that names hold after the assignments on these lines (from 1, inclusive), each as a type:
    ``float32[B, 64, H, W]``."""
    module = project.modules.get(path)
    if module is None or not project.is_editor:
        return []
    analysis = project.derived.get(Session).analysis
    found: dict[Span, Known] = {}
    for unit in _units(module, first_line, last_line):
        for at, values in _kept(project, unit, True, with_values=False).items():
            span = unit.span(at)
            if unit.is_masked(at) or span.end_line < first_line or span.line > last_line:
                continue
            type = _type_of(values)
            text = None if type is None or type.shape is None else type_text(type, analysis, unit)
            if text is not None:
                found[span] = Known(span, text, False)
    return [found[span] for span in sorted(found)]


def _type_of(values: list[Value]) -> TensorType | None:
    """The tensor that values are, by what is known of any of them; ``None`` when none of them is one."""
    found: TensorType | None = None
    for value in values:
        for one in alternatives(value):
            if isinstance(one, Tensor):
                found = one.type if found is None else join_known(found, one.type)
    return found


def _size(span: Span) -> tuple[int, int]:
    lines = span.end_line - span.line
    return lines, span.end_column - (span.column if not lines else 0)


def _units(module: SourceModule, first_line: int, last_line: int) -> Iterator[Unit]:
    for unit in module.lowered_units():
        if unit.line <= last_line and unit.line + unit.text.count("\n") + 1 >= first_line:
            yield unit


def _kept(project: Project, unit: Unit, with_assigned: bool, *, with_values: bool) -> dict[int, list[Value]]:
    """What each expression (`with_values`) and each assigned name of a unit may hold, by its number: one value for each
    way that it was reached."""
    out: dict[int, list[Value]] = {}
    summaries = project.derived.get(Session).analysis.of_unit.get(unit, ())
    alive = [s for s in summaries if s.dependency is not None and not s.dependency.stale]
    for summary in [s for s in alive if not s.in_search] or alive:
        for kept in (summary.assigned if with_assigned else None, summary.values if with_values else None):
            for at, value in (kept or {}).items():
                out.setdefault(at, []).append(value)
    return out


def _is_frozen(value: Value) -> bool:
    if isinstance(value, Alternatives):
        return any(_is_frozen(v) for v in value.values)
    return isinstance(value, (Frozen, Array))


# ---------------------------------------------------------------------------------------------------------- wording
def describe(value: Value) -> str | None:
    """A value in a phrase; ``None`` when there is nothing worth saying, as of all that is fixed or unknown."""
    if isinstance(value, Tensor):
        return _tensor(value)
    if isinstance(value, Size):
        kind = "condition on sizes" if value.boolean else "size"
        named = ""
        if value.parameter is not None and value.axis is not None:
            named = f", dimension {value.axis} of `{value.parameter}`"
        return f"{kind}{_from(value)}: changes with the input{named}"
    if isinstance(value, Frozen):
        kind = {"str": "text", "bool": "truth value"}.get(value.type or "", "number")
        state = "frozen under torchscript" if value.live else "frozen"
        return f"Python {kind} read from a {'tensor' if value.from_data else 'size'}{_where(value)}: {state}"
    if isinstance(value, Array):
        return f"NumPy array made from a tensor{_where(value)}: frozen"
    if isinstance(value, (Seq, Dict)):
        return _container(value)
    if isinstance(value, Alternatives):
        parts = [text for v in value.values if (text := describe(v)) is not None]
        optional = any(isinstance(v, Const) and v.value is None for v in value.values)
        return " or ".join(dict.fromkeys(parts)) + (", or `None`" if optional else "") if parts else None
    return None


def _tensor(value: Tensor) -> str | None:
    if not value.traced:
        return "tensor that does not depend on the inputs: a constant of the graph"
    if value.parameter is not None:
        return f"tensor: input `{value.parameter}` of the model"
    return "presumably a tensor computed from the inputs" if value.presumed else "tensor computed from the inputs"


def _with_type(text: str, type: TensorType, analysis: Analysis, unit: Unit) -> str:
    """A phrase about a tensor, with its shape in front, and which dimensions the export makes dynamic."""
    shape = type_text(type, analysis, unit)
    if shape is None:
        return text
    dynamic = [] if type.shape is None else varying(type.shape)
    said = ""
    if dynamic:
        listed = ", ".join(map(str, dynamic))
        which = f"dimensions {listed} vary" if len(dynamic) > 1 else f"dimension {listed} varies"
        said = f"; {which} with the input"
    return f"`{shape}`: {text}{said}"


def _container(value: Seq | Dict) -> str | None:
    if not value.is_traced:
        return None
    if isinstance(value, Dict):
        return "dict with values that depend on the inputs"
    if value.kind == "shape":
        return "shape: its sizes change with the input"
    count = f" of {len(value.elements)}" if value.elements is not None else ""
    return f"{value.kind}{count} with values that depend on the inputs"


def _from(value: Value) -> str:
    origin = origin_of(value)
    text = _source(origin) if origin is not None and origin.kind is StepKind.SIZE else ""
    return f" {inline_code(text)}" if text else ""


def inline_code(text: str) -> str:
    """Text of one line as code in Markdown. The fence is longer than any run of backticks inside, so that nothing in
    it, such as the image in a comment of the source, is read as Markdown."""
    runs = _BACKTICKS.findall(text)
    if not runs:
        return f"`{text}`"
    fence = "`" * (max(map(len, runs)) + 1)
    return f"{fence} {text} {fence}"


def _where(value: Value) -> str:
    origin = origin_of(value)
    if origin is None:
        return ""
    return f" at line {origin.unit.span(origin.at).line}"


def _source(origin: Origin) -> str:
    source = origin.unit.module.source
    text = " ".join(source.slice(origin.unit.span(origin.at)).split())
    return text if len(text) <= _MAX_SOURCE else text[: _MAX_SOURCE - 1] + "…"
