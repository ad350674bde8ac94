"""Annotations: what they promise of a value."""

from __future__ import annotations

from onnx_lint.project.classes import ClassInfo
from onnx_lint.project.meanings import External
from onnx_lint.project.modules import SourceModule, ValueBinding
from onnx_lint.semantics import torch_kinds
from onnx_lint.semantics.domain.lattice import join, join_all, type_name
from onnx_lint.semantics.domain.values import (
    NONE,
    STATIC,
    UNKNOWN,
    ClassValue,
    Const,
    Dict,
    Instance,
    Seq,
    Static,
    Tensor,
    Value,
)
from onnx_lint.semantics.evaluation.state import Analysis
from onnx_lint.semantics.known_names import TENSOR_CLASSES
from onnx_lint.source import ir
from onnx_lint.source.lower import lower_expression

_PLAIN = {"int", "float", "str", "bool", "bytes", "complex"}
_LISTS = {
    "list": "list", "List": "list", "typing.List": "list", "Sequence": "list", "typing.Sequence": "list",
    "collections.abc.Sequence": "list", "Iterable": "list", "typing.Iterable": "list",
    "set": "set", "typing.Set": "set",
}  # fmt: skip
_DICTS = {
    "dict", "Dict", "typing.Dict", "Mapping", "typing.Mapping", "OrderedDict", "typing.OrderedDict",
    "collections.OrderedDict",
}  # fmt: skip
_OPTIONAL = {"Optional", "typing.Optional"}
_UNIONS = {"Union", "typing.Union"}
_WRAPPERS = {
    "Annotated", "typing.Annotated", "Final", "typing.Final", "typing.ClassVar", "ClassVar", "Unpack", "Required",
}  # fmt: skip


def annotated(analysis: Analysis, module: SourceModule, annotation: ir.Expr, depth: int = 6) -> Value | None:
    """What an annotation promises: a traced tensor for ``Tensor``, fixed values for ``int`` and the like; ``None``
    if nothing can be told."""
    if depth == 0:
        return None
    if isinstance(annotation, ir.Const):
        if annotation.value is None:
            return NONE
        if isinstance(annotation.value, str) and len(annotation.value) < 500:
            inner = lower_expression(annotation.value)
            return None if inner is None else annotated(analysis, module, inner, depth - 1)
        return None
    if isinstance(annotation, ir.BinOp) and annotation.op == "|":
        return _union(analysis, module, (annotation.left, annotation.right), depth)
    if isinstance(annotation, ir.Subscript):
        return _generic(analysis, module, annotation, depth)
    name = _annotation_name(analysis, module, annotation)
    if isinstance(name, ValueBinding):  # an alias such as `Size_ = Tuple[int, int]`
        return annotated(analysis, name.unit.module, name.value, depth - 1)
    if name is None:
        return None
    if isinstance(name, ClassInfo):
        return Instance(name, None, "annotated") if not name.is_module else None
    return _by_name(name)


def _by_name(name: str) -> Value | None:
    if name in _PLAIN:
        return Static(name)
    if name in TENSOR_CLASSES:
        return Tensor(True)
    if name.startswith("jaxtyping.") or name in ("torchtyping.TensorType",):
        return Tensor(True)
    if name in ("torch.Size",):
        return Seq("shape", None, Static("int"))
    if name == "torch.device":
        return Static("device")
    if name in ("torch.dtype", "torch.Generator", "torch.memory_format"):
        return STATIC
    if name.startswith("torch.distributed."):  # a group of processes, a mesh of devices: no tensor
        return STATIC
    if name in _LISTS:
        return Seq(_LISTS[name], None, UNKNOWN)
    if name in ("tuple", "typing.Tuple"):
        return Seq("tuple", None, UNKNOWN)
    if name in _DICTS:
        return Dict({}, UNKNOWN)
    if name in ("typing.Callable", "collections.abc.Callable"):
        return STATIC
    return None


