"""What an expression is for certain, whoever calls its function: a tensor, an integer, a number.

The interpreter follows what models are seen to do, and presumes much, since rules speak of what is probable. A fix
that nobody looks at must hold for the callers that were not seen too. So nothing is presumed here: a name is what all
its bindings in the function make it, a parameter is what its annotation promises, and everything else is unknown.
"""

from __future__ import annotations

import builtins
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from functools import lru_cache

from onnx_lint.project.meanings import External
from onnx_lint.project.modules import Unit
from onnx_lint.project.rebinding import is_as_imported
from onnx_lint.semantics import torch_kinds
from onnx_lint.source import ir
from onnx_lint.source.enclosing import enclosing


class Kind(Enum):
    """What a value is for certain."""

    TENSOR = "tensor"
    SHAPE = "shape"
    """What ``x.shape`` gives: integers, as many as the tensor has dimensions."""
    INT = "int"
    FLOAT = "float"


_NUMBERS = frozenset({Kind.INT, Kind.FLOAT})
_ARITHMETIC = frozenset({"+", "-", "*", "/", "//", "%", "**"})
_WHOLE = frozenset({"+", "-", "*", "//", "%"})
"""Operators that make an integer of two."""
_TENSOR_CLASSES = frozenset(
    {"torch.Tensor", "torch.FloatTensor", "torch.LongTensor", "torch.IntTensor", "torch.BoolTensor", "torch.HalfTensor",
     "torch.DoubleTensor"}
)  # fmt: skip
_MAX_STEPS = 5_000
"""Expressions looked at for one function; more than that is not worth a fix."""
_REPEATED = (ir.For, ir.While, ir.Comprehension, ir.Lambda)
"""What is inside may come after what stands behind it."""
_GUARDS = frozenset({"isinstance", "type", "hasattr", "issubclass", "getattr", "callable"})
"""Functions that are asked about a value by code that is given several kinds of them."""


@dataclass(frozen=True)
class _Part:
    """Binding of a target in a list of targets: one element of what `value` gives."""

    value: ir.Expr


_Binding = ir.Expr | ir.Param | ir.AugAssign | _Part | None
"""What a name is bound to: a value, a parameter, the result of ``+=``; ``None`` for anything else."""


