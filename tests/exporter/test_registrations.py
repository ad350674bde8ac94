"""Operators of one's own: what the exported graph holds of them, in both engines (rows P16, E6, E7)."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parent))
from commands import Ran, export
from corpus_runs import CORPUS

pytestmark = pytest.mark.torch


def run(folder: Path, python: str, name: str, *more: str) -> Ran:
    target = f"{CORPUS / 'registrations.py'}:{name}"
    return export(folder, python, [target, "--inputs-from", f"{target}.inputs", "--output-format", "json", *more])


def text(ran: Ran, engine: str) -> str:
    return str(ran.export(engine)["text"])


def test_the_registered_symbolic_function_makes_the_node(tmp_path: Path, warm_python: str) -> None:
    ran = run(tmp_path, warm_python, "OwnElu", "--text")
    assert "Celu" in text(ran, "torchscript") and "Celu" not in text(ran, "dynamo")


def test_the_onnxscript_function_is_a_function_of_the_model(tmp_path: Path, warm_python: str) -> None:
    ran = run(tmp_path, warm_python, "ScriptedSelu", "--text")
    assert "onnx_lint_corpus.script.Selu" in text(ran, "torchscript")
    assert all(word in text(ran, "dynamo") for word in ("Exp", "Min", "Max"))  # not torch's own Selu
    assert "Selu" not in text(ran, "dynamo").split("{", 1)[1]


def test_a_domain_of_its_own_has_the_version_that_was_given(tmp_path: Path, warm_python: str) -> None:
    """From the module of the target in torchscript, from the code in dynamo; neither result can be compared."""
    for name, engine in (("OwnDomain", "torchscript"), ("OwnDomainSymbolic", "dynamo")):
        ran = run(tmp_path, warm_python, name, "--text", "--engine", engine)
        entry = ran.export(engine)
        assert ran.status == 3 and entry["ok"]  # not proved
        assert '"onnx_lint_corpus.mine" : 3' in text(ran, engine)
        words = "ONNX Runtime has no operator `onnx_lint_corpus.mine::MyErf`, so the results are not compared"
        assert entry["input1"] == entry["input2"] == {"state": "not run", "text": words}


def test_the_option_wins_over_the_module(tmp_path: Path, warm_python: str) -> None:
    opsets = json.dumps({"onnx_lint_corpus.mine": 5})
    ran = run(tmp_path, warm_python, "OwnDomain", "--text", "--engine", "torchscript", "--custom-opsets", opsets)
    assert '"onnx_lint_corpus.mine" : 5' in text(ran, "torchscript")


SCRIPTED = """import onnxscript
import torch
from onnxscript import opset18 as op

DOMAIN = onnxscript.values.Opset("one.script", 1)


@onnxscript.script(DOMAIN, default_opset=op)
def Selu(x):
    return op.Selu(x)


class Net(torch.nn.Module):
    def forward(self, x):
        y = x + 1
        return torch.selu(y)


custom_translation_table = {torch.ops.aten.selu.default: Selu}
"""


def test_dynamo_cannot_inline_a_script_function(tmp_path: Path, warm_python: str) -> None:
    """Against its documentation. The failure is told, and what to do about it can be read above."""
    (tmp_path / "net.py").write_text(SCRIPTED)
    arguments = ["net.py:Net", "--input", "x:float32[n,3]", "--engine", "dynamo", "--output-format", "json"]
    ran = export(tmp_path, warm_python, arguments)
    (found,) = ran.document["diagnostics"]
    entry = ran.export("dynamo")
    assert ran.status == 1 and (entry["exported"], entry["stage"]) == (False, "translate")
    assert "number of values and replacements must match" in found["message"]


def test_registrations_in_a_file_of_their_own(tmp_path: Path, warm_python: str) -> None:
    (tmp_path / "net.py").write_text(
        "import torch\n\n\nclass Net(torch.nn.Module):\n    def forward(self, x):\n"
        "        return torch.special.airy_ai(x) * 0\n"
    )
    (tmp_path / "rules.py").write_text(
        "import torch\nfrom onnxscript import opset20 as op\n\n"
        "torch.onnx.register_custom_op_symbolic('aten::special_airy_ai', lambda g, x: g.op('Identity', x), 9)\n"
        "custom_translation_table = {torch.ops.aten.special_airy_ai.default: lambda x: op.Identity(x)}\n"
    )
    plain: list[Any] = ["net.py:Net", "--input", "x:float32[n,3]", "--output-format", "json"]
    without = export(tmp_path, warm_python, plain)
    assert {(code, line) for code, line, _ in without.said} == {("ONX903", 6)}
    assert export(tmp_path, warm_python, [*plain, "--register", "rules.py"]).status == 0
