"""The ONNX file: where each node comes from, what its inputs reach, its check, its text, and its clean form."""

from __future__ import annotations

import os
import re
import secrets
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

import onnx
from onnx.external_data_helper import uses_external_data

from .frames import UserCode, of_python_text, of_trace_text
from .protocol import GraphValue, NodeOutput, NodeRow, Stack
from .runtime import DEFAULT, Runtime

EXTERNAL_LIMIT = 1_800_000_000
"""Bytes from which the weights go to a data file of their own (a protobuf message ends at 2 GB)."""
_STACK_KEY = "pkg.torch.onnx.stack_trace"


@dataclass
class ModelFile:
    """An exported model on disk, read without its weights where these lie beside it."""

    path: str
    proto: onnx.ModelProto
    runtime: Runtime = DEFAULT
    """Where it is to run."""
    stacks: dict[str, Stack] = field(default_factory=dict)
    """Name of a value → the user's stack of the node that makes it, innermost first."""

    @property
    def nodes(self) -> int:
        return sum(1 for _ in all_nodes(self.proto.graph))

    @property
    def opset(self) -> int:
        return next((entry.version for entry in self.proto.opset_import if entry.domain in ("", "ai.onnx")), 0)

    @property
    def size(self) -> int:
        """Bytes of the model and its data files."""
        folder = os.path.dirname(self.path)
        return os.path.getsize(self.path) + sum(os.path.getsize(os.path.join(folder, name)) for name in self.locations)

    @property
    def locations(self) -> list[str]:
        found = {
            entry.value
            for tensor in self.proto.graph.initializer
            if uses_external_data(tensor)
            for entry in tensor.external_data
            if entry.key == "location"
        }
        return sorted(found)

    def inputs(self) -> list[onnx.ValueInfoProto]:
        """The graph's real inputs, without initializers that are listed as inputs too."""
        initial = {tensor.name for tensor in self.proto.graph.initializer}
        return [value for value in self.proto.graph.input if value.name not in initial]


def all_nodes(graph: onnx.GraphProto) -> Iterator[onnx.NodeProto]:
    """The nodes of a graph and of its subgraphs, in order."""
    for node in graph.node:
        yield node
        for attribute in node.attribute:
            if attribute.HasField("g"):
                yield from all_nodes(attribute.g)
            for inner in attribute.graphs:
                yield from all_nodes(inner)


def data_files(path: str) -> list[str]:
    """The data files beside an existing model that it names; none when the file is absent or no model."""
    if not os.path.isfile(path):
        return []
    try:
        found = ModelFile(path, onnx.load(path, load_external_data=False)).locations
    except Exception:  # noqa: BLE001 - whatever lies there may be anything; then it has no data files that we know
        return []
    return [name for name in found if name == os.path.basename(name)]


def read(path: str, user: UserCode, runtime: Runtime = DEFAULT) -> ModelFile:
    """Read a model as the engines leave it, with the stacks of its nodes."""
    model = ModelFile(path, onnx.load(path, load_external_data=False), runtime)
    for node in all_nodes(model.proto.graph):
        stack = _stack(node, user)
        if stack:
            for name in node.output:
                model.stacks[name] = stack
    _fill(model)
    return model


def _stack(node: onnx.NodeProto, user: UserCode) -> Stack:
    for entry in node.metadata_props:
        if entry.key == _STACK_KEY:
            return user.choose(of_python_text(entry.value))
    return user.choose(of_trace_text(node.doc_string)) if node.doc_string else ()


def _fill(model: ModelFile) -> None:
    """Give nodes that passes made (constants, casts) the place of their nearest consumer, else producer."""
    nodes = list(model.proto.graph.node)
    for node in reversed(nodes):
        stack = next((model.stacks[name] for name in node.output if name in model.stacks), None)
        if stack:
            for name in node.input:
                if name:
                    model.stacks.setdefault(name, stack)
    for node in nodes:
        stack = next((model.stacks[name] for name in node.input if name in model.stacks), None)
        if stack:
            for name in node.output:
                model.stacks.setdefault(name, stack)


