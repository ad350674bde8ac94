"""Which sizes of an example the model lets change: found by running the model itself on other sizes."""

from __future__ import annotations

import time
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations, count

import torch

from .execution import Arguments, Model, call
from .inputs import Axes, name_leaves, rebuilt_by_name, vary
from .system import OutOfTimeError, time_limit

_MOST_SECONDS = 6.0
"""Processor time for all trials, so that what is found does not depend on the load of the machine."""
_MOST_ELAPSED = 15.0
"""Seconds that pass in any case."""
_LARGE = 32
"""Sizes from here on are tried with a multiple of this more: networks that halve a picture five times need that."""
_NAMES = {1: "N", 2: "NS", 3: "NST", 4: "NCHW", 5: "NCDHW"}
"""Names of dimensions by rank, where the code gives none."""
_SMALLEST = 2
"""No size is tried below: 1 is one that engines treat apart."""
Place = tuple[str, int]
"""A dimension of a named input."""


@dataclass
class Variation:
    """The dimensions that vary: each with the number of its axis, shared by those that change together only, and its
    size in the second input."""

    axes: dict[Place, int] = field(default_factory=dict)
    sizes: dict[Place, int] = field(default_factory=dict)
    complete: bool = True
    """Whether there was time to try all."""


def axis_names(
    shapes: Sequence[tuple[str, int]], found: Variation, given: Mapping[Place, str] | None = None
) -> dict[int, str]:
    """A name for each axis of inputs of these names and ranks: one that is `given`, else by its position; all
    different."""
    names: dict[int, str] = {}
    for input_name, rank in shapes:
        for dim in range(rank):
            axis = found.axes.get((input_name, dim))
            if axis is None or axis in names:
                continue
            own = (given or {}).get((input_name, dim), "")
            wanted = own or _NAMES.get(rank, "")[dim : dim + 1] or f"D{dim}"
            tries = (wanted if n == 1 else f"{wanted}{n}" for n in count(1))
            names[axis] = next(name for name in tries if name not in names.values())
    return names


def axes_of(found: Variation, names: Mapping[int, str]) -> Axes:
    """The named axes of each input."""
    axes: Axes = {}
    for (name, dim), number in found.axes.items():
        axes.setdefault(name, {})[dim] = names[number]
    return axes


def other_values(model: Model, first: Arguments) -> Arguments:
    """The input with other values of the same kind and range."""
    return rebuilt_by_name(
        model, first, lambda name, leaf: vary(leaf.detach(), {}) if isinstance(leaf, torch.Tensor) else leaf
    )


def resized(model: Model, first: Arguments, sizes: dict[Place, int]) -> Arguments:
    """The input with other sizes, by repetition of its own values."""

    def changed(name: str, leaf: object) -> object:
        if not isinstance(leaf, torch.Tensor):
            return leaf
        for dim, size in enumerate(leaf.shape):
            wanted = sizes.get((name, dim), size)
            if wanted != size:
                leaf = leaf.index_select(dim, torch.arange(wanted) % max(size, 1))
        return leaf

    return rebuilt_by_name(model, first, changed)


def variation(model: Model, first: Arguments, fixed: Collection[Place] = ()) -> Variation:
    """Try each dimension that is not in `fixed` alone, then those that are refused together with others of the same
    size; then all that vary at once."""
    found = Variation()
    trial = _Trial(model, first)
    tensors = [(n, v) for n, v in name_leaves(model, first) if isinstance(v, torch.Tensor) and not v.is_sparse]
    places = [(name, dim) for name, value in tensors for dim in range(value.dim()) if (name, dim) not in fixed]
    own = {(name, dim): value.shape[dim] for name, value in tensors for dim in range(value.dim())}
    refused: list[Place] = []
    for place in places:
        if not trial.change(found, own, [place]):
            refused.append(place)
    for group in _groups(refused, own):
        if not any(place in found.axes for place in group):
            trial.change(found, own, group)
    if len(set(found.axes.values())) > 1:
        _at_once(trial, found)
    found.complete = not trial.is_late
    return found


class _Trial:
    """Runs of the model on other sizes, as long as the time lasts."""

    def __init__(self, model: Model, first: Arguments) -> None:
        self._model, self._first = model, first
        self._end = time.process_time() + _MOST_SECONDS
        self._latest = time.monotonic() + _MOST_ELAPSED
        self.is_late = False

    def takes(self, sizes: dict[Place, int]) -> bool:
        left = self._latest - time.monotonic()
        if self.is_late or left <= 0 or time.process_time() > self._end:
            self.is_late = True
            return False
        try:
            with time_limit(left):  # a model may loop for ever on a size that is none of its own
                call(self._model, resized(self._model, self._first, sizes))
        except (MemoryError, RecursionError):
            raise
        except OutOfTimeError:
            self.is_late = True
            return False
        except Exception:  # noqa: BLE001 - the model refuses these sizes in its own way
            return False
        return True

    def change(self, found: Variation, own: dict[Place, int], group: Sequence[Place]) -> bool:
        """Whether these dimensions can have another size, all the same; then they become an axis of `found`."""
        size = own[group[0]]
        for other in _other_sizes(size):
            if self.takes(dict.fromkeys(group, other)):
                axis = len(set(found.axes.values()))
                found.axes.update(dict.fromkeys(group, axis))
                found.sizes.update(dict.fromkeys(group, other))
                return True
        return False


def _other_sizes(size: int) -> list[int]:
    larger = [size + 1, size + _LARGE, 2 * size] if size >= _LARGE else [size + 1, 2 * size]
    return [*larger, size - 1] if size > _SMALLEST else larger


def _groups(refused: Sequence[Place], own: dict[Place, int]) -> Iterator[list[Place]]:
    """Dimensions that may have to change together: those at the same position, all of one size, any two of one size."""
    by_size: dict[int, list[Place]] = {}
    for place in refused:
        by_size.setdefault(own[place], []).append(place)
    for same in by_size.values():
        for dim in sorted({dim for _, dim in same}):
            together = [place for place in same if place[1] == dim]
            if len(together) > 1:
                yield together
        if len(same) > 1:
            yield same
        yield from ([*pair] for pair in combinations(same, 2) if len(same) > 2)


def _at_once(trial: _Trial, found: Variation) -> None:
    """Sizes for the second input: those of all axes when the model takes them together, else of as many as it does."""
    if trial.takes(found.sizes):
        return
    taken: dict[Place, int] = {}
    for axis in sorted(set(found.axes.values())):
        more = {place: found.sizes[place] for place, number in found.axes.items() if number == axis}
        if trial.takes({**taken, **more}):
            taken.update(more)
    found.sizes = taken
