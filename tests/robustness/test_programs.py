"""Generated programs over several files: nothing fails inside, and what is said depends on the texts alone, not on the
order of files, the names of their folder, or the seed of hashes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from onnx_lint.checker import check
from onnx_lint.codes import INTERNAL_ERROR
from onnx_lint.diagnostic import Diagnostic
from onnx_lint.project.project import Project
from onnx_lint.settings import Settings
from onnx_lint.source.text import SourceText

HEAD = "import torch\nfrom torch import nn\n"
FILES = ("a", "b", "c")
NAMES = ("f", "g", "A", "B", "n")

_EXPRESSIONS = (
    "x", "x.shape[0]", "n", "len(x)", "x.sum().item()", "f(x)", "g(x, n)", "self.part(x)", "x + n", "int(n)",
    "x.view(n, -1)", "A()", "B()(x)", "x if n else y", "[i for i in range(3)]", "y", "None", "3", "x[: n]",
    "torch.cat([x, y])", "lambda z: 1", "a.f(3)", "b.A", "n // 2",
)  # fmt: skip
_NESTING = ("(x, n)", "[n, x]", "{'k': n}", "[i for i in range(n)]", "lambda z: z", "a.f(x)")
"""With these, values hold one another, and calls hand them on."""
_IMPORTS = (
    "from {} import *", "from {} import f", "import {}", "from {} import A as B", "from {} import g as f",
    "from {} import n", "try:\n    from {} import n\nexcept ImportError:\n    n = None",
)  # fmt: skip
_LINES = (
    "n = {}",
    "x = {}",
    "y = {}",
    "x += {}",
    "if {}:\n    x = {}",
    "for i in {}:\n    n = i",
    "print({})",
    "n += {}",
)


@st.composite
def _body(draw: st.DrawFn, expressions: tuple[str, ...]) -> str:
    lines: list[str] = ["y = n = x"] if draw(st.booleans()) else ["y, n = x, x.shape[0]"]
    for _ in range(draw(st.integers(0, 4))):
        line = draw(st.sampled_from(_LINES))
        lines.append(line.format(*(draw(st.sampled_from(expressions)) for _ in range(line.count("{}")))))
    lines.append(f"return {draw(st.sampled_from(expressions))}")
    return "\n".join(lines).replace("\n", "\n    ")


@st.composite
def _definition(draw: st.DrawFn, expressions: tuple[str, ...]) -> str:
    body = draw(_body(expressions))
    kind = draw(st.sampled_from(("f", "g", "class", "class", "value")))
    if kind == "value":
        return f"n = {draw(st.sampled_from(('3', 'f', 'A', 'None')))}"
    if kind != "class":
        return f"def {kind}(x, n=None):\n    {body}"
    name = draw(st.sampled_from(("A", "B", "C")))
    base = draw(st.sampled_from(("nn.Module", "A", "B", "C, nn.Module")))
    inner = body.replace("\n", "\n    ")
    init = f"    def __init__(self):\n        self.part = {draw(st.sampled_from(('A()', 'B()', 'nn.Linear(2, 2)')))}"
    return f"class {name}({base}):\n{init}\n    def forward(self, x, n=None):\n        {inner}"


@st.composite
def programs(draw: st.DrawFn, expressions: tuple[str, ...] = _EXPRESSIONS) -> dict[str, str]:
    """Files by path."""
    out = {}
    for name in FILES:
        others = [f for f in FILES if f != name]
        imports = [draw(st.sampled_from(_IMPORTS)).format(draw(st.sampled_from(others))) for _ in range(2)]
        parts = [draw(_definition(expressions)) for _ in range(draw(st.integers(1, 3)))]
        out[f"{name}.py"] = HEAD + "\n".join([*imports, *parts]) + "\n"
    return out


def nested_programs() -> st.SearchStrategy[dict[str, str]]:
    """Programs whose values hold one another."""
    return programs((*_EXPRESSIONS, *_NESTING))


def linted(files: dict[str, str], *, editor: bool = False) -> list[Diagnostic]:
    project = Project(editor=editor)
    for path, text in files.items():
        project.add(SourceText.from_text(path, text))
    return check(project, Settings())


@settings(max_examples=250, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(programs(), st.permutations([f"{name}.py" for name in FILES]))
def test_the_order_of_files_changes_nothing(files: dict[str, str], order: list[str]) -> None:
    said = linted(files)
    assert not [d for d in said if d.code == INTERNAL_ERROR.code]
    assert linted({path: files[path] for path in order}) == said


@pytest.mark.slow
@settings(max_examples=2000, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(programs(), st.permutations([f"{name}.py" for name in FILES]))
def test_no_program_fails_inside_in_any_order(files: dict[str, str], order: list[str]) -> None:
    said = linted(files)
    assert not [d for d in said if d.code == INTERNAL_ERROR.code]
    assert linted({path: files[path] for path in order}) == said


@pytest.mark.slow
@settings(max_examples=2000, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(nested_programs())
def test_no_program_with_nested_values_fails_inside(files: dict[str, str]) -> None:
    assert not [d for d in linted(files) if d.code == INTERNAL_ERROR.code]


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(programs())
def test_an_editor_says_the_same(files: dict[str, str]) -> None:
    def key(d: Diagnostic) -> tuple[object, ...]:
        return (d.code, d.severity, d.span, d.message, d.engines)

    assert [key(d) for d in linted(files, editor=True)] == [key(d) for d in linted(files)]


@settings(
    max_examples=5,
    deadline=None,
    phases=[Phase.generate],  # making an example smaller takes a process for each step
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
@given(st.lists(programs(), min_size=4, max_size=4))
def test_hash_seed_working_directory_and_kind_of_path_change_nothing(
    tmp_path: Path, several: list[dict[str, str]]
) -> None:
    top = tmp_path / "top"
    for number, files in enumerate(several):
        (top / str(number)).mkdir(parents=True, exist_ok=True)
        for path, text in files.items():
            (top / str(number) / path).write_text(text)
    (tmp_path / "link").unlink(missing_ok=True)
    (tmp_path / "link").symlink_to(top, target_is_directory=True)
    runs = [(top, (".",), "0"), (top, (".",), "1"), (tmp_path, ("link",), "2"), (tmp_path, (str(top),), "3")]
    runs.append((top / "1", tuple(sorted(map(str, top.rglob("*.py")), reverse=True)), "4"))
    said = [by_command(folder, paths, seed, top) for folder, paths, seed in runs]
    assert said.count(said[0]) == len(said)


def by_command(folder: Path, paths: Sequence[str], seed: str, top: Path) -> list[str]:
    """What the command says of paths from that folder, each diagnostic as JSON; places are relative to `top`."""
    command = [sys.executable, "-m", "onnx_lint", "--isolated", "--no-cache", "--jobs", "1", "--exit-zero"]
    done = subprocess.run(
        [*command, "--output-format", "json", *paths],
        cwd=folder,
        env={**os.environ, "PYTHONHASHSEED": seed},
        capture_output=True,
        check=True,
    )
    found = json.loads(done.stdout)
    assert not found["errors"], found["errors"]
    real = top.resolve()

    def without_folder(value: object) -> object:
        if isinstance(value, list):
            return [without_folder(each) for each in value]
        if not isinstance(value, dict):
            return value
        return {
            key: os.path.relpath((folder / one).resolve(), real)
            if key == "path" and isinstance(one, str)
            else without_folder(one)
            for key, one in value.items()
        }

    return [json.dumps(without_folder(each), sort_keys=True) for each in found["diagnostics"]]
