"""The example input and the second one: from specifications, from the user's function, or from the model itself."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations

import torch

from .channel import clip
from .execution import Arguments, Leaf, Model, call, leaves, rebuilt
from .spec import InputSpec, SpecError, parse
from .target import LoadError

Axes = dict[str, dict[int, str]]


@dataclass(frozen=True)
class Relation:
    """A size that is the sum of those of other axes and a number, in every input that the user gave: the mask of a
    language model is as long as its cache and the new words."""

    axes: tuple[str, ...]
    more: int = 0

    def size(self, sizes: Mapping[str, int]) -> int:
        """The size that follows from the others."""
        return max(sum(sizes[axis] for axis in self.axes) + self.more, 1)


@dataclass
class Inputs:
    """Both inputs of the model, with names and dynamic axes for either engine."""

    first: Arguments
    second: Arguments | None
    axes: Axes = field(default_factory=dict)
    """Leaf name → dimension → axis name."""
    output_axes: Axes = field(default_factory=dict)
    origin: str = ""
    """In words, where they come from."""
    second_given: bool = True
    """Whether the user chose the second input, so that a model that refuses it is to blame."""
    refused: str = ""
    """Why there is no second input."""
    specs: tuple[InputSpec, ...] = ()
    """The specifications that the inputs were drawn from, if they were."""
    relations: dict[str, Relation] = field(default_factory=dict)
    """Axis → how its size follows from those of other axes."""
    bounds: dict[str, tuple[int, int]] = field(default_factory=dict)
    """Leaf name → the least value, and one more than the greatest, that integers or booleans were seen to have."""

    def named(self, model: Model, which: Arguments | None = None) -> list[Leaf]:
        """The leaves of all arguments with their names, in the engines' order."""
        return name_leaves(model, which or self.first)


def parameters(model: Model) -> list[inspect.Parameter]:
    """The parameters of ``forward``; an empty list when they are unknown."""
    if isinstance(model, torch.export.ExportedProgram):
        return []
    if isinstance(model, (torch.jit.ScriptModule, torch.jit.ScriptFunction)):
        graph_inputs = [value.debugName().split(".")[0] for value in model.graph.inputs()]
        names = graph_inputs[1:] if isinstance(model, torch.jit.ScriptModule) else graph_inputs
        return [inspect.Parameter(name, inspect.Parameter.POSITIONAL_OR_KEYWORD) for name in names]
    try:
        return list(inspect.signature(model.forward).parameters.values())
    except (TypeError, ValueError):
        return []


def name_leaves(model: Model, arguments: Arguments) -> list[Leaf]:
    """The leaves of all arguments with their names, in the engines' order."""
    named: list[Leaf] = []
    positional = [p for p in parameters(model) if p.kind is not inspect.Parameter.KEYWORD_ONLY]
    for index, value in enumerate(arguments.args):
        if index < len(positional) and positional[index].kind is not inspect.Parameter.VAR_POSITIONAL:
            name = positional[index].name
        else:
            rest = next((p.name for p in positional if p.kind is inspect.Parameter.VAR_POSITIONAL), "input")
            name = f"{rest}_{index}"
        named += leaves(value, name)
    order = [p.name for p in parameters(model)]
    for key in sorted(arguments.kwargs, key=lambda k: order.index(k) if k in order else len(order)):
        named += leaves(arguments.kwargs[key], key)
    return named


def graph_names(named: list[Leaf]) -> list[str]:
    """Names for the graph's inputs: numbers become inputs too, ``None`` and strings do not."""
    return [name for name, value in named if not (value is None or isinstance(value, str))]


def described(value: object) -> str:
    """A value in few words: dtype and shape of a tensor, else type and value."""
    if isinstance(value, torch.Tensor):
        return f"{str(value.dtype).removeprefix('torch.')}{list(value.shape)}".replace(" ", "")
    return clip(f"{type(value).__name__} {value!r}", 60)


def with_defaults(model: Model, arguments: Arguments) -> Arguments:
    """All arguments by position, with the defaults of those left out, as the torchscript engine makes them.

    It does so for keyword-only parameters too, which is why it cannot export a model that has some.
    """
    if isinstance(model, torch.export.ExportedProgram):
        return arguments
    if isinstance(model, (torch.jit.ScriptModule, torch.jit.ScriptFunction)):
        return _with_scripted_defaults(model, arguments)
    args = list(arguments.args)
    for parameter in parameters(model)[len(args) :]:
        if parameter.name in arguments.kwargs:
            args.append(arguments.kwargs[parameter.name])
        elif parameter.default is not parameter.empty:
            args.append(parameter.default)
    return Arguments(tuple(args))


def _schema_of(model: Model) -> torch._C.FunctionSchema:
    schema: torch._C.FunctionSchema = model.schema if hasattr(model, "schema") else model.forward.schema
    return schema


