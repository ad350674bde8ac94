"""What the table of verdicts says of a call, and how rules say it."""

from __future__ import annotations

from collections.abc import Mapping

from onnx_lint.semantics.catalogue import verdicts
from onnx_lint.semantics.catalogue.verdicts import UNSURE, Entry, Outcome
from onnx_lint.semantics.domain.sites import OperatorCall
from onnx_lint.semantics.domain.values import Const, Seq, Value
from onnx_lint.target import Effect, Engine
from onnx_lint_rules.wording import quoted

_POSITIONS: Mapping[str, Mapping[str, int]] = {
    "torch.nn.functional.interpolate": {"mode": 3, "align_corners": 4},
    "torch.nn.functional.one_hot": {"num_classes": 1},
    "torch.nn.functional.pad": {"mode": 2},
    "torch.nn.ConvTranspose2d": {"output_size": 1},
    **{
        f"torch.nn.functional.adaptive_{kind}_pool{rank}d": {"output_size": 1}
        for kind in ("avg", "max")
        for rank in (1, 2, 3)
    },
}
"""Where arguments that matter stand when they are given by position."""
_DRAWN = frozenset({"randperm", "gumbel_softmax", "normal", "bernoulli", "multinomial", "rand_like", "dropout"})
_DEFAULTS: Mapping[str, Mapping[str, object]] = {
    "torch.nn.functional.interpolate": {"mode": "nearest"},
    "torch.nn.Upsample": {"mode": "nearest"},
}


def entry_of(call: OperatorCall) -> Entry | None:
    """What is known of this call."""
    if call.name in verdicts.OFFERED:
        return verdicts.OFFERED[call.name]  # what follows is about functions of torch
    if call.name.rpartition(".")[2] in _DRAWN:
        return None  # random operators have a rule of their own
    if call.name == "torch.Tensor.new" and not any(v.is_traced for v in call.args.all()[1:]):
        return None  # of values, not of sizes
    size = call.args.get(1, "output_size")
    if call.name == "torch.nn.functional.fold" and (size is None or not size.is_traced):
        return None  # a fixed size is right
    if call.name == "torch.Tensor.stride" and _constant(call.args.get(1, "dim") or Const(0)) == -1:
        return None  # it is 1, whatever the sizes are
    positions, defaults = _POSITIONS.get(call.name, {}), _DEFAULTS.get(call.name, {})

    def argument(name: str) -> object:
        value = call.options.get(name)
        if value is None:
            value = call.args.get(positions.get(name, len(call.args.positional)), name)
        if value is None:
            return UNSURE if call.args.double_star is not None else defaults.get(name)
        return _constant(value)

    return verdicts.find(call.name, argument)


def _constant(value: Value) -> object:
    if isinstance(value, Const):
        return value.value
    if isinstance(value, Seq) and value.elements is not None:
        parts = tuple(_constant(e) for e in value.elements)
        return UNSURE if any(p is UNSURE for p in parts) else parts
    return UNSURE


def described(call: OperatorCall) -> str:
    """The call, and the operator's name where the source does not say it."""
    text, name = quoted(call), call.name.removeprefix("torch.").removeprefix("Tensor.")
    return text if name.rpartition(".")[2] in text else f"{text} (`{name}`)"


def is_refused(outcome: Outcome) -> bool:
    """Whether the export, or the exported model on the example itself, stops with an error."""
    return outcome.verdict == "fails" and not outcome.at_other_size


def is_wrong(outcome: Outcome) -> bool:
    """Whether the exported model is wrong on the example itself."""
    return outcome.verdict == "silently wrong" and not outcome.at_other_size


def depends_on_size(outcome: Outcome) -> bool:
    """Whether the exported model fails or is wrong for another size only."""
    return outcome.verdict in ("fails", "silently wrong") and outcome.at_other_size


def effects(entry: Entry, wanted: Mapping[Engine, Effect | None]) -> dict[Engine, Effect]:
    """The effects that hold; with the other engine as a way out where it is right."""
    found: dict[Engine, Effect] = {}
    for engine, effect in wanted.items():
        if effect is not None:
            other = next(e for e in Engine if e is not engine)
            is_right = other in entry.outcomes and entry.outcomes[other].verdict == "fine"
            help = f"`dynamo={other is Engine.DYNAMO}` exports it right" if is_right else ""
            found[engine] = Effect(effect.verdict, effect.words, effect.after, help)
    return found
