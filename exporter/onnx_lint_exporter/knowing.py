"""The answer to a worker's question: what the linter knows of the inputs of a class of models."""

from __future__ import annotations

import os
import threading
from collections.abc import Sequence
from typing import TYPE_CHECKING

from onnx_lint.source.text import SourceError, SourceText, read
from onnx_lint_exporter.worker.asking import InputsAsked, InputsKnown, KnownDim, KnownInput

if TYPE_CHECKING:
    from onnx_lint.semantics.domain.dims import Dim
    from onnx_lint.semantics.known_inputs import KnownInput as Found


class Knowledge:
    """Answers questions, each once: the workers of several engines ask the same."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._known: dict[InputsAsked, InputsKnown] = {}

    def answer(self, question: InputsAsked) -> InputsKnown:
        """What is known; may be called from any thread."""
        with self._lock:
            if question not in self._known:
                try:
                    self._known[question] = _answer(question)
                except Exception as error:  # noqa: BLE001 - told to the worker, which can do without
                    self._known[question] = InputsKnown(why=f"internal error: {type(error).__name__}: {error}")
            return self._known[question]


def _answer(question: InputsAsked) -> InputsKnown:
    source = _source(question.file)
    if source is None:
        return InputsKnown(why=f"{question.file} cannot be read")
    from onnx_lint.project.project import Project  # the analysis is loaded when a worker asks
    from onnx_lint.semantics.known_inputs import known_inputs

    project = Project(_source)
    found = known_inputs(project, project.add(source), question.name)
    if found is None:
        return InputsKnown(why=f"`{question.name}` is not a class that {os.path.basename(question.file)} defines")
    return InputsKnown(tuple(map(_as_message, found)))


def _source(path: str) -> SourceText | None:
    if not path.endswith(".py") or not os.path.isfile(path):
        return None
    try:
        return read(path)
    except SourceError:
        return None  # a file that cannot be read says nothing; whoever lints it is told


def _as_message(found: Found) -> KnownInput:
    shape = None if found.shape is None else _dims(found.shape)
    return KnownInput(found.name, found.kind, found.is_given, shape, found.dtype)


def _dims(shape: Sequence[Dim]) -> tuple[KnownDim, ...]:
    from onnx_lint.semantics.domain import dims
    from onnx_lint.semantics.domain.dims import Expression

    return tuple(
        KnownDim(size=dim)
        if isinstance(dim, int)
        else KnownDim(None, dims.varies(dim), str(dim) if isinstance(dim, Expression) else "")
        for dim in shape
    )
