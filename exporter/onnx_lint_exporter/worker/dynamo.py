"""The dynamo engine: ``torch.onnx.export(dynamo=True)``, and where in the user's code it failed or specialised."""

from __future__ import annotations

import logging
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch

from .eager import Arguments
from .frames import Frame, UserCode, of_live, of_python_text, of_traceback
from .observe import Observation, observation
from .torchscript import accepted, shorten

_GUARD = re.compile(r"eval (?:\(forcing_spec\) )?(?P<expression>.*?) \[guard added\]")


class Guards(logging.Handler):
    """Listens to the shape environment: each guard it adds on a dynamic size, at the user's line that asked for it."""

    def __init__(self, user: UserCode) -> None:
        super().__init__(logging.INFO)
        self._user = user
        self.found: list[tuple[str, list[Frame]]] = []

    def emit(self, record: logging.LogRecord) -> None:
        match = _GUARD.search(record.getMessage())
        if match and len(self.found) < 200:
            stack = of_live(sys._getframe(1), self._user)
            if stack:
                self.found.append((match["expression"], stack))

    @contextmanager
    def listening(self) -> Iterator[None]:
        logger = logging.getLogger("torch.fx.experimental.symbolic_shapes")
        before, spread = logger.level, logger.propagate
        logger.addHandler(self)
        logger.setLevel(logging.INFO)
        logger.propagate = False
        try:
            yield
        finally:
            logger.removeHandler(self)
            logger.setLevel(before)
            logger.propagate = spread


@contextmanager
def only_strategy(strict: bool) -> Iterator[None]:
    """Have ``torch.onnx.export`` capture in one way only.

    By itself it falls back from non-strict to strict capture without a word, and strict capture can kill the
    interpreter; the parent asks for it in another process instead. A torch without the list is left as it is.
    """
    try:
        from torch.onnx._internal.exporter import _capture_strategies as strategies
    except ImportError:
        yield
        return
    everything = getattr(strategies, "CAPTURE_STRATEGIES", None)
    name = "TorchExportStrictStrategy" if strict else "TorchExportNonStrictStrategy"
    chosen = getattr(strategies, name, None)
    if everything is None or chosen is None:
        yield
        return
    strategies.CAPTURE_STRATEGIES = (chosen,)
    try:
        yield
    finally:
        strategies.CAPTURE_STRATEGIES = everything


def export(model: Any, arguments: Arguments, strict: bool, options: dict[str, Any]) -> Any:
    """Export in memory; gives the ``ONNXProgram``."""
    given = arguments.copy()
    wanted = {"dynamo": True, "verbose": True, "kwargs": given.kwargs, **options}
    args = given.args
    if args and isinstance(args[-1], dict) and not given.kwargs:
        args = (*args, {})  # else the dict would be taken for the keyword arguments
    with only_strategy(strict):
        return torch.onnx.export(model, args, **accepted(torch.onnx.export, wanted))


def chain(error: BaseException) -> list[BaseException]:
    """The error and its causes, outermost first."""
    found: list[BaseException] = []
    cause: BaseException | None = error
    while cause is not None and cause not in found:
        found.append(cause)
        cause = cause.__cause__ or (None if cause.__suppress_context__ else cause.__context__)
    return found


def _locals(error: BaseException, kind: type) -> Iterator[tuple[str, Any]]:
    for cause in chain(error):
        traceback = cause.__traceback__
        while traceback is not None:
            for name, value in traceback.tb_frame.f_locals.items():
                if isinstance(value, kind):
                    yield name, value
            traceback = traceback.tb_next


def failing_node(error: BaseException) -> Any:
    """The ``fx`` node that could not be translated."""
    return next((value for name, value in _locals(error, torch.fx.Node) if name == "node"), None)


def programs(error: BaseException) -> dict[str, Any]:
    """The exported programs that the export had when it failed, by the name of the local variable."""
    return dict(_locals(error, torch.export.ExportedProgram))


def _operator(target: Any) -> str:
    """``aten::relu`` of an overload; else the target's own text."""
    name = getattr(target, "name", None)
    return str(name()) if callable(name) else str(target)


def written_operator(node: Any) -> str:
    """The operator that the program had here before it was decomposed: the one that the user's code calls."""
    source = next(iter(node.meta.get("from_node") or ()), None)
    while source is not None and source.from_node:
        source = source.from_node[-1]
    parts = str(getattr(source, "target", "")).split(".")
    if len(parts) != 3 or not all(part.isidentifier() for part in parts):
        return _operator(node.target)
    return f"{parts[0]}::{parts[1]}" + ("" if parts[2] == "default" else f".{parts[2]}")


