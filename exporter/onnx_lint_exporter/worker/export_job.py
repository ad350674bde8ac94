"""One export with one engine, stage by stage: load, capture, translate, check, run, compare."""

from __future__ import annotations

import errno
import logging
import os
import re
from importlib.util import find_spec
from typing import Any

import torch

from . import dynamo, engine_options, input_sources, model_file, torchscript
from . import inputs as build_inputs
from .channel import Channel, clip
from .eager import Arguments, Reference, reference, watch
from .frames import of_traceback, source_of
from .guess import GuessError
from .load import Loaded, LoadError, load
from .observe import Observation, Warnings, observation
from .proof import Proof
from .telling import Telling

_NO_ROOM = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS}

_NAMED_OPERATOR = re.compile(r"aten::(?P<name>\w+)")


class ExportJob(Telling):
    """Runs a job: loads the model, exports it, says why that fails, and has the result proved."""

    def __init__(self, channel: Channel, job: dict[str, Any]) -> None:
        super().__init__(channel, job)
        self.guards = dynamo.Guards(self.user)
        self.warnings = Warnings(self.user)
        self.program: Any = None
        """The exported program, of the dynamo engine."""
        self.path = os.path.join(job["folder"], job["name"])
        self.loaded: Loaded
        self.inputs: build_inputs.Inputs
        self.first: Reference
        self.second: Reference | None = None

    # --- the stages --------------------------------------------------------------------------------------------------

    def run(self) -> None:
        """All stages. What the model's code raises becomes an observation; a full disk is nobody's fault."""
        logging.disable(logging.NOTSET)
        try:
            if self._load() and self._export():
                proof = Proof(self)
                proof.run()
                proof.finish()
        except OSError as error:
            if error.errno not in _NO_ROOM:
                raise
            self.channel.send("unwritable", folder=self.job["folder"], text=clip(error.strerror))
            return
        self.tell()
        self.channel.send("done")

    def _load(self) -> bool:
        job, cwd = self.job, os.getcwd()
        try:
            with self.stage("load"):
                if (job.get("dynamo") or {}).get("profile") and find_spec("pyinstrument") is None:
                    raise LoadError("--profile: torch profiles with pyinstrument: pip install pyinstrument beside it")
                self.loaded = load(job["target"], cwd, job.get("register") or [])
                self.user.claim(self.loaded.root)
                self.outcome["definition"] = {
                    "file": self.loaded.file,
                    "line": self.loaded.line,
                    "inside": self.loaded.inside,
                }
                self.outcome["root"] = self.loaded.root
                self.channel.send("loaded", definition=self.outcome["definition"])
                _set_mode(self.loaded.model, job.get("training") or "eval")
            with self.stage("eager"):
                self.inputs = input_sources.build(self.loaded.model, self.loaded.module, job, cwd)
                self._run_eagerly()
        except LoadError as error:
            self.see(observation("usage", clip(error), []), failure=True)
            self.outcome["usage"] = clip(error)
            self.tell()
            return False
        except GuessError as error:
            self.fail(error.__cause__ or error, "unknown-input")
            return False
        except BaseException as error:  # noqa: BLE001 - the user's module or model may raise anything
            self.fail(error, "load-error" if not hasattr(self, "loaded") else "eager-error")
            return False
        finally:
            os.chdir(cwd)
        return True

    def _run_eagerly(self) -> None:
        model, inputs = self.loaded.model, self.inputs
        self.outcome["inputs_origin"] = inputs.origin
        # it does run: from here on a long time is the model's own, not a hang
        self.first = reference(model, inputs.first, lambda: self.channel.send("stage", stage="reference"))
        if inputs.second is None:
            build_inputs.derive_second(model, inputs)
        if inputs.second is not None:
            try:
                self.second = reference(model, inputs.second)
            except Exception as error:  # noqa: BLE001 - the second input may be one that the model refuses
                inputs.refused = (
                    f"the model itself fails on the second input: {type(error).__name__}: {clip(error, 200)}"
                )
        self.outcome["arguments"] = [
            {"name": name, "kind": build_inputs.described(value), "second": build_inputs.described(other)}
            for (name, value), (_, other) in zip(
                inputs.named(model), inputs.named(model, inputs.second or inputs.first), strict=False
            )
        ]
        if not isinstance(model, (torch.jit.ScriptModule, torch.jit.ScriptFunction, torch.export.ExportedProgram)):
            self.calls, self.outcome["executed"] = watch(model, inputs.first, self.user)

    def _export(self) -> bool:
        job, model = self.job, self.loaded.model
        os.makedirs(job["folder"], exist_ok=True)
        scripted = isinstance(model, (torch.jit.ScriptModule, torch.jit.ScriptFunction))
        for engine, unfit, words in (
            (
                "torchscript",
                isinstance(model, torch.export.ExportedProgram),
                "an ExportedProgram can only be exported by the dynamo engine",
            ),
            ("dynamo", scripted, "scripted code can only be exported by the torchscript engine"),
        ):
            if self.engine == engine and unfit:
                self.outcome["stage"] = "capture"
                self.see(observation("wrong-engine", words, []), failure=True)
                return False
        try:
            with self.stage("capture"), self.warnings.collecting():
                if self.engine == "torchscript":
                    self._export_torchscript()
                else:
                    self._export_dynamo()
        except BaseException as error:
            if self.user.is_ours(of_traceback(error.__traceback__)[0]["file"]):
                raise
            if isinstance(error, OSError) and error.errno in _NO_ROOM:
                raise
            if not isinstance(error, Exception) or isinstance(error, (MemoryError, RecursionError)):
                self.fail(error, "capture-error")
                return False
            self._explain(error)
            return False
        self.outcome["exported"] = True
        self.tell()
        return True

    def given_first(self) -> Arguments:
        """The first input as this engine takes it: torchscript fills in the defaults and makes inputs of them."""
        first = self.inputs.first
        return build_inputs.with_defaults(self.loaded.model, first) if self.engine == "torchscript" else first

    def named(self, which: Arguments | None = None) -> list[tuple[str, Any]]:
        """The leaves of an input with their names, as this engine sees them."""
        given = which or self.inputs.first
        if self.engine == "torchscript":
            given = build_inputs.with_defaults(self.loaded.model, given)
        return self.inputs.named(self.loaded.model, given)

    def options(self) -> dict[str, Any]:
        """The keyword arguments of ``torch.onnx.export`` that the job asks for, for this engine."""
        if self.engine == "torchscript":
            return engine_options.for_torchscript(self.job, self.loaded, self.inputs, self.named())
        return engine_options.for_dynamo(self.job, self.loaded, self.inputs)

    def _export_torchscript(self) -> None:
        torchscript.export(self.loaded.model, self.given_first(), self.path, self.options())
        model_file.consolidate(self.path, self.job["data_name"], bool(self.job.get("external_data")))

    def _export_dynamo(self) -> None:
        job = self.job
        with self.guards.listening():
            given = Arguments() if isinstance(self.loaded.model, torch.export.ExportedProgram) else self.inputs.first
            program = dynamo.export(self.loaded.model, given, bool(job.get("strict")), self.options())
        self.program = program.exported_program
        size = sum(
            value.const_value.nbytes
            for value in program.model.graph.initializers.values()
            if value.const_value is not None
        )
        outside = bool(job.get("external_data")) or size > model_file.EXTERNAL_LIMIT
        flags = job.get("save") or {}
        program.save(self.path, external_data=outside, **flags)
        model_file.consolidate(self.path, job["data_name"], False)

    def _explain(self, error: Exception) -> None:
        if self.engine == "torchscript":
            stage, found = torchscript.explain(error, self.user, self.loaded.model)
            found = self._named_call(found)
        else:
            stage, found = dynamo.explain(error, self.user, self.guards)
            found = self._data_accesses(found)
        self.outcome["stage"] = stage
        self.see(*found, failure=True)
        self.see(*self.warnings.observations())
        self.tell()
        with self.stage("other failures"):
            try:
                more = self._other_failures(error, stage, found)
            except Exception as other:  # noqa: BLE001 - the search for more may fail as the export did; the failure is told
                self.outcome["search"] = f"{type(other).__name__}: {clip(other, 200)}"
                return
            self.outcome["stage"] = stage
            places = {_place(item) for item in self.outcome["observations"] if item["failure"]}
            self.see(*(item for item in more if _place(item) not in places), failure=True)

    def _named_call(self, found: list[Observation]) -> list[Observation]:
        """An error without a place that names an operator: at the call of it, when the model has one only."""
        named = _NAMED_OPERATOR.search(found[0]["message"])
        if found[0]["stack"] or named is None:
            return found
        frames = [frame for calls in self.calls.values() for name, frame in calls if name.strip("_") == named["name"]]
        return [{**found[0], "stack": frames, "operator": named[0]}] if len(frames) == 1 else found

    def _data_accesses(self, found: list[Observation]) -> list[Observation]:
        """An error about tensors that left the recording, without a place: at each ``.data`` that the model reads."""
        if found[0]["stack"] or not any(words in found[0]["message"] for words in dynamo.LOST_DATA):
            return found
        places = [
            frame
            for calls in self.calls.values()
            for name, frame in calls
            if name == "__get__" and source_of(frame).endswith(".data")
        ]
        return [{**found[0], "stack": [frame], "kind": "lost-data"} for frame in places] or found

    def _other_failures(self, error: Exception, stage: str, found: list[Observation]) -> list[Observation]:
        """What else fails: the engines stop at the first."""
        model, first = self.loaded.model, self.given_first()
        if self.engine == "torchscript":
            if stage != "translate":
                return []
            options = self.options()
            more = torchscript.unconvertible(model, first, self.job["folder"], options, self.user)
            return [
                item
                for item in more
                if item["operator"].split(".")[0] != found[0].get("operator", "").split(".")[0] or item["stack"]
            ]
        if stage == "translate":
            programs = dynamo.programs(error)
            program = programs.get("decomposed_program") or programs.get("exported_program")
            return dynamo.unconvertible(program, self.options(), self.user) if program is not None else []
        if any(item["kind"] in ("data-dependent", "static-size") for item in found):
            return dynamo.data_dependent_spots(model, first, self.options().get("dynamic_shapes"), self.user)
        return []


def _set_mode(model: Any, mode: str) -> None:
    if isinstance(model, torch.nn.Module) and mode != "preserve":
        model.train(mode == "train")


def _place(item: Observation) -> tuple[Any, ...]:
    stack = item["stack"]
    return (item.get("operator", "").split(".")[0], *((stack[0]["file"], stack[0]["line"]) if stack else ()))
