"""Conditions: when Python asks whether something is true, what that says of the values, and which way stays open."""

from __future__ import annotations

from onnx_lint.semantics.domain.sites import Branch
from onnx_lint.semantics.domain.values import (
    FALSE,
    NONE,
    STATIC,
    TRUE,
    UNKNOWN,
    Alternatives,
    Array,
    Const,
    Dict,
    EngineFlag,
    ExternalInstance,
    ExternalValue,
    Frozen,
    Function,
    Instance,
    Seq,
    Size,
    Static,
    Tensor,
    Value,
    alternatives,
    join,
    join_all,
)
from onnx_lint.semantics.evaluation import expressions
from onnx_lint.semantics.evaluation.frame import ALL_ENGINES, Frame
from onnx_lint.source import ir

Truth = bool | EngineFlag | None
"""Certain, true for some engines only, or not known."""


def condition(frame: Frame, test: ir.Expr, keyword: str, statement: ir.Expr | ir.Stmt) -> Truth:
    """Evaluate a test and report that Python asks for its truth; one site per statement, the gravest."""
    outer, outer_keyword = frame.pending, frame.keyword
    frame.pending, frame.keyword = [], keyword
    result = _condition(frame, test, keyword)
    found, frame.pending, frame.keyword = frame.pending, outer, outer_keyword
    if found:
        frame.emit(next((s for s in found if s.depends_on_data), found[0]))
    return result


def _condition(frame: Frame, test: ir.Expr, keyword: str) -> Truth:
    if isinstance(test, ir.BoolOp):
        left = _condition(frame, test.left, keyword)
        stops = test.op == "or"
        if left is stops:
            return left
        before, engines = frame.env, frame.engines
        if before is not None:
            frame.env = before.copy()
        narrow(frame, test.left, not stops)
        if isinstance(left, EngineFlag):
            frame.engines = engines & (~left.true_for if stops else left.true_for) or engines
        right = _condition(frame, test.right, keyword)
        frame.env, frame.engines = before, engines
        return _combine(left, right, test.op)
    if isinstance(test, ir.UnaryOp) and test.op == "not":
        return negate(_condition(frame, test.value, keyword))
    return truth(frame, test, expressions.evaluate(frame, test), keyword)


def negate(value: Truth) -> Truth:
    if isinstance(value, EngineFlag):
        return EngineFlag(ALL_ENGINES & ~value.true_for)
    return None if value is None else not value


def _combine(left: Truth, right: Truth, op: str) -> Truth:
    if left is None or right is None:
        certain = op == "or"
        return certain if right is certain or left is certain else None
    if isinstance(left, EngineFlag) or isinstance(right, EngineFlag):
        a, b = _mask(left), _mask(right)
        mask = a | b if op == "or" else a & b
        return EngineFlag(mask) if 0 < mask < ALL_ENGINES else bool(mask)
    return (left or right) if op == "or" else (left and right)


def _mask(value: bool | EngineFlag) -> int:
    if isinstance(value, EngineFlag):
        return value.true_for
    return ALL_ENGINES if value else 0


def engines_of(value: Truth, engines: int) -> tuple[int, int]:
    """The engines that go the true way and those that go the false way."""
    if value is None:
        return engines, engines
    if isinstance(value, EngineFlag):
        return engines & value.true_for, engines & ~value.true_for
    return (engines, 0) if value else (0, engines)


def truth(frame: Frame, node: ir.Expr, value: Value, keyword: str) -> Truth:
    """Whether a value is true; asking a traced one is reported."""
    hazard = False
    results: list[Truth] = []
    for one in alternatives(value):
        if isinstance(one, (Size, Frozen, Array)) or (isinstance(one, Tensor) and one.traced and not one.presumed):
            hazard = True
            results.append(None)
        else:
            results.append(static_truth(one))
    if hazard:
        subject = (
            value
            if not isinstance(value, Alternatives)
            else next(v for v in value.values if v.is_traced and not (isinstance(v, Tensor) and v.presumed))
        )
        frame.emit(Branch(*frame.base(node, subject), keyword))
    first = results[0]
    if isinstance(first, EngineFlag):
        return first if len(results) == 1 else None
    return first if all(r is first for r in results) else None


