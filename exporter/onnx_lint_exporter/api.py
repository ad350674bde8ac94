"""The Python functions: export as ``torch.onnx.export`` does, with errors on lines; prove, search and show the result.

Everything here runs in the calling process. A crash of an engine is a crash of the process: where that matters, use
the command, which exports in a process of its own.
"""

from __future__ import annotations

import inspect
import io
import os
import sys
import tempfile
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Protocol, TypeAlias

import onnx
import torch

from onnx_lint.diagnostic import Diagnostic, Span
from onnx_lint.target import Engine
from onnx_lint_exporter import unused_options
from onnx_lint_exporter.locate import NO_OUTPUT_TENSOR, diagnose
from onnx_lint_exporter.log import LOGGER, step
from onnx_lint_exporter.muted_stdout import muted_stdout
from onnx_lint_exporter.outcome import Outcome
from onnx_lint_exporter.source_code import Sources
from onnx_lint_exporter.worker import frames, inputs, model_file
from onnx_lint_exporter.worker import verify as running
from onnx_lint_exporter.worker.engines import ENGINES
from onnx_lint_exporter.worker.engines.dynamo import LOST_DATA
from onnx_lint_exporter.worker.execution import Arguments, Model, reference
from onnx_lint_exporter.worker.frames import UserCode
from onnx_lint_exporter.worker.judging import all_random, judge
from onnx_lint_exporter.worker.protocol import Comparison, Frame, Kind, Observation, Result, Stack, Stage, State
from onnx_lint_exporter.worker.ties import tied_outputs


class Saveable(Protocol):
    """What an ``ONNXProgram`` is here."""

    model: object

    def save(self, path: str, /) -> None:
        """Write the model."""


Exported: TypeAlias = "str | os.PathLike[str] | bytes | io.BytesIO | onnx.ModelProto | Saveable"
"""An exported model in any form: path, bytes, file object, ``ModelProto``, ``ONNXProgram``."""


class ExportError(Exception):
    """An export that failed. `diagnostics` has each failure on its line; ``__cause__`` is torch's own exception.

    An instance is also an instance of the class of torch's exception, so that code written for that still works.
    """

    diagnostics: list[Diagnostic]
    """Sorted by place; at least one."""
    stage: str = "capture"
    """``capture`` or ``translate``."""


@dataclass(frozen=True)
class UnconvertibleOp:
    """An operator that an engine cannot convert, with every place where it is used."""

    operator: str
    """As torch names it: ``aten::special_airy_ai``."""
    reason: str
    places: tuple[Span, ...]


@dataclass(frozen=True)
class Verification:
    """How an exported model compares with the model itself, for each input.

    Tolerances by dtype stand in ``onnx_lint_exporter.worker.verify.TOLERANCES``: float32 1e-3 relative to the element
    or 1e-4 of the output's largest value; integers and booleans must be equal.
    """

    results: tuple[Comparison, ...]

    @property
    def ok(self) -> bool:
        """Right on every input."""
        return all(result.state is State.RIGHT for result in self.results)

    def __bool__(self) -> bool:
        return self.ok


def export(model: Model, args: Any = (), f: Any = None, **options: Any) -> Any:
    """Export a model: ``torch.onnx.export`` with its own arguments, defaults and result.

    `f` is a path, a file object or ``None``; a dict at the end of `args` holds keyword arguments of the model. Raises
    `ExportError`, which reports every failure on its line and is an instance of torch's own exception as well; what the
    model's code has no part in stands on the line that called. An ``OSError`` of the file to be written is raised as it
    is. Afterwards every submodule is in the mode, training or not, in which it was; torch itself puts all of them in
    that of the whole model.
    """
    with _modes_kept(model), step(f"export {type(model).__name__}"):
        try:
            program = torch.onnx.export(model, args, f, **options)
        except Exception as error:
            user = UserCode()
            if isinstance(error, OSError) and not any(user.owns(frame.file) for frame in of_traceback(error)):
                raise
            raise _export_error(error, model, args, options) from error
    for words in _without_effect(model, options, program):
        warnings.warn(words, UserWarning, stacklevel=2)
    return program


def _without_effect(model: Model, options: Mapping[str, object], program: object) -> Iterator[str]:
    """What was asked for, or registered, that the engine takes and does not use."""
    dynamo = _engine_of(model, options) is Engine.DYNAMO
    yield from unused_options.unused(options, dynamo)
    if dynamo:
        yield from unused_options.unused_names(options, program)
        if not options.get("custom_translation_table"):
            yield from unused_options.unused_registrations(program)


