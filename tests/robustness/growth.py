"""Hostile inputs by size: what takes time or memory out of proportion if nothing bounds it.

    python tests/robustness/growth.py                 all of them: exponent, seconds, memory, what is reported
    python tests/robustness/growth.py NAME SIZE       one input, measured in this process, as JSON

Cost is compared with the characters of the input. Each input is linted in a process of its own.
"""

from __future__ import annotations

import json
import math
import os
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
HEAD = "import torch\nfrom torch import nn\n\n"
MODEL = "class Net(nn.Module):\n    def forward(self, x):\n"
Files = dict[str, str]


@dataclass(frozen=True)
class Growth:
    """An input of any size. `sizes` are those to measure, growing; `is_bounded` says that beyond some size not all is
    analysed, which ONX009 reports."""

    make: Callable[[int], Files]
    sizes: tuple[int, ...]
    is_bounded: bool = False


@dataclass(frozen=True)
class Cost:
    """What a lint of one input took: seconds of processor time, megabytes at the peak beyond those at the start."""

    characters: int
    seconds: float
    megabytes: float
    codes: tuple[str, ...]


def forward(body: str, before: str = "") -> Files:
    """A file with a model; `body` is that of its ``forward``, one line or several."""
    lines = "".join(f"        {line}\n" for line in body.split("\n"))
    return {"net.py": f"{HEAD}{before}\n{MODEL}{lines}        return x\n"}


def repeated(line: Callable[[int], str], count: int) -> str:
    return "\n".join(map(line, range(count)))


# ------------------------------------------------------------------------------------------------ names across files
USE = f"{HEAD}class Net(nn.Module):\n    def forward(self, x):\n        return zz(x) + len(x)\n"


def star_ring(n: int) -> Files:
    """Every file imports everything of every other one; nobody has the name that is asked for."""
    return {f"m{i}.py": "".join(f"from m{j} import *\n" for j in range(n) if j != i) + USE for i in range(n)}


def star_chain(n: int) -> Files:
    return {f"m{i}.py": f"from m{i + 1} import *\n" + USE for i in range(n)}


def try_ring(n: int) -> Files:
    """Every file tries to get one name from every other one."""

    def text(i: int) -> str:
        tries = (f"try:\n    from m{j} import zz\nexcept ImportError:\n    pass\n" for j in range(n) if j != i)
        return "".join(tries) + USE

    return {f"m{i}.py": text(i) for i in range(n)}


def export_chain(n: int) -> Files:
    return {f"m{i}.py": f"from m{i + 1} import zz\n" + USE for i in range(n)}


def package_chain(n: int) -> Files:
    """Packages inside one another, each with the names of the next."""
    return {"/".join(["p"] * (i + 1)) + "/__init__.py": "from .p import *\n" + USE for i in range(n)}


def aliases_of_names(n: int) -> Files:
    """Each name of a file is another one."""
    return {"net.py": repeated(lambda i: f"a{i + 1} = a{i}", n) + f"\n{HEAD}" + USE.replace("zz", f"a{n}")}


# ----------------------------------------------------------------------------------------------------------- classes
def _classes(n: int, one: Callable[[int], str]) -> Files:
    return {"net.py": HEAD + repeated(one, n) + "\n"}


_FORWARD = "    def forward(self, x):\n        return self.part(x)\n"


def diamonds(n: int) -> Files:
    """Two classes on each level, both derived from both of the level above."""

    def level(i: int) -> str:
        bases = f"A{i - 1}, B{i - 1}" if i else "nn.Module"
        return f"class A{i}({bases}):\n{_FORWARD}\nclass B{i}({bases}):\n{_FORWARD}"

    return _classes(n, level)


def inheritance_chain(n: int) -> Files:
    return _classes(n, lambda i: f"class A{i}({f'A{i - 1}' if i else 'nn.Module'}):\n{_FORWARD}")


def inheritance_ring(n: int) -> Files:
    return _classes(n, lambda i: f"class A{i}(A{(i + 1) % n}, nn.Module):\n{_FORWARD}")


def many_bases(n: int) -> Files:
    bases = ", ".join(f"A{i}" for i in range(n))
    text = _classes(n, lambda i: f"class A{i}(nn.Module):\n    a{i} = {i}\n")["net.py"]
    return {"net.py": f"{text}\nclass Net({bases}):\n{_FORWARD}"}