def static_truth(value: Value) -> Truth:
    """The truth of a value that is not traced, where known."""
    if isinstance(value, Const):
        return bool(value.value) if isinstance(value.value, (bool, int, float, str, bytes, type(None))) else True
    if isinstance(value, EngineFlag):
        return value
    if isinstance(value, Seq) and value.elements is not None:
        return bool(value.elements) or (False if value.kind == "tuple" else None)
    if isinstance(value, Dict) and value.entries:
        return True
    if isinstance(value, (Function, ExternalValue)):
        return True
    if isinstance(value, Instance):
        return None if value.cls.find("__len__") or value.cls.find("__bool__") else True
    if isinstance(value, ExternalInstance):
        return None if value.items is not None else True
    return None


# ----------------------------------------------------------------------------------------------------- narrowing
def narrow(frame: Frame, test: ir.Expr, outcome: bool) -> None:
    """Use what a test that came out as `outcome` says of the names in it."""
    if isinstance(test, ir.UnaryOp) and test.op == "not":
        narrow(frame, test.value, not outcome)
    elif isinstance(test, ir.BoolOp):
        if (test.op == "and") == outcome:
            narrow(frame, test.left, outcome)
            narrow(frame, test.right, outcome)
    elif isinstance(test, ir.Compare) and len(test.rest) == 1:
        op, right = test.rest[0]
        if isinstance(right, ir.Const) and right.value is None and op in ("is", "is not", "==", "!="):
            _keep(frame, test.left, (op in ("is", "==")) == outcome, _is_none)
    elif isinstance(test, ir.Call) and isinstance(test.func, ir.Name) and test.func.id == "isinstance":
        if len(test.args) == 2:
            classes = expressions.evaluate(frame, test.args[1])
            _keep(frame, test.args[0], outcome, lambda v: is_instance(v, classes))
            if outcome:
                _assume_type(frame, test.args[0], classes)
    elif isinstance(test, (ir.Name, ir.Attribute, ir.Walrus)):
        _keep(frame, test, outcome, _is_true)


def _is_none(value: Value) -> bool | None:
    if isinstance(value, Const):
        return value.value is None
    return None if value is UNKNOWN or (isinstance(value, Static) and value.type is None) else False


def _is_true(value: Value) -> bool | None:
    result = None if value.is_traced else static_truth(value)
    return result if isinstance(result, bool) else None


def _keep(frame: Frame, target: ir.Expr, wanted: bool, test: object) -> None:
    """Drop the alternatives of a name or attribute for which `test` certainly gives the other answer."""
    assert callable(test)
    value = _target_value(frame, target)
    if not isinstance(value, Alternatives):
        return
    kept = [v for v in value.values if test(v) is not (not wanted)]
    if kept and len(kept) < len(value.values):
        _store(frame, target, join_all(kept) or UNKNOWN)


def _assume_type(frame: Frame, target: ir.Expr, classes: Value) -> None:
    """``isinstance(x, torch.Tensor)`` held: an unknown value is a tensor."""
    value = _target_value(frame, target)
    if value is UNKNOWN and _names(classes) & _TENSOR_CLASSES:
        _store(frame, target, Tensor(True, True))


def _target_value(frame: Frame, target: ir.Expr) -> Value | None:
    if frame.env is None:
        return None
    if isinstance(target, ir.Name):
        return frame.env.names.get(target.id)
    if isinstance(target, ir.Walrus):
        return frame.env.names.get(target.target)
    if isinstance(target, ir.Attribute) and isinstance(target.value, ir.Name):
        narrowed = frame.env.names.get(f"{target.value.id}.{target.attr}")
        return narrowed if narrowed is not None else expressions.evaluate(frame, target)
    return None


def _store(frame: Frame, target: ir.Expr, value: Value) -> None:
    assert frame.env is not None
    if isinstance(target, ir.Name):
        frame.env.names[target.id] = value
    elif isinstance(target, ir.Walrus):
        frame.env.names[target.target] = value
    elif isinstance(target, ir.Attribute) and isinstance(target.value, ir.Name):
        frame.env.names[f"{target.value.id}.{target.attr}"] = value


