"""The example input when none is given: from the signature, the annotations and the layers of the model, by trial."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial

import torch

from .execution import Arguments, Leaf, Model, call
from .inputs import Axes, Inputs, arrange, described, name_leaves, parameters
from .target import LoadError
from .vary import axes_of, axis_names, other_values, resized, variation

_PLAIN_KINDS: dict[object, int | float | bool] = {int: 2, float: 0.5, bool: True, "int": 2, "float": 0.5, "bool": True}
NO_INPUTS = "no inputs"


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
    dummies = getattr(model, "dummy_inputs", None)
    if isinstance(dummies, dict) and all(isinstance(name, str) for name in dummies):
        given = Arguments((), dict(dummies))
        try:
            call(model, given)
        except (MemoryError, RecursionError):
            raise
        except Exception as error:  # noqa: BLE001 - the model's own example may be for another use of it
            first_error = error
        else:
            return whole(model, given, "dummy_inputs of the model: ")
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
        return whole(model, arguments, "guessed ")
    if first_error is not None:
        raise GuessError from first_error
    return Inputs(Arguments(), None, origin=NO_INPUTS, second_given=False)


def whole(model: Model, first: Arguments, origin: str) -> Inputs:
    """Both inputs from an example that runs: every size changes in the second that the model lets change."""
    found = variation(model, first)
    named = name_leaves(model, first)
    names = axis_names([(name, leaf.dim()) for name, leaf in named if isinstance(leaf, torch.Tensor)], found)
    axes = axes_of(found, names)
    said = written_inputs(named, axes)
    second = other_values(model, resized(model, first, found.sizes))
    return Inputs(first, second if found.axes else None, axes, origin=f"{origin}{said}", second_given=False)


def written_inputs(named: Sequence[Leaf], axes: Axes) -> str:
    """The leaves of an input as they are printed: ``x: float32[N, 3]; k: int 2``."""
    return "; ".join(f"{name}: {_written(value, axes.get(name, {}))}" for name, value in named)


def _written(value: object, axes: Mapping[int, str]) -> str:
    if not isinstance(value, torch.Tensor):
        return described(value)
    dims = ", ".join(axes.get(dim, str(size)) for dim, size in enumerate(value.shape))
    return f"{str(value.dtype).removeprefix('torch.')}[{dims}]"


def _from_annotation(parameter: inspect.Parameter, make: Callable[[], torch.Tensor]) -> object:
    plain = plain_value(parameter.annotation)
    if plain is not None:
        return plain
    kind = parameter.annotation
    dims = getattr(kind, "dim_str", None)
    if isinstance(dims, str):
        sizes = [int(d) if d.isdigit() else 2 + k for k, d in enumerate(dims.split())]
        return torch.randn(sizes, generator=torch.Generator().manual_seed(0))
    return make()


def plain_value(annotation: object) -> int | float | bool | None:
    """An example of a plain argument, by its annotation; ``None`` if that is not one of a number or a truth value."""
    return _PLAIN_KINDS.get(annotation) if isinstance(annotation, (type, str)) else None


def shapes_of(model: Model) -> list[tuple[tuple[int, ...], int]]:
    """Shapes that the first layer of the model may take, and some others, likely ones first; each with the exclusive
    upper bound of integers, 0 for floating-point numbers."""
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

    return [*shapes, ((2, 3), 0), ((2, 3, 4), 0), ((2, 3, 64, 64), 0), ((4,), 0), ((2, 5), 2)]


def _candidate_tensors(model: Model) -> Iterator[Callable[[], torch.Tensor]]:
    for shape, high in shapes_of(model):
        yield partial(_example, shape, high)


def _example(shape: tuple[int, ...], high: int) -> torch.Tensor:
    """A tensor of a shape: normal, or integers below `high` when that is given."""
    generator = torch.Generator().manual_seed(0)
    return torch.randint(0, high, shape, generator=generator) if high else torch.randn(shape, generator=generator)
