"""What the models say with symbols: results, constraints, errors, and that what is not known stays unknown."""

from __future__ import annotations

import random

import pytest

from onnx_lint.semantics.catalogue import shapes
from onnx_lint.semantics.catalogue.shapes import ELLIPSIS, Outcome, Slice
from onnx_lint.semantics.catalogue.shapes.module_registry import MODULES
from onnx_lint.semantics.catalogue.shapes.registry import MODELS
from onnx_lint.semantics.domain.dims import FIXED_SIZE, UNKNOWN_SIZE, VARYING_SIZE, UnknownSize, symbol
from onnx_lint.semantics.domain.shapes import UNKNOWN, Number, Repeated, TensorType, Value

B, H, W = (symbol(n, varies=True) for n in "BHW")
C = symbol("C", varies=False)
x = TensorType((B, 64, H, W), "float32")
tokens = TensorType((B, H, 3 * C), "float32")
ids = TensorType((B, H), "int64")
CONV = ("torch.nn.Conv2d", (3, 16, 3), {"stride": 2, "padding": 1})


@pytest.mark.parametrize(
    ("outcome", "text"),
    [
        (shapes.method("view", x, (B, -1, 16)), "float32[B, 4 * H * W, 16]"),
        (shapes.method("view", x, (B, 8, 8, -1)), "float32[B, 8, 8, H * W]"),
        (shapes.method("reshape", TensorType((B, UNKNOWN_SIZE, 8)), (B, -1, 4, 2)), "tensor[B, ?, 4, 2]"),
        (shapes.method("expand", TensorType((1, 8)), (B, -1)), "tensor[B, 8]"),
        (shapes.method("transpose", x, (1, -1)), "float32[B, W, H, 64]"),
        (shapes.method("add_", x, (ids,)), "float32[B, 64, H, W]"),
        (shapes.method("unsqueeze_", ids, (0,)), "int64[1, B, H]"),
        (shapes.method("to", x, ("cuda", "torch.float16")), "float16[B, 64, H, W]"),
        (shapes.method("mean", x, (), {"dim": (2, 3)}), "float32[B, 64]"),
        (shapes.method("repeat", ids, (2, 1, 1)), "int64[2, B, H]"),
        (shapes.method("masked_fill", x, (TensorType((B, 1, 1, W), "bool"), 0.0)), "float32[B, 64, H, W]"),
        (shapes.index(x, 0), "float32[64, H, W]"),
        (shapes.index(x, ELLIPSIS, Slice(None, None, 2)), "float32[B, 64, H, ceil(W / 2)]"),
        (shapes.index(x, Slice(), None, Slice(3, None)), "float32[B, 1, 61, H, W]"),
        (shapes.index(x, Slice(), (0, 1)), "float32[B, 2, H, W]"),
        (shapes.index(x, ids), "float32[B, H, 64, H, W]"),
        (shapes.index(x, TensorType((B,), "bool")), "float32[?, 64, H, W]"),
        (shapes.operator("@", x, TensorType((W, 5))), "float32[B, 64, H, 5]"),
        (shapes.operator("/", ids, 2), "float32[B, H]"),
        (shapes.operator("+", 1, ids), "int64[B, H]"),
        (shapes.operator("<", x, 0.5), "bool[B, 64, H, W]"),
        (shapes.call("torch.arange", (H,)), "int64[H]"),
        (shapes.call("torch.zeros", (B, 4)), "float32[B, 4]"),
        (shapes.call("torch.einsum", ("bchw,bc->bhw", x, TensorType((B, 64)))), "tensor[B, H, W]"),
        (shapes.call("torch.nn.functional.interpolate", (x,), {"scale_factor": 0.5}), "float32[B, 64, H // 2, W // 2]"),
        (shapes.module(*CONV, (TensorType((B, 3, H, W), "float32"),)), "float32[B, 16, ceil(H / 2), ceil(W / 2)]"),
        (shapes.module("torch.nn.Embedding", (1000, C), {}, (ids,)), "float32[B, H, C]"),
        (shapes.call("einops.rearrange", (x, "b c h w -> b (h w) c")), "float32[B, H * W, 64]"),
        (shapes.call("einops.repeat", (ids, "b n -> b n k"), {"k": 4}), "int64[B, H, 4]"),
        (shapes.call("einops.reduce", (x, "b c ... -> b c", "mean")), "float32[B, 64]"),
    ],
)  # fmt: skip
def test_results(outcome: Outcome, text: str) -> None:
    assert outcome.error is None
    assert str(outcome.result) == text


