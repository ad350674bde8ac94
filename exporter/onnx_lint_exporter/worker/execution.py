"""Run the model itself: reference results, executed lines, and each torch call with its exact place."""

from __future__ import annotations

import copy
import sys
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from types import CodeType, FrameType
from typing import TYPE_CHECKING, Any, TypeAlias, TypeGuard, TypeVar, cast

import torch
from torch.overrides import TorchFunctionMode

from . import trees
from .frames import Rank, UserCode
from .protocol import Frame, Stack

if TYPE_CHECKING:
    from _typeshed import TraceFunction

Model: TypeAlias = Any
"""What can be exported: a Module, a ScriptFunction or an ExportedProgram. torch has no type for all of them, and its
own functions take anything; everything below that handles one checks what it is."""
Leaf = tuple[str, object]
"""A leaf of nested arguments or results, with its name."""
T = TypeVar("T")


@dataclass
class Arguments:
    """One input of the model: what ``model(*args, **kwargs)`` is called with."""

    args: tuple[object, ...] = ()
    kwargs: dict[str, object] = field(default_factory=dict)

    def copy(self) -> Arguments:
        """Fresh tensors, for code that writes into its arguments."""
        return Arguments(duplicate(self.args), duplicate(self.kwargs))


def rebuilt(value: object, leaf: Callable[[object], object], *, subclasses: bool = True) -> object:
    """A copy of nested arguments with every leaf replaced; tuples, lists and registered classes stay what they are.

    Subclasses of ``dict`` become plain ones, or count as leaves when `subclasses` is false.
    """
    if isinstance(value, tuple) and hasattr(value, "_fields"):
        named: Callable[..., object] = type(value)
        return named(*(rebuilt(item, leaf, subclasses=subclasses) for item in value))
    if isinstance(value, (tuple, list)):
        return type(value)(rebuilt(item, leaf, subclasses=subclasses) for item in value)
    if type(value) is dict or (subclasses and isinstance(value, dict)):
        return {key: rebuilt(item, leaf, subclasses=subclasses) for key, item in value.items()}
    if trees.is_node(value):
        return trees.with_parts(value, [rebuilt(item, leaf, subclasses=subclasses) for _, item in trees.parts(value)])
    return leaf(value)


def duplicate(value: T) -> T:
    """A copy of nested arguments with every tensor cloned and detached."""

    def copied(leaf: object) -> object:
        if isinstance(leaf, torch.Tensor):
            return leaf.detach().clone().requires_grad_(leaf.requires_grad)
        return copy.deepcopy(leaf)

    return cast("T", rebuilt(value, copied, subclasses=False))


def fresh(model: Model) -> Model:
    """A copy of the model whose state may change, sharing its parameters. Scripted models serve as they are."""
    if not isinstance(model, torch.nn.Module) or isinstance(model, torch.jit.ScriptModule):
        return model
    shared = {id(parameter): parameter for parameter in model.parameters()}
    try:
        return copy.deepcopy(model, shared)
    except Exception:  # noqa: BLE001 - a model may hold what cannot be copied; then its own state must do
        return model


def callable_of(model: Model) -> Model:
    """What can be called: an ``ExportedProgram`` is called through its module."""
    return model.module() if isinstance(model, torch.export.ExportedProgram) else model


def call(model: Model, arguments: Arguments) -> object:
    """Run the model once, without gradients and with a fixed seed, on copies of the arguments."""
    given = arguments.copy()
    torch.manual_seed(0)
    with torch.no_grad():
        return callable_of(fresh(model))(*given.args, **given.kwargs)


def leaves(value: object, name: str = "") -> list[Leaf]:
    """The leaves of nested arguments or results with their names, in the order in which both engines flatten them."""
    pairs: Iterable[tuple[object, object]]
    if is_model_output(value):
        pairs = [(key, value[key]) for key in value.keys()]  # noqa: SIM118 - a ModelOutput is not a plain mapping
    elif isinstance(value, dict):
        pairs = value.items()
    elif isinstance(value, tuple) and hasattr(value, "_fields"):
        pairs = zip(value._fields, value, strict=True)
    elif isinstance(value, (tuple, list)):
        pairs = enumerate(value)
    elif trees.is_node(value):
        pairs = trees.parts(value)
    else:
        return [(name, value)]
    return [leaf for key, item in pairs for leaf in leaves(item, f"{name}_{key}" if name else str(key))]