def _within(node: Any) -> str:
    """The operator that stands for the written one in the decomposed program, in words."""
    inner = _operator(node.target)
    return "" if inner.split(".")[0] == written_operator(node).split(".")[0] else f" (decomposed into {inner})"


def node_stack(node: Any, user: UserCode) -> list[Frame]:
    """The user's stack of an ``fx`` node."""
    return user.choose(of_python_text(node.meta.get("stack_trace")))


_REFUSED = re.compile(r"^No ONNX function found for <OpOverload.*?>\. Failure message: ")
_STAGES = (("ConversionError", "translate"), ("TorchExportError", "capture"), ("PassError", "translate"))


def explain(error: BaseException, user: UserCode, guards: Guards | None = None) -> tuple[str, list[Observation]]:
    """The stage in which the export failed, and the failure at its place in the user's code."""
    causes = chain(error)
    names = [type(cause).__name__ for cause in causes]
    stage = next((stage for name, stage in _STAGES if name in names), "capture")
    inner = _telling(causes)
    text = shorten(_first_words(inner))
    node = failing_node(error) if stage == "translate" else None
    if node is not None:
        kind = "unsupported-operator" if "DispatchError" in names else "translate-error"
        operator = written_operator(node)
        if node.op == "output":
            text = f"an output that is neither a tensor nor a container of tensors: {text}"
            return stage, [observation("output-kind", text, [], error=type(inner).__name__)]
        text = _REFUSED.sub("no ONNX function: ", text) + _within(node)
        return stage, [observation(kind, text, node_stack(node, user), operator=operator, error=type(inner).__name__)]
    stack: list[Frame] = []
    for cause in reversed(causes):
        stack = [frame for frame in of_traceback(cause.__traceback__) if user.owns(frame["file"])]
        if stack:
            break
    kind = "data-dependent" if any(name in _DATA_DEPENDENT for name in names) else f"{stage}-error"
    if kind != "data-dependent" and "conflicts between user-specified ranges" in str(inner):
        return stage, _range_conflicts(str(inner), guards)
    if not stack:
        stack = _user_code_in(str(inner), user) or user.choose(of_traceback(causes[-1].__traceback__))
    return stage, [observation(kind, text, stack, error=type(inner).__name__)]


_DATA_DEPENDENT = (
    "GuardOnDataDependentSymNode",
    "UserError",
    "PendingUnbackedSymbolNotFound",
    "DataDependentOutputException",
)


LOST_DATA = ("fake tensor in the exported program", "lifted constant", "FakeTensor")
"""Words of errors about tensors that left the recording, as those read from ``.data`` do; torch names no line."""


def _telling(causes: list[BaseException]) -> BaseException:
    """The cause that says most: not torch.onnx's own wrapping, nor that of the passes over the graph."""
    wrapped = ("TorchExportError", "ConversionError", "PassError")
    return next((cause for cause in causes if type(cause).__name__ not in wrapped), causes[-1])


def _first_words(error: BaseException) -> str:
    text = str(error)
    for end in (
        "\n\nPotential framework code",
        "\n\nThe error above occurred",
        "\nFor more information, run",
        "\n\nfrom user code",
        "\nUser Stack",
        "\n\n  Developer debug",
        "\n\n Developer debug",
        "  (Size-like symbols",
        "consider using data-dependent friendly",
    ):
        text = text.split(end, maxsplit=1)[0]
    return text or type(error).__name__


_SOURCE_LINE = re.compile(r'File "(?P<file>[^"]+)", line (?P<line>\d+), in (?P<function>\S+)')


def _user_code_in(text: str, user: UserCode) -> list[Frame]:
    """The user's places that the message itself names (strict capture has no frames of the user's)."""
    frames: list[Frame] = [
        {"file": m["file"], "line": int(m["line"]), "function": m["function"]} for m in _SOURCE_LINE.finditer(text)
    ]
    return [frame for frame in frames if user.owns(frame["file"])][::-1]


def _range_conflicts(text: str, guards: Guards | None) -> list[Observation]:
    """A size asked to be dynamic that the code fixed: at each line that fixed it."""
    lines = [line.strip("- ").strip() for line in text.split("\n") if line.strip().startswith("-")]
    message = "; ".join(lines)[:400] or shorten(text)
    places = guards.found if guards is not None else []
    fixing = [(e, s) for e, s in places if e.startswith("Eq(")] or places
    if not fixing:
        return [observation("static-size", message, [], error="ValueError")]
    seen = set()
    found = []
    for expression, stack in fixing:
        key = (stack[0]["file"], stack[0]["line"])
        if key not in seen:
            seen.add(key)
            found.append(observation("static-size", message, stack, error="ValueError", guard=expression))
    return found


