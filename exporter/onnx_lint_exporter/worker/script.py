"""Run a script of the user's, and take one of its calls of ``torch.onnx.export`` for the target.

Every call does what it would do without us: files are written where the script writes them. Only the call that is
wanted is remembered, with copies of its model and arguments, since the script may go on to change both.
"""

from __future__ import annotations

import copy
import inspect
import os
import sys
import types
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

import torch

from . import trees
from .execution import Arguments, Model, duplicate
from .frames import UserCode
from .inputs import Axes, as_arguments, name_leaves, parameters
from .protocol import Frame, Job

_NOT_TAKEN = {"model", "args", "f", "kwargs", "dynamo", "verbose", "report", "verify", "profile"} | {
    "artifacts_dir",
    "fallback",
    "dump_exported_program",
}
"""Parameters of ``torch.onnx.export`` that are not passed on to the engine as they are."""


class ScriptError(Exception):
    """The script cannot serve as a target; the message says why."""


class _Enough(BaseException):
    """Ends the script once the call that is wanted has come: what it did afterwards it did in an earlier run."""


@dataclass
class Call:
    """One call of ``torch.onnx.export``."""

    model: Model
    arguments: Arguments
    options: dict[str, object]
    dynamo: bool
    place: Frame | None


@dataclass
class Calls:
    """What a script did: the call that was wanted, and how many there were."""

    wanted: int
    to_the_end: bool
    count: int = 0
    call: Call | None = None
    user: UserCode = field(default_factory=UserCode)


def run(path: str, arguments: Sequence[str], wanted: int, user: UserCode) -> Calls:
    """Run a script as ``python path arguments`` does, and remember the call with a number, counted from 0.

    The script runs to its end for the first call only. An exception of its own counts as its end once the call was
    made; before that it is raised. Raises `ScriptError` when there is no such call.
    """
    calls = Calls(wanted, to_the_end=wanted == 0, user=user)
    try:
        with _listening(calls):
            execute(path, arguments)
    except _Enough:
        pass
    except (Exception, SystemExit):
        if calls.call is None:
            raise
    if calls.call is None:
        made = f"only {calls.count}" if calls.count else "no"
        raise ScriptError(f"{path}: the script made {made} call of torch.onnx.export")
    return calls


def execute(path: str, arguments: Sequence[str]) -> None:
    """Run a script in this process as ``python path arguments`` does; raises what it raises."""
    module = types.ModuleType("__main__")
    module.__file__ = path
    with open(path, "rb") as file:
        code = compile(file.read(), path, "exec", dont_inherit=True)
    sys.argv[:] = [path, *arguments]
    sys.path.insert(0, os.path.dirname(path))
    sys.modules["__main__"] = module  # for good: what the model's code pickles or looks up there must be found
    exec(code, module.__dict__)


@contextmanager
def _listening(calls: Calls) -> Iterator[None]:
    original: Callable[..., object] = torch.onnx.export

    def export(*given: object, **options: object) -> object:
        number = calls.count
        calls.count += 1
        if number == calls.wanted:
            calls.call = _call(original, given, options, calls.user)
            if not calls.to_the_end:
                raise _Enough
        return original(*given, **options)

    module: types.ModuleType = torch.onnx
    vars(module)["export"] = export
    try:
        yield
    finally:
        vars(module)["export"] = original


def _call(
    original: Callable[..., object], given: tuple[object, ...], options: Mapping[str, object], user: UserCode
) -> Call:
    signature = inspect.signature(original)
    bound = signature.bind_partial(*given, **options).arguments
    named = {name: value for name, value in bound.items() if name != "deprecated_kwargs"}
    model = named.get("model")
    kwargs = named.get("kwargs")
    args = named.get("args", ())
    arguments = as_arguments(args)
    if kwargs is not None:
        assert isinstance(kwargs, Mapping)
        arguments = Arguments(args if isinstance(args, tuple) else (args,), dict(kwargs))
    default = signature.parameters["dynamo"].default if "dynamo" in signature.parameters else False
    dynamo = bool(named.get("dynamo", default)) or isinstance(model, torch.export.ExportedProgram)
    stack = user.choose_live(sys._getframe(2))
    kept = {name: value for name, value in named.items() if name not in _NOT_TAKEN and value is not None}
    return Call(_copied(model), duplicate_arguments(arguments), kept, dynamo, stack[0] if stack else None)


