"""Outputs that hang on the order of equal values in ``topk``, ``sort`` and ``argmax``, which no framework promises."""

from __future__ import annotations

import os
from collections.abc import Iterable

import numpy as np
import onnx

from .model_file import ModelFile
from .verify import Array, run, session

_PICKING = {"TopK": 1, "ArgMax": 0, "ArgMin": 0}
"""Operator → the number of its output that holds indices."""


def tied_outputs(model: ModelFile, arrays: dict[str, Array]) -> set[int]:
    """The numbers of the graph's outputs that are made with indices of values that have equals, on one input."""
    picking = [node for node in model.proto.graph.node if node.op_type in _PICKING]
    if not picking:
        return set()
    values = {**arrays, **_values(model, {node.input[0] for node in picking} - set(arrays), arrays)}
    constants = {tensor.name: tensor for tensor in model.proto.graph.initializer}
    tied: set[str] = set()
    for node in picking:
        data = values.get(node.input[0])
        if isinstance(data, np.ndarray) and _has_equals(node, data, constants):
            tied.update(name for name in node.output[_PICKING[node.op_type] :][:1] if name)
    return _reached(model, tied)


def _values(model: ModelFile, names: Iterable[str], arrays: dict[str, Array]) -> dict[str, object]:
    """Some values of the graph, from a run with them as further outputs."""
    exposed = onnx.ModelProto()
    exposed.CopyFrom(model.proto)
    known = {value.name for value in exposed.graph.output}
    exposed.graph.output.extend(onnx.ValueInfoProto(name=name) for name in names if name not in known)
    path = os.path.join(os.path.dirname(model.path), "picked.onnx")
    onnx.save_model(exposed, path)
    try:
        return dict(run(session(path, runtime=model.runtime), arrays))
    finally:
        os.unlink(path)


def _has_equals(node: onnx.NodeProto, data: Array, constants: dict[str, onnx.TensorProto]) -> bool:
    """Whether the values that an operator picks from have equals among those that matter."""
    if not data.size:
        return False
    attributes = {attribute.name: onnx.helper.get_attribute_value(attribute) for attribute in node.attribute}
    axis = attributes.get("axis", -1 if node.op_type == "TopK" else 0)
    rows = np.sort(np.moveaxis(data, axis, -1).reshape(-1, data.shape[axis]), axis=-1)
    if node.op_type == "ArgMin" or (node.op_type == "TopK" and not attributes.get("largest", 1)):
        rows = rows[:, ::-1]
    kept = 1
    if node.op_type == "TopK":
        count = constants.get(node.input[1])
        kept = int(onnx.numpy_helper.to_array(count).reshape(-1)[0]) if count is not None else rows.shape[1]
    last = rows[:, -(kept + 1) :]
    return bool((last[:, 1:] == last[:, :-1]).any())


def _reached(model: ModelFile, names: set[str]) -> set[int]:
    reached = set(names)
    for node in model.proto.graph.node:
        if reached.intersection(node.input):
            reached.update(node.output)
    return {number for number, value in enumerate(model.proto.graph.output) if value.name in reached}
