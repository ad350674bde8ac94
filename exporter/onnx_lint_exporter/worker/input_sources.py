"""The inputs a job asks for: where they come from, and which of their axes are dynamic."""

from __future__ import annotations

from collections.abc import Sequence
from types import ModuleType

import torch

from .execution import Model
from .guess import guess
from .inputs import Axes, Inputs, from_specs, from_value, name_leaves
from .protocol import Job
from .spec import parse
from .target import LoadError, import_target


def build(model: Model, module: ModuleType, job: Job, cwd: str, engine_axes: Axes) -> Inputs:
    """The inputs a job asks for: specifications, ``--inputs-from``, what the target's module holds, else a guess.

    `engine_axes` are axes that an option of the engine's own names; ``--dynamic-axes`` is for all engines and wins.
    Raises `LoadError` when what is asked for is not there, `GuessError` when no guess fits the model.
    """
    source = job.inputs_from
    if job.input_specs:
        inputs = from_specs(model, parse(job.input_specs))
    elif source is not None:
        given: object = import_target(source, cwd)[0]
        for part in (source.attribute or "").split("."):
            if not hasattr(given, part):
                raise LoadError(f"{source.text}: no `{source.attribute}` there")
            given = getattr(given, part)
        inputs = from_value(model, given, f"--inputs-from {source.text}")
    elif hasattr(module, "ONNX_LINT_INPUTS"):
        inputs = from_value(model, module.ONNX_LINT_INPUTS, "ONNX_LINT_INPUTS")
    elif callable(getattr(module, "example_inputs", None)):
        inputs = from_value(model, module.example_inputs, "example_inputs()")
    else:
        inputs = guess(model)
    if job.axes is not None:
        inputs.axes, inputs.output_axes = named_axes(model, inputs, job.axes, job.output_names)
    else:
        inputs.axes = {**inputs.axes, **engine_axes}
    if job.input_specs and inputs.second is not None and not _grown(model, inputs):
        inputs.second = None  # made of sizes that were fixed before the axes were named: it is derived instead
    return inputs


def _grown(model: Model, inputs: Inputs) -> bool:
    """Whether the second input has another size in every dynamic axis."""
    other = dict(name_leaves(model, inputs.second or inputs.first))
    return all(
        _differs(value, other[name], dim)
        for name, value in name_leaves(model, inputs.first)
        for dim in inputs.axes.get(name, {})
    )


def _differs(value: object, other: object, dim: int) -> bool:
    if not isinstance(value, torch.Tensor) or not isinstance(other, torch.Tensor):
        return True
    return dim < value.dim() and value.shape[dim] != other.shape[dim]


def named_axes(
    model: Model, inputs: Inputs, asked: dict[str, dict[int, str]], outputs: Sequence[str]
) -> tuple[Axes, Axes]:
    """The axes of ``--dynamic-axes``, of inputs and of outputs.

    A name that is neither an input nor an output is an error; torch itself only warns and leaves the axis static.
    """
    known = [name for name, _ in name_leaves(model, inputs.first)]
    for name in asked:
        if name not in known and name not in outputs:
            raise LoadError(f"--dynamic-axes: no input `{name}`; the inputs are {', '.join(known)}")
    return (
        {name: dims for name, dims in asked.items() if name in known},
        {name: dims for name, dims in asked.items() if name not in known},
    )
