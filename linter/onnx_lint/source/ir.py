"""The function IR: what a chunk of source says, without how it is written.

Context-free (nothing is resolved), picklable, and shared by all chunks with the same text. Every node that can be
reported carries `at`, its number in the order of lowering; `positions.spans` turns numbers into places on demand,
since places are wanted for few nodes only.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Union

node = dataclass(slots=True, eq=False)


# ---------------------------------------------------------------------------------------------------- expressions
@node
class Const:
    """A literal: number, string, bytes, ``True``, ``False``, ``None``, ``...``."""

    at: int
    value: object


@node
class Opaque:
    """A literal or construct whose value is not kept (a huge number, a t-string)."""

    at: int


@node
class Name:
    at: int
    id: str


@node
class Attribute:
    at: int
    value: Expr
    attr: str


@node
class Subscript:
    at: int
    value: Expr
    index: Expr


@node
class Slice:
    at: int
    lower: Expr | None
    upper: Expr | None
    step: Expr | None


@node
class Call:
    """`keywords` holds ``(None, value)`` for ``**value``; starred positional arguments are `Starred`."""

    at: int
    func: Expr
    args: tuple[Expr, ...]
    keywords: tuple[tuple[str | None, Expr], ...]


@node
class BinOp:
    at: int
    op: str
    left: Expr
    right: Expr


@node
class UnaryOp:
    """`op` is ``-``, ``+``, ``~`` or ``not``."""

    at: int
    op: str
    value: Expr


@node
class Compare:
    at: int
    left: Expr
    rest: tuple[tuple[str, Expr], ...]


@node
class BoolOp:
    """``and`` or ``or`` of two operands, as written (left-associative)."""

    at: int
    op: str
    left: Expr
    right: Expr


@node
class IfExp:
    at: int
    test: Expr
    body: Expr
    orelse: Expr


@node
class Lambda:
    at: int
    params: Params
    body: Expr


@node
class Sequence:
    """A tuple, list or set display; `kind` is ``tuple``, ``list`` or ``set``."""

    at: int
    kind: str
    elements: tuple[Expr, ...]


@node
class Mapping:
    """A dict display; a key of ``None`` is ``**value``."""

    at: int
    items: tuple[tuple[Expr | None, Expr], ...]


@node
class Starred:
    at: int
    value: Expr


@node
class Generator:
    target: Expr
    iter: Expr
    ifs: tuple[Expr, ...]


@node
class Comprehension:
    """`kind` is ``list``, ``set``, ``dict`` or ``generator``; `key` is set for a dict."""

    at: int
    kind: str
    element: Expr
    key: Expr | None
    generators: tuple[Generator, ...]


@node
class Format:
    """An f-string: the expressions in its braces, with their conversion (``r``, ``s``, ``a`` or none)."""

    at: int
    values: tuple[Expr, ...]


@node
class Walrus:
    at: int
    target: str
    value: Expr


@node
class Await:
    """``await``, ``yield`` and ``yield from``; `kind` is ``await``, ``yield`` or ``yield from``."""

    at: int
    kind: str
    value: Expr | None


Expr = Union[
    Const, Opaque, Name, Attribute, Subscript, Slice, Call, BinOp, UnaryOp, Compare, BoolOp, IfExp, Lambda, Sequence,
    Mapping, Starred, Comprehension, Format, Walrus, Await,
]  # fmt: skip


# ----------------------------------------------------------------------------------------------------- statements
@node
class Param:
    at: int
    name: str
    default: Expr | None
    annotation: Expr | None


@node
class Params:
    positional: tuple[Param, ...]
    positional_only: int
    """How many of `positional` are positional-only."""
    vararg: Param | None
    keyword: tuple[Param, ...]
    kwarg: Param | None


@node
class Assign:
    at: int
    targets: tuple[Expr, ...]
    value: Expr
    annotation: Expr | None = None


@node
class Declare:
    """An annotation without a value: ``x: int``."""

    at: int
    target: Expr
    annotation: Expr


@node
class AugAssign:
    at: int
    target: Expr
    op: str
    value: Expr


@node
class ExprStmt:
    at: int
    value: Expr


@node
class Return:
    at: int
    value: Expr | None


@node
class Raise:
    at: int
    value: Expr | None


@node
class Assert:
    at: int
    test: Expr
    message: Expr | None


@node
class If:
    at: int
    test: Expr
    body: Block
    orelse: Block


@node
class While:
    at: int
    test: Expr
    body: Block
    orelse: Block


@node
class For:
    at: int
    target: Expr
    iter: Expr
    body: Block
    orelse: Block


@node
class With:
    at: int
    items: tuple[tuple[Expr, Expr | None], ...]
    body: Block


@node
class Handler:
    type: Expr | None
    name: str | None
    body: Block


@node
class Try:
    at: int
    body: Block
    handlers: tuple[Handler, ...]
    orelse: Block
    final: Block


@node
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


@node
class ClassDef:
    """`body` is empty for the header chunk of a class that was split into members."""

    at: int
    name: str
    bases: tuple[Expr, ...]
    keywords: tuple[tuple[str | None, Expr], ...]
    decorators: tuple[Expr, ...]
    body: Block


@node
class Import:
    """``import a.b as c``: pairs of dotted name and alias."""

    at: int
    names: tuple[tuple[str, str | None], ...]


@node
class ImportFrom:
    """``from ..a import b as c``; `names` is ``None`` for ``*``."""

    at: int
    module: str
    level: int
    names: tuple[tuple[str, str | None], ...] | None


@node
class Delete:
    at: int
    targets: tuple[Expr, ...]


@node
class Jump:
    """``break`` or ``continue``."""

    at: int
    kind: str


@node
class Scope:
    """``global`` or ``nonlocal``."""

    at: int
    kind: str
    names: tuple[str, ...]


@node
class Case:
    """`captures` are the names that the pattern binds; `constants` says whether it compares values."""

    captures: tuple[str, ...]
    compares: bool
    wildcard: bool
    guard: Expr | None
    body: Block


@node
class Match:
    at: int
    subject: Expr
    cases: tuple[Case, ...]


Stmt = Union[
    Assign, Declare, AugAssign, ExprStmt, Return, Raise, Assert, If, While, For, With, Try, FunctionDef, ClassDef,
    Import, ImportFrom, Delete, Jump, Scope, Match,
]  # fmt: skip

Block = tuple[Stmt, ...]
