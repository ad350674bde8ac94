"""Lowering: the IR says what Python's own parser says, for every kind of statement and expression."""

from __future__ import annotations

import pickle
import sys

import pytest
from robustness.oracle import nodes
from source.as_ast import lowered, reduced
from source.forms import ALL, in_class

from onnx_lint.source import ir
from onnx_lint.source.lower import lower, lower_expression

EXPRESSIONS = [
    "a.b.c",
    "a[1]",
    "a[1, 2]",
    "a[1,]",
    "a[()]",
    "a[:]",
    "a[1:2:3]",
    "a[::2, None, ...]",
    "a[b[c]]",
    "f()",
    "f(a, b)",
    "f(*a, b, *c)",
    "f(a, k=b, **c)",
    "f(**a, k=b)",
    "f(a for a in b)",
    "f(x := 1)",
    "a + b - c * d / e // f % g ** h @ i",
    "a & b | c ^ d << e >> f",
    "-a",
    "+a",
    "~a",
    "not a",
    "-1",
    "-1.5",
    "- -1",
    "-1j",
    "-True",
    "a < b <= c > d >= e == f != g",
    "a in b",
    "a not in b",
    "a is b",
    "a is not b",
    "a and b and c",
    "a or b or c",
    "a and b or c and d",
    "a and (b and c)",
    "not a and not b",
    "a if b else c",
    "a if b else c if d else e",
    "lambda: 0",
    "lambda a, b=1, *c, d, e=2, **f: a",
    "lambda a, /, b: a",
    "lambda *, a: a",
    "()",
    "(a,)",
    "a, b",
    "(a, *b)",
    "[]",
    "[a, *b]",
    "{a}",
    "{a, *b}",
    "{}",
    "{a: b, **c, 'd': 1}",
    "[a for b in c]",
    "[a for b in c if d if e for f in g]",
    "{a for b in c}",
    "{a: b for c, d in e}",
    "(a for b, in c)",
    "(a := b)",
    "f'{a}'",
    "f'a{b!r}c{d:>{e}}f'",
    "f'{a=}'",
    "f'{a}' 'b' f'{c}'",
    "'a' 'b'",
    "b'a' b'c'",
    "'\\n\\x41\\u0041\\N{DIGIT ONE}'",
    "r'\\n'",
    "u'a'",
    "'''a\nb'''",
    '"""a"b"""',
    "''",
    "''''''",
    "b''",
    "rb'\\n'",
    "1",
    "0",
    "00",
    "1_000",
    "0x_ff",
    "0o17",
    "0b101",
    "1.5",
    "1.",
    ".5",
    "1e3",
    "1_0.0_1e-1_0",
    "1j",
    "1.5J",
    "None",
    "True",
    "False",
    "...",
    "(yield)",
    "(yield a)",
    "(yield a, b)",
    "(yield from a)",
    "(await a)",
    "(a)",
    "((a))",
    "(a.b)(c)",
    "a(b)(c)[d].e",
]

STATEMENTS = [
    "a = b",
    "a = b = c",
    "a, b = c",
    "(a, *b), c = d",
    "a[0] = b.c = d",
    "a: int",
    "a: int = 1",
    "a.b: int = 1",
    "a += 1",
    "a.b -= 1",
    "a[0] *= 1",
    "a /= 1; a //= 1; a %= 1; a **= 1; a @= 1; a &= 1; a |= 1; a ^= 1; a <<= 1; a >>= 1",
    "return",
    "return a",
    "return a, b",
    "raise",
    "raise A",
    "raise A(b) from c",
    "assert a",
    "assert a, b",
    "pass",
    "'docstring'",
    "b'bytes'",
    "f'{a}'",
    "a",
    "del a",
    "del a, b[0]",
    "del (a, b)",
    "import a",
    "import a.b",
    "import a.b.c as d, e",
    "from a import b",
    "from a.b import c as d, e",
    "from . import a",
    "from ..a.b import c",
    "from ... import a",
    "from a import *",
    "from a import (b, c,)",
    "global a, b",
    "nonlocal a",
    "for a in b: break",
    "for a, b in c:\n    continue\nelse:\n    d",
    "while a:\n    b\nelse:\n    c",
    "if a: b\nelif c: d\nelif e: f\nelse: g",
    "with a: b",
    "with a as b, c as (d, e): f",
    "with (a as b, c): d",
    "try: a\nexcept: b",
    "try: a\nexcept A: b\nexcept (B, C) as d: e\nelse: f\nfinally: g",
    "try: a\nfinally: b",
    "match a:\n    case 1 | 'b' | -1: a\n    case None | True: b\n    case A.b: c\n    case _: d",
    "match a:\n    case [a, [b, *c], *_]: d\n    case (e, f): g\n    case []: h\n    case x: i",
    "match a:\n    case {'k': b, 1: C(d, e=f), **g} if h: i\n    case A(b=1) as c: d\n    case [1, *_] | {'a': 2}: e",
    "def f(): pass",
    "def f(a, b: int = 1, /, c=2, *d: str, e, f=3, **g: int) -> 'str': return a",
    "def f(*, a): pass",
    "@a\n@b.c(d)\ndef f(): 'doc'",
    "async def f():\n    async with a as b: c\n    async for d in e: await f\n    return [g async for g in h]",
    "class A: pass",
    "@d\nclass A(B, *c, metaclass=D, **e):\n    'doc'\n    x: int = 1\n    def f(self): return super().f()",
]
if sys.version_info >= (3, 11):  # the reference is the `ast` of the Python that runs the tests
    STATEMENTS.append("try: a\nexcept* A: b")


