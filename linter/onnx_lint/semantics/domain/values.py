"""What an expression may hold while a model is captured: a closed set of kinds, none of which can change.

*Traced* values change with the model's inputs: tensors computed from them, sizes of those tensors, Python numbers and
NumPy arrays read from them. Everything else is fixed when the export starts. `UNKNOWN` says that nothing is known;
rules are silent about it.

A list, dict, module container, object or buffer has an *address*. What it holds is written in the value as it was read
last; what was written since stands in the `store` under the address.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar

from onnx_lint.semantics.domain.dims import UNKNOWN_SIZE, Dim
from onnx_lint.semantics.domain.keys import Key, key_of
from onnx_lint.semantics.domain.origin import Origin
from onnx_lint.semantics.domain.shapes import UNTYPED, TensorType

if TYPE_CHECKING:
    from typing_extensions import dataclass_transform

    from onnx_lint.project.classes import ClassInfo
    from onnx_lint.project.modules import SourceModule, Unit
    from onnx_lint.semantics.domain.environment import Environment
    from onnx_lint.source import ir


else:

    def dataclass_transform(**_: object) -> object:
        """Says something to type checkers only."""
        return lambda function: function


T = TypeVar("T")


@dataclass_transform(frozen_default=True, field_specifiers=(field,))
def _kind(cls: type[T]) -> type[T]:
    """A dataclass that cannot change, compared by identity. The type checker holds that; at run time it would make
    values twice as expensive to build."""
    return dataclass(slots=True, eq=False)(cls)


class Address:
    """The identity of something that can change. `flow` is the run of the interpreter that made it, `order` counts what
    it made; `many` says that it stands for several objects alike, of which a write changes one."""

    __slots__ = ("flow", "many", "order")

    def __init__(self, flow: object, order: int, *, many: bool = False) -> None:
        self.flow, self.order, self.many = flow, order, many


Addresses: TypeAlias = "tuple[Address, ...]"
"""What a value may be: one address when that is certain, several when it is one of them, none for what cannot change
or is not followed."""

MAX_ADDRESSES = 4
"""How many objects a value may be; beyond, writes to it are not followed."""


class Kind:
    """Base of all kinds of values: what most of them answer."""

    __slots__ = ()
    origin: Origin | None = None
    addresses: Addresses = ()

    if TYPE_CHECKING:  # what is asked most often is a plain attribute of most kinds, and computed by the others

        @property
        def has_addresses(self) -> bool:
            """Whether it, or a part of it, has an address."""
            return False

        @property
        def depth(self) -> int:
            """How deeply containers are nested in it."""
            return 0

        @property
        def is_traced(self) -> bool:
            """Whether it changes with the inputs of the model."""
            return False
    else:
        has_addresses = is_traced = False
        depth = 0

    def key(self) -> Hashable:
        """What identifies values that behave as this one, see `keys`."""
        return type(self).__name__


@_kind
class Unknown(Kind):
    """Nothing is known."""


@_kind
class Static(Kind):
    """Fixed when the export starts, value unknown; `type` is a Python type name where known (``int``, ``str``)."""

    type: str | None = None

    def key(self) -> Hashable:
        return ("static", self.type)


@_kind
class Const(Kind):
    """A Python constant: a number, string, bytes, truth value, ``None`` or ``...``."""

    value: object

    def key(self) -> Hashable:
        value = self.value
        if isinstance(value, (float, complex)):
            return ("const", type(value).__name__, repr(value))  # 0.0 and -0.0 are equal and differ
        return ("const", type(value).__name__, value)


@_kind
class EngineFlag(Kind):
    """A truth that is not the same, or not known, under all engines: ``torch.jit.is_tracing()``, or that ``and`` a
    setting. An engine in both sets is one under which it is not known."""

    true_for: int
    """Bit set of the engines under which it may be true, see `engines.TORCHSCRIPT` and `engines.DYNAMO`."""
    false_for: int
    """The engines under which it may be false."""

    def key(self) -> Hashable:
        return ("engine", self.true_for, self.false_for)


@_kind
class Tensor(Kind):
    """A tensor. `traced`: computed from the inputs. `presumed`: known to be one only by circumstance, so that
    nothing is said about iterating or testing it. `parameter`: name, when it is an input of ``forward`` itself."""

    traced: bool = True
    presumed: bool = False
    origin: Origin | None = None
    parameter: str | None = None
    is_shape: bool = False
    """Its elements are sizes (``torch.tensor(x.shape)`` under tracing)."""
    addresses: Addresses = ()
    type: TensorType = UNTYPED
    """Shape and dtype, as far as they are known."""

    @property
    def is_traced(self) -> bool:
        return self.traced

    @property
    def has_addresses(self) -> bool:
        return bool(self.addresses)

    def key(self) -> Hashable:
        return ("tensor", self.traced, self.presumed, self.parameter, self.is_shape, self.type)


@_kind
class Size(Kind):
    """A dimension of a traced tensor, or a number computed from one; a live value of the graph.

    `boolean`: the result of a comparison; `dim` is then 1 or 0 where the shapes decide it. `parameter` and `axis` name
    the dimension of ``forward``'s input when it is exactly that. `dim` is what is known of its value.
    """

    origin: Origin | None = None
    boolean: bool = False
    parameter: str | None = None
    axis: int | None = None
    presumed: bool = False
    dim: Dim = UNKNOWN_SIZE

    if TYPE_CHECKING:

        @property
        def is_traced(self) -> bool:
            return True
    else:
        is_traced = True

    def key(self) -> Hashable:
        return ("size", self.boolean, self.parameter, self.axis, self.presumed, self.dim)

    @property
    def is_dimension(self) -> bool:
        """Whether it is a dimension as it is. Of a computed one (a strided convolution's), ``int`` keeps the number of
        the example under dynamo too."""
        return not self.boolean and (self.parameter is not None or self.axis in (0, 1))


@_kind
class Frozen(Kind):
    """A Python number or string read from a traced value: ``int(x.shape[0])``, ``x.item()``.

    `from_data`: it depends on what a tensor holds, not only on sizes. `live`: bit set (`Engine.bit`) of the engines
    under which it is still a value of the graph (dynamo follows ``int(x.shape[0])`` and ``x.item()``).
    """

    from_data: bool
    type: str | None = None
    origin: Origin | None = None
    live: int = 0
    dim: Dim = UNKNOWN_SIZE
    """Of an integer: what is known of its value."""

    if TYPE_CHECKING:

        @property
        def is_traced(self) -> bool:
            return True
    else:
        is_traced = True

    def key(self) -> Hashable:
        return ("frozen", self.from_data, self.type, self.live, self.dim)


@_kind
class Array(Kind):
    """A NumPy array or scalar made from a traced value."""

    origin: Origin | None = None

    if TYPE_CHECKING:

        @property
        def is_traced(self) -> bool:
            return True
    else:
        is_traced = True

    def key(self) -> Hashable:
        return "array"


@_kind
class Seq(Kind):
    """A tuple, list, set, ``torch.Size`` (kind ``shape``), generator or iterator. `elements` is ``None`` when the
    length is unknown; then `element` stands for all of them, and is ``None`` if none is known."""

    kind: str
    elements: tuple[Value, ...] | None = None
    element: Value | None = None
    origin: Origin | None = None
    parameter: str | None = None
    """The input of ``forward`` whose whole shape this is."""
    first_axis: int = 0
    addresses: Addresses = ()
    last: Dim | None = None
    """Of a shape of unknown length: the size of the last dimension, if that is known."""
    is_traced: bool = field(init=False)
    has_addresses: bool = field(init=False)
    depth: int = field(init=False)
    _key: Key | None = field(init=False, default=None)

    def __post_init__(self) -> None:
        _describe(self, self.items())

    def items(self) -> tuple[Value, ...]:
        """The values that it may hold."""
        if self.elements is not None:
            return self.elements
        return (self.element,) if self.element is not None else ()

    def key(self) -> Hashable:
        found = self._key
        if found is None:
            elements = None if self.elements is None else tuple([e.key() for e in self.elements])
            element = None if self.element is None or elements is not None else self.element.key()
            found = key_of("seq", self.kind, elements, element, self.parameter, self.first_axis, self.last)
            object.__setattr__(self, "_key", found)
        return found


@_kind
class Dict(Kind):
    """A dict: values by constant key, and what other keys may hold."""

    entries: Mapping[Hashable, Value]
    rest: Value | None = None
    addresses: Addresses = ()
    is_traced: bool = field(init=False)
    has_addresses: bool = field(init=False)
    depth: int = field(init=False)
    _key: Key | None = field(init=False, default=None)

    def __post_init__(self) -> None:
        _describe(self, self.values())

    def values(self) -> tuple[Value, ...]:
        """The values that it may hold."""
        return (*self.entries.values(), self.rest) if self.rest is not None else tuple(self.entries.values())

    def key(self) -> Hashable:
        found = self._key
        if found is None:
            # 1, 1.0 and True are one key, as in Python
            entries = tuple([(k, v.key()) for k, v in self.entries.items()])
            found = key_of("dict", entries, None if self.rest is None else self.rest.key())
            object.__setattr__(self, "_key", found)
        return found


def _describe(value: Seq | Dict, parts: tuple[Value, ...]) -> None:
    """Compute what a container is asked for again and again."""
    is_traced, has_addresses, depth = False, bool(value.addresses), 0
    for part in parts:
        is_traced = is_traced or part.is_traced
        has_addresses = has_addresses or part.has_addresses
        depth = max(depth, part.depth)
    put = object.__setattr__
    put(value, "is_traced", is_traced)
    put(value, "has_addresses", has_addresses)
    put(value, "depth", depth + 1)


@_kind
class RangeValue(Kind):
    """``range(…)``; `bound` is a traced argument, if there is one; `length` the number of turns where known."""

    bound: Value | None
    length: int | None = None

    @property
    def is_traced(self) -> bool:
        return self.bound is not None and self.bound.is_traced

    def key(self) -> Hashable:
        return ("range", None if self.bound is None else self.bound.key(), self.length)


@_kind
class ExternalValue(Kind):
    """Something outside the project by name: a module, a class or a function."""

    name: str

    def key(self) -> Hashable:
        return ("external", self.name)


@_kind
class ExternalInstance(Kind):
    """An instance of a class outside the project, such as ``torch.nn.Conv2d``; `items` are the parts of a
    container (``Sequential``, ``ModuleList``), `args` what it was made with by keyword, `settings` all of that: what
    shapes follow from."""

    name: str
    items: Seq | Dict | None = None
    args: Mapping[str, Value] | None = None
    addresses: Addresses = ()
    settings: Arguments | None = None

    @property
    def has_addresses(self) -> bool:
        return bool(self.addresses) or (self.items is not None and self.items.has_addresses)

    @property
    def depth(self) -> int:
        return 0 if self.items is None else self.items.depth + 1

    def key(self) -> Hashable:
        args = None if not self.args else tuple([(k, v.key()) for k, v in self.args.items()])
        made = None if self.settings is None else self.settings.key()
        return key_of("external instance", self.name, None if self.items is None else self.items.key(), args, made)


UNSEEN: Hashable = "not seen being made"


@_kind
class Instance(Kind):
    """An object of a class of the project. Its attributes come from interpreting ``__init__`` when first wanted;
    objects of a class made with the same arguments (`made`) begin alike. `args` is ``None`` when it was not seen
    being made."""

    cls: ClassInfo
    args: Arguments | None
    made: Hashable
    addresses: Addresses = ()

    @property
    def has_addresses(self) -> bool:
        return bool(self.addresses)

    def key(self) -> Hashable:
        return ("instance", self.cls, self.made)


@_kind
class ClassValue(Kind):
    """A class of the project."""

    cls: ClassInfo

    def key(self) -> Hashable:
        return ("class", self.cls)


@_kind
class Function(Kind):
    """A function of the project with what it closes over; `owner` is the class whose body defines it."""

    unit: Unit
    function: ir.FunctionDef
    closure: Environment | None = None
    owner: ClassInfo | None = None
    opaque: bool = False
    """Decorated such that its body is not what is traced (``torch.jit.script``, ``ignore``)."""

    def key(self) -> Hashable:
        return ("function", self.unit, self.function, self.closure, self.owner, self.opaque)


@_kind
class Bound(Kind):
    """A function, or a method by name of something that is no project class, bound to its first argument."""

    function: Function | str
    receiver: Value

    @property
    def has_addresses(self) -> bool:
        return self.receiver.has_addresses

    @property
    def depth(self) -> int:
        return self.receiver.depth

    def key(self) -> Hashable:
        name = self.function if isinstance(self.function, str) else self.function.key()
        return key_of("bound", name, self.receiver.key())


@_kind
class Partial(Kind):
    """``functools.partial(f, …)``."""

    function: Value
    args: Arguments
    depth: int = field(init=False)
    _key: Key | None = field(init=False, default=None)

    def __post_init__(self) -> None:
        parts = (self.function, *self.args.all())
        object.__setattr__(self, "depth", 1 + max(p.depth for p in parts))

    @property
    def has_addresses(self) -> bool:
        return any(v.has_addresses for v in self.args.all())

    def key(self) -> Hashable:
        found = self._key
        if found is None:
            found = key_of("partial", self.function.key(), self.args.key())
            object.__setattr__(self, "_key", found)
        return found


@_kind
class ModuleValue(Kind):
    """A module of the project."""

    name: str
    source: SourceModule | None

    def key(self) -> Hashable:
        return ("module", self.name)


@_kind
class Super(Kind):
    """``super()`` inside a method of `owner`."""

    owner: ClassInfo
    receiver: Value

    @property
    def has_addresses(self) -> bool:
        return self.receiver.has_addresses

    def key(self) -> Hashable:
        return key_of("super", self.owner, self.receiver.key())


@_kind
class Alternatives(Kind):
    """One of several values, such as an optional tensor; made by `lattice.join`. None of them is an `Alternatives` or
    `Unknown`, and no two of them are of a kind that joins to one value."""

    values: tuple[Alternative, ...]
    engines: tuple[int, ...] | None = None
    """Of each value the bit set of the engines under which it may be this one; ``None``: all of them, of all."""
    origin: Origin | None = field(init=False)
    is_traced: bool = field(init=False)
    has_addresses: bool = field(init=False)
    depth: int = field(init=False)
    _key: Key | None = field(init=False, default=None)

    def __post_init__(self) -> None:
        put = object.__setattr__
        put(self, "origin", next((v.origin for v in self.values if v.origin is not None), None))
        put(self, "is_traced", any(v.is_traced for v in self.values))
        put(self, "has_addresses", any(v.has_addresses for v in self.values))
        put(self, "depth", max(v.depth for v in self.values))

    def key(self) -> Hashable:
        found = self._key
        if found is None:
            if self.engines is None:
                found = key_of("one of", frozenset([v.key() for v in self.values]))
            else:
                pairs = zip(self.values, self.engines, strict=True)
                found = key_of("one of", frozenset([(v.key(), engines) for v, engines in pairs]))
            object.__setattr__(self, "_key", found)
        return found


Alternative: TypeAlias = (
    "Static | Const | EngineFlag | Tensor | Size | Frozen | Array | Seq | Dict | RangeValue | ExternalValue"
    " | ExternalInstance | Instance | ClassValue | Function | Bound | Partial | ModuleValue | Super"
)
"""One value of which something is known."""
Single: TypeAlias = "Alternative | Unknown"
"""One value."""
Value: TypeAlias = "Alternative | Unknown | Alternatives"
"""All that an expression may hold."""

UNKNOWN = Unknown()
STATIC = Static()
NONE = Const(None)
TRUE = Const(True)
FALSE = Const(False)


@_kind
class Arguments:
    """The arguments of a call. `star` and `double_star` stand for what ``*a`` and ``**k`` of unknown length hold."""

    positional: tuple[Value, ...] = ()
    keyword: Mapping[str, Value] = field(default_factory=dict)
    star: Value | None = None
    double_star: Value | None = None
    nodes: tuple[Any, ...] = ()
    """The IR expressions of the positional arguments, where they are one to one; for places."""
    _key: Key | None = field(init=False, default=None)

    def key(self) -> Hashable:
        found = self._key
        if found is None:
            found = key_of(
                "arguments",
                tuple([v.key() for v in self.positional]),
                tuple(sorted([(k, v.key()) for k, v in self.keyword.items()], key=lambda item: item[0])),
                None if self.star is None else self.star.key(),
                None if self.double_star is None else self.double_star.key(),
            )
            object.__setattr__(self, "_key", found)
        return found

    def all(self) -> tuple[Value, ...]:
        """All values given, in the order written."""
        if not self.keyword and self.star is None and self.double_star is None:
            return self.positional
        extra = [v for v in (self.star, self.double_star) if v is not None]
        return (*self.positional, *self.keyword.values(), *extra)

    def get(self, position: int, name: str) -> Value | None:
        """The argument given by position or name, if any."""
        if position < len(self.positional):
            return self.positional[position]
        return self.keyword.get(name)

    def after(self, *first: Value) -> Arguments:
        """The same arguments with others in front: a receiver, what ``partial`` holds."""
        return Arguments((*first, *self.positional), self.keyword, self.star, self.double_star)

    def without_first(self) -> Arguments:
        """The same arguments but for the first."""
        return Arguments(self.positional[1:], self.keyword, self.star, self.double_star)
