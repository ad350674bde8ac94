"""Programs that a careless fix would change: what they do before `--fix`, they must do after it.

Each is a module, and expressions to evaluate in it: values, exceptions and gradients are compared. They are written
along what fixes were once caught doing: judged from one caller, from a spelling, from the next few characters.
"""

from __future__ import annotations

import textwrap
from dataclasses import dataclass

HEAD = """\
import math
import operator
from functools import partial
from typing import List, Optional, Tuple, Union

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn


class Box:
    \"\"\"Something that is no tensor, and has what is asked of one.\"\"\"

    def __init__(self, *shape):
        self.shape, self.data = shape, torch.ones(2, 4)

    def __len__(self):
        return 7

    def size(self, axis):
        return self.shape[axis]

    def numel(self):
        return 2.5

    def __radd__(self, other):
        return 5

    def __iadd__(self, other):
        return 6


class Counted(torch.Tensor):
    def __len__(self):
        return 70


x = torch.arange(8.0).reshape(2, 4)


def graded(call, *written):
    \"\"\"What a model gives for an input that wants a gradient, that gradient, and what is there afterwards.\"\"\"
    given = x.clone().requires_grad_()
    out = call(given)
    out.sum().backward()
    return out, given.grad, given


"""


@dataclass(frozen=True)
class Attack:
    """A module, and the expressions that are evaluated in it."""

    source: str
    calls: tuple[str, ...]


def model(body: str, *calls: str, takes: str = "x", init: str = "", top: str = "", methods: str = "") -> Attack:
    """A module with a `Model` whose ``forward`` takes `takes`; ``m`` stands for one of it in `calls`."""
    text = HEAD + textwrap.dedent(top).strip() + "\n\n\nclass Model(nn.Module):\n"
    text += "    def __init__(self):\n        super().__init__()\n        self.linear = nn.Linear(4, 4)\n"
    text += "        self.flag = False\n" + textwrap.indent(textwrap.dedent(init), " " * 8)
    text += f"\n    def forward(self, {takes}):\n" + textwrap.indent(textwrap.dedent(body).strip(), " " * 8) + "\n"
    text += "\n" + textwrap.indent(textwrap.dedent(methods), " " * 4)
    return Attack(text + "\n\ntorch.manual_seed(0)\nm = Model()\n", calls or ("m(x)",))


LISTS = ("m([x, x, x])", "m((x, x))", "m(x)", "m('abc')", "m(Box(1.5))", "m({1: 2})", "m(None)", "m(torch.tensor(3.0))",
         "m(x.as_subclass(Counted))", "m(np.ones((3, 2)))")  # fmt: skip
"""What a parameter may be given that `len` takes, and what it does not."""
SHAPED = ("m(x)", "m(Box(2.7, 3.2))", "m(Box('3', '4'))", "m(np.ones((3, 2)))", "m(torch.tensor(3.0))", "m([1, 2])")
"""What has a shape, of whatever; and what has none."""

