"""One export with one engine, stage by stage: load, capture, translate, check, run, compare."""

from __future__ import annotations

import logging
import os
import platform
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch

from . import dynamo, hazards, mismatch, model_file, torchscript, twin, verify
from . import inputs as build_inputs
from .channel import Channel, clip
from .eager import Arguments, Reference, callable_of, reference, watch
from .frames import Frame, UserCode, of_live, of_traceback, source_of, with_columns
from .load import Loaded, LoadError, load
from .observe import Observation, Warnings, observation

_MEMORY_WORDS = ("can't allocate memory", "DefaultCPUAllocator", "out of memory", "std::bad_alloc")


class ExportJob:
    """Runs a job and keeps the outcome, which is told after each stage, so that a later crash loses nothing."""

    def __init__(self, channel: Channel, job: dict[str, Any]) -> None:
        self.channel = channel
        self.job = job
        self.engine: str = job["engine"]
        self.user = UserCode()
        self.user.claim(os.path.abspath(job["target"]["file"]) if job["target"].get("file") else os.devnull)
        self.guards = dynamo.Guards(self.user)
        self.warnings = Warnings(self.user)
        self.calls: dict[tuple[str, int], list[tuple[str, Frame]]] = {}
        self.program: Any = None
        self.loaded: Loaded
        self.inputs: build_inputs.Inputs
        self.outcome: dict[str, Any] = {
            "engine": self.engine,
            "torch": torch.__version__,
            "python": platform.python_version(),
            "strict": bool(job.get("strict")),
            "stage": "load",
            "exported": False,
            "input1": {"state": "not run", "text": ""},
            "input2": {"state": "not run", "text": ""},
            "observations": [],
            "seconds": {},
        }

    # --- telling -----------------------------------------------------------------------------------------------------

    def live_stack(self) -> list[Frame]:
        return of_live(sys._getframe(1), self.user)

    def tell(self) -> None:
        self.channel.send("outcome", outcome=self.outcome)

    def see(self, *seen: Observation, failure: bool = False) -> None:
        """Keep observations; the same thing at the same place is kept once."""
        known = {_identity(item) for item in self.outcome["observations"]}
        for item in seen:
            item["stack"] = with_columns(item["stack"], self.calls, item.get("operator", ""))
            item["failure"] = failure
            item["stage"] = self.outcome["stage"]
            if _identity(item) not in known:
                known.add(_identity(item))
                self.outcome["observations"].append(item)

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        if not self.channel.is_owner:
            self.channel.leave()
        if name in ("load", "capture", "translate", "check", "run", "compare"):
            self.outcome["stage"] = name
        self.channel.send("stage", stage=name)
        start = time.monotonic()
        try:
            yield
        finally:
            seconds = self.outcome["seconds"]
            seconds[name] = round(seconds.get(name, 0.0) + time.monotonic() - start, 3)

    def fail(self, error: BaseException, kind: str) -> None:
        """Note a failure of the user's own code, at its innermost line."""
        stack = of_traceback(error.__traceback__)
        syntax = isinstance(error, SyntaxError) and error.filename and error.lineno
        if syntax and isinstance(error, SyntaxError):
            stack = [{"file": error.filename, "line": error.lineno, "function": ""}]
        if isinstance(error, MemoryError) or any(word in clip(error) for word in _MEMORY_WORDS):
            kind = "out-of-memory"
        if isinstance(error, SystemExit):
            text = f"the code ended the process (SystemExit: {clip(error, 80)})"
        else:
            text = f"{type(error).__name__}: {torchscript.shorten(clip(error))}"
        self.see(observation(kind, text, self.user.choose(stack), error=type(error).__name__), failure=True)
        self.tell()

    # --- the stages --------------------------------------------------------------------------------------------------

    def run(self) -> None:
        """All stages. What the model's code raises becomes an observation."""
        logging.disable(logging.NOTSET)
        if self._load() and self._export():
            self._check()
            self._finish()
        self.tell()
        self.channel.send("done")

    def _load(self) -> bool:
        job, cwd = self.job, os.getcwd()
        try:
            with self.stage("load"):
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
                self.inputs = build_inputs.build(self.loaded.model, self.loaded.module, job, cwd)
                self._run_eagerly()
        except LoadError as error:
            self.see(observation("usage", clip(error), []), failure=True)
            self.outcome["usage"] = clip(error)
            self.tell()
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
        self.first: Reference = reference(model, inputs.first)
        if inputs.second is None:
            build_inputs.derive_second(model, inputs)
        self.second: Reference | None = None
        if inputs.second is not None:
            try:
                self.second = reference(model, inputs.second)
            except Exception as error:  # noqa: BLE001 - the second input may be one that the model refuses
                inputs.refused = (
                    f"the model itself fails on the second input: {type(error).__name__}: {clip(error, 200)}"
                )
        self.outcome["arguments"] = [
            {"name": name, "kind": _kind(value), "second": _kind(other)}
            for (name, value), (_, other) in zip(
                inputs.named(model), inputs.named(model, inputs.second or inputs.first), strict=False
            )
        ]
        if not isinstance(model, (torch.jit.ScriptModule, torch.jit.ScriptFunction, torch.export.ExportedProgram)):
            self.calls, self.outcome["executed"] = watch(model, inputs.first, self.user)

    def _export(self) -> bool:
        job, model = self.job, self.loaded.model
        os.makedirs(job["folder"], exist_ok=True)
        self.path = os.path.join(job["folder"], job["name"])
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
        job, shared = self.job, {}
        for key in ("opset_version", "output_names"):
            if job.get(key):
                shared[key] = job[key]
        if self.engine == "torchscript":
            named = self.named()
            names = job.get("input_names") or torchscript.graph_names(named)
            options = {**shared, "input_names": names or None, **(job.get("torchscript") or {})}
            table = dict(zip(torchscript.graph_names(named), names, strict=False))
            axes = {
                table.get(name, name): dims for name, dims in {**self.inputs.axes, **self.inputs.output_axes}.items()
            }
            options["dynamic_axes"] = axes or None
            options["training"] = {
                "eval": torch.onnx.TrainingMode.EVAL,
                "preserve": torch.onnx.TrainingMode.PRESERVE,
                "train": torch.onnx.TrainingMode.TRAINING,
            }[job.get("training") or "eval"]
            if self.loaded.opsets or job.get("custom_opsets"):
                options["custom_opsets"] = {**self.loaded.opsets, **(job.get("custom_opsets") or {})}
            return options
        options = {**shared, **(job.get("dynamo") or {})}
        if job.get("input_names"):
            options["input_names"] = job["input_names"]
        if self.loaded.translations:
            options["custom_translation_table"] = self.loaded.translations
        shapes = job.get("dynamic_shapes") or dynamo.dynamic_shapes(
            self.loaded.model, self.inputs.first, self.inputs.axes, build_inputs.parameters(self.loaded.model)
        )
        if shapes and not isinstance(self.loaded.model, torch.export.ExportedProgram):
            options["dynamic_shapes"] = _integer_keys(shapes)
        return options

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

    def _check(self) -> None:
        outcome = self.outcome
        with self.stage("check"):
            self.exported = model_file.read(self.path, self.user)
            outcome.update(
                nodes=self.exported.nodes,
                opset=self.exported.opset,
                size=self.exported.size,
                inputs=model_file.described(self.exported.inputs()),
                outputs=model_file.described(self.exported.proto.graph.output),
                operators=_count(self.exported),
                files={"model": self.path, "data": self.exported.locations},
            )
            try:
                model_file.check(self.exported)
            except Exception as error:  # noqa: BLE001 - the checker raises several kinds
                outcome["checked"] = False
                self.see(observation("check-error", torchscript.shorten(clip(error)), []), failure=True)
                self.tell()
                return
            outcome["checked"] = True
        self.tell()
        if self.job.get("verify", True):
            self._verify()

    def _verify(self) -> None:
        named = self.named()
        for key, ran in (("input1", self.first), ("input2", self.second)):
            if ran is None:
                self.outcome[key] = {"state": "not run", "text": self.inputs.refused or "no second input"}
                continue
            if ran.random:
                self.outcome[key] = {"state": "not run", "text": "the model gives random results"}
                continue
            self._run_once(key, ran, self.named(ran.arguments))
            self.tell()
        if self.first.random:
            with self.stage("hazards"):
                self.see(*hazards.random_places(self.loaded.model, self.inputs.first, self.user))
        self._hazards(named)
        self._mismatch()

    def _run_once(self, key: str, ran: Reference, named: list[tuple[str, Any]]) -> None:
        names = self.job.get("input_names")
        try:
            with self.stage("run"):
                arrays = verify.feed(self.exported, named, names)
                results = verify.run(verify.session(self.path), arrays)
            with self.stage("compare"):
                self.outcome[key] = verify.compare(results, ran.outputs)
        except verify.NoRuntimeError as error:
            self.outcome[key] = {"state": "not run", "text": str(error)}
        except verify.RunError as error:
            self.outcome[key] = {"state": "failed", "text": str(error)}
            node = _node_of(self.exported, error.node)
            stack = next(
                (self.exported.stacks[name] for name in (node.output if node else ()) if name in self.exported.stacks),
                [],
            )
            self.see(
                observation(
                    "run-error",
                    f"ONNX Runtime fails on input {key[-1]}: {error}",
                    stack,
                    node=error.node,
                    operator=node.op_type if node else "",
                ),
                failure=True,
            )

    def _hazards(self, named: list[tuple[str, Any]]) -> None:
        names = self.job.get("input_names")
        with self.stage("hazards"):
            table = dict(zip(torchscript.graph_names(named), names or [], strict=False))
            self.see(*self.warnings.observations())
            self.see(*hazards.inputs_lost(self.exported, named, self.engine, names))
            self.see(
                *hazards.axes_lost(
                    self.exported, self.inputs, table, self.guards if self.program is not None else None, self.program
                )
            )
            given = self.inputs.first.copy()
            with torch.no_grad():
                self.see(*hazards.outputs_lost(callable_of(self.loaded.model)(*given.args, **given.kwargs)))
        scripted = isinstance(self.loaded.model, (torch.jit.ScriptModule, torch.jit.ScriptFunction))
        if self.engine == "torchscript" and self.inputs.second is not None and self.second is not None and not scripted:
            with self.stage("twin trace"):
                try:
                    self.see(*twin.differences(self.loaded.model, self.inputs.first, self.inputs.second, self.user))
                except Exception as error:  # noqa: BLE001 - what a trace cannot take was exported all the same
                    self.outcome["twin"] = f"{type(error).__name__}: {clip(error, 200)}"

    def _mismatch(self) -> None:
        wrong = next((key for key in ("input1", "input2") if self.outcome[key]["state"] == "wrong"), None)
        ran = self.first if wrong == "input1" else self.second
        if wrong is None or ran is None:
            return
        with self.stage("find mismatch"):
            try:
                found = self._search(ran)
            except Exception as error:  # noqa: BLE001 - the mismatch is told; only its place stays unknown
                self.outcome["mismatch"] = {"error": f"{type(error).__name__}: {clip(error, 200)}"}
                found = None
        text = f"wrong on input {wrong[-1]}: {self.outcome[wrong]['text']}"
        if found is None or found.culprit is None:
            self.see(observation("output-mismatch", text, [], fault=found.fault if found else ""), failure=True)
            return
        culprit = found.culprit
        self.outcome["mismatch"] = {
            "fault": found.fault,
            "nodes": found.nodes,
            "steps": [
                {"name": step.name, "state": step.state, "detail": step.detail, "stack": step.stack[:4]}
                for step in found.steps[:2000]
            ],
        }
        self.see(
            observation(
                "output-mismatch",
                text,
                culprit.stack,
                operator=culprit.name,
                fault=found.fault,
                detail=culprit.detail,
                nodes=found.nodes,
            ),
            failure=True,
        )

    def _search(self, ran: Reference) -> mismatch.Mismatch:
        model, arguments = self.loaded.model, ran.arguments
        named = self.named(arguments)
        found = mismatch.search(model, arguments, self.exported, named, self.job.get("input_names"), self.user)
        if self.program is not None:
            found.fault = mismatch.blame_dynamo(self.program, arguments, ran.outputs)
        elif not isinstance(model, (torch.jit.ScriptModule, torch.jit.ScriptFunction)):
            found.fault = mismatch.blame_torchscript(model, self.inputs.first, arguments, ran.outputs)
        return found

    def _finish(self) -> None:
        """The clean file, and the extras that were asked for."""
        if not self.outcome.get("checked"):
            return
        with self.stage("finish"):
            if self.job.get("want_map"):
                self.outcome["map"] = model_file.node_map(self.exported)
            model_file.clean(self.exported)
            if self.job.get("want_text"):
                self.outcome["text"] = model_file.text(self.exported)
            self.outcome["size"] = self.exported.size
            for name in os.listdir(self.job["folder"]):
                if name not in (self.job["name"], *self.exported.locations):
                    path = os.path.join(self.job["folder"], name)
                    if os.path.isfile(path):
                        os.unlink(path)
            if self.job.get("output"):
                self.outcome["old_data"] = model_file.data_files(self.job["output"])
            self.outcome["complete"] = True