def every_base_before(n: int) -> Files:
    """Each class derives from the eight before it, in the order that has no linearisation."""
    return _classes(
        n, lambda i: f"class A{i}({', '.join(f'A{j}' for j in range(max(i - 8, 0), i)) or 'nn.Module'}):\n{_FORWARD}"
    )


def members(n: int) -> Files:
    """As many members as look-ups."""
    lines = repeated(lambda i: f"    c{i} = {i}", n)
    body = repeated(lambda i: f"        x = x + self.c{i} + self.d{i}", n)
    return {"net.py": f"{HEAD}class Net(nn.Module):\n{lines}\n    def forward(self, x):\n{body}\n        return x\n"}


def odd_members(n: int) -> Files:
    """Members that bind several names, and methods, all looked up."""
    lines = repeated(lambda i: f"    c{i}, e{i} = {i}, {i}\n    def m{i}(self, x): return x", n)
    body = repeated(lambda i: f"        x = self.m{i}(x) + self.c{i}", n)
    return {"net.py": f"{HEAD}class Net(nn.Module):\n{lines}\n    def forward(self, x):\n{body}\n        return x\n"}


def many_models(n: int) -> Files:
    return _classes(n, lambda i: f"class Net{i}(nn.Module):\n    def forward(self, x):\n        return x.item()\n")


# ----------------------------------------------------------------------------------------------------- values
# These rest on semantics/ rather than on project/ and source/.
def _doubled(first: str, again: str) -> Callable[[int], Files]:
    """`again` holds what it is given twice, n times; then a call has to know the value."""

    def make(n: int) -> Files:
        body = f"d = {first}\n" + repeated(lambda i: again, n) + "\nx = use(x, d)"
        return forward(body, "from functools import partial\n\ndef use(x, d):\n    return x\n")

    return make


def joined_tuples(n: int) -> Files:
    body = "a = (x.shape[0],)\nb = (x.shape[1],)\n" + repeated(lambda i: "a = (a, a)\nb = (b, b)", n)
    return forward(f"{body}\nc = a if self.training else b\nx = use(x, c)", "def use(x, c):\n    return x\n")


def tuples_in_loop(n: int) -> Files:
    body = "a = x.shape[0]\nfor i in range(9):\n" + repeated(lambda i: "    a = (a, a)", n)
    return forward(f"{body}\nx = use(x, a)", "def use(x, a):\n    return x\n")


def aliases_of_size(n: int) -> Files:
    """Many names for one size, which then changes in place."""
    names = repeated(lambda i: f"a{i} = n", n)
    return forward(f"n = x.shape[0]\n{names}\nx = x + n\nn += 1\n" + repeated(lambda i: f"a{i} += 1", n))


def variables_and_branches(n: int) -> Files:
    body = repeated(lambda i: f"v{i} = x.shape[0]", n)
    return forward(f"{body}\n" + repeated(lambda i: f"if self.training:\n    v{i} = {i}", n))


def loops(n: int) -> Files:
    return forward(repeated(lambda i: f"for i{i} in range(3):\n    v{i} = x.shape[0]\n    x = x + v{i}", n))


def loops_in_loops(n: int) -> Files:
    lines = [" " * i + f"for i{i} in range(x.shape[0]):" for i in range(min(n, 30))]
    inside = " " * len(lines)
    return forward("\n".join(lines) + "\n" + repeated(lambda i: f"{inside}x = x + {i}", n))


def call_chain(n: int) -> Files:
    before = "def f0(x):\n    return x\n\n" + repeated(lambda i: f"def f{i + 1}(x):\n    return f{i}(x)\n", n)
    return forward(f"x = f{n}(x)", before)


def call_tree(n: int) -> Files:
    """Each function calls the one before it twice, with other arguments."""
    one = "def f{1}(x, n):\n    return f{0}(x, (n, 1)) + f{0}(x, (n, 2))\n"
    return forward(f"x = f{n}(x, 0)", "def f0(x, n):\n    return x\n\n" + repeated(lambda i: one.format(i, i + 1), n))


def all_call_all(n: int) -> Files:
    """Functions that all call each other."""
    calls = " + ".join(f"f{i}(x)" for i in range(n))
    return forward("x = f0(x)", repeated(lambda i: f"def f{i}(x):\n    return {calls}\n", n))


def closures(n: int) -> Files:
    return forward(
        repeated(lambda i: f"def g{i}(y):\n    return {f'g{i - 1}(y)' if i else 'y'} + x", n) + f"\nx = g{n - 1}(x)"
    )


