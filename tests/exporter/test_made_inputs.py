"""Inputs that are made from what the analysis knows, without an export."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice

import pytest

torch = pytest.importorskip("torch")

from torch import nn  # noqa: E402 - behind the check that torch is there

from onnx_lint_exporter.worker import vary  # noqa: E402
from onnx_lint_exporter.worker.analysed import UnfitError, from_analysis  # noqa: E402
from onnx_lint_exporter.worker.asking import KnownDim, KnownInput  # noqa: E402
from onnx_lint_exporter.worker.execution import Arguments, Model, call  # noqa: E402
from onnx_lint_exporter.worker.guess import guess  # noqa: E402
from onnx_lint_exporter.worker.inputs import Relation, relations  # noqa: E402
from onnx_lint_exporter.worker.search.recipes import Kitchen, Leaf  # noqa: E402

pytestmark = pytest.mark.torch
FREE = KnownDim(varies=True)


def tensor(name: str, dims: Sequence[KnownDim] | None, dtype: str | None = "float32") -> KnownInput:
    return KnownInput(name, "tensor", True, None if dims is None else tuple(dims), dtype)


def made(model: Model, *known: KnownInput) -> str:
    """What is said of the inputs, which run."""
    inputs = from_analysis(model, known)
    call(model, inputs.first)
    assert inputs.second is not None
    call(model, inputs.second)
    return inputs.origin.removeprefix("inputs from the analysis: ")


class Words(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.table = nn.Embedding(23, 4)
        self.small = nn.Embedding(11, 4)

    def forward(self, ids, kinds, lengths):  # type: ignore[no-untyped-def]  # as users write it
        assert int(lengths.min()) > 0
        return self.table(ids.view(-1, ids.shape[-1])) + self.small(kinds) + self.table(kinds) + lengths[:, None, None]


def test_integers_are_bounded_by_the_smallest_table_that_they_index() -> None:
    known = [tensor("ids", [FREE, FREE], "int64"), tensor("kinds", [FREE, FREE], "int64")]
    said = made(Words(), *known, tensor("lengths", [FREE], "int64"))
    assert said == (
        "ids: int64[N, S] from 1 below 23; kinds: int64[N, S] from 1 below 11; lengths: int64[N] from 1 below 3"
    )


class Picture(nn.Module):
    """Takes one channel, squares only, in steps of 8."""

    def __init__(self) -> None:
        super().__init__()
        self.img_size = (40, 40)
        self.conv = nn.Conv2d(1, 2, 8, stride=8)

    def forward(self, x):  # type: ignore[no-untyped-def]  # as users write it
        assert x.shape[2] == x.shape[3] and x.shape[2] % 8 == 0
        return self.conv(x)


def test_what_the_analysis_does_not_know_comes_from_the_model() -> None:
    inputs = from_analysis(Picture(), [tensor("x", [FREE, KnownDim(), FREE, FREE])])
    assert inputs.origin == "inputs from the analysis: x: float32[N, 1, H, H]"
    (first,), (second,) = inputs.first.args, inputs.second.args if inputs.second else ()
    assert (first.shape, second.shape) == ((2, 1, 40, 40), (3, 1, 72, 72))
    assert inputs.axes == {"x": {0: "N", 2: "H", 3: "H"}}


def test_a_later_layer_says_nothing_of_the_input() -> None:
    model = nn.Sequential(
        nn.Conv2d(3, 8, 3), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(8, 900), nn.Linear(900, 2)
    )
    inputs = from_analysis(model, [tensor("input", [FREE, KnownDim(3), FREE, FREE])])
    assert inputs.first.args[0].shape == (2, 3, 64, 64)  # type: ignore[attr-defined]  # a tensor


class Fixed(nn.Module):
    def forward(self, x):  # type: ignore[no-untyped-def]  # as users write it
        return x.reshape(2, 7)


def test_what_does_not_vary_is_fixed() -> None:
    inputs = from_analysis(Fixed(), [tensor("x", [FREE, FREE])])
    assert inputs.axes == {} and inputs.origin.endswith("x: float32[2, 7]")


class Sound(nn.Module):
    def forward(self, x):  # type: ignore[no-untyped-def]  # as users write it
        return nn.functional.conv1d(x[:, None], torch.ones(1, 1, 400))


def test_a_rank_that_is_not_known_is_tried() -> None:
    assert made(Sound(), tensor("x", None)) == "x: float32[N, S]"


def test_what_is_tried_stays_small() -> None:
    sizes: list[int] = []

    class Counts(nn.Module):
        def forward(self, x):  # type: ignore[no-untyped-def]  # as users write it
            sizes.append(x.numel())
            raise ValueError("not this")

    for dims in (None, [FREE, FREE, FREE], [FREE] * 4, [FREE] * 5):
        with pytest.raises(UnfitError):
            from_analysis(Counts(), [tensor("x", dims)])
    assert len(sizes) > 20 and max(sizes) < 10_000_000


def test_the_names_are_those_of_the_code() -> None:
    known = tensor("input", [KnownDim(varies=True, name="batch"), KnownDim(varies=True, name="H // 2"), FREE])
    assert made(nn.ReLU(), known) == "input: float32[batch, S, T]"


def test_nothing_that_fits() -> None:
    class Never(nn.Module):
        def forward(self, x):  # type: ignore[no-untyped-def]  # as users write it
            raise ValueError("not this")

    with pytest.raises(UnfitError, match=r"the model refuses x: float32\[4, \?\]: ValueError: not this"):
        from_analysis(Never(), [tensor("x", [KnownDim(4), FREE])])
    with pytest.raises(UnfitError, match="`xs` is a list"):
        from_analysis(Never(), [KnownInput("xs", "list", True)])


def test_the_model_s_own_dummy_inputs_come_before_a_guess() -> None:
    class Own(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.dummy_inputs = {"mask": torch.ones(3, 5, dtype=torch.bool)}

        def forward(self, ids=None, mask=None):  # type: ignore[no-untyped-def]  # as users write it
            return mask.float()

    inputs = guess(Own())
    assert inputs.origin == "dummy_inputs of the model: mask: bool[N, S]" and inputs.first.args == ()


def test_a_model_that_hangs_on_other_sizes_costs_bounded_time(monkeypatch: pytest.MonkeyPatch) -> None:
    class Hangs(nn.Module):
        def forward(self, x):  # type: ignore[no-untyped-def]  # as users write it
            while x.shape[1] != 7:
                pass
            return x + 1

    monkeypatch.setattr(vary, "_MOST_ELAPSED", 0.5)
    found = vary.variation(Hangs(), Arguments((torch.ones(2, 7),)))
    assert (found.axes, found.complete) == ({("x", 0): 0}, False)


@pytest.mark.parametrize(
    ("samples", "expected"),
    [
        # batch, new words and words of the past; the mask covers both
        ([(2, 3, 4, 7), (3, 5, 6, 11)], {"D": Relation(("B", "C"))}),
        # one word at a time: with each call the past and the mask grow
        ([(2, 1, 5, 6), (2, 1, 6, 7), (3, 1, 4, 5)], {"D": Relation(("C",), 1)}),
        # all of them one more tells nothing
        ([(2, 3, 4, 7), (3, 4, 5, 8)], {}),
        ([(2, 3, 4, 7)], {}),
        ([], {}),
    ],
)
def test_sizes_that_follow_from_others(samples: list[tuple[int, ...]], expected: dict[str, Relation]) -> None:
    assert relations([dict(zip("ABCD", sample, strict=True)) for sample in samples]) == expected
    for relation in expected.values():
        assert all(relation.size(dict(zip("ABCD", s, strict=True))) == s[3] for s in samples)


def test_the_search_keeps_what_sizes_follow_from() -> None:
    leaves = [Leaf("past", torch.ones(2, 4), {0: "N", 1: "P"}), Leaf("mask", torch.ones(2, 5), {0: "N", 1: "M"})]
    kitchen = Kitchen(Arguments(tuple(leaf.example for leaf in leaves)), leaves, relations={"M": Relation(("P",), 1)})
    recipes = list(islice(kitchen.recipes(), 40))
    assert all(recipe.sizes["M"] == recipe.sizes["P"] + 1 for recipe in recipes)
    assert len({recipe.sizes["P"] for recipe in recipes}) > 5
