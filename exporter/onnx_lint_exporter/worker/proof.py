"""Prove an exported file: check it, run it on both inputs, look for what was lost, and for the place of a mismatch."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import torch

from . import hazards, mismatch, model_file, twin, verify
from .channel import clip
from .eager import Reference, callable_of
from .frames import Frame
from .observe import observation
from .torchscript import graph_names, shorten

if TYPE_CHECKING:
    from .export_job import ExportJob


class Proof:
    """The stages after an export that made a file."""

    def __init__(self, of: ExportJob) -> None:
        self._of = of
        self._exported: model_file.ModelFile

    def run(self) -> None:
        """Check the file, run it on both inputs, look for hazards, and on a wrong result for its place."""
        outcome = self._of.outcome
        with self._of.stage("check"):
            self._exported = model_file.read(self._of.path, self._of.user)
            outcome.update(
                nodes=self._exported.nodes,
                opset=self._exported.opset,
                size=self._exported.size,
                inputs=model_file.described(self._exported.inputs()),
                outputs=model_file.described(self._exported.proto.graph.output),
                operators=_count(self._exported),
                files={"model": self._of.path},
            )
            try:
                model_file.check(self._exported)
            except Exception as error:  # noqa: BLE001 - the checker raises several kinds
                outcome["checked"] = False
                self._of.see(observation("check-error", shorten(clip(error)), []), failure=True)
                self._of.tell()
                return
            outcome["checked"] = True
        self._of.tell()
        if self._of.job.get("verify", True):
            self._verify()

    def _verify(self) -> None:
        named = self._of.named()
        for key, ran in (("input1", self._of.first), ("input2", self._of.second)):
            if ran is None:
                self._of.outcome[key] = {"state": "not run", "text": self._of.inputs.refused or "no second input"}
                continue
            if ran.random:
                self._of.outcome[key] = {"state": "not run", "text": "the model gives random results"}
                continue
            self._run_once(key, ran, self._fed(ran))
            self._of.tell()
        if self._of.first.random:
            with self._of.stage("hazards"):
                self._of.see(*hazards.random_places(self._of.loaded.model, self._of.inputs.first, self._of.user))
        self._hazards(named)
        self._mismatch()

    def _fed(self, ran: Reference) -> list[tuple[str, Any]]:
        """What the graph is fed: the leaves of an input, and the weights that were left out and are inputs now."""
        named = self._of.named(ran.arguments)
        model, taken = self._of.loaded.model, {value.name for value in self._exported.inputs()}
        if self._of.job.get("weights_left_out") and isinstance(model, torch.nn.Module):
            weights = [*model.named_parameters(remove_duplicate=False), *model.named_buffers(remove_duplicate=False)]
            named = [*named, *((name, value) for name, value in weights if name in taken)]
        return named

    def _run_once(self, key: str, ran: Reference, named: list[tuple[str, Any]]) -> None:
        names = self._of.job.get("input_names")
        try:
            with self._of.stage("run"):
                arrays = verify.feed(self._exported, named, names)
                results = verify.run(verify.session(self._of.path), arrays)
            with self._of.stage("compare"):
                self._of.outcome[key] = verify.compare(results, ran.outputs)
        except verify.NoRuntimeError as error:
            self._of.outcome[key] = {"state": "not run", "text": str(error)}
        except verify.RunError as error:
            self._of.outcome[key] = {"state": "failed", "text": str(error)}
            node = _node_of(self._exported, error.node)
            stack = next(
                (
                    self._exported.stacks[name]
                    for name in (node.output if node else ())
                    if name in self._exported.stacks
                ),
                [],
            )
            self._of.see(
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
        names = self._of.job.get("input_names")
        with self._of.stage("hazards"):
            table = dict(zip(graph_names(named), names or [], strict=False))
            self._of.see(*self._of.warnings.observations())
            self._of.see(*hazards.inputs_lost(self._exported, named, self._of.engine, names))
            self._of.see(*hazards.names_unused(self._exported, named, names))
            self._of.see(
                *hazards.axes_lost(
                    self._exported,
                    self._of.inputs,
                    table,
                    self._of.guards if self._of.program is not None else None,
                    self._of.program,
                )
            )
            given = self._of.inputs.first.copy()
            with torch.no_grad():
                self._of.see(*hazards.outputs_lost(callable_of(self._of.loaded.model)(*given.args, **given.kwargs)))
        scripted = isinstance(self._of.loaded.model, (torch.jit.ScriptModule, torch.jit.ScriptFunction))
        if (
            self._of.engine == "torchscript"
            and self._of.inputs.second is not None
            and self._of.second is not None
            and not scripted
        ):
            with self._of.stage("twin trace"):
                try:
                    self._of.see(
                        *twin.differences(
                            self._of.loaded.model, self._of.inputs.first, self._of.inputs.second, self._of.user
                        )
                    )
                except Exception as error:  # noqa: BLE001 - what a trace cannot take was exported all the same
                    self._of.outcome["twin"] = f"{type(error).__name__}: {clip(error, 200)}"

    def _mismatch(self) -> None:
        wrong = next((key for key in ("input1", "input2") if self._of.outcome[key]["state"] == "wrong"), None)
        ran = self._of.first if wrong == "input1" else self._of.second
        if wrong is None or ran is None:
            return
        with self._of.stage("find mismatch"):
            try:
                found = self._search(ran)
            except Exception as error:  # noqa: BLE001 - the mismatch is told; only its place stays unknown
                self._of.outcome["mismatch"] = {"error": f"{type(error).__name__}: {clip(error, 200)}"}
                found = None
        text = f"wrong on input {wrong[-1]}: {self._of.outcome[wrong]['text']}"
        if found is None or found.culprit is None:
            if found is not None:
                self._of.outcome["mismatch"] = {"fault": found.fault, "nodes": [], "steps": []}
            self._of.see(observation("output-mismatch", text, [], fault=found.fault if found else ""), failure=True)
            return
        culprit = found.culprit
        self._of.outcome["mismatch"] = {
            "fault": found.fault,
            "nodes": found.nodes,
            "culprit": culprit.stack[0],
            "operator": culprit.name,
            "detail": culprit.detail,
            "steps": [
                {"name": step.name, "state": step.state, "detail": step.detail, "stack": step.stack[:4]}
                for step in found.steps[:2000]
            ],
        }
        size = self._changed_size(culprit.stack[0]) if (wrong, found.fault) == ("input1", "tracing") else []
        self._of.see(
            observation(
                "output-mismatch",
                text,
                size or culprit.stack,
                operator="" if size else culprit.name,
                what="changed-size" if size else "",
                fault=found.fault,
                state=culprit.state,
                detail=culprit.detail,
                nodes=found.nodes,
            ),
            failure=True,
        )

    def _changed_size(self, used: Frame) -> list[Frame]:
        """The place of a size changed in place, when that is why the trace is wrong on its own input."""
        model = self._of.loaded.model
        if self._of.program is not None or isinstance(model, (torch.jit.ScriptModule, torch.jit.ScriptFunction)):
            return []
        try:
            return twin.changed_size(twin.trace(model, self._of.inputs.first), used, self._of.user)
        except Exception as error:  # noqa: BLE001 - what a trace cannot take was exported all the same
            self._of.outcome["twin"] = f"{type(error).__name__}: {clip(error, 200)}"
            return []

    def _search(self, ran: Reference) -> mismatch.Mismatch:
        model, arguments = self._of.loaded.model, ran.arguments
        found = mismatch.search(
            model, arguments, self._exported, self._fed(ran), self._of.job.get("input_names"), self._of.user
        )
        if self._of.program is not None:
            found.fault = mismatch.blame_dynamo(self._of.program, arguments, ran.outputs)
        elif not isinstance(model, (torch.jit.ScriptModule, torch.jit.ScriptFunction)):
            found.fault = mismatch.blame_torchscript(model, self._of.inputs.first, arguments, ran.outputs)
        if not found.fault and any(item["kind"] == "tracer-warning" for item in self._of.outcome["observations"]):
            found.fault = "tracing"  # in code that the trace calls anew
        return found

    def finish(self) -> None:
        """The clean file, and the extras that were asked for."""
        if not self._of.outcome.get("checked"):
            return
        with self._of.stage("finish"):
            if self._of.job.get("want_map"):
                self._of.outcome["map"] = model_file.node_map(self._exported)
            model_file.clean(self._exported)
            if self._of.job.get("want_text"):
                self._of.outcome["text"] = model_file.text(self._exported)
            self._of.outcome["size"] = self._exported.size
            for name in os.listdir(self._of.job["folder"]):
                if name not in (self._of.job["name"], *self._exported.locations):
                    path = os.path.join(self._of.job["folder"], name)
                    if os.path.isfile(path):
                        os.unlink(path)
            for name in self._exported.locations:
                spare = model_file.naming(self._exported, self._of.job["spare_name"])
                self._of.outcome["files"].update(data=os.path.join(self._of.job["folder"], name), spare=spare)
            if self._of.job.get("output"):
                self._of.outcome["old_data"] = model_file.data_files(self._of.job["output"])
            self._of.outcome["complete"] = True


def _node_of(exported: model_file.ModelFile, name: str | None) -> Any:
    """The node that ONNX Runtime names, or that it made the named one of, which then begins with its name."""
    named = [node for node in exported.proto.graph.node if name and node.name and name.startswith(node.name)]
    return max(named, key=lambda node: len(node.name), default=None)


def _count(exported: model_file.ModelFile) -> dict[str, int]:
    counts: dict[str, int] = {}
    for node in model_file.all_nodes(exported.proto.graph):
        name = f"{node.domain}::{node.op_type}" if node.domain not in ("", "ai.onnx") else node.op_type
        counts[name] = counts.get(name, 0) + 1
    return dict(sorted(counts.items(), key=lambda pair: (-pair[1], pair[0])))
