"""How a function uses its parameters: evidence for what they are, where nothing else says it."""

from __future__ import annotations

from onnx_lint.semantics import torch_kinds
from onnx_lint.source import ir

_AXES = frozenset({"dim", "dims", "axis", "axes"})
"""Names that torch itself gives to which dimensions something is done on."""
_NUMBERS = frozenset({"int", "float", "str", "bool"})


class Usage:
    """How the parameters of a function are used in its body: evidence for what they are."""

    def __init__(self, function: ir.FunctionDef) -> None:
        self.evidence: dict[str, set[str]] = {
            p.name: set() for p in (*function.params.positional, *function.params.keyword)
        }
        self._walk(function.body)

    def kind_of(self, name: str) -> str | None:
        found = self.evidence.get(name, set())
        if "tensor" in found:
            return "tensor"
        if found == {"index"}:
            return "number"  # it picks a layer: nothing else is done with it
        for kind in ("dict", "list", "number", "object"):
            if kind in found:
                return kind
        return "number" if name in _AXES else None

    def _note(self, node: object, kind: str) -> None:
        if isinstance(node, ir.Name) and node.id in self.evidence:
            self.evidence[node.id].add(kind)

    def _walk(self, node: object) -> None:
        if isinstance(node, tuple):
            for part in node:
                self._walk(part)
            return
        slots = getattr(node, "__slots__", None)
        if slots is None:
            return
        if isinstance(node, ir.Attribute):
            self._attribute(node)
        elif isinstance(node, ir.Subscript):
            if isinstance(node.index, ir.Const):
                if isinstance(node.index.value, str):
                    self._note(node.value, "dict")
                elif isinstance(node.index.value, int) and isinstance(node.value, ir.Name) and _plural(node.value.id):
                    self._note(node.value, "list")
            elif isinstance(node.index, ir.Sequence):
                self._note(node.value, "tensor")
            elif isinstance(node.value, ir.Attribute) and ir.dotted(node.value).startswith("self."):
                self._note(node.index, "index")
        elif isinstance(node, ir.Starred):
            if isinstance(node.value, ir.Name) and _plural(node.value.id):
                self._note(node.value, "list")
        elif isinstance(node, ir.Call):
            self._call(node)
        elif isinstance(node, (ir.For, ir.Generator)):
            if isinstance(node.iter, ir.Name) and _plural(node.iter.id):
                self._note(node.iter, "list")
        elif isinstance(node, ir.BinOp) and node.op in ("*", "/", "-", "@", "**"):
            other = {id(node.left): node.right, id(node.right): node.left}
            for side in (node.left, node.right):
                if not isinstance(other[id(side)], ir.Name) or node.op == "@":
                    self._note(side, "arithmetic")
        for slot in slots:
            self._walk(getattr(node, slot))

    def _attribute(self, node: ir.Attribute) -> None:
        if node.attr in ("shape", "ndim", "dtype", "device", "T") or torch_kinds.is_tensor_only_method(node.attr):
            self._note(node.value, "tensor")
        elif node.attr in ("append", "extend", "insert"):
            self._note(node.value, "list")
        elif node.attr in ("keys", "items", "values", "get", "update"):
            self._note(node.value, "dict")
        elif torch_kinds.attribute_kind(node.attr) is None:
            self._note(node.value, "object")
        else:
            self._note(node.value, "attribute")

    def _call(self, node: ir.Call) -> None:
        name = ir.dotted(node.func)
        for argument in node.args:  # `f(*x)` hands on a list of arguments; `[*x]` may take a tensor apart
            if isinstance(argument, ir.Starred):
                self._note(argument.value, "list")
        if name == "isinstance" and len(node.args) == 2:
            asked = node.args[1].elements if isinstance(node.args[1], ir.Sequence) else (node.args[1],)
            if all(ir.dotted(kind) in _NUMBERS for kind in asked):
                self._note(node.args[0], "number")
        elif name == "range":
            for argument in node.args:
                self._note(argument, "number")
        elif name in ("torch.cat", "torch.stack", "torch.concat", "torch.hstack", "torch.vstack") and node.args:
            self._note(node.args[0], "list")
        elif name in ("len", "enumerate", "zip", "reversed"):
            for argument in node.args:
                if isinstance(argument, ir.Name) and _plural(argument.id):
                    self._note(argument, "list")
        elif name.startswith(("F.", "torch.", "nn.functional.")):
            for argument in node.args[:1]:
                self._note(argument, "tensor")
        elif isinstance(node.func, ir.Attribute) and node.func.attr in ("view", "reshape", "expand", "repeat"):
            for argument in node.args:
                self._note(argument, "number")


def _plural(name: str) -> bool:
    """A name that says that it holds several things."""
    return (name.endswith("s") and len(name) > 2 and not name.endswith("ss")) or name.endswith(("list", "tuple"))
