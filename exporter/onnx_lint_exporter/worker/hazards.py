"""What is wrong, or may be, with an export that succeeded: each at its line."""

from __future__ import annotations

from typing import Any

import torch

from .dynamo import Guards
from .eager import Arguments, Recorder, callable_of, fresh, leaves
from .frames import UserCode
from .inputs import Inputs
from .model_file import ModelFile, reached, shape_of
from .observe import Observation, observation
from .torchscript import graph_names


def inputs_lost(
    model_file: ModelFile, named: list[tuple[str, Any]], engine: str, given: list[str] | None
) -> list[Observation]:
    """Inputs that the graph no longer has, or has without using them, and plain values that were frozen into it."""
    tensors = [(name, value) for name, value in named if isinstance(value, torch.Tensor)]
    present = {value.name for value in model_file.inputs()}
    found = []
    renamed = dict(zip(graph_names(named), given or [], strict=False))
    for name, _ in tensors:
        shown = renamed.get(name, name)
        if shown not in present and len(present) < len(tensors):
            found.append(
                observation(
                    "vanished-input",
                    f"the input `{name}` is not in the graph: nothing computed from it was recorded",
                    [],
                    input=name,
                )
            )
    dead, constant = reached(model_file)
    found += [observation("dead-input", f"the input `{name}` reaches no output", [], input=name) for name in dead]
    found += [
        observation("constant-output", f"the output `{name}` depends on no input", [], output=name) for name in constant
    ]
    for name, value in named:
        if isinstance(value, str) or (engine == "dynamo" and isinstance(value, (bool, int, float))):
            found.append(
                observation(
                    "frozen-argument",
                    f"the {type(value).__name__} argument `{name}` is frozen as {value!r}",
                    [],
                    input=name,
                )
            )
    return found


def names_unused(model_file: ModelFile, named: list[tuple[str, Any]], given: list[str] | None) -> list[Observation]:
    """Input names that the graph lacks: torchscript gives those beyond the inputs to parameters, dynamo to nothing."""
    tensors = sum(isinstance(value, torch.Tensor) for _, value in named)
    present = {value.name for value in model_file.inputs()} | {
        tensor.name for tensor in model_file.proto.graph.initializer
    }
    unused = [name for name in (given or [])[tensors:] if name not in present]
    if not unused:
        return []
    plural = "s" if len(unused) > 1 else ""
    text = f"no input has the name{plural} {', '.join(unused)}: the model has {tensors} tensor inputs"
    return [observation("engine-warning", text, [])]


def axes_lost(
    model_file: ModelFile, inputs: Inputs, names: dict[str, str], guards: Guards | None, program: Any
) -> list[Observation]:
    """Axes that were asked to be dynamic and are static in the graph, or hold only for a range of sizes."""
    found: list[Observation] = []
    shapes = {value.name: shape_of(value) for value in model_file.inputs()}
    for name, axes in inputs.axes.items():
        shape = shapes.get(names.get(name, name))
        for dim, axis in axes.items():
            if shape is not None and dim < len(shape) and isinstance(shape[dim], int):
                stack = _guard_stack(guards, None)
                found.append(
                    observation(
                        "static-axis",
                        f"dimension {dim} of `{name}` (`{axis}`) became static: {shape[dim]}",
                        stack,
                        input=name,
                        axis=axis,
                    )
                )
    for symbol, bounds in (getattr(program, "range_constraints", None) or {}).items():
        low, high = str(bounds.lower), str(bounds.upper)
        bounded = high not in ("int_oo", "oo") and not high.startswith("92233720")
        raised = low.lstrip("-").isdigit() and int(low) > 2
        if (bounded or raised) and low != high:
            stack = _guard_stack(guards, str(symbol))
            words = f"from {low} to {high}" if bounded else f"from {low} on"
            found.append(
                observation(
                    "narrowed-axis",
                    f"the exported graph holds only for sizes {words} of the dynamic axis "
                    + _axis_of(program, symbol, inputs),
                    stack,
                    guard=str(symbol),
                )
            )
    return found


def _guard_stack(guards: Guards | None, symbol: str | None) -> list[Any]:
    if guards is None:
        return []
    return next((stack for expression, stack in guards.found if symbol is None or symbol in expression), [])


def _axis_of(program: Any, symbol: Any, inputs: Inputs) -> str:
    """The name of the axis that a symbol stands for."""
    for node in program.graph.nodes:
        value = node.meta.get("val") if node.op == "placeholder" else None
        for dim, size in enumerate(getattr(value, "shape", ())):
            if str(size) == str(symbol):
                axis = inputs.axes.get(node.name, {}).get(dim)
                return f"`{axis}` (dimension {dim} of `{node.name}`)" if axis else f"(dimension {dim} of `{node.name}`)"
    return str(symbol)


def outputs_lost(result: Any) -> list[Observation]:
    """Outputs whose form the graph cannot keep: dict keys, strings, ``None``."""
    found = []
    if isinstance(result, dict) or (hasattr(result, "to_tuple") and hasattr(result, "keys")):
        keys = ", ".join(map(str, list(result.keys())[:8]))
        found.append(
            observation(
                "flattened-output",
                f"the output is a dict: its keys ({keys}) are lost, the values become plain outputs",
                [],
            )
        )
    for name, value in leaves(result):
        if value is None or isinstance(value, str):
            found.append(
                observation(
                    "dropped-output", f"the output `{name or 0}` is {value!r:.40} and is dropped", [], output=name
                )
            )
    return found


def random_places(model: Any, arguments: Arguments, user: UserCode) -> list[Observation]:
    """The first call whose result changes with the seed."""
    runs = []
    for seed in (0, 1):
        recorder, given = Recorder(user, keep_results=True), arguments.copy()
        runnable = callable_of(fresh(model))
        torch.manual_seed(seed)
        with torch.no_grad(), recorder:
            runnable(*given.args, **given.kwargs)
        runs.append(recorder.events)
    for one, two in zip(*runs, strict=False):
        if any(
            a.shape != b.shape or not torch.equal(torch.nan_to_num(a), torch.nan_to_num(b))
            for a, b in zip(one.results, two.results, strict=False)
        ):
            return [
                observation(
                    "random-output",
                    f"`{one.name}` gives other values at each run, so the results cannot be compared",
                    one.stack,
                )
            ]
    return [
        observation("random-output", "the model gives other values at each run, so the results cannot be compared", [])
    ]
