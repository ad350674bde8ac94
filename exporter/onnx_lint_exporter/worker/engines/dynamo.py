"""The dynamo engine: ``torch.onnx.export(dynamo=True)``."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import ClassVar

import torch
from torch.export import ExportedProgram

from ..alignment import fault_of
from ..execution import Arguments, Leaf, Model, callable_of
from ..frames import UserCode, source_of
from ..inputs import Axes, Inputs, parameters
from ..model_file import EXTERNAL_LIMIT, consolidate
from ..protocol import Fault, Frame, Job, Kind, Observation, Stack, Stage
from . import dynamo_errors
from .dynamo_capture import Guards, axes_of_shapes, dynamic_shapes, integer_keys, only_strategy, whole_stacks
from .engine import Calls, Options, Range, Session
from .options import accepted, shared

LOST_DATA = ("fake tensor in the exported program", "lifted constant", "FakeTensor")
"""Words of errors about tensors that left the recording, as those read from ``.data`` do; torch names no line."""
_STRICTLY_RETRIED = (Kind.CAPTURE_ERROR, Kind.DATA_DEPENDENT, Kind.STATIC_SIZE, Kind.LOST_DATA)


class Dynamo:
    """Captures the model with ``torch.export``, and translates the decomposed program."""

    name: ClassVar[str] = "dynamo"
    requires: ClassVar[tuple[str, ...]] = ("onnxscript",)

    def __init__(self) -> None:
        self._guards: Guards | None = None
        self._program: ExportedProgram | None = None

    def refusal(self, model: Model) -> str:
        if isinstance(model, (torch.jit.ScriptModule, torch.jit.ScriptFunction)):
            return "scripted code can only be exported by the torchscript engine"
        return ""

    def complete(self, model: Model, arguments: Arguments) -> Arguments:
        return arguments

    def asked_axes(self, job: Job) -> Axes:
        return axes_of_shapes(job.dynamic_shapes)

    def options(self, session: Session) -> Options:
        job, loaded, inputs = session.job, session.loaded, session.inputs
        options: Options = {**shared(job), "optimize": job.optimize and not job.weights_left_out}
        if job.artifacts_dir:
            options.update(artifacts_dir=job.artifacts_dir, report=True, dump_exported_program=True)
            options["profile"] = job.profile
        if job.input_names:
            options["input_names"] = list(job.input_names)
        if loaded.translations:
            options["custom_translation_table"] = loaded.translations
        shapes = job.dynamic_shapes or dynamic_shapes(inputs.first, inputs.axes, parameters(loaded.model))
        if shapes and not isinstance(loaded.model, ExportedProgram):
            options["dynamic_shapes"] = integer_keys(shapes)
        if "dynamic_axes" in loaded.options or "dynamic_shapes" in loaded.options:
            options.pop("dynamic_shapes", None)
        return {**options, **loaded.options}

    def export(self, session: Session, path: str) -> None:
        job, model = session.job, session.loaded.model
        self._guards = Guards(session.user)
        given = Arguments() if isinstance(model, ExportedProgram) else session.inputs.first
        with self._guards.listening(), whole_stacks(session.user):
            program = _export(model, given, job.strict, self.options(session))
        self._program = program.exported_program
        constants = (value.const_value for value in program.model.graph.initializers.values())
        size = sum(constant.nbytes for constant in constants if constant is not None)
        program.save(
            path,
            external_data=job.external_data or size > EXTERNAL_LIMIT,
            include_initializers=not job.weights_left_out,
            keep_initializers_as_inputs=job.keep_initializers_as_inputs or job.weights_left_out,
        )
        consolidate(path, job.data_name, False)

    def export_to(self, model: Model, arguments: Arguments, path: str, options: Options) -> None:
        program = _export(model, arguments, False, options)
        program.save(path)
        self._program = program.exported_program

    def explain(
        self, error: BaseException, user: UserCode, model: Model, calls: Calls
    ) -> tuple[Stage, list[Observation]]:
        stage, found = dynamo_errors.explain(error, user, self._guards or Guards(user))
        return stage, _at_data_reads(found, calls)

    def other_failures(
        self, session: Session, error: Exception, stage: Stage, found: list[Observation]
    ) -> list[Observation]:
        options = self.options(session)
        if stage is Stage.TRANSLATE:
            program = dynamo_errors.program_of(error)
            return [] if program is None else dynamo_errors.unconvertible(program, options, session.user)
        if any(item.kind in (Kind.DATA_DEPENDENT, Kind.STATIC_SIZE) for item in found):
            model, first, shapes = session.loaded.model, session.inputs.first, options.get("dynamic_shapes")
            return dynamo_errors.data_dependent_spots(model, first, shapes, session.user)
        return []

    def unconvertible(
        self, model: Model, arguments: Arguments, options: Options, user: UserCode, folder: str
    ) -> list[Observation]:
        try:
            with whole_stacks(user):
                _export(model, arguments, False, options)
        except Exception as error:
            program = dynamo_errors.program_of(error)
            if program is None:
                raise
            return dynamo_errors.unconvertible(program, options, user)
        return []

    def retries_strictly(self, job: Job, stage: Stage, found: list[Observation]) -> bool:
        captured = stage is Stage.CAPTURE and any(item.kind in _STRICTLY_RETRIED for item in found)
        return captured and not job.strict

    def freezes(self, value: object) -> bool:
        return isinstance(value, (str, bool, int, float))

    def ranges(self, inputs: Inputs) -> list[Range]:
        found: list[Range] = []
        constraints = self._program.range_constraints if self._program is not None else {}
        for symbol, bounds in constraints.items():
            lowest, highest = str(bounds.lower), str(bounds.upper)
            low = int(lowest) if lowest.lstrip("-").isdigit() else 0
            high = int(highest) if highest.isdigit() and not highest.startswith("92233720") else None
            place = _dimension_of(self._program, str(symbol))
            if place is None or (high is None and low <= 2) or low == high:
                continue  # a size that the model makes itself holds no input back
            name, dim = place
            axis = inputs.axes.get(name, {}).get(dim, "")
            found.append(Range(name, dim, axis, low, high, self._guard_on(str(symbol))))
        return found

    def decided_at(self) -> set[tuple[str, int]]:
        guards = self._guards.found if self._guards is not None else []
        return {(stack[0].file, stack[0].line) for _, stack in guards if stack}

    def fixing_line(self) -> Stack:
        return self._guard_on("")

    def _guard_on(self, symbol: str) -> Stack:
        guards = self._guards.found if self._guards is not None else []
        return next((stack for expression, stack in guards if symbol in expression), ())

    def frozen(self, session: Session, second: Arguments) -> list[Observation]:
        return []

    def fault(self, model: Model, first: Arguments, given: Arguments, outputs: list[Leaf]) -> Fault:
        """Run the exported program on the input: right means that the converter is wrong."""
        if self._program is None:
            return Fault.UNKNOWN
        program, copied = callable_of(self._program), given.copy()
        return fault_of(lambda: program(*copied.args, **copied.kwargs), outputs)

    def changed_size(self, model: Model, first: Arguments, used: Frame, user: UserCode) -> Stack:
        return ()

    def translations_at(self, options: Options, place: Frame, user: UserCode) -> Mapping[object, object]:
        table = options.get("custom_translation_table")
        if self._program is None or not isinstance(table, Mapping):
            return {}
        stacks = ((node.target, dynamo_errors.node_stack(node, user)) for node in self._program.graph.nodes)
        here = {
            target for target, stack in stacks if stack and (stack[0].file, stack[0].line) == (place.file, place.line)
        }
        return {target: function for target, function in table.items() if target in here}

    def symbolics_of(self, function: Callable[..., object], given: Arguments, opset: int) -> Mapping[str, object]:
        return {}


def _export(model: Model, arguments: Arguments, strict: bool, options: Options) -> torch.onnx.ONNXProgram:
    """Export in memory, with one capture strategy only."""
    given = arguments.copy()
    wanted: Options = {"dynamo": True, "verbose": True, "kwargs": given.kwargs, **options}
    args = given.args
    if args and isinstance(args[-1], dict) and not given.kwargs:
        args = (*args, {})  # else the dict would be taken for the keyword arguments
    export: Callable[..., torch.onnx.ONNXProgram | None] = torch.onnx.export
    with only_strategy(strict):
        program = export(model, args, **accepted(wanted))
    assert program is not None  # with dynamo=True it gives one
    return program


def _at_data_reads(found: list[Observation], calls: Calls) -> list[Observation]:
    """An error about tensors that left the recording, without a place: at each ``.data`` that the model reads."""
    first = found[0]
    if first.stack or not any(words in first.message for words in LOST_DATA):
        return found
    places = [
        frame
        for known in calls.values()
        for name, frame in known
        if name == "__get__" and source_of(frame).endswith(".data")
    ]
    return [replace(first, stack=(frame,), kind=Kind.LOST_DATA) for frame in places] or found


def _dimension_of(program: ExportedProgram | None, symbol: str) -> tuple[str, int] | None:
    """The input and its dimension that a symbol is the size of; ``None`` for the size of no input."""
    for node in program.graph.nodes if program is not None else ():
        value = node.meta.get("val") if node.op == "placeholder" else None
        for dim, size in enumerate(getattr(value, "shape", ())):
            if str(size) == symbol:
                return str(node.name), dim
    return None
