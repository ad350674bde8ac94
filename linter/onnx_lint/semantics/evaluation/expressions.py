"""Expressions: from IR to values."""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

from onnx_lint.project.classes import ClassInfo
from onnx_lint.project.meanings import External, Module
from onnx_lint.project.modules import FunctionBinding, SourceModule, ValueBinding
from onnx_lint.project.resolution import Meaning
from onnx_lint.semantics.domain.sites import Branch, Conversion, Formatting, ListIndex, traced_parts
from onnx_lint.semantics.domain.values import (
    NONE,
    STATIC,
    UNKNOWN,
    Alternatives,
    Array,
    ClassValue,
    Const,
    Dict,
    ExternalInstance,
    ExternalValue,
    Frozen,
    Function,
    Instance,
    ModuleValue,
    RangeValue,
    Seq,
    Size,
    Static,
    Tensor,
    Unknown,
    Value,
    alternatives,
    element_of,
    join,
    join_all,
    type_name,
)
from onnx_lint.semantics.evaluation import calls, conditions, iteration
from onnx_lint.semantics.evaluation.frame import Analysis, Environment, Frame
from onnx_lint.source import ir

_MAX_FOLDED = 1 << 62
"""Constants beyond are not computed with."""


def evaluate(frame: Frame, node: ir.Expr) -> Value:
    """The value of an expression, reporting what it meets on the way."""
    value = DISPATCH[type(node)](frame, node)
    if frame.values is not None:
        frame.values[node.at] = value
    return value


# --------------------------------------------------------------------------------------------------------- names
def _const(frame: Frame, node: ir.Const) -> Value:
    return Const(node.value)


def _opaque(frame: Frame, node: ir.Opaque) -> Value:
    return STATIC


def _name(frame: Frame, node: ir.Name) -> Value:
    env: Environment | None = frame.env
    name = node.id
    while env is not None:
        value = env.names.get(name)
        if value is not None:
            return value
        env = env.parent
    return global_value(frame.analysis, frame.module, name)


def global_value(analysis: Analysis, module: SourceModule, name: str) -> Value:
    """What a top-level name of a module, or a built-in, is."""
    key = (id(module), name)
    held = analysis.memo.get(key)
    if held is not None:
        return held[0]
    return analysis.memo.compute(key, lambda: _global_value(analysis, module, name))


def _global_value(analysis: Analysis, module: SourceModule, name: str) -> Value:
    meaning = analysis.project.resolve_name(module, name)
    if meaning is not None:
        return meaning_value(analysis, meaning)
    if name == "__name__":
        return Static("str")
    return ExternalValue(f"builtins.{name}") if name in BUILTINS else UNKNOWN


def external(name: str) -> Value:
    if name in ("typing.TYPE_CHECKING", "typing_extensions.TYPE_CHECKING"):
        return Const(False)
    return ExternalValue(name)


def meaning_value(analysis: Analysis, meaning: Meaning | None) -> Value:
    """The value of something that a top-level name stands for."""
    if meaning is None:
        return UNKNOWN
    if isinstance(meaning, External):
        return external(meaning.name)
    if isinstance(meaning, Module):
        return ModuleValue(meaning.name, meaning.source)
    if isinstance(meaning, ClassInfo):
        return ClassValue(meaning)
    if isinstance(meaning, FunctionBinding):
        return calls.function_value(analysis, meaning)
    return _assigned(analysis, meaning)


def _assigned(analysis: Analysis, binding: ValueBinding) -> Value:
    """The value of a module-level assignment, interpreted once, outside traced code."""
    key = (id(binding.unit), (id(binding.value), binding.path))
    held = analysis.memo.get(key)
    if held is not None:
        return held[0]
    if key in analysis.global_active:
        return UNKNOWN
    analysis.global_active.add(key)
    try:
        return analysis.memo.compute(key, lambda: _assigned_value(analysis, binding))
    finally:
        analysis.global_active.discard(key)