def is_model_output(value: object) -> TypeGuard[dict[str, object]]:
    """Whether a value is a ``ModelOutput`` of transformers, which behaves as a dict and a tuple."""
    return hasattr(value, "to_tuple") and hasattr(value, "keys")


def tensors(value: object) -> list[torch.Tensor]:
    """The tensors among the leaves."""
    return [item for _, item in leaves(value) if isinstance(item, torch.Tensor)]


def _taken(value: object) -> list[torch.Tensor]:
    """The tensors in a call's arguments, also those that bound a slice."""
    if isinstance(value, slice):
        return _taken([value.start, value.stop, value.step])
    if type(value) in (list, tuple):
        return [tensor for item in cast("list[object]", value) for tensor in _taken(item)]
    return tensors(value)


def same(one: object, two: object) -> bool:
    """Whether two results are equal where they are tensors; ``nan`` equals ``nan``. Others, and complex ones, pass."""
    if not isinstance(one, torch.Tensor) or not isinstance(two, torch.Tensor) or one.is_complex():
        return True
    return one.shape == two.shape and torch.equal(torch.nan_to_num(one), torch.nan_to_num(two))


_WRITES = {
    "__setitem__",
    *(f"__i{name}__" for name in ("add", "sub", "mul", "div", "truediv", "floordiv", "mod", "pow", "matmul")),
    *(f"__i{name}__" for name in ("and", "or", "xor", "lshift", "rshift")),
}
"""Names of calls that change their first argument, beside those that end in an underscore."""


def _memory(tensor: torch.Tensor) -> int:
    """Where a tensor's values lie; 0 when it has no memory of its own (empty, sparse, on the meta device)."""
    try:
        return tensor.untyped_storage().data_ptr()
    except (RuntimeError, NotImplementedError):
        return 0


@dataclass
class Event:
    """One torch call of an eager run: its name, the user's stack (innermost first), results, and what it was given."""

    name: str
    stack: Stack
    results: list[torch.Tensor]
    sources: tuple[int, ...]
    """The numbers of the events that gave its arguments."""
    writes: bool = False
    """Whether it changes its first argument."""
    view: bool = False
    """Whether its result shares the memory of an argument, without a change."""
    written: tuple[int, ...] = ()
    """The numbers of the events that may have changed its arguments through other tensors of the same memory."""


