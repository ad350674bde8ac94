"""The lattice: what an expression may hold while a model is captured, and where it came from.

*Traced* values change with the model's inputs: tensors computed from them, sizes of those tensors, Python numbers and
NumPy arrays read from them. Everything else is fixed when the export starts. `UNKNOWN` says that nothing is known;
rules are silent about it.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from onnx_lint.project.classes import ClassInfo
    from onnx_lint.project.dependencies import Node
    from onnx_lint.project.modules import SourceModule, Unit
    from onnx_lint.semantics.evaluation.frame import Environment
    from onnx_lint.source import ir


@dataclass(slots=True, eq=False)
class Origin:
    """One step of the chain by which a value came about; `parent` is the step before."""

    unit: Unit
    at: int
    what: str
    """``input``, ``size``, ``read``, ``argument``, ``array`` or ``attribute``."""
    name: str
    parent: Origin | None

    def steps(self) -> Iterator[Origin]:
        """All steps, first cause first."""
        chain: list[Origin] = []
        step: Origin | None = self
        while step is not None:
            chain.append(step)
            step = step.parent
        return reversed(chain)


class Value:
    """Base of all values. Compared by identity; `key` says which values a function need not be told apart for."""

    __slots__ = ()
    origin: Origin | None = None

    @property
    def is_traced(self) -> bool:
        """Whether it changes with the inputs of the model."""
        return False

    def key(self) -> Hashable:
        return type(self).__name__


class Unknown(Value):
    """Nothing is known."""

    __slots__ = ()


@dataclass(slots=True, eq=False)
class Static(Value):
    """Fixed when the export starts, value unknown; `type` is a Python type name where known (``int``, ``str``)."""

    type: str | None = None

    def key(self) -> Hashable:
        return ("static", self.type)


@dataclass(slots=True, eq=False)
class Const(Value):
    """A Python constant."""

    value: object

    def key(self) -> Hashable:
        value = self.value
        return ("const", type(value).__name__, value if isinstance(value, Hashable) else id(value))


@dataclass(slots=True, eq=False)
class EngineFlag(Value):
    """True under some engines, false under the others: ``torch.jit.is_tracing()``."""

    true_for: int
    """Bit set of engines, see `frame.TORCHSCRIPT` and `frame.DYNAMO`."""

    def key(self) -> Hashable:
        return ("engine", self.true_for)


@dataclass(slots=True, eq=False)
class Tensor(Value):
    """A tensor. `traced`: computed from the inputs. `presumed`: known to be one only by circumstance, so that
    nothing is said about iterating or testing it. `parameter`: name, when it is an input of ``forward`` itself."""

    traced: bool = True
    presumed: bool = False
    origin: Origin | None = None
    parameter: str | None = None
    is_shape: bool = False
    """Its elements are sizes (``torch.tensor(x.shape)`` under tracing)."""

    @property
    def is_traced(self) -> bool:
        return self.traced

    def key(self) -> Hashable:
        return ("tensor", self.traced, self.presumed)


@dataclass(slots=True, eq=False)
class Size(Value):
    """A dimension of a traced tensor, or a number computed from one; a live value of the graph.

    `boolean`: the result of a comparison. `parameter` and `axis` name the dimension of ``forward``'s input when it is
    exactly that.
    """

    origin: Origin | None = None
    boolean: bool = False
    parameter: str | None = None
    axis: int | None = None
    presumed: bool = False

    @property
    def is_traced(self) -> bool:
        return True

    def key(self) -> Hashable:
        return ("size", self.boolean, self.presumed)


@dataclass(slots=True, eq=False)
class Frozen(Value):
    """A Python number or string read from a traced value: ``int(x.shape[0])``, ``x.item()``.

    `from_data`: it depends on what a tensor holds, not only on sizes.
    """

    from_data: bool
    type: str | None = None
    origin: Origin | None = None

    @property
    def is_traced(self) -> bool:
        return True

    def key(self) -> Hashable:
        return ("frozen", self.from_data, self.type)


@dataclass(slots=True, eq=False)
class Array(Value):
    """A NumPy array or scalar made from a traced value."""

    origin: Origin | None = None

    @property
    def is_traced(self) -> bool:
        return True

    def key(self) -> Hashable:
        return "array"


_KEYED_ELEMENTS = 8


@dataclass(slots=True, eq=False)
class Seq(Value):
    """A tuple, list, set, ``torch.Size`` (kind ``shape``) or iterator. `elements` is ``None`` when the length is
    unknown; then `element` stands for all of them."""

    kind: str
    elements: tuple[Value, ...] | None = None
    element: Value | None = None
    origin: Origin | None = None
    parameter: str | None = None
    """The input of ``forward`` whose whole shape this is."""
    first_axis: int = 0

    @property
    def is_traced(self) -> bool:
        return any(e.is_traced for e in self.items())

    def items(self) -> tuple[Value, ...]:
        """The values that it may hold."""
        if self.elements is not None:
            return self.elements
        return (self.element,) if self.element is not None else ()

    def key(self) -> Hashable:
        if self.elements is not None and len(self.elements) <= _KEYED_ELEMENTS:
            return ("seq", self.kind, tuple([e.key() for e in self.elements]))
        return ("seq", self.kind, frozenset([e.key() for e in self.items()]))


@dataclass(slots=True, eq=False)
class Dict(Value):
    """A dict: values by constant key, and what other keys may hold."""

    entries: dict[Hashable, Value]
    rest: Value | None = None

    @property
    def is_traced(self) -> bool:
        return any(v.is_traced for v in self.values())

    def values(self) -> list[Value]:
        return [*self.entries.values(), *([self.rest] if self.rest is not None else [])]

    def key(self) -> Hashable:
        return (
            "dict",
            tuple([(k, v.key()) for k, v in self.entries.items()]),
            None if self.rest is None else self.rest.key(),
        )


@dataclass(slots=True, eq=False)
class RangeValue(Value):
    """``range(…)``; `bound` is a traced argument, if there is one."""

    bound: Value | None
    length: int | None = None

    @property
    def is_traced(self) -> bool:
        return self.bound is not None and self.bound.is_traced

    def key(self) -> Hashable:
        return ("range", None if self.bound is None else self.bound.key(), self.length)


@dataclass(slots=True, eq=False)
class ExternalValue(Value):
    """Something outside the project by name: a module, a class or a function."""

    name: str

    def key(self) -> Hashable:
        return ("external", self.name)


@dataclass(slots=True, eq=False)
class ExternalInstance(Value):
    """An instance of a class outside the project, such as ``torch.nn.Conv2d``; `items` are the parts of a
    container (``Sequential``, ``ModuleList``), `args` what it was made with by keyword."""

    name: str
    items: Value | None = None
    args: dict[str, Value] | None = None

    def key(self) -> Hashable:
        return ("external instance", self.name, None if self.items is None else self.items.key())


class Instance(Value):
    """An object of a class of the project. Its attributes come from interpreting ``__init__`` when first wanted."""

    __slots__ = ("args", "attributes", "cls", "ctor_key", "dependency", "initialised")

    def __init__(self, cls: ClassInfo, args: Arguments | None, ctor_key: Hashable) -> None:
        self.cls = cls
        self.args = args
        """The arguments it is made with; ``None`` when it was not seen being made."""
        self.ctor_key = ctor_key
        self.attributes: dict[str, Value] = {}
        self.initialised = False
        self.dependency: Node | None = None
        """What its attributes rest on, in an editor."""

    def key(self) -> Hashable:
        return ("instance", id(self.cls), self.ctor_key)


@dataclass(slots=True, eq=False)
class ClassValue(Value):
    cls: ClassInfo

    def key(self) -> Hashable:
        return ("class", id(self.cls))


@dataclass(slots=True, eq=False)
class Function(Value):
    """A function of the project with what it closes over; `owner` is the class whose body defines it."""

    unit: Unit
    function: ir.FunctionDef
    closure: Environment | None = None
    owner: ClassInfo | None = None
    opaque: bool = False
    """Decorated such that its body is not what is traced (``torch.jit.script``, ``ignore``)."""

    def key(self) -> Hashable:
        return ("function", id(self.unit), id(self.function), id(self.closure))


@dataclass(slots=True, eq=False)
class Bound(Value):
    """A function, or a method by name of something that is no project class, bound to its first argument."""

    function: Function | str
    receiver: Value

    def key(self) -> Hashable:
        name = self.function if isinstance(self.function, str) else self.function.key()
        return ("bound", name, self.receiver.key())


@dataclass(slots=True, eq=False)
class Partial(Value):
    """``functools.partial(f, …)``."""

    function: Value
    args: Arguments

    def key(self) -> Hashable:
        return ("partial", self.function.key(), self.args.key())


@dataclass(slots=True, eq=False)
class ModuleValue(Value):
    """A module of the project."""

    name: str
    source: SourceModule | None

    def key(self) -> Hashable:
        return ("module", self.name)


@dataclass(slots=True, eq=False)
class Super(Value):
    """``super()`` inside a method of `owner`."""

    owner: ClassInfo
    receiver: Value

    def key(self) -> Hashable:
        return ("super", id(self.owner), self.receiver.key())


@dataclass(slots=True, eq=False)
class Alternatives(Value):
    """One of several values, such as an optional tensor. At most `LIMIT`, none of them an `Alternatives`."""

    values: tuple[Value, ...]

    @property
    def is_traced(self) -> bool:
        return any(v.is_traced for v in self.values)

    @property
    def origin(self) -> Origin | None:  # type: ignore[override]
        return next((v.origin for v in self.values if v.origin is not None), None)

    def key(self) -> Hashable:
        return ("one of", frozenset([v.key() for v in self.values]))


LIMIT = 6
"""How many alternatives are kept apart."""

UNKNOWN = Unknown()
STATIC = Static()
NONE = Const(None)
TRUE = Const(True)
FALSE = Const(False)


@dataclass(slots=True, eq=False)
class Arguments:
    """The arguments of a call. `star` and `double_star` stand for what ``*a`` and ``**k`` of unknown length hold."""

    positional: list[Value]
    keyword: dict[str, Value]
    star: Value | None = None
    double_star: Value | None = None
    nodes: tuple[Any, ...] = ()
    """The IR expressions of the positional arguments, where they are one to one; for places."""

    def key(self) -> Hashable:
        return (
            tuple([v.key() for v in self.positional]),
            tuple(sorted([(k, v.key()) for k, v in self.keyword.items()], key=lambda item: item[0])),
            None if self.star is None else self.star.key(),
            None if self.double_star is None else self.double_star.key(),
        )

    def all(self) -> list[Value]:
        extra = [v for v in (self.star, self.double_star) if v is not None]
        return [*self.positional, *self.keyword.values(), *extra]

    def get(self, position: int, name: str) -> Value | None:
        """The argument given by position or name, if any."""
        if position < len(self.positional):
            return self.positional[position]
        return self.keyword.get(name)


def alternatives(value: Value) -> tuple[Value, ...]:
    """The values that `value` may be."""
    return value.values if isinstance(value, Alternatives) else (value,)


def join(first: Value, second: Value) -> Value:
    """The least value that stands for both."""
    if first is second:
        return first
    if first is UNKNOWN or second is UNKNOWN:
        return UNKNOWN
    out: list[Value] = list(alternatives(first))
    for value in alternatives(second):
        for i, other in enumerate(out):
            merged = _merge(other, value)
            if merged is not None:
                out[i] = merged
                break
        else:
            out.append(value)
    if len(out) == 1:
        return out[0]
    if len(out) > LIMIT:
        return UNKNOWN
    return Alternatives(tuple(out))


def join_all(values: Sequence[Value]) -> Value | None:
    """The join of all, ``None`` of none."""
    out: Value | None = None
    for value in values:
        out = value if out is None else join(out, value)
    return out


def _merge(first: Value, second: Value) -> Value | None:
    """One value for both, or ``None`` if they are better kept apart."""
    if first is second:
        return first
    kind = type(first)
    if kind is not type(second):
        if isinstance(first, (Const, Static)) and isinstance(second, (Const, Static)):
            if first.key() == second.key():
                return first
            if NONE.key() in (first.key(), second.key()):
                return None  # an optional value stays optional
            return Static(type_name(first) if type_name(first) == type_name(second) else None)
        return None
    if isinstance(first, Tensor) and isinstance(second, Tensor):
        if first.traced == second.traced and first.presumed == second.presumed:
            return first
        return Tensor(first.traced or second.traced, first.presumed and second.presumed, first.origin or second.origin)
    if isinstance(first, Size) and isinstance(second, Size):
        return first if first.boolean == second.boolean else None
    if isinstance(first, Frozen) and isinstance(second, Frozen):
        return first if first.from_data else second
    if isinstance(first, Seq) and isinstance(second, Seq):
        return _merge_sequences(first, second)
    if isinstance(first, Dict) and isinstance(second, Dict):
        entries = dict(first.entries)
        for key, value in second.entries.items():
            entries[key] = join(entries[key], value) if key in entries else value
        rest = (
            first.rest if second.rest is None else second.rest if first.rest is None else join(first.rest, second.rest)
        )
        return Dict(entries, rest)
    if isinstance(first, Const) and isinstance(second, Const):
        if first.key() == second.key():
            return first
        if first.value is None or second.value is None:
            return None
        name = type_name(first)
        return Static(name if name == type_name(second) else None)
    return first if first.key() == second.key() else None


def _merge_sequences(first: Seq, second: Seq) -> Seq | None:
    if first.kind != second.kind:
        return None
    if first.elements is not None and second.elements is not None and len(first.elements) == len(second.elements):
        pairs = zip(first.elements, second.elements, strict=True)
        return Seq(first.kind, tuple([join(a, b) for a, b in pairs]), origin=first.origin)
    element = join_all([*first.items(), *second.items()])
    return Seq(first.kind, None, element, first.origin or second.origin)


def type_name(value: Value) -> str | None:
    """The name of the Python type of a static value, where known."""
    if isinstance(value, Const):
        return type(value.value).__name__
    if isinstance(value, (Static, Frozen)):
        return value.type
    return None


def element_of(value: Seq) -> Value:
    """What iterating yields."""
    return join_all(list(value.items())) or UNKNOWN
