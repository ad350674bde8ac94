"""Promotion of dtypes, compared with the installed torch."""

from __future__ import annotations

import itertools
from typing import Any

import pytest

from onnx_lint.semantics.domain.dtypes import DTYPES, Operand, dtype_named, promote, result_type
from onnx_lint.semantics.domain.shapes import Number, TensorType, Value, operand


@pytest.mark.torch
def test_promotion_of_all_pairs_is_that_of_torch() -> None:
    torch = pytest.importorskip("torch")
    checked = 0
    for left, right in itertools.product(sorted(DTYPES), repeat=2):
        try:
            real = str(torch.promote_types(getattr(torch, left), getattr(torch, right))).removeprefix("torch.")
        except RuntimeError:
            real = None  # torch refuses this pair
        said = promote(left, right)
        assert said in (real, None), (left, right)
        checked += said is not None
    assert checked > 150


@pytest.mark.torch
def test_result_types_of_tensors_scalars_and_numbers_are_those_of_torch() -> None:
    torch = pytest.importorskip("torch")
    names = ("bool", "uint8", "int32", "int64", "float16", "bfloat16", "float32", "float64", "complex64")
    numbers: list[Any] = [True, 2, 2.5, 2j]
    for left, rank, right in itertools.product(names, (0, 1), [*itertools.product(names, (0, 1)), *numbers]):
        x = torch.ones((2,) * rank, dtype=getattr(torch, left))
        said_x: Value = TensorType((2,) * rank, left)
        if isinstance(right, tuple):
            y: Any = torch.ones((2,) * right[1], dtype=getattr(torch, right[0]))
            said_y: Value = TensorType((2,) * right[1], right[0])
        else:
            y = said_y = right
        operands = [o for o in (operand(said_x), operand(said_y)) if o is not None]
        assert f"torch.{result_type(operands)}" == str(torch.result_type(x, y)), (left, rank, right)


def test_a_tensor_of_unknown_rank_has_a_result_type_where_the_rank_does_not_matter() -> None:
    def of(left: Value, right: Value) -> str | None:
        return result_type([o for o in (operand(left), operand(right)) if o is not None])

    assert of(TensorType(None, "float32"), Number("int")) == "float32"
    assert of(TensorType(None, "float64"), TensorType((2,), "float32")) is None


def test_names_of_dtypes() -> None:
    assert dtype_named("torch.long") == "int64"
    assert dtype_named("half") == "float16"
    assert dtype_named("cuda") is None


def test_many_operands_of_unknown_rank_cost_no_more_than_two() -> None:
    """Both cases of each would be two to the power of sixty."""
    operands = [Operand("float32", "unknown")] * 60
    assert result_type(operands) == "float32"
    assert result_type([*operands, Operand("int64", "tensor")]) == "float32"