def duplicate_arguments(arguments: Arguments) -> Arguments:
    """Copies of all tensors, as they are now."""
    return Arguments(duplicate(arguments.args), duplicate(arguments.kwargs))


def _copied(model: Model) -> Model:
    if not isinstance(model, torch.nn.Module) or isinstance(model, torch.jit.ScriptModule):
        return model
    try:
        return copy.deepcopy(model)
    except Exception:  # noqa: BLE001 - a model may hold what cannot be copied; then it serves as it is in the end
        return model


def axes_of(call: Call) -> Axes:
    """The dynamic axes of a call, under the names that the parameters of ``forward`` give to its inputs."""
    named = name_leaves(call.model, call.arguments)
    names = call.options.get("input_names")
    given = list(names) if isinstance(names, (list, tuple)) else []
    own: dict[str | None, str] = {str(new): name for new, (name, _) in zip(given, named, strict=False)}
    axes: Axes = {}
    dynamic = call.options.get("dynamic_axes")
    for name, dims in dynamic.items() if isinstance(dynamic, Mapping) else ():
        pairs = dims.items() if isinstance(dims, Mapping) else [(dim, f"{name}_{dim}") for dim in dims]
        axes[own.get(name, str(name))] = {int(dim): str(axis) for dim, axis in pairs}
    shapes = call.options.get("dynamic_shapes")
    order = [p.name for p in parameters(call.model)]
    if isinstance(shapes, (tuple, list)):
        shapes = dict(zip(order, shapes, strict=False))
    if isinstance(shapes, Mapping):
        values = {**dict(zip(order, call.arguments.args, strict=False)), **call.arguments.kwargs}
        for name, dims in shapes.items():
            axes.update(_of_shapes(str(name), dims, values.get(str(name))))
    known = {name for name, _ in named}
    return {name: dims for name, dims in axes.items() if name in known and dims}


def _of_shapes(name: str, dims: object, value: object) -> Axes:
    """The axes in one entry of ``dynamic_shapes``, which is nested as the argument is; of a registered class it is the
    list of its parts."""
    if isinstance(value, torch.Tensor):
        pairs = (
            dims.items() if isinstance(dims, Mapping) else enumerate(dims) if isinstance(dims, (tuple, list)) else ()
        )
        return {name: {dim: _axis(axis, name, dim) for dim, axis in pairs if _is_dynamic(axis)}}
    if isinstance(value, Mapping):
        given = dims if isinstance(dims, Mapping) else {}
        each = [_of_shapes(f"{name}_{key}", given.get(key), item) for key, item in value.items()]
        return {key: axes for found in each for key, axes in found.items()}
    if isinstance(value, (tuple, list)):
        parts = [(str(key), item) for key, item in enumerate(value)]
    else:
        parts = trees.parts(value) if trees.is_node(value) else []
    inner = dims.values() if isinstance(dims, Mapping) else dims if isinstance(dims, (tuple, list)) else ()
    each = [_of_shapes(f"{name}_{key}", part, item) for (key, item), part in zip(parts, inner, strict=False)]
    return {key: axes for found in each for key, axes in found.items()}


def _is_dynamic(axis: object) -> bool:
    return axis is not None and not isinstance(axis, int) and "STATIC" not in str(axis)


def _axis(axis: object, name: str, dim: int) -> str:
    return axis if isinstance(axis, str) else str(getattr(axis, "__name__", None) or f"{name}_{dim}")


def as_job(job: Job, call: Call, engine: str) -> Job:
    """The job that exports as the call does: its options are in force where they are the engine's own."""
    options = call.options
    opset = options.get("opset_version")
    names = options.get("input_names"), options.get("output_names")
    given = [tuple(map(str, each)) if isinstance(each, (list, tuple)) else () for each in names]
    return replace(
        job,
        engine=engine,
        input_names=given[0],
        output_names=given[1],
        opset_version=opset if isinstance(opset, int) else job.opset_version,
    )
