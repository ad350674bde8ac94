"""The Python functions: export as ``torch.onnx.export`` does, with errors on lines; prove, search and show the result.

Everything here runs in the calling process. A crash of an engine is a crash of the process: where that matters, use
the command, which exports in a process of its own.
"""

from __future__ import annotations

import io
import os
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import onnx
import torch

from onnx_lint.diagnostic import Diagnostic, Span
from onnx_lint.target import Engine
from onnx_lint_exporter.locate import NO_OUTPUT_TENSOR, diagnose
from onnx_lint_exporter.log import LOGGER, step
from onnx_lint_exporter.outcome import Outcome
from onnx_lint_exporter.silence import silent
from onnx_lint_exporter.source_code import Sources
from onnx_lint_exporter.worker import dynamo, frames, inputs, model_file, torchscript
from onnx_lint_exporter.worker import verify as running
from onnx_lint_exporter.worker.eager import Arguments, Reference, reference
from onnx_lint_exporter.worker.frames import UserCode, of_live


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

    Each entry is ``{state, text}`` and for a wrong one ``output`` and ``worst`` (``index``, ``got``, ``want``,
    ``wrong`` of ``of``); `state` is ``right``, ``wrong``, ``failed`` (ONNX Runtime stops) or ``not run``. Tolerances
    by dtype stand in ``onnx_lint_exporter.worker.verify.TOLERANCES``: float32 1e-3 relative to the element
    or 1e-4 of the output's largest value; integers and booleans must be equal.
    """

    results: tuple[dict[str, Any], ...]

    @property
    def ok(self) -> bool:
        """Right on every input."""
        return all(result["state"] == "right" for result in self.results)

    def __bool__(self) -> bool:
        return self.ok


def export(model: Any, args: Any = (), f: Any = None, **options: Any) -> Any:
    """Export a model: ``torch.onnx.export`` with its own arguments, defaults and result.

    `f` is a path, a file object or ``None``; a dict at the end of `args` holds keyword arguments of the model. Raises
    `ExportError`, which tells every failure on its line and is an instance of torch's own exception as well; what the
    model's code has no part in stands on the line that called. An ``OSError`` of the file to be written is raised as it
    is. Afterwards every submodule is in the mode, training or not, in which it was; torch itself puts all of them in
    that of the whole model.
    """
    with _modes_kept(model), step(f"export {type(model).__name__}"):
        try:
            return torch.onnx.export(model, args, f, **options)
        except Exception as error:
            user = UserCode()
            if isinstance(error, OSError) and not any(user.owns(place["file"]) for place in of_traceback(error)):
                raise
            raise _export_error(error, model, args, options) from error


@contextmanager
def _modes_kept(model: Any) -> Iterator[None]:
    """Restore the mode of every submodule: those that were set apart from the rest, as frozen layers are, too."""
    plain = isinstance(model, torch.nn.Module) and not isinstance(model, torch.jit.ScriptModule)
    modes = [(module, module.training) for module in model.modules()] if plain else []
    try:
        yield
    finally:
        for module, training in modes:
            module.training = training


def of_traceback(error: BaseException) -> list[dict[str, Any]]:
    """The places of an exception's traceback, without this module's own."""
    return [place for place in frames.of_traceback(error.__traceback__) if place["file"] != __file__]


def _export_error(error: Exception, model: Any, args: Any, options: Mapping[str, Any]) -> ExportError:
    """The same exception with places; torch's class is kept beside ours."""
    uses_dynamo = options.get("dynamo", default_engine() is Engine.DYNAMO) or isinstance(
        model, torch.export.ExportedProgram
    )
    engine = Engine.DYNAMO if uses_dynamo else Engine.TORCHSCRIPT
    user = UserCode()
    stage, seen = dynamo.explain(error, user) if uses_dynamo else torchscript.explain(error, user, model)
    for item in seen:
        if item["kind"] == "capture-error" and not item["stack"] and not _speaks_of_the_model(item["message"]):
            item["stack"] = of_live(sys._getframe(1), user)[:1]
    diagnostics = located(engine, stage, seen, model)
    made = _with_class_of(error)
    made.args = (_told(error, diagnostics), *error.args[1:])
    made.diagnostics, made.stage = diagnostics, stage
    return made


def _speaks_of_the_model(message: str) -> bool:
    """Whether an error without a place is about what the model computes, not about the arguments of the call."""
    return any(words in message for words in (*dynamo.LOST_DATA, *NO_OUTPUT_TENSOR))


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
    """What is told, whatever torch's class makes of its arguments (a ``KeyError`` puts them in quotes)."""
    return str(error.args[0]) if error.args else ""


def _told(error: Exception, diagnostics: list[Diagnostic]) -> str:
    places = [f"{d.span.path}:{d.span.line}:{d.span.column}: {d.message}" for d in diagnostics]
    return "\n".join([*places, str(error)])


def located(engine: Engine, stage: str, seen: list[dict[str, Any]], model: Any) -> list[Diagnostic]:
    """Diagnostics from what the worker's code saw in this process."""
    for item in seen:
        item.update(failure=True, stage=stage)
    outcome = Outcome(engine, type(model).__name__, stage=stage, observations=seen)
    code = getattr(getattr(type(model), "forward", None), "__code__", None)
    if code is not None:
        outcome.facts["definition"] = {"file": code.co_filename, "line": code.co_firstlineno}
    return diagnose(outcome, Sources(os.getcwd()))


def default_engine() -> Engine:
    """The engine that ``torch.onnx.export`` takes when it is not told."""
    import inspect

    default = inspect.signature(torch.onnx.export).parameters["dynamo"].default
    return Engine.DYNAMO if default else Engine.TORCHSCRIPT