def _node_of(exported: model_file.ModelFile, name: str | None) -> Any:
    """The node that ONNX Runtime names, or that it made the named one of, which then begins with its name."""
    named = [node for node in exported.proto.graph.node if name and node.name and name.startswith(node.name)]
    return max(named, key=lambda node: len(node.name), default=None)


def _set_mode(model: Any, mode: str) -> None:
    if isinstance(model, torch.nn.Module) and mode != "preserve":
        model.train(mode == "train")


def _integer_keys(shapes: Any) -> Any:
    """JSON has no integer keys: ``{"0": "n"}`` means dimension 0."""
    if isinstance(shapes, dict):
        return {
            int(key) if isinstance(key, str) and key.isdigit() else key: _integer_keys(value)
            for key, value in shapes.items()
        }
    if isinstance(shapes, (list, tuple)):
        return type(shapes)(map(_integer_keys, shapes))
    return shapes


def _kind(value: Any) -> str:
    if isinstance(value, torch.Tensor):
        return f"{str(value.dtype).removeprefix('torch.')}{list(value.shape)}".replace(" ", "")
    return clip(f"{type(value).__name__} {value!r}", 60)


def _place(item: Observation) -> tuple[Any, ...]:
    stack = item["stack"]
    return (item.get("operator", "").split(".")[0], *((stack[0]["file"], stack[0]["line"]) if stack else ()))


def _identity(item: Observation) -> tuple[Any, ...]:
    stack = item["stack"]
    where = (stack[0]["file"], stack[0]["line"], stack[0].get("column")) if stack else (item["message"],)
    return (item["kind"], item.get("operator", ""), item.get("what", ""), *where)


def _count(exported: model_file.ModelFile) -> dict[str, int]:
    counts: dict[str, int] = {}
    for node in model_file.all_nodes(exported.proto.graph):
        name = f"{node.domain}::{node.op_type}" if node.domain not in ("", "ai.onnx") else node.op_type
        counts[name] = counts.get(name, 0) + 1
    return dict(sorted(counts.items(), key=lambda pair: (-pair[1], pair[0])))