class Certainty:
    """What the expressions of one function are for certain: the function around `node`."""

    def __init__(self, unit: Unit, node: ir.Expr | ir.Stmt) -> None:
        self._unit = unit
        self.around = enclosing(unit.chunk.lowered.body, node)
        """The nodes around `node`, outermost first."""
        functions, self._is_in_class = _scopes_around(self.around, node)
        self._node = node
        self._functions = [_facts(function) for function in functions]
        self._guarded: frozenset[str] = frozenset()
        self._is_once = False
        if functions:
            inside = self.around[self.around.index(functions[-1]) :]
            self._is_once = not any(isinstance(n, _REPEATED) for n in inside)
            self._guarded = self._functions[-1].guarded
        self._pending: set[str] = set()
        self._assumed: dict[str, Kind] = {}
        self._steps = 0

    def _is_local(self, name: str) -> bool:
        return any(name in facts.bindings for facts in self._functions)

    def _bindings(self, name: str) -> list[_Binding]:
        """What the function binds a name to, as far as it can have happened when the node is reached."""
        found: list[_Binding] = []
        for binding, statement in self._functions[-1].bindings.get(name, ()) if self._functions else ():
            is_later = statement is not None and (statement.at >= self._node.at or statement in self.around)
            if not (self._is_once and is_later):  # else it comes later, and nothing leads back
                found.append(binding)
        return found

    def kind(self, node: ir.Expr) -> Kind | None:
        """What an expression of the function is for certain; ``None`` if that cannot be told."""
        self._steps += 1
        if self._steps > _MAX_STEPS:
            return None
        match node:
            case ir.Const(value=bool()):
                return None
            case ir.Const(value=int()):
                return Kind.INT
            case ir.Const(value=float()):
                return Kind.FLOAT
            case ir.Name():
                return self._of_name(node.id)
            case ir.UnaryOp(op="-" | "+"):
                inner = self.kind(node.value)
                return inner if inner is not Kind.SHAPE else None
            case ir.BinOp():
                return self._of_operator(node.op, self.kind(node.left), self.kind(node.right))
            case ir.Attribute(attr="shape"):
                return Kind.SHAPE if self.is_tensor(node.value) else None
            case ir.Attribute():
                is_one = self.is_tensor(node.value) and torch_kinds.attribute_kind(node.attr) == "tensor"
                return Kind.TENSOR if is_one and node.attr != "grad" else None
            case ir.Subscript():
                return self._of_item(node)
            case ir.Call():
                return self._of_call(node)
            case _:
                return None

    def is_tensor(self, node: ir.Expr) -> bool:
        return self.kind(node) is Kind.TENSOR

    def is_number(self, node: ir.Expr) -> bool:
        return self.kind(node) in _NUMBERS

    def full_name(self, node: ir.Expr, *, in_class: bool = False) -> str | None:
        """The full name of something outside the project, such as ``torch.cat`` or ``builtins.int``; ``None`` for what
        the function or one around it binds, or code that replaces what was imported. With `in_class`, a class around
        the function may bind it too."""
        root = node
        while isinstance(root, ir.Attribute):
            root = root.value
        module = self._unit.module
        if not isinstance(root, ir.Name) or self._is_local(root.id) or self._is_in_class:
            return None
        if not is_as_imported(module, root.id, in_class=in_class):
            return None
        meaning = module.resolve(module, node)
        if meaning is None and isinstance(node, ir.Name) and hasattr(builtins, node.id):
            return f"builtins.{node.id}"
        return torch_kinds.canonical(meaning.name) if isinstance(meaning, External) else None

    # --------------------------------------------------------------------------------------------------- expressions
    @staticmethod
    def _of_operator(op: str, left: Kind | None, right: Kind | None) -> Kind | None:
        if left is None or right is None or Kind.SHAPE in (left, right) or op not in _ARITHMETIC:
            return None
        if Kind.TENSOR in (left, right):
            return Kind.TENSOR
        if left is right is Kind.INT:
            return Kind.INT if op in _WHOLE else Kind.FLOAT if op == "/" else None
        return Kind.FLOAT if op != "**" else None

    def _of_item(self, node: ir.Subscript) -> Kind | None:
        kind = self.kind(node.value)
        if kind is Kind.TENSOR:
            return kind
        if kind is Kind.SHAPE:
            return Kind.SHAPE if isinstance(node.index, ir.Slice) else Kind.INT if _is_index(node.index) else None
        return None

    def _of_call(self, node: ir.Call) -> Kind | None:
        function = node.func
        if any(name == "out" for name, _ in node.keywords):
            return None
        if isinstance(function, ir.Attribute) and self.is_tensor(function.value):
            return self._of_method(function.attr, node)
        name = self.full_name(function)
        if name is None or not name.startswith("torch.") or not self._takes_only_plain(node):
            return None
        kind = torch_kinds.function_kind(name)
        return Kind.TENSOR if kind is not None and kind.kind == "tensor" and not kind.when else None

    def _takes_only_plain(self, node: ir.Call) -> bool:
        """Whether no argument of a function of torch can be an object that overrides it (``__torch_function__``)."""
        return all(map(self._is_plain, node.args)) and all(self._is_plain(value) for _, value in node.keywords)

    def _is_plain(self, node: ir.Expr) -> bool:
        match node:
            case ir.Const():
                return True
            case ir.Sequence():
                return all(map(self._is_plain, node.elements))
            case ir.Attribute(attr="dtype" | "device") if self.is_tensor(node.value):
                return True
            case ir.Attribute() if (name := self.full_name(node)) is not None and name.startswith("torch."):
                return torch_kinds.is_plain_constant(name.removeprefix("torch."))
            case _:
                return self.kind(node) is not None

    def _of_method(self, name: str, node: ir.Call) -> Kind | None:
        if name == "size":
            dims = (*node.args, *(value for _, value in node.keywords))
            one = len(dims) == 1 and self.kind(dims[0]) is Kind.INT  # of ``None`` it is all of them
            return Kind.SHAPE if not dims else Kind.INT if one else None
        if name in ("numel", "dim", "nelement"):
            return Kind.INT
        if not self._takes_only_plain(node):
            return None
        kind = torch_kinds.method_kind(name)
        return Kind.TENSOR if kind is not None and kind.kind == "tensor" and not kind.when else None

    # --------------------------------------------------------------------------------------------------------- names
    def _of_name(self, name: str) -> Kind | None:
        """What every binding of a name gives. While they are looked at, the name is assumed to be what the first one
        says: a binding may be made of an earlier one (``x = x + 1``), and the first is not."""
        if name in self._assumed:
            return self._assumed[name]
        if self._is_in_class:
            return None
        bindings = self._bindings(name)
        if not bindings or name in self._guarded or name in self._pending:
            return None
        self._pending.add(name)
        kind = self._of_binding(name, bindings[0])
        if kind is not None:
            self._assumed[name] = kind
            if not all(self._of_binding(name, b) is kind for b in bindings[1:]):
                kind = None
            del self._assumed[name]
        self._pending.discard(name)
        return kind

    def _of_binding(self, name: str, binding: _Binding) -> Kind | None:
        match binding:
            case None:
                return None
            case ir.Param():
                return self._of_parameter(binding)
            case _Part():
                return Kind.INT if self.kind(binding.value) is Kind.SHAPE else None
            case ir.AugAssign():
                return self._of_operator(binding.op, self._assumed.get(name), self.kind(binding.value))
            case _:
                return self.kind(binding)

    def _of_parameter(self, param: ir.Param) -> Kind | None:
        if param.default is not None or param.annotation is None:
            return None
        annotation: ir.Expr | None = param.annotation
        if isinstance(annotation, ir.Const) and isinstance(annotation.value, str):
            from onnx_lint.source.lower import lower_expression

            annotation = lower_expression(annotation.value)
        name = None if annotation is None else self.full_name(annotation, in_class=True)
        return Kind.TENSOR if name in _TENSOR_CLASSES else None


