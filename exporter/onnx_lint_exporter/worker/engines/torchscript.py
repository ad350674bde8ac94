"""The torchscript engine: ``torch.onnx.export(dynamo=False)``, and where in the user's code it failed."""

from __future__ import annotations

import inspect
import os
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from typing import ClassVar, TypeAlias

import onnx
import torch

from .. import trees, twin
from ..alignment import fault_of
from ..execution import Arguments, Leaf, Model, fresh, rebuilt, tensors
from ..frames import UserCode, of_trace_text, of_traceback
from ..inputs import Axes, Inputs, graph_names, name_leaves, with_defaults
from ..model_file import all_nodes, consolidate
from ..protocol import Fault, Frame, Job, Kind, Observation, Stack, Stage
from ..wording import shorten
from .engine import Calls, Options, Range, Session
from .options import accepted, shared

FALLTHROUGH_DOMAIN = "org.pytorch.aten"
_NAMED_OPERATOR = re.compile(r"aten::(?P<name>\w+)")
_KNOWN_DOMAINS = ("", "ai.onnx", "ai.onnx.ml", "pkg.onnxscript.torch_lib")
_TRANSLATING = ("_run_symbolic_method", "_optimize_graph")
Node: TypeAlias = torch._C.Node


class TorchScript:
    """Traces the model, or takes its scripted form, and translates the graph operator by operator."""

    name: ClassVar[str] = "torchscript"
    requires: ClassVar[tuple[str, ...]] = ()

    def refusal(self, model: Model) -> str:
        if isinstance(model, torch.export.ExportedProgram):
            return "an ExportedProgram can only be exported by the dynamo engine"
        return ""

    def complete(self, model: Model, arguments: Arguments) -> Arguments:
        return with_defaults(model, arguments)

    def asked_axes(self, job: Job) -> Axes:
        return {}

    def options(self, session: Session) -> Options:
        job, loaded, inputs = session.job, session.loaded, session.inputs
        first = self.complete(loaded.model, inputs.first)
        taken = graph_names(inputs.named(loaded.model, first))
        given = list(job.input_names)
        names = given + taken[len(given) :]  # a partial list: the rest keep the names of the parameters of forward
        table = dict(zip(taken, names, strict=False))
        axes = {table.get(name, name): dims for name, dims in {**inputs.axes, **inputs.output_axes}.items()}
        modes = torch.onnx.TrainingMode
        options: Options = {
            **shared(job),
            "input_names": names or None,
            # a weight that folding has changed is none of the model's: without their values, weights stay as they are
            "do_constant_folding": job.optimize and not job.weights_left_out,
            "keep_initializers_as_inputs": job.keep_initializers_as_inputs,
            "export_params": not job.weights_left_out,
            "dynamic_axes": axes or None,
            "training": {"eval": modes.EVAL, "preserve": modes.PRESERVE, "train": modes.TRAINING}[job.training],
        }
        if loaded.opsets or job.custom_opsets:
            options["custom_opsets"] = {**loaded.opsets, **(job.custom_opsets or {})}
        return {**options, **loaded.options}

    def export(self, session: Session, path: str) -> None:
        model = session.loaded.model
        _export(model, self.complete(model, session.inputs.first), path, self.options(session))
        consolidate(path, session.job.data_name, session.job.external_data)

    def export_to(self, model: Model, arguments: Arguments, path: str, options: Options) -> None:
        complete = self.complete(model, arguments)
        named = Inputs(complete, None).named(model)
        _export(model, complete, path, {"input_names": graph_names(named), **options})

    def explain(
        self, error: BaseException, user: UserCode, model: Model, calls: Calls
    ) -> tuple[Stage, list[Observation]]:
        stage, found = _explained(error, user, model)
        return stage, [_at_only_call(found, calls)]

    def other_failures(
        self, session: Session, error: Exception, stage: Stage, found: list[Observation]
    ) -> list[Observation]:
        if stage is not Stage.TRANSLATE:
            return []
        model, job = session.loaded.model, session.job
        more = self.unconvertible(model, session.inputs.first, self.options(session), session.user, job.folder)
        known = _plain_name(found[0].operator)
        return [item for item in more if _plain_name(item.operator) != known or item.stack]

    def unconvertible(
        self, model: Model, arguments: Arguments, options: Options, user: UserCode, folder: str
    ) -> list[Observation]:
        """A second export lets the operators through as nodes of their own domain, with their stacks."""
        path = os.path.join(folder, "fallthrough.onnx")
        wanted: Options = {
            **options,
            "operator_export_type": torch.onnx.OperatorExportTypes.ONNX_FALLTHROUGH,
            "do_constant_folding": False,
        }
        with reasons_by_place() as reasons:
            _export(fresh(model), self.complete(model, arguments), path, wanted)
        proto = onnx.load(path, load_external_data=False)
        registered = options.get("custom_opsets")
        known = {*_KNOWN_DOMAINS, *(function.domain for function in proto.functions)}
        known |= set(registered) if isinstance(registered, dict) else set()
        found: list[Observation] = []
        lost: set[str] = set()
        for node in all_nodes(proto.graph):
            if node.domain in known or node.domain.split(".")[0] == "onnx":
                continue
            follows = lost.intersection(node.input)
            lost.update(node.output)
            if follows and node.domain == FALLTHROUGH_DOMAIN and _is_translated(node.op_type):
                continue  # nothing is known of what it is given, since that has no translation
            space = {FALLTHROUGH_DOMAIN: "aten"}.get(node.domain, node.domain)
            name = f"{space}::{node.op_type}"
            reason = reasons.get(node.doc_string.rstrip("\n")) or reasons.get(node.doc_string)
            stack = user.choose(of_trace_text(node.doc_string))
            text = reason or f"no symbolic function for {name}"
            found.append(Observation(Kind.UNSUPPORTED_OPERATOR, text, stack, operator=name))
        return found

    def retries_strictly(self, job: Job, stage: Stage, found: list[Observation]) -> bool:
        return False

    def freezes(self, value: object) -> bool:
        return isinstance(value, str)

    def ranges(self, inputs: Inputs) -> list[Range]:
        return []

    def decided_at(self) -> set[tuple[str, int]]:
        return set()

    def fixing_line(self) -> Stack:
        return ()

    def frozen(self, session: Session, second: Arguments) -> list[Observation]:
        model = session.loaded.model
        return [] if _is_scripted(model) else twin.differences(model, session.inputs.first, second, session.user)

    def fault(self, model: Model, first: Arguments, given: Arguments, outputs: list[Leaf]) -> Fault:
        """Run the trace of the first input on another one: right means that the converter is wrong.

        An ``autograd.Function`` stands in the trace as Python code, which runs anew; the export records what is in
        it. Then a right result proves nothing, and neither is to blame for sure.
        """
        if _is_scripted(model):
            return Fault.UNKNOWN
        traced = twin.trace(model, first)
        python = any(node.kind() == "prim::PythonOp" for node in traced.inlined_graph.nodes())
        copied = given.copy()
        given_tensors = tensors([copied.args, copied.kwargs])
        fault = fault_of(lambda: traced(*given_tensors), outputs)
        return Fault.UNKNOWN if python and fault is Fault.CONVERTER else fault

    def changed_size(self, model: Model, first: Arguments, used: Frame, user: UserCode) -> Stack:
        return () if _is_scripted(model) else twin.changed_size(twin.trace(model, first), used, user)

    def translations_at(self, options: Options, place: Frame, user: UserCode) -> Mapping[object, object]:
        return {}

    def symbolics_of(self, function: Callable[..., object], given: Arguments, opset: int) -> Mapping[str, object]:
        try:
            from torch.onnx._internal.torchscript_exporter.registration import registry
        except ImportError:  # another version of torch, which keeps them elsewhere: they stay unknown
            return {}

        def call(*leaves: torch.Tensor) -> object:
            rest = iter(leaves)
            filled = rebuilt(given.args, lambda leaf: next(rest) if isinstance(leaf, torch.Tensor) else leaf)
            assert isinstance(filled, tuple)
            return function(*filled, **given.kwargs)

        try:
            traced = torch.jit.trace(  # type: ignore[no-untyped-call]  # torch's own
                call, tuple(leaf.clone() for leaf in tensors(given.args)), check_trace=False, strict=False
            )
        except Exception:  # noqa: BLE001 - a call with tensors elsewhere than by position is not traced: as if none were known
            return {}
        found = {}
        for kind in {node.kind() for node in traced.inlined_graph.nodes()}:
            group = registry.get_function_group(kind)
            symbolic = group.get(opset) if group is not None else None
            if symbolic is not None and not getattr(symbolic, "__module__", "torch").startswith("torch."):
                found[kind] = symbolic
        return found