def contexts(n: int) -> Files:
    """One function called with ever other arguments."""
    return forward(repeated(lambda i: f"x = use(x, {i}, x.shape[{i}])", n), "def use(x, i, n):\n    return x + i * n\n")


def lambdas(n: int) -> Files:
    return forward("f = lambda y: y\n" + repeated(lambda i: "f = lambda y, f=f: f(y) + f(y)", n) + "\nx = f(x)")


def comprehensions(n: int) -> Files:
    return forward(
        "a = [x.shape[0]]\n" + repeated(lambda i: "a = [(b, b) for b in a for c in a]", n) + "\nx = x + a[0]"
    )


def attributes(n: int) -> Files:
    """Attributes that objects of the project hand on."""
    one = (
        "class P{0}(nn.Module):\n    def __init__(self):\n        super().__init__()\n"
        "        self.a, self.b = {1}, {1}\n{2}"
    )
    call = "    def forward(self, x):\n        return self.a(x) + self.b(x)\n"
    return _classes(n, lambda i: one.format(i, f"P{i - 1}()" if i else "nn.Identity()", call))


def constants(expression: str) -> Callable[[int], Files]:
    """A constant that doubles, or worse, with each line."""
    return lambda n: forward(
        "c = 3\ns = 'ab'\nt = (1, 2)\n" + repeated(lambda i: expression, n) + "\nx = x + len(s) + c + len(t)"
    )


def self_extension(n: int) -> Files:
    return forward("a = [x.shape[0]]\n" + repeated(lambda i: "a = a + a", n) + "\nx = x + a[0]")


def in_place_extension(n: int) -> Files:
    return forward("a = [x.shape[0]]\n" + repeated(lambda i: "a += a\na.extend(a)", n) + "\nx = x + a[0]")


def lines(line: str, first: str = "", last: str = "", before: str = "") -> Callable[[int], Files]:
    """A line n times in a ``forward``, with its number, between two others."""
    return lambda n: forward("\n".join(filter(None, (first, repeated(line.format, n), last))), before)


def union_of_objects(n: int) -> Files:
    """A name that is an object of any of n classes."""
    classes = repeated(lambda i: f"class A{i}(nn.Module):\n    def forward(self, x):\n        return x\n", n)
    return forward("y = self\n" + repeated(lambda i: f"if self.f{i}:\n    y = A{i}()", n) + "\nx = y(x)", classes)


def huge_range(n: int) -> Files:
    return forward(
        repeated(lambda i: "for i in range(10 ** 9):\n    x = x + [i] [0]\nb = [0] * 10 ** 9\nx = x + b[0]", n)
    )


# ------------------------------------------------------------------------------------------------------------- text
def _lines(line: str, after: str, before: str = "") -> Callable[[int], Files]:
    """A line n times, with its number."""
    return lambda n: {"net.py": before + "".join(line.format(i) for i in range(n)) + after}


def string_annotations(n: int) -> Files:
    def annotation(i: int) -> str:
        depth = min(i, 60)
        return "List[" * depth + "int" + "]" * depth

    members = repeated(lambda i: f"    def m{i}(self, x: '{annotation(i)}'):\n        return x", n)
    calls = repeated(lambda i: f"        x = self.m{i}(x)", n)
    return {"net.py": f"{HEAD}{MODEL}{calls}\n        return x\n{members}\n"}