class Recorder(TorchFunctionMode):
    """Notes every torch call that the user's code leads to. `known` are the tensors that the model starts from."""

    def __init__(self, user: UserCode, keep_results: bool = False, known: Iterable[torch.Tensor] = ()) -> None:
        super().__init__()
        self._user = user
        self._keep = keep_results
        self._maker: dict[int, int] = {}
        self._known = {id(tensor) for tensor in known}
        self._alive: list[torch.Tensor] = []
        self._sharing: dict[int, set[int]] = {}
        self._writer: dict[int, int] = {}
        """Tensor → the last event that wrote into its memory through another one."""
        self.events: list[Event] = []
        self.foreign = 0
        """The number of the last event that was given a tensor of unknown origin, as an ``autograd.Function`` makes."""

    def __torch_function__(
        self,
        func: Callable[..., object],
        types: object,
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> object:
        result = func(*args, **(kwargs or {}))
        given = tensors(result) if isinstance(result, (torch.Tensor, tuple, list)) else []
        name = getattr(func, "__name__", str(func))
        if name == "__setitem__":
            given = [args[0]]
        if not given:
            return result
        stack = self._user.choose_live(sys._getframe(1))
        taken = _taken([args, kwargs or {}])
        sources = tuple({self._maker[id(t)] for t in taken if id(t) in self._maker})
        if any(id(t) not in self._maker and id(t) not in self._known for t in taken):
            self.foreign = len(self.events)
        kept = [tensor.detach().clone() for tensor in given] if self._keep else []
        writes = name in _WRITES or (name.endswith("_") and not name.endswith("__"))
        view = self._note_memory(given, taken, writes) if self._keep else False
        written = tuple({self._writer[id(t)] for t in taken if id(t) in self._writer} - {*sources, len(self.events)})
        for tensor in given:
            self._maker[id(tensor)] = len(self.events)
            self._writer.pop(id(tensor), None)
        self._alive.extend(given if self._keep else ())
        self.events.append(Event(name, stack, kept, sources, writes, view, written))
        return result

    def _note_memory(self, given: list[torch.Tensor], taken: list[torch.Tensor], writes: bool) -> bool:
        """Whether a result shares memory with an argument. A write is one into all tensors that share the memory."""
        memory = {_memory(tensor) for tensor in given} - {0}
        for place in memory:
            known = self._sharing.setdefault(place, set())
            if writes:
                self._writer.update(dict.fromkeys(known, len(self.events)))
            known.update(id(tensor) for tensor in given)
        return not writes and bool(memory & {_memory(tensor) for tensor in taken})

    def makers(self, value: object) -> set[int]:
        """The numbers of the events that made the tensors of a nested value, or wrote into their memory."""
        given = [id(tensor) for tensor in tensors(value)]
        return {made[key] for key in given for made in (self._maker, self._writer) if key in made}

    def calls(self) -> dict[tuple[str, int], list[tuple[str, Frame]]]:
        """For each file and line the torch calls seen there, with their columns."""
        seen: dict[tuple[str, int], list[tuple[str, Frame]]] = {}
        for event in self.events:
            if event.stack and event.stack[0].column is not None:
                frame = event.stack[0]
                entry = (event.name, frame)
                known = seen.setdefault((frame.file, frame.line), [])
                if entry not in known:
                    known.append(entry)
        return seen


class Lines:
    """The lines of the user's files that ran, and the functions of theirs and of the model's packages."""

    def __init__(self, user: UserCode) -> None:
        self._user = user
        self.executed: dict[str, set[int]] = {}
        self.functions: dict[CodeType, None] = {}

    def _call(self, frame: FrameType, event: str, argument: object) -> TraceFunction | None:
        file = frame.f_code.co_filename
        rank = self._user.rank(file)
        if rank <= Rank.MODEL:
            self.functions[frame.f_code] = None
        if rank is not Rank.USER:
            return None
        executed = self.executed.setdefault(file, set())
        executed.add(frame.f_lineno)

        def line(frame: FrameType, event: str, argument: object) -> TraceFunction:
            executed.add(frame.f_lineno)
            return line

        return line

    @contextmanager
    def watching(self) -> Iterator[None]:
        before = sys.gettrace()
        sys.settrace(self._call)
        threading.settrace(self._call)
        try:
            yield
        finally:
            sys.settrace(before)
            threading.settrace(None)


@dataclass
class Reference:
    """What the model gives by itself on one input."""

    arguments: Arguments
    outputs: list[Leaf]
    random: tuple[int, ...] = ()
    """The outputs that differ between two runs on the same input with different seeds."""


def reference(model: Model, arguments: Arguments, after_first: Callable[[], None] = lambda: None) -> Reference:
    """Run the model twice, with different seeds, and keep the first results."""
    first = leaves(call(model, arguments), "")
    after_first()
    given = arguments.copy()
    torch.manual_seed(1)
    with torch.no_grad():
        second = leaves(callable_of(fresh(model))(*given.args, **given.kwargs), "")
    if len(first) != len(second):
        return Reference(arguments, first, tuple(range(len(first))))
    pairs = enumerate(zip(first, second, strict=True))
    return Reference(arguments, first, tuple(k for k, ((_, a), (_, b)) in pairs if not same(a, b)))


@dataclass
class Watched:
    """What was seen of one run of the model."""

    calls: dict[tuple[str, int], list[tuple[str, Frame]]] = field(default_factory=dict)
    """File and line → the torch calls there, with their places."""
    executed: dict[str, tuple[int, ...]] = field(default_factory=dict)
    """File → the lines that ran, of the user's files."""
    functions: tuple[CodeType, ...] = ()
    """The functions that ran, of the user's files and of the model's packages."""


def watch(model: Model, arguments: Arguments, user: UserCode) -> Watched:
    """One run that notes the places of the torch calls, the executed lines and functions.

    Some operators cannot run while their calls are being noted (``torch.cond`` compiles its branches); then only the
    lines are.
    """
    for modes in ((Recorder(user), Lines(user)), (None, Lines(user))):
        recorder, lines = modes
        given, runnable = arguments.copy(), callable_of(fresh(model))
        torch.manual_seed(0)
        try:
            with torch.no_grad(), recorder or nullcontext(), lines.watching():
                runnable(*given.args, **given.kwargs)
        except Exception:  # noqa: BLE001 - the model runs by itself, as was seen; only the watching disturbs it
            continue
        executed = {file: tuple(sorted(found)) for file, found in lines.executed.items()}
        return Watched(recorder.calls() if recorder else {}, executed, tuple(lines.functions))
    return Watched()
