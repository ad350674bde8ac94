"""Where in the user's code an export of the dynamo engine failed, and where else it would."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import TypeVar

import torch

from ..execution import Arguments, Model
from ..frames import UserCode, of_python_text, of_traceback
from ..protocol import Frame, Kind, Observation, Stack, Stage
from ..wording import shorten
from .dynamo_capture import Guards, as_dims
from .engine import Options

T = TypeVar("T")


def chain(error: BaseException) -> list[BaseException]:
    """The error and its causes, outermost first."""
    found: list[BaseException] = []
    cause: BaseException | None = error
    while cause is not None and cause not in found:
        found.append(cause)
        cause = cause.__cause__ or (None if cause.__suppress_context__ else cause.__context__)
    return found


def _locals(error: BaseException, kind: type[T]) -> Iterator[tuple[str, T]]:
    for cause in chain(error):
        traceback = cause.__traceback__
        while traceback is not None:
            for name, value in traceback.tb_frame.f_locals.items():
                if isinstance(value, kind):
                    yield name, value
            traceback = traceback.tb_next


def _failing_node(error: BaseException) -> torch.fx.Node | None:
    """The ``fx`` node that could not be translated."""
    return next((value for name, value in _locals(error, torch.fx.Node) if name == "node"), None)


def program_of(error: BaseException) -> torch.export.ExportedProgram | None:
    """The exported program that the export had when it failed, decomposed if it got so far."""
    programs = dict(_locals(error, torch.export.ExportedProgram))
    return programs.get("decomposed_program") or programs.get("exported_program")


def _operator(target: object) -> str:
    """``aten::relu`` of an overload; else the target's own text."""
    name = getattr(target, "name", None)
    return str(name()) if callable(name) else str(target)


def written_operator(node: torch.fx.Node) -> str:
    """The operator that the program had here before it was decomposed: the one that the user's code calls."""
    source = next(iter(node.meta.get("from_node") or ()), None)
    while source is not None and source.from_node:
        source = source.from_node[-1]
    parts = str(getattr(source, "target", "")).split(".")
    if len(parts) != 3 or not all(part.isidentifier() for part in parts):
        return _operator(node.target)
    return f"{parts[0]}::{parts[1]}" + ("" if parts[2] == "default" else f".{parts[2]}")


def _within(node: torch.fx.Node) -> str:
    """The operator that stands for the written one in the decomposed program, in words."""
    inner = _operator(node.target)
    return "" if inner.split(".")[0] == written_operator(node).split(".")[0] else f" (decomposed into {inner})"


def node_stack(node: torch.fx.Node, user: UserCode) -> Stack:
    """The user's stack of an ``fx`` node."""
    return user.choose(of_python_text(node.meta.get("stack_trace")))


_REFUSED = re.compile(r"^No ONNX function found for <OpOverload.*?>\. Failure message: ")
_STAGES = (
    ("ConversionError", Stage.TRANSLATE),
    ("TorchExportError", Stage.CAPTURE),
    ("PassError", Stage.TRANSLATE),
)


def explain(error: BaseException, user: UserCode, guards: Guards) -> tuple[Stage, list[Observation]]:
    """The stage in which the export failed, and the failure at its place in the user's code."""
    causes = chain(error)
    names = [type(cause).__name__ for cause in causes]
    stage = next((stage for name, stage in _STAGES if name in names), Stage.CAPTURE)
    inner = _first_cause(causes)
    text = shorten(_first_words(inner))
    node = _failing_node(error) if stage is Stage.TRANSLATE else None
    if node is not None:
        return stage, [_untranslated(node, text, "DispatchError" in names, user)]
    stack: Stack = ()
    for cause in reversed(causes):
        found = user.choose(of_traceback(cause.__traceback__))
        if found and (not stack or user.rank(found[0].file) < user.rank(stack[0].file)):
            stack = found
    kind = Kind.TRANSLATE_ERROR if stage is Stage.TRANSLATE else Kind.CAPTURE_ERROR
    if any(name in _DATA_DEPENDENT for name in names) or _ABOUT_DATA.search(str(inner)):
        kind = Kind.DATA_DEPENDENT
        text += suggested(causes)
    elif "conflicts between user-specified ranges" in str(inner):
        return stage, _range_conflicts(str(inner), guards)
    if not stack:
        stack = _code_in(str(inner), user)
    return stage, [Observation(kind, text, stack)]


def _untranslated(node: torch.fx.Node, text: str, unsupported: bool, user: UserCode) -> Observation:
    if node.op == "output":
        return Observation(Kind.OUTPUT_KIND, f"an output that is neither a tensor nor a container of tensors: {text}")
    kind = Kind.UNSUPPORTED_OPERATOR if unsupported else Kind.TRANSLATE_ERROR
    text = _REFUSED.sub("no ONNX function: ", text) + _within(node)
    return Observation(kind, text, node_stack(node, user), operator=written_operator(node))