# ----------------------------------------------------------------------------------------------------- isinstance
_TENSOR_CLASSES = frozenset({"torch.Tensor", "torch.FloatTensor", "torch.LongTensor"})
_SEQUENCE_CLASSES = {"list": {"list"}, "tuple": {"tuple", "shape"}, "set": {"set"}}
_ABSTRACT_SEQUENCES = frozenset(
    {"typing.Sequence", "collections.abc.Sequence", "typing.Iterable", "collections.abc.Iterable"}
)


def _names(classes: Value) -> set[str]:
    names: set[str] = set()
    for one in alternatives(classes):
        if isinstance(one, ExternalValue):
            names.add(one.name.removeprefix("builtins."))
        elif isinstance(one, Seq):
            for item in one.items():
                names |= _names(item)
        else:
            names.add("?")
    return names


def is_instance(value: Value, classes: Value) -> bool | EngineFlag | None:
    """Whether a value is an instance of a class or of one of several, where known."""
    if isinstance(value, Alternatives):
        results = [is_instance(v, classes) for v in value.values]
        first = results[0]
        return first if all(r is first for r in results) and not isinstance(first, EngineFlag) else None
    names = _names(classes)
    if isinstance(value, (Tensor, Array)):
        if names & _TENSOR_CLASSES:
            return None if isinstance(value, Array) else True
        if isinstance(value, Tensor) and value.presumed:
            return None
        return None if "?" in names or "torch.nn.Parameter" in names else False
    if isinstance(value, Size):
        # under tracing a size is a 0-dim tensor, under dynamo a SymInt that passes for an int
        if value.boolean:
            return None
        as_tensor, as_int = bool(names & _TENSOR_CLASSES), "int" in names
        if as_tensor and as_int:
            return True
        return EngineFlag(1) if as_tensor else EngineFlag(2) if as_int else None
    if isinstance(value, Seq):
        if names & _ABSTRACT_SEQUENCES:
            return None if value.kind == "set" else True
        if any(value.kind in kinds and name in names for name, kinds in _SEQUENCE_CLASSES.items()):
            return True
        return None if "?" in names or value.kind in ("generator", "iterator") else _plain_false(names)
    if isinstance(value, Dict):
        return True if "dict" in names else None if "?" in names else _plain_false(names)
    if isinstance(value, (Const, Static)):
        from onnx_lint.semantics.domain.values import type_name

        name = type_name(value)
        if name is None or "?" in names:
            return None
        if name in names or (name == "bool" and "int" in names):
            return True
        return _plain_false(names)
    if isinstance(value, Instance):
        return _instance_of(value, classes)
    return None


def _plain_false(names: set[str]) -> bool | None:
    """False when all classes are ones that cannot be a base of a plain Python value."""
    known = {"int", "float", "str", "bool", "list", "tuple", "dict", "set", "bytes", "NoneType", "complex"}
    return False if all(n in known or n.startswith("torch.") for n in names) else None


def _instance_of(value: Instance, classes: Value) -> bool | None:
    from onnx_lint.project.classes import ClassInfo
    from onnx_lint.semantics.domain.values import ClassValue

    wanted = [c for one in alternatives(classes) for c in (one.items() if isinstance(one, Seq) else (one,))]
    order = value.cls.mro
    for one in wanted:
        if isinstance(one, ClassValue) and one.cls in order:
            return True
        if isinstance(one, ExternalValue) and any(not isinstance(c, ClassInfo) and c.name == one.name for c in order):
            return True
    certain = all(isinstance(one, (ClassValue, ExternalValue)) for one in wanted)
    outside = any(not isinstance(c, ClassInfo) and not c.name.startswith("torch.") for c in order)
    return False if certain and not outside else None


def as_value(result: Truth) -> Value:
    """The Python value of a truth."""
    if isinstance(result, EngineFlag):
        return result
    return Static("bool") if result is None else TRUE if result else FALSE


__all__ = [
    "FALSE", "NONE", "STATIC", "TRUE", "Truth", "as_value", "condition", "engines_of", "is_instance", "join", "narrow",
    "negate", "static_truth", "truth",
]  # fmt: skip