LENGTHS: dict[str, Attack] = {
    "any argument": model("return len(x)", *LISTS),
    "in arithmetic": model("return 2.0 * len(x)", *LISTS),
    "times a list": model("return [0] * len(x)", *LISTS),
    "a flag says which": model("return len(x) if self.flag else x.relu().sum() * len(x)", *LISTS),
    "annotated": model(
        "return 1 + len(x)", "m(x)", "m(torch.tensor(1.0))", "m(x.as_subclass(Counted))", takes="x: Tensor"
    ),
    "annotated as a list": model("return x[0].sum() / len(x)", *LISTS, takes="x: List[Tensor]"),
    "an optional list": model("return 0 if x is None else len(x)", *LISTS, takes="x: Optional[List[Tensor]] = None"),
    "a union": model("return len(x)", *LISTS, takes="x: Union[Tensor, Tuple[Tensor, ...]]"),
    "list or none": model("return len(x or [])", "m([x])", "m(None)", takes="x: 'list | None'"),
    "a guard": model("if isinstance(x, (list, tuple)):\n    return len(x)\nreturn x * len(x)", *LISTS),
    "a guard with tensors": model("if isinstance(x, (Tensor, list, tuple)):\n    return len(x)\nreturn x", *LISTS),
    "a guard the other way": model("if not isinstance(x, Tensor):\n    return len(x)\nreturn x * len(x)", *LISTS),
    "an assertion": model("assert isinstance(x, (Tensor, list))\nreturn len(x)", *LISTS),
    "a list made before": model(
        "y = [x]\ny = self.linear_of(y)\nreturn len(y)", methods="def linear_of(self, y):\n    return y"
    ),
    "by name of the method": model(
        "y = [x]\ny = getattr(self, f'stage{1}')(y)\nreturn len(y)", methods="def stage1(self, y):\n    return y + y"
    ),
    "alternatives": model("y = x if self.flag else [x, x]\nreturn len(y)", "m(x)", "(setattr(m, 'flag', True), m(x))"),
    "in a loop": model("y = x\nn = 0\nfor _ in range(2):\n    n += len(y)\n    y = [y, y]\nreturn n"),
    "a helper with two callers": model(
        "return count(x) + count([x, x, x])", top="def count(values):\n    return len(values)"
    ),
    "a helper with a default": model(
        "return count(x) + count()", top="def count(values=(1, 2)):\n    return len(values)"
    ),
    "a method with two callers": model(
        "return self.count(x) + self.count((x,) * 3)", methods="def count(self, v):\n    return len(v)"
    ),
    "an annotation that lies": model(
        "return count(x) + count([x, x, x])", top="def count(values: Tensor):\n    return len(values)"
    ),
    "over lines": model("n = len(x\n        .relu())\nreturn n", "m(x)"),
    "over lines, in a call": model("n = len(\n    x\n    .relu()\n)\nreturn n", "m(x)"),
    "a call over lines": model("f = torch.relu\nn = len(f\n(x))\nreturn n", "m(x)"),
    "in an f-string": model("return f'{len(x)=}'", *LISTS),
    "in a format": model("return f'{len(x)}' + f'{len(x)!r:>4}'", *LISTS),
    "another len": model("return len(x)", *LISTS, top="def len(value):\n    return 99"),
    "handed on": model("f = len\nreturn f(x) + sum(map(len, [x, [x]]))", *LISTS),
    "sorted by it": model("return max([x, [x, x, x]], key=len)"),
    "in a lambda": model("f = lambda v: len(v)\nreturn f(x) + f([x])"),
}

BIG = """\
class Big(torch.Tensor):
    @property
    def shape(self):
        return (2**53 + 3,)

big = torch.ones(2).as_subclass(Big)
"""