def test_pieces_of_a_fixed_multiple_are_known() -> None:
    part = TensorType((B, H, C), "float32")
    assert shapes.method("chunk", tokens, (3, -1)).result == (part, part, part)
    assert shapes.method("split", tokens, (C, 2)).result == (part, part, part)
    assert shapes.method("split", x, (20, 1)).result == tuple(
        TensorType((B, n, H, W), "float32") for n in (20, 20, 20, 4)
    )
    assert shapes.method("unbind", x).result == Repeated(TensorType((64, H, W), "float32"))


@pytest.mark.parametrize(
    ("outcome", "demanded"),
    [
        (shapes.module(*CONV, (TensorType((B, C, H, W)),)), ["C == 3"]),
        (shapes.module("torch.nn.Linear", (8, 4), {}, (TensorType((B, H)),)), ["H == 8"]),
        (shapes.module("torch.nn.LayerNorm", (8,), {}, (TensorType((B, H)),)), ["H == 8"]),
        (shapes.module("torch.nn.GroupNorm", (8, 64), {}, (TensorType((B, C, H)),)), ["C % 8 == 0", "C == 64"]),
        (shapes.call("torch.cat", ((x, TensorType((B, 2, H, C))), 1)), ["W == C"]),
        (shapes.call("torch.matmul", (x, TensorType((H, 3)))), ["W == H"]),
        (shapes.method("view", TensorType((B, H)), (B, -1, 8)), ["H % 8 == 0"]),
        (shapes.call("torch.einsum", ("bh,hk->bk", TensorType((B, H)), TensorType((4, 5)))), ["H == 4"]),
        (shapes.operator("+", TensorType((symbol("L", low=2),)), TensorType((8,))), ["L == 8"]),
        (shapes.call("einops.rearrange", (ids, "b (h p) -> b h p"), {"p": 4}), ["H % 4 == 0"]),
    ],
)
def test_constraints(outcome: Outcome, demanded: list[str]) -> None:
    assert [str(c) for c in outcome.constraints] == demanded


@pytest.mark.parametrize(
    "outcome",
    [
        shapes.module(*CONV, (x,)),
        shapes.call("torch.matmul", (TensorType((2, 3)), TensorType((4, 5)))),
        shapes.call("torch.cat", ((TensorType((2, 3)), TensorType((2, 4))), 0)),
        shapes.method("view", TensorType((2, 3)), (4, -1)),
        shapes.operator("+", TensorType((2,)), TensorType((3,))),
        shapes.method("transpose", x, (0, 4)),
        shapes.index(ids, 0, 0, 0),
    ],
)
def test_calls_that_must_fail(outcome: Outcome) -> None:
    assert outcome.error
    assert outcome.result is UNKNOWN or _without_the_tensors_sizes(outcome.result)


def _without_the_tensors_sizes(result: Value) -> bool:
    """Of what must fail at most the rank is told, and sizes that come from settings."""
    return isinstance(result, TensorType) and (
        result.shape is None or all(isinstance(size, (int, UnknownSize)) for size in result.shape)
    )


