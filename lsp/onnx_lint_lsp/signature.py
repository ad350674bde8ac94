"""Inputs for an export, guessed from a model's source: something to start from, which the person corrects."""

from __future__ import annotations

import re
from dataclasses import dataclass

from onnx_lint.project.classes import ClassInfo
from onnx_lint.source import ir
from onnx_lint_lsp.source_view import SourceView
from onnx_lint_lsp.workspace import Workspace

_LAYER = re.compile(
    r"\b(Conv1d|Conv2d|Conv3d|BatchNorm1d|BatchNorm2d|BatchNorm3d|Linear|LSTM|GRU|RNN|LayerNorm|Embedding)\("
    r"\s*(?:\w+\s*=\s*)?([\w.]+)"
)
_SHAPES = {
    "Conv1d": "n=2,{},t=32",
    "BatchNorm1d": "n=2,{},t=32",
    "Conv2d": "n=2,{},h=32,w=40",
    "BatchNorm2d": "n=2,{},h=32,w=40",
    "Conv3d": "n=2,{},d=8,h=16,w=20",
    "BatchNorm3d": "n=2,{},d=8,h=16,w=20",
    "Linear": "n=2,{}",
    "LSTM": "n=2,t=8,{}",
    "GRU": "n=2,t=8,{}",
    "RNN": "n=2,t=8,{}",
    "LayerNorm": "n=2,s=8,{}",
}
_INDICES = re.compile(r"(^|_)(ids?|tokens?|index|indices|idx|labels?|words?)($|_)|^(src|tgt)$")
_PLAIN = {"int": "int=2", "float": "float=0.5", "bool": "bool=true", "str": "str=text"}
_UNKNOWN_SIZE = "4"


@dataclass(frozen=True)
class _First:
    """The first layer that fixes a shape: its kind, and the size that it wants."""

    layer: str
    size: str


def guess(workspace: Workspace, view: SourceView, name: str) -> list[str]:
    """Specifications of the required arguments of a model's ``forward``, on the analysis thread. Empty if there is no
    such class, or it takes nothing."""
    module = workspace.project.modules.get(view.path)
    if module is None:
        return []
    for chunk in module.class_chunks():
        if chunk.name == name:
            forward = _forward(workspace.project.class_of(module, chunk))
            return _specs(forward, _layers(chunk.text)) if forward is not None else []
    return []


def _forward(info: ClassInfo) -> ir.FunctionDef | None:
    found = info.find("forward")
    statement = found[1][1] if found is not None else None
    return statement if isinstance(statement, ir.FunctionDef) else None


def _specs(forward: ir.FunctionDef, layers: dict[str, _First]) -> list[str]:
    positional = [p for p in forward.params.positional[1:] if p.default is None]
    keyword = [p for p in forward.params.keyword if p.default is None]
    return [f"{p.name}:{_kind(p, layers)}" for p in (*positional, *keyword)]


def _kind(parameter: ir.Param, layers: dict[str, _First]) -> str:
    annotation = parameter.annotation
    if isinstance(annotation, ir.Name) and annotation.id in _PLAIN:
        return _PLAIN[annotation.id]
    name = parameter.name.lower()
    if "mask" in name:
        return "bool[n=2,s=8]"
    embedding = layers.get("embedding")
    if _INDICES.search(name) or (embedding is not None and "shape" not in layers):
        bound = embedding.size if embedding is not None and embedding.size.isdigit() else "10"
        return f"int64[n=2,s=8]={bound}"
    first = layers.get("shape")
    if first is None:
        return f"float32[n=2,{_UNKNOWN_SIZE}]"
    return f"float32[{_SHAPES[first.layer].format(first.size if first.size.isdigit() else _UNKNOWN_SIZE)}]"


def _layers(text: str) -> dict[str, _First]:
    """The first embedding, and the first layer that is given the model's input, as they are written."""
    found: dict[str, _First] = {}
    for layer, size in _LAYER.findall(text):
        key = "embedding" if layer == "Embedding" else "shape"
        if key == "shape" and "embedding" in found and "shape" not in found:
            continue  # what follows an embedding is fed by it
        found.setdefault(key, _First(layer, size if size.isdigit() else _default(text, size)))
    return found


def _default(text: str, name: str) -> str:
    """The default of an argument, or the value given to an attribute, of that name."""
    plain = re.escape(name.rpartition(".")[2])
    match = re.search(rf"\b{plain}\s*(?::\s*\w+\s*)?=\s*(\d+)", text)
    return match.group(1) if match else ""