CASTS: dict[str, Attack] = {
    "an attribute of the model": model("return x + int(self.shape[0])", init="self.shape = (2.7, 3.1)\n"),
    "a method of the model": model("return x + int(self.size(0))", methods="def size(self, axis):\n    return 2.7"),
    "a configuration": model("return x + int(c.numel())", "m(x, Box(1.5))", "m(x, x)", takes="x, c"),
    "a shape of anything": model("return x.shape if 0 else 1.0 * int(x.shape[0])", *SHAPED),
    "a size of anything": model("return 1.5 + int(x.size(1))", *SHAPED),
    "added to a tensor": model(
        "return y + int(x.shape[0])",
        *[c.replace(")", ", x)", 1) if c == "m(x)" else c[:-1] + ", x)" for c in SHAPED],
        takes="x, y: Tensor",
    ),
    "a float by way of a name": model("n = x.shape[0] if self.flag else 2.5\nreturn x + int(n)"),
    "a float in a branch": model(
        "n = x.shape[0]\nif not self.flag:\n    n = n / 4\nreturn x + int(n)", takes="x: Tensor"
    ),
    "a float from a loop": model(
        "n = x.shape[0]\nfor _ in range(2):\n    x = x + int(n)\n    n = n / 4\nreturn x", takes="x: Tensor"
    ),
    "a float from a nested function": model(
        "n = x.shape[0]\ndef half():\n    nonlocal n\n    n = n / 4\nhalf()\nreturn x + int(n)", takes="x: Tensor"
    ),
    "a float from a walrus": model("n = x.shape[0]\nreturn x + int(n) if (n := n / 4) else x", takes="x: Tensor"),
    "a float from a comprehension": model("n = x.shape[0]\nreturn [x + int(n) for n in (0.5, 1.5)]", takes="x: Tensor"),
    "a float from with": model(
        "n = x.shape[0]\nwith holding(1.5) as n:\n    return x + int(n)",
        takes="x: Tensor",
        top="from contextlib import contextmanager\n\n@contextmanager\ndef holding(v):\n    yield v",
    ),
    "a float from an exception": model(
        "n = x.shape[0]\ntry:\n    raise ValueError\nexcept ValueError as n:\n    pass\nreturn x + int(n)",
        takes="x: Tensor",
    ),
    "a float from match": model(
        "n = x.shape[0]\nmatch 2.5:\n    case n:\n        pass\nreturn x + int(n)", takes="x: Tensor"
    ),
    "a helper with two callers": model(
        "return rows(x.shape[0]) + rows(2.5) + rows('3')", top="def rows(n):\n    return 10 * int(n)"
    ),
    "a helper that is annotated": model(
        "return rows(x.shape[0]) + rows(2.5)", top="def rows(n: int):\n    return 10 * int(n)"
    ),
    "a helper in an expression": model(
        "return add(x, x.shape[0]) + add(x, 2.5)", top="def add(t: Tensor, n):\n    return t + int(n)"
    ),
    "text": model("return x * int(n)", "m(x, '3')", "m(x, 2.9)", "m(x, x.shape[0])", "m(x, True)", takes="x, n"),
    "a base": model("return int('11', x.shape[0])", takes="x: Tensor"),
    "a wrong base": model("return x + int(x.shape[0], 10)", takes="x: Tensor"),
    "starred": model("return x + int(*x.shape[:1])", takes="x: Tensor"),
    "map over sizes": model("return list(map(int, x.shape))"),
    "map over sizes of a list": model("return list(map(int, [v.size(0) for v in [x, x]]))"),
    "map of a function": model("return sum(map(math.floor, x.shape))"),
    "partial": model("f = partial(int)\nreturn x + f(x.shape[0])", takes="x: Tensor"),
    "another int": model("return x + int(x.shape[0])", top="def int(value):\n    return 99", takes="x: Tensor"),
    "an int of the function": model("int = float\nreturn [x + int(x.shape[0])], int(x.shape[0])", takes="x: Tensor"),
    "an int of the function around": model(
        "int = lambda v: 99\ndef inner(t: Tensor):\n    return t + int(t.shape[0])\nreturn inner(x)", takes="x: Tensor"
    ),
    "an int that is handed in": model("return x + int(x.shape[0])", "m(x, lambda v: 50)", takes="x: Tensor, int"),
    "true": model("return x + int(x.shape[0] > 1)", takes="x: Tensor"),
    "true as text": model("return str(int(x.shape[0] == 2))", takes="x: Tensor"),
    "a division beyond 2**53": model(
        "return x.sum() + int(x.shape[0] / 2)",
        "m(torch.ones(1).expand(2**53 + 3)[:3])",
        "m(big)",
        takes="x: Tensor",
        top=BIG,
    ),
    "floor beyond 2**53": model("return math.floor(n / 3) - 2**53 // 3", "m(2**53 + 1)", "m(x.shape[0])", takes="n"),
    "ceil of a float": model("return math.ceil(n / 2)", "m(2.5)", "m(3)", "m(-3)", takes="n"),
    "a negative number": model("return int((x.shape[0] - 7) / 2)", takes="x: Tensor"),
    "before a keyword": model("return x + int(x.shape[0])if self.flag else x*int(x.shape[0])", takes="x: Tensor"),
    "a name before a keyword": model("n = x.shape[0]\nreturn x + int(n)if not self.flag else x", takes="x: Tensor"),
    "a name before and": model("n = x.shape[0]\nreturn x*int(n)is None or x-int(n)", takes="x: Tensor"),
    "over lines": model(
        "n = x.shape[0]\nm = (x + int(\n    n\n))\ny = int(\n    n\n) + x\nreturn m, y", takes="x: Tensor"
    ),
    "with a comment": model("return x + int(  # rows\n    x.shape[0]\n)", takes="x: Tensor"),
    "in an f-string": model("n = x.shape[0]\nreturn f'{x + int(n)=}', f'{int(n)=}'", takes="x: Tensor"),
    "a power": model("n = x.shape[0]\nreturn x * int(n + 1) ** 2, x ** int(n), -int(n) ** 2 + x", takes="x: Tensor"),
    "a difference": model("n = x.shape[0]\nreturn x - int(n - 1), int(n - 1) - x, x * int(n - 1)", takes="x: Tensor"),
    "a walrus inside": model("return x + int(k := x.shape[0]) + k", takes="x: Tensor"),
    "a condition inside": model("return x + int(x.shape[0] if self.flag else 1.5)", takes="x: Tensor"),
    "a negation inside": model("return x + int(not x.shape[0])", takes="x: Tensor"),
    "only when tracing": model(
        "n = int(x.shape[1]) if torch.jit.is_tracing() else x.shape[1] + 0.5\nreturn x + n", takes="x: Tensor"
    ),
    "identity of numbers": model("n = x.shape[0]\nreturn int(n) is n, type(int(n)), [x + int(n)]", takes="x: Tensor"),
}