_ABOUT_DATA = re.compile(r"[Dd]ata[- ]dependent|[Uu]nbacked symint|unhinted")
"""What torch says of values that it would need, in errors (``UserError``) that are about other things too."""
_CHECK = re.compile(r"torch\._check\(.*\)")


def suggested(causes: list[BaseException]) -> str:
    """The checks that torch proposes to write, in words; empty when it proposes none."""
    found = dict.fromkeys(_CHECK.findall("\n".join(map(str, causes))))
    return f"; torch suggests {' or '.join(f'`{check}`' for check in list(found)[:2])}" if found else ""


_CHECKS_ALONE = ("_assert_scalar", "_assert_async", "_assert_tensor_metadata", "sym_constrain_range")
"""Beginnings of operators that only check, and that torch leaves out of the graph."""
_DATA_DEPENDENT = (
    "GuardOnDataDependentSymNode",
    "PendingUnbackedSymbolNotFound",
    "DataDependentOutputException",
)


def _first_cause(causes: list[BaseException]) -> BaseException:
    """The cause that says most: not torch.onnx's own wrapping, nor that of the passes over the graph."""
    wrapped = ("TorchExportError", "ConversionError", "PassError", "GraphConstructionError", "DispatchError")
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


def _code_in(text: str, user: UserCode) -> Stack:
    """The places that the message itself names (strict capture has no frames of the model's)."""
    frames = [Frame(m["file"], int(m["line"]), m["function"]) for m in _SOURCE_LINE.finditer(text)]
    return user.choose(reversed(frames))


def _range_conflicts(text: str, guards: Guards) -> list[Observation]:
    """A size asked to be dynamic that the code fixed: at each line that fixed it."""
    lines = [line.strip("- ").strip() for line in text.split("\n") if line.strip().startswith("-")]
    message = "; ".join(lines)[:400] or shorten(text)
    fixing = [stack for expression, stack in guards.found if expression.startswith("Eq(")]
    stacks = fixing or [stack for _, stack in guards.found]
    if not stacks:
        return [Observation(Kind.STATIC_SIZE, message)]
    by_line = {(stack[0].file, stack[0].line): stack for stack in reversed(stacks)}
    first = dict.fromkeys((stack[0].file, stack[0].line) for stack in stacks)
    return [Observation(Kind.STATIC_SIZE, message, by_line[place]) for place in first]


def unconvertible(program: torch.export.ExportedProgram, options: Options, user: UserCode) -> list[Observation]:
    """Every operator of a decomposed program without an ONNX function, each at every place it is used."""
    from torch.onnx._internal.exporter import _dispatching, _registration

    opset, table = options.get("opset_version"), options.get("custom_translation_table")
    registry = _registration.ONNXRegistry().from_torchlib(
        opset_version=max(18, opset if isinstance(opset, int) else 18)
    )
    for target, function in table.items() if isinstance(table, Mapping) else ():
        registry.register_op(target, function, is_complex=False)
    found: list[Observation] = []
    for node in program.graph.nodes:
        if node.op != "call_function" or not isinstance(node.target, torch._ops.OpOverload):
            continue
        if node.target.namespace == "onnx" or _operator(node.target).split("::")[-1].startswith(_CHECKS_ALONE):
            continue
        function, reason = _dispatching.dispatch(node, registry)
        if function is None:
            text = f"no ONNX function: {reason}{_within(node)}"
            stack, operator = node_stack(node, user), written_operator(node)
            found.append(Observation(Kind.UNSUPPORTED_OPERATOR, text, stack, operator=operator))
    return found


_SPOTS = {"DATA_DEPENDENT_ERROR": Kind.DATA_DEPENDENT, "GUARD_ADDED": Kind.STATIC_SIZE}


def data_dependent_spots(model: Model, arguments: Arguments, shapes: object, user: UserCode) -> list[Observation]:
    """All places that need a value or size which is not known while exporting (``torch.export.draft_export``)."""
    draft = getattr(torch.export, "draft_export", None)
    if draft is None:
        return []
    given = arguments.copy()
    program = draft(model, given.args, kwargs=given.kwargs, dynamic_shapes=as_dims(shapes))
    found: list[Observation] = []
    for failure in program._report.failures:
        kind = _SPOTS.get(failure.failure_type.name)
        frames = _logged_stack(failure.data.get("user_stack") or failure.data.get("stack") or [])
        stack = user.choose(frames)
        if kind is not None and stack:
            text = f"needs the value of `{failure.data.get('expr', '')}` while exporting"
            found.append(Observation(kind, text, stack))
    return found


def _logged_stack(logged: list[object]) -> Stack:
    """The frames of torch's structured log, whose file names are numbers of an interned table."""
    from torch._logging.structured import INTERN_TABLE

    names = {number: name for name, number in INTERN_TABLE.items()}
    frames = []
    for entry in logged:
        if isinstance(entry, dict):
            file = entry.get("filename", "")
            name = names.get(file, "") if isinstance(file, int) else str(file)
            frames.append(Frame(name, int(entry["line"]), str(entry["name"])))
    return tuple(reversed(frames))
