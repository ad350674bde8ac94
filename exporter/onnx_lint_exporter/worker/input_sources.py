"""The inputs a job asks for: where they come from, and which of their axes are dynamic."""

from __future__ import annotations

from types import ModuleType
from typing import Any

import torch

from .guess import guess
from .inputs import Axes, Inputs, from_specs, from_value, name_leaves
from .load import LoadError, import_file, import_named
from .spec import parse


def build(model: Any, module: ModuleType, job: dict[str, Any], cwd: str) -> Inputs:
    """The inputs a job asks for: specifications, ``--inputs-from``, what the target's module holds, else a guess."""
    source = job.get("inputs_from")
    if job.get("input_specs"):
        inputs = from_specs(model, parse(job["input_specs"]))
    elif source:
        given: Any = import_file(source["file"])[0] if source.get("file") else import_named(source["module"], cwd)[0]
        for part in source["attribute"].split("."):
            if not hasattr(given, part):
                raise LoadError(f"{source['text']}: no `{source['attribute']}` there")
            given = getattr(given, part)
        inputs = from_value(model, given, f"--inputs-from {source['text']}")
    elif hasattr(module, "ONNX_LINT_INPUTS"):
        inputs = from_value(model, module.ONNX_LINT_INPUTS, "ONNX_LINT_INPUTS")
    elif callable(getattr(module, "example_inputs", None)):
        inputs = from_value(model, module.example_inputs, "example_inputs()")
    else:
        inputs = guess(model)
    if job.get("axes") is not None:
        inputs.axes, inputs.output_axes = named_axes(model, inputs, job["axes"], job.get("output_names") or [])
    elif job.get("engine") == "dynamo" and isinstance(job.get("dynamic_shapes"), dict):
        inputs.axes = {**inputs.axes, **_axes_of_shapes(job["dynamic_shapes"])}
    if job.get("input_specs") and inputs.second is not None and not _grown(model, inputs):
        inputs.second = None  # made of sizes that were fixed before the axes were named: it is derived instead
    return inputs


def _axes_of_shapes(shapes: dict[str, Any]) -> Axes:
    """The axes of ``--dynamic-shapes`` as far as they stand under the names of arguments."""
    axes: Axes = {}
    for name, dims in shapes.items():
        pairs = dims.items() if isinstance(dims, dict) else enumerate(dims) if isinstance(dims, list) else ()
        axes[name] = {int(dim): axis for dim, axis in pairs if isinstance(axis, str) and str(dim).isdigit()}
    return {name: dims for name, dims in axes.items() if dims}


def _grown(model: Any, inputs: Inputs) -> bool:
    """Whether the second input has another size in every dynamic axis."""
    other = dict(name_leaves(model, inputs.second or inputs.first))
    return all(
        dim < value.dim() and value.shape[dim] != other[name].shape[dim]
        for name, value in name_leaves(model, inputs.first)
        if isinstance(value, torch.Tensor)
        for dim in inputs.axes.get(name, {})
    )


def named_axes(model: Any, inputs: Inputs, asked: dict[str, Any], outputs: list[str]) -> tuple[Axes, Axes]:
    """``--dynamic-axes`` in one form, for inputs and for outputs: name → dimension → axis name.

    A name that is neither an input nor an output is an error; torch itself only warns and leaves the axis static.
    """
    known = [name for name, _ in name_leaves(model, inputs.first)]
    axes: Axes = {}
    for name, dims in asked.items():
        if name not in known and name not in outputs:
            raise LoadError(f"--dynamic-axes: no input `{name}`; the inputs are {', '.join(known)}")
        named = dims if isinstance(dims, dict) else {dim: f"{name}_dynamic_axes_{k + 1}" for k, dim in enumerate(dims)}
        axes[name] = {int(dim): str(axis) for dim, axis in named.items()}
    return (
        {name: dims for name, dims in axes.items() if name in known},
        {name: dims for name, dims in axes.items() if name not in known},
    )