def _is_translated(name: str) -> bool:
    """Whether torch has a symbolic function for an ATen operator at all."""
    try:
        from torch.onnx._internal.torchscript_exporter.registration import registry
    except ImportError:  # another version of torch, which keeps them elsewhere
        return False
    return registry.get_function_group(f"aten::{name}") is not None


def _is_scripted(model: Model) -> bool:
    return isinstance(model, (torch.jit.ScriptModule, torch.jit.ScriptFunction))


def _plain_name(operator: str) -> str:
    """An operator without its overload."""
    return operator.split(".", maxsplit=1)[0]


def _call_form(arguments: Arguments) -> tuple[object, ...]:
    """Positional arguments with the trailing dict that every version takes for keyword arguments."""
    if arguments.kwargs or (arguments.args and isinstance(arguments.args[-1], dict)):
        return (*arguments.args, arguments.kwargs)
    return arguments.args


def _export(model: Model, arguments: Arguments, path: str, options: Options) -> None:
    """Export to a file. ``verbose=True`` is what makes every node carry the whole Python stack in its doc string.

    Arguments of registered classes are exported as their tensors, and so is what the model gives then.
    """
    if not _is_scripted(model) and trees.holds_nodes([*arguments.args, *arguments.kwargs.values()]):
        model, arguments, options = _flattened(model, arguments, options)
    export: Callable[..., object] = torch.onnx.export
    export(model, _call_form(arguments.copy()), path, **accepted({"dynamo": False, "verbose": True, **options}))


