"""Nothing that is linted is run: what the code of the linter calls and imports, and what linting does to a file that
would tell."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
ROOMS = ("linter", "rules", "lsp")
FORBIDDEN = {
    "exec", "eval", "compile", "__import__", "execfile", "breakpoint", "input", "runpy.run_path", "runpy.run_module",
    "pickle.load", "pickle.loads", "marshal.load", "marshal.loads", "shelve.open", "yaml.load", "yaml.unsafe_load",
    "torch.load", "importlib.__import__", "os.system", "os.popen", "builtins.exec", "builtins.eval",
    "builtins.compile", "code.interact", "types.FunctionType", "types.CodeType",
}  # fmt: skip
DYNAMIC = {
    # file, and what the name of the module that it imports comes from
    "linter/onnx_lint/cli.py": "entry points of this installation: the exporter and the server",
    "linter/onnx_lint/codes.py": "entry points of this installation: codes of the exporter",
    "linter/onnx_lint/plugins.py": "entry points of this installation: packages of rules and of op models",
    "linter/onnx_lint/report/report.py": "the choices of --output-format",
}
_IMPORTERS = {"importlib.import_module", "importlib.util.spec_from_file_location", "importlib.util.module_from_spec"}


def trees(*rooms: str) -> Iterator[tuple[str, ast.Module]]:
    for room in rooms:
        for path in sorted((ROOT / room).rglob("*.py")):
            yield path.relative_to(ROOT).as_posix(), ast.parse(path.read_text(encoding="utf-8"))


def imported(tree: ast.Module) -> dict[str, str]:
    """Local names, and the full names that they were imported as."""
    names: dict[str, str] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                names[alias.asname or alias.name.partition(".")[0]] = (
                    alias.name if alias.asname else alias.name.partition(".")[0]
                )
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            for alias in node.names:
                names[alias.asname or alias.name] = f"{node.module}.{alias.name}"
    return names


def bound(node: ast.AST) -> set[str]:
    """The parameters of a function or lambda expression, and the names that its body assigns."""
    if not isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)):
        return set()
    stored = {n.id for n in ast.walk(node) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}
    return stored | {n.arg for n in ast.walk(node.args) if isinstance(n, ast.arg)}


def uses(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """Every dotted name that is read, in full, with its line: handing `eval` on is a use as well as calling it. Names
    of a function's own are none of the built-in ones."""
    names = imported(tree)
    pending: list[tuple[ast.AST, frozenset[str]]] = [(tree, frozenset())]
    while pending:
        node, own = pending.pop()
        own |= bound(node)
        pending += [(child, own) for child in ast.iter_child_nodes(node)]
        if isinstance(node, (ast.Name, ast.Attribute)) and isinstance(node.ctx, ast.Load):
            parts: list[str] = []
            inner: ast.expr = node
            while isinstance(inner, ast.Attribute):
                parts.append(inner.attr)
                inner = inner.value
            if isinstance(inner, ast.Name) and inner.id not in own:
                parts.append(names.get(inner.id, inner.id))
                yield node.lineno, ".".join(reversed(parts))


def test_the_search_finds_what_it_looks_for() -> None:
    code = (
        "import pickle as p\nfrom importlib import import_module as load\nf = eval\np.load(x)\nload(x)\nre.compile(x)\n"
        "def f(input, g=compile):\n    return input(g)\n"
    )
    found = {name for _, name in uses(ast.parse(code))}
    assert {"eval", "pickle.load", "importlib.import_module", "re.compile"} <= found
    assert found & FORBIDDEN == {"eval", "pickle.load", "compile"}


def test_nothing_is_executed() -> None:
    found = [f"{path}:{line}: {name}" for path, tree in trees(*ROOMS) for line, name in uses(tree) if name in FORBIDDEN]
    assert found == []


def test_modules_are_imported_by_name_only_in_known_places() -> None:
    found = {path for path, tree in trees(*ROOMS) for _, name in uses(tree) if name in _IMPORTERS}
    assert found == set(DYNAMIC)


def test_linting_needs_neither_torch_nor_onnx_nor_the_server() -> None:
    heavy = {"torch", "onnx", "onnxruntime", "onnxscript", "numpy", "pygls", "lsprotocol"}
    found = []
    for path, tree in trees("linter", "rules"):
        for node in ast.walk(tree):
            names = [a.name for a in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom) and not node.level:
                names = [node.module or ""]
            found += [f"{path}: {name}" for name in names if name.partition(".")[0] in heavy]
    assert found == []


@pytest.mark.parametrize("arguments", [(), ("--diff", "--unsafe-fixes"), ("--output-format", "sarif")])
def test_a_file_that_would_tell_is_not_run(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    """In a process of its own, whose folder holds modules by the names that the linter itself imports."""
    tell = "import pathlib\npathlib.Path(__file__).with_suffix('.was-run').touch()\n"
    model = "from torch import nn\n\nclass Net(nn.Module):\n    def forward(self, x):\n        return x.data\n"
    for name in ("model", "torch", "onnx", "json", "ast", "rich", "conftest", "sitecustomize", "setup", "pkg/__init__"):
        path = tmp_path / f"{name}.py"
        path.parent.mkdir(exist_ok=True)
        path.write_text(tell + model, encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-m", "onnx_lint", *arguments, "."],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 1, done.stderr
    assert "x.data" in done.stdout or "x.detach()" in done.stdout
    assert sorted(tmp_path.rglob("*.was-run")) == []


def test_linting_loads_no_heavy_module(tmp_path: Path) -> None:
    (tmp_path / "model.py").write_text("import torch\nimport onnx\nimport pygls\n", encoding="utf-8")
    script = (
        "import sys\nfrom onnx_lint.cli import main\n"
        f"status = main([{str(tmp_path)!r}, '-q'])\n"
        "print(status, sorted({'torch', 'onnx', 'numpy', 'pygls', 'onnxruntime'} & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, cwd=tmp_path, timeout=300, check=False
    )
    assert done.stdout.splitlines()[-1:] == ["0 []"], done.stderr