def _assigned_value(analysis: Analysis, binding: ValueBinding) -> Value:
    analysis.tracker.read(binding.unit.dependency)
    frame = Frame(analysis, binding.unit, Environment({}, None), quiet=True)
    value = evaluate(frame, binding.value)
    for index in binding.path:
        value = (
            value.elements[index]
            if isinstance(value, Seq) and value.elements and index < len(value.elements)
            else STATIC
        )
    if isinstance(value, (Unknown, Tensor)):
        return Tensor(False) if isinstance(value, Tensor) else STATIC
    if isinstance(value, Const) and isinstance(value.value, (int, float)) and not isinstance(value.value, bool):
        return Static(type_name(value))
    return value


# ----------------------------------------------------------------------------------------------------- operators
def _binop(frame: Frame, node: ir.BinOp) -> Value:
    return binary(frame, node, node.op, evaluate(frame, node.left), evaluate(frame, node.right))


def binary(frame: Frame, node: ir.Expr | ir.Stmt, op: str, left: Value, right: Value) -> Value:
    """The result of an arithmetic operator."""
    if isinstance(left, Alternatives) or isinstance(right, Alternatives):
        results = [_binary(frame, node, op, a, b) for a in alternatives(left) for b in alternatives(right)]
        known = [r for r in results if r is not UNKNOWN]
        return join_all(known or results) or UNKNOWN
    return _binary(frame, node, op, left, right)


def _binary(frame: Frame, node: ir.Expr | ir.Stmt, op: str, left: Value, right: Value) -> Value:
    if isinstance(left, Const) and isinstance(right, Const):
        return _fold(op, left.value, right.value)
    if isinstance(left, Tensor) or isinstance(right, Tensor):
        return _tensor_result(left, right)
    if isinstance(left, Seq) or isinstance(right, Seq):
        return _sequence_operator(frame, node, op, left, right)
    if op == "%" and type_name(left) == "str":
        if any(traced_parts(right)):
            frame.emit(Formatting(*frame.base(node, right), "%"))
        return Static("str")
    if isinstance(left, Array) or isinstance(right, Array):
        return left if isinstance(left, Array) else right
    if isinstance(left, Size) or isinstance(right, Size):
        size = left if isinstance(left, Size) else right
        other = right if size is left else left
        if isinstance(other, (ExternalInstance, Instance, Dict)):
            return UNKNOWN
        if isinstance(other, Unknown):
            return Size(size.origin, presumed=True)
        return Size(size.origin)
    if isinstance(left, Frozen) or isinstance(right, Frozen):
        frozen = left if isinstance(left, Frozen) else right
        data = any(isinstance(v, Frozen) and v.from_data for v in (left, right))
        return UNKNOWN if isinstance(left, Unknown) or isinstance(right, Unknown) else Frozen(data, None, frozen.origin)
    if isinstance(left, (Static, Const)) and isinstance(right, (Static, Const)):
        return Static(_number_type(op, type_name(left), type_name(right)))
    return UNKNOWN


def _number_type(op: str, left: str | None, right: str | None) -> str | None:
    if left == right == "str":
        return "str"
    if left == right == "int":
        return "float" if op == "/" else "int"
    return "float" if {left, right} <= {"int", "float"} else None


def _tensor_result(left: Value, right: Value) -> Value:
    tensors = [v for v in (left, right) if isinstance(v, Tensor)]
    traced = left.is_traced or right.is_traced
    presumed = all(t.presumed for t in tensors)
    origin = next((v.origin for v in (left, right) if v.is_traced and v.origin is not None), None)
    return Tensor(traced, presumed, origin, None, all(t.is_shape for t in tensors))


def _sequence_operator(frame: Frame, node: ir.Expr | ir.Stmt, op: str, left: Value, right: Value) -> Value:
    if op == "+" and isinstance(left, Seq) and isinstance(right, Seq):
        if left.elements is not None and right.elements is not None and len(left.elements) + len(right.elements) <= 64:
            return Seq(left.kind if left.kind != "shape" else "tuple", (*left.elements, *right.elements))
        return Seq(left.kind, None, join_all([*left.items(), *right.items()]), left.origin or right.origin)
    sequence, other = (left, right) if isinstance(left, Seq) else (right, left)
    assert isinstance(sequence, Seq)
    if op == "*":
        if isinstance(other, Size) and isinstance(node, ir.BinOp):
            frame.emit(Conversion(*frame.base(node, other), "repetition", None))
        if isinstance(other, Const) and isinstance(other.value, int) and sequence.elements is not None:
            if 0 <= other.value * len(sequence.elements) <= 64:
                return Seq(sequence.kind, sequence.elements * other.value)
        return Seq(sequence.kind, None, element_of(sequence) if sequence.items() else None, sequence.origin)
    return UNKNOWN