def unconvertible(program: Any, options: dict[str, Any], user: UserCode) -> list[Observation]:
    """Every operator of a decomposed program without an ONNX function, each at every place it is used."""
    from torch.onnx._internal.exporter import _dispatching, _registration

    registry = _registration.ONNXRegistry().from_torchlib(opset_version=max(18, options.get("opset_version") or 18))
    for target, function in (options.get("custom_translation_table") or {}).items():
        registry.register_op(target, function, is_complex=False)
    found: list[Observation] = []
    for node in program.graph.nodes:
        if node.op != "call_function" or not isinstance(node.target, torch._ops.OpOverload):
            continue
        if node.target.namespace == "onnx":
            continue
        function, reason = _dispatching.dispatch(node, registry)
        if function is None:
            text = f"no ONNX function: {reason}{_within(node)}"
            stack, operator = node_stack(node, user), written_operator(node)
            found.append(observation("unsupported-operator", text, stack, operator=operator))
    return found


def data_dependent_spots(model: Any, arguments: Arguments, shapes: Any, user: UserCode) -> list[Observation]:
    """All places that need a value or size which is not known while exporting (``torch.export.draft_export``)."""
    draft = getattr(torch.export, "draft_export", None)
    if draft is None:
        return []
    given = arguments.copy()
    dynamic = _as_dims(shapes)
    program = draft(model, given.args, kwargs=given.kwargs, dynamic_shapes=dynamic)
    found: list[Observation] = []
    for failure in program._report.failures:
        kind = failure.failure_type.name
        if kind not in ("DATA_DEPENDENT_ERROR", "GUARD_ADDED"):
            continue
        stack = [
            {"file": frame["filename"], "line": frame["line"], "function": frame["name"]}
            for frame in _named_frames(failure.data.get("user_stack") or failure.data.get("stack") or [])
        ][::-1]
        stack = [frame for frame in stack if user.owns(frame["file"])]
        expression = str(failure.data.get("expr", ""))
        if stack:
            what = "data-dependent" if kind == "DATA_DEPENDENT_ERROR" else "static-size"
            found.append(
                observation(what, f"needs the value of `{expression}` while exporting", stack, expression=expression)
            )
    return found


def _named_frames(stack: list[Any]) -> list[dict[str, Any]]:
    """The frames of torch's structured log, whose file names are numbers of an interned table."""
    from torch._logging.structured import INTERN_TABLE

    names = {number: name for name, number in INTERN_TABLE.items()}
    frames = []
    for frame in stack:
        if isinstance(frame, dict):
            file = frame.get("filename", "")
            frames.append({**frame, "filename": names.get(file, "") if isinstance(file, int) else file})
    return frames


def _as_dims(shapes: Any) -> Any:
    """Axis names as the automatic dynamic dimensions that ``torch.export`` knows."""
    if isinstance(shapes, str):
        return torch.export.Dim.DYNAMIC
    if isinstance(shapes, dict):
        return {key: _as_dims(value) for key, value in shapes.items()}
    if isinstance(shapes, tuple) and hasattr(shapes, "_fields"):
        return type(shapes)(*map(_as_dims, shapes))
    if isinstance(shapes, (list, tuple)):
        return type(shapes)(map(_as_dims, shapes))
    return shapes


def dynamic_shapes(model: Any, arguments: Arguments, axes: dict[str, dict[int, str]], parameters: list[Any]) -> Any:
    """Axis names in the nested form of the arguments, by parameter name, as ``dynamic_shapes`` wants it."""
    if not axes:
        return None
    order = [p.name for p in parameters]

    def shape(value: Any, name: str) -> Any:
        if isinstance(value, torch.Tensor):
            return axes.get(name)
        if isinstance(value, dict):
            return {key: shape(item, f"{name}_{key}") for key, item in value.items()}
        if isinstance(value, tuple) and hasattr(value, "_fields"):
            return type(value)(*(shape(getattr(value, key), f"{name}_{key}") for key in value._fields))
        if isinstance(value, (tuple, list)):
            return type(value)(shape(item, f"{name}_{k}") for k, item in enumerate(value))
        return None

    shapes: dict[str, Any] = {}
    for index, value in enumerate(arguments.args):
        parameter = parameters[index] if index < len(parameters) else None
        if parameter is None or parameter.kind is parameter.VAR_POSITIONAL:
            rest = next((p.name for p in parameters if p.kind is p.VAR_POSITIONAL), "input")
            start = order.index(rest) if rest in order else 0
            shapes[rest] = tuple(shape(v, f"{rest}_{start + k}") for k, v in enumerate(arguments.args[start:]))
            break
        shapes[parameter.name] = shape(value, parameter.name)
    for key, value in arguments.kwargs.items():
        shapes[key] = shape(value, key)
    return shapes