def _scopes_around(around: tuple[object, ...], node: ir.Expr | ir.Stmt) -> tuple[list[ir.FunctionDef], bool]:
    """The functions in whose bodies a node stands, outermost first, and whether a class stands between the last one
    and the node: its names are looked up in another way. Decorators, defaults and annotations belong to what is around
    their function."""
    functions: list[ir.FunctionDef] = []
    is_in_class = False
    for outer, inner in zip(around, (*around[1:], node), strict=True):
        if isinstance(outer, ir.FunctionDef) and any(inner is statement for statement in outer.body):
            functions.append(outer)
            is_in_class = False
        elif isinstance(outer, ir.ClassDef):
            is_in_class = True
    return functions, is_in_class


def _is_index(node: ir.Expr) -> bool:
    if isinstance(node, ir.UnaryOp):
        return node.op == "-" and _is_index(node.value)
    return isinstance(node, ir.Const) and type(node.value) is int


# ---------------------------------------------------------------------------------------------------------- bindings
_Bound = tuple[str, _Binding, "ir.Stmt | None"]
"""A name, what it is bound to, and the statement that does it; ``None`` for what may happen at any time."""


@dataclass(frozen=True)
class _Facts:
    """What a function binds, by name, each with its statement, and the names whose type its code asks for."""

    bindings: dict[str, list[tuple[_Binding, ir.Stmt | None]]]
    guarded: frozenset[str]


