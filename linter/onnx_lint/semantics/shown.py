"""What names hold where they are assigned, for people: kind, shape and dtype of tensors, and sizes."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass

from onnx_lint.deep_stack import with_deep_stack
from onnx_lint.project.project import Project
from onnx_lint.semantics import entry, needs
from onnx_lint.semantics.domain import dims
from onnx_lint.semantics.domain.dims import Dim, UnknownSize
from onnx_lint.semantics.evaluation.state import Analysis
from onnx_lint.semantics.interpreter import INTERPRETER
from onnx_lint.semantics.size_names import named


@dataclass(frozen=True, slots=True)
class ShownValue:
    """What a name holds after an assignment: a ``tensor`` with its shape and dtype as far as they are known, or a
    ``size`` with the one dimension that it is; or an ``input`` of a model: what its ``forward`` demands of it. `line`
    and `column` count from 1."""

    path: str
    line: int
    column: int
    name: str
    kind: str
    shape: tuple[Dim, ...] | None
    dtype: str | None
    needs: tuple[str, ...] = ()
    """What the model needs of an input: ``H a multiple of 32``."""


def values(
    project: Project, paths: Collection[str], *, progress: Callable[[int, int], None] | None = None
) -> list[ShownValue]:
    """What is known at the assignments in the files `paths`, by place."""
    return with_deep_stack(lambda: sorted(_values(project, paths, progress), key=_place))


def _place(value: ShownValue) -> tuple[str, int, int]:
    return value.path, value.line, value.column


def _values(
    project: Project, paths: Collection[str], progress: Callable[[int, int], None] | None
) -> Iterator[ShownValue]:
    analysis = Analysis(project, INTERPRETER, shown={}, roots={})
    for _ in entry.analyse(project, analysis=analysis, progress=progress):
        pass
    assert analysis.shown is not None
    for (unit, at), shown in {**analysis.shown_in_search, **analysis.shown}.items():
        path = unit.module.path
        if path not in paths:
            continue
        span, shape = unit.span(at), shown.type.shape
        dims_ = None if shape is None else tuple([named(d, analysis, unit) for d in shape])
        needed = needs.of_input(analysis, unit, shown.type) if shown.kind == "input" else ()
        yield ShownValue(path, span.line, span.column, shown.name, shown.kind, dims_, shown.type.dtype, tuple(needed))


def as_json(dim: Dim) -> object:
    """A dimension in the output: an integer, ``None`` when nothing is known, else expression and whether it varies."""
    if isinstance(dim, int):
        return dim
    varies = dims.varies(dim)
    if isinstance(dim, UnknownSize) and varies is None:
        return None
    return {"expression": str(dim), "varies": varies}
