"""One table of what libraries do: functions and classes by full name, methods by the kind of their receiver.

A model is a function under `models`: it is given the call, and says what it returns. Whatever is not in the table is
answered by the defaults of its library, see `library`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from onnx_lint.semantics.domain.values import UNKNOWN, Arguments, Kind, Value
from onnx_lint.source import ir

if TYPE_CHECKING:
    from onnx_lint.semantics.evaluation.frame import Frame


@dataclass(frozen=True, slots=True)
class Call:
    """A call of something outside the project: full name or method, where it stands (``None`` when Python makes it,
    as of a key function) and what it is given."""

    name: str
    node: ir.Call | None
    args: Arguments

    @property
    def first(self) -> Value:
        """The first positional argument, unknown if there is none."""
        return self.args.positional[0] if self.args.positional else UNKNOWN

    @property
    def short(self) -> str:
        """The last part of the name."""
        return self.name.rpartition(".")[2]

    def argument_node(self, index: int = 0) -> ir.Expr | None:
        """The expression of a positional argument, where it is written as one."""
        return self.node.args[index] if self.node is not None and index < len(self.node.args) else None

    @property
    def receiver_node(self) -> ir.Expr | None:
        """The expression whose method is called."""
        return self.node.func.value if self.node is not None and isinstance(self.node.func, ir.Attribute) else None


Model = Callable[["Frame", Call], Value]
"""What a function outside the project does: its result, and sites where traced values leave the graph."""
MethodModel = Callable[["Frame", Call, Any], Value]
"""The same of a method; it is given the receiver besides, which is of the kind it is registered for."""

_FUNCTIONS: dict[str, Model] = {}
_METHODS: dict[tuple[type[Kind], str], MethodModel] = {}
_DEFAULTS: dict[type[Kind], MethodModel] = {}

ModelT = TypeVar("ModelT", bound=Model)
MethodT = TypeVar("MethodT", bound=MethodModel)


def models(*names: str) -> Callable[[ModelT], ModelT]:
    """Register a model under full names. Raises ValueError for a name that has one."""

    def register(model: ModelT) -> ModelT:
        for name in names:
            if name in _FUNCTIONS:
                raise ValueError(f"there are two models of {name}")
            _FUNCTIONS[name] = model
        return model

    return register


def models_method(kind: type[Kind], *names: str) -> Callable[[MethodT], MethodT]:
    """Register a model of methods of one kind of receiver; without names, of all that have no model of their own.
    Raises ValueError for a method that has one."""

    def register(model: MethodT) -> MethodT:
        if not names:
            if kind in _DEFAULTS:
                raise ValueError(f"there are two models of all methods of {kind.__name__}")
            _DEFAULTS[kind] = model
        for name in names:
            if (kind, name) in _METHODS:
                raise ValueError(f"there are two models of {kind.__name__}.{name}")
            _METHODS[kind, name] = model
        return model

    return register


def function_model(name: str) -> Model | None:
    """The model of a function or class by its full name, if it has one."""
    return _FUNCTIONS.get(name)


def method_model(receiver: Value, name: str) -> MethodModel | None:
    """The model of a method of a value; that of all methods of its kind if it has none of its own."""
    kind = type(receiver)
    return _METHODS.get((kind, name)) or _DEFAULTS.get(kind)


def tables() -> tuple[dict[str, Model], dict[tuple[type[Kind], str], MethodModel], dict[type[Kind], MethodModel]]:
    """The tables, for who has to put them back."""
    return _FUNCTIONS, _METHODS, _DEFAULTS


def modelled_names() -> frozenset[str]:
    """All full names that have a model."""
    return frozenset(_FUNCTIONS)