DATA: dict[str, Attack] = {
    name: model(body, "graded(m)", "m(x)", takes="x: Tensor", methods=methods, top=top)
    for name, (body, methods, top) in {
        "named, then written": ("y = x * 1\nz = y.data\nz += 1\nreturn y * y", "", ""),
        "in place before": ("y = x * 1\nw = y * y\ny.data.mul_(2)\nreturn w", "", ""),
        "through a name": ("y = x * 1\nw = y * y\nd = y.data\nd.mul_(2)\nreturn w", "", ""),
        "an item": ("y = x * 1\nw = y * y\ny.data[0] = 5\nreturn w", "", ""),
        "an item over lines": ("y = x * 1\nw = y * y\ny.data[\n    0\n] = 5\nreturn w", "", ""),
        "an item of an item": ("y = x * 1\nw = y * y\ny.data[0][1] += 5\nreturn w", "", ""),
        "in parentheses": ("y = x * 1\nw = y * y\n(y.data).mul_(2)\nreturn w", "", ""),
        "a view": ("y = x * 1\nw = y * y\ny.data.view(-1).mul_(2)\nreturn w", "", ""),
        "a transposed view": ("y = x * 1\nw = y * y\ny.data.t().add_(1)\nreturn w", "", ""),
        "a slice that is kept": ("y = x * 1\nw = y * y\nv = y.data[1:]\nv.zero_()\nreturn w", "", ""),
        "out": ("y = x * 1\nw = y * y\ntorch.add(y.detach(), 1, out=y.data)\nreturn w", "", ""),
        "out of cat": ("y = x * 1\nw = y * y\ntorch.cat([x.data[:1], x.data[1:]], out=y.data)\nreturn w", "", ""),
        "an argument": ("y = x * 1\nw = y * y\nzero(y.data)\nreturn w", "", "def zero(v):\n    v.zero_()"),
        "a keyword": ("y = x * 1\nw = y * y\nzero(v=y.data)\nreturn w", "", "def zero(v):\n    v.zero_()"),
        "an argument of torch": ("y = x * 1\nw = y * y\nnn.init.zeros_(y.data)\nreturn w", "", ""),
        "in place of torch": ("y = x * 1\nw = y * y\nF.relu_(y.data)\ntorch.neg_(y.data)\nreturn w", "", ""),
        "a tuple": ("y = x * 1\nw = y * y\na, b = y.data, 1\na.zero_()\nreturn w", "", ""),
        "a list": ("y = x * 1\nw = y * y\nfor a in [y.data]:\n    a.zero_()\nreturn w", "", ""),
        "a dict": ("y = x * 1\nw = y * y\n{'a': y.data}['a'].zero_()\nreturn w", "", ""),
        "a walrus": ("y = x * 1\nw = y * y\n(a := y.data).zero_()\nreturn w", "", ""),
        "a loop": ("y = x * 1\nw = y * y\nfor row in y.data:\n    row.zero_()\nreturn w", "", ""),
        "a comprehension": ("y = x * 1\nw = y * y\n[row.zero_() for row in y.data]\nreturn w", "", ""),
        "a conditional": ("y = x * 1\nw = y * y\n(y.data if w is not None else y).zero_()\nreturn w", "", ""),
        "or": ("y = x * 1\nw = y * y\n(None or y.data).zero_()\nreturn w", "", ""),
        "returned": (
            "y = x * 1\nw = y * y\nself.of(y).zero_()\nreturn w", "def of(self, v: Tensor):\n    return v.data", ""),
        "kept": ("y = x * 1\nw = y * y\nself.kept = y.data\nself.kept.zero_()\nreturn w", "", ""),
        "starred": ("y = x * 1\nw = y * y\na, *b = y.data\na.zero_()\nreturn w", "", ""),
        "a lambda": ("y = x * 1\nw = y * y\n(lambda: y.data)().zero_()\nreturn w", "", ""),
        "a factor, then the other is written": (
            "y = x * 1\nw = y.data * x\ny.add_(1)\nreturn w", "", ""),
        "a divisor, then the other is written": (
            "y = x + 1\nw = x / y.data\ny.add_(1)\nreturn w", "", ""),
        "a matrix, then the other is written": (
            "y = x * 1\nw = x @ y.data.t()\ny.add_(1)\nreturn w", "", ""),
        "a base, then the other is written": (
            "y = x + 1\nw = x ** y.data\ny.add_(1)\nreturn w", "", ""),
        "an argument, then the other is written": (
            "y = x * 1\nw = torch.mul(x, y.data)\ny.add_(1)\nreturn w", "", ""),
        "a method's argument, then the other is written": (
            "y = x * 1\nw = x.mul(y.data)\ny.add_(1)\nreturn w", "", ""),
        "a weight, then the other is written": (
            "y = x * 1\nw = F.linear(x, y.data)\ny.add_(1)\nreturn w", "", ""),
        "float, which copies nothing": ("y = x * 1\nw = y * y\ny.data.float().zero_()\nreturn w", "", ""),
        "contiguous, which copies nothing": ("y = x * 1\nw = y * y\ny.data.contiguous().zero_()\nreturn w", "", ""),
        "compared by identity": ("return x * (x.data is x) + (x.data == x.data).sum() + (-x.data).sum()", "", ""),
        "the pointer": ("return x + (x.data.data_ptr() == x.data_ptr())", "", ""),
        "added": ("y = x * 1\nw = y.data + x\ny.add_(1)\nreturn w * w", "", ""),
        "joined": ("y = x * 1\nw = torch.cat([y.data, x])\ny.add_(1)\nreturn w * w", "", ""),
        "summed": ("y = x * 1\nw = y.data.sum() + x\ny.add_(1)\nreturn w * w", "", ""),
        "negated": ("y = x * 1\nw = -y.data + x\ny.add_(1)\nreturn w * w", "", ""),
        "set": ("y = x * 1\ny.data = torch.zeros(2, 4)\nreturn y * x", "", ""),
        "deleted from a box": ("b = Box(1)\ndel b.data\nreturn x * 1", "", ""),
        "over lines": ("w = (x\n     .abs()\n     .data) * 2 + x\nreturn w", "", ""),
        "before a keyword": ("return x.data*2if 0 else x.data if 0 else x + 1", "", ""),
        "in an f-string": ("s = f'{x.data=}'\nreturn x * len(s)", "", ""),
        "an augmented target": ("y = x * 1\nw = y * y\ny.data *= 2\nreturn w", "", ""),
    }.items()
}  # fmt: skip

