"""Trace twice, with different values and sizes: what differs between the traces was frozen into them.

Both traces are taken by ``torch.jit.trace``, before any constant is folded, so every difference has its line. A third
trace with the first input again separates randomness from freezing.
"""

from __future__ import annotations

import difflib
import warnings
from dataclasses import dataclass, replace

import torch

from .execution import Arguments, Model, Recorder, callable_of, fresh, rebuilt, tensors
from .frames import UserCode, of_trace_text
from .protocol import Frame, Kind, Observation, Stack

_LONG = 20_000
"""Nodes beyond which the two traces are compared step by step instead of being aligned."""


class TensorsOnly(torch.nn.Module):
    """The model as a function of its tensor leaves alone: a trace takes and gives nothing else."""

    def __init__(self, model: Model, arguments: Arguments) -> None:
        super().__init__()
        self.model = model
        self._arguments = arguments

    def forward(self, *given: torch.Tensor) -> tuple[torch.Tensor, ...]:
        rest = list(given)

        def put(value: object) -> object:
            return rebuilt(value, lambda leaf: rest.pop(0) if isinstance(leaf, torch.Tensor) else leaf)

        args = [put(value) for value in self._arguments.args]
        kwargs = {key: put(value) for key, value in self._arguments.kwargs.items()}
        return tuple(tensors(self.model(*args, **kwargs))) or (torch.zeros(1),)


def trace(model: Model, arguments: Arguments) -> torch.jit.ScriptModule:
    """The traced module, a function of the tensor leaves."""
    given = arguments.copy()
    wrapped = TensorsOnly(fresh(model), given)
    if not getattr(model, "training", False):
        wrapped.eval()
    torch.manual_seed(0)
    with warnings.catch_warnings(), torch.no_grad():
        warnings.simplefilter("ignore")
        traced: torch.jit.ScriptModule = torch.jit.trace(  # type: ignore[no-untyped-call]  # torch's own
            wrapped, tuple(tensors([given.args, given.kwargs])), check_trace=False, strict=False
        )
    return traced


class _Node:
    """One node of a trace: kind, the user's stack, and the value when it is a constant."""

    def __init__(self, node: torch._C.Node, user: UserCode) -> None:
        self.node = node
        self.kind: str = node.kind()
        self.stack = user.choose(of_trace_text(str(node.sourceRange())))
        place = self.stack[0] if self.stack else None
        self.key = (self.kind, place.file if place else "", place.line if place else 0)
        self.constant = _constant(node) if self.kind == "prim::Constant" else None


def _constant(node: torch._C.Node) -> object:
    names = node.attributeNames()
    if not names:
        return None
    try:
        value: object = getattr(node, node.kindOf("value"))("value")
        return value
    except Exception:  # noqa: BLE001 - kinds without an accessor of their own still give their value in another way
        other: object = node.output().toIValue()
        return other


def _nodes(traced: torch.jit.ScriptModule, user: UserCode) -> list[_Node]:
    return [_Node(node, user) for node in traced.inlined_graph.nodes() if node.kind() != "prim::GetAttr"]


def _equal(a: object, b: object) -> bool:
    if isinstance(a, torch.Tensor) and isinstance(b, torch.Tensor):
        return a.shape == b.shape and bool(torch.equal(torch.nan_to_num(a.detach()), torch.nan_to_num(b.detach())))
    return type(a) is type(b) and not isinstance(a, torch.Tensor) and bool(a == b)


def _words(value: object) -> str:
    if isinstance(value, torch.Tensor):
        return str(value.item()) if value.numel() == 1 else f"a tensor of shape {list(value.shape)}"
    return repr(value)[:60]


@dataclass
class _Baked:
    """A constant that the second input changes, and what was seen of it."""

    constant: object
    seen: Observation