_FOLDS: dict[str, Callable[[Any, Any], Any]] = {
    "+": operator.add, "-": operator.sub, "*": operator.mul, "/": operator.truediv, "//": operator.floordiv,
    "%": operator.mod, "&": operator.and_, "|": operator.or_, "^": operator.xor,
    "<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge, "==": operator.eq, "!=": operator.ne,
}  # fmt: skip


def _fold(op: str, left: object, right: object) -> Value:
    """Compute with two constants where that is cheap and certain."""
    if isinstance(left, str) and isinstance(right, str):
        if op == "+" and len(left) + len(right) < 1000:
            return Const(left + right)
        if op in ("==", "!=", "<", "<=", ">", ">="):
            return Const(_FOLDS[op](left, right))
        return Static("str")
    if isinstance(left, (int, float)) and isinstance(right, (int, float)) and op in _FOLDS:
        if abs(left) < _MAX_FOLDED and abs(right) < _MAX_FOLDED:
            if op in ("/", "//", "%") and right == 0:
                return STATIC
            if op in ("&", "|", "^") and not (isinstance(left, int) and isinstance(right, int)):
                return STATIC
            return Const(_FOLDS[op](left, right))
    if op in ("==", "!="):
        return Const((left == right) == (op == "=="))
    return STATIC


def _unary(frame: Frame, node: ir.UnaryOp) -> Value:
    if node.op == "not":
        return conditions.as_value(conditions.negate(conditions.condition(frame, node.value, "not", node)))
    value = evaluate(frame, node.value)
    if isinstance(value, Const):
        if isinstance(value.value, (int, float)) and node.op in "+-":
            return Const(-value.value if node.op == "-" else value.value)
        return Static(type_name(value))
    if isinstance(value, Size):
        return Size(value.origin)
    if isinstance(value, Tensor):
        return Tensor(value.traced, value.presumed, value.origin, None, value.is_shape)
    return value


def _bool(frame: Frame, node: ir.BoolOp) -> Value:
    left = evaluate(frame, node.left)
    result = conditions.truth(frame, node.left, left, node.op)
    stops = node.op == "or"
    if result is stops:
        return left
    before, engines = frame.env, frame.engines
    if before is not None:
        frame.env = before.copy()
    conditions.narrow(frame, node.left, not stops)
    yes, no = conditions.engines_of(result, engines)
    frame.engines = (no if stops else yes) or engines
    right = evaluate(frame, node.right)
    frame.env, frame.engines = before, engines
    if result is (not stops):
        return right
    # the left operand is the result only where it is true (or) or false (and)
    kept = [v for v in alternatives(left) if conditions.static_truth(v) is not (not stops)]
    if stops:
        kept = [v for v in kept if not (isinstance(v, Const) and v.value is None)]
    elif right.is_traced:
        kept = [v for v in kept if v.is_traced]
    return join_all([*kept, right]) or right


def _compare(frame: Frame, node: ir.Compare) -> Value:
    left = evaluate(frame, node.left)
    result: Value | None = None
    before: Value | None = None
    for op, expression in node.rest:
        right = evaluate(frame, expression)
        if before is not None:  # `a < b < c` asks for the truth of `a < b`
            conditions.truth(frame, node, before, frame.keyword or "and")
        before = compare(frame, node, op, left, right)
        result = before if result is None else _both(result, before)
        left = right
    assert result is not None
    return result


def _both(first: Value, second: Value) -> Value:
    if isinstance(first, Const) and isinstance(second, Const):
        return Const(bool(first.value) and bool(second.value))
    return second if second.is_traced else first if first.is_traced else Static("bool")


