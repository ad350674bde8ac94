"""The cause of a failure is torch's own first one, and what only follows from it is not told."""

from __future__ import annotations

from pathlib import Path

import commands
import pytest

from onnx_lint_exporter.worker.engines.dynamo_errors import suggested
from onnx_lint_exporter.worker.system import OutOfTimeError, time_limit

SOURCE = """\
import torch
from torch import nn


class Bincount(nn.Module):
    def forward(self, ids, w):
        return torch.bincount(ids, weights=w, minlength=5)


class Follows(nn.Module):
    def forward(self, x):
        y = torch.special.airy_ai(x)
        z = y.abs()
        return nn.functional.layer_norm(z, (3,))


class Keys(nn.Module):
    def forward(self, x):
        return x * 2


class Mean(nn.Module):
    def forward(self, x):
        kept = x[x > 0]
        if kept.shape[0] > 3:
            return kept.mean()
        return kept.sum()
"""


def _errors(folder: Path, python: str, *arguments: str) -> list[tuple[str, int, str]]:
    (folder / "net.py").write_text(SOURCE)
    name, *rest = arguments
    ran = commands.export(folder, python, [f"net.py:{name}", *rest, "--output-format", "json", "--effort", "0"])
    return [(d["code"], d["line"], d["message"]) for d in ran.document["diagnostics"] if d["severity"] == "error"]


def test_the_first_cause_of_dynamo(tmp_path: Path, warm_python: str) -> None:
    inputs = ["--input", "ids:int64[6]=5", "--input", "w:float32[6]"]
    ((code, line, message),) = _errors(tmp_path, warm_python, "Bincount", "--engine", "dynamo", *inputs)
    assert (code, line) == ("ONX903", 7)
    assert message == "`aten::bincount` cannot be translated: aten::bincount with weights is not supported"


def test_what_only_follows_is_not_told(tmp_path: Path, warm_python: str) -> None:
    arguments = ["Follows", "--engine", "torchscript", "--input", "x:float32[2,3]"]
    assert [(code, line) for code, line, _ in _errors(tmp_path, warm_python, *arguments)] == [("ONX903", 12)]


def test_a_wrong_key_is_no_matter_of_data(tmp_path: Path, warm_python: str) -> None:
    arguments = ["Keys", "--engine", "dynamo", "--input", "x:float32[2,3]", "--dynamic-shapes", '{"y": {"0": "n"}}']
    ((_, _, message),) = _errors(tmp_path, warm_python, *arguments)
    assert "not known while exporting" not in message and "dynamic_shapes" in message


def test_a_branch_on_a_count(tmp_path: Path, warm_python: str) -> None:
    errors = _errors(tmp_path, warm_python, "Mean", "--engine", "dynamo", "--input", "x:float32[5]")
    assert [line for _, line, _ in errors] == [25]


@pytest.mark.torch
def test_the_check_that_torch_suggests() -> None:
    """As torch writes it where a size must not be 1, say, for a mean over it."""
    text = "To fix the error, insert one of the following checks before this call:\n  1. torch._check(u0 != 1)\n"
    explained = suggested([RuntimeError("wrapped"), ValueError(text + "  2. torch._check(u0 == 1)")])
    assert explained == "; torch suggests `torch._check(u0 != 1)` or `torch._check(u0 == 1)`"


def test_an_opset_that_the_engine_has_not(tmp_path: Path, warm_python: str) -> None:
    arguments = ["Keys", "--engine", "dynamo", "--input", "x:float32[2,3]", "--opset", "9"]
    (tmp_path / "net.py").write_text(SOURCE)
    ran = commands.export(tmp_path, warm_python, ["net.py:Keys", *arguments[1:]])
    assert ran.status == 3
    assert "dynamo: not proved: opset 9 was asked for, the file has 18" in ran.out


def test_a_search_ends_in_time() -> None:
    with pytest.raises(OutOfTimeError), time_limit(0.05):
        while True:
            pass
