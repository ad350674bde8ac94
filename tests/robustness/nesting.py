"""Source in which one form is nested or chained, to any depth."""

from __future__ import annotations

from collections.abc import Callable

FORMS: dict[str, Callable[[int], str]] = {
    "parentheses": lambda n: "x = " + "(" * n + "1" + ")" * n,
    "brackets": lambda n: "x = " + "[" * n + "]" * n,
    "braces": lambda n: "x = " + "{1:" * n + "1" + "}" * n,
    "open parentheses": lambda n: "x = " + "(" * n,
    "closed parentheses": lambda n: "x = (" + ")" * n if n < 30 else "x = (" + "(" * n + ")" * n,
    "lines of brackets": lambda n: "x = " + "(\n" * n + "1" + "\n)" * n,
    "minus": lambda n: "x = " + "-" * n + "1",
    "not": lambda n: "x = " + "not " * n + "1",
    "sum": lambda n: "x = 1" + "+1" * n,
    "sum over lines": lambda n: "x = (1" + "\n    + 1" * n + ")",
    "power": lambda n: "x = 2" + "**2" * n,
    "comparison": lambda n: "x = a" + " < a" * n,
    "attributes": lambda n: "x = a" + ".b" * n,
    "calls": lambda n: "x = a" + "()" * n,
    "calls with arguments": lambda n: "x = " + "a(" * n + ")" * n,
    "methods": lambda n: "x = a" + ".b(c)" * n,
    "subscripts": lambda n: "x = a" + "[0]" * n,
    "lambda": lambda n: "x = " + "lambda:" * n + "1",
    "lambda with parameters": lambda n: "x = " + "lambda a, b: " * n + "1",
    "conditional": lambda n: "x = " + "1 if 1 else " * n + "1",
    "and": lambda n: "x = a" + " and a" * n,
    "or": lambda n: "x = a" + " or a" * n,
    "elif": lambda n: "if 1:\n pass\n" + "elif 1:\n pass\n" * n,
    "else if": lambda n: (
        "".join(" " * i + "if a: b\n" + " " * i + "else:\n" for i in range(min(n, 500))) + " " * 501 + "c"
    ),
    "strings": lambda n: "x = " + "'' " * n,
    "f-strings": lambda n: "x = " + "f'{" * n + "1" + "}'" * n,
    "format specs": lambda n: "x = f'{a:" + "{a:" * n + "}" * n + "}'",
    "blocks": lambda n: "".join(" " * i + "if 1:\n" for i in range(min(n, 500))) + " " * min(n, 500) + "pass",
    "functions": lambda n: "".join(" " * i + "def f():\n" for i in range(min(n, 500))) + " " * min(n, 500) + "pass",
    "decorators": lambda n: "@a\n" * n + "def f(): pass",
    "annotations": lambda n: "x: " + "A[" * n + "B" + "]" * n,
    "patterns": lambda n: "match x:\n case " + "[" * n + "]" * n + ": pass",
    "comprehension": lambda n: "x = [a" + " for a in b" * n + "]",
    "filters": lambda n: "x = [a for a in b" + " if a" * n + "]",
    "walrus": lambda n: "x = " + "(y := " * n + "1" + ")" * n,
    "await": lambda n: "async def f():\n    x = " + "await " * n + "a",
    "targets": lambda n: "a = " * n + "1",
    "stars": lambda n: "x = " + "(*" * n + "a" + ",)" * n,
    "with": lambda n: "with " + "(" * n + "a" + ")" * n + ": pass",
}
