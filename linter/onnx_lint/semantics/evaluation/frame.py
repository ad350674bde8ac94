"""A frame: one function under interpretation, with the state of the way that is being followed through it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from onnx_lint.semantics.domain.demands import AFTERWARDS, Demand
from onnx_lint.semantics.domain.engines import ALL_ENGINES, ENGINES
from onnx_lint.semantics.domain.environment import Environment
from onnx_lint.semantics.domain.lattice import with_addresses
from onnx_lint.semantics.domain.origin import Origin, StepKind
from onnx_lint.semantics.domain.sites import Branch, OtherValue, Site
from onnx_lint.semantics.domain.store import join_stores
from onnx_lint.semantics.domain.values import Alternative, Dict, ExternalInstance, Instance, Seq, Tensor, Value
from onnx_lint.semantics.evaluation.state import Analysis, Summary
from onnx_lint.source import ir

if TYPE_CHECKING:
    from onnx_lint.project.classes import ClassInfo
    from onnx_lint.project.modules import SourceModule, Unit
    from onnx_lint.semantics.evaluation.interface import Interpreter

MUTABLE_SEQUENCES = frozenset({"list", "set"})


@dataclass(slots=True)
class LoopExits:
    """What holds at the ``break`` and the ``continue`` statements of a loop."""

    breaks: list[Environment] = field(default_factory=list)
    continues: list[Environment] = field(default_factory=list)


class Frame:
    """One function under interpretation. `interp` evaluates what stands in it."""

    __slots__ = (
        "analysis", "checks", "depth", "env", "exits", "flow", "function", "in_comprehension", "interp",
        "keyword", "owner", "pending", "qualified", "receiver", "records_sites", "returns", "step", "summary", "unit",
        "values", "views", "yields",
    )  # fmt: skip

    def __init__(
        self,
        analysis: Analysis,
        unit: Unit,
        env: Environment,
        *,
        function: ir.FunctionDef | None = None,
        qualified: str = "",
        owner: ClassInfo | None = None,
        receiver: Value | None = None,
        depth: int = 0,
        engines: int = ALL_ENGINES,
        records_sites: bool = True,
        summary: Summary | None = None,
        flow: object = None,
    ) -> None:
        self.analysis, self.unit, self.function, self.qualified = analysis, unit, function, qualified
        self.interp: Interpreter = analysis.interpreter
        self.env: Environment | None = env
        """``None`` behind a statement that ends the way."""
        self.env.engines = engines
        self.owner, self.receiver, self.depth = owner, receiver, depth
        self.records_sites = records_sites
        """Whether this is traced code; in other code nothing is reported."""
        self.flow = flow if flow is not None else object()
        """The run to which the frame belongs: an entry point, or the making of an object. What it makes is its own."""
        self.summary = summary if summary is not None else Summary()
        self.values = self.summary.values
        self.returns: list[tuple[Value, ir.Expr | None, Environment]] = []
        self.yields: list[Value] = []
        self.exits: list[LoopExits] = []
        """What holds where the loops around are left early, innermost last."""
        self.views: dict[str, str] = {}
        """Names of tensors that are views, each with the name of the tensor that it shows a part of."""
        self.in_comprehension = False
        self.checks = 0
        """Positive inside a statement that only checks."""
        self.keyword: str | None = None
        """The keyword of the condition that is being evaluated."""
        self.pending: list[Branch] | None = None
        """Branch sites of the condition that is being evaluated; one of them is kept."""

    @property
    def module(self) -> SourceModule:
        return self.unit.module

    @property
    def engines(self) -> int:
        """Bit set of the engines that come by here; none behind the end of a way."""
        return self.env.engines if self.env is not None else 0

    @property
    def instance(self) -> Instance | None:
        return self.receiver if isinstance(self.receiver, Instance) else None

    # -------------------------------------------------------------------------------------------------------- sites
    def emit(self, site: type[Site], node: ir.Expr | ir.Stmt, subject: Value, /, **details: Any) -> None:
        """Record a site of a class at `node`, where `subject` meets Python, unless this code is not traced; `details`
        are the fields that such sites have besides."""
        if self.records_sites and self.engines:
            checks = self.checks > 0
            self.report(site(self.unit, node, subject, self.qualified, None, ENGINES[self.engines], checks, **details))

    def report(self, site: Site) -> None:
        """Record a site that is complete; of the branches in one condition one is kept, at its end."""
        if self.pending is not None and isinstance(site, Branch):
            self.pending.append(site)
        else:
            self.summary.sites.append(site)

    def note_other(self, node: ir.Expr | ir.Stmt, value: Value) -> None:
        """A value comes to `node` that is not of the kind that fixes there are for."""
        checks = self.checks > 0
        site = OtherValue(self.unit, node, value, self.qualified, None, ENGINES[self.engines], checks)
        self.summary.sites.append(site)
        if self.analysis.search is not None:
            self.analysis.others.append(site)

    def origin(self, node: ir.Expr | ir.Param, kind: StepKind, name: str = "", parent: Origin | None = None) -> Origin:
        """A step of an origin at a node of this frame."""
        return Origin(self.unit, node.at, kind, name, parent)

    def demand(self, name: str | None, demand: Demand) -> None:
        """An operation demands something of the input `name` of the model."""
        search = self.analysis.search
        if search is not None and name is not None and self.records_sites:
            self.summary.demands.append((name, demand))
            if search.note(name, demand):
                self.analysis.stop_at = min(self.analysis.stop_at, self.analysis.spent + AFTERWARDS)

    # ----------------------------------------------------------------------------------------------- dynamic scope
    def enter_loop(self) -> LoopExits:
        """A loop begins: its exits, which stand last in `exits` until it ends."""
        exits = LoopExits()
        self.exits.append(exits)
        return exits

    @contextmanager
    def checking(self, active: bool = True) -> Iterator[None]:
        """While a statement is interpreted that only checks."""
        self.checks += active
        try:
            yield
        finally:
            self.checks -= active

    @contextmanager
    def only_under(self, engines: int) -> Iterator[None]:
        """While something is looked at that is there under these engines only."""
        env = self.env
        before = self.engines
        if env is not None:
            env.engines = before & engines
        try:
            yield
        finally:
            if env is not None:
                env.engines = before

    @contextmanager
    def on_way(self, engines: int) -> Iterator[None]:
        """While an expression is evaluated that only some engines reach, on a copy of the names: what it binds and
        narrows is forgotten."""
        env = self.env
        if env is not None:
            self.env = env.copy()
            self.env.engines = engines
        try:
            yield
        finally:
            after = self.env
            self.env = env
            if env is not None and after is not None:
                env.store = join_stores(env.store, after.store)

    # ------------------------------------------------------------------------------------------------------ objects
    def read(self, value: Value) -> Value:
        """A value as it is now, with what was written into it since it was bound."""
        if self.env is None or not self.env.store.cells or not value.has_addresses:
            return value
        return self.env.store.read(value)

    def write(self, value: Value, content: Value) -> None:
        """The object that `value` is holds `content` from now on."""
        if self.env is not None:
            self.env.store = self.env.store.written(value, content, self.flow)

    def owned(self, value: Value) -> Value:
        """A value that was just made, with an address if it can change: a list, a dict, a container of modules, a
        tensor of constants."""
        match value:
            case Seq():
                wanted = value.kind in MUTABLE_SEQUENCES
            case Dict():
                wanted = True
            case ExternalInstance():
                wanted = value.items is not None
            case Tensor():
                wanted = not value.traced
            case _:
                return value
        return value if value.addresses or not wanted else self._with_new_address(value)

    def _with_new_address(self, value: Alternative) -> Value:
        return with_addresses(value, (self.analysis.address(self.flow, many=self.in_comprehension),))
