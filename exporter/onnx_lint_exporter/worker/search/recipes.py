"""Inputs made on purpose: other sizes of the dynamic axes, and other values of the kind that each argument takes.

What the specification allows is kept: sizes change only where an axis is dynamic, bounded values stay in their
bounds, and what the model itself refuses is dropped by whoever runs it. Mild inputs come first.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import zip_longest

import torch

from ..execution import Arguments, rebuilt
from ..inputs import Axes, Relation
from ..spec import InputSpec

_SIZES = (1, 3, 2, 8, 7, 16, 5, 17, 33)
_GROWTH = 6
"""How many times larger than the example's a generated tensor may be, if it has more than `_SMALL` elements."""
_SMALL = 20_000
Mode = tuple[str, float, float]
"""How the values of a tensor are drawn: the name of a way, and its two numbers."""
_FLOATS: tuple[Mode, ...] = (
    ("normal", 1, 0),
    ("normal", 10, 0),
    ("normal", 1, 3),
    ("normal", 1, -3),
    ("same", 1, 0),
    ("sorted", 1, 0),
    ("normal", 0.05, 0),
    ("uniform", 0, 1),
    ("normal", 100, 0),
    ("normal", 1, 25),
    ("normal", 1e-3, 0),
    ("uniform", -1, 0),
)
"""``same``: the values of the tensor before it, where that has the same shape."""
_DENSITIES: tuple[Mode, ...] = tuple(("density", share, 0) for share in (0.5, 0.9, 0.1, 1.0, 0.0))
_WIDER = (3, 10, 60, 400)
"""Exclusive upper bounds of integers that nothing bounds, beyond those of the example."""


@dataclass(frozen=True)
class Leaf:
    """One tensor of the arguments: its example, its dynamic dimensions, and the bounds of its values when given."""

    name: str
    example: torch.Tensor
    axes: Mapping[int, str]
    low: float | None = None
    high: float | None = None
    """Exclusive for integers."""
    drawn: bool = False
    """Whether the example was drawn from a specification, so that its own values mean nothing."""


@dataclass(frozen=True)
class Recipe:
    """How to make one input: a size for each axis, a mode for each tensor, and a seed."""

    sizes: Mapping[str, int]
    modes: Mapping[str, Mode]
    seed: int = 0