def compare(frame: Frame, node: ir.Expr, op: str, left: Value, right: Value) -> Value:
    """The result of a comparison."""
    if op in ("is", "is not") or (op in ("==", "!=") and isinstance(right, Const) and right.value is None):
        return _identity(left, right, op in ("is", "=="))
    if op in ("in", "not in"):
        return _contains(frame, node, left, right, op)
    results = [_compare_one(frame, node, op, a, b) for a in alternatives(left) for b in alternatives(right)]
    known = [r for r in results if r.is_traced]
    return join_all(known or results) or UNKNOWN


def _identity(left: Value, right: Value, positive: bool) -> Value:
    if not (isinstance(right, Const) and right.value is None):
        if isinstance(left, Const) and isinstance(right, Const) and isinstance(right.value, bool):
            return Const((left.value is right.value) == positive)
        return Static("bool")
    states = set()
    for one in alternatives(left):
        if isinstance(one, Const):
            states.add(one.value is None)
        elif isinstance(one, Unknown) or (isinstance(one, Static) and one.type is None):
            return Static("bool")
        else:
            states.add(False)
    return Const(states.pop() == positive) if len(states) == 1 else Static("bool")


def _compare_one(frame: Frame, node: ir.Expr, op: str, left: Value, right: Value) -> Value:
    if isinstance(left, Tensor) or isinstance(right, Tensor):
        if type_name(left) == "str" or type_name(right) == "str":
            return Static("bool")
        return _tensor_result(left, right)
    if isinstance(left, Seq) or isinstance(right, Seq):
        return _compare_sequences(frame, node, left, right)
    if isinstance(left, Const) and isinstance(right, Const) and op in _FOLDS:
        result = _fold(op, left.value, right.value)
        return result if isinstance(result, Const) else Static("bool")
    if isinstance(left, Array) or isinstance(right, Array):
        return left if isinstance(left, Array) else right
    if isinstance(left, Size) or isinstance(right, Size):
        size = left if isinstance(left, Size) else right
        other = right if size is left else left
        if type_name(other) == "str" or (isinstance(other, Const) and other.value is None):
            return Static("bool")
        assert isinstance(size, Size)
        return Size(size.origin, boolean=True, parameter=size.parameter, axis=size.axis)
    if isinstance(left, Frozen) or isinstance(right, Frozen):
        frozen = left if isinstance(left, Frozen) else right
        assert isinstance(frozen, Frozen)
        data = any(isinstance(v, Frozen) and v.from_data for v in (left, right))
        return Frozen(data, "bool", frozen.origin)
    if isinstance(left, Unknown) or isinstance(right, Unknown):
        return UNKNOWN
    return Static("bool")


def _compare_sequences(frame: Frame, node: ir.Expr, left: Value, right: Value) -> Value:
    """Sequences compare element by element, each time asking for the truth."""
    if not (isinstance(left, Seq) and isinstance(right, Seq)):
        return Static("bool")
    if left.elements is not None and right.elements is not None and len(left.elements) != len(right.elements):
        return Static("bool")
    part = next((p for s in (left, right) for p in traced_parts(s, 1)), None)
    if part is None or (isinstance(part, Tensor) and part.presumed):
        return Static("bool")
    frame.emit(Branch(*frame.base(node, part), frame.keyword or "=="))
    return Static("bool")


def _contains(frame: Frame, node: ir.Expr, left: Value, right: Value, op: str) -> Value:
    for container in alternatives(right):
        if isinstance(container, Dict):
            if isinstance(left, Const) and container.rest is None and isinstance(left.value, str):
                return Const((left.value in container.entries) == (op == "in"))
        elif isinstance(container, Seq):
            parts = [left] if isinstance(left, (Size, Tensor, Array)) else list(traced_parts(container, 1))
            traced = next((p for p in parts if p.is_traced and not (isinstance(p, Tensor) and p.presumed)), None)
            if traced is not None and not isinstance(traced, Frozen):
                frame.emit(Conversion(*frame.base(node, traced), "in", None))
                return Static("bool")
            if isinstance(left, Const) and container.elements is not None:
                if all(isinstance(e, Const) for e in container.elements):
                    keys = {e.key() for e in container.elements}
                    return Const((left.key() in keys) == (op == "in"))
        elif isinstance(container, Tensor) and container.traced and not container.presumed:
            frame.emit(Conversion(*frame.base(node, container), "in", None))
    return Static("bool")


