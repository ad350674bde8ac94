"""Trace twice, with different values and sizes: what differs between the traces was frozen into them.

Both traces are taken by ``torch.jit.trace``, before any constant is folded, so every difference has its line. A third
trace with the first input again tells randomness from freezing.
"""

from __future__ import annotations

import difflib
import warnings
from typing import Any

import torch

from .eager import Arguments, Recorder, callable_of, fresh, leaves
from .frames import Frame, UserCode, of_trace_text
from .observe import Observation, observation

_LONG = 20_000
"""Nodes beyond which the two traces are compared step by step instead of being aligned."""


class _TensorsOnly(torch.nn.Module):
    """The model as a function of its tensor leaves alone: a trace takes and gives nothing else."""

    def __init__(self, model: Any, arguments: Arguments) -> None:
        super().__init__()
        self.model = model
        self._arguments = arguments

    def forward(self, *given: torch.Tensor) -> tuple[torch.Tensor, ...]:
        rest = list(given)

        def put(value: Any) -> Any:
            if isinstance(value, torch.Tensor):
                return rest.pop(0)
            if isinstance(value, tuple) and hasattr(value, "_fields"):
                return type(value)(*map(put, value))
            if isinstance(value, (tuple, list)):
                return type(value)(map(put, value))
            if isinstance(value, dict):
                return {key: put(item) for key, item in value.items()}
            return value

        args = tuple(put(value) for value in self._arguments.args)
        kwargs = {key: put(value) for key, value in self._arguments.kwargs.items()}
        found = tuple(value for _, value in leaves(self.model(*args, **kwargs)) if isinstance(value, torch.Tensor))
        return found or (torch.zeros(1),)


def trace(model: Any, arguments: Arguments) -> Any:
    """The traced module, a function of the tensor leaves."""
    given = arguments.copy()
    tensors = tuple(v for _, v in leaves([given.args, given.kwargs]) if isinstance(v, torch.Tensor))
    wrapped = (
        _TensorsOnly(fresh(model), given).eval()
        if not getattr(model, "training", False)
        else _TensorsOnly(fresh(model), given)
    )
    torch.manual_seed(0)
    with warnings.catch_warnings(), torch.no_grad():
        warnings.simplefilter("ignore")
        return torch.jit.trace(wrapped, tensors, check_trace=False, strict=False)  # type: ignore[no-untyped-call]


class _Node:
    """One node of a trace: kind, the user's stack, and the value when it is a constant."""

    def __init__(self, node: Any, user: UserCode) -> None:
        self.node = node
        self.kind: str = node.kind()
        self.stack: list[Frame] = user.choose(of_trace_text(node.sourceRange()))
        place = self.stack[0] if self.stack else None
        self.key = (self.kind, place["file"] if place else "", place["line"] if place else 0)
        self.constant: Any = _constant(node) if self.kind == "prim::Constant" else None


def _constant(node: Any) -> Any:
    names = node.attributeNames()
    if not names:
        return None
    try:
        return getattr(node, node.kindOf("value"))("value")
    except Exception:  # noqa: BLE001 - kinds without an accessor of their own still give their value in another way
        return node.output().toIValue()


def _nodes(traced: Any, user: UserCode) -> list[_Node]:
    return [_Node(node, user) for node in traced.inlined_graph.nodes() if node.kind() != "prim::GetAttr"]


def _same(a: Any, b: Any) -> bool:
    if isinstance(a, torch.Tensor) and isinstance(b, torch.Tensor):
        return a.shape == b.shape and bool(torch.equal(torch.nan_to_num(a.detach()), torch.nan_to_num(b.detach())))
    return type(a) is type(b) and not isinstance(a, torch.Tensor) and bool(a == b)


def _words(value: Any) -> str:
    if isinstance(value, torch.Tensor):
        return str(value.item()) if value.numel() == 1 else f"a tensor of shape {list(value.shape)}"
    return repr(value)[:60]