@contextmanager
def _modes_kept(model: Model) -> Iterator[None]:
    """Restore the mode of every submodule: those that were set apart from the rest, as frozen layers are, too."""
    plain = isinstance(model, torch.nn.Module) and not isinstance(model, torch.jit.ScriptModule)
    modes = [(module, module.training) for module in model.modules()] if plain else []
    try:
        yield
    finally:
        for module, training in modes:
            module.training = training


def of_traceback(error: BaseException) -> Stack:
    """The places of an exception's traceback, without this module's own."""
    return tuple(frame for frame in frames.of_traceback(error.__traceback__) if frame.file != __file__)


def _export_error(error: Exception, model: Model, args: object, options: Mapping[str, object]) -> ExportError:
    """The same exception with places; torch's class is kept beside ours."""
    engine = _engine_of(model, options)
    user = UserCode()
    stage, seen = ENGINES[engine.value]().explain(error, user, model, {})
    here = user.choose_live(sys._getframe(1))[:1]
    placed = [replace(item, stack=here) if _is_about_the_call(item) else item for item in seen]
    if _dict_was_taken(args, error):
        advice = "; torch takes a dict at the end of `args` as keyword arguments: put an empty one behind it, `(d, {})`"
        placed = [replace(item, message=item.message + advice) for item in placed]
    diagnostics = located(engine, stage, placed, model)
    made = _with_class_of(error)
    made.args = (_with_places(error, diagnostics), *error.args[1:])
    made.diagnostics, made.stage = diagnostics, stage.value
    return made


def _engine_of(model: Model, options: Mapping[str, object]) -> Engine:
    """The engine that a call with these options takes."""
    if isinstance(model, torch.export.ExportedProgram) or options.get("dynamo"):
        return Engine.DYNAMO
    return Engine.TORCHSCRIPT if "dynamo" in options else default_engine()


def _dict_was_taken(args: object, error: Exception) -> bool:
    """Whether an argument is missing since torch took the last one, a dict, for keyword arguments."""
    last = args[-1] if isinstance(args, tuple) and args else None
    return isinstance(last, dict) and bool(last) and "missing" in str(error) and "argument" in str(error)


def _is_about_the_call(item: Observation) -> bool:
    """Whether an error without a place is about the arguments of the call, not about what the model computes."""
    about_the_model = any(words in item.message for words in (*LOST_DATA, *NO_OUTPUT_TENSOR))
    return item.kind is Kind.CAPTURE_ERROR and not item.stack and not about_the_model


def _with_class_of(error: Exception) -> ExportError:
    kind = type(error)
    body = {"__module__": __name__, "__init__": Exception.__init__, "__str__": _first_argument}
    try:
        both: type[ExportError] = type("ExportError", (ExportError, kind), body)
        made = both.__new__(both)
    except TypeError:  # the two classes cannot be combined: a layout of its own, a required argument
        return ExportError()
    made.__dict__.update(vars(error))
    if isinstance(error, OSError):
        for name in ("errno", "strerror", "filename", "filename2"):
            setattr(made, name, getattr(error, name))
    return made


def _first_argument(error: BaseException) -> str:
    """The message, whatever torch's class makes of its arguments (a ``KeyError`` puts them in quotes)."""
    return str(error.args[0]) if error.args else ""


def _with_places(error: Exception, diagnostics: list[Diagnostic]) -> str:
    places = [f"{d.span.path}:{d.span.line}:{d.span.column}: {d.message}" for d in diagnostics]
    return "\n".join([*places, str(error)])


def located(engine: Engine, stage: Stage, seen: Sequence[Observation], model: Model) -> list[Diagnostic]:
    """Diagnostics from what the worker's code saw in this process."""
    code = getattr(getattr(type(model), "forward", None), "__code__", None)
    definition = Frame(code.co_filename, code.co_firstlineno) if code is not None else None
    failures = tuple(replace(item, failure=True, stage=stage) for item in seen)
    result = Result(engine.value, stage=stage, definition=definition, observations=failures)
    return diagnose(Outcome(engine, type(model).__name__, result), Sources(os.getcwd()))


def default_engine() -> Engine:
    """The engine that ``torch.onnx.export`` takes when none is named."""
    default = inspect.signature(torch.onnx.export).parameters["dynamo"].default
    return Engine.DYNAMO if default else Engine.TORCHSCRIPT


