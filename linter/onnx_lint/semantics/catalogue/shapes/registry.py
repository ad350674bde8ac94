"""The table of operator models: how a model is written, and how a call finds and runs it.

A model is a function of a `Call` and of the arguments by name. `@shape` is for those that compute a shape, with the
dtype by a rule beside it, so that each is known when the other is not; `@result` is for those that give anything else.

    @shape("torch.cat", "torch.concat", dtype=promoted("tensors"))
    def cat(call: Call, tensors: Value, dim: Value = 0) -> Shape: ...

A model reads its arguments through `arguments`; a reader raises `NotKnown` when the value is not known or is not of
that kind, and the result is then unknown. `ShapeError` says that the call must fail.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias, TypeVar

from onnx_lint.semantics.domain.dims import Dim, equal
from onnx_lint.semantics.domain.equations import Constraint, Equation, Multiple
from onnx_lint.semantics.domain.shapes import UNKNOWN, Shape, ShapeError, TensorType, Value, broadcast


class NotKnown(Exception):
    """An argument is not known well enough to say anything of the result."""


class BindingError(Exception):
    """The arguments do not fit the signature of the model: an overload that is not modelled, or a faulty call."""


Arguments: TypeAlias = Mapping[str, Value]
DtypeRule: TypeAlias = Callable[[Arguments], str | None]


@dataclass(slots=True)
class Call:
    """One run of a model: it collects what the call demands of its sizes."""

    constraints: list[Constraint] = field(default_factory=list)

    def equal(self, left: Dim, right: Dim, reason: str) -> Dim:
        """States that two sizes are equal, and returns the one of which more is known.

        Raises:
            ShapeError: they are never equal.
        """
        same = equal(left, right)
        if same is False:
            raise ShapeError(f"{reason}: {left} is not {right}", left, right)
        if same is None:
            self.constraints.append(Equation(left, right, reason))
        return right if isinstance(right, int) else left

    def multiple(self, dim: Dim, of: Dim, reason: str) -> None:
        """States that a size is a multiple of another one.

        Raises:
            ShapeError: it never is.
        """
        if isinstance(of, int) and of == 0:
            raise ShapeError(f"{reason}: division by zero")
        remainder = dim % of
        same = equal(remainder, 0)
        if same is False:
            raise ShapeError(f"{reason}: {dim} is not a multiple of {of}", dim, of)
        if same is None:
            self.constraints.append(Multiple(dim, of, reason))

    def broadcast(self, *shapes: Shape) -> Shape:
        """The shape of an elementwise operation.

        Raises:
            ShapeError: the shapes cannot be broadcast.
        """
        result, demanded = broadcast(shapes)
        self.constraints.extend(demanded)
        return result


@dataclass(frozen=True, slots=True)
class Parameter:
    """A parameter of a model. `variadic` takes all positional arguments that are left, `keyword_only` none."""

    name: str
    default: Value
    required: bool
    variadic: bool = False
    keyword_only: bool = False


@dataclass(frozen=True, slots=True)
class Model:
    """A registered model: its parameters, and a function from a call and bound arguments to a result."""

    parameters: tuple[Parameter, ...]
    run: Callable[[Call, dict[str, Value]], Value]
    is_generated: bool = False
    """Whether it stands in a table made from samples; such a model ignores arguments that it does not name."""
    takes_names: bool = False
    """Whether keywords of any name are passed on, as the lengths of axes in einops."""


MODELS: dict[str, Model] = {}
"""Models by full name: ``torch.cat``, ``torch.Tensor.view``, ``torch.nn.functional.linear``, …"""

IGNORED = frozenset({
    "out", "device", "layout", "requires_grad", "pin_memory", "memory_format", "generator", "non_blocking", "copy",
    "inplace", "training", "check_errors", "_stacklevel", "driver",
})  # fmt: skip
"""Keywords that no model reads and that change neither shape nor dtype."""

_NUMPY = {
    "axis": "dim", "keepdims": "keepdim", "x1": "input", "x2": "other", "a": "input", "x": "input", "self": "input",
}  # fmt: skip


def bind(
    parameters: Sequence[Parameter],
    positional: Sequence[Value],
    keyword: Mapping[str, Value],
    *,
    lenient: bool = False,
    takes_names: bool = False,
) -> dict[str, Value]:
    """Arguments by the names of parameters, with defaults. Keywords of other names are an error,
    unless `lenient` passes
    over them or `takes_names` keeps them.

    Raises:
        BindingError: too many, too few, or unknown arguments.
    """
    bound: dict[str, Value] = {}
    left = list(positional)
    for parameter in parameters:
        if parameter.variadic:
            bound[parameter.name] = tuple(left)
            left = []
        elif left and not parameter.keyword_only:
            bound[parameter.name] = left.pop(0)
        elif not parameter.required:
            bound[parameter.name] = parameter.default
    if left:
        raise BindingError("too many arguments")
    names = {p.name: p for p in parameters}
    for name, value in keyword.items():
        known = name if name in names else _NUMPY.get(name, name)
        if known in names:
            bound[known] = (value,) if names[known].variadic else value
        elif takes_names:
            bound[name] = value
        elif name not in IGNORED and not lenient:
            raise BindingError(f"unknown argument {name!r}")
    missing = [p.name for p in parameters if p.name not in bound]
    if missing:
        raise BindingError(f"missing {', '.join(missing)}")
    return bound


def parameters_of(function: Callable[..., object], skip: int) -> tuple[Parameter, ...]:
    """The parameters of a model, without the first `skip`."""
    found = []
    for p in list(inspect.signature(function).parameters.values())[skip:]:
        variadic = p.kind is p.VAR_POSITIONAL
        found.append(
            Parameter(
                p.name, None if p.default is p.empty else p.default, p.default is p.empty and not variadic,
                variadic, p.kind is p.KEYWORD_ONLY,
            )
        )  # fmt: skip
    return tuple(found)


F = TypeVar("F", bound=Callable[..., object])


def register(name: str, model: Model) -> None:
    """Adds a model to the table.

    Raises:
        ValueError: there is one of that name already.
    """
    if name in MODELS:
        raise ValueError(f"two models of {name}")
    MODELS[name] = model


def _invoke(function: Callable[..., object], parameters: Sequence[Parameter], call: Call, bound: Arguments) -> object:
    positional: list[Value] = []
    keyword: dict[str, Value] = {}
    for p in parameters:
        if p.variadic:
            rest = bound[p.name]
            assert isinstance(rest, tuple)
            positional.extend(rest)
        elif p.keyword_only:
            keyword[p.name] = bound[p.name]
        else:
            positional.append(bound[p.name])
    return function(call, *positional, **keyword)


def result(*names: str) -> Callable[[F], F]:
    """Registers a model that gives a whole result."""

    def decorate(function: F) -> F:
        parameters = parameters_of(function, 1)

        def run(call: Call, bound: dict[str, Value]) -> Value:
            try:
                return _invoke(function, parameters, call, bound)  # type: ignore[return-value]  # F is a model
            except NotKnown:
                return UNKNOWN

        for name in names:
            register(name, Model(parameters, run))
        return function

    return decorate


def shape(*names: str, dtype: DtypeRule | tuple[DtypeRule, ...]) -> Callable[[F], F]:
    """Registers a model that gives a shape. With several dtypes the result is a tuple of tensors, and the model gives
    a list of shapes, or one that all of them have."""

    def decorate(function: F) -> F:
        parameters = parameters_of(function, 1)

        def run(call: Call, bound: dict[str, Value]) -> Value:
            shapes: object
            try:
                shapes = _invoke(function, parameters, call, bound)
            except NotKnown:
                shapes = None
            rules = dtype if isinstance(dtype, tuple) else (dtype,)
            each = shapes if isinstance(shapes, list) else [shapes] * len(rules)
            made = tuple(TensorType(s, _dtype(rule, bound)) for s, rule in zip(each, rules, strict=True))
            return made if isinstance(dtype, tuple) else made[0]

        for name in names:
            register(name, Model(parameters, run))
        return function

    return decorate


def _dtype(rule: DtypeRule, bound: Arguments) -> str | None:
    try:
        return rule(bound)
    except NotKnown:
        return None