def _union(analysis: Analysis, module: SourceModule, parts: tuple[ir.Expr, ...], depth: int) -> Value | None:
    values = [annotated(analysis, module, p, depth - 1) for p in parts]
    known = [v for v in values if v is not None]
    if not known:
        return None
    out = known[0]
    for value in known[1:]:
        out = join(out, value)
    if len(known) < len(values) and out is NONE:
        return None
    return out


def _generic(analysis: Analysis, module: SourceModule, annotation: ir.Subscript, depth: int) -> Value | None:
    name = _annotation_name(analysis, module, annotation.value)
    if not isinstance(name, str):
        return Instance(name, None, "annotated") if isinstance(name, ClassInfo) and not name.is_module else None
    index = annotation.index
    parts = index.elements if isinstance(index, ir.Sequence) else (index,)
    if name in _OPTIONAL:
        inner = annotated(analysis, module, parts[0], depth - 1)
        return join(NONE, inner) if inner is not None else None
    if name in _UNIONS:
        return _union(analysis, module, parts, depth)
    if name in _WRAPPERS:
        return annotated(analysis, module, parts[0], depth - 1)
    if name in _LISTS:
        inner = annotated(analysis, module, parts[0], depth - 1)
        return Seq(_LISTS[name], None, inner if inner is not None else UNKNOWN)
    if name in ("tuple", "Tuple", "typing.Tuple"):
        if len(parts) == 2 and isinstance(parts[1], ir.Const) and parts[1].value is ...:
            return Seq("tuple", None, annotated(analysis, module, parts[0], depth - 1) or UNKNOWN)
        return Seq("tuple", tuple([annotated(analysis, module, p, depth - 1) or UNKNOWN for p in parts]))
    if name in _DICTS:
        inner = annotated(analysis, module, parts[-1], depth - 1)
        return Dict({}, inner if inner is not None else UNKNOWN)
    if name in ("typing.Literal", "Literal", "typing_extensions.Literal"):
        kinds = {type_name(Const(p.value)) for p in parts if isinstance(p, ir.Const)}
        return Static(kinds.pop() if len(kinds) == 1 else None)
    if name in ("type", "Type", "typing.Type"):
        return _one_of(analysis, module, index) or STATIC
    if name in ("Callable", "typing.Callable", "collections.abc.Callable"):
        return STATIC
    return _by_name(name)


def _one_of(analysis: Analysis, module: SourceModule, node: ir.Expr) -> Value | None:
    """What ``type[A | B]`` promises of two modules: one of these classes. One class alone is most often a base of what
    is given."""
    if isinstance(node, ir.Const) and isinstance(node.value, str) and len(node.value) < 500:
        inner = lower_expression(node.value)
        return None if inner is None else _one_of(analysis, module, inner)
    parts: tuple[ir.Expr, ...] = ()
    if isinstance(node, ir.BinOp) and node.op == "|":
        parts = (node.left, node.right)
    elif isinstance(node, ir.Subscript) and _annotation_name(analysis, module, node.value) in _UNIONS:
        parts = node.index.elements if isinstance(node.index, ir.Sequence) else ()
    meant = [analysis.project.resolve(module, part) for part in parts]
    classes = [m for m in meant if isinstance(m, ClassInfo) and m.find("forward") is not None]
    return join_all([ClassValue(c) for c in classes]) if classes and len(classes) == len(meant) else None


def _annotation_name(
    analysis: Analysis, module: SourceModule, node: ir.Expr, hops: int = 4
) -> str | ClassInfo | ValueBinding | None:
    """The full name of an annotation, through aliases of the project (``Tensor = torch.Tensor``); an alias of more
    than a name is handed back as it is bound."""
    meaning = analysis.project.resolve(module, node)
    if isinstance(meaning, ClassInfo):
        return meaning
    if isinstance(meaning, External):
        return torch_kinds.canonical(meaning.name)
    if isinstance(meaning, ValueBinding) and hops:
        if isinstance(meaning.value, (ir.Name, ir.Attribute)):
            return _annotation_name(analysis, meaning.unit.module, meaning.value, hops - 1)
        return meaning if isinstance(meaning.value, (ir.Subscript, ir.BinOp)) else None
    if isinstance(node, ir.Name):
        return node.id
    return None
