"""What all frames of an analysis share: what was computed already, and how much may still be."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeVar

from onnx_lint.project.dependencies import Memo, Node, Tracker
from onnx_lint.semantics.domain.demands import Demand, Search
from onnx_lint.semantics.domain.dims import Symbol
from onnx_lint.semantics.domain.equations import Constraint
from onnx_lint.semantics.domain.shapes import TensorType, join_known
from onnx_lint.semantics.domain.sites import Site, Step
from onnx_lint.semantics.domain.values import UNKNOWN, Address, Arguments, Value
from onnx_lint.source import ir
from onnx_lint.source.names import last_reads

if TYPE_CHECKING:
    from onnx_lint.project.classes import ClassInfo
    from onnx_lint.project.modules import Unit
    from onnx_lint.project.project import Project
    from onnx_lint.semantics.evaluation.interface import Interpreter
    from onnx_lint.semantics.evaluation.usage import Usage

V = TypeVar("V")

MAX_DEPTH = 40
"""Calls of project functions inside one another; deeper ones are unknown."""
MAX_RECURSION = 10
"""Calls of one function inside its own calls; deeper ones are taken to give what they are given. Trees of modules are
less deep; functions that hand themselves a longer list each time have no end."""
MAX_CONTEXTS = 4
"""Kinds of arguments that one function is told apart for where another one calls it; then constants are generalised.
Counted for each caller, so that what a call gives does not depend on what was looked at before."""
MAX_ALL_CONTEXTS = 64
"""Kinds of arguments of one function in one entry point, beyond which its calls are not followed. That is reported at
the function."""
MAX_LOOSE = 8
"""Kinds of arguments that come on top of those, of which only the classes of objects are told apart."""
MAX_EXACT_KINDS = 1
"""Kinds of arguments that objects of one class are told apart for by their widths, where one function makes them:
beyond, one is a layer of any width, see `lattice.of_any_width`."""
MAX_OBJECT_KINDS = 4
"""Kinds of arguments that objects of one class are told apart for; further ones are taken together, each argument
being what any of them was given."""
MAX_WIDENED = 8
"""How often what stands for further objects may grow; beyond it is not known how they are made."""
MAX_STEPS = 400_000
"""Statements interpreted for one entry point; beyond it calls are no longer followed."""

MAX_SECONDS = 60
"""Time for one entry point, likewise; of the processor, so that a busy machine gives the same answer. Real models take
up to a second."""
_CLOCK_EVERY = 64
"""Calls between two looks at the clock, which cost a tenth of an analysis when it is asked at each."""


@dataclass(frozen=True, slots=True)
class Effect:
    """What a call wrote: to the content of an object (`field` is ``None``) or to one of its attributes. `before` is
    what was there when the call began, if anything was; `now` what is there when it ends."""

    address: Address
    field: str | None
    before: Value | None
    now: Value


@dataclass(frozen=True, slots=True)
class Made:
    """What ``__init__`` assigned, for the arguments of the first object that was made so."""

    attributes: Mapping[str, Value]
    args: Arguments | None
    writes: tuple[Effect, ...] = ()
    """What it assigned to the attributes of other objects: ``self.heads.pool = …``."""


@dataclass(frozen=True, slots=True, eq=False)
class Call:
    """One call that a function made: the result it used, and what it gave, in the names of the calling function. The
    result may have been computed for another caller."""

    summary: Summary
    inputs: tuple[Value, ...]
    """As `Summary.inputs`, pair by pair."""
    unit: Unit
    at: int | None
    """The number of the call's expression; ``None`` for one that Python makes unasked."""
    caller: str


