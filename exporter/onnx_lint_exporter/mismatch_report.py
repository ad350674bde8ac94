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
from onnx_lint_exporter.api import as_arguments, silent
from onnx_lint_exporter.source_code import Sources
from onnx_lint_exporter.worker import dynamo, inputs, mismatch, model_file, torchscript
from onnx_lint_exporter.worker import verify as running
from onnx_lint_exporter.worker.eager import Arguments, Recorder, callable_of, fresh, reference
from onnx_lint_exporter.worker.frames import UserCode
from onnx_lint_exporter.worker.mismatch import Step

_MARKS = {"equal": "✓", "fused": "·", "differs": "✗"}
_SMALL = 256
"""Elements up to which a floating point argument is written out in a reproduction; integers always are."""


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
    _call: tuple[str, tuple[Any, ...], dict[str, Any]] | None = None
    _opset: int | None = None

    def __bool__(self) -> bool:
        return self.state in ("wrong", "failed")

    def __str__(self) -> str:
        return self.tree()

    def tree(self) -> str:
        """Every torch call of the model below the lines that lead to it: ✓ in the graph, · fused away, ✗ differs."""
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
                f"`{self.operator}` ({self.fault})"
            )
        return "\n".join(lines)

    def write_reproduction(self, path: str | os.PathLike[str]) -> None:
        """Write a Python file that exports and compares the first differing call alone.

        Raises `ValueError` when no differing call is known.
        """
        if self._call is None:
            raise ValueError("no differing call is known, so there is nothing to reproduce")
        Path(path).write_text(_reproduction(self._call, self.engine, self._opset), encoding="utf-8")


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
    with tempfile.TemporaryDirectory(prefix="onnx-lint-") as folder, silent():
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
    report = MismatchReport(engine, "right", "", _opset=options.get("opset_version"))
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
    return report


class _CallCatcher(Recorder):
    """Keeps the arguments of one call, by its number."""

    def __init__(self, wanted: int) -> None:
        super().__init__(UserCode())
        self._wanted = wanted
        self.caught: tuple[str, tuple[Any, ...], dict[str, Any]] | None = None

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        number = len(self.events)
        given = Arguments(args, dict(kwargs or {})).copy() if number == self._wanted else None
        result = super().__torch_function__(func, types, args, kwargs)
        if given is not None and len(self.events) > number and self.caught is None:
            name = torch.overrides.resolve_name(func) or getattr(func, "__name__", "")
            self.caught = (name, given.args, given.kwargs)
        return result


def _call_number(model: Any, arguments: Arguments, number: int) -> tuple[str, tuple[Any, ...], dict[str, Any]] | None:
    catcher, given = _CallCatcher(number), arguments.copy()
    runnable = callable_of(fresh(model))
    torch.manual_seed(0)
    with torch.no_grad(), catcher:
        runnable(*given.args, **given.kwargs)
    return catcher.caught


def _reproduction(call: tuple[str, tuple[Any, ...], dict[str, Any]], engine: Engine, opset: int | None) -> str:
    name, args, kwargs = call
    tensors: list[str] = []

    def put(value: Any) -> str:
        if isinstance(value, torch.Tensor):
            tensors.append(_literal(value))
            return f"given[{len(tensors) - 1}]"
        if isinstance(value, (list, tuple)):
            inner = ", ".join(map(put, value))
            return f"[{inner}]" if isinstance(value, list) else f"({inner}{',' if len(value) == 1 else ''})"
        return repr(value)

    parts = [put(value) for value in args] + [f"{key}={put(value)}" for key, value in kwargs.items()]
    options = f"dynamo={engine is Engine.DYNAMO}" + (f", opset_version={opset}" if opset else "")
    listed = "".join(f"    {text},\n" for text in tensors)
    return f'''"""The call `{name}` alone: exported and compared with itself."""

import numpy as np
import onnxruntime
import torch

torch.manual_seed(0)
GIVEN = (
{listed})


class Call(torch.nn.Module):
    def forward(self, *given):
        return {name}({", ".join(parts)})


want = Call()(*[value.clone() for value in GIVEN])
torch.onnx.export(Call(), tuple(value.clone() for value in GIVEN), "call.onnx", {options})
session = onnxruntime.InferenceSession("call.onnx", providers=["CPUExecutionProvider"])
feed = {{entry.name: value.numpy() for entry, value in zip(session.get_inputs(), GIVEN)}}
got = session.run(None, feed)
wanted = want if isinstance(want, (tuple, list)) else [want]
for a, b in zip(got, wanted):
    np.testing.assert_allclose(a, b.numpy(), rtol=1e-3, atol=1e-5)
'''


def _literal(tensor: torch.Tensor) -> str:
    plain = tensor.detach().cpu()
    if plain.is_floating_point() and plain.numel() > _SMALL:
        return f"torch.randn({list(plain.shape)}).to({plain.dtype})"
    return f"torch.tensor({plain.tolist()}, dtype={plain.dtype})"