def as_arguments(args: Any, kwargs: Mapping[str, Any] | None) -> Arguments:
    """The arguments as torch reads them: a dict at the end of `args` holds keyword arguments."""
    if kwargs is not None:
        return Arguments(args if isinstance(args, tuple) else (args,), dict(kwargs))
    return inputs.as_arguments(args)


# --- proving ---------------------------------------------------------------------------------------------------------


@contextmanager
def on_disk(exported: Any) -> Iterator[str]:
    """A path to an exported model, whatever form it has: path, bytes, file object, ``ModelProto``, ``ONNXProgram``."""
    if isinstance(exported, (str, os.PathLike)):
        yield os.fspath(exported)
        return
    with tempfile.TemporaryDirectory(prefix="onnx-lint-") as folder:
        path = os.path.join(folder, "model.onnx")
        if isinstance(exported, onnx.ModelProto):
            onnx.save_model(exported, path)
        elif hasattr(exported, "save") and hasattr(exported, "model"):
            exported.save(path)
        else:
            data = exported.getvalue() if isinstance(exported, io.BytesIO) else bytes(exported)
            Path(path).write_bytes(data)
        yield path


def verify(
    model: Any, exported: Any, args: Any, second: Any = None, *, kwargs: Mapping[str, Any] | None = None
) -> Verification:
    """Run an exported model in ONNX Runtime and compare it with the model itself, on `args` and on a second input.

    Without `second` one is made: the same shapes, other values. `exported` is a path, bytes, a ``BytesIO``, a
    ``ModelProto`` or an ``ONNXProgram``. Raises what the ONNX checker raises when it refuses the model.
    """
    given = inputs.Inputs(as_arguments(args, kwargs), as_arguments(second, None) if second is not None else None)
    if given.second is None:
        inputs.derive_second(model, given)
    with on_disk(exported) as path, step(f"verify {type(model).__name__}"):
        read = model_file.read(path, UserCode())
        model_file.check(read)
        results = [_one(model, read, which, given) for which in (given.first, given.second)]
        for number, result in enumerate(results, 1):
            LOGGER.info("input %d: %s: %s", number, result["state"], result["text"])
    return Verification(tuple(results))


def _one(model: Any, read: model_file.ModelFile, which: Arguments | None, given: inputs.Inputs) -> dict[str, Any]:
    if which is None:
        return {"state": "not run", "text": given.refused or "no second input"}
    ran: Reference = reference(model, which)
    if ran.random:
        return {"state": "not run", "text": "the model gives random results"}
    named = inputs.name_leaves(model, inputs.with_defaults(model, which))
    try:
        results = running.run(running.session(read.path), running.feed(read, named, [v.name for v in read.inputs()]))
    except running.NoRuntimeError as error:
        return {"state": "not run", "text": str(error)}
    except running.RunError as error:
        return {"state": "failed", "text": str(error)}
    return running.compare(results, ran.outputs)


def to_text(exported: Any) -> str:
    """The readable form of an exported model, without the weights' values."""
    with on_disk(exported) as path:
        return model_file.text(model_file.read(path, UserCode()))


# --- operators -------------------------------------------------------------------------------------------------------


def unconvertible_ops(
    model: Any,
    args: Any,
    opset_version: int | None = None,
    *,
    engine: Engine | str = Engine.TORCHSCRIPT,
    kwargs: Mapping[str, Any] | None = None,
    **options: Any,
) -> list[UnconvertibleOp]:
    """All operators that an engine cannot convert, each with all its places; empty when there are none.

    `options` are those of ``torch.onnx.export`` (``custom_opsets``, ``custom_translation_table`` …). Raises
    `ExportError` when the model cannot even be recorded.
    """
    user, given = UserCode(), as_arguments(args, kwargs)
    if opset_version is not None:
        options["opset_version"] = opset_version
    chosen = Engine(engine)
    search = _unconvertible_torchscript if chosen is Engine.TORCHSCRIPT else _unconvertible_dynamo
    grouped: dict[str, tuple[str, list[Span]]] = {}
    sources = Sources(os.getcwd())
    for item in search(model, given, options, user):
        outcome = Outcome(chosen, type(model).__name__, observations=[{**item, "failure": True, "stage": "translate"}])
        places = [d.span for d in diagnose(outcome, sources)] if item["stack"] else []
        grouped.setdefault(item["operator"].split(".")[0], (item["message"], []))[1].extend(places)
    return [UnconvertibleOp(name, reason, tuple(dict.fromkeys(places))) for name, (reason, places) in grouped.items()]


def _unconvertible_torchscript(
    model: Any, given: Arguments, options: dict[str, Any], user: UserCode
) -> list[dict[str, Any]]:
    with tempfile.TemporaryDirectory(prefix="onnx-lint-") as folder, silent():
        try:
            return torchscript.unconvertible(model, inputs.with_defaults(model, given), folder, options, user)
        except Exception as error:
            raise _export_error(error, model, given.args, {"dynamo": False}) from error


def _unconvertible_dynamo(
    model: Any, given: Arguments, options: dict[str, Any], user: UserCode
) -> list[dict[str, Any]]:
    with silent():
        try:
            dynamo.export(model, given, False, options)
        except Exception as error:
            programs = dynamo.programs(error)
            program = programs.get("decomposed_program") or programs.get("exported_program")
            if program is None:
                raise _export_error(error, model, given.args, {"dynamo": True}) from error
            return dynamo.unconvertible(program, options, user)
    return []