@dataclass(slots=True, eq=False)
class Summary:
    """What a call gave: its value, what it wrote, the sites met on the way, and the calls made on the way. Sites and
    values are in the names of the caller it was computed for: see `reach`."""

    name: str = ""
    """The qualified name of the function."""
    value: Value = UNKNOWN
    inputs: tuple[Value, ...] = ()
    """What it was given: arguments, and what it read of enclosing functions."""
    effects: tuple[Effect, ...] = ()
    """What it wrote to objects that are older than the call, or that `value` holds."""
    sites: list[Site] = field(default_factory=list)
    calls: list[Call] = field(default_factory=list)
    returned: list[tuple[Value, ir.Expr | None]] = field(default_factory=list)
    made: list[tuple[ClassInfo, Arguments]] = field(default_factory=list)
    """The objects of the project's classes made outside traced code, and the arguments they were made with."""
    demands: list[tuple[str, Demand]] = field(default_factory=list)
    """What it demands of inputs of the model, see `Analysis.search`."""
    cut_off: str | None = None
    """Why a call on the way was not followed, if a limit stopped it."""
    crowded: frozenset[tuple[Unit, ir.FunctionDef | ir.ClassDef, str]] = frozenset()
    """The functions, with their qualified names, of which calls on the way were not followed, and the classes of whose
    objects something was read that is not known: there were too many kinds."""
    traced: tuple[Unit, ir.FunctionDef] | None = None
    """What was interpreted, when it was as traced code."""
    dependency: Node | None = None
    """What it rests on, in an editor."""
    values: dict[int, Value] | None = None
    """What each expression (by its number) may hold, in an editor."""
    assigned: dict[int, Value] | None = None
    """What each name (by the number of the target) holds after it was assigned, in an editor."""
    cost: int = 0
    """How many statements its calls come to, remembered ones among them: see `Analysis.spent`."""
    in_search: bool = False
    """Whether it was only met during searches for the shapes of inputs."""
    initial: set[tuple[ClassInfo, str]] = field(default_factory=set)
    """The attributes of which it read what they held when the run began, modules left out; with the class."""
    flow: object = None
    """The run in which it was interpreted."""
    view: tuple[Step | None, tuple[Value, ...], list[Site]] | None = None
    """Its sites as they were last seen: by the way to it, and what it was given."""
    kinds: dict[Hashable, set[Hashable]] | None = None
    """The kinds of arguments with which it calls functions and makes objects."""
    widest: dict[Hashable, list[Arguments]] | None = None
    """What stands for the arguments of objects beyond `MAX_OBJECT_KINDS`, by class: each wider than the one before."""
    agreed: set[ir.Expr | ir.Stmt] = field(default_factory=set)
    """Where an operator was given sizes that fit."""
    constraints: list[tuple[int, Constraint]] = field(default_factory=list)
    """What operators and checks demand of sizes, by the number of the expression; only kept for `Analysis.roots`."""
    since: int = 0
    """How many addresses had been given out when the call began: those of `flow` behind are its own."""

    def kinds_of(self, called: Hashable) -> set[Hashable]:
        """The kinds of arguments with which it has called a function, or a class."""
        if self.kinds is None:
            self.kinds = {}
        return self.kinds.setdefault(called, set())

    def widest_of(self, cls: ClassInfo) -> list[Arguments]:
        """What has stood for the arguments of further objects of a class, the widest last."""
        if self.widest is None:
            self.widest = {}
        return self.widest.setdefault(cls, [])


@dataclass(slots=True)
class Shown:
    """What a name may hold after an assignment, over all ways to it of which something is known."""

    name: str
    kind: str
    type: TensorType
    """Of a size: the shape of one dimension that it is."""

    def add(self, kind: str, type: TensorType) -> None:
        """One more way."""
        if kind == "tensor" and self.kind != "tensor":
            self.kind, self.type = kind, type
        elif kind == self.kind:
            self.type = join_known(self.type, type)


class AllMade(Exception):
    """A factory has made what it was interpreted for; what it does afterwards (it loads weights) is of no interest."""


