"""The interpreter: joins what walks the code with what is known of libraries. The only file that knows all of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from onnx_lint.semantics import duck_typing
from onnx_lint.semantics.catalogue import (
    containers,
    library,
    modules,
    numpy,
    offered,
    operator_calls,
    python_iterables,
    python_numbers,
    python_objects,
    python_text,
    shaping,
    tensors,
    torch_functions,
)
from onnx_lint.semantics.domain.demands import Enough
from onnx_lint.semantics.domain.values import Dict, Seq, Value
from onnx_lint.semantics.evaluation import (
    assignments,
    attributes,
    calls,
    class_tests,
    conditions,
    control,
    decorators,
    expressions,
    functions,
    globals,
    iteration,
    objects,
    operators,
    parameters,
    statements,
    subscripts,
    type_hints,
)
from onnx_lint.semantics.evaluation.frame import Frame
from onnx_lint.semantics.evaluation.interface import Interpreter
from onnx_lint.source import ir

CATALOGUE = (
    containers, modules, numpy, python_iterables, python_numbers, python_objects, python_text, tensors, torch_functions,
)  # fmt: skip
"""The modules whose models stand in the table of the registry."""

# A dict from node type to the function for just that type; its value type cannot say so, hence Any.
EXPRESSIONS: dict[type[ir.Expr], Callable[[Frame, Any], Value]] = {
    ir.Const: expressions.constant, ir.Opaque: expressions.opaque, ir.Name: expressions.name,
    ir.Attribute: attributes.attribute_expression, ir.Subscript: subscripts.subscript, ir.Slice: subscripts.slice_,
    ir.Call: calls.call, ir.BinOp: operators.binary_operation, ir.UnaryOp: operators.unary_operation,
    ir.Compare: operators.comparison, ir.BoolOp: expressions.boolean, ir.IfExp: expressions.ternary,
    ir.Lambda: expressions.lambda_, ir.Sequence: expressions.sequence, ir.Mapping: expressions.mapping,
    ir.Starred: expressions.starred, ir.Comprehension: expressions.comprehension, ir.Format: expressions.formatted,
    ir.Walrus: expressions.walrus, ir.Await: expressions.awaited,
}  # fmt: skip
STATEMENTS: dict[type[ir.Stmt], Callable[[Frame, Any], None]] = {
    ir.Assign: assignments.assignment, ir.Declare: assignments.declaration,
    ir.AugAssign: assignments.augmented_assignment, ir.ExprStmt: statements.expression_statement,
    ir.Return: control.return_, ir.Raise: control.raise_, ir.Assert: control.assert_, ir.If: control.if_,
    ir.While: control.while_, ir.For: control.for_, ir.With: control.with_, ir.Try: control.try_,
    ir.FunctionDef: statements.function_definition, ir.ClassDef: statements.class_definition,
    ir.Import: statements.import_, ir.ImportFrom: statements.import_from, ir.Delete: assignments.delete,
    ir.Jump: control.jump, ir.Scope: statements.scope, ir.Match: control.match,
}  # fmt: skip


def _evaluate(frame: Frame, node: ir.Expr) -> Value:
    value = EXPRESSIONS[type(node)](frame, node)
    kind = type(value)
    if (kind is Seq or kind is Dict) and not value.addresses:
        value = frame.owned(value)
    if frame.values is not None:
        frame.values[node.at] = value
    return value


def _execute(frame: Frame, body: ir.Block) -> None:
    for statement in body:
        if frame.env is None:
            return
        analysis = frame.analysis
        analysis.steps += 1
        if frame.records_sites or analysis.search is None:  # a search is not charged with making the parts of the model
            analysis.spent += 1
            if analysis.spent > analysis.stop_at:
                raise Enough
        STATEMENTS[type(statement)](frame, statement)


class _Joined:
    """The functions behind the facade."""

    prepare = staticmethod(offered.load)
    evaluate = staticmethod(_evaluate)
    execute = staticmethod(_execute)
    binary = staticmethod(operators.binary)
    global_value = staticmethod(globals.global_value)
    meaning_value = staticmethod(globals.meaning_value)
    external = staticmethod(globals.external)
    assign = staticmethod(assignments.assign)
    condition = staticmethod(conditions.condition)
    truth = staticmethod(conditions.truth)
    narrow = staticmethod(conditions.narrow)
    require = staticmethod(conditions.require)
    is_instance = staticmethod(class_tests.is_instance)
    element = staticmethod(iteration.element)
    loop_elements = staticmethod(iteration.loop_elements)
    unpack = staticmethod(iteration.unpack)
    spread = staticmethod(iteration.spread)
    parts_of_module = staticmethod(iteration.parts_of_module)
    attribute = staticmethod(attributes.attribute)
    instance_attribute = staticmethod(objects.instance_attribute)
    class_attribute = staticmethod(objects.class_attribute)
    super_attribute = staticmethod(objects.super_attribute)
    set_attribute = staticmethod(objects.set_attribute)
    register = staticmethod(objects.register)
    make = staticmethod(objects.make)
    sequence_of = staticmethod(objects.sequence_of)
    base_module = staticmethod(objects.base_module)
    attributes_of = staticmethod(objects.attributes_of)
    apply = staticmethod(calls.apply)
    invoke = staticmethod(functions.invoke)
    function_value = staticmethod(decorators.function_value)
    decorated = staticmethod(decorators.decorated)
    bind = staticmethod(parameters.bind)
    filled = staticmethod(parameters.filled)
    constructor_arguments = staticmethod(parameters.constructor_arguments)
    annotated = staticmethod(type_hints.annotated)
    call_external = staticmethod(library.call_external)
    call_method = staticmethod(library.call_method)
    call_module = staticmethod(modules.call_module)
    note_operator = staticmethod(operator_calls.note_at)
    check_call = staticmethod(torch_functions.check_call)
    shape_of_operation = staticmethod(shaping.operation)
    shape_of_subscript = staticmethod(shaping.subscript)
    shape_of_attribute = staticmethod(shaping.attribute)
    shape_of_item = staticmethod(shaping.item)
    attribute_of_module = staticmethod(shaping.attribute_of_module)
    named_method = staticmethod(duck_typing.call)
    is_distinctive = staticmethod(duck_typing.is_distinctive)


INTERPRETER: Interpreter = _Joined()
