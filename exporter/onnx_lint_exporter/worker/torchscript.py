"""The torchscript engine: ``torch.onnx.export(dynamo=False)``, and where in the user's code it failed."""

from __future__ import annotations

import inspect
import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch

from .eager import Arguments, fresh
from .frames import Frame, UserCode, of_trace_text, of_traceback
from .observe import Observation, observation

FALLTHROUGH_DOMAIN = "org.pytorch.aten"


def accepted(function: Any, wanted: dict[str, Any]) -> dict[str, Any]:
    """The keyword arguments that this version of torch knows."""
    known = inspect.signature(function).parameters
    return {key: value for key, value in wanted.items() if key in known}


def call_form(arguments: Arguments) -> tuple[Any, ...]:
    """Positional arguments with the trailing dict that every version takes for keyword arguments."""
    if arguments.kwargs or (arguments.args and isinstance(arguments.args[-1], dict)):
        return (*arguments.args, arguments.kwargs)
    return arguments.args


def graph_names(leaves: list[tuple[str, Any]]) -> list[str]:
    """Names for the graph's inputs: numbers become inputs too, ``None`` and strings do not."""
    return [name for name, value in leaves if not (value is None or isinstance(value, str))]


def export(model: Any, arguments: Arguments, path: str, options: dict[str, Any]) -> None:
    """Export to a file. ``verbose=True`` is what makes every node carry the whole Python stack in its doc string."""
    wanted: dict[str, Any] = {"dynamo": False, "verbose": True, **options}
    torch.onnx.export(model, call_form(arguments.copy()), path, **accepted(torch.onnx.export, wanted))


def failing_node(error: BaseException) -> Any:
    """The graph node whose symbolic function raised; its locals lie in the traceback."""
    node, traceback = None, error.__traceback__
    while traceback is not None:
        if traceback.tb_frame.f_code.co_name == "_run_symbolic_function":
            node = traceback.tb_frame.f_locals.get("node") or node
        traceback = traceback.tb_next
    return node


def operator_of(node: Any) -> str:
    """The ATen operator with its overload, or the node kind."""
    schema = node.schema()
    return schema.split("(")[0] if "(" in schema and "no schema" not in schema else str(node.kind())


def _scripted_nodes(model: Any, kind: str) -> list[Any]:
    scripted = isinstance(model, (torch.jit.ScriptModule, torch.jit.ScriptFunction))
    return list(model.graph.findAllNodes(kind)) if scripted else []


def _in_scripted(model: Any, kind: str) -> str:
    """The range of the first node of a kind in scripted code; the export's own passes lose some."""
    return next((str(node.sourceRange()) for node in _scripted_nodes(model, kind)), "")


def _appended_tuple(model: Any) -> str:
    """The range in scripted code where a list is given a tuple, which has no place of its own."""
    appends = _scripted_nodes(model, "aten::append")
    given = (node for node in appends if list(node.inputs())[1].node().kind() == "prim::TupleConstruct")
    return next((str(node.sourceRange()) for node in given), "")


def explain(error: BaseException, user: UserCode, model: Any = None) -> tuple[str, list[Observation]]:
    """The stage in which the export failed, and the failure at its place in the user's code."""
    node = failing_node(error)
    text = shorten(str(error)) or type(error).__name__  # a bare ``assert`` says nothing
    if node is not None:
        stack = user.choose(of_trace_text(node.sourceRange() or _in_scripted(model, node.kind())))
        kind = "unsupported-operator" if type(error).__name__ == "UnsupportedOperatorError" else "translate-error"
        return "translate", [observation(kind, text, stack, operator=operator_of(node), error=type(error).__name__)]
    stack = user.choose(of_traceback(error.__traceback__))
    if not stack and "lower all tuples" in text:
        stack = user.choose(of_trace_text(_appended_tuple(model)))
    defined = str(error).partition("Defined at:\n")[2].partition("\n\n")[0]  # of an autograd.Function left as it is
    stack = stack or user.choose(of_trace_text(defined))
    translate = bool(defined) or any(
        frame["function"] in ("_run_symbolic_method", "_optimize_graph") for frame in of_traceback(error.__traceback__)
    )
    kind = "translate-error" if translate else "capture-error"
    return ("translate" if translate else "capture"), [observation(kind, text, stack, error=type(error).__name__)]