def consolidate(path: str, data_name: str, always: bool) -> None:
    """Put the weights into one file of the given name when they must or shall lie outside the model."""
    folder = os.path.dirname(path)
    proto = onnx.load(path, load_external_data=False)
    outside = {
        e.value
        for t in proto.graph.initializer
        if uses_external_data(t)
        for e in t.external_data
        if e.key == "location"
    }
    if outside == {data_name} or not (outside or always):
        return
    if len(outside) == 1 and not always:
        _take_data(path, proto, outside.pop(), data_name)
        return
    whole = onnx.load(path)
    total = sum(len(tensor.raw_data) for tensor in whole.graph.initializer)
    inside = total < EXTERNAL_LIMIT and not always
    for name in outside:
        os.unlink(os.path.join(folder, name))
    if inside:
        onnx.save_model(whole, path)
    else:
        # onnx refuses a name that exists in the current folder, wherever the model goes
        made = f"{secrets.token_hex(8)}.data"
        onnx.save_model(
            whole,
            path,
            save_as_external_data=True,
            all_tensors_to_one_file=True,
            location=made,
            size_threshold=1024,
        )
        if os.path.exists(os.path.join(folder, made)):
            _take_data(path, onnx.load(path, load_external_data=False), made, data_name)


def _take_data(path: str, proto: onnx.ModelProto, made: str, data_name: str) -> None:
    folder = os.path.dirname(path)
    os.rename(os.path.join(folder, made), os.path.join(folder, data_name))
    _rename_data(proto, data_name)
    onnx.save_model(proto, path)


SPARE_SUFFIX = ".spare"


def write_spare(model: ModelFile, data_name: str) -> None:
    """Write a copy of the model, beside it and with `SPARE_SUFFIX`, that gives its data file another name."""
    copy = onnx.ModelProto()
    copy.CopyFrom(model.proto)
    _rename_data(copy, data_name)
    onnx.save_model(copy, f"{model.path}{SPARE_SUFFIX}")


def _rename_data(proto: onnx.ModelProto, data_name: str) -> None:
    for tensor in proto.graph.initializer:
        for entry in tensor.external_data:
            if entry.key == "location":
                entry.value = data_name


def clean(model: ModelFile) -> None:
    """Remove what holds absolute paths of this machine, and save."""
    _strip(model.proto)
    onnx.save_model(model.proto, model.path)


def clean_size(model: ModelFile) -> int:
    """Bytes of the model in its clean form, without its data files."""
    copy = onnx.ModelProto()
    copy.CopyFrom(model.proto)
    _strip(copy)
    return int(copy.ByteSize())


def _strip(proto: onnx.ModelProto) -> None:
    for function in proto.functions:
        function.doc_string = ""
        for node in function.node:
            _clean_node(node)
    for node in all_nodes(proto.graph):
        _clean_node(node)


def _clean_node(node: onnx.NodeProto) -> None:
    node.doc_string = ""
    for entry in [entry for entry in node.metadata_props if entry.key == _STACK_KEY]:
        node.metadata_props.remove(entry)


def _used(node: onnx.NodeProto) -> Iterator[str]:
    yield from node.input
    for attribute in node.attribute:
        for graph in [*([attribute.g] if attribute.HasField("g") else []), *attribute.graphs]:
            for inner in graph.node:
                yield from _used(inner)
            for value in graph.output:
                yield value.name


def reached(model: ModelFile) -> tuple[list[str], list[str]]:
    """The inputs that reach no output, and the outputs that depend on no input."""
    graph = model.proto.graph
    makers = {name: node for node in graph.node for name in node.output}
    inputs = {value.name for value in model.inputs()}
    alive: set[str] = set()
    constant: list[str] = []
    for output in graph.output:
        seen: set[str] = set()
        stack = [output.name]
        while stack:
            name = stack.pop()
            if name not in seen:
                seen.add(name)
                if name in makers:
                    stack.extend(_used(makers[name]))
        alive |= seen & inputs
        if inputs and not seen & inputs:
            constant.append(output.name)
    return [value.name for value in model.inputs() if value.name not in alive], constant


