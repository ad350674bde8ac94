"""What the analysis knows of expressions, where the installed core can be asked for it."""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec
from typing import Any, Protocol

from onnx_lint.diagnostic import Span
from onnx_lint.project.project import Project

_MODULE = "onnx_lint.semantics.knowledge"


class Known(Protocol):
    """What is known of an expression: where it stands, in words, and whether an export freezes it."""

    @property
    def span(self) -> Span: ...

    @property
    def text(self) -> str: ...

    @property
    def frozen(self) -> bool: ...


def _core() -> Any:
    return import_module(_MODULE) if find_spec(_MODULE) is not None else None


def value_at(project: Project, path: str, line: int, column: int) -> Known | None:
    """What is known of the innermost expression at a place (line and column from 1)."""
    core = _core()
    found: Known | None = core.value_at(project, path, line, column) if core is not None else None
    return found


def values_in(project: Project, path: str, first: int, last: int) -> list[Known]:
    """What is known in a range of lines (from 1, both inclusive)."""
    core = _core()
    return list(core.values_in(project, path, first, last)) if core is not None else []
