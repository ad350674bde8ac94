"""The shapes of a model's inputs, from what its ``forward`` does with them.

The ``forward`` is interpreted once with inputs of which nothing is known, up to the point where its operations have
said how many dimensions each of them has: in most models that is the first layer. Then it is interpreted as a whole.
"""

from __future__ import annotations

from collections.abc import Mapping

from onnx_lint.project.modules import Unit
from onnx_lint.semantics import shape_hints
from onnx_lint.semantics.domain.demands import Demand, Enough, Search
from onnx_lint.semantics.domain.environment import Environment
from onnx_lint.semantics.domain.lattice import alternatives, map_parts
from onnx_lint.semantics.domain.values import Arguments, Function, Tensor, Value
from onnx_lint.semantics.evaluation.frame import Frame
from onnx_lint.semantics.evaluation.state import Analysis, Demanded, Shown

MAX_STEPS = 400
"""Statements that are interpreted to find the shapes of inputs."""


def with_shapes(analysis: Analysis, unit: Unit, function: Function, args: Arguments, qualified: str) -> Arguments:
    """Arguments of an entry point, the tensors among them with the shapes that are demanded of them."""
    wanted = {
        one.parameter
        for value in (*args.positional, *args.keyword.values())
        for one in alternatives(value)  # an optional input is one of two
        if isinstance(one, Tensor) and one.parameter is not None and one.type.shape is None
    }
    demands = _demanded(analysis, unit, function, args, qualified, wanted).found
    hints = shape_hints.of_parameters(analysis, function)
    typed = with_demands(args, shape_hints.unified(demands, hints) if hints else demands)
    if analysis.shown is not None:
        for param, value in zip(function.function.params.positional, typed.positional, strict=False):
            for one in alternatives(value):
                if isinstance(one, Tensor):
                    analysis.shown.setdefault((unit, param.at), Shown(param.name, "input", one.type))
    return typed


def _demanded(
    analysis: Analysis, unit: Unit, function: Function, args: Arguments, qualified: str, wanted: set[str]
) -> Demanded:
    """What is demanded of the inputs `wanted`: searched for, or what it was the last time while somebody types. A
    second variant of the model demands the ranks that the first one does: the search is the dearest part of an entry
    point, and variants differ in sizes."""
    known = (analysis.as_before or [])[len(analysis.demanded) :][:1]
    if known and known[0].wanted == wanted:
        demanded = known[0]
    else:
        found: Mapping[str, Demand] = next((before.found for before in analysis.demanded if before.found), {})
        if found:
            found = {name: demand.of_any_variant() for name, demand in found.items()}
        elif wanted:
            found = search(analysis, unit, function, as_inputs(args), qualified, wanted)
        demanded = Demanded(frozenset(wanted), found, tuple(analysis.others))
        analysis.others.clear()
    analysis.demanded.append(demanded)
    return demanded


def search(
    analysis: Analysis,
    unit: Unit,
    function: Function,
    args: Arguments,
    qualified: str,
    wanted: set[str],
    *,
    steps: int = MAX_STEPS,
    wants_dtypes: bool = False,
) -> dict[str, Demand]:
    """What a function demands of the inputs `wanted`, as far as `steps` statements of it show; `args` are tensors of
    which it is known which input they are, see `as_inputs`."""
    search = analysis.search = Search(set(wanted), wants_dtypes=wants_dtypes)
    analysis.stop_at = analysis.spent + steps
    frame = Frame(analysis, unit, Environment({}), qualified=qualified)
    try:
        frame.interp.invoke(frame, None, function, None, args)
    except Enough:
        pass  # that is how it ends
    finally:
        analysis.search, analysis.stop_at = None, float("inf")
    return search.found


def as_inputs(args: Arguments) -> Arguments:
    """The arguments, of the tensors among which it is known which input they are, so that demands are noted."""
    return with_demands(args, {})


def with_demands(args: Arguments, found: Mapping[str, Demand]) -> Arguments:
    """The arguments with the types that were found; of the others it is known which input they are."""

    def typed(value: Value) -> Value:
        if not isinstance(value, Tensor):
            return map_parts(value, typed)
        if value.parameter is None or value.type.shape is not None:
            return value
        demand = found.get(value.parameter, Demand())
        return Tensor(
            value.traced, value.presumed, value.origin, value.parameter, value.is_shape, value.addresses,
            demand.type_of(value.parameter),
        )  # fmt: skip

    def one(value: Value) -> Value:
        return typed(value) if any(isinstance(v, Tensor) for v in alternatives(value)) else value

    return Arguments(
        tuple([one(v) for v in args.positional]), {k: one(v) for k, v in args.keyword.items()}, args.star,
        args.double_star, args.nodes,
    )  # fmt: skip