def shape_of(value: onnx.ValueInfoProto) -> tuple[int | str, ...] | None:
    """The shape of a value: sizes, axis names, ``?`` where nothing is known."""
    kind = value.type.tensor_type
    if not value.type.HasField("tensor_type") or not kind.HasField("shape"):
        return None
    return tuple(dim.dim_value if dim.HasField("dim_value") else dim.dim_param or "?" for dim in kind.shape.dim)


def dtype_of(value: onnx.ValueInfoProto) -> str:
    if not value.type.HasField("tensor_type"):
        return value.type.WhichOneof("value") or "?"
    return str(onnx.TensorProto.DataType.Name(value.type.tensor_type.elem_type)).lower()


def described(values: Iterable[onnx.ValueInfoProto]) -> tuple[GraphValue, ...]:
    """Inputs or outputs of a graph as data."""
    return tuple(GraphValue(value.name, dtype_of(value), shape_of(value)) for value in values)


def operator_name(node: onnx.NodeProto) -> str:
    """The operator, with its domain when that is not ONNX's own."""
    return f"{node.domain}::{node.op_type}" if node.domain not in ("", "ai.onnx") else node.op_type


def operator_counts(model: ModelFile) -> dict[str, int]:
    """How often each operator stands in the model, the most frequent first."""
    return dict(Counter(map(operator_name, all_nodes(model.proto.graph))).most_common())


def check(model: ModelFile) -> None:
    """The ONNX checker; raises what it finds."""
    onnx.checker.check_model(model.path)


def text(model: ModelFile) -> str:
    """The readable form of the model (``onnx.printer``), without the weights' values."""
    slim = onnx.ModelProto()
    slim.CopyFrom(model.proto)
    for tensor in slim.graph.initializer:
        for name in ("raw_data", "float_data", "int32_data", "int64_data", "double_data", "uint64_data", "string_data"):
            tensor.ClearField(name)
        if not uses_external_data(tensor):
            tensor.data_location = onnx.TensorProto.DEFAULT
    weights = {tensor.name for tensor in slim.graph.initializer}
    del slim.graph.initializer[:]
    for known in [value for value in slim.graph.value_info if value.name in weights]:
        slim.graph.value_info.remove(known)
    for initial in model.proto.graph.initializer:
        dims = "×".join(map(str, initial.dims)) or "scalar"
        slim.graph.value_info.append(
            onnx.helper.make_tensor_value_info(
                initial.name, initial.data_type, list(initial.dims), f"initializer {dims}"
            )
        )
    return str(onnx.printer.to_text(slim))


_SCOPES_KEY = "pkg.torch.onnx.name_scopes"


def module_of(node: onnx.NodeProto) -> str:
    """The path of the module that a node comes from, as the engines write it; empty for the model's own.

    dynamo lists the modules in the metadata, outermost first, with the node's own name last; torchscript puts them into
    the name of the node, between slashes, and a name with a dot is one part of it.
    """
    for entry in node.metadata_props:
        if entry.key == _SCOPES_KEY:
            scopes = re.findall(r"'([^']*)'", entry.value)
            return scopes[-2] if len(scopes) > 1 else ""
    parts = node.name.split("/")
    return ".".join(part for part in parts[1:-1] if part) if len(parts) > 2 and not parts[0] else ""


def node_map(model: ModelFile) -> tuple[NodeRow, ...]:
    """Every node with its operator, its outputs' shapes and its stack in the user's code."""
    proto = model.proto
    known = {value.name: shape_of(value) for value in [*proto.graph.value_info, *proto.graph.output]}
    if len(known) < len(proto.graph.node) and model.size < EXTERNAL_LIMIT:
        try:
            inferred = onnx.shape_inference.infer_shapes(proto)
        except Exception:  # noqa: BLE001 - shapes are an extra: a graph with custom operators may defeat the inference
            inferred = proto
        known.update({value.name: shape_of(value) for value in inferred.graph.value_info})
    return tuple(
        NodeRow(
            node.name or f"{node.op_type}_{index}",
            operator_name(node),
            tuple(NodeOutput(name, known.get(name)) for name in node.output if name),
            next((model.stacks[name] for name in node.output if name in model.stacks), ()),
            module_of(node),
            tuple(filter(None, node.input)),
        )
        for index, node in enumerate(all_nodes(proto.graph))
    )
