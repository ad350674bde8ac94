"""Statements in every form that Python 3.10 has, each to stand alone, in a class or beside others."""

from __future__ import annotations

import textwrap

STATEMENTS = {
    "assignment": "x = 1",
    "semicolons": "x = 1; y = 2; z = 3",
    "trailing semicolon": "x = 1;",
    "comment behind": "x = 1  # (not a bracket",
    "comment above": "# def f(\nx = 1",
    "comment below": "x = 1\n# class A:\n",
    "string behind": "x = 'abc'  # comment",
    "docstring": '"""A docstring.\n\ndef f(:\nclass A:\n"""',
    "one-line docstring": '"""def f(x): pass"""',
    "single quotes": "x = 'it\\'s (' + \"\\\"[\"",
    "triple with quotes": "x = '''a\n'b' \"\"\" '' \\''' (\n'''",
    "empty strings": "x = '' '' \"\" \"\" '''''' \"\"\"\"\"\"",
    "raw string": "x = r'\\'(' + r\"\\\"(\"",
    "string continued": "x = 'abc \\\ndef f(\\\nclass A: '",
    "backslash at a string's end": "x = '\\\\'\ny = '('",
    "bytes": "x = b'(' + rb'\\''",
    "f-string": "x = f'{a}{b!r}{c:>{d}}' f\"{e['k']}\"",
    "f-string nested": 'x = f\'{f"{a}("}\' + f"""{f\'{a}[\'}("""',
    "f-string with braces": "x = f'{{(' + f'{ {1: 2}[1] }'",
    "f-string of many lines": "x = f'''\n{a\n}\ndef f(\n'''",
    "brackets": "x = (\n1,\n[2,\n{3: 4,\n}],\n)",
    "brackets with odd indent": "x = f(\n        1,\n  2,\n3)",
    "brackets with comments": "x = [  # (\n    1,  # ]\n# )\n]",
    "brackets, then a comment": "x = (\n1\n)\n# x\n",
    "product in brackets": "x = (a\n@b\n@c(d))",
    "continuation": "x = 1 + \\\n2 + \\\n    3",
    "continuation with def": "x = 1 if a else \\\ndefault",
    "names like keywords": "define = classy = importer = elif_ = asynchronous = 1",
    "soft keywords": "match = case = type = 1\nmatch[case] = type\nmatch(case)",
    "annotation": "x: int = 1",
    "declaration": "x: 'def f('",
    "import": "import a.b as c, d",
    "from import": "from .a import (\n    b,\n    c as d,\n)",
    "import behind a semicolon": "import a; import b",
    "star import": "from a import *",
    "if": "if a:\n    x = 1\nelif b:\n    x = 2\nelse:\n    x = 3",
    "if with comments": "if a:\n    x = 1\n# why\nelse:  # (\n    x = 2",
    "if on a line": "if a: x = 1\nelse: x = 2",
    "if with definitions": "if a:\n    class A:\n        def f(self): pass\nelse:\n    def g(): pass",
    "try": "try:\n    import a\nexcept (A, B) as e:\n    a = None\nelse:\n    b = 1\nfinally:\n    c = 1",
    "try on lines": "try: a\nexcept: b\nfinally: c",
    "with": "with a as b, c as d:\n    x = 1",
    "with in brackets": "with (\n    a as b,\n    c as d,\n):\n    x = 1",
    "while": "while a:\n    break\nelse:\n    x = 1",
    "for": "for a, b in c:\n    continue\nelse:\n    x = 1",
    "match": "match a:\n    case [1, *b] if b:\n        x = 1\n    case {'k': v, **w}:\n        x = 2\n    case _:\n        x = 3",  # noqa: E501
    "def": "def f(a, /, b=1, *c, d: int = 2, **e) -> int:\n    return a",
    "def on a line": "def f(): return 1; x = 2",
    "def over lines": "def f(\n    a,\n    b=(1,\n2),\n) -> dict[\n    str, int\n]:\n    return a",
    "def with odd comments": "def f():\n# at the margin\n    x = 1\n  # askew\n    return x\n# behind",
    "def with string at the margin": 'def f():\n    x = """\ndef g():\nclass A:\n"""\n    return x',
    "def with continuation at the margin": "def f():\n    x = 1 + \\\n2\n    return x",
    "def with brackets at the margin": "def f():\n    x = [\n1,\n]\n    return x",
    "def with tabs": "def f():\n\tif a:\n\t\treturn 1",
    "nested def": "def f():\n    def g():\n        def h(): pass\n    return g",
    "async def": "async def f():\n    async with a as b:\n        async for c in d:\n            await c",
    "async  def": "async  def f(): pass",
    "decorators": "@a\n@b.c(1, 2)\n@d[0]\ndef f(): pass",
    "decorators of many lines": "@a(\n    1,\n2\n)\n# comment\n\n@b('''\n@c\ndef g(): pass\n''')\ndef f(): pass",
    "decorated async": "@a\nasync def f(): pass",
    "decorator with lambda": "@(lambda f: f)\ndef f(): pass",
    "lambda": "f = lambda a, *b: (\n    a\n)",
    "comprehension": "x = [\n    a\nfor a in b\nif a\n]",
    "walrus": "if (x := 1):\n    pass",
    "conditional over lines": "x = (a\nif b\nelse c)",
    "yield": "def f():\n    x = yield\n    yield from f()",
    "global": "def f():\n    global a, b\n    nonlocal_ = 1",
    "delete": "del a[0], b.c",
    "long": "x = [" + ", ".join(map(str, range(500))) + "]",
    "unicode": "größe = 'ü' + '\U0001f600('  # 中(文",
    "line separators in strings": "x = 'a\u2028b\x85c\x0bd'\ny = 1",
    "empty": "",
    "comment only": "# (",
    "pass": "pass",
    "ellipsis": "...",
}

