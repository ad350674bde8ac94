"""The state of an interpretation: environments, frames (one per function under interpretation), and the analysis that
all frames share."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from onnx_lint.project.dependencies import Memo, Node, Tracker
from onnx_lint.semantics.domain.sites import Branch, Site, Step
from onnx_lint.semantics.domain.values import UNKNOWN, Origin, Value, join
from onnx_lint.source import ir
from onnx_lint.target import Engine

if TYPE_CHECKING:
    from onnx_lint.project.classes import ClassInfo
    from onnx_lint.project.modules import SourceModule, Unit
    from onnx_lint.project.project import Project
    from onnx_lint.semantics.domain.values import Arguments, Instance

TORCHSCRIPT, DYNAMO = 1, 2
ALL_ENGINES = TORCHSCRIPT | DYNAMO

ENGINES: dict[int, tuple[Engine, ...]] = {
    0: (),
    TORCHSCRIPT: (Engine.TORCHSCRIPT,),
    DYNAMO: (Engine.DYNAMO,),
    ALL_ENGINES: (Engine.TORCHSCRIPT, Engine.DYNAMO),
}

MAX_DEPTH = 40
"""Calls of project functions inside one another; deeper ones are unknown."""
MAX_CONTEXTS = 16
"""Kinds of arguments that one function is told apart for; then constants are generalised, then it is unknown."""
MAX_STEPS = 400_000
"""Statements interpreted for one entry point; beyond it calls are no longer followed."""


class Environment:
    """Local names. `parent` is the environment of the enclosing function, for closures."""

    __slots__ = ("names", "parent")

    def __init__(self, names: dict[str, Value], parent: Environment | None) -> None:
        self.names, self.parent = names, parent

    def copy(self) -> Environment:
        return Environment(dict(self.names), self.parent)

    def get(self, name: str) -> Value | None:
        environment: Environment | None = self
        while environment is not None:
            value = environment.names.get(name)
            if value is not None:
                return value
            environment = environment.parent
        return None


def join_environments(first: Environment | None, second: Environment | None) -> Environment | None:
    """What holds after either of two ways; ``None`` is a way that ended."""
    if first is None:
        return second
    if second is None:
        return first
    a, b = first.names, second.names
    merged = dict(a)
    for name, value in b.items():
        other = a.get(name)
        if other is None:
            merged[name] = value  # bound on one way only: where it is read, that way was taken
        elif other is not value:
            merged[name] = join(other, value)
    return Environment(merged, first.parent)


@dataclass(slots=True, eq=False)
class Summary:
    """What a call gave: its value, the sites met on the way, and the calls made on the way."""

    value: Value
    sites: list[Site] = field(default_factory=list)
    children: list[Summary] = field(default_factory=list)
    returned: list[tuple[Value, ir.Expr | None]] = field(default_factory=list)
    made: list[tuple[ClassInfo, Arguments]] = field(default_factory=list)
    """The objects of the project's classes made outside traced code, and the arguments they were made with."""
    traced: tuple[int, int] | None = None
    """Identities of unit and function, when it was interpreted as traced code."""
    dependency: Node | None = None
    """What it rests on, in an editor."""
    values: dict[int, Value] | None = None
    """What each expression (by its number) may hold, in an editor."""
    held: object = None
    """What its key in `Analysis.memo` names by identity, so that no identity is given out twice."""


@dataclass(slots=True)
class Analysis:
    """What all frames share."""

    project: Project
    summaries: dict[Hashable, Summary] = field(default_factory=dict)
    active: set[Hashable] = field(default_factory=set)
    contexts: dict[Hashable, int] = field(default_factory=dict)
    tracker: Tracker = field(init=False)
    memo: Memo[Hashable, Value] = field(init=False)
    """Global names, class attributes, decorated functions."""
    initialised: Memo[Hashable, dict[str, Value]] = field(init=False)
    """What ``__init__`` assigns, by class and arguments."""
    global_active: set[tuple[int, Any]] = field(default_factory=set)
    steps: int = 0
    lambdas: dict[int, tuple[ir.Lambda, ir.FunctionDef]] = field(default_factory=dict)
    """The function of a lambda expression, by the identity of the expression."""
    uses: dict[int, tuple[ir.FunctionDef, object]] = field(default_factory=dict)
    """How the parameters of a function are used, by the identity of the function, see `parameters`."""
    last_reads: dict[int, tuple[ir.FunctionDef, dict[str, int]]] = field(default_factory=dict)
    """Where a function reads each variable last, by the identity of the function, see `statements`."""
    of_unit: dict[int, list[Summary]] = field(default_factory=dict)
    """In an editor: results by the identity of the unit."""
    budget_exhausted: bool = False
    """Whether a bound on contexts was met: many changes may have used it up."""

    def __post_init__(self) -> None:
        self.tracker = self.project.tracker
        self.memo = Memo(self.tracker)
        self.initialised = Memo(self.tracker)


class Frame:
    """One function under interpretation."""

    __slots__ = (
        "analysis", "checks", "depth", "engines", "env", "exits", "function", "keyword", "owner", "pending",
        "qualified", "quiet", "receiver", "returns", "step", "summary", "unit", "values", "yields",
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
        step: Step | None = None,
        depth: int = 0,
        engines: int = ALL_ENGINES,
        quiet: bool = False,
        summary: Summary | None = None,
    ) -> None:
        self.analysis, self.unit, self.function, self.qualified = analysis, unit, function, qualified
        self.env: Environment | None = env
        self.owner, self.receiver, self.step, self.depth = owner, receiver, step, depth
        self.engines, self.quiet = engines, quiet
        self.summary = summary if summary is not None else Summary(UNKNOWN)
        self.values = self.summary.values
        self.returns: list[tuple[Value, ir.Expr | None, ir.Stmt]] = []
        self.yields: list[Value] = []
        self.exits: list[list[Environment]] = []
        """Environments at ``break`` and ``continue``, one list per loop around."""
        self.checks = 0
        """Positive inside a statement that only checks."""
        self.keyword: str | None = None
        """The keyword of the condition that is being evaluated."""
        self.pending: list[Branch] | None = None
        """Branch sites of the condition that is being evaluated; one of them is kept."""

    @property
    def module(self) -> SourceModule:
        return self.unit.module

    def emit(self, site: Site) -> None:
        """Node a site, unless this code is not traced."""
        if self.quiet or not self.engines:
            return
        if self.pending is not None and isinstance(site, Branch):
            self.pending.append(site)
        else:
            self.summary.sites.append(site)

    def base(
        self, node: ir.Expr | ir.Stmt, subject: Value
    ) -> tuple[Unit, ir.Expr | ir.Stmt, Value, str, Step | None, tuple[Engine, ...], bool]:
        """The fields that all sites share, in order."""
        return (self.unit, node, subject, self.qualified, self.step, ENGINES[self.engines], self.checks > 0)

    def origin(self, node: ir.Expr | ir.Param, what: str, name: str = "", parent: Origin | None = None) -> Origin:
        return Origin(self.unit, node.at, what, name, parent)

    @property
    def instance(self) -> Instance | None:
        from onnx_lint.semantics.domain.values import Instance

        return self.receiver if isinstance(self.receiver, Instance) else None
