"""The inputs a job asks for: where they come from, and which of their axes are dynamic."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Sequence
from types import ModuleType

import torch

from . import system
from .analysed import UnfitError, from_analysis
from .asking import InputsAsked, InputsKnown
from .channel import Channel
from .execution import Model
from .guess import NO_INPUTS, guess
from .inputs import Axes, Inputs, from_specs, from_value, name_leaves
from .protocol import Job, Stage, StageBegun
from .spec import parse
from .target import LoadError, import_target
from .wire import decode_answer

_PATIENCE = 30.0
"""Seconds to wait for the linter's answer."""


def build(
    model: Model, module: ModuleType, job: Job, cwd: str, engine_axes: Axes, ask: Callable[[], InputsKnown]
) -> Inputs:
    """The inputs a job asks for: specifications, ``--inputs-from``, what the target's module holds, what the analysis
    knows (which `ask` gets), else a guess.

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
        inputs = _made(model, ask())
    if job.axes is not None:
        inputs.axes, inputs.output_axes = named_axes(model, inputs, job.axes, job.output_names)
    else:
        inputs.axes = {**inputs.axes, **engine_axes}
    if job.input_specs and inputs.second is not None and not _grown(model, inputs):
        inputs.second = None  # made of sizes that were fixed before the axes were named: it is derived instead
    return inputs


def _made(model: Model, known: InputsKnown) -> Inputs:
    """Inputs of which nothing is given: from the analysis, else guessed, and then why."""
    why = known.why
    if known.inputs:
        try:
            return from_analysis(model, known.inputs)
        except UnfitError as error:
            why = str(error)
    inputs = guess(model)
    if why and inputs.origin != NO_INPUTS:
        inputs.origin += f" (not from the analysis: {why})"
    return inputs


def ask(channel: Channel, model: Model) -> InputsKnown:
    """What the exporter's linter knows of the inputs of a model; nothing of one that is no class of Python code."""
    cls = type(model)
    file = getattr(sys.modules.get(cls.__module__), "__file__", None)
    if not isinstance(model, torch.nn.Module) or isinstance(model, torch.jit.ScriptModule) or not file:
        return InputsKnown()
    channel.send(InputsAsked(os.path.abspath(file), cls.__qualname__))
    line = system.answer(_PATIENCE)
    channel.send(StageBegun(Stage.EAGER))  # from here on the time is the model's own
    return InputsKnown(why=f"no answer in {_PATIENCE:.0f} seconds") if line is None else decode_answer(line)


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