def _ternary(frame: Frame, node: ir.IfExp) -> Value:
    truth = conditions.condition(frame, node.test, "ternary", node)
    before, engines = frame.env, frame.engines
    yes, no = conditions.engines_of(truth, engines)
    results: list[Value] = []
    for way, expression, outcome in ((yes, node.body, True), (no, node.orelse, False)):
        if way:
            frame.engines = way
            if before is not None:
                frame.env = before.copy()
            conditions.narrow(frame, node.test, outcome)
            results.append(evaluate(frame, expression))
    frame.env, frame.engines = before, engines
    return join_all(results) or UNKNOWN


# ------------------------------------------------------------------------------------------------------ subscripts
def _subscript(frame: Frame, node: ir.Subscript) -> Value:
    value = evaluate(frame, node.value)
    index = evaluate(frame, node.index)
    results = [_item(frame, node, v, index) for v in alternatives(value)]
    known = [r for r in results if r is not UNKNOWN]
    return join_all(known or results) or UNKNOWN


def _item(frame: Frame, node: ir.Subscript, value: Value, index: Value) -> Value:
    if isinstance(value, Tensor):
        if value.presumed and isinstance(index, Const) and isinstance(index.value, str):
            return Tensor(value.traced, True, value.origin)
        traced = value.traced or index.is_traced
        return Tensor(traced, value.presumed, value.origin or index.origin, None, value.is_shape)
    if isinstance(value, Seq):
        return _sequence_item(frame, node, value, index)
    if isinstance(value, Dict):
        if isinstance(index, Const) and isinstance(index.value, (str, int, bool)) and index.value in value.entries:
            return value.entries[index.value]
        if isinstance(index, Size):
            frame.emit(ListIndex(*frame.base(node, index), "dict"))
        return value.rest if value.rest is not None else join_all(value.values()) or UNKNOWN
    if isinstance(value, ExternalInstance):
        return _module_item(frame, node, value, index)
    if isinstance(value, Instance):
        if value.cls.find("__getitem__") is not None:
            return calls.call_method(frame, node, value, "__getitem__", [index])
        return iteration.container_items(frame, value) or UNKNOWN
    if isinstance(value, RangeValue):
        return Static("int")
    if isinstance(value, (Array, Frozen)):
        return value
    if isinstance(value, (Static, ExternalValue, ClassValue, Const)):
        return STATIC if isinstance(value, (Static, Const)) else value
    return UNKNOWN


def _module_item(frame: Frame, node: ir.Subscript, value: ExternalInstance, index: Value) -> Value:
    if isinstance(index, (Size, Tensor)) and index.is_traced and not _presumed(index):
        frame.emit(ListIndex(*frame.base(node, index), "ModuleList"))
    if isinstance(value.items, Seq) and value.items.elements and isinstance(index, Const):
        if isinstance(index.value, int) and -len(value.items.elements) <= index.value < len(value.items.elements):
            return value.items.elements[index.value]
    if isinstance(value.items, Dict) and isinstance(index, Const) and index.value in value.items.entries:
        return value.items.entries[index.value]
    if isinstance(node.index, ir.Slice):
        return value
    return iteration.module_items(frame, value)


def _sequence_item(frame: Frame, node: ir.Subscript, value: Seq, index: Value) -> Value:
    if isinstance(node.index, ir.Slice):
        return _slice_of(frame, value, node.index)
    if isinstance(index, (Size, Tensor, Array)) and index.is_traced and not _presumed(index) and value.kind != "dict":
        frame.emit(ListIndex(*frame.base(node, index), value.kind))
    elements = value.elements
    if isinstance(index, Const) and isinstance(index.value, int):
        if elements is not None:
            return elements[index.value] if -len(elements) <= index.value < len(elements) else UNKNOWN
        if value.kind == "shape" and value.is_traced:
            axis = (
                value.first_axis + index.value if index.value >= 0 else index.value if value.first_axis == 0 else None
            )
            return Size(frame.origin(node, "size", "", value.origin), parameter=value.parameter, axis=axis)
    if value.kind == "shape" and value.is_traced:
        return Size(frame.origin(node, "size", "", value.origin))
    return element_of(value) if value.items() else UNKNOWN


