"""Models that take and give a cache of keys and values: registered classes are taken apart, others are told."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
import commands

pytestmark = pytest.mark.torch
LLAMA = '''\
"""A small decoder in the manner of Llama, with a cache of keys and values."""

from dataclasses import dataclass, field

import torch
from torch import nn


@dataclass
class Cache:
    keys: list[torch.Tensor] = field(default_factory=list)
    values: list[torch.Tensor] = field(default_factory=list)

    def update(self, layer, key, value):
        if layer < len(self.keys):
            self.keys[layer] = torch.cat([self.keys[layer], key], 2)
            self.values[layer] = torch.cat([self.values[layer], value], 2)
        else:
            self.keys.append(key)
            self.values.append(value)
        return self.keys[layer], self.values[layer]


@dataclass
class Output:
    logits: torch.Tensor
    cache: Cache


# registered


class Layer(nn.Module):
    def __init__(self, number, width, heads=2):
        super().__init__()
        self.number, self.heads, self.size = number, heads, width // heads
        self.norm = nn.LayerNorm(width)
        self.q, self.k, self.v, self.o = (nn.Linear(width, width, bias=False) for _ in range(4))

    def forward(self, x, cache):
        b, s, w = x.shape
        h = self.norm(x)
        q, k, v = (f(h).view(b, s, self.heads, self.size).transpose(1, 2) for f in (self.q, self.k, self.v))
        k, v = cache.update(self.number, k, v)
        past = k.shape[2] - s
        mask = torch.arange(k.shape[2])[None, :] <= torch.arange(s)[:, None] + past
        scores = (q @ k.transpose(2, 3) * self.size**-0.5).masked_fill(~mask, float("-inf"))
        return x + self.o((scores.softmax(-1) @ v).transpose(1, 2).reshape(b, s, w))


class Llama(nn.Module):
    def __init__(self, words=50, width=16, depth=2):
        super().__init__()
        self.words = nn.Embedding(words, width)
        self.layers = nn.ModuleList(Layer(n, width) for n in range(depth))
        self.head = nn.Linear(width, words, bias=False)

    def forward(self, ids, cache: Cache):
        x = self.words(ids)
        for layer in self.layers:
            x = layer(x, cache)
        return Output(self.head(x), cache)


def one(batch, words, past):
    generator = torch.Generator().manual_seed(past)
    kept = [[torch.randn(batch, 2, past, 8, generator=generator) for _ in range(2)] for _ in range(2)]
    return torch.randint(0, 50, (batch, words), generator=generator), Cache(*kept)


def inputs():
    return [one(2, 3, 4), one(3, 5, 6)]
'''
REGISTERED = "torch.export.register_dataclass(Cache)\ntorch.export.register_dataclass(Output)"


def test_a_registered_cache_is_exported_right_by_both_engines(tmp_path: Path, warm_python: str) -> None:
    (tmp_path / "llama.py").write_text(LLAMA.replace("# registered", REGISTERED))
    ran = commands.export(
        tmp_path, warm_python, ["llama.py:Llama", "--inputs-from", "llama.py:inputs", "--output-format", "json"]
    )
    for engine in ("torchscript", "dynamo"):
        entry = ran.export(engine)
        assert (entry["input1"]["state"], entry["input2"]["state"]) == ("right", "right"), ran.out
        assert entry["proof"]["axes"] == entry["proof"]["axes_varied"] == 3
        assert [item["name"] for item in entry["inputs"]] == [
            "ids", "cache_keys_0", "cache_keys_1", "cache_values_0", "cache_values_1",
        ]  # fmt: skip
        assert len(entry["outputs"]) == 5


def test_the_axes_of_a_script_s_call_reach_into_a_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    torch = pytest.importorskip("torch")
    from onnx_lint_exporter.worker.execution import Arguments
    from onnx_lint_exporter.worker.script import Call, axes_of

    class Net(torch.nn.Module):  # type: ignore[name-defined,misc]  # torch is a value here, not a module
        def forward(self, ids, cache, more):  # type: ignore[no-untyped-def]  # as users write it
            return ids

    (tmp_path / "registered_cache.py").write_text(LLAMA.replace("# registered", REGISTERED))
    monkeypatch.syspath_prepend(tmp_path)
    import registered_cache  # type: ignore[import-not-found]  # made by this test

    ids, cache = registered_cache.one(2, 3, 4)
    b, p = map(torch.export.Dim, ("batch", "past"))
    shapes = {
        "more": {"y": None, "x": [{0: b}]},
        "ids": (b, "words"),
        "cache": [[{0: b, 2: p}, {2: p}], [None, {0: torch.export.Dim.DYNAMIC, 1: 2}]],
    }
    given = Arguments((ids, cache), {"more": {"x": [ids], "y": ids}})
    assert axes_of(Call(Net(), given, {"dynamic_shapes": shapes}, True, None)) == {
        "ids": {0: "batch", 1: "words"},
        "cache_keys_0": {0: "batch", 2: "past"},
        "cache_keys_1": {2: "past"},
        "cache_values_1": {0: "cache_values_1_0"},
        "more_x_0": {0: "batch"},
    }


@pytest.mark.parametrize(
    ("replaced", "how"),
    [
        ("@dataclass\nclass Cache", "torch.export.register_dataclass(Cache)"),
        ("class Cache", "torch.utils._pytree.register_pytree_node(Cache, …)"),
    ],
)
def test_a_class_that_is_not_registered_is_told(tmp_path: Path, warm_python: str, replaced: str, how: str) -> None:
    text = LLAMA.replace("@dataclass\nclass Cache", replaced)
    if replaced == "class Cache":
        text = text.replace(
            "    keys: list[torch.Tensor] = field(default_factory=list)\n"
            "    values: list[torch.Tensor] = field(default_factory=list)\n",
            "    def __init__(self, keys, values):\n        self.keys, self.values = keys, values\n",
        )
    (tmp_path / "llama.py").write_text(text)
    ran = commands.export(
        tmp_path, warm_python, ["llama.py:Llama", "--inputs-from", "llama.py:inputs", "--output-format", "json"]
    )
    errors = [d for d in ran.document["diagnostics"] if d["severity"] == "error"]
    line = text.split("\n").index("    def forward(self, ids, cache: Cache):") + 1
    assert [(d["code"], d["line"], sorted(d["engines"])) for d in errors] == [
        ("ONX902", line, ["dynamo", "torchscript"])
    ], errors
    assert (
        f"the argument `cache` is a Cache, which nothing takes apart into tensors: call {how} first"
        in (errors[0]["message"])
    )