def differences(model: Any, first: Arguments, second: Arguments, user: UserCode) -> list[Observation]:
    """What was frozen: baked constants with their values, and operations that one trace has and the other has not."""
    one, again, two = (_nodes(trace(model, arguments), user) for arguments in (first, first, second))
    random = {
        a.key
        for a, b in zip(one, again, strict=False)
        if a.key != b.key or (a.constant is not None and not _same(a.constant, b.constant))
    }
    found: list[Observation] = []
    pairs: list[tuple[_Node, _Node]] = []
    if [n.key for n in one] == [n.key for n in two] or max(len(one), len(two)) > _LONG:
        pairs = list(zip(one, two, strict=False))
    else:
        matcher = difflib.SequenceMatcher(None, [n.key for n in one], [n.key for n in two], autojunk=False)
        for tag, i1, i2, j1, j2 in matcher.get_opcodes():
            if tag == "equal":
                pairs += list(zip(one[i1:i2], two[j1:j2], strict=False))
            else:
                found += _structure(one[i1:i2], two[j1:j2])
    tensors: list[Observation] = []
    for a, b in pairs:
        if a.constant is None or _same(a.constant, b.constant) or a.key in random:
            continue
        consumer = next((u.user for u in a.node.output().uses()), None)
        stack = a.stack or (user.choose(of_trace_text(consumer.sourceRange())) if consumer is not None else [])
        seen = observation(
            "baked-value",
            f"frozen as {_words(a.constant)}; on the second input it is {_words(b.constant)}",
            stack,
            value=_words(a.constant),
            other=_words(b.constant),
            operator=consumer.kind() if consumer is not None else "",
        )
        found.append(seen)
        if isinstance(a.constant, torch.Tensor) and a.constant.numel() > 1:
            seen["tensor"] = a.constant
            tensors.append(seen)
    if tensors:
        _trace_back(model, first, tensors, user)
    return found


def changed_size(traced: Any, used: Frame, user: UserCode) -> list[Frame]:
    """Where a size is changed in place that the line `used` takes; the empty stack when none is.

    In Python ``n += 2`` gives `n` a new number; in a trace it changes the recorded one, which other names still hold.
    """
    sizes: set[str] = set()
    changed: dict[str, list[Frame]] = {}
    for node in traced.inlined_graph.nodes():
        inputs = [value.debugName() for value in node.inputs()]
        outputs = [value.debugName() for value in node.outputs()]
        stack = user.choose(of_trace_text(node.sourceRange()))
        source = next((changed[name] for name in inputs if name in changed), [])
        if source and stack and (stack[0]["file"], stack[0]["line"]) == (used["file"], used["line"]):
            return source
        in_place = node.kind().endswith("_") and not node.kind().endswith("__")
        if node.kind() == "prim::NumToTensor" or (in_place and inputs[0] in sizes):
            sizes.update(outputs)
        if in_place and inputs[0] in sizes:
            source = source or stack
        if source:
            changed.update(dict.fromkeys(outputs, source))
    return []


def _structure(one: list[_Node], two: list[_Node]) -> list[Observation]:
    """A stretch of operations that only one of the traces has: a branch taken, a loop unrolled."""
    placed = [node for node in [*one, *two] if node.stack]
    if not placed:
        return []
    other = next((node.stack[0] for node in two if node.stack), None)
    return [
        observation(
            "structure",
            f"{len(one)} operations here in the trace, {len(two)} with the second input",
            placed[0].stack,
            other=other,
            lines=sorted(
                {node.stack[0]["line"] for node in placed if node.stack[0]["file"] == placed[0].stack[0]["file"]}
            ),
            first=len(one),
            second=len(two),
        )
    ]


def _trace_back(model: Any, arguments: Arguments, seen: list[Observation], user: UserCode) -> None:
    """Move a frozen tensor from the line that uses it to the line where it left the trace.

    A constant shows at its use. The eager run has made the same tensor somewhere: the last such call is the place.
    """
    recorder, given = Recorder(user, keep_results=True), arguments.copy()
    runnable = callable_of(fresh(model))
    torch.manual_seed(0)
    with torch.no_grad(), recorder:
        runnable(*given.args, **given.kwargs)
    leaving = ("__get__", "detach", "from_numpy", "tensor", "as_tensor", "clone_from", "numpy")
    for item in seen:
        constant = item.pop("tensor")
        equal = [
            event
            for event in recorder.events
            if event.stack
            and any(_same(result, constant) for result in event.results if result.dtype == constant.dtype)
        ]
        chosen = [event for event in equal if event.name in leaving] or []
        if chosen:
            item["stack"], item["operator"] = chosen[-1].stack, chosen[-1].name