def _with_scripted_defaults(model: Model, arguments: Arguments) -> Arguments:
    """Scripted code keeps its defaults in the schema; its graph has an input for each parameter all the same."""
    expected = [argument for argument in _schema_of(model).arguments if argument.name != "self"]
    args = list(arguments.args)
    for argument in expected[len(args) :]:
        if argument.name in arguments.kwargs:
            args.append(arguments.kwargs[argument.name])
        elif argument.has_default_value():
            args.append(argument.default_value)
        else:
            return arguments
    return Arguments(tuple(args))


# --- from specifications -------------------------------------------------------------------------------------------


def _tensor(spec: InputSpec, second: bool) -> torch.Tensor:
    sizes = [dim.second if second else dim.first for dim in spec.dims]
    dtype: torch.dtype = getattr(torch, spec.dtype or "float32")
    generator = torch.Generator().manual_seed(sum(map(ord, spec.name)) + 7919 * second)
    if dtype is torch.bool:
        return torch.rand(sizes, generator=generator) > 0.5
    if dtype.is_floating_point or dtype.is_complex:
        if spec.high is not None:
            low = spec.low or 0.0
            return (torch.rand(sizes, generator=generator) * (spec.high - low) + low).to(dtype)
        values = torch.randn(sizes, generator=generator)
        return (
            torch.complex(values, torch.randn(sizes, generator=generator)).to(dtype)
            if dtype.is_complex
            else values.to(dtype)
        )
    low, high = int(spec.low or 0), int(spec.high if spec.high is not None else 2)
    values = torch.randint(low, high, sizes, generator=generator)
    if not sizes and second and high - low > 1:
        first = torch.randint(low, high, (), generator=torch.Generator().manual_seed(sum(map(ord, spec.name))))
        values = low + (first - low + 1) % (high - low)
    return values.to(dtype)


def from_specs(model: Model, specs: list[InputSpec]) -> Inputs:
    """Both inputs from specifications; each must name a parameter of ``forward``."""
    known = parameters(model)
    names = [p.name for p in known]
    open_ended = any(p.kind in (p.VAR_POSITIONAL, p.VAR_KEYWORD) for p in known)
    for spec in specs:
        if names and spec.name not in names and not open_ended:
            raise LoadError(f"no input `{spec.name}`: forward takes {', '.join(names) or 'nothing'}")
    built = []
    for second in (False, True):
        values = {s.name: _tensor(s, second) if s.dtype else s.value for s in specs}
        built.append(arrange(known, values))
    axes = {s.name: {k: d.axis for k, d in enumerate(s.dims) if d.axis} for s in specs}
    return Inputs(
        built[0], built[1], {name: dims for name, dims in axes.items() if dims}, origin="--input", specs=tuple(specs)
    )


def arrange(known: list[inspect.Parameter], values: Mapping[str, object]) -> Arguments:
    """Positional where the order of the parameters allows it, the rest by keyword."""
    args, rest = [], dict(values)
    for parameter in known:
        if parameter.kind is parameter.VAR_POSITIONAL:
            args += [rest.pop(name) for name in list(rest) if name not in {p.name for p in known}]
            break
        if parameter.kind is parameter.KEYWORD_ONLY or parameter.name not in rest:
            break
        args.append(rest.pop(parameter.name))
    return Arguments(tuple(args), rest) if known else Arguments(tuple(values.values()))


# --- from the user's function or module level ----------------------------------------------------------------------


def as_arguments(given: object) -> Arguments:
    """One input: a tensor, an args tuple, ``(args, kwargs)``, a tuple with a dict last, or keyword arguments."""
    if isinstance(given, dict):
        return Arguments((), dict(given))
    if not isinstance(given, tuple):
        return Arguments((given,))
    if given and isinstance(given[-1], dict) and all(isinstance(key, str) for key in given[-1]):
        rest = given[:-1]
        return Arguments(rest[0] if len(rest) == 1 and isinstance(rest[0], tuple) else rest, dict(given[-1]))
    return Arguments(given)


def from_value(model: Model, value: object, origin: str) -> Inputs:
    """Inputs from what the user's code gave: one input, a list of several, or specifications in text."""
    if callable(value):
        value = value()
    if isinstance(value, str) or (
        isinstance(value, (list, tuple)) and value and all(isinstance(v, str) for v in value)
    ):
        try:
            inputs = from_specs(model, parse([value] if isinstance(value, str) else list(value)))
        except SpecError as error:
            raise LoadError(f"{origin}: {error}") from error
        inputs.origin = origin
        return inputs
    several = value if isinstance(value, list) else [value]
    if not several:
        raise LoadError(f"{origin}: an empty list; give an args tuple, or a list of them")
    first = as_arguments(several[0])
    if len(several) == 1:
        return Inputs(first, None, origin=origin, second_given=False)
    second = as_arguments(several[1])
    axes = _differing_axes(model, first, second)
    samples = [axis_sizes(model, as_arguments(each), axes) for each in several]
    return Inputs(first, second, axes, origin=origin, relations=relations(samples))


