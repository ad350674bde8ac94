"""``find_mismatch``: the first value of a model that its exported form does not have, and where it is computed."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch

from onnx_lint.diagnostic import Span
from onnx_lint.target import Engine
from onnx_lint_exporter import reproduction
from onnx_lint_exporter.api import as_arguments
from onnx_lint_exporter.log import LOGGER
from onnx_lint_exporter.log import step as logged
from onnx_lint_exporter.reproduction import Call
from onnx_lint_exporter.silence import silent
from onnx_lint_exporter.source_code import Sources
from onnx_lint_exporter.worker import dynamo, inputs, mismatch, model_file, torchscript
from onnx_lint_exporter.worker import verify as running
from onnx_lint_exporter.worker.eager import Arguments, Recorder, callable_of, fresh, reference
from onnx_lint_exporter.worker.frames import Frame, UserCode
from onnx_lint_exporter.worker.mismatch import Step

_MARKS = {"equal": "✓", "fused": "·", "unused": "→", "differs": "✗"}


@dataclass
class MismatchReport:
    """What `find_mismatch` found. True when there is a mismatch; ``str()`` gives the tree.

    `state` compares the outputs (``right``, ``wrong``; ``failed`` when ONNX Runtime stops, ``not run`` when it has not
    got an operator of one's own), `place` is the line of the first value that
    differs, `operator` the torch function that made it, `nodes` the ONNX nodes of that line. `fault` is
    ``converter`` when the recorded program is right and its translation wrong, ``tracing`` when the recording itself
    froze something.
    """

    engine: Engine
    state: str
    text: str
    place: Span | None = None
    operator: str | None = None
    fault: str = ""
    nodes: tuple[str, ...] = ()
    steps: list[Step] = field(default_factory=list)
    _call: Call | None = None
    _opset: int | None = None
    _custom_opsets: Mapping[str, int] | None = None

    def __bool__(self) -> bool:
        return self.state in ("wrong", "failed")

    def __str__(self) -> str:
        return self.tree()

    def tree(self) -> str:
        """Every torch call of the model below the lines that lead to it.

        ✓ in the graph, · computed away within another operator, → for Python alone (no output is made of it),
        ✗ not in the graph.
        """
        sources = Sources(os.getcwd())
        lines = [f"{self.engine}: {self.state}: {self.text}"]
        open_places: list[str] = []
        for step in self.steps:
            place = [
                f"{sources.shown(frame['file'])}:{frame['line']} in {frame['function']}"
                for frame in reversed(step.stack)
            ]
            for depth, text in enumerate(place):
                if open_places[: depth + 1] != place[: depth + 1]:
                    lines.append(f"{'  ' * (depth + 1)}{text}")
            open_places = place
            detail = f"  {step.detail}" if step.detail else ""
            lines.append(f"{'  ' * (len(place) + 1)}{_MARKS[step.state]} {step.name}{detail}")
        if self.place is not None:
            lines.append(
                f"first difference: {self.place.path}:{self.place.line}:{self.place.column} "
                f"`{self.operator}`" + (f" ({self.fault})" if self.fault else "")
            )
        return "\n".join(lines)

    def write_reproduction(self, path: str | os.PathLike[str]) -> None:
        """Write a Python file that exports and compares the first differing call alone.

        The symbolic functions and entries of ``custom_translation_table`` of one's own that its translation uses are
        written out, too. Raises `ValueError` when no differing call is known, or it cannot be written out.
        """
        if self._call is None:
            raise ValueError("no differing call is known, so there is nothing to reproduce")
        text = reproduction.write(self._call, self.engine, self._opset, self._custom_opsets)
        Path(path).write_text(text, encoding="utf-8")


def find_mismatch(
    model: Any,
    args: Any,
    second: Any = None,
    *,
    engine: Engine | str = Engine.TORCHSCRIPT,
    opset_version: int | None = None,
    kwargs: Mapping[str, Any] | None = None,
    **options: Any,
) -> MismatchReport:
    """Export a model with `args`, run it on `second` (default: on `args`), and find the first value that differs.

    `options` are those of ``torch.onnx.export`` (``dynamic_axes`` with ``input_names``, ``custom_opsets`` …). Raises
    what the engine raises when the export fails, and the ONNX checker's error when it refuses the model.
    """
    chosen, user = Engine(engine), UserCode()
    first = as_arguments(args, kwargs)
    other = as_arguments(second, None) if second is not None else first
    if opset_version is not None:
        options["opset_version"] = opset_version
    with (
        tempfile.TemporaryDirectory(prefix="onnx-lint-") as folder,
        silent(),
        logged(f"find mismatch {type(model).__name__}"),
    ):
        path = os.path.join(folder, "model.onnx")
        program = None
        if chosen is Engine.TORCHSCRIPT:
            complete = inputs.with_defaults(model, first)
            options.setdefault("input_names", torchscript.graph_names(inputs.name_leaves(model, complete)))
            torchscript.export(fresh(model), complete, path, options)
        else:
            exported = dynamo.export(fresh(model), first, False, options)
            exported.save(path)
            program = exported.exported_program
        read = model_file.read(path, user)
        model_file.check(read)
        return _search(model, first, other, chosen, read, program, options, user)


def _search(
    model: Any,
    first: Arguments,
    other: Arguments,
    engine: Engine,
    read: Any,
    program: Any,
    options: dict[str, Any],
    user: UserCode,
) -> MismatchReport:
    given = inputs.with_defaults(model, other) if engine is Engine.TORCHSCRIPT else other
    leaves, ran = inputs.name_leaves(model, given), reference(model, other)
    names = options.get("input_names")
    report = MismatchReport(engine, "right", "", _opset=read.opset, _custom_opsets=options.get("custom_opsets"))
    try:
        result = running.compare(
            running.run(running.session(read.path), running.feed(read, leaves, names)), ran.outputs
        )
        report.state, report.text = result["state"], result["text"]
    except running.NoRuntimeError as error:
        report.state, report.text = "not run", str(error)
        return report
    except running.RunError as error:
        report.state, report.text = "failed", str(error)
        return report
    found = mismatch.search(model, other, read, leaves, names, user)
    report.steps = found.steps
    if report.state == "right" or found.culprit is None:
        return report
    culprit, sources = found.culprit, Sources(os.getcwd())
    frame = culprit.stack[0]
    column: int = frame.get("column") or 1
    report.place = Span(
        sources.shown(frame["file"]),
        frame["line"],
        column,
        frame.get("end_line") or frame["line"],
        frame.get("end_column") or column + 1,
    )
    report.operator, report.nodes = culprit.name, tuple(found.nodes)
    if program is not None:
        report.fault = mismatch.blame_dynamo(program, other, ran.outputs)
    else:
        report.fault = mismatch.blame_torchscript(model, first, other, ran.outputs)
    report._call = _call_number(model, other, found.steps.index(culprit))
    if report._call is not None and program is None:
        report._call.symbolics = reproduction.own_symbolics(report._call, read.opset)
    elif report._call is not None:
        table = options.get("custom_translation_table") or {}
        here = {node.target for node in program.graph.nodes if _is_at(dynamo.node_stack(node, user), frame)}
        report._call.translations = {target: function for target, function in table.items() if target in here}
    LOGGER.info("first difference: %s:%d: %s", report.place.path, report.place.line, report.operator)
    return report


def _is_at(stack: list[Frame], frame: Frame) -> bool:
    return bool(stack) and (stack[0]["file"], stack[0]["line"]) == (frame["file"], frame["line"])


class _CallCatcher(Recorder):
    """Keeps the arguments of one call, by its number."""

    def __init__(self, wanted: int) -> None:
        super().__init__(UserCode())
        self._wanted = wanted
        self.caught: Call | None = None

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        number = len(self.events)
        given = Arguments(args, dict(kwargs or {})).copy() if number == self._wanted else None
        result = super().__torch_function__(func, types, args, kwargs)
        if given is not None and len(self.events) > number and self.caught is None:
            name = torch.overrides.resolve_name(func) or getattr(func, "__name__", "")
            self.caught = Call(name, func, given.args, given.kwargs)
        return result


def _call_number(model: Any, arguments: Arguments, number: int) -> Call | None:
    catcher, given = _CallCatcher(number), arguments.copy()
    runnable = callable_of(fresh(model))
    torch.manual_seed(0)
    with torch.no_grad(), catcher:
        runnable(*given.args, **given.kwargs)
    return catcher.caught
