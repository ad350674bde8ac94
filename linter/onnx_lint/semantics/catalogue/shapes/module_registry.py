"""The table of the classes of ``torch.nn``: what `forward` gives, and the parameters and buffers that an instance has.

Signatures are data (``catalogue/data/torch_nn.json``, made by ``tools/generate_module_signatures.py``).

    @module("Linear", parameters=_linear_parameters)
    def linear(call: Call, settings: Settings, input: Value) -> Value: ...

`settings` are the arguments of the constructor by name, with defaults.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias, TypeVar

from onnx_lint.semantics.catalogue.shapes import registry
from onnx_lint.semantics.catalogue.shapes.dtype_rules import named
from onnx_lint.semantics.catalogue.shapes.registry import MODELS, Call, NotKnown, Parameter
from onnx_lint.semantics.domain.shapes import UNKNOWN, TensorType, Value

Settings: TypeAlias = Mapping[str, Value]
Tensors: TypeAlias = dict[str, TensorType]
"""Parameters and buffers by name: ``weight``, ``running_mean``."""

_DATA = Path(__file__).parents[1] / "data/torch_nn.json"


@dataclass(frozen=True, slots=True)
class ModuleModel:
    """The model of a class: `init` and `forward` are the parameters of the two."""

    init: tuple[Parameter, ...]
    forward: tuple[Parameter, ...]
    run: Callable[[Call, Settings, Mapping[str, Value]], Value]
    tensors: Callable[[Settings], Tensors]


MODULES: dict[str, ModuleModel] = {}
"""Models by full name: ``torch.nn.Linear``."""


def _value(default: object) -> Value:
    if isinstance(default, list):
        return tuple(map(_value, default))
    assert default is None or isinstance(default, bool | int | float | str)
    return default


def _parameter(row: Mapping[str, object]) -> Parameter:
    known = "default" in row or "required" in row
    return Parameter(
        str(row["name"]), _value(row.get("default")) if known else UNKNOWN, "required" in row,
        keyword_only="keyword_only" in row,
    )  # fmt: skip


SIGNATURES: dict[str, tuple[Parameter, ...]] = {
    name: tuple(map(_parameter, row["init"]))
    for name, row in json.loads(_DATA.read_text(encoding="utf-8"))["classes"].items()
}
"""The parameters of constructors, by full name."""


def no_tensors(settings: Settings) -> Tensors:
    """A module without parameters and buffers."""
    return {}


def unknown_tensors(settings: Settings) -> Tensors:
    """A module made of others, of which the tensors are not modelled.

    Raises:
        NotKnown: always.
    """
    raise NotKnown


F = TypeVar("F", bound=Callable[..., Value])


def module(
    *names: str, tensors: Callable[[Settings], Tensors] = no_tensors, init: Sequence[Parameter] | None = None
) -> Callable[[F], F]:
    """Registers the model of classes of ``torch.nn``."""

    def decorate(function: F) -> F:
        forward = registry.parameters_of(function, 2)

        def run(call: Call, settings: Settings, bound: Mapping[str, Value]) -> Value:
            try:
                return function(call, settings, **bound)
            except NotKnown:
                return UNKNOWN

        for name in names:
            full = f"torch.nn.{name}"
            if full in MODULES:
                raise ValueError(f"two models of {full}")
            MODULES[full] = ModuleModel(tuple(init) if init is not None else SIGNATURES[full], forward, run, tensors)
        return function

    return decorate


def delegate(call: Call, name: str, *positional: Value, **keyword: Value) -> Value:
    """What a function gives, as a part of this call."""
    model = MODELS[name]
    return model.run(call, registry.bind(model.parameters, positional, keyword, lenient=True))


def dtype_of(settings: Settings) -> str | None:
    """The dtype of the parameters of a module."""
    value = settings.get("dtype")
    return "float32" if value is None else named(value)
