"""Where operators are given sizes that do not fit, and where they are given some that do."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from onnx_lint.semantics.catalogue.shapes import Outcome
from onnx_lint.semantics.domain.dims import Dim, Expression
from onnx_lint.semantics.domain.shapes import UNKNOWN
from onnx_lint.semantics.domain.sites import ShapeConflict, Site
from onnx_lint.semantics.domain.values import Value
from onnx_lint.semantics.evaluation.frame import Frame
from onnx_lint.source import ir


def note(frame: Frame, node: ir.Expr | ir.Stmt | None, subject: Value, outcome: Outcome) -> None:
    """Record at `node` what came of an operator that gives `subject`, in traced code. While the shapes of inputs are
    being searched for, they are not known yet."""
    if node is None or not frame.records_sites or frame.analysis.search is not None:
        return
    if outcome.error is None:
        if outcome.result is not UNKNOWN:
            frame.summary.agreed.add(node)
        if outcome.constraints and frame.analysis.roots is not None:
            frame.summary.constraints += [(node.at, constraint) for constraint in outcome.constraints]
    elif len(outcome.sizes) == 2 and _are_known(*outcome.sizes):
        frame.emit(ShapeConflict, node, subject, reason=outcome.error)


class InOrder:
    """Modules that are called one after the other at one node: where one of them does not fit, it does not help that
    others do."""

    def __init__(self, frame: Frame, node: ir.Expr | ir.Stmt | None) -> None:
        self._sites, self._agreed = frame.summary.sites, frame.summary.agreed
        self._node = node
        self._fitted_before = node in self._agreed
        if node is not None:
            self._agreed.discard(node)
        self._first = self._began = len(self._sites)
        self._fits = False

    def one_is_done(self) -> None:
        """One module was called, or each of those that it may be: then one that fits is enough."""
        if self._node is not None and self._node in self._agreed:
            self._agreed.discard(self._node)
            self._fits = True
            self._sites[self._began :] = [s for s in self._sites[self._began :] if not self._is_conflict(s)]
        self._began = len(self._sites)

    def all_are_done(self) -> None:
        """The last one was called."""
        failed = any(self._is_conflict(s) for s in self._sites[self._first :])
        if self._node is not None and (self._fitted_before or (self._fits and not failed)):
            self._agreed.add(self._node)

    def _is_conflict(self, site: Site) -> bool:
        return isinstance(site, ShapeConflict) and site.node is self._node


@contextmanager
def in_any_order(frame: Frame) -> Iterator[None]:
    """While modules are called of which the order is not known: that one does not fit means nothing."""
    sites = frame.summary.sites
    began = len(sites)
    yield
    sites[began:] = [s for s in sites[began:] if not isinstance(s, ShapeConflict)]


def _are_known(first: Dim, second: Dim) -> bool:
    """Whether the contradiction is between numbers: both sizes are, or both are multiples of the same expression. Any
    other one rests on how large symbols may be."""
    if isinstance(first, int) and isinstance(second, int):
        return True
    if not isinstance(first, Expression) or not isinstance(second, Expression):
        return False
    return len(first.terms) == len(second.terms) == 1 and first.terms[0][0] == second.terms[0][0]
