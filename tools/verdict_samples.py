"""What the table of verdicts is made of: PyTorch's own samples of operators (OpInfo) and modules (ModuleInfo), and the
everyday forms of `verdict_forms`, each as a model with an example and a second input."""

from __future__ import annotations

import itertools
import re
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch.utils import _pytree as pytree
from verdict_forms import Form

MANY_SAMPLES, MAX_SAMPLES = 40, 4
"""Of so many samples so many are taken, at equal distances: neighbours are alike."""
NOT_MEASURED = frozenset({"empty", "empty_like", "new_empty", "new_empty_strided", "empty_strided", "empty_permuted",
                          "resize_", "resize_as_", "item", "to_sparse"})  # fmt: skip
"""Operators whose result is not defined, or no tensor."""


@dataclass(frozen=True)
class Trial:
    """A model, its example and a second input; `dynamic` are the dynamic axes of each input."""

    model: torch.nn.Module
    first: tuple[Any, ...]
    second: tuple[Any, ...]
    dynamic: tuple[tuple[int, ...], ...] = ()


Trials = Callable[[], Iterator[Trial]]


class Starred(torch.nn.Module):
    """Calls an operator or module with the arguments of a sample; its tensors are the inputs."""

    def __init__(self, operator: Callable[..., Any], constants: list[Any], structure: Any) -> None:
        super().__init__()
        self.operator, self.constants, self.structure = operator, constants, structure

    def forward(self, *tensors: torch.Tensor) -> Any:
        given = iter(tensors)
        leaves = [next(given) if isinstance(c, _Place) else c for c in self.constants]
        args, kwargs = pytree.tree_unflatten(leaves, self.structure)
        return self.operator(*args, **kwargs)


class _Place:
    """Where a tensor goes."""


def operators() -> Iterator[tuple[str, Trials]]:
    """Every operator by its full name, with what makes its trials."""
    from torch.testing._internal.common_methods_invocations import op_db

    for info in op_db:
        if info.name in NOT_MEASURED or info.name.startswith(("_", "ops.", "masked.", "jiterator")):
            continue
        variant = f" ({info.variant_test_name})" if info.variant_test_name else ""
        yield f"torch.{info.name}{variant}", lambda info=info: _of_operator(info)


def modules() -> Iterator[tuple[str, Trials]]:
    """Every module of ``torch.nn`` but losses, with what makes its trials, in evaluation mode."""
    from torch.testing._internal.common_modules import module_db

    for info in module_db:
        if not info.name.endswith("Loss"):
            yield f"module torch.{info.name}", lambda info=info: _of_module(info)


def by_use(found: Iterator[tuple[str, Trials]], folder: Path) -> list[tuple[str, Trials]]:
    """In the order of how often the sources of a folder call what bears the last part of the name, those never called
    at the end."""
    calls: Counter[str] = Counter()
    for path in folder.rglob("*.py"):
        calls.update(re.findall(r"(\w+)\(", path.read_text(encoding="utf-8", errors="replace")))
    return sorted(found, key=lambda item: -calls[item[0].partition(" (")[0].rpartition(".")[2]])


def _of_operator(info: Any) -> Iterator[Trial]:
    dtypes = info.supported_dtypes("cpu")
    wanted = (torch.float32, torch.int64, torch.bool, torch.complex64)
    dtype = next((d for d in wanted if d in dtypes), None)
    if dtype is None:
        return
    torch.manual_seed(0)
    samples = itertools.islice(info.sample_inputs("cpu", dtype, requires_grad=False), MANY_SAMPLES)
    for sample in _spread(list(samples)):
        yield from _trial(info.op, (sample.input, *sample.args), sample.kwargs)


def _of_module(info: Any) -> Iterator[Trial]:
    torch.manual_seed(0)
    samples = info.module_inputs_func(info, device="cpu", dtype=torch.float32, requires_grad=False, training=False)
    for sample in _spread(list(itertools.islice(samples, MANY_SAMPLES))):
        made, given = sample.constructor_input, sample.forward_input
        if given is not None:
            module = info.module_cls(*made.args, **made.kwargs).eval()
            yield from _trial(module, tuple(given.args), given.kwargs)


def _spread(samples: list[Any]) -> list[Any]:
    return samples[:: max(1, len(samples) // MAX_SAMPLES)][:MAX_SAMPLES]


def _trial(operator: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Iterator[Trial]:
    leaves, structure = pytree.tree_flatten((args, kwargs))
    tensors = tuple(leaf.detach() for leaf in leaves if isinstance(leaf, torch.Tensor))
    constants = [_Place() if isinstance(leaf, torch.Tensor) else leaf for leaf in leaves]
    if tensors and all(t.numel() for t in tensors):
        second = tuple(t * 0.875 if t.is_floating_point() else t for t in tensors)
        yield Trial(Starred(operator, constants, structure), tensors, second)


def grown(trial: Trial) -> Trial | None:
    """The same with its first axis dynamic, and one row more in the second input; ``None`` where there is no such axis,
    or eager mode refuses the larger input."""
    rows = trial.first[0].shape[0] if trial.first[0].ndim else 0
    if rows < 2:
        return None
    grows = [t.ndim > 0 and t.shape[0] == rows for t in trial.first]
    second = tuple(torch.cat([t, t[:1]]) if grow else t for t, grow in zip(trial.second, grows, strict=True))
    try:
        with torch.no_grad():
            trial.model.eval()(*(t.clone() for t in second))
    except (RuntimeError, ValueError, IndexError, AssertionError, TypeError):
        return None
    return Trial(trial.model, trial.first, second, tuple((0,) if grow else () for grow in grows))


def of_form(form: Form) -> Iterator[Trial]:
    """The one trial of a form."""
    torch.manual_seed(0)
    yield Trial(form.model(), form.first(), form.second(), form.dynamic)
