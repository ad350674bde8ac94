"""Patterns of einops, compared with einops where it is installed."""

from __future__ import annotations

from typing import Any

import pytest

from onnx_lint.semantics.catalogue import shapes
from onnx_lint.semantics.domain.dims import symbol
from onnx_lint.semantics.domain.shapes import UNKNOWN, TensorType

CASES: list[tuple[str, str, dict[str, int]]] = [
    ("rearrange", "b c h w -> b (h w) c", {}),
    ("rearrange", "b (c k) h w -> b c (k h) w", {"k": 2}),
    ("rearrange", "... h w -> ... (h w)", {}),
    ("rearrange", "b c (h p) (w q) -> b (h w) (p q c)", {"p": 3, "q": 5}),
    ("rearrange", "b c h w -> 1 (b c) h w", {}),
    ("rearrange", "b 1 h w -> b h w", {}),
    ("rearrange", "b c h -> b c h", {}),
    ("repeat", "b c h w -> b c (h r) (w s)", {"r": 2, "s": 3}),
    ("repeat", "b c h w -> b c h w 1 n", {"n": 4}),
    ("reduce", "b c (h x) (w y) -> b c h w", {"x": 3, "y": 5}),
    ("reduce", "b c h w -> b c () ()", {}),
    ("reduce", "b c h w -> ", {}),
]


@pytest.mark.torch
@pytest.mark.parametrize(("name", "pattern", "lengths"), CASES)
@pytest.mark.parametrize("shape", [(2, 4, 6, 10), (1, 2, 9, 5), (3, 1, 4, 4)])
def test_patterns(name: str, pattern: str, lengths: dict[str, int], shape: tuple[int, ...]) -> None:
    torch, einops = pytest.importorskip("torch"), pytest.importorskip("einops")
    extra: tuple[Any, ...] = ("mean",) if name == "reduce" else ()
    outcome = shapes.call(f"einops.{name}", (TensorType(shape, "float32"), pattern, *extra), lengths)
    try:
        real = tuple(getattr(einops, name)(torch.rand(shape), pattern, *extra, **lengths).shape)
    except einops.EinopsError:
        assert outcome.error is not None
    else:
        assert outcome.result == TensorType(real, "float32")


def test_what_is_not_a_pattern_is_unknown() -> None:
    x = TensorType((2, symbol("H")))
    assert shapes.call("einops.rearrange", (x, UNKNOWN)).result is UNKNOWN
    assert shapes.call("einops.rearrange", (x, "a b")).result is UNKNOWN
    assert shapes.call("einops.rearrange", (x, "a (b c) -> a b c")).result is UNKNOWN


def test_the_rank_follows_from_the_pattern_alone() -> None:
    found = shapes.call("einops.rearrange", (TensorType(None, "float32"), "b (h d) -> b h d"), {"h": 8}).result
    assert isinstance(found, TensorType)
    assert found.rank == 3
    assert found.shape is not None
    assert found.shape[1] == 8
