"""``find_mismatch``: the first value of a model that its exported form does not have, and where it is computed."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
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
from onnx_lint_exporter.muted_stdout import muted_stdout
from onnx_lint_exporter.report_html import MARKS
from onnx_lint_exporter.reproduction import Call
from onnx_lint_exporter.source_code import Sources
from onnx_lint_exporter.worker import alignment, inputs, model_file
from onnx_lint_exporter.worker import engines as worker_engines
from onnx_lint_exporter.worker import verify as running
from onnx_lint_exporter.worker.execution import Arguments, Model, Recorder, callable_of, fresh, reference
from onnx_lint_exporter.worker.frames import UserCode
from onnx_lint_exporter.worker.protocol import Fault, Mismatch, State, Step, StepState

MOST_ALONE = 40
"""Calls behind the first difference that are looked at by themselves, at most: each is an export."""
_ABOUT_THE_MODEL = ("input_names", "output_names", "dynamic_axes", "dynamic_shapes", "kwargs")


@dataclass
class MismatchReport:
    """What `find_mismatch` found. True when there is a mismatch; ``str()`` gives the tree.

    `state` compares the outputs (``not run`` when ONNX Runtime lacks an operator of one's own), `place` is the line of
    the first value that differs, `operator` the torch function that made it, `nodes` the ONNX nodes of that line.
    `fault` is ``converter`` when the recorded program is right and its translation wrong, ``tracing`` when the
    recording itself froze something.
    """

    engine: Engine
    state: State
    text: str
    place: Span | None = None
    operator: str | None = None
    fault: Fault = Fault.UNKNOWN
    nodes: tuple[str, ...] = ()
    steps: list[Step] = field(default_factory=list)
    others: tuple[tuple[Span, str], ...] = ()
    """Further calls that are translated wrong, each exported alone with the arguments that it had: place, function."""
    _call: Call | None = None
    _opset: int | None = None
    _custom_opsets: Mapping[str, int] | None = None

    def __bool__(self) -> bool:
        return self.state in (State.WRONG, State.FAILED)

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
            place = [f"{sources.shown(frame.file)}:{frame.line} in {frame.function}" for frame in reversed(step.stack)]
            for depth, text in enumerate(place):
                if open_places[: depth + 1] != place[: depth + 1]:
                    lines.append(f"{'  ' * (depth + 1)}{text}")
            open_places = place
            detail = f"  {step.detail}" if step.detail else ""
            lines.append(f"{'  ' * (len(place) + 1)}{MARKS[step.state]} {step.name}{detail}")
        if self.place is not None:
            lines.append(
                f"first difference: {self.place.path}:{self.place.line}:{self.place.column} "
                f"`{self.operator}`" + (f" ({self.fault})" if self.fault else "")
            )
        lines += [f"wrong by itself, too: {span.path}:{span.line}:{span.column} `{name}`" for span, name in self.others]
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
    model: Model,
    args: object,
    second: object = None,
    *,
    engine: Engine | str = Engine.TORCHSCRIPT,
    opset_version: int | None = None,
    kwargs: Mapping[str, object] | None = None,
    **options: object,
) -> MismatchReport:
    """Export a model with `args`, run it on `second` (default: on `args`), and find the first value that differs.

    `options` are those of ``torch.onnx.export`` (``dynamic_axes`` with ``input_names``, ``custom_opsets`` …). Raises
    what the engine raises when the export fails, and the ONNX checker's error when it refuses the model.
    """
    first = as_arguments(args, kwargs)
    other = as_arguments(second, None) if second is not None else first
    if opset_version is not None:
        options["opset_version"] = opset_version
    with (
        tempfile.TemporaryDirectory(prefix="onnx-lint-") as folder,
        muted_stdout(),
        logged(f"find mismatch {type(model).__name__}"),
    ):
        return _Search(model, first, other, Engine(engine), options).run(os.path.join(folder, "model.onnx"))


@dataclass
class _Search:
    """One export, and the search for what is wrong with it."""

    model: Model
    first: Arguments
    other: Arguments
    engine: Engine
    options: dict[str, object]
    user: UserCode = field(default_factory=UserCode)

    def run(self, path: str) -> MismatchReport:
        """Export to a path, compare, search."""
        exporter = worker_engines.ENGINES[self.engine.value]()
        exporter.export_to(fresh(self.model), self.first, path, self.options)
        read = model_file.read(path, self.user)
        model_file.check(read)
        leaves = inputs.name_leaves(self.model, exporter.complete(self.model, self.other))
        ran, names = reference(self.model, self.other), _names(self.options)
        opsets = self.options.get("custom_opsets")
        report = MismatchReport(self.engine, State.RIGHT, "", _opset=read.opset)
        report._custom_opsets = opsets if isinstance(opsets, dict) else None
        try:
            results = running.run(running.session(read.path), running.feed(read, leaves, names))
        except running.NoRuntimeError as error:
            report.state, report.text = State.NOT_RUN, str(error)
            return report
        except running.RunError as error:
            report.state, report.text = State.FAILED, str(error)
            return report
        compared = running.compare(results, ran.outputs)
        report.state, report.text = compared.state, compared.text
        found = alignment.search(self.model, self.other, read, leaves, names, self.user)
        report.steps = list(found.steps)
        if report.state is State.RIGHT or found.culprit is None:
            return report
        report.fault = exporter.fault(self.model, self.first, self.other, ran.outputs)
        self._place(report, found.culprit, found.nodes)
        number = found.steps.index(found.culprit)
        report._call = _calls(self.model, self.other, [number]).get(number)
        if report._call is not None:
            place = found.culprit.stack[0]
            report._call.translations = dict(exporter.translations_at(self.options, place, self.user))
            call = report._call
            call.symbolics = dict(exporter.symbolics_of(call.function, Arguments(call.args, call.kwargs), read.opset))
        if report.fault is Fault.CONVERTER:
            report.others = tuple(self._wrong_alone(exporter, found, os.path.dirname(path)))
        return report

    def _wrong_alone(self, exporter: worker_engines.Engine, found: Mismatch, folder: str) -> Iterator[tuple[Span, str]]:
        """The calls behind the first difference that are wrong by themselves: what follows from it is not."""
        differing = [n for n, step in enumerate(found.steps) if step.state is StepState.DIFFERS and step.stack]
        behind = [n for n in differing if found.steps[n] is not found.culprit][:MOST_ALONE]
        for number, call in _calls(self.model, self.other, behind).items():
            if _is_wrong_alone(exporter, call, os.path.join(folder, f"call{number}.onnx"), self.options):
                yield _span(found.steps[number]), found.steps[number].name

    def _place(self, report: MismatchReport, culprit: Step, nodes: tuple[str, ...]) -> None:
        report.place = _span(culprit)
        report.operator, report.nodes = culprit.name, nodes
        LOGGER.info("first difference: %s:%d: %s", report.place.path, report.place.line, report.operator)


def _names(options: Mapping[str, object]) -> Sequence[str]:
    given = options.get("input_names")
    return list(given) if isinstance(given, (list, tuple)) else []


def _span(step: Step) -> Span:
    frame = step.stack[0]
    column = frame.column or 1
    end = (frame.end_line or frame.line, frame.end_column or column + 1)
    return Span(Sources(os.getcwd()).shown(frame.file), frame.line, column, *end)


class _CallCatcher(Recorder):
    """Keeps the arguments of some calls, by their numbers."""

    def __init__(self, wanted: Sequence[int]) -> None:
        super().__init__(UserCode())
        self._wanted = frozenset(wanted)
        self.caught: dict[int, Call] = {}

    def __torch_function__(
        self,
        func: Callable[..., object],
        types: object,
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> object:
        number = len(self.events)
        given = Arguments(args, dict(kwargs or {})).copy() if number in self._wanted else None
        result = super().__torch_function__(func, types, args, kwargs)
        if given is not None and len(self.events) > number and number not in self.caught:
            name = torch.overrides.resolve_name(func) or getattr(func, "__name__", "")
            self.caught[number] = Call(name, func, given.args, given.kwargs)
        return result


def _calls(model: Model, arguments: Arguments, numbers: Sequence[int]) -> dict[int, Call]:
    """Calls of an eager run by their numbers."""
    catcher, given = _CallCatcher(numbers), arguments.copy()
    runnable = callable_of(fresh(model))
    torch.manual_seed(0)
    with torch.no_grad(), catcher:
        runnable(*given.args, **given.kwargs)
    return catcher.caught


class _Alone(torch.nn.Module):
    """One call as a model: its tensors that stand by themselves among the arguments are the inputs."""

    def __init__(self, call: Call) -> None:
        super().__init__()
        self._call = call

    def forward(self, *given: torch.Tensor) -> object:
        rest = iter(given)
        filled = [next(rest) if isinstance(value, torch.Tensor) else value for value in self._call.args]
        return self._call.function(*filled, **self._call.kwargs)


def _is_wrong_alone(exporter: worker_engines.Engine, call: Call, path: str, options: Mapping[str, object]) -> bool:
    """Whether a call gives something else when it is exported by itself. What does not export by itself is not said."""
    given = Arguments(tuple(value for value in call.args if isinstance(value, torch.Tensor)), {}).copy()
    kept = {key: value for key, value in options.items() if key not in _ABOUT_THE_MODEL}
    try:
        exporter.export_to(_Alone(call), given, path, kept)
        read = model_file.read(path, UserCode())
        leaves = inputs.name_leaves(_Alone(call), given)
        results = running.run(running.session(path), running.feed(read, leaves, ()))
        wanted = reference(_Alone(call), given)
    except Exception as error:  # noqa: BLE001 - the call alone may be no model at all; then nothing is known of it
        LOGGER.info("%s alone: %s", call.name, error)
        return False
    return running.compare(results, wanted.outputs).state is State.WRONG
