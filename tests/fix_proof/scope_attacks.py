"""More programs that a careless fix would change: names that stand for something else than they seem to, objects that
take over functions of torch, and operands of every form."""

from __future__ import annotations

from fix_proof.attacks import HEAD, Attack, model

TENSOR = "x: Tensor"
OVERRIDES = '''
class Overrides:
    """Functions of torch give what it says."""

    shape, data = (2.7, 3.2), torch.ones(2, 4)

    def __torch_function__(self, function, types, args=(), kwargs=None):
        return self

    def __add__(self, other):
        return 3.5 + other

    __radd__ = __add__

o = Overrides()
'''
TWICE = "def twice(v: Tensor):\n    return v.data * 2\n"
STEPS = "import asyncio\nreturn asyncio.run(self.steps(x))"


def _bound(statements: str, **rest: str) -> Attack:
    """A size has a name, `statements` may bind that to 2.5, and it is cast."""
    return model(f"n = x.shape[0]\n{statements}\nreturn x + int(n)", takes=TENSOR, **rest)


NAMES = {
    "a class binds Tensor": Attack(
        f"{HEAD}class Model(nn.Module):\n    Tensor = Box\n\n    def forward(self, x: Tensor):\n"
        "        return x.data * 2, 1.0 * x.data + int(x.shape[0])\n\nm = Model()\n",
        ("m(Box(2.5, 3))", "m(x)"),
    ),
    "a function binds Tensor": model(
        "Tensor = Box\ndef twice(v: Tensor):\n    return v.data * 2\nreturn twice(Box(1)), twice(x)"
    ),
    "a star of an unseen module": model(
        "return x + int(x.shape[0])",
        takes=TENSOR,
        top="import sys, types\nother = sys.modules['other'] = types.ModuleType('other')\n"
        "other.int = lambda v: 99\nfrom other import *\ndel sys.modules['other']",
    ),
    "a function replaces int": model(
        "return x + int(x.shape[0])",
        "m(x)",
        "(patch(), m(x))",
        takes=TENSOR,
        top="def patch():\n    global int\n    int = lambda v: 50",
    ),
    "a branch replaces math": model(
        "return x + math.floor(x.shape[0])",
        takes=TENSOR,
        top="class M:\n    @staticmethod\n    def floor(v):\n        return 99\n\nif True:\n    math = M()",
    ),
    "a function replaces math": model(
        "return x + math.floor(x.shape[0])",
        "m(x)",
        "(patch(), m(x))",
        takes=TENSOR,
        top="def patch():\n    global math\n    math = Box(1)\n    math.floor = lambda v: 9",
    ),
    "a class in the function": model(
        "n = x.shape[0]\nclass C:\n    y = x + int(n)\n    n = 3\nreturn C.y", takes=TENSOR, top="n = 2.5"
    ),
    "a decorator of a nested function": model(
        "@given(x.data * 2)\ndef g(x: Tensor):\n    return x\nreturn g(x)",
        "m(x)",
        "m(Box(1))",
        top="def given(v):\n    return lambda f: lambda x: (f(x), v)",
    ),
    "a default of a nested function": model(
        "def g(x: Tensor, w=x.data * 2):\n    return w\nreturn g(x)", "m(x)", "m(Box(1))"
    ),
    "a class rebinds what is nonlocal": _bound("class C:\n    nonlocal n\n    n = 2.5"),
    "a mapping that is matched": _bound("r = n\nmatch {'a': 2.5}:\n    case {'a': n, **r}:\n        pass"),
    "an attribute that is matched": _bound("match Box(2.5):\n    case Box(shape=(n,)):\n        pass"),
    "an else of a loop": _bound("for i in []:\n    pass\nelse:\n    n = 2.5"),
    "an async loop": model(
        STEPS,
        methods="async def halves():\n    yield 2.5\n\nasync def steps(self, x: Tensor):\n    n = x.shape[0]\n"
        "    async for n in Model.halves():\n        pass\n    return x + int(n)",
    ),
    "an async with": model(
        STEPS,
        top="from contextlib import asynccontextmanager\n\n@asynccontextmanager\nasync def holding(v):\n    yield v",
        methods="async def steps(self, x: Tensor):\n    n = x.shape[0]\n    async with holding(2.5) as n:\n"
        "        return x + int(n)",
    ),
    "a walrus in a default": _bound("def g(v=(n := 2.5)):\n    return v"),
    "a walrus in a decorator": _bound("@(lambda f, v=(n := 2.5): f)\ndef g():\n    return 1"),
    "a walrus in a base": _bound("class C((n := 2.5).__class__):\n    pass"),
    "a walrus in a target": _bound("d = {}\nd[(n := 2.5)] = 1"),
    "a walrus in a comprehension": _bound("_ = [n := v for v in (1.5, 2.5)]"),
    "a walrus in a comparison": _bound("if 1 < (n := 2.5) < 3:\n    pass"),
    "a walrus in a guard": _bound("match 1:\n    case _ if (n := 2.5):\n        pass"),
}
CALLERS = {
    "map": model("return list(map(twice, [x, Box(1)]))", top=TWICE),
    "partial": model("return partial(twice, Box(1))() + twice(x)", top=TWICE),
    "a table": model("return {'a': twice}['a'](Box(1)) + twice(x)", top=TWICE),
    "stars": model("return twice(*[Box(1)]) + twice(**{'v': x})", top=TWICE),
    "a decorator": model(
        "return twice(x)", top=f"def both(f):\n    return lambda v: f(Box(1)) + f(v)\n\n@both\n{TWICE}"
    ),
    "a subclass": Attack(
        f"{HEAD}class Base(nn.Module):\n    def give(self, x: Tensor):\n        return x\n\n"
        "    def forward(self, x: Tensor):\n        return self.twice(self.give(x))\n\n"
        "    def twice(self, v: Tensor):\n        return v.data * 2\n\n"
        "class Model(Base):\n    def give(self, x):\n        return Box(1)\n\nm, b = Model(), Base()\n",
        ("m(x)", "b(x)"),
    ),
    "a property": model(
        "return x + int(self.rows.shape[0])",
        takes=TENSOR,
        methods="@property\ndef rows(self) -> Tensor:\n    return Box(2.7)",
    ),
    "getattr": model(
        "return x + int(self.rows.shape[0])",
        takes=TENSOR,
        methods="def __getattr__(self, n):\n    return Box(2.7) if n == 'rows' else super().__getattr__(n)",
    ),
    "torch is overridden": model("y = torch.relu(x)\nreturn y + int(y.shape[0])", "m(x)", "m(o)", top=OVERRIDES),
    "torch is overridden by an operand": model(
        "y = torch.add(x, z)\nreturn y + int(y.shape[0])", "m(x, x)", "m(x, o)", takes=f"{TENSOR}, z", top=OVERRIDES
    ),
    "a method is overridden by an operand": model(
        "return x.add(z).data * 2, -x.mul(other=z).data", "m(x, x)", "m(x, o)", takes=f"{TENSOR}, z", top=OVERRIDES
    ),
    "all sizes": model("return x.sum().long() * int(x.size(None))", takes=TENSOR),
}
OPERANDS = {
    "of every form": model(
        "n = x.shape[0]\nm = n\nn += not m\nn -= m == 2\nn *= m or 3\nn -= m - 1\nn <<= 1 + 1\nn **= m ** 1\nn -= -m\n"
        "n //= m * 1\nn ^= 3 | 1\nn |= 1 if m else 0\nn -= ~m\nn %= 100 if m else 2\nreturn n, m",
        takes=TENSOR,
    ),
    "a tuple without parentheses": model("n = x.shape[0]\nm = n\nn += *x.shape, 2\nreturn n, m", takes=TENSOR),
    "what is sent": model(
        "g = self.steps(x)\nnext(g)\nreturn g.send(4)",
        methods="def steps(self, x: Tensor):\n    n = x.shape[0]\n    m = n\n    n += yield m\n    yield n",
    ),
    "what is awaited": model(
        STEPS,
        methods="async def four():\n    return 4\n\nasync def steps(self, x: Tensor):\n    n = x.shape[0]\n    m = n\n"
        "    n += await Model.four()\n    return n, m",
    ),
    "written by the other": model(
        "y = x * 1\nreturn y.data + y.add_(1), y.data * 2 + y.mul_(3)",
        "graded(lambda v: m(v)[0])",
        "graded(lambda v: m(v)[1])",
        takes=TENSOR,
    ),
    "written by the index": model(
        "y = x * 1\nreturn y.data[y.add_(1).long().clamp(0, 1)[:, 0]] + x, y", "graded(lambda v: m(v)[1])", takes=TENSOR
    ),
    "derived forwards": model("return x.data.sum() + x, -x.data", "torch.func.jvp(m, (x,), (x,))", takes=TENSOR),
    "in inference": model("return x.data * 2", "torch.inference_mode()(m)(x)", takes=TENSOR),
}

SCOPE_ATTACKS: dict[str, Attack] = {
    f"{group}: {name}": attack
    for group, attacks in (("name", NAMES), ("caller", CALLERS), ("operand", OPERANDS))
    for name, attack in attacks.items()
}
