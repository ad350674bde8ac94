"""Which inputs of a model are indices of a table, and how many rows that has: seen in a run of the model."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import torch
from torch.overrides import TorchFunctionMode

from .execution import Arguments, Model, callable_of, fresh
from .inputs import name_leaves


class _Lookups(TorchFunctionMode):
    """Notes the look-ups in tables whose indices lie in the memory of an input."""

    def __init__(self, inputs: Mapping[int, str]) -> None:
        super().__init__()
        self._inputs = inputs
        self.rows: dict[str, int] = {}

    def __torch_function__(
        self,
        func: Callable[..., object],
        types: object,
        args: tuple[object, ...] = (),
        kwargs: Mapping[str, object] | None = None,
    ) -> object:
        named = dict(kwargs or {})
        if getattr(func, "__name__", "") == "embedding":
            both = (*args, *(named[name] for name in ("input", "weight") if name in named))
            one, other = both[:2] if len(both) > 1 else (None, None)
            if isinstance(one, torch.Tensor) and isinstance(other, torch.Tensor):
                table, index = (one, other) if one.is_floating_point() else (other, one)
                name = self._inputs.get(_memory(index))
                if name is not None:
                    self.rows[name] = min(self.rows.get(name, table.shape[0]), table.shape[0])
        return func(*args, **named)


def _memory(tensor: torch.Tensor) -> int:
    return tensor.untyped_storage().data_ptr()


def rows_indexed(model: Model, arguments: Arguments) -> dict[str, int]:
    """Run the model once as `call` does: the inputs that are indices, or views of one, with the rows of the smallest
    table that they index. Raises what the model raises."""
    given = arguments.copy()
    tensors = [(name, leaf) for name, leaf in name_leaves(model, given) if isinstance(leaf, torch.Tensor)]
    lookups = _Lookups({_memory(leaf): name for name, leaf in tensors if leaf.numel()})
    torch.manual_seed(0)
    with torch.no_grad(), lookups:
        callable_of(fresh(model))(*given.args, **given.kwargs)
    return lookups.rows
