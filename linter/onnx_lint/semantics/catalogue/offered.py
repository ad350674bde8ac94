"""Models of installed packages: loaded before the first analysis, behind our own, which nobody can replace."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from onnx_lint import op_packages
from onnx_lint.plugins import in_a_line
from onnx_lint.semantics.catalogue import registry, verdicts
from onnx_lint.semantics.catalogue.shapes import registry as shapes
from onnx_lint.semantics.domain.demands import Enough
from onnx_lint.semantics.domain.values import UNKNOWN, Value
from onnx_lint.semantics.evaluation.frame import Frame
from onnx_lint.semantics.evaluation.state import AllMade

NAMES: set[str] = set()
"""The functions and classes that packages have models of."""


def load() -> None:
    """Load the models of all installed packages, once. `op_packages.problems` says which cannot be loaded."""
    op_packages.load(all_or_none)


def contained(frame: Frame, name: str, run: Callable[[], Value]) -> Value:
    """Run the model of a package. If it raises, its result is unknown, and the entry point is reported as not analysed
    in full (ONX009): the mistake of one package costs no other diagnostic, and is seen."""
    try:
        return run()
    except (Enough, AllMade, MemoryError, RecursionError):
        raise  # not its own: limits of the analysis
    except Exception as error:  # noqa: BLE001 - code of others may raise anything; it is reported
        frame.summary.cut_off = f"the op model of `{name}` raises {in_a_line(error)}"
        return UNKNOWN


@contextmanager
def all_or_none() -> Iterator[None]:
    """What is registered inside stays only if nothing is raised."""
    tables: list[dict[Any, Any]] = [*registry.tables(), shapes.MODELS, verdicts.OFFERED]
    before = [dict(table) for table in tables]
    try:
        yield
        NAMES.update(set(registry.modelled_names()) - set(before[0]), set(shapes.MODELS) - set(before[-2]))
    except BaseException:
        for table, entries in zip(tables, before, strict=True):
            table.clear()
            table.update(entries)
        raise
