"""The function IR: what a chunk of source says, without how it is written.

Context-free (nothing is resolved), picklable, and shared by all chunks with the same text. Every node that can be
reported carries `at`, its number in the order of lowering; `positions.spans` turns numbers into places on demand,
since places are wanted for few nodes only.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeGuard, get_args


# ---------------------------------------------------------------------------------------------------- expressions
@dataclass(slots=True, eq=False)
class Const:
    """A literal: number, string, bytes, ``True``, ``False``, ``None``, ``...``."""

    at: int
    value: object


@dataclass(slots=True, eq=False)
class Opaque:
    """A literal or construct whose value is not kept (a huge number, a t-string)."""

    at: int


@dataclass(slots=True, eq=False)
class Name:
    at: int
    id: str


@dataclass(slots=True, eq=False)
class Attribute:
    at: int
    value: Expr
    attr: str


@dataclass(slots=True, eq=False)
class Subscript:
    at: int
    value: Expr
    index: Expr


@dataclass(slots=True, eq=False)
class Slice:
    at: int
    lower: Expr | None
    upper: Expr | None
    step: Expr | None


@dataclass(slots=True, eq=False)
class Call:
    """`keywords` holds ``(None, value)`` for ``**value``; starred positional arguments are `Starred`."""

    at: int
    func: Expr
    args: tuple[Expr, ...]
    keywords: tuple[tuple[str | None, Expr], ...]


@dataclass(slots=True, eq=False)
class BinOp:
    at: int
    op: str
    left: Expr
    right: Expr


@dataclass(slots=True, eq=False)
class UnaryOp:
    """`op` is ``-``, ``+``, ``~`` or ``not``."""

    at: int
    op: str
    value: Expr


@dataclass(slots=True, eq=False)
class Compare:
    at: int
    left: Expr
    rest: tuple[tuple[str, Expr], ...]


@dataclass(slots=True, eq=False)
class BoolOp:
    """``and`` or ``or`` of two operands, as written (left-associative)."""

    at: int
    op: str
    left: Expr
    right: Expr


@dataclass(slots=True, eq=False)
class IfExp:
    at: int
    test: Expr
    body: Expr
    orelse: Expr


@dataclass(slots=True, eq=False)
class Lambda:
    at: int
    params: Params
    body: Expr


@dataclass(slots=True, eq=False)
class Sequence:
    """A tuple, list or set display; `kind` is ``tuple``, ``list`` or ``set``."""

    at: int
    kind: str
    elements: tuple[Expr, ...]


@dataclass(slots=True, eq=False)
class Mapping:
    """A dict display; a key of ``None`` is ``**value``."""

    at: int
    items: tuple[tuple[Expr | None, Expr], ...]


@dataclass(slots=True, eq=False)
class Starred:
    at: int
    value: Expr


@dataclass(slots=True, eq=False)
class Generator:
    target: Expr
    iter: Expr
    ifs: tuple[Expr, ...]


@dataclass(slots=True, eq=False)
class Comprehension:
    """`kind` is ``list``, ``set``, ``dict`` or ``generator``; `key` is set for a dict."""

    at: int
    kind: str
    element: Expr
    key: Expr | None
    generators: tuple[Generator, ...]


@dataclass(slots=True, eq=False)
class Format:
    """An f-string: the expressions in its braces, and in their formats. `between` is the text around them, one more
    than they are, where that says all: without conversion, format or escape."""

    at: int
    values: tuple[Expr, ...]
    between: tuple[str, ...] | None = None


@dataclass(slots=True, eq=False)
class Walrus:
    at: int
    target: str
    value: Expr


@dataclass(slots=True, eq=False)
class Await:
    """``await``, ``yield`` and ``yield from``; `kind` is ``await``, ``yield`` or ``yield from``."""

    at: int
    kind: str
    value: Expr | None


Expr = (
    Const
    | Opaque
    | Name
    | Attribute
    | Subscript
    | Slice
    | Call
    | BinOp
    | UnaryOp
    | Compare
    | BoolOp
    | IfExp
    | Lambda
    | Sequence
    | Mapping
    | Starred
    | Comprehension
    | Format
    | Walrus
    | Await
)


# ----------------------------------------------------------------------------------------------------- statements
@dataclass(slots=True, eq=False)
class Param:
    at: int
    name: str
    default: Expr | None
    annotation: Expr | None


@dataclass(slots=True, eq=False)
class Params:
    positional: tuple[Param, ...]
    positional_only: int
    """How many of `positional` are positional-only."""
    vararg: Param | None
    keyword: tuple[Param, ...]
    kwarg: Param | None


@dataclass(slots=True, eq=False)
class Assign:
    at: int
    targets: tuple[Expr, ...]
    value: Expr
    annotation: Expr | None = None


@dataclass(slots=True, eq=False)
class Declare:
    """An annotation without a value: ``x: int``."""

    at: int
    target: Expr
    annotation: Expr


@dataclass(slots=True, eq=False)
class AugAssign:
    at: int
    target: Expr
    op: str
    value: Expr


@dataclass(slots=True, eq=False)
class ExprStmt:
    at: int
    value: Expr


@dataclass(slots=True, eq=False)
class Return:
    at: int
    value: Expr | None


@dataclass(slots=True, eq=False)
class Raise:
    at: int
    value: Expr | None


@dataclass(slots=True, eq=False)
class Assert:
    at: int
    test: Expr
    message: Expr | None


@dataclass(slots=True, eq=False)
class If:
    at: int
    test: Expr
    body: Block
    orelse: Block


@dataclass(slots=True, eq=False)
class While:
    at: int
    test: Expr
    body: Block
    orelse: Block


@dataclass(slots=True, eq=False)
class For:
    at: int
    target: Expr
    iter: Expr
    body: Block
    orelse: Block


@dataclass(slots=True, eq=False)
class With:
    at: int
    items: tuple[tuple[Expr, Expr | None], ...]
    body: Block


@dataclass(slots=True, eq=False)
class Handler:
    type: Expr | None
    name: str | None
    body: Block


@dataclass(slots=True, eq=False)
class Try:
    at: int
    body: Block
    handlers: tuple[Handler, ...]
    orelse: Block
    final: Block


@dataclass(slots=True, eq=False)
class FunctionDef:
    at: int
    name: str
    params: Params
    body: Block
    decorators: tuple[Expr, ...]
    returns: Expr | None
    is_async: bool
    is_generator: bool
    is_lambda: bool = False


@dataclass(slots=True, eq=False)
class ClassDef:
    """`body` is empty for the header chunk of a class that was split into members."""

    at: int
    name: str
    bases: tuple[Expr, ...]
    keywords: tuple[tuple[str | None, Expr], ...]
    decorators: tuple[Expr, ...]
    body: Block


@dataclass(slots=True, eq=False)
class Import:
    """``import a.b as c``: pairs of dotted name and alias."""

    at: int
    names: tuple[tuple[str, str | None], ...]


@dataclass(slots=True, eq=False)
class ImportFrom:
    """``from ..a import b as c``; `names` is ``None`` for ``*``."""

    at: int
    module: str
    level: int
    names: tuple[tuple[str, str | None], ...] | None


@dataclass(slots=True, eq=False)
class Delete:
    at: int
    targets: tuple[Expr, ...]


@dataclass(slots=True, eq=False)
class Jump:
    """``break`` or ``continue``."""

    at: int
    kind: str


@dataclass(slots=True, eq=False)
class Scope:
    """``global`` or ``nonlocal``."""

    at: int
    kind: str
    names: tuple[str, ...]


@dataclass(slots=True, eq=False)
class Case:
    """`captures` are the names that the pattern binds; `constants` says whether it compares values."""

    captures: tuple[str, ...]
    compares: bool
    wildcard: bool
    guard: Expr | None
    body: Block


@dataclass(slots=True, eq=False)
class Match:
    at: int
    subject: Expr
    cases: tuple[Case, ...]


Stmt = (
    Assign
    | Declare
    | AugAssign
    | ExprStmt
    | Return
    | Raise
    | Assert
    | If
    | While
    | For
    | With
    | Try
    | FunctionDef
    | ClassDef
    | Import
    | ImportFrom
    | Delete
    | Jump
    | Scope
    | Match
)

Block = tuple[Stmt, ...]


# ----------------------------------------------------------------------------------------------------------- walks
def dotted(node: Expr) -> str:
    """The dotted name that an expression is (``torch.nn.Module``); a part that is neither a name nor an attribute
    stands as ``?``."""
    names: list[str] = []
    while isinstance(node, Attribute):
        names.append(node.attr)
        node = node.value
    names.append(node.id if isinstance(node, Name) else "?")
    return ".".join(reversed(names))


Node = Expr | Stmt | Param | Params | Generator | Handler | Case
"""Anything that the IR consists of."""

_NODES = frozenset(get_args(Node))


def is_node(value: object) -> TypeGuard[Node]:
    """Whether something that a field holds is a node of the IR."""
    return type(value) in _NODES


def children(node: Node) -> Iterator[Node]:
    """The nodes right below a node, in order of their fields."""
    for slot in node.__slots__:
        yield from _nodes(getattr(node, slot))


def _nodes(value: object) -> Iterator[Node]:
    if isinstance(value, tuple):
        for part in value:
            yield from _nodes(part)
    elif is_node(value):
        yield value


def walk(root: Node | Block) -> Iterator[Node]:
    """A node, or the statements of a block, and everything below, parents before their children, in order of their
    fields. Without recursion: the IR of a chunk may be deeper than Python's stack."""
    stack = list(_nodes(root))[::-1]
    while stack:
        node = stack.pop()
        yield node
        below: list[Node] = []
        for slot in node.__slots__:  # `children`, written out: trees are walked at every key that is typed
            value = getattr(node, slot)
            kind = type(value)
            if kind in _NODES:
                below.append(value)
            elif kind is tuple and value:
                below.extend(_nodes(value))
        stack.extend(reversed(below))