GROWTHS: dict[str, Growth] = {
    "star ring": Growth(star_ring, (10, 20, 40)),
    "star chain": Growth(star_chain, (100, 200, 400)),
    "try ring": Growth(try_ring, (10, 20, 40)),
    "export chain": Growth(export_chain, (100, 200, 400)),
    "package chain": Growth(package_chain, (15, 30, 60)),
    "aliases of names": Growth(aliases_of_names, (500, 1000, 2000)),
    "diamonds": Growth(diamonds, (100, 200, 400), is_bounded=True),
    "inheritance chain": Growth(inheritance_chain, (250, 500, 1000), is_bounded=True),
    "inheritance ring": Growth(inheritance_ring, (250, 500, 1000), is_bounded=True),
    "many bases": Growth(many_bases, (50, 100, 400), is_bounded=True),
    "every base before": Growth(every_base_before, (50, 100, 400), is_bounded=True),
    "members": Growth(members, (500, 1000, 2000)),
    "odd members": Growth(odd_members, (200, 400, 800)),
    "many models": Growth(many_models, (300, 600, 1200)),
    "lists of lists": Growth(_doubled("[1]", "d = [d, d]"), (50, 100, 200)),
    "dicts of dicts": Growth(_doubled("{}", "d = {'a': d, 'b': d}"), (50, 100, 200)),
    "partials of partials": Growth(_doubled("use", "d = partial(d, d)"), (50, 100, 200)),
    "tuples of tuples": Growth(_doubled("(1,)", "d = (d, d)"), (50, 100, 200)),
    "joined tuples": Growth(joined_tuples, (50, 100, 200)),
    "tuples in a loop": Growth(tuples_in_loop, (8, 16, 50)),
    "aliases of a size": Growth(aliases_of_size, (500, 1000, 2000)),
    "variables and branches": Growth(variables_and_branches, (500, 1000, 2000)),
    "loops": Growth(loops, (200, 400, 800)),
    "loops in loops": Growth(loops_in_loops, (8, 15, 30)),
    "call chain": Growth(call_chain, (250, 500, 1000), is_bounded=True),
    "call tree": Growth(call_tree, (20, 40, 80)),
    "all call all": Growth(all_call_all, (20, 40, 80)),
    "closures": Growth(closures, (30, 100, 200), is_bounded=True),
    "contexts": Growth(contexts, (200, 400, 800)),
    "lambdas": Growth(lambdas, (10, 20, 40)),
    "comprehensions": Growth(comprehensions, (10, 20, 40)),
    "attributes": Growth(attributes, (15, 30, 60)),
    "squares": Growth(constants("c = c * c"), (20, 30, 40)),
    "powers": Growth(constants("c = c ** c ** 9"), (5, 10, 20)),
    "shifts": Growth(constants("c = c << 10 ** 9"), (5, 10, 20)),
    "doubled strings": Growth(constants("s = s + s"), (25, 35, 45)),
    "repeated strings": Growth(constants("s = s * 1000"), (5, 10, 20)),
    "formatted widths": Growth(constants("s = f'{c:>999999999}'"), (5, 10, 20)),
    "doubled tuples": Growth(constants("t = t + t"), (20, 30, 40)),
    "repeated tuples": Growth(constants("t = t * 1000"), (5, 10, 20)),
    "self extension": Growth(self_extension, (20, 30, 40)),
    "in-place extension": Growth(in_place_extension, (15, 20, 30)),
    "huge ranges": Growth(huge_range, (5, 10, 20)),
    "union of objects": Growth(union_of_objects, (200, 400, 800)),
    "union of dicts": Growth(lines("if self.f{0}:\n    d = {{'k{0}': x}}", "d = {}", "x = len(d)"), (600, 1200, 2400)),
    "union of sizes": Growth(lines("if self.f{0}:\n    n = x.shape[0] + {0}", "n = 0", "x = x + n"), (300, 600, 1200)),
    "writes of keys": Growth(lines("d['k{0}'] = x", "d = {}", "x = d['k0']"), (800, 1600, 3200)),
    "keys of updates": Growth(lines("d.update(k{0}=x)", "d = {}", "x = d['k0']"), (800, 1600, 3200)),
    "copies of a dict": Growth(lines("d = {{**d, 'k{0}': x}}", "d = {}", "x = d['k0']"), (800, 1600, 3200)),
    "writes of attributes": Growth(lines("self.a{0} = x", last="x = self.a0"), (200, 400, 800)),
    "guarded attributes": Growth(lines("if self.a{0} is None:\n    self.a{0} = x"), (200, 400, 800)),
    "writes to a view": Growth(lines("y[{0}:] = x.sum()", "y = x[0]", "x = x + y"), (200, 400, 800)),
    "writes to a mask": Growth(lines("x[m] = {0}", "m = x.sum(1) > 0"), (200, 400, 800)),
    "additions to rows": Growth(lines("x = x.index_add(0, i, x)", "i = x.argmax(0)"), (200, 400, 800)),
    "random numbers": Growth(lines("r{0} = torch.rand(1)\nif r{0} > 0:\n    x = x + r{0}"), (100, 200, 400)),
    "one random number": Growth(lines("r = torch.rand(1)\nif r > 0:\n    x = x + r"), (100, 200, 400)),
    "distributions": Growth(
        lines("d{0} = torch.distributions.Normal(x, 1)\nx = x + d{0}.rsample()"), (100, 200, 400)
    ),
    "open brackets": Growth(_lines("x = (\n", USE), (500, 1000, 2000)),
    "open quotes": Growth(_lines("x = '\n", 'y = """\n' + USE), (500, 1000, 2000)),
    "continued lines": Growth(_lines(" + 1 \\\n", f" + 1\n{USE}", "x = 1 \\\n"), (200, 2000, 20000)),
    "faulty statements": Growth(_lines("x{0} = = 1\n", USE), (200, 400, 800)),
    "faulty members": Growth(_lines("    x{0} = = 1\n", USE, "class A:\n"), (200, 400, 800)),
    "table": Growth(_lines("    'k{0}': [{0}, 0.5],\n", "}\n" + USE, "T = {\n"), (1000, 2000, 4000)),
    "statements": Growth(_lines("a{0} = f({0})\n", USE), (2000, 4000, 8000)),
    "suppressions": Growth(
        _lines("        a{0} = x.item()  # onnx-lint: ignore[ONX202, ONX{0:03}]\n", "", HEAD + MODEL), (200, 400, 800)
    ),
    "string annotations": Growth(string_annotations, (50, 100, 200)),
}  # fmt: skip