OTHER_DATA: dict[str, Attack] = {
    "under vmap": model(
        "return x.data.sum()", "vmap(m)(x)", "m(x)", takes="x: Tensor", top="from torch.func import vmap"
    ),
    "under vmap, in a function": model(
        "return torch.vmap(total)(x)",
        "m(x)",
        "total(x)",
        takes="x: Tensor",
        top="def total(v: Tensor):\n    return v.data.sum()",
    ),
    "no tensor": model("return x.data * 2", "m(Box(1))", "m(x)", "m(nn.Parameter(x))", "m(None)", "m([1])"),
    "a parameter item": model(
        "out = []\nfor v in x:\n    out.append(v.data * 2 if isinstance(v, Box) else v.data + 1)\nreturn out",
        "m([Box(1), x])",
    ),
    "a guard": model("if isinstance(x, Box):\n    return x.data * 2\nreturn x.data * 3", "m(Box(1))", "m(x)"),
    "an annotation that lies": model(
        "return twice(x) + twice(Box(1))", top="def twice(v: Tensor):\n    return v.data * 2"
    ),
    "an annotation that lies, in a constructor": model(
        "return twice(x) + self.held",
        init="self.held = twice(Box(1))\n",
        top="def twice(v: Tensor):\n    return v.data * 2",
    ),
    "a named tuple": model(
        "return p.data * 2",
        "m(P(x))",
        takes="p",
        top="from collections import namedtuple\n\nP = namedtuple('P', 'data')",
    ),
    "an array": model("return bytes(a.data)", "m(np.ones(2))", takes="a"),
    "a default": model("return twice(x) + twice()", top="def twice(v: Tensor = Box(1)):\n    return v.data * 2"),
}