@dataclass
class Kitchen:
    """Makes inputs out of recipes for one model."""

    first: Arguments
    leaves: Sequence[Leaf]
    numbers: Sequence[float] = ()
    """Numbers of the model's own code, in whose neighbourhood it may decide otherwise."""
    refused: dict[tuple[str, int], int] = field(default_factory=dict)
    """Axis and size → how often the model refused an input with it, without ever taking one."""
    taken: set[tuple[str, int]] = field(default_factory=set)
    relations: Mapping[str, Relation] = field(default_factory=dict)
    """Sizes that follow from others."""

    def recipes(self) -> Iterator[Recipe]:
        """Without end; every second one keeps the example's sizes."""
        rng = random.Random(0)
        own = self._own_sizes()
        for turn in range(1_000_000):
            sizes = dict(own)
            if turn % 2 == 0:
                for place, axis in enumerate(own):
                    choices = self._sizes_of(axis)
                    sizes[axis] = choices[(turn // 2 + 3 * place) % len(choices)] if choices else own[axis]
                if turn % 8 == 6 and len(own) > 1:  # one axis alone, with the others as in the example
                    kept = rng.choice(sorted(own))
                    sizes = {axis: size if axis == kept else own[axis] for axis, size in sizes.items()}
            modes = {}
            count = max(len(self.leaves), 1)
            chosen = (turn + turn // (2 * count)) % count  # no tensor always meets the same sizes
            for place, leaf in enumerate(self.leaves):
                ways = self.modes_of(leaf)
                mild = ways[: 2 + turn // 2]
                modes[leaf.name] = ways[turn // count % len(ways)] if place == chosen else rng.choice(mild)
            yield Recipe(self._related(sizes), modes, turn)

    def _related(self, sizes: Mapping[str, int]) -> dict[str, int]:
        return {axis: self.relations[axis].size(sizes) if axis in self.relations else sizes[axis] for axis in sizes}

    def _own_sizes(self) -> dict[str, int]:
        return {axis: leaf.example.shape[dim] for leaf in self.leaves for dim, axis in leaf.axes.items()}

    def _sizes_of(self, axis: str) -> list[int]:
        own = self._own_sizes()[axis]
        near = [round(number) + step for number in self.numbers if 1 < number < 4096 for step in (1, 0, -1)]
        twice = [2 * round(number) + 1 for number in self.numbers[:6] if 1 < number < 4096]
        wanted = [own + 1, 1, 2 * own, *near[:12], 2 * own + 1, own - 1, *_SIZES, *near[12:], *twice]
        largest = max(self._largest(axis), own)
        sizes = [size for size in dict.fromkeys(wanted) if 1 <= size <= largest and size != own]
        return [size for size in sizes if self.refused.get((axis, size), 0) < 2 or (axis, size) in self.taken]

    def _largest(self, axis: str) -> int:
        """The largest size that makes no tensor unreasonably larger than its example."""
        bounds = [4096]
        for leaf in self.leaves:
            times = [dim for dim, name in leaf.axes.items() if name == axis]
            if times:
                room = max(_GROWTH, _SMALL / max(leaf.example.numel(), 1)) ** (1 / len(times))
                bounds.append(int(leaf.example.shape[times[0]] * room))
        return min(bounds)

    def modes_of(self, leaf: Leaf) -> list[Mode]:
        """The ways to draw a tensor's values, mild ones first."""
        if leaf.example.dtype is torch.bool:
            if leaf.low is not None and leaf.high is not None and leaf.high - leaf.low == 1:
                return [("constant", leaf.low, 0)]
            return list(_DENSITIES)
        if leaf.example.is_floating_point() or leaf.example.is_complex():
            return self._floats(leaf)
        return self._integers(leaf)

    def _floats(self, leaf: Leaf) -> list[Mode]:
        if leaf.high is not None:
            low, high = leaf.low or 0.0, leaf.high
            third = (high - low) / 3
            inside: list[Mode] = [
                ("uniform", low, high),
                ("uniform", low, low + third),
                ("uniform", high - third, high),
            ]
            return [*inside, ("constant", low, 0), ("constant", high, 0)]
        near: list[Mode] = [("normal", max(abs(n) / 2, 0.1), n) for n in self.numbers if n not in (0.0, 1.0)]
        if leaf.drawn:
            return [*_FLOATS[:4], *near[:8], *_FLOATS[4:]]
        given = leaf.example.detach()
        if _is_mask(given):
            return list(_DENSITIES)
        real = given.float() if not given.is_complex() else given.abs().float()
        spread, middle = float(real.std(correction=0)) or 1.0, float(real.mean())
        own: list[Mode] = [("normal", spread, middle), ("normal", 4 * spread, middle), ("normal", spread, -middle)]
        return [*own, *near[:8], *_FLOATS]

    def _integers(self, leaf: Leaf) -> list[Mode]:
        if leaf.high is not None:
            low, high = int(leaf.low or 0), int(leaf.high)
            middle = (low + high) // 2
            bounded: list[Mode] = [("integers", low, high), ("integers", low, max(middle, low + 1))]
            bounded += [("integers", min(middle, high - 1), high), ("constant", low, 0), ("constant", high - 1, 0)]
            inside = [number for number in self.numbers if low <= number < high]
            return [*bounded, *(("constant", number, 0) for number in inside[:8])]
        flat = leaf.example.reshape(-1)
        low, high = (int(flat.min()), int(flat.max()) + 1) if flat.numel() else (0, 2)
        own: list[Mode] = [("integers", low, high), ("constant", low, 0), ("constant", high - 1, 0)]
        near: list[Mode] = [
            ("integers", round(number) - 1, round(number) + 2) for number in self.numbers if 1 < abs(number) < 1_000_000
        ]
        wider: list[Mode] = [("integers", low, bound) for bound in _WIDER if bound > high]
        return [*own, *wider[:1], *near[:6], *wider[1:], ("integers", -high, high)]

    def make(self, recipe: Recipe) -> Arguments:
        """The input of a recipe."""
        generator = torch.Generator().manual_seed(7919 + recipe.seed)
        by_identity = {id(leaf.example): leaf for leaf in self.leaves}

        made: list[torch.Tensor] = []

        def changed(value: object) -> object:
            leaf = by_identity.get(id(value))
            if leaf is None:
                return value
            shape = [recipe.sizes.get(leaf.axes.get(dim, ""), size) for dim, size in enumerate(leaf.example.shape)]
            mode, dtype = recipe.modes[leaf.name], leaf.example.dtype
            like = next((each for each in made if list(each.shape) == shape and each.dtype is dtype), None)
            drawn = draw(mode, shape, dtype, generator) if mode[0] != "same" or like is None else like.clone()
            made.append(drawn)
            return drawn

        args = rebuilt(self.first.args, changed)
        kwargs = rebuilt(self.first.kwargs, changed)
        assert isinstance(args, tuple) and isinstance(kwargs, dict)
        return Arguments(args, kwargs)

    def nearer(self, recipe: Recipe, number: float, literal: float, seed: int) -> list[Recipe]:
        """Recipes that may bring a number that the model compares to the other side of a literal."""
        ratio = literal / number if number else 0.0
        values, sizes = [], []
        for way, scale, middle in dict.fromkeys(recipe.modes.values()):
            if way not in ("normal", "uniform"):
                continue
            times = abs(ratio) or 1.0
            for factor, shift in ((1.2 * times, 0.0), (0.8 * times, 0.0), (1.0, literal - number)):
                if way == "normal":
                    mode: Mode = (way, scale * factor, middle * factor + 1.1 * shift)
                else:
                    mode = (way, scale * factor + 1.1 * shift, middle * factor + 1.1 * shift)
                free = [leaf.name for leaf in self.leaves if leaf.example.is_floating_point() and leaf.high is None]
                values.append(replace(recipe, modes={**recipe.modes, **dict.fromkeys(free, mode)}, seed=seed))
        for axis, size in recipe.sizes.items():
            for wanted in (round(size * ratio), round(size + literal - number), size + 1, size - 1):
                if 1 <= wanted <= self._largest(axis):
                    sizes.append(replace(recipe, sizes=self._related({**recipe.sizes, axis: wanted}), seed=seed))
        # what is compared may come of either: both have their turn
        return [each for pair in zip_longest(values, sizes) for each in pair if each is not None]


def leaves_of(
    named: Sequence[tuple[str, object]],
    axes: Axes,
    specs: Sequence[InputSpec],
    bounds: Mapping[str, tuple[int, int]] | None = None,
) -> list[Leaf]:
    """The tensors among the arguments, with what is known of them."""
    by_name = {spec.name: spec for spec in specs if spec.dtype}
    found = []
    for name, value in named:
        if not isinstance(value, torch.Tensor) or value.is_sparse or value.is_quantized:
            continue
        spec = by_name.get(name)
        dims = {dim: axis for dim, axis in axes.get(name, {}).items() if dim < value.dim()}
        if spec is None:
            low, high = (bounds or {}).get(name, (None, None))
            found.append(Leaf(name, value, dims, low, high))
        else:
            found.append(Leaf(name, value, dims, spec.low, spec.high, True))
    return found


def _is_mask(values: torch.Tensor) -> bool:
    return not values.is_complex() and values.numel() > 1 and bool(((values == 0) | (values == 1)).all())


def draw(mode: Mode, shape: Sequence[int], dtype: torch.dtype, generator: torch.Generator) -> torch.Tensor:
    """A tensor of a mode."""
    way, one, two = mode
    if way == "constant":
        return torch.full(tuple(shape), one).to(dtype)
    if way == "density":
        return (torch.rand(tuple(shape), generator=generator) < one).to(dtype)
    if way == "integers":
        return torch.randint(int(one), max(int(two), int(one) + 1), tuple(shape), generator=generator).to(dtype)
    if way == "uniform":
        real = torch.rand(tuple(shape), generator=generator) * (two - one) + one
    else:
        real = torch.randn(tuple(shape), generator=generator) * one + two
    if way == "sorted" and real.dim():
        real = real.sort(-1).values
    if dtype.is_complex:
        return torch.complex(real, torch.randn(tuple(shape), generator=generator) * one).to(dtype)
    return real.to(dtype)