def _presumed(value: Value) -> bool:
    return isinstance(value, Tensor) and value.presumed


def _slice_of(frame: Frame, value: Seq, node: ir.Slice) -> Value:
    bounds: list[int | None] = []
    for part in (node.lower, node.upper, node.step):
        if part is None:
            bounds.append(None)
            continue
        bound = evaluate(frame, part)
        if isinstance(bound, Const) and (bound.value is None or isinstance(bound.value, int)):
            bounds.append(bound.value)
            continue
        if isinstance(bound, (Size, Tensor)) and bound.is_traced and not _presumed(bound) and value.kind != "shape":
            frame.emit(ListIndex(*frame.base(part, bound), value.kind))
        return Seq(value.kind, None, element_of(value) if value.items() else None, value.origin)
    lower, upper, step = bounds
    if value.elements is not None and step != 0:
        return Seq(value.kind, value.elements[lower:upper:step], origin=value.origin)
    element = element_of(value) if value.items() else None
    if value.kind == "shape" and value.is_traced:
        start = lower or 0
        if step is None and lower is not None and lower < 0 and upper is None:
            parts = [Size(value.origin, parameter=value.parameter, axis=i) for i in range(lower, 0)]
            return Seq("shape", tuple(parts), origin=value.origin)
        if step is None and upper is not None and 0 <= start < upper <= 8:
            axes = range(start, upper)
            parts = [Size(value.origin, parameter=value.parameter, axis=value.first_axis + i) for i in axes]
            return Seq("shape", tuple(parts), origin=value.origin)
        named = value.parameter if start >= 0 and step is None else None
        return Seq("shape", None, element, value.origin, named, value.first_axis + max(start, 0))
    return Seq(value.kind, None, element, value.origin)


def _slice(frame: Frame, node: ir.Slice) -> Value:
    parts = [evaluate(frame, p) for p in (node.lower, node.upper, node.step) if p is not None]
    traced = next((p for p in parts if p.is_traced), None)
    return traced if traced is not None else STATIC


# ------------------------------------------------------------------------------------------------------- displays
def _sequence(frame: Frame, node: ir.Sequence) -> Value:
    out: list[Value] = []
    loose: Value | None = None
    unknown_length = False
    for element in node.elements:
        if isinstance(element, ir.Starred):
            known, one = iteration.spread(frame, evaluate(frame, element.value), element.value)
            if known is not None:
                out.extend(known)
            else:
                unknown_length = True
                loose = one if loose is None else join(loose, one)
        else:
            out.append(evaluate(frame, element))
    if unknown_length or node.kind == "set" or len(out) > 64:
        if loose is not None:
            out.append(loose)
        return Seq(node.kind, None, join_all(out))
    return Seq(node.kind, tuple(out))


def _mapping(frame: Frame, node: ir.Mapping) -> Value:
    result = Dict({})
    for key_node, value_node in node.items:
        value = evaluate(frame, value_node)
        if key_node is None:
            for one in alternatives(value):
                if isinstance(one, Dict):
                    result.entries.update(one.entries)
                    result.rest = one.rest if result.rest is None else result.rest
                else:
                    result.rest = UNKNOWN
            continue
        key = evaluate(frame, key_node)
        if isinstance(key, Const) and isinstance(key.value, (str, int, bool, float, type(None))):
            result.entries[key.value] = value
        else:
            result.rest = value if result.rest is None else join(result.rest, value)
    return result


