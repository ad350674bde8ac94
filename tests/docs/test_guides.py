"""The guides do what they say: their files and commands are run, and print what stands there."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from cli.conftest import Lint, Put, lint, put
from systems import untraced

from onnx_lint.arguments import CheckOptions, parse
from onnx_lint.commands import COMMANDS, as_options, small

__all__ = ["lint", "put"]

ROOT = Path(__file__).parents[2]
GUIDES = ("first-lint.md", "first-fix.md", "python-api.md")
FILE = re.compile(r'^```python title="([\w.]+)"\n(.*?)^```$', re.M | re.S)
CONSOLE = re.compile(r"^```console\n\$ onnx-lint ([^\n]*)\n(.*?)^```$", re.M | re.S)
COUNT = re.compile(r"by \d+ rules")
"""Grows with every rule."""
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]


def text(name: str) -> str:
    return (ROOT / "docs" / name).read_text(encoding="utf-8")


@pytest.mark.parametrize("name", GUIDES[:2])
def test_the_output_is_what_is_printed(name: str, lint: Lint, put: Put) -> None:
    files, runs = FILE.findall(text(name)), CONSOLE.findall(text(name))
    assert files and runs
    for file, content in files:
        put(file, content)
    for arguments, said in runs:
        printed = lint(*shlex.split(arguments)).stdout
        assert COUNT.sub("by N rules", printed) == COUNT.sub("by N rules", said)


def test_the_python_example_prints_what_it_says(tmp_path: Path) -> None:
    ((file, content),) = FILE.findall(text("python-api.md"))
    (tmp_path / file).write_text(content)
    done = subprocess.run([sys.executable, file], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert f"It prints `{done.stdout.strip()}`" in text("python-api.md")


def calls(page: Path) -> list[list[str]]:
    """The calls of the command in indented or fenced code, and alone in backticks."""
    content = page.read_text(encoding="utf-8")
    lines = re.findall(r"^(?:    |\$ )?onnx-lint (.+)$", content, re.M)
    return [shlex.split(line.partition("  #")[0]) for line in lines if "[" not in line.split(" ")[0]]


@pytest.mark.parametrize("page", PAGES, ids=lambda p: p.name)
def test_commands_are_taken(page: Path) -> None:
    for arguments in calls(page):
        if arguments[0] in COMMANDS and arguments[0] not in ("check", "export", "explain", "server"):
            continue
        options = as_options(arguments)
        if {"--export", "--observe", "--lsp"} & {*options} or arguments[0].startswith("["):
            continue  # the exporter's, tested with the exporter
        assert isinstance(parse(options), CheckOptions)


def test_small_commands_that_are_named_exist() -> None:
    named = set(re.findall(r"`onnx-lint (\w+)`", "".join(p.read_text(encoding="utf-8") for p in PAGES[1:])))
    assert named <= set(COMMANDS), named
    assert callable(small)


# ------------------------------------------------------------------------------------------------- the page of errors
MESSAGES = """
import contextlib, io, json, sys, warnings
import torch
from torch import nn

CASES = {
    "bool": ("torchscript", lambda x: x if x.sum() > 0 else -x),
    "item": ("torchscript", lambda x: x * x.sum().item()),
    "integer": ("torchscript", lambda x: x * int(x.shape[0] / 2)),
    "numpy": ("torchscript", lambda x: x + torch.from_numpy(x.detach().numpy() * 2)),
    "iteration": ("torchscript", lambda x: torch.stack([row * 2 for row in x])),
    "length": ("torchscript", lambda x: x * len(x)),
    "constant": ("torchscript", lambda x: x * torch.tensor(x.sum())),
    "operator": ("torchscript", torch.special.airy_ai),
    "guard": ("dynamo", lambda x: x if x.sum() > 0 else -x),
    "axis": ("dynamo", lambda x: torch.stack([row * 2 for row in x])),
    "dim": ("export", lambda x: torch.stack([row * 2 for row in x])),
    "dispatch": ("dynamo", torch.special.airy_ai),
    "text": ("dynamo", lambda x: (x, "text")),
}


class Net(nn.Module):
    def __init__(self, function):
        super().__init__()
        self.function = function

    def forward(self, x):
        return self.function(x)