# ----------------------------------------------------------------------------------------------------------- measures
def measure(name: str, size: int) -> Cost:
    """Lint one input in this process."""
    import resource

    from onnx_lint.checker import check
    from onnx_lint.project.project import Project
    from onnx_lint.settings import Settings
    from onnx_lint.source.text import SourceText

    def lint(files: Files) -> list[str]:
        project = Project()
        for path, text in files.items():
            project.add(SourceText.from_text(path, text))
        return [d.code for d in check(project, Settings())]

    lint({"net.py": USE})  # what is loaded once is no cost of the input
    files = GROWTHS[name].make(size)
    started, before = time.process_time(), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    codes = lint(files)
    seconds, after = time.process_time() - started, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return Cost(sum(map(len, files.values())), seconds, (after - before) / 1024, tuple(sorted(set(codes))))


def measured(name: str, size: int, limit: float) -> Cost | str:
    """Lint one input in a process of its own, or say what became of it. `limit` is in seconds of wall time."""
    command = [sys.executable, __file__, name, str(size)]
    # the same without coverage, which would be most of what is measured
    environment = {name: value for name, value in os.environ.items() if name != "COVERAGE_PROCESS_CONFIG"}
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=limit, check=False, env=environment)
    except subprocess.TimeoutExpired:
        return f"size {size}: stopped after {limit:.0f} s"
    if done.returncode:
        return f"size {size}: status {done.returncode}: {done.stderr.strip().splitlines()[-1:]}"
    found = json.loads(done.stdout)
    return Cost(found["characters"], found["seconds"], found["megabytes"], tuple(found["codes"]))


_SMALL = 0.05
"""Seconds that are lost in what every run costs."""


def exponent(costs: list[Cost]) -> float:
    """The slope between the two largest inputs, in logarithms: 1 is linear."""
    one, two = costs[-2:]
    growth = max(two.seconds, _SMALL) / max(one.seconds, _SMALL)
    return math.log(growth) / math.log(two.characters / one.characters)


def main(arguments: list[str]) -> int:
    if len(arguments) == 2:
        sys.path[:0] = [str(ROOT / folder) for folder in ("linter", "rules")]
        sys.set_int_max_str_digits(0)
        memory_limit()
        print(json.dumps(vars(measure(arguments[0], int(arguments[1])))))  # noqa: T201 - a script
        return 0
    for name in arguments or GROWTHS:
        costs = [measured(name, size, 60) for size in GROWTHS[name].sizes]
        found = [c for c in costs if isinstance(c, Cost)]
        slope = f"{exponent(found):5.2f}" if len(found) == len(costs) else "    -"
        shown = "  ".join(c if isinstance(c, str) else f"{c.seconds:.2f} s {c.megabytes:.0f} MB" for c in costs)
        last = " ".join(found[-1].codes) if found else ""
        print(f"{name:24} {slope}  {shown}  {last}", flush=True)  # noqa: T201 - a script
    return 0


def memory_limit() -> None:
    """End this process rather than the machine."""
    import resource

    resource.setrlimit(resource.RLIMIT_AS, (4 << 30, 4 << 30))


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
