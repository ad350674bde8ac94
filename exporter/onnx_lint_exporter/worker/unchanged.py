"""Whether a changed model still gives what the original one gives."""

from __future__ import annotations

import torch

from .execution import Model, Reference, call, leaves
from .verify import array_of, worst


def gives(original: Model, given: Reference) -> bool:
    """Whether the original model gives the same results, dtypes and all; what is random is left out."""
    try:
        before = leaves(call(original, given.arguments))
    except Exception:  # noqa: BLE001 - the original model refuses what the changed one takes
        return False
    if len(before) != len(given.outputs):
        return False
    for k, ((_, one), (_, two)) in enumerate(zip(before, given.outputs, strict=True)):
        if k in given.random:
            continue
        if not isinstance(one, torch.Tensor) or not isinstance(two, torch.Tensor):
            if one is not two and one != two:
                return False
        elif one.dtype is not two.dtype or one.shape != two.shape or worst(array_of(two), array_of(one)) is not None:
            return False
    return True