said = {}
for name, (engine, function) in CASES.items():
    out = []
    with warnings.catch_warnings(record=True) as warned, contextlib.redirect_stdout(io.StringIO()):
        warnings.simplefilter("always")
        try:
            if engine == "torchscript":
                options = dict(dynamo=False, input_names=["x"], dynamic_axes={"x": {0: "n"}})
                torch.onnx.export(Net(function), (torch.ones(2, 4),), io.BytesIO(), **options)
            elif engine == "export":
                torch.export.export(Net(function), (torch.ones(2, 4),), dynamic_shapes=({0: torch.export.Dim("n")},))
            else:
                options = dict(dynamo=True, dynamic_shapes=({0: torch.export.Dim.DYNAMIC},), verbose=False)
                torch.onnx.export(Net(function), (torch.ones(2, 4),), **options)
        except Exception as error:
            while error is not None:
                out.append(f"{type(error).__name__}: {error}")
                error = error.__cause__
    said[name] = out + [str(w.message) for w in warned]
sys.stderr = io.StringIO()
print(json.dumps(said))
"""
WORDS = {
    "bool": "Converting a tensor to a Python boolean might cause the trace to be incorrect",
    "item": "Converting a tensor to a Python number might cause the trace to be incorrect",
    "integer": "Converting a tensor to a Python integer might cause the trace to be incorrect",
    "numpy": "Converting a tensor to a NumPy array might cause the trace to be incorrect",
    "iteration": "Iterating over a tensor might cause the trace to be incorrect",
    "length": "Using len to get tensor shape might cause the trace to be incorrect",
    "constant": "results are registered as constants in the trace",
    "operator": "to ONNX opset version 20 is not supported",
    "guard": "Could not guard on data-dependent expression",
    "axis": "conflicts between user-specified ranges and inferred ranges",
    "dim": "Constraints violated",
    "dispatch": "No ONNX function found for <OpOverload(op='",
    "text": "'str' object has no attribute 'name'",
}


@pytest.mark.torch
def test_the_words_are_those_of_torch(tmp_path: Path) -> None:
    import json

    done = subprocess.run(
        [sys.executable, "-c", MESSAGES], cwd=tmp_path, capture_output=True, text=True, check=True, env=untraced()
    )
    # torch prints graphs of its own, some of them when the process ends
    said = json.loads(next(line for line in done.stdout.splitlines() if line.startswith("{")))
    assert set(said) == set(WORDS)
    for name, words in WORDS.items():
        assert any(words in message for message in said[name]), (name, said[name])
        assert words in text("errors.md"), name
    assert any("GuardOnDataDependentSymNode" in message for message in said["guard"])
    assert any("but tracing inferred a static shape of 2 for dimension" in message for message in said["axis"])


# -------------------------------------------------------------------------------------------------------------- site
def test_the_site_is_built_without_a_warning(tmp_path: Path) -> None:
    pytest.importorskip("mkdocs", reason="the dependency group docs")
    pytest.importorskip("material", reason="the dependency group docs")
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(tmp_path)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, env=untraced())
    assert done.returncode == 0, done.stdout + done.stderr
    assert (tmp_path / "rules" / "ONX101" / "index.html").is_file() and (tmp_path / "index.html").is_file()
    page = (tmp_path / "python-api" / "index.html").read_text(encoding="utf-8")
    assert "/blob/main/CONTRIBUTING.md" in page


def test_the_picture_of_the_terminal_shows_what_is_printed() -> None:
    import html
    import importlib.util

    spec = importlib.util.spec_from_file_location("terminal_picture", ROOT / "tools" / "terminal_picture.py")
    assert spec is not None and spec.loader is not None
    tool = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(tool)

    def words(svg: str) -> list[str]:
        """Another version of rich may draw the same words by other elements."""
        return html.unescape(" ".join(re.findall(r"<text[^>]*>([^<]*)</text>", svg))).split()

    there = tool.PICTURE.read_text(encoding="utf-8")
    assert words(there) == words(tool.drawn()), "run tools/terminal_picture.py"
    assert "data-dependent-branch" in words(there) and "url(http" not in there