def _flattened(model: Model, arguments: Arguments, options: Options) -> tuple[Model, Arguments, Options]:
    """The model as a function of its tensors alone; the names of inputs that are none are left out."""
    named = [leaf for leaf in name_leaves(model, arguments) if not (leaf[1] is None or isinstance(leaf[1], str))]
    names = options.get("input_names")
    if isinstance(names, list):
        kept = [name for name, (_, value) in zip(names, named, strict=False) if isinstance(value, torch.Tensor)]
        options = {**options, "input_names": kept}
    wrapped = twin.TensorsOnly(model, arguments)
    wrapped.train(getattr(model, "training", False))
    return wrapped, Arguments(tuple(value for _, value in named if isinstance(value, torch.Tensor))), options


def _at_only_call(found: Observation, calls: Calls) -> Observation:
    """An error without a place that names an operator: at the call of it, when the model has one only."""
    named = _NAMED_OPERATOR.search(found.message)
    if found.stack or named is None:
        return found
    wanted = named["name"].strip("_")
    frames = [frame for known in calls.values() for name, frame in known if name.strip("_") == wanted]
    return replace(found, stack=tuple(frames), operator=named[0]) if len(frames) == 1 else found


def _failing_node(error: BaseException) -> Node | None:
    """The graph node whose symbolic function raised; its locals lie in the traceback."""
    node, traceback = None, error.__traceback__
    while traceback is not None:
        if traceback.tb_frame.f_code.co_name == "_run_symbolic_function":
            node = traceback.tb_frame.f_locals.get("node") or node
        traceback = traceback.tb_next
    return node


def _operator_of(node: Node) -> str:
    """The ATen operator with its overload, or the node kind."""
    schema = node.schema()
    return schema.split("(")[0] if "(" in schema and "no schema" not in schema else str(node.kind())


def _scripted_nodes(model: Model, kind: str) -> list[Node]:
    return list(model.graph.findAllNodes(kind)) if _is_scripted(model) else []


def _in_scripted(model: Model, kind: str) -> str:
    """The range of the first node of a kind in scripted code; the export's own passes lose some."""
    return next((str(node.sourceRange()) for node in _scripted_nodes(model, kind)), "")


def _appended_tuple(model: Model) -> str:
    """The range in scripted code where a list is given a tuple, which has no place of its own."""
    appends = _scripted_nodes(model, "aten::append")
    given = (node for node in appends if list(node.inputs())[1].node().kind() == "prim::TupleConstruct")
    return next((str(node.sourceRange()) for node in given), "")


def _explained(error: BaseException, user: UserCode, model: Model) -> tuple[Stage, Observation]:
    text = shorten(str(error)) or type(error).__name__  # a bare ``assert`` says nothing
    if "Unsupported onnx_opset_version" in text:
        return Stage.TRANSLATE, Observation(Kind.TRANSLATE_ERROR, f"{text}; this engine has none so new")
    node = _failing_node(error)
    if node is not None:
        stack = user.choose(of_trace_text(str(node.sourceRange()) or _in_scripted(model, node.kind())))
        unsupported = type(error).__name__ == "UnsupportedOperatorError"
        kind = Kind.UNSUPPORTED_OPERATOR if unsupported else Kind.TRANSLATE_ERROR
        return Stage.TRANSLATE, Observation(kind, text, stack, operator=_operator_of(node))
    frames = of_traceback(error.__traceback__)
    stack = user.choose(frames)
    if not stack and "lower all tuples" in text:
        stack = user.choose(of_trace_text(_appended_tuple(model)))
    defined = str(error).partition("Defined at:\n")[2].partition("\n\n")[0]  # of an autograd.Function left as it is
    stack = stack or user.choose(of_trace_text(defined))
    if defined or any(frame.function in _TRANSLATING for frame in frames):
        return Stage.TRANSLATE, Observation(Kind.TRANSLATE_ERROR, text, stack)
    return Stage.CAPTURE, Observation(Kind.CAPTURE_ERROR, text, stack)


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

    def noting(*args: object, **kwargs: object) -> object:
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