def _differing_axes(model: Model, first: Arguments, second: Arguments) -> Axes:
    """The dimensions in which two inputs differ are dynamic; equal pairs of sizes are one axis."""
    axes: Axes = {}
    names: dict[tuple[int, int], str] = {}
    other = dict(name_leaves(model, second))
    for name, value in name_leaves(model, first):
        twin = other.get(name)
        if not isinstance(value, torch.Tensor) or not isinstance(twin, torch.Tensor) or value.dim() != twin.dim():
            continue
        for k, pair in enumerate(zip(value.shape, twin.shape, strict=False)):
            if pair[0] != pair[1]:
                axes.setdefault(name, {})[k] = names.setdefault(pair, f"d{len(names)}")
    return axes


def relations(samples: Sequence[Mapping[str, int]]) -> dict[str, Relation]:
    """How sizes follow from others, by the sizes of the axes in inputs that the user gave: a sum of two in at least two
    different inputs, one and a number in at least three."""
    different = [dict(each) for each in {tuple(sorted(sample.items())) for sample in samples}]
    names = sorted(set.intersection(*(set(each) for each in different))) if different else []
    changing = [axis for axis in names if len({each[axis] for each in different}) > 1]
    found: dict[str, Relation] = {}
    for axis in sorted(changing, key=lambda name: -different[0][name]):
        free = [name for name in changing if name != axis and name not in found]
        free = [name for name in free if not any(axis in relation.axes for relation in found.values())]
        pairs = [pair for pair in combinations(free, 2) if all(e[axis] == e[pair[0]] + e[pair[1]] for e in different)]
        apart = [(name, {e[axis] - e[name] for e in different}) for name in free] if len(different) > 2 else []
        if len(pairs) == 1 and len(different) > 1:
            found[axis] = Relation(pairs[0])
        elif one := next(((name, more) for name, more in apart if len(more) == 1), None):
            found[axis] = Relation((one[0],), one[1].pop())
    return found


def axis_sizes(model: Model, arguments: Arguments, axes: Axes) -> dict[str, int]:
    """The size of each axis in an input."""
    return {
        axis: value.shape[dim]
        for name, value in name_leaves(model, arguments)
        if isinstance(value, torch.Tensor)
        for dim, axis in axes.get(name, {}).items()
        if dim < value.dim()
    }


# --- a second input out of the first -------------------------------------------------------------------------------


def vary(tensor: torch.Tensor, dims: dict[int, str], extra: int = 1) -> torch.Tensor:
    """Other values of the same kind and range, and `extra` more in every dynamic dimension."""
    for dim in dims:
        index = torch.arange(tensor.shape[dim] + extra) % max(tensor.shape[dim], 1)
        tensor = tensor.index_select(dim, index)
    if tensor.numel() == 0:
        return tensor.clone()
    generator = torch.Generator().manual_seed(tensor.numel())
    flat = tensor.reshape(-1)
    mixed = flat[torch.randperm(flat.numel(), generator=generator)].reshape(tensor.shape)
    constant = bool((flat == flat[0]).all())
    if tensor.dtype is torch.bool:
        return ~tensor if constant else mixed
    if tensor.is_floating_point() or tensor.is_complex():
        noise = torch.randn(tensor.shape, generator=generator).to(tensor.dtype)
        return tensor + 0.5 * noise if constant else mixed * 0.9
    if constant:
        return tensor - 1 if int(flat[0]) > 0 else tensor + 1
    return mixed


def derive_second(model: Model, inputs: Inputs) -> None:
    """Make a second input out of the first, grown in the dynamic axes, that the model itself accepts."""
    refusal = ""
    for axes in [inputs.axes, {}] if inputs.axes else [{}]:
        candidate = varied(model, inputs.first, axes)
        try:
            call(model, candidate)
        except Exception as error:  # noqa: BLE001 - any refusal by the model's own code means: not this one
            refusal = refusal or f"the model itself fails on the derived second input: {type(error).__name__}: {error}"
            continue
        inputs.second = candidate
        return
    inputs.refused = refusal[:300]


def varied(model: Model, first: Arguments, axes: Axes) -> Arguments:
    """An input with other values, and one more of each size that `axes` names."""
    return rebuilt_by_name(
        model,
        first,
        lambda name, leaf: vary(leaf.detach(), axes.get(name, {})) if isinstance(leaf, torch.Tensor) else leaf,
    )


def rebuilt_by_name(model: Model, first: Arguments, change_leaf: Callable[[str, object], object]) -> Arguments:
    """A copy of an input with every leaf replaced, by its name."""
    names: Iterator[str] = iter([name for name, _ in name_leaves(model, first)])

    def change(value: object) -> object:
        return rebuilt(value, lambda leaf: change_leaf(next(names), leaf))

    args = tuple(change(value) for value in first.args)
    order = [p.name for p in parameters(model)]
    keys = sorted(first.kwargs, key=lambda k: order.index(k) if k in order else len(order))
    kwargs = {key: change(first.kwargs[key]) for key in keys}
    return Arguments(args, {key: kwargs[key] for key in first.kwargs})
