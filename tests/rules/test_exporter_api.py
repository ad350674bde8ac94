"""What the rules say of the exporter's interface is what the installed torch has."""

from __future__ import annotations

import inspect
from importlib import import_module

import pytest

from onnx_lint_rules.exporter_api import exporter_api

API = exporter_api()
pytestmark = pytest.mark.torch


def is_there(name: str) -> bool:
    """Whether a dotted name can be read."""
    module, _, attribute = name.rpartition(".")
    try:
        return hasattr(import_module(module), attribute)
    except ImportError:
        return False


@pytest.fixture(scope="module", autouse=True)
def installed() -> None:
    torch = pytest.importorskip("torch")
    if not torch.__version__.startswith(API.torch):
        pytest.skip(f"the table is of torch {API.torch}")


@pytest.mark.parametrize("name", API.removed_names)
def test_what_is_said_to_be_gone_is_gone(name: str) -> None:
    assert not is_there(name)


def test_what_is_there_is_not_said_to_be_gone() -> None:
    assert is_there("torch.onnx.export")
    assert is_there("torch.onnx.ONNXProgram")


def test_the_parameters_are_those_of_the_function() -> None:
    import torch

    assert API.parameters == set(inspect.signature(torch.onnx.export).parameters)
    assert not API.parameters & set(API.removed_parameters)


@pytest.mark.parametrize("opset", [20, 23, 24])
def test_the_range_of_opsets_is_that_of_the_torchscript_engine(opset: int) -> None:
    import io

    import torch

    given = API.opsets["torchscript"]
    model, example = torch.nn.Identity(), (torch.ones(2),)
    if opset >= given["fails_from"]:
        with pytest.raises(RuntimeError, match="Unsupported onnx_opset_version"):
            torch.onnx.export(model, example, io.BytesIO(), dynamo=False, opset_version=opset)
    elif opset > given["highest"]:
        with pytest.warns(torch.onnx.errors.OnnxExporterWarning, match="not supported"):
            torch.onnx.export(model, example, io.BytesIO(), dynamo=False, opset_version=opset)
    else:
        torch.onnx.export(model, example, io.BytesIO(), dynamo=False, opset_version=opset)