@pytest.mark.parametrize("text", EXPRESSIONS)
def test_expressions_mean_what_python_says(text: str) -> None:
    done = lower(f"x = {text}\n")
    assert done.fault is None
    assert lowered(done.body) == reduced(f"x = {text}\n")
    alone = lower_expression(f" ({text}) ")
    assert alone is None if text in _STRINGS else alone is not None


_STRINGS = {
    "u'a'",
    "'''a\nb'''",
    '"""a"b"""',
    "''",
    "''''''",
    "b''",
    "rb'\\n'",
    "r'\\n'",
    "'\\n\\x41\\u0041\\N{DIGIT ONE}'",
}
"""A plain string alone is a docstring."""


@pytest.mark.parametrize("text", [*STATEMENTS, *ALL.values()])
def test_statements_mean_what_python_says(text: str) -> None:
    done = lower(text)
    assert done.fault is None
    assert lowered(done.body) == reduced(text)
    member = lower(in_class(text).partition("\n")[2], member=True)
    assert member.fault is None
    body = [s for outer in lower(in_class(text)).body if isinstance(outer, ir.ClassDef) for s in outer.body]
    assert lowered(member.body) == lowered(tuple(body))


def test_every_kind_of_node_is_met_here() -> None:
    """The cases above make every class of the IR that stands for syntax."""
    met = {type(n) for text in (*(f"x = {e}" for e in EXPRESSIONS), *STATEMENTS) for n in nodes(lower(text).body)}
    assert {k.__name__ for k in (*ir.Expr.__args__, *ir.Stmt.__args__) if k not in met} == {"Opaque"}


@pytest.mark.parametrize(
    ("text", "is_generator"),
    [
        ("def f():\n    yield 1", True),
        ("def f():\n    x = yield from g()", True),
        ("def f():\n    return 1", False),
        ("def f():\n    def g():\n        yield 1\n    return g", False),
        ("def f():\n    class A:\n        def g(self): yield 1\n    yield 2", True),
    ],
)
def test_generators_are_told(text: str, is_generator: bool) -> None:
    (function,) = lower(text).body
    assert isinstance(function, ir.FunctionDef) and function.is_generator is is_generator


def test_numbers_of_many_digits_have_no_value() -> None:
    for digits, kind in (("9" * 90, ir.Const), ("9" * 5000, ir.Opaque), ("0x" + "f" * 5000, ir.Opaque)):
        (assign,) = lower(f"x = {digits}").body
        assert isinstance(assign, ir.Assign) and type(assign.value) is kind


def test_syntax_newer_than_this_python_is_lowered() -> None:
    for text in (
        "def f[T: int](x: T) -> T: return x",
        "class A[T](B[T]): pass",
        "type X[T] = list[T]",
        'x = f"{a["b"]}"',
        "try: pass\nexcept A, B: pass",
        "x = a[*b, c]",
    ):
        assert lower(text).fault is None, text


def test_the_result_is_plain_data() -> None:
    body = lower("class A:\n    def f(self, x=1):\n        return [y for y in x]").body
    again = pickle.loads(pickle.dumps(body))
    assert lowered(again) == lowered(body)


def test_an_expression_in_a_string() -> None:
    assert isinstance(lower_expression("Optional[Tensor]"), ir.Subscript)
    for text in ("", "a b", "a; b", "a = 1", "(", "def f(): pass", "\0"):
        assert lower_expression(text) is None, text