@dataclass(slots=True)
class Wanted:
    """The objects for which a factory is interpreted: `most` of a class, by the arguments that made them."""

    cls: ClassInfo
    most: int
    made: list[Arguments] = field(default_factory=list)

    def note(self, cls: ClassInfo, args: Arguments) -> None:
        """An object is made. Raises `AllMade` when it was the last one wanted."""
        if cls is self.cls:
            self.made.append(args)
            if len(self.made) >= self.most:
                raise AllMade


@dataclass(frozen=True, slots=True)
class Demanded:
    """What a search for the shapes of inputs gave."""

    wanted: frozenset[str]
    """The inputs of which nothing was known."""
    found: Mapping[str, Demand]
    others: tuple[Site, ...]
    """Where it met values that fixes are not for, and did not come to an end."""


@dataclass(slots=True)
class Analysis:
    """The analysis of a project. `interpreter` is what evaluates, see `interface`."""

    project: Project
    interpreter: Interpreter
    summaries: dict[Hashable, Summary] = field(default_factory=dict)
    active: set[Hashable] = field(default_factory=set)
    under_way: set[Hashable] = field(default_factory=set)
    """What is being computed once for all entry points."""
    nested: Counter[Hashable] = field(default_factory=Counter)
    """How many calls of a function are being interpreted: its depth of recursion."""
    contexts: Counter[Hashable] = field(default_factory=Counter)
    """The kinds of arguments that the entry point has met, by function."""
    tracker: Tracker = field(init=False)
    memo: Memo[Hashable, Value] = field(init=False)
    """Global names, class attributes, decorated functions."""
    initialised: Memo[Hashable, Made] = field(init=False)
    """What constructors assigned, by class and arguments."""
    global_active: set[Hashable] = field(default_factory=set)
    steps: int = 0
    until: float = float("inf")
    """When the time of the entry point is used up, by `time.thread_time`."""
    calls: int = 0
    """How many calls of project functions the entry point has met."""
    is_late: bool = False
    lambdas: dict[ir.Lambda, ir.FunctionDef] = field(default_factory=dict)
    """The function of a lambda expression."""
    last_read: dict[ir.FunctionDef, dict[str, int]] = field(default_factory=dict)
    """See `last_reads`."""
    with_global: dict[ir.FunctionDef, bool] = field(default_factory=dict)
    """See `says_global`."""
    uses: dict[ir.FunctionDef, Usage] = field(default_factory=dict)
    """How functions use their parameters."""
    of_unit: dict[Unit, list[Summary]] = field(default_factory=dict)
    """In an editor: results by the unit."""
    objects: dict[tuple[ClassInfo, Hashable], Address] = field(default_factory=dict)
    """The address of the objects of a class that are made alike, outside traced code."""
    made: int = 0
    """How many addresses were given out."""
    search: Search | None = None
    """While it is looked for what the model demands of its inputs."""
    wanted: Wanted | None = None
    """While a factory is interpreted: what it is to make."""
    skips_decorators: bool = False
    """Whether every decorator is taken to hand its function on: enough where only the inputs of a model are wanted, and
    many times cheaper for decorators that make documentation."""
    spent: int = 0
    """Statements that a search or a factory has come to. What is remembered counts as if it were interpreted, what is
    made once for all entry points does not: so that it does not matter what was analysed before."""
    stop_at: float = float("inf")
    """What may be `spent` until a search or a factory ends without an answer."""
    limits_met: int = 0
    """How often a limit, or a call that is under way, stood in for the answer."""
    limited: list[Callable[[], None]] = field(default_factory=list)
    """Forgets what was computed where that was so: it holds for this entry point only."""
    demanded: list[Demanded] = field(default_factory=list)
    """What was found out about the inputs of the entry point, for each way in which its model is made."""
    as_before: list[Demanded] | None = None
    """In an editor, while somebody types: the same of the last time. It is taken for what it is now, and so is what
    holds for one entry point only; the next pause finds out."""
    others: list[Site] = field(default_factory=list)
    """Where values that fixes are not for were met during a search: what it began but did not end is not kept."""
    roots: dict[Unit, Summary] | None = None
    """The entry points by where their ``forward`` stands, for who wants to know what they need; ``None`` for nobody."""
    symbol_names: dict[tuple[Unit, Symbol], str] = field(default_factory=dict)
    """What the code of a unit calls sizes: ``B, C, H, W = x.shape``."""
    shown: dict[tuple[Unit, int], Shown] | None = None
    """When wanted: what names hold where they are assigned."""
    shown_in_search: dict[tuple[Unit, int], Shown] = field(default_factory=dict)
    """The same during searches: what counts for places that are not come to again, since the results are used."""

    handed_on: dict[tuple[str, str], str] = field(default_factory=dict)
    """In an editor: the functions that their decorators handed on as they are, with the text of these. While somebody
    types inside such a function, its decorators are not interpreted again."""

    def __post_init__(self) -> None:
        self.interpreter.prepare()
        self.tracker = self.project.tracker
        self.memo, self.initialised = Memo(self.tracker), Memo(self.tracker)

    def last_reads(self, function: ir.FunctionDef) -> dict[str, int]:
        """The names that a function reads, each with the number of the last node that does."""
        found = self.last_read.get(function)
        if found is None:
            found = self.last_read[function] = last_reads(function.body)
        return found

    def says_global(self, function: ir.FunctionDef, text: str) -> bool:
        """Whether the word ``global`` stands in the text around a function; looked for once."""
        found = self.with_global.get(function)
        if found is None:
            found = self.with_global[function] = "global" in text
        return found

    def once(self, memo: Memo[Hashable, V], key: Hashable, compute: Callable[[], V], provisional: V | None = None) -> V:
        """A value that is computed once for all entry points, if no limit has a part in it. What asks for it while it
        is computed gets `provisional`."""
        held = memo.get(key)
        if held is not None:
            self.limits_met += provisional is not None and key in self.under_way
            return held[0]
        spent, met = self.spent, self.limits_met
        self.under_way.add(key)
        try:
            value = memo.compute(key, compute, provisional)
        finally:
            self.under_way.discard(key)
            self.spent = spent
        if self.is_for_now(met):
            self.limited.append(lambda: memo.forget(key))
        return value

    def is_for_now(self, met: int) -> bool:
        """Whether what was computed holds for this entry point only, when `met` limits were met before."""
        return self.limits_met != met or self.as_before is not None

    def forget(self, key: Hashable) -> None:
        """The summary of a call is not used again."""
        self.summaries.pop(key, None)

    def begin(self) -> None:
        """An entry point begins: it has the whole budget of steps and time."""
        self.steps, self.calls, self.is_late = 0, 0, False
        self.contexts.clear()
        self.demanded = []
        if self.as_before is None:
            self.forget_limited()
        self.until = time.thread_time() + MAX_SECONDS

    def forget_limited(self) -> None:
        """Forget what holds for one entry point only."""
        for forget in self.limited:
            forget()
        self.limited.clear()

    def limit(self, depth: int) -> str | None:
        """The limit that stops a call at that depth from being followed, in words; ``None`` when none does."""
        if self.calls % _CLOCK_EVERY == 0 and time.thread_time() > self.until:
            self.is_late = True
        self.calls += 1
        if self.is_late or self.steps > MAX_STEPS or depth >= MAX_DEPTH:
            self.limits_met += 1
        if self.is_late:
            return f"calls after {MAX_SECONDS} seconds of analysis are not followed"
        if self.steps > MAX_STEPS:
            return f"calls after {MAX_STEPS:,} interpreted statements are not followed"
        return f"calls nested more than {MAX_DEPTH} deep are not followed" if depth >= MAX_DEPTH else None

    def address(self, flow: object, *, many: bool = False) -> Address:
        """A new address."""
        self.made += 1
        return Address(flow, self.made, many=many)