CHANGES: dict[str, Attack] = {
    "a list": model("n = m = v\nn += [1]\nreturn n, m, v", "m([0])", "m((0,)) if 0 else 1", takes="v"),
    "a tensor": model("n = m = v\nn += 1\nreturn n, m, v", "m(x.clone())", "m(3)", "m(Box(1))", takes="v"),
    "a size or a list": model("n = x.shape[0] if self.flag else [1]\nm = n\nn *= 2\nreturn n, m"),
    "a size or a tensor": model("n = x.shape[0] if self.flag else x.clone()\nm = n\nn *= 2\nreturn n, m"),
    "a box": model("n = b.shape\nm = n\nn += (1,)\nreturn n, m", "m(x, Box(1, 2))", "m(x, x)", takes="x, b"),
    "sizes of anything": model("n = b.shape[0]\nm = n\nn += [3]\nreturn n, m, b.shape", "m(Box([1, 2]))", takes="b"),
    "a helper": model("return grow(x.shape[0]), grow([1])", top="def grow(v):\n    n = v\n    n *= 2\n    return n, v"),
    "a loop": model(
        "n = x.shape[0]\nm = n\nfor _ in range(2):\n    n += m\n    n = n if self.flag else x.clone()\nreturn n, m",
        takes="x: Tensor",
    ),
    "to a box": model("n = x.shape[0]\nm = n\nn += Box(1)\nreturn n, m", takes="x: Tensor"),
    "a sum of anything": model("n = x.shape[0]\nm = n\nn *= 1 + 1\nn -= 1 if m else 2\nreturn n, m", takes="x: Tensor"),
    "a lambda": model("n = x.shape[0]\nm = n\nn += (lambda: 2)()\nn **= 2\nreturn n, m", takes="x: Tensor"),
    "a yield": model(
        "return list(self.steps(x))",
        methods="def steps(self, x: Tensor):\n    n = x.shape[0]\n    m = n\n    n += (yield m) or 4\n    yield n",
    ),
    "on one line": model("n = x.shape[0]; m = n; n += 2; n -= 1; m += n\nreturn n, m", takes="x: Tensor"),
    "with a comment": model("n = x.shape[0]\nm = n\nn += (  # more\n    2\n)\nreturn n, m", takes="x: Tensor"),
    "behind a backslash": model("n = x.shape[0]\nm = n\nn += \\\n    2\nreturn n, m", takes="x: Tensor"),
    "a global": model("global n\nn = x.shape[0]\nm = n\nn += 2\nreturn n, m", takes="x: Tensor", top="n = 0"),
    "an attribute": model("self.n = x.shape[0]\nm = self.n\nself.n += 2\nreturn self.n, m", takes="x: Tensor"),
    "an item": model("n = [x.shape[0]]\nm = n\nn[0] += 2\nreturn n, m", takes="x: Tensor"),
}  # fmt: skip

ATTACKS: dict[str, Attack] = {
    f"{group}: {name}": attack
    for group, attacks in (
        ("length", LENGTHS), ("cast", CASTS), ("data", DATA), ("other data", OTHER_DATA), ("change", CHANGES)
    )
    for name, attack in attacks.items()
}  # fmt: skip
