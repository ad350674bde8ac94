"""Scripted code is compiled by torchscript, not traced; dynamo runs functions of that kind."""

from __future__ import annotations

import pytest

from onnx_lint.target import Engine
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


@pytest.mark.parametrize("decorator", ["torch.jit.script", "torch.jit.script_if_tracing"])
def test_dynamo_runs_a_scripted_function_like_any_other(decorator: str) -> None:
    source = f"""
        import torch

        @{decorator}
        def scripted(x: torch.Tensor) -> torch.Tensor:
            if x.sum() > 0:
                return x + 1
            return x

        class Net(torch.nn.Module):
            def forward(self, x):
                return scripted(x) * 2
    """
    (only,) = check_source(source)
    assert (only.code, only.engines) == ("ONX101", (Engine.DYNAMO,))
    (ignored,) = check_source(source.replace(decorator, "torch.jit.ignore"))  # a word to the compiler of scripts only
    assert (ignored.code, ignored.engines) == ("ONX101", (Engine.TORCHSCRIPT, Engine.DYNAMO))


def test_a_class_that_is_made_only_to_be_scripted_is_no_entry_point() -> None:
    source = """
        import torch

        class Net(torch.nn.Module):
            def forward(self, x):
                if x.sum() > 0:
                    return x + 1
                return x

        scripted = torch.jit.script(Net())
    """
    assert check_source(source) == []
    plain = source.replace("scripted =", "plain = Net()\n        scripted =")
    assert [d.code for d in check_source(plain)] == ["ONX101"]


def test_a_number_that_is_made_of_an_input_is_a_tensor_for_torchscript() -> None:
    source = """
        import torch

        class Net(torch.nn.Module):
            def __init__(self, y: int):
                super().__init__()
                self.y = y

            def forward(self, x: int):
                return self.y > x
    """
    assert [(d.code, d.engines) for d in check_source(source)] == [("ONX402", (Engine.DYNAMO,))]
