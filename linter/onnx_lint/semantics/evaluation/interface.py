"""The facade of the interpreter: what one part of it may ask of another.

Each module of `evaluation` and `catalogue` does one kind of construct and knows nothing of its siblings: where one of
them needs another, it asks ``frame.interp``. `interpreter` is the only file that knows them all.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol, TypeAlias

from onnx_lint.semantics.domain.truth import Truth
from onnx_lint.semantics.domain.values import Arguments, ExternalInstance, Function, Instance, Super, Tensor, Value
from onnx_lint.source import ir

if TYPE_CHECKING:
    from onnx_lint.project.classes import ClassInfo
    from onnx_lint.project.modules import SourceModule, Unit
    from onnx_lint.project.resolution import Meaning
    from onnx_lint.semantics.evaluation.frame import Frame
    from onnx_lint.semantics.evaluation.state import Analysis


Part: TypeAlias = "Value | tuple[Value | None, Value | None, Value | None]"
"""A part of an index: a value, or the start, stop and step of a slice."""


class Interpreter(Protocol):
    """What `interpreter.INTERPRETER` offers; each method is a function of the module that its comment names."""

    def prepare(self) -> None:
        """Asked when an analysis begins: load what it needs, once."""

    # expressions, operators
    def evaluate(self, frame: Frame, node: ir.Expr) -> Value:
        """The value of an expression, reporting what it meets on the way."""

    def binary(self, frame: Frame, node: ir.Expr | ir.Stmt | None, op: str, left: Value, right: Value) -> Value:
        """The result of an arithmetic operator."""

    def global_value(self, analysis: Analysis, module: SourceModule, name: str) -> Value:
        """What a top-level name of a module, or a built-in, is."""

    def meaning_value(self, analysis: Analysis, meaning: Meaning | None) -> Value:
        """The value of something that a top-level name stands for."""

    def external(self, name: str) -> Value:
        """Something outside the project by its full name."""

    # statements
    def execute(self, frame: Frame, body: ir.Block) -> None:
        """Interpret statements in order, as long as a way is open."""

    def assign(self, frame: Frame, target: ir.Expr, value: Value, source: ir.Expr | None) -> None:
        """Bind `value` to a target; `source` is the expression it came from, for places."""

    # conditions
    def condition(self, frame: Frame, test: ir.Expr, keyword: str, statement: ir.Expr | ir.Stmt) -> Truth:
        """Evaluate a test and report that Python asks for its truth."""

    def truth(self, frame: Frame, node: ir.Expr, value: Value, keyword: str) -> Truth:
        """Whether a value is true; asking a traced one is reported."""

    def narrow(self, frame: Frame, test: ir.Expr, outcome: bool) -> bool:
        """Use what a test that came out as `outcome` says of the names in it."""

    def require(self, frame: Frame, test: ir.Expr, outcome: bool) -> None:
        """Use that the program goes on only where a test comes out as `outcome`."""

    def is_instance(self, value: Value, classes: Value) -> Truth:
        """Whether a value is an instance of a class or of one of several, where known."""

    # iteration
    def element(
        self,
        frame: Frame,
        value: Value,
        node: ir.Expr | None = None,
        how: str | None = None,
        *,
        statement: ir.Stmt | ir.Expr | None = None,
    ) -> Value:
        """What iterating over a value yields; with `how`, iterating over a traced tensor is reported at `node`."""

    def loop_elements(self, frame: Frame, iterable: Value) -> tuple[Value, ...] | None:
        """The elements of a short sequence of unlike values, for unrolling; ``None`` if one pass will do."""

    def unpack(self, frame: Frame, value: Value, count: int, star: int | None, node: ir.Expr) -> list[Value]:
        """The values for `count` targets, of which the one at `star` takes a list."""

    def spread(self, frame: Frame, value: Value, node: ir.Expr) -> tuple[tuple[Value, ...] | None, Value]:
        """``*value``: the elements when they are known, else ``None`` and what each may be."""

    def parts_of_module(self, frame: Frame, value: Value) -> Value | None:
        """What a container of modules holds; ``None`` when it is none."""

    # attributes, objects
    def attribute(self, frame: Frame, node: ir.Attribute, value: Value) -> Value:
        """The attribute of a value that has been evaluated."""

    def instance_attribute(self, frame: Frame, node: ir.Expr, instance: Instance, name: str) -> Value:
        """``instance.name`` of an object of the project."""

    def class_attribute(self, frame: Frame, cls: ClassInfo, name: str, receiver: Instance | None) -> Value:
        """A name of a class body, bound to `receiver` when it is a method."""

    def super_attribute(self, frame: Frame, value: Super, name: str) -> Value:
        """``super().name``."""

    def set_attribute(self, frame: Frame, instance: Instance, name: str, value: Value) -> None:
        """``instance.name = value``."""

    def register(self, frame: Frame, instance: Instance, name: Value, value: Value) -> None:
        """``register_buffer`` and the like: an attribute by a name that is known when it is a constant."""

    def make(self, frame: Frame, cls: ClassInfo, args: Arguments | None) -> Value:
        """An instance of a project class; `args` is ``None`` when it was not seen being made."""

    def sequence_of(self, frame: Frame, instance: Instance) -> ExternalInstance: ...
    def base_module(self, frame: Frame, instance: Instance) -> ExternalInstance | None:
        """What ``super().__init__`` made of an object whose class derives from a module of torch."""

    def attributes_of(self, frame: Frame, instance: Instance) -> dict[str, Value]:
        """All attributes that an object has once it is made."""

    # calls, functions
    def apply(self, frame: Frame, node: ir.Call | None, function: Value, args: Arguments) -> Value:
        """Call a value."""

    def invoke(
        self, frame: Frame, node: ir.Expr | None, function: Function, receiver: Value | None, args: Arguments
    ) -> Value:
        """Call a project function: bind its parameters, interpret its body, remember the result."""

    def function_value(
        self, analysis: Analysis, unit: Unit, function: ir.FunctionDef, owner: ClassInfo | None
    ) -> Value:
        """A function as its name stands for it: through its decorators."""

    def decorated(self, frame: Frame, value: Value, decorators: tuple[ir.Expr, ...]) -> Value:
        """Apply decorators, innermost first."""

    # parameters, annotations
    def bind(self, frame: Frame, function: Function, args: Arguments) -> None:
        """Bind the arguments of a call to the parameters of `function`, in `frame`."""

    def filled(self, analysis: Analysis, function: Function, args: Arguments) -> Arguments | None: ...
    def constructor_arguments(self, analysis: Analysis, function: Function, skip: int = 1) -> Arguments:
        """Arguments for an ``__init__`` that nobody was seen calling."""

    def annotated(self, analysis: Analysis, module: SourceModule, annotation: ir.Expr) -> Value | None:
        """What an annotation promises; ``None`` if nothing can be told."""

    # catalogue, duck typing
    def call_external(self, frame: Frame, node: ir.Call | None, name: str, args: Arguments) -> Value:
        """Call something outside the project by its full name."""

    def call_method(self, frame: Frame, node: ir.Call | None, receiver: Value, name: str, args: Arguments) -> Value:
        """Call a method by name of something that is no project object."""

    def call_module(self, frame: Frame, node: ir.Call | None, module: Value, args: Arguments) -> Value:
        """Call an instance of an external class, such as ``nn.Conv2d``."""

    # shapes
    def shape_of_operation(
        self, frame: Frame, node: ir.Expr | ir.Stmt | None, op: str, operands: Sequence[Value], result: Value
    ) -> Value:
        """The result of an operator, with the shape that its operands give it."""

    def shape_of_subscript(self, frame: Frame, tensor: Tensor, index: Sequence[Part], result: Value) -> Value:
        """``tensor[index]``, with its shape."""

    def shape_of_attribute(self, name: str, tensor: Tensor, result: Value) -> Value:
        """``tensor.T`` and the like, with its shape."""

    def shape_of_item(self, tensor: Tensor, result: Value) -> Value:
        """What iterating over a tensor yields, with its shape."""

    def attribute_of_module(self, module: ExternalInstance, name: str) -> Value | None:
        """A parameter, buffer or setting of a module of torch; ``None`` when it has none of that name."""

    def note_operator(self, frame: Frame, node: ir.Expr | ir.Stmt, name: str, args: Arguments) -> None:
        """Record a call of an operator of torch that is not written as one."""

    def check_call(self, frame: Frame, node: ir.Call, name: str) -> Value | None:
        """``torch._assert(…)``, before its arguments are evaluated; ``None`` for other functions."""

    def named_method(self, frame: Frame, node: ir.Call | None, name: str, args: Arguments) -> Value | None:
        """Call a method that only one or two classes of the project have, on one of them; ``None`` when its name does
        not say which."""

    def is_distinctive(self, analysis: Analysis, name: str) -> bool:
        """Whether a method name says which class of the project is meant."""