def _comprehension(frame: Frame, node: ir.Comprehension) -> Value:
    before = frame.env
    if before is None:
        return UNKNOWN
    frame.env = before.copy()
    length: int | None = None
    for generator in node.generators:
        iterable = evaluate(frame, generator.iter)
        if len(node.generators) == 1 and not generator.ifs:
            length = _length(iterable)
        from onnx_lint.semantics.evaluation.statements import assign

        assign(frame, generator.target, iteration.element(frame, iterable, generator.iter, "comprehension"), None)
        for test in generator.ifs:
            conditions.condition(frame, test, "filter", node)
            conditions.narrow(frame, test, True)
    key = evaluate(frame, node.key) if node.key is not None else None
    element = evaluate(frame, node.element)
    frame.env = before
    if node.kind == "dict":
        return Dict({}, element) if key is not None else UNKNOWN
    if length is not None and 0 < length <= 8 and node.kind != "set":
        return Seq(node.kind, (element,) * length)
    return Seq(node.kind, None, element)


def _length(value: Value) -> int | None:
    if isinstance(value, Seq) and value.elements is not None:
        return len(value.elements)
    return value.length if isinstance(value, RangeValue) else None


def _format(frame: Frame, node: ir.Format) -> Value:
    reported = False
    for part in node.values:
        value = evaluate(frame, part)
        if not reported and isinstance(value, (Size, Tensor, Array)) and value.is_traced and not _presumed(value):
            frame.emit(Formatting(*frame.base(part, value), "f-string"))
            reported = True
    return Static("str")


def _lambda(frame: Frame, node: ir.Lambda) -> Value:
    body = (ir.Return(node.body.at, node.body),)
    held = frame.analysis.lambdas.get(id(node))
    if held is None:
        function = ir.FunctionDef(node.at, "<lambda>", node.params, body, (), None, False, False, True)
        held = frame.analysis.lambdas[id(node)] = (node, function)
    return Function(frame.unit, held[1], frame.env)


def _walrus(frame: Frame, node: ir.Walrus) -> Value:
    value = evaluate(frame, node.value)
    if frame.env is not None and node.target:
        frame.env.names[node.target] = value
    return value


def _await(frame: Frame, node: ir.Await) -> Value:
    value = evaluate(frame, node.value) if node.value is not None else NONE
    if node.kind == "yield":
        frame.yields.append(value)
    elif node.kind == "yield from":
        frame.yields.append(iteration.element(frame, value, node.value, None))
    return UNKNOWN


def _starred(frame: Frame, node: ir.Starred) -> Value:
    return evaluate(frame, node.value)


BUILTINS = frozenset(
    {
        "abs", "all", "any", "bin", "bool", "bytes", "callable", "chr", "complex", "dict", "dir", "divmod", "enumerate",
        "filter", "float", "format", "frozenset", "getattr", "hasattr", "hash", "hex", "id", "int", "isinstance",
        "issubclass", "iter", "len", "list", "locals", "map", "max", "min", "next", "object", "open", "ord", "pow",
        "print", "property", "range", "repr", "reversed", "round", "set", "setattr", "slice", "sorted", "staticmethod",
        "classmethod", "str", "sum", "super", "tuple", "type", "vars", "zip", "globals", "delattr", "ValueError",
        "TypeError", "RuntimeError", "NotImplementedError", "AssertionError", "Exception", "KeyError", "IndexError",
        "AttributeError", "ImportError", "NotImplemented", "BaseException", "StopIteration", "UserWarning",
        "DeprecationWarning", "ModuleNotFoundError", "OSError", "ZeroDivisionError", "FutureWarning",
    }
)  # fmt: skip

# A dict from node type to the function for just that type; its value type cannot say so, hence Any.
# `attributes` and `calls` add theirs: they import this module.
DISPATCH: dict[type[ir.Expr], Callable[[Frame, Any], Value]] = {
    ir.Const: _const, ir.Opaque: _opaque, ir.Name: _name,
    ir.Subscript: _subscript, ir.Slice: _slice, ir.BinOp: _binop, ir.UnaryOp: _unary,
    ir.Compare: _compare, ir.BoolOp: _bool, ir.IfExp: _ternary, ir.Lambda: _lambda, ir.Sequence: _sequence,
    ir.Mapping: _mapping, ir.Starred: _starred, ir.Comprehension: _comprehension, ir.Format: _format,
    ir.Walrus: _walrus, ir.Await: _await,
}  # fmt: skip
