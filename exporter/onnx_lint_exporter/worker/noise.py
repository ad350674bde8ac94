"""How sure a model itself is of its results: what rounding alone makes of them.

A difference between two correct runs of one model in float32 is no error of either. Its size is measured: by a run in
float64, and by runs on inputs and weights that are changed by about the rounding error of float32.
"""

from __future__ import annotations

import contextlib
import copy
from collections.abc import Callable, Iterator, Sequence

import numpy as np
import torch

from .execution import Arguments, Leaf, Model, call, leaves, rebuilt, same
from .verify import Array, Doubt, wanted_arrays

_ROUNDING = 1e-6
"""Relative change of values that stands for rounding; float32 rounds by 6e-8, and errors add up."""
_SEEDS = (1, 2, 3)


def doubts(model: Model, arguments: Arguments, outputs: list[Leaf], count: int) -> list[Doubt]:
    """For each output of the graph (`count` of them) by how much the model's own result is in doubt."""
    wanted = [array for _, array in wanted_arrays(outputs, count)]
    if not _is_stateless(model, arguments, outputs):
        return [Doubt() for _ in wanted]
    runs = [run for run in _runs(model, arguments) if len(run) == len(outputs)]
    measured = [[array for _, array in wanted_arrays(run, count)] for run in runs]
    return [_doubt(want, [run[k] for run in measured if len(run) == len(wanted)]) for k, want in enumerate(wanted)]


def _is_stateless(model: Model, arguments: Arguments, outputs: list[Leaf]) -> bool:
    """Whether the model, as it is now, still gives the outputs: what a state changes is no matter of rounding."""
    try:
        again = leaves(call(model, arguments))
    except Exception:  # noqa: BLE001 - a model that no longer takes the input has a state
        return False
    return len(again) == len(outputs) and all(same(a, b) for (_, a), (_, b) in zip(again, outputs, strict=True))


def _doubt(want: Array, others: Sequence[Array]) -> Doubt:
    if any(other.shape != want.shape for other in others):
        return Doubt(float("inf"))  # its very shape follows from rounding, as where elements are picked by a threshold
    if want.dtype.kind in "biu":
        changed = [other != want for other in others]
        return Doubt(0.0, np.logical_or.reduce(changed) if changed else None)
    if want.dtype.kind != "f":
        return Doubt()
    with np.errstate(invalid="ignore", over="ignore"):
        apart = [np.abs(other.astype(np.float64) - want.astype(np.float64)) for other in others]
    finite = [float(each[np.isfinite(each)].max()) for each in apart if np.isfinite(each).any()]
    return Doubt(max(finite, default=0.0))


def _runs(model: Model, arguments: Arguments) -> Iterator[list[Leaf]]:
    """The results of the model in float64, and with everything changed a little; those that it refuses are left out."""
    if not isinstance(model, torch.nn.Module) or isinstance(model, torch.jit.ScriptModule):
        return
    with contextlib.suppress(Exception):  # a model that makes float32 tensors of its own may refuse float64
        yield _in_float64(copy.deepcopy(model), arguments.copy())
    for seed in _SEEDS:
        with contextlib.suppress(Exception):  # integers of a changed float may be out of range
            yield _changed(copy.deepcopy(model), arguments.copy(), torch.Generator().manual_seed(seed))


def _run(model: torch.nn.Module, arguments: Arguments) -> list[Leaf]:
    torch.manual_seed(0)
    with torch.no_grad():
        return leaves(model(*arguments.args, **arguments.kwargs))


def _in_float64(model: torch.nn.Module, arguments: Arguments) -> list[Leaf]:
    def wide(leaf: object) -> object:
        return leaf.double() if isinstance(leaf, torch.Tensor) and leaf.dtype is torch.float32 else leaf

    given = _mapped(arguments, wide)
    before = torch.get_default_dtype()
    torch.set_default_dtype(torch.float64)
    try:
        return _run(model.double(), given)
    finally:
        torch.set_default_dtype(before)


def _changed(model: torch.nn.Module, arguments: Arguments, generator: torch.Generator) -> list[Leaf]:
    def shaken(leaf: object) -> object:
        if not isinstance(leaf, torch.Tensor) or not leaf.is_floating_point() or not leaf.numel():
            return leaf
        size = leaf.detach().abs() + float(leaf.detach().float().abs().mean()) + 1e-3
        return leaf.detach() + size * _ROUNDING * torch.randn(leaf.shape, generator=generator).to(leaf.dtype)

    with torch.no_grad():
        for parameter in model.parameters():
            parameter.copy_(torch.as_tensor(shaken(parameter)))
    return _run(model, _mapped(arguments, shaken))


def _mapped(arguments: Arguments, change: Callable[[object], object]) -> Arguments:
    args, kwargs = rebuilt(arguments.args, change), rebuilt(arguments.kwargs, change)
    assert isinstance(args, tuple) and isinstance(kwargs, dict)
    return Arguments(args, kwargs)
