"""JSON from outside can never overflow a stack."""

from __future__ import annotations

import subprocess
import sys

import pytest

from onnx_lint.source import json_text

_DEEP = b'{"a":' + b"[" * 100_000 + b"]" * 100_000 + b"}"


def test_what_is_nested_too_deep_is_not_read() -> None:
    with pytest.raises(ValueError, match="more than 500 nested lists and objects"):
        json_text.loads(_DEEP)
    with pytest.raises(ValueError, match="more than 500"):
        json_text.loads(_DEEP.decode())


@pytest.mark.parametrize(
    "text",
    [
        b'{"text":"' + b"[" * 100_000 + b'"}',
        b'{"text":"' + b'\\"[' * 100_000 + b'"}',
        b"[" + b"[]," * 50_000 + b"[]]",
        b"[" * 400 + b"]" * 400,
    ],
    ids=["in a string", "behind a quote in a string", "side by side", "deep, not too deep"],
)
def test_what_only_looks_deep_is_read(text: bytes) -> None:
    assert json_text.loads(text) == json_text.loads(text.decode())


def test_a_notebook_cannot_kill_a_process_whose_recursion_limit_was_raised() -> None:
    program = """
import sys
from onnx_lint.source import notebook
from onnx_lint.source.text import SourceError
sys.setrecursionlimit(2_000_000)
try:
    notebook.decode("n.ipynb", b"[" * 1_000_000)
except SourceError as error:
    print(error)
"""
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout.startswith("n.ipynb: cannot be read as a notebook: more than 500 nested lists")
