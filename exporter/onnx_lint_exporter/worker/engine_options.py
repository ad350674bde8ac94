"""The keyword arguments of ``torch.onnx.export`` that a job asks for, for each engine."""

from __future__ import annotations

from typing import Any

import torch

from . import dynamo, torchscript
from . import inputs as build_inputs
from .inputs import Inputs
from .load import Loaded


def for_torchscript(
    job: dict[str, Any], loaded: Loaded, inputs: Inputs, named: list[tuple[str, Any]]
) -> dict[str, Any]:
    """`named` are the leaves of the first input, completed by the defaults, with their names."""
    taken = torchscript.graph_names(named)
    given = job.get("input_names") or []
    names = given + taken[len(given) :]  # a partial list: the rest keep the names of the parameters of forward
    table = dict(zip(taken, names, strict=False))
    axes = {table.get(name, name): dims for name, dims in {**inputs.axes, **inputs.output_axes}.items()}
    options: dict[str, Any] = {
        **_shared(job),
        "input_names": names or None,
        **(job.get("torchscript") or {}),
        "dynamic_axes": axes or None,
        "training": {
            "eval": torch.onnx.TrainingMode.EVAL,
            "preserve": torch.onnx.TrainingMode.PRESERVE,
            "train": torch.onnx.TrainingMode.TRAINING,
        }[job.get("training") or "eval"],
    }
    if loaded.opsets or job.get("custom_opsets"):
        options["custom_opsets"] = {**loaded.opsets, **(job.get("custom_opsets") or {})}
    return options


def for_dynamo(job: dict[str, Any], loaded: Loaded, inputs: Inputs) -> dict[str, Any]:
    options = {**_shared(job), **(job.get("dynamo") or {})}
    if job.get("input_names"):
        options["input_names"] = job["input_names"]
    if loaded.translations:
        options["custom_translation_table"] = loaded.translations
    shapes = job.get("dynamic_shapes") or dynamo.dynamic_shapes(
        loaded.model, inputs.first, inputs.axes, build_inputs.parameters(loaded.model)
    )
    if shapes and not isinstance(loaded.model, torch.export.ExportedProgram):
        options["dynamic_shapes"] = _integer_keys(shapes)
    return options


def _shared(job: dict[str, Any]) -> dict[str, Any]:
    return {key: job[key] for key in ("opset_version", "output_names") if job.get(key)}


def _integer_keys(shapes: Any) -> Any:
    """JSON has no integer keys: ``{"0": "n"}`` means dimension 0."""
    if isinstance(shapes, dict):
        return {
            int(key) if isinstance(key, str) and key.isdigit() else key: _integer_keys(value)
            for key, value in shapes.items()
        }
    if isinstance(shapes, tuple) and hasattr(shapes, "_fields"):
        return type(shapes)(*map(_integer_keys, shapes))
    if isinstance(shapes, (list, tuple)):
        return type(shapes)(map(_integer_keys, shapes))
    return shapes
