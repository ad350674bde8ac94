"""The example input when none is given: from the signature, the annotations and the layers of the model, by trial."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from functools import partial

import torch

from .execution import Arguments, Model, call
from .inputs import Inputs, arrange, described, parameters
from .target import LoadError

_PLAIN_KINDS = {int: 2, float: 0.5, bool: True, "int": 2, "float": 0.5, "bool": True}


class GuessError(Exception):
    """No guess fits the model; the cause is what it raised on the first one."""


def guess(model: Model) -> Inputs:
    """Inputs from the signature, annotations and defaults of ``forward`` and the layers of the model, by trial."""
    if isinstance(model, torch.export.ExportedProgram):
        if model.example_inputs is None:
            raise LoadError("the exported program holds no example inputs: give --input or --inputs-from")
        args, kwargs = model.example_inputs
        return Inputs(Arguments(tuple(args), dict(kwargs)), None, origin="the exported program", second_given=False)
    needed = [
        p
        for p in parameters(model)
        if p.default is p.empty and p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY)
    ]
    first_error: Exception | None = None
    for make in _candidate_tensors(model):
        values = {p.name: _from_annotation(p, make) for p in needed}
        arguments = arrange(needed, values)
        try:
            call(model, arguments)
        except (MemoryError, RecursionError):
            raise
        except Exception as error:  # noqa: BLE001 - the model's own code may raise anything on a wrong guess
            first_error = first_error or error
            continue
        guessed = ", ".join(f"{name}:{described(value)}" for name, value in values.items())
        return Inputs(arguments, None, origin=f"guessed {guessed}", second_given=False)
    if first_error is not None:
        raise GuessError from first_error
    return Inputs(Arguments(), None, origin="no inputs", second_given=False)


def _from_annotation(parameter: inspect.Parameter, make: Callable[[], torch.Tensor]) -> object:
    kind = parameter.annotation
    if kind in _PLAIN_KINDS:
        return _PLAIN_KINDS[kind]
    dims = getattr(kind, "dim_str", None)
    if isinstance(dims, str):
        sizes = [int(d) if d.isdigit() else 2 + k for k, d in enumerate(dims.split())]
        return torch.randn(sizes, generator=torch.Generator().manual_seed(0))
    return make()


def _candidate_tensors(model: Model) -> Iterator[Callable[[], torch.Tensor]]:
    shapes: list[tuple[tuple[int, ...], int]] = []
    nn = torch.nn
    modules = model.modules() if isinstance(model, nn.Module) else ()
    for module in modules:
        if isinstance(module, (nn.Conv1d, nn.Conv2d, nn.Conv3d)):
            rank = len(module.kernel_size)
            shapes += [((2, module.in_channels, *[size] * rank), 0) for size in (64, 224, 32)]
        elif isinstance(module, nn.Linear):
            shapes += [((2, module.in_features), 0), ((2, 5, module.in_features), 0)]
        elif isinstance(module, nn.Embedding):
            shapes += [((2, 5), module.num_embeddings)]
        elif isinstance(module, nn.RNNBase):
            shapes += [((3, 2, module.input_size), 0)]
        elif isinstance(module, nn.LayerNorm):
            shapes += [((2, 5, *module.normalized_shape), 0)]
        if shapes:
            break
    for shape, high in [*shapes, ((2, 3), 0), ((2, 3, 4), 0), ((2, 3, 64, 64), 0), ((4,), 0), ((2, 5), 2)]:
        yield partial(_example, shape, high)


def _example(shape: tuple[int, ...], high: int) -> torch.Tensor:
    """A tensor of a shape: normal, or integers below `high` when that is given."""
    generator = torch.Generator().manual_seed(0)
    return torch.randint(0, high, shape, generator=generator) if high else torch.randn(shape, generator=generator)
