"""How an entry point reaches calls: by which way, and what they were given.

The result of a call is kept for every caller that gives the same, in the names of the first: its sites speak of the
first caller's inputs, and know nothing of the way. Which caller was first depends on what was analysed before, which
in an editor is chance. So the way is found here, when all calls are known: of the ways to a call the first one in the
order of the program is taken, and its sites are told in the names of that way.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from onnx_lint.semantics.domain.renaming import Renaming
from onnx_lint.semantics.domain.sites import ShapeConflict, Site, Step
from onnx_lint.semantics.domain.values import Value
from onnx_lint.semantics.evaluation.state import Call, Summary
from onnx_lint.semantics.evaluation.state_writes import kept
from onnx_lint.source import ir


@dataclass(frozen=True, eq=False)
class Reached:
    """The result of a call, with the way to it."""

    summary: Summary
    step: Step | None
    inputs: tuple[Value, ...]
    """What it was given, in the names of the entry point."""

    def sites(self) -> list[Site]:
        """Its sites, seen from here. They are the same objects as long as the way is the same."""
        summary, view = self.summary, self.summary.view
        if view is not None and view[0] == self.step and _same(view[1], self.inputs):
            return view[2]
        renaming = self.renaming
        sites = [replace(s, step=self.step, subject=renaming.value(s.subject)) for s in summary.sites]
        summary.view = (self.step, self.inputs, sites)
        return sites

    @cached_property
    def renaming(self) -> Renaming:
        """The renaming that makes the names of the first caller those of this one."""
        if _same(self.summary.inputs, self.inputs):
            return Renaming()
        return Renaming.between(self.summary.inputs, self.inputs)

    def call(self, call: Call) -> Reached:
        """What one of its calls reaches."""
        step = self.step
        if call.at is not None:
            step = Step(call.unit, call.at, call.caller, call.summary.name, step)
        renaming = self.renaming
        inputs = call.inputs if renaming.is_empty else tuple([renaming.value(v) for v in call.inputs])
        return Reached(call.summary, step, inputs)


def calls_below(summary: Summary, seen: set[int]) -> Iterator[Reached]:
    """An entry point and all calls below it in the order of the program, each once, without those that were `seen`."""
    stack = [Reached(summary, None, summary.inputs)]
    while stack:
        current = stack.pop()
        if id(current.summary) in seen:
            continue
        seen.add(id(current.summary))
        yield current
        stack += [current.call(c) for c in reversed(current.summary.calls) if id(c.summary) not in seen]


def sites_of(calls: Sequence[Reached], root: Summary) -> Iterator[Site]:
    """The sites of all calls below an entry point, without writes to state that none of them reads, and without
    conflicts of sizes where the entry point, `root`, comes with others that fit too: what is joined of several ways
    may be sizes that never meet."""
    functions = {c.summary.traced[1] for c in calls if c.summary.traced is not None}
    initial = [c.summary.initial for c in calls if c.summary.initial]
    sites = (site for c in calls for site in c.sites())
    return _certain(kept(sites, functions, initial), root)


def _certain(sites: Iterator[Site], root: Summary) -> Iterator[Site]:
    agreed: set[ir.Expr | ir.Stmt] | None = None
    for site in sites:
        if isinstance(site, ShapeConflict):
            if agreed is None:
                agreed = {node for c in calls_below(root, set()) for node in c.summary.agreed}
            if site.node in agreed:
                continue
        yield site


def _same(first: tuple[Value, ...], second: tuple[Value, ...]) -> bool:
    return first is second or (len(first) == len(second) and all(a is b for a, b in zip(first, second, strict=True)))
