"""Conditions: when Python asks whether something is true, what that says of the values, and which way stays open."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from onnx_lint.semantics.domain.demands import Demand
from onnx_lint.semantics.domain.dims import UNKNOWN_SIZE, UnknownSize
from onnx_lint.semantics.domain.engines import ALL_ENGINES
from onnx_lint.semantics.domain.equations import Equation
from onnx_lint.semantics.domain.exact_type import classes_in, is_exactly, is_frozen_then
from onnx_lint.semantics.domain.lattice import (
    alternatives,
    guarded,
    is_certain,
    join_all,
    one_of,
    together,
    under,
)
from onnx_lint.semantics.domain.shapes import TensorType
from onnx_lint.semantics.domain.sites import Branch, WeightRead
from onnx_lint.semantics.domain.sizes import dim_of, may_be_ranked
from onnx_lint.semantics.domain.truth import (
    Truth,
    combine,
    engines_of,
    negate,
    static_truth,
)
from onnx_lint.semantics.domain.values import (
    UNKNOWN,
    Alternatives,
    Array,
    Const,
    EngineFlag,
    ExternalValue,
    Frozen,
    Instance,
    Seq,
    Single,
    Size,
    Static,
    Tensor,
    Value,
)
from onnx_lint.semantics.evaluation.class_tests import class_names, is_instance
from onnx_lint.semantics.evaluation.frame import Frame
from onnx_lint.semantics.known_names import TENSOR_CLASSES
from onnx_lint.source import ir
from onnx_lint.target import Engine


def condition(frame: Frame, test: ir.Expr, keyword: str, statement: ir.Expr | ir.Stmt) -> Truth:
    """Evaluate a test and report that Python asks for its truth; one site per statement and engine, the gravest."""
    outer, outer_keyword = frame.pending, frame.keyword
    frame.pending, frame.keyword = [], keyword
    try:
        result = _condition(frame, test, keyword)
        found = frame.pending
    finally:
        frame.pending, frame.keyword = outer, outer_keyword
    left: set[Engine] = set().union(*(site.engines for site in found))
    for site in sorted(found, key=lambda site: not site.depends_on_data):
        if not left.isdisjoint(site.engines):
            engines = tuple(e for e in site.engines if e in left)
            left.difference_update(engines)
            frame.report(site if engines == site.engines else replace(site, engines=engines))
    if found and frame.checks and keyword in ("if", "assert") and result is (keyword == "if"):
        return None  # a check that sizes as they were taken fail: they give way, for the model passes it
    return result


def _condition(frame: Frame, test: ir.Expr, keyword: str) -> Truth:
    if isinstance(test, ir.BoolOp):
        left = _condition(frame, test.left, keyword)
        stops = test.op == "or"
        yes, no = engines_of(left, frame.engines)
        goes_on = no if stops else yes
        if not goes_on:
            return left
        with frame.on_way(goes_on):
            narrow(frame, test.left, not stops)
            right = _condition(frame, test.right, keyword)
        return combine(left, right, test.op)
    if isinstance(test, ir.UnaryOp) and test.op == "not":
        return negate(_condition(frame, test.value, keyword))
    return truth(frame, test, frame.interp.evaluate(frame, test), keyword)


def truth(frame: Frame, node: ir.Expr, value: Value, keyword: str) -> Truth:
    """Whether a value is true; asking a traced one is reported."""
    asked: Single | None = None
    asked_under = 0
    results: list[tuple[Truth, int]] = []
    for one, engines in guarded(value):
        if isinstance(one, (Size, Frozen, Array, Tensor)) and is_certain(one):
            asked, asked_under = asked or one, asked_under | engines
            results.append((_decided(one), engines))
        elif isinstance(one, Tensor) and not one.traced and not one.presumed:
            if _names_weight(frame, node):
                frame.emit(WeightRead, node, one, how=keyword)
            results.append((None, engines))
        else:
            results.append((static_truth(one), engines))
    if asked is not None:
        with frame.only_under(asked_under):
            frame.emit(Branch, node, asked, keyword=keyword)
    if any(isinstance(result, EngineFlag) for result, _ in results):
        # a function that says whether an engine is at work often says `False` besides, for when torch is missing or too
        # old to ask: that is no way of traced code
        results = [(r, engines) for r, engines in results if r is not False or engines != ALL_ENGINES]
    return together(results)


def _decided(value: Single) -> bool | None:
    """The truth of a size, or of a comparison of sizes, where the shapes decide it."""
    if isinstance(value, Size) and isinstance(value.dim, int):
        return bool(value.dim)
    return None


def _names_weight(frame: Frame, node: ir.Expr) -> bool:
    """Whether an expression names an attribute of a module: a constant made in passing may be known to the exporter."""
    for part in ir.walk(node):
        if isinstance(part, ir.Attribute) and isinstance(part.value, ir.Name) and frame.env is not None:
            if isinstance(frame.env.get(part.value.id), Instance):
                return True
    return False


# ------------------------------------------------------------------------------------------------------- narrowing
def narrow(frame: Frame, test: ir.Expr, outcome: bool) -> bool:
    """Use what a test that came out as `outcome` says of the names in it; whether it may come out so."""
    if isinstance(test, ir.UnaryOp) and test.op == "not":
        return narrow(frame, test.value, not outcome)
    if isinstance(test, ir.BoolOp):
        if (test.op == "and") == outcome:
            return narrow(frame, test.left, outcome) and narrow(frame, test.right, outcome)
        return _narrow_either(frame, test, outcome)
    if isinstance(test, ir.Compare) and len(test.rest) == 1:
        op, right = test.rest[0]
        if isinstance(right, ir.Const) and right.value is None and op in ("is", "is not", "==", "!="):
            return _keep(frame, test.left, (op in ("is", "==")) == outcome, _is_none)
        if isinstance(test.left, ir.Call) and ir.dotted(test.left.func) == "type" and len(test.left.args) == 1:
            return _narrow_exactly(frame, test.left.args[0], op, right, outcome)
        if op in ("==", "!=") and (op == "==") == outcome and isinstance(right, ir.Const):
            if isinstance(right.value, int) and 0 <= right.value <= _MAX_RANK:
                _narrow_rank(frame, test.left, right.value, here_only=True)
    elif isinstance(test, ir.Call) and isinstance(test.func, ir.Name) and test.func.id == "isinstance":
        if len(test.args) == 2:
            classes = frame.interp.evaluate(frame, test.args[1])
            is_open = _keep(frame, test.args[0], outcome, lambda v: is_instance(v, classes))
            if outcome:
                _assume_type(frame, test.args[0], classes)
            return is_open
    elif isinstance(test, ir.Call) and ir.dotted(test.func) in ("is_tensor", "torch.is_tensor") and test.args:
        return _keep(frame, test.args[0], outcome, lambda v: is_instance(v, ExternalValue("torch.Tensor")))
    elif isinstance(test, (ir.Name, ir.Attribute, ir.Walrus)):
        return _keep(frame, test, outcome, _is_true)
    return True


def _narrow_either(frame: Frame, test: ir.BoolOp, outcome: bool) -> bool:
    """One part of the test came out as `outcome`: the left one, or else the right one. What both of these say of a name
    holds."""
    env = frame.env
    if env is None:
        return True
    frame.env = by_left = env.copy()
    first = narrow(frame, test.left, outcome)
    frame.env = by_right = env.copy()
    second = narrow(frame, test.left, not outcome) and narrow(frame, test.right, outcome)
    frame.env = env
    ways = [way.names for way, is_open in ((by_left, first), (by_right, second)) if is_open]
    for name in [n for n, value in ways[0].items() if value is not env.names.get(n)] if ways else ():
        held = [way[name] for way in ways if way.get(name, env.names.get(name)) is not env.names.get(name)]
        if len(held) == len(ways):
            env.names[name] = join_all(held) or UNKNOWN
    return bool(ways)


def _narrow_exactly(frame: Frame, target: ir.Expr, op: str, right: ir.Expr, outcome: bool) -> bool:
    """``type(x) is A``, ``type(x) in (A, B)``, and their opposites came out as `outcome`."""
    value = frame.interp.evaluate(frame, right)
    classes: tuple[Single, ...] | None = None
    if op in ("is", "is not", "==", "!="):
        classes = alternatives(value) if not isinstance(value, Alternatives) else None
    elif op in ("in", "not in") and isinstance(value, Seq):
        classes = classes_in(value)
    if classes is None:
        return True
    wanted, holds = classes, (op in ("is", "==", "in")) == outcome
    is_open = _keep(frame, target, holds, lambda v: is_exactly(v, wanted))
    held = _target_value(frame, target)
    if holds and held is not None and any(isinstance(v, Frozen) and v.live for v in alternatives(held)):
        kept = [replace(v, live=0) if is_frozen_then(v, wanted) else v for v in alternatives(held)]
        _store(frame, target, join_all(kept) or held)
    return is_open


def require(frame: Frame, test: ir.Expr, outcome: bool) -> None:
    """Use that the program goes on only where a test comes out as `outcome`: what it says of the rank of an input."""
    if isinstance(test, ir.UnaryOp) and test.op == "not":
        require(frame, test.value, not outcome)
    elif isinstance(test, ir.BoolOp):
        if (test.op == "and") == outcome:
            require(frame, test.left, outcome)
            require(frame, test.right, outcome)
    elif isinstance(test, ir.Compare) and len(test.rest) == 1:
        op, right = test.rest[0]
        ranked = _ranked(frame, test.left) if (op == "==") == outcome and op in ("==", "!=") else None
        if ranked is not None:
            if _only_reads(right):
                (rank,) = _again(frame, right)
                if isinstance(rank, Const) and isinstance(rank.value, int) and 0 <= rank.value <= _MAX_RANK:
                    frame.demand(ranked or None, Demand(rank.value))
                    _narrow_rank(frame, test.left, rank.value)
        elif (op == "==") == outcome and op in ("==", "!="):
            if frame.analysis.search is not None or frame.analysis.roots is not None:
                _require_equal(frame, test, test.left, right)


def _narrow_rank(frame: Frame, node: ir.Expr, rank: int, *, here_only: bool = False) -> None:
    """Behind ``assert x.ndim == 4`` a tensor of unknown rank has that one. `here_only`: on this way, and others on
    others; nothing is said then of what was not seen, since what one way knows of that counts for all."""
    subject = _whose_rank(node)
    value = _target_value(frame, subject) if subject is not None else None
    if subject is None or not isinstance(value, Tensor) or not may_be_ranked(value):
        return
    if not here_only or not value.type.is_unseen:
        _store(frame, subject, replace(value, type=TensorType((UNKNOWN_SIZE,) * rank, value.type.dtype)))


def _require_equal(frame: Frame, test: ir.Expr, left: ir.Expr, right: ir.Expr) -> None:
    """A check demands that two sizes are equal; they were evaluated before, so that nothing is noted again."""
    if not _only_reads(left) or not _only_reads(right):
        return
    first, second = _again(frame, left, right)
    if frame.analysis.search is not None:
        _require_size(frame, first, second)
        _require_size(frame, second, first)
    sizes = dim_of(first), dim_of(second)
    is_wanted = frame.analysis.roots is not None and frame.records_sites
    if is_wanted and sizes[0] is not None and sizes[1] is not None:
        frame.summary.constraints.append((test.at, Equation(sizes[0], sizes[1], "a check")))


def _again(frame: Frame, *nodes: ir.Expr) -> tuple[Value, ...]:
    """The values of expressions that were evaluated before."""
    outer, frame.records_sites = frame.records_sites, False
    try:
        return tuple([frame.interp.evaluate(frame, node) for node in nodes])
    finally:
        frame.records_sites = outer


def _ranked(frame: Frame, node: ir.Expr) -> str | None:
    """The input of which an expression is the number of dimensions: of a tensor, or the length of its shape; empty for
    a tensor that is none."""
    subject = _whose_rank(node)
    if subject is not None:
        value = _target_value(frame, subject)
        return (value.type.like or "") if isinstance(value, Tensor) else None
    if isinstance(node, ir.Call) and ir.dotted(node.func) == "len" and len(node.args) == 1:
        if isinstance(node.args[0], ir.Name):
            shape = _target_value(frame, node.args[0])
            if isinstance(shape, Seq) and shape.kind == "shape" and shape.first_axis == 0:
                return shape.parameter
    return None


_MAX_RANK = 16
"""More dimensions are no rank that a program asks for."""
_READING = frozenset({"size", "dim", "len", "int"})


def _only_reads(node: ir.Expr) -> bool:
    """Whether an expression may be evaluated twice: it names nothing and calls nothing that could change something."""
    parts = list(ir.walk(node))
    called = [ir.dotted(part.func).rpartition(".")[2] for part in parts if isinstance(part, ir.Call)]
    return _READING.issuperset(called) and not any(isinstance(part, ir.Walrus) for part in parts)


def _require_size(frame: Frame, size: Value, other: Value) -> None:
    """A dimension of an input is as large as something that does not depend on the input: it cannot change."""
    if isinstance(size, Size) and size.parameter is not None and size.axis is not None and not size.boolean:
        if isinstance(other, Const) and isinstance(other.value, int):
            frame.demand(size.parameter, Demand(sizes={size.axis: other.value}))
        elif isinstance(other, Static):
            frame.demand(size.parameter, Demand(sizes={size.axis: UnknownSize(False)}))


def _whose_rank(node: ir.Expr) -> ir.Name | None:
    """The name whose number of dimensions an expression is: ``x.ndim``, ``x.dim()``, ``len(x.shape)``."""
    if isinstance(node, ir.Call) and isinstance(node.func, ir.Name) and node.func.id == "len" and len(node.args) == 1:
        inner = node.args[0]
        if isinstance(inner, ir.Call):
            inner = inner.func
        held = inner.value if isinstance(inner, ir.Attribute) and inner.attr in ("shape", "size") else None
    else:
        inner = node.func if isinstance(node, ir.Call) else node
        is_rank = isinstance(inner, ir.Attribute) and inner.attr in ("ndim", "dim", "ndimension")
        held = inner.value if is_rank and isinstance(inner, ir.Attribute) else None
    return held if isinstance(held, ir.Name) else None


def _is_none(value: Single) -> bool | None:
    if isinstance(value, Const):
        return value.value is None
    return None if value is UNKNOWN or (isinstance(value, Static) and value.type is None) else False


def _is_true(value: Single) -> bool | None:
    result = None if value.is_traced else static_truth(value)
    return result if isinstance(result, bool) else None


def _keep(frame: Frame, target: ir.Expr, wanted: bool, test: Callable[[Single], Truth]) -> bool:
    """Drop the alternatives of a name or attribute for which `test` certainly gives the other answer; whether any is
    left."""
    value = _target_value(frame, target)
    if value is None:
        return True
    if not isinstance(value, Alternatives):
        return test(value) is not (not wanted)
    kept = [(one, own) for one, own in guarded(value) if engines_of(test(one), own & frame.engines)[not wanted]]
    if kept and len(kept) < len(value.values):
        _store(frame, target, one_of(kept))
    return bool(kept)


def _assume_type(frame: Frame, target: ir.Expr, classes: Value) -> None:
    """``isinstance(x, torch.Tensor)`` held: an unknown value is a tensor. ``isinstance(x, list)`` held: what was
    presumed to be a tensor is a list of them."""
    value, names = _target_value(frame, target), class_names(classes)
    if value is UNKNOWN and names & TENSOR_CLASSES:
        _store(frame, target, Tensor(True, True))
    elif isinstance(value, Tensor) and value.presumed and names and names <= {"list", "tuple"}:
        _store(frame, target, Seq("list", None, value))


def _target_value(frame: Frame, target: ir.Expr) -> Value | None:
    if frame.env is None:
        return None
    held: Value | None = None
    if isinstance(target, ir.Name):
        held = frame.env.names.get(target.id)
    elif isinstance(target, ir.Walrus):
        held = frame.env.names.get(target.target)
    elif isinstance(target, ir.Attribute) and isinstance(target.value, ir.Name):
        held = frame.env.names.get(f"{target.value.id}.{target.attr}")
        if held is None:
            return frame.interp.evaluate(frame, target)
    return None if held is None else under(frame.read(held), frame.engines)


def _store(frame: Frame, target: ir.Expr, value: Value) -> None:
    assert frame.env is not None
    if isinstance(target, ir.Name):
        frame.env.names[target.id] = value
    elif isinstance(target, ir.Walrus):
        frame.env.names[target.target] = value
    elif isinstance(target, ir.Attribute) and isinstance(target.value, ir.Name):
        frame.env.names[f"{target.value.id}.{target.attr}"] = value