def as_arguments(args: object, kwargs: Mapping[str, object] | None) -> Arguments:
    """The arguments as torch reads them: a dict at the end of `args` holds keyword arguments."""
    if kwargs is not None:
        return Arguments(args if isinstance(args, tuple) else (args,), dict(kwargs))
    return inputs.as_arguments(args)


# --- proving ---------------------------------------------------------------------------------------------------------


@contextmanager
def on_disk(exported: Exported) -> Iterator[str]:
    """A path to an exported model, whatever form it has."""
    if isinstance(exported, (str, os.PathLike)):
        yield os.fspath(exported)
        return
    with tempfile.TemporaryDirectory(prefix="onnx-lint-") as folder:
        path = os.path.join(folder, "model.onnx")
        if isinstance(exported, onnx.ModelProto):
            onnx.save_model(exported, path)
        elif isinstance(exported, io.BytesIO):
            Path(path).write_bytes(exported.getvalue())
        elif isinstance(exported, (bytes, bytearray, memoryview)):
            Path(path).write_bytes(exported)
        else:
            exported.save(path)
        yield path


def verify(
    model: Model, exported: Exported, args: object, second: object = None, *, kwargs: Mapping[str, object] | None = None
) -> Verification:
    """Run an exported model in ONNX Runtime and compare it with the model itself, on `args` and on a second input.

    Without `second` one is made: the same shapes, other values. Raises what the ONNX checker raises when it refuses
    the model.
    """
    given = inputs.Inputs(as_arguments(args, kwargs), as_arguments(second, None) if second is not None else None)
    if given.second is None:
        inputs.derive_second(model, given)
    with on_disk(exported) as path, step(f"verify {type(model).__name__}"):
        read = model_file.read(path, UserCode())
        model_file.check(read)
        results = [_compared(model, read, which, given) for which in (given.first, given.second)]
        for number, result in enumerate(results, 1):
            LOGGER.info("input %d: %s: %s", number, result.state, result.text)
    return Verification(tuple(results))


def _compared(model: Model, read: model_file.ModelFile, which: Arguments | None, given: inputs.Inputs) -> Comparison:
    if which is None:
        return Comparison(State.NOT_RUN, given.refused or "no second input")
    ran = reference(model, which)
    if all_random(ran):
        return Comparison(State.NOT_RUN, "the model gives random results")
    named = inputs.name_leaves(model, inputs.with_defaults(model, which))
    try:
        arrays = running.feed(read, named, [v.name for v in read.inputs()])
        results = running.run(running.session(read.path), arrays)
    except running.NoRuntimeError as error:
        return Comparison(State.NOT_RUN, str(error))
    except running.RunError as error:
        return Comparison(State.FAILED, str(error))
    return judge(model, ran, results, lambda: tied_outputs(read, arrays))


def to_text(exported: Exported) -> str:
    """The readable form of an exported model, without the weights' values."""
    with on_disk(exported) as path:
        return model_file.text(model_file.read(path, UserCode()))


# --- operators -------------------------------------------------------------------------------------------------------


def unconvertible_ops(
    model: Model,
    args: object,
    opset_version: int | None = None,
    *,
    engine: Engine | str = Engine.TORCHSCRIPT,
    kwargs: Mapping[str, object] | None = None,
    **options: object,
) -> list[UnconvertibleOp]:
    """All operators that an engine cannot convert, each with all its places; empty when there are none.

    `options` are those of ``torch.onnx.export`` (``custom_opsets``, ``custom_translation_table`` …). Raises
    `ExportError` when the model cannot even be recorded.
    """
    user, given = UserCode(), as_arguments(args, kwargs)
    if opset_version is not None:
        options["opset_version"] = opset_version
    chosen = Engine(engine)
    with tempfile.TemporaryDirectory(prefix="onnx-lint-") as folder, muted_stdout():
        try:
            found = ENGINES[chosen.value]().unconvertible(model, given, options, user, folder)
        except Exception as error:
            raise _export_error(error, model, given.args, {"dynamo": chosen is Engine.DYNAMO}) from error
    grouped: dict[str, tuple[str, list[Span]]] = {}
    for item in found:
        places = [d.span for d in located(chosen, Stage.TRANSLATE, [item], model)] if item.stack else []
        grouped.setdefault(item.operator.split(".")[0], (item.message, []))[1].extend(places)
    return [UnconvertibleOp(name, reason, tuple(dict.fromkeys(places))) for name, (reason, places) in grouped.items()]
