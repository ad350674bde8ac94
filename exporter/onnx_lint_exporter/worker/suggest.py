"""Which sizes of an example the model lets change, as a specification that the user can take over."""

from __future__ import annotations

import time

import torch

from .execution import Model, call
from .inputs import Axes, Inputs, varied

_NAMES = "nshwdtklm"
_MOST_SECONDS = 1.0


def suggestion(model: Model, inputs: Inputs) -> str:
    """Options with an axis for each size that may change alone; empty when none may, or when that takes too long.

    Equal sizes in several places that only change together are not found.
    """
    free: dict[str, dict[int, str]] = {}
    names = iter(_NAMES)
    end = time.monotonic() + _MOST_SECONDS
    named = inputs.named(model)
    for name, value in named:
        for dim in range(value.dim() if isinstance(value, torch.Tensor) else 0):
            if time.monotonic() > end:
                return ""
            axes: Axes = {name: {dim: "n"}}
            try:
                call(model, varied(model, inputs.first, axes))
            except Exception:  # noqa: BLE001 - the model refuses that size in its own way
                continue
            axis = next(names, "")
            if axis:
                free.setdefault(name, {})[dim] = axis
    if not free:
        return ""
    return " ".join(f"--input '{_spec(name, value, free.get(name, {}))}'" for name, value in named)


def _spec(name: str, value: object, axes: dict[int, str]) -> str:
    if not isinstance(value, torch.Tensor):
        kind = "none" if value is None else type(value).__name__
        return f"{name}:{kind}" + ("" if value is None else f"={value}")
    dims = [f"{axes[dim]}={size}" if dim in axes else str(size) for dim, size in enumerate(value.shape)]
    integers = not (value.is_floating_point() or value.is_complex() or value.dtype is torch.bool)
    bound = f"={int(value.max()) + 1}" if integers and value.numel() else ""
    return f"{name}:{str(value.dtype).removeprefix('torch.')}[{','.join(dims)}]{bound}"
