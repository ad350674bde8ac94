"""The size of the last dimension of a result of which the number of dimensions is not known.

Most code works on features: ``nn.Linear``, ``nn.Embedding`` and ``nn.LayerNorm`` fix the last dimension, whatever
stands before it, and what works element by element leaves it. So ``x.shape[-1]`` is a number of the model.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from onnx_lint.semantics.catalogue import shapes
from onnx_lint.semantics.domain.dims import Dim, varies
from onnx_lint.semantics.domain.shapes import TensorType, join_dims
from onnx_lint.semantics.domain.shapes import Value as Described

_BY_WEIGHT = {"Linear": 0, "Bilinear": 0, "Embedding": -1, "LayerNorm": -1, "RMSNorm": -1}
"""The axis of a layer's ``weight`` that says how large the last dimension of its result is."""
_OF_SECOND = {"linear": 0, "embedding": -1, "matmul": -1}
"""Likewise of the second argument of a function."""


def of_module(name: str, positional: list[Described], keyword: Mapping[str, Described]) -> Dim | None:
    """What a layer of ``torch.nn`` with these settings makes of any input; ``None`` when it is not fixed by them."""
    axis = _BY_WEIGHT.get(name.rpartition(".")[2])
    tensors = None if axis is None else shapes.parameters_of(name, positional, keyword)
    weight = None if tensors is None else tensors.get("weight")
    return None if axis is None or weight is None or not weight.shape else weight.shape[axis]


def of_function(short: str, given: Sequence[Described]) -> Dim | None:
    """What a function makes of its second argument, a matrix."""
    second = given[1] if len(given) > 1 else None
    if short not in _OF_SECOND or not isinstance(second, TensorType) or second.rank is None or second.rank < 2:
        return None
    assert second.shape is not None
    return second.shape[_OF_SECOND[short]]


def of_operation(tensors: Sequence[tuple[TensorType, bool]]) -> Dim | None:
    """What an operation element by element makes of tensors, each with whether it is a parameter or buffer of the
    model: sizes are equal, or one of them is 1. What the model holds is not larger than what it is applied to."""
    known: Dim | None = None
    for type, _ in tensors:
        size = type.last_size
        if size is not None and size != 1:
            known = size if known is None else join_dims(known, size)
    if known is None:
        return None
    is_sure = varies(known) is False  # it is not 1 in the example only
    others = [own for type, own in tensors if type.last_size is None]
    return known if is_sure or all(others) else None
