"""The parser's own settings hold for its own parses only."""

from __future__ import annotations

import subprocess
import sys
import threading

import libcst as cst
import pytest

from onnx_lint.checker import check
from onnx_lint.project.project import Project
from onnx_lint.settings import Settings
from onnx_lint.source import parse as parse_module
from onnx_lint.source.parse import parse
from onnx_lint.source.text import SourceText


def test_libcst_validates_for_others_before_and_after_a_lint() -> None:
    with pytest.raises(cst.CSTValidationError):
        cst.Name("")
    project = Project()
    project.add(
        SourceText.from_text("net.py", "from torch import nn\nclass A(nn.Module):\n def forward(self, x):\n  x\n")
    )
    check(project, Settings())
    with pytest.raises(cst.CSTValidationError):
        cst.Name("")


def test_libcst_validates_in_a_process_that_only_imports_the_linter() -> None:
    script = "import onnx_lint.source.lower, libcst; libcst.Name('')"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert "CSTValidationError" in done.stderr


@pytest.mark.parametrize("text", ["x = (", "def f(:\n", "x = 1\n"])
def test_it_validates_again_whatever_a_parse_ends_with(text: str) -> None:
    parse(text, False)
    with pytest.raises(cst.CSTValidationError):
        cst.Name("")


def test_another_thread_is_validated_while_one_parses(monkeypatch: pytest.MonkeyPatch) -> None:
    """What stands in for the native parser makes a wrong node, and lets another thread make one."""
    raised: list[type[BaseException]] = []

    def other() -> None:
        try:
            cst.Name("")
        except cst.CSTValidationError as error:
            raised.append(type(error))

    def native(text: str) -> cst.Module:
        cst.Name("")  # not validated: this is the thread that parses
        thread = threading.Thread(target=other)
        thread.start()
        thread.join()
        return cst.Module([])

    monkeypatch.setattr(parse_module, "parse_module", native)
    assert isinstance(parse("", False), cst.Module)
    assert raised == [cst.CSTValidationError]
