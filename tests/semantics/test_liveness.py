"""A number made of a size or a tensor is frozen under torchscript and live under dynamo: what is done with it is a
hazard there. (`tests/rules/verdict_cases.py` proves the same by exporting.)"""

from __future__ import annotations

import textwrap

import pytest

from onnx_lint.semantics.domain.lattice import join
from onnx_lint.semantics.domain.values import Frozen
from onnx_lint.settings import Settings
from onnx_lint.target import BOTH, Engine, Target
from onnx_lint.testing import as_module, check_source

DYNAMO = Engine.DYNAMO.bit


def found(body: str, engine: Engine) -> list[str]:
    source = as_module(f"def forward(self, x, n: torch.Tensor):\n{textwrap.indent(body, '    ')}\n")
    return [d.code for d in check_source(source, settings=Settings(target=Target((engine,)), engine_given=True))]


@pytest.mark.parametrize(
    ("body", "torchscript", "dynamo"),
    [
        ("if len(x) > 4:\n    x = x + 1\nreturn x", ["ONX207"], ["ONX102"]),
        ("n = int(x.shape[0])\nif n > 4:\n    x = x + 1\nreturn x", ["ONX201"], ["ONX102"]),
        ("k = 2 * len(x) - 1\nwhile k > 4:\n    k = k // 2\nreturn x", ["ONX207"], ["ONX102"]),
        ("for i in range(len(x)):\n    x = x + i\nreturn x", ["ONX207"], ["ONX105"]),
        ("for i in range(n.item()):\n    x = x + i\nreturn x", ["ONX202"], ["ONX105"]),
        ("return x * [1, 2, 3, 4][len(x)]", ["ONX207"], ["ONX210"]),
        ("return x * min(len(x), 4)", ["ONX207"], []),
        ("return x * sorted([len(x), 4])[0]", ["ONX207"], ["ONX206"]),
        ("t = f'{len(x)} rows'\nreturn x", ["ONX207"], ["ONX208"]),
        ("if len(x) > 9:\n    raise ValueError(f'{len(x)} rows')\nreturn x", ["ONX207", "ONX207"], []),
        ("assert len(x) < 9\nreturn x", ["ONX103", "ONX207"], []),
        ("if x.shape[0] > 4:\n    x = x + 1\nreturn x", ["ONX102"], ["ONX102"]),
        ("if len(x.shape) > 1:\n    x = x + 1\nreturn x", [], []),
        ("k = math.isqrt(x.shape[0])\nif k > 4:\n    x = x + 1\nreturn x", ["ONX201"], ["ONX201"]),
    ],
)
def test_a_number_is_reported_where_it_is_frozen_and_where_it_is_live(
    body: str, torchscript: list[str], dynamo: list[str]
) -> None:
    assert sorted(found(body, Engine.TORCHSCRIPT)) == torchscript
    assert sorted(found(body, Engine.DYNAMO)) == dynamo


def test_what_may_be_live_is_live_after_a_join() -> None:
    frozen, live = Frozen(False, "int"), Frozen(False, "int", live=DYNAMO)
    assert frozen.key() != live.key()
    for first, second in ((frozen, live), (live, frozen)):
        joined = join(first, second)
        assert isinstance(joined, Frozen) and joined.live == DYNAMO and not joined.from_data
    data = join(live, Frozen(True, "float"))
    assert isinstance(data, Frozen) and data.from_data and data.live == DYNAMO


def test_every_engine_has_a_bit_of_its_own() -> None:
    assert [engine.bit for engine in BOTH] == [1, 2]


COMPILING = """
def is_compiling():
    if not find_spec("torch"):
        return False
    try:
        return torch.compiler.is_compiling()
    except AttributeError:
        return False
class A(nn.Module):
    def forward(self, x):
        if is_compiling():
            x = x[: len(x)] if x.shape[0] > 3 else x
        else:
            x = x if x.shape[0] > 4 else -x
        return x
"""


def test_a_flag_that_a_function_also_denies_is_the_flag() -> None:
    """What says ``False`` where torch is missing says nothing about traced code."""
    reported = [(d.code, d.engines) for d in check_source("import torch\nfrom torch import nn\n" + COMPILING)]
    assert reported == [("ONX102", (Engine.DYNAMO,)), ("ONX102", (Engine.TORCHSCRIPT,))]