@lru_cache(maxsize=256)
def _facts(function: ir.FunctionDef) -> _Facts:
    """The facts of a function; who asks about one place in it asks about many."""
    bindings: dict[str, list[tuple[_Binding, ir.Stmt | None]]] = {}
    for name, binding, statement in _all_bindings(function):
        bindings.setdefault(name, []).append((binding, statement))
    return _Facts(bindings, frozenset(_guarded(function.body)))


def _all_bindings(function: ir.FunctionDef) -> Iterator[_Bound]:
    """Whatever binds a name in a function or in what is nested in it, first the parameters, then in order."""
    params = function.params
    for param in (*params.positional, *params.keyword):
        yield param.name, param, None
    for rest in (params.vararg, params.kwarg):
        if rest is not None:
            yield rest.name, None, None
    yield from _bound_in(function.body)


def _bound_in(node: object) -> Iterator[_Bound]:
    match node:
        case tuple():
            for part in node:
                yield from _bound_in(part)
            return
        case ir.Const():
            return
        case ir.Assign():
            for target in node.targets:
                yield from ((*bound, node) for bound in _targets(target, node.value))
        case ir.AugAssign(target=ir.Name(id=name)):
            yield name, node, node
        case ir.Walrus():
            yield node.target, node.value, None
        case ir.With():
            for _, named in node.items:
                if named is not None:
                    yield from ((*bound, node) for bound in _targets(named, None))
        case ir.Delete():
            for target in node.targets:
                yield from ((*bound, node) for bound in _targets(target, None))
        case _:
            yield from ((name, None, None) for name in _vague_names(node))
    for slot in getattr(node, "__slots__", ()):
        yield from _bound_in(getattr(node, slot))


def _vague_names(node: object) -> Iterator[str]:
    """The names that a node binds to something that is not looked at."""
    match node:
        case ir.For() | ir.Generator():
            yield from (name for name, _ in _targets(node.target, None))
        case ir.Handler(name=str(name)):
            yield name
        case ir.Scope():
            yield from node.names
        case ir.Case():
            yield from node.captures
        case ir.Import():
            yield from (alias or name.partition(".")[0] for name, alias in node.names)
        case ir.ImportFrom():
            yield from (alias or name for name, alias in node.names or ())
        case ir.FunctionDef() | ir.ClassDef() | ir.Param():
            yield node.name
        case _:
            pass


def _targets(target: ir.Expr, value: ir.Expr | None) -> Iterator[tuple[str, _Binding]]:
    match target:
        case ir.Name():
            yield target.id, value
        case ir.Sequence():
            values: tuple[ir.Expr | None, ...] = (None,) * len(target.elements)
            if isinstance(value, ir.Sequence):  # side by side: `a, b = x, y`
                stars = (isinstance(e, ir.Starred) for e in (*target.elements, *value.elements))
                if len(value.elements) == len(values) and not any(stars):
                    values = value.elements
            for element, one in zip(target.elements, values, strict=True):
                if isinstance(element, ir.Name) and value is not None and not isinstance(value, ir.Sequence):
                    yield element.id, _Part(value)
                else:
                    yield from _targets(element, one)
        case ir.Starred():
            yield from _targets(target.value, None)
        case _:
            pass


def _guarded(node: object) -> Iterator[str]:
    """Names whose type the code asks for."""
    if isinstance(node, tuple):
        for part in node:
            yield from _guarded(part)
    elif not isinstance(node, ir.Const):
        if isinstance(node, ir.Call) and node.args and isinstance(node.args[0], ir.Name):
            if (isinstance(node.func, ir.Name) and node.func.id in _GUARDS) or (
                isinstance(node.func, ir.Attribute) and node.func.attr == "is_tensor"
            ):
                yield node.args[0].id
        if isinstance(node, ir.Match) and isinstance(node.subject, ir.Name):
            yield node.subject.id
        for slot in getattr(node, "__slots__", ()):
            yield from _guarded(getattr(node, slot))