def differences(model: Model, first: Arguments, second: Arguments, user: UserCode) -> list[Observation]:
    """What was frozen: baked constants with their values, and operations that one trace has and the other has not."""
    one, again, two = (_nodes(trace(model, arguments), user) for arguments in (first, first, second))
    random = {
        a.key
        for a, b in zip(one, again, strict=False)
        if a.key != b.key or (a.constant is not None and not _equal(a.constant, b.constant))
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
    differing = (
        (a, b)
        for a, b in pairs
        if a.constant is not None and not _equal(a.constant, b.constant) and a.key not in random
    )
    baked = [_baked(a, b, user) for a, b in differing]
    if any(_has_elements(each.constant) for each in baked):
        _trace_back(model, first, baked, user)
    return found + [each.seen for each in baked]


def _baked(a: _Node, b: _Node, user: UserCode) -> _Baked:
    consumer = next((use.user for use in a.node.output().uses()), None)
    stack = a.stack or (user.choose(of_trace_text(str(consumer.sourceRange()))) if consumer is not None else ())
    value, other = _words(a.constant), _words(b.constant)
    seen = Observation(
        Kind.BAKED_VALUE,
        f"frozen as {value}; on the second input it is {other}",
        stack,
        value=value,
        other=other,
        operator=consumer.kind() if consumer is not None else "",
    )
    return _Baked(a.constant, seen)


def _has_elements(constant: object) -> bool:
    return isinstance(constant, torch.Tensor) and constant.numel() > 1


def changed_size(traced: torch.jit.ScriptModule, used: Frame, user: UserCode) -> Stack:
    """Where a size is changed in place that the line `used` takes; the empty stack when none is.

    In Python ``n += 2`` gives `n` a new number; in a trace it changes the recorded one, which other names still hold.
    A tensor made of sizes on the line `used` is a constant in the trace, which then holds the change already.
    """
    sizes: set[str] = set()
    constants: set[str] = set()
    changed: dict[str, Stack] = {}
    for node in traced.inlined_graph.nodes():
        inputs = [value.debugName() for value in node.inputs()]
        outputs = [value.debugName() for value in node.outputs()]
        stack = user.choose(of_trace_text(str(node.sourceRange())))
        source = next((changed[name] for name in inputs if name in changed), ())
        here = bool(stack) and (stack[0].file, stack[0].line) == (used.file, used.line)
        if source and here:
            return source
        in_place = node.kind().endswith("_") and not node.kind().endswith("__")
        if here and (node.kind() == "prim::Constant" or constants & set(inputs)):
            constants.update(outputs)
        if in_place and inputs[0] in constants and not here:
            return stack
        if node.kind() == "prim::NumToTensor" or (in_place and inputs[0] in sizes):
            sizes.update(outputs)
        if in_place and inputs[0] in sizes:
            source = source or stack
        if source:
            changed.update(dict.fromkeys(outputs, source))
    return ()


def _structure(one: list[_Node], two: list[_Node]) -> list[Observation]:
    """A stretch of operations that only one of the traces has: a branch taken, a loop unrolled."""
    placed = [node.stack for node in [*one, *two] if node.stack]
    if not placed:
        return []
    file = placed[0][0].file
    return [
        Observation(
            Kind.STRUCTURE,
            f"{len(one)} operations here in the trace, {len(two)} with the second input",
            placed[0],
            lines=tuple(sorted({stack[0].line for stack in placed if stack[0].file == file})),
        )
    ]


_LEAVING = ("__get__", "detach", "from_numpy", "tensor", "as_tensor", "clone_from", "numpy")


def _trace_back(model: Model, arguments: Arguments, baked: list[_Baked], user: UserCode) -> None:
    """Move a frozen tensor from the line that uses it to the line where it left the trace.

    A constant shows at its use. The eager run has made the same tensor somewhere: the last such call is the place.
    """
    recorder, given = Recorder(user, keep_results=True), arguments.copy()
    runnable = callable_of(fresh(model))
    torch.manual_seed(0)
    with torch.no_grad(), recorder:
        runnable(*given.args, **given.kwargs)
    leaving = [event for event in recorder.events if event.stack and event.name in _LEAVING]
    for each in baked:
        constant = each.constant
        if not isinstance(constant, torch.Tensor) or constant.numel() <= 1:
            continue
        for event in reversed(leaving):
            if any(_equal(result, constant) for result in event.results if result.dtype == constant.dtype):
                each.seen = replace(each.seen, stack=event.stack, operator=event.name)
                break
