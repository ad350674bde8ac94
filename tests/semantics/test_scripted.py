"""Scripted code is compiled, not traced: nothing is said about it."""

from __future__ import annotations

from onnx_lint.testing import check_source

SCRIPTED = """
    import torch

    class Scripted(torch.jit.ScriptModule):
        @torch.jit.script_method
        def forward(self, x):
            if bool(x.sum() > 0):
                x = x + 1
            for _ in range(x.size(0)):
                x = x * 2
            return x
"""


def test_a_script_module_is_no_entry_point() -> None:
    assert check_source(SCRIPTED) == []


def test_the_same_code_in_an_ordinary_module_is_told() -> None:
    ordinary = SCRIPTED.replace("torch.jit.ScriptModule", "torch.nn.Module").replace("@torch.jit.script_method", "")
    assert {d.code for d in check_source(ordinary)} == {"ONX101", "ONX105", "ONX201"}