def test_what_is_not_known_stays_unknown() -> None:
    assert shapes.call("torch.no_such_function", (x,)).result is UNKNOWN
    assert shapes.call("torch.cat", (UNKNOWN,)).result == TensorType(None, None)
    assert shapes.method("sum", TensorType(None, "float32")).result == TensorType((), "float32")
    assert shapes.method("view", x, (UNKNOWN, 4)).result == TensorType((UNKNOWN_SIZE, 4), "float32")
    assert shapes.method("view", x, (UNKNOWN,)).result is UNKNOWN
    assert shapes.method("squeeze", x, (2,)).result == TensorType(None, "float32")
    assert shapes.method("permute", TensorType(None, "bool"), (1, 0)).result == TensorType(None, "bool")
    assert shapes.index(x, UNKNOWN).result == TensorType(None, "float32")
    assert shapes.parameters_of("torch.nn.Linear", (UNKNOWN, 4)) is None
    assert shapes.call("torch.relu", (x, 1, 2, 3), {"no": 1}).error is None


def test_two_dimensions_that_may_be_one_broadcast_to_an_unknown_size() -> None:
    known = shapes.operator("+", TensorType((H,)), TensorType((W,))).result
    assert known == TensorType((VARYING_SIZE,), None)
    fixed = shapes.operator("+", TensorType((C,)), TensorType((symbol("D", varies=False),))).result
    assert fixed == TensorType((FIXED_SIZE,), None)


def test_numbers_read_from_tensors() -> None:
    assert shapes.method("size", x, (2,)).result == H
    assert shapes.method("size", x).result == (B, 64, H, W)
    assert shapes.attribute("shape", TensorType(None)).result == Repeated(UNKNOWN_SIZE)
    assert shapes.method("item", TensorType((), "float32")).result == Number("float")
    assert shapes.method("numel", ids).result == B * H


def test_parameters_of_modules() -> None:
    found = shapes.parameters_of("torch.nn.MultiheadAttention", (C, 8))
    assert found is not None
    assert {n: str(t) for n, t in found.items()} == {
        "in_proj_weight": "float32[3 * C, C]",
        "in_proj_bias": "float32[3 * C]",
        "out_proj.weight": "float32[C, C]",
        "out_proj.bias": "float32[C]",
    }
    conv = shapes.parameters_of("torch.nn.Conv2d", (C, 2 * C, 3), {"groups": C, "bias": False})
    assert conv == {"weight": TensorType((2 * C, 1, 3, 3), "float32")}


@pytest.mark.parametrize("name", [m.__name__.rpartition(".")[2] for m in shapes.FAMILIES])
def test_each_family_can_be_imported_first(name: str) -> None:
    import subprocess
    import sys

    module = f"onnx_lint.semantics.catalogue.shapes.{name}"
    subprocess.run([sys.executable, "-c", f"import {module}"], check=True, capture_output=True)


ODD = (
    TensorType(None, None), TensorType((), "float32"), TensorType((0,), "int64"), TensorType((B, H, W, C, B), "bool"),
    ids, UNKNOWN, None, True, 0, -1, 10**12, H, -H, float("inf"), float("nan"), 2.5, "", "b c -> c b", (), (0,),
    (H, -1), ((UNKNOWN,),), (ids, ids), Number("int"), Repeated(ids), UNKNOWN_SIZE,
)  # fmt: skip


@pytest.mark.parametrize("seed", range(8))
def test_no_model_fails_on_odd_arguments(seed: int) -> None:
    chance = random.Random(seed)
    for name, model in MODELS.items():
        for given in range(min(len(model.parameters), 5) + 1):
            outcome = shapes.call(name, [chance.choice(ODD) for _ in range(given)])
            assert isinstance(outcome, Outcome)
    for name, class_model in MODULES.items():
        settings = [chance.choice(ODD) for _ in class_model.init if not _.keyword_only]
        inputs = [chance.choice(ODD) for _ in class_model.forward]
        assert isinstance(shapes.module(name, settings, {}, inputs), Outcome)
        tensors = shapes.parameters_of(name, settings)
        assert tensors is None or all(isinstance(t, TensorType) for t in tensors.values())
    for _ in range(200):
        at = [chance.choice((*ODD, Slice(chance.choice(ODD), chance.choice(ODD)))) for _ in range(chance.randrange(4))]
        assert isinstance(shapes.index(x, *at), Outcome)