_NOISE = (
    "Please feel free to request support",
    "Please open a bug",
    "Defined at:",
    "If you are using",
    "Caused by the value",
    "(node defined in",
    "Inputs:",
    "Outputs:",
    "    #",
    "Graph Diff",
)


def shorten(text: str) -> str:
    """The first sentences that help; torch appends graphs and appeals to open an issue."""
    kept: list[str] = []
    for line in text.strip().split("\n"):
        if any(line.startswith(noise) for noise in _NOISE):
            break
        if line.strip():
            kept.append(line.strip())
        if sum(map(len, kept)) > 300:
            break
    whole = " ".join(kept)
    for noise in (" Please feel free to request support", " If you are trying to use a custom"):
        whole = whole.split(noise)[0]
    whole = whole.split("  [Caused by the value")[0].split(" [Caused by the value")[0]
    return whole[:500]


@contextmanager
def reasons_by_place() -> Iterator[dict[str, str]]:
    """While the fall-through export runs, note why each symbolic function refused (fall-through itself forgets it).

    torch looks the function up by name at each call; where a version has no such function nothing is noted.
    """
    noted: dict[str, str] = {}
    module = inspect.getmodule(torch.onnx.utils.export)
    original = getattr(module, "_run_symbolic_function", None)
    if module is None or original is None:
        yield noted
        return

    def noting(*args: Any, **kwargs: Any) -> Any:
        try:
            return original(*args, **kwargs)
        except Exception as error:
            node = next((value for value in args if isinstance(value, torch._C.Node)), None)
            if node is not None:
                noted.setdefault(str(node.sourceRange()), shorten(str(error)))
            raise

    module._run_symbolic_function = noting  # type: ignore[attr-defined]
    try:
        yield noted
    finally:
        module._run_symbolic_function = original  # type: ignore[attr-defined]


def unconvertible(
    model: Any, arguments: Arguments, folder: str, options: dict[str, Any], user: UserCode
) -> list[Observation]:
    """Every operator that cannot be converted, each at every place it is used.

    A second export lets them through as nodes of their own domain, with their stacks.
    """
    import onnx

    path = os.path.join(folder, "fallthrough.onnx")
    wanted = {
        **options,
        "operator_export_type": torch.onnx.OperatorExportTypes.ONNX_FALLTHROUGH,
        "do_constant_folding": False,
    }
    with reasons_by_place() as reasons:
        export(fresh(model), arguments, path, wanted)
    proto = onnx.load(path, load_external_data=False)
    found: list[Observation] = []
    registered = set(options.get("custom_opsets") or {})
    local = {function.domain for function in proto.functions}
    for node in _all_nodes(proto.graph):
        if (
            node.domain in ("", "ai.onnx", "ai.onnx.ml", "pkg.onnxscript.torch_lib")
            or node.domain in registered | local
        ):
            continue
        if node.domain.startswith("onnx"):
            continue
        name = f"aten::{node.op_type}" if node.domain == FALLTHROUGH_DOMAIN else f"{node.domain}::{node.op_type}"
        if node.domain == "prim":
            name = f"prim::{node.op_type}"
        reason = (
            reasons.get(node.doc_string.rstrip("\n"))
            or reasons.get(node.doc_string)
            or f"no symbolic function for {name}"
        )
        stack: list[Frame] = user.choose(of_trace_text(node.doc_string))
        found.append(observation("unsupported-operator", reason, stack, operator=name))
    return found


def _all_nodes(graph: Any) -> Iterator[Any]:
    for node in graph.node:
        yield node
        for attribute in node.attribute:
            if attribute.HasField("g"):
                yield from _all_nodes(attribute.g)
            for inner in attribute.graphs:
                yield from _all_nodes(inner)