CLASSES = {
    "class": "class A:\n    x = 1\n\n    def f(self): pass",
    "class on a line": "class A: x = 1",
    "class of one statement": "class A: pass",
    "class with bases": "class A(B, C[D], metaclass=E, f=lambda: 1):\n    x = 1",
    "class with bases over lines": "class A(\n    B,\n  C,\n):\n    x = 1",
    "class with comment": "class A:  # (\n    # x\n\n  # askew\n    x = 1",
    "class with docstring": 'class A:\n    """Doc.\n\n    def f(:\n"""\n\n    x = 1\n    """About x."""',
    "class with tabs": "class A:\n\tx = 1\n\tdef f(self):\n\t\tpass",
    "class of two columns": "class A:\n  x = 1\n  def f(self):\n     pass",
    "class in class": "class A:\n    class B:\n        def f(self): pass\n    x = 1",
    "decorated class": "@a\n@b(\n1)\nclass A:\n    @property\n    def f(self): pass\n\n    @f.setter\n    def f(self, x): pass",  # noqa: E501
    "class with conditions": "class A:\n    if a:\n        def f(self): pass\n    else:\n        def f(self): pass\n    x = 1",  # noqa: E501
    "class with string at the margin": "class A:\n    x = '''\ndef f():\n'''\n    y = 1",
    "class with semicolons": "class A:\n    x = 1; y = 2\n    def f(self): pass",
    "class with async": "class A:\n    async def f(self):\n        await x\n    @a\n    async def g(self): pass",
    "class that ends in a comment": "class A:\n    def f(self):\n        pass\n        # (\n\n    # )\n",
    "class with brackets at the margin": "class A:\n    x = [\n1\n]\n    y = 1",
    "class continued": "class A:\n    x = 1 + \\\n  2\n    y = 3",
    "class with long docstring only": "class A:\n    '''x\n'''",
    "exception": "class A(Exception): ...",
}


def in_class(statement: str) -> str:
    """A statement as a member: its lines indented, which changes the strings of many lines, and nothing else."""
    return "class Outer:\n" + textwrap.indent(statement if statement.strip("\n# (") else "pass", "    ") + "\n"


ALL = {**STATEMENTS, **CLASSES}
