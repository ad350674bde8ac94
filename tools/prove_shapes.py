"""Compare the models of operators with PyTorch's own samples (`torch.testing._internal`: OpInfo and ModuleInfo).

    python tools/prove_shapes.py                      # all samples, a report of what is proved, unknown and wrong
    python tools/prove_shapes.py --only conv2d -v     # some operators, every call that is not proved
    python tools/prove_shapes.py --samples 5          # at most so many samples of each operator

Each sample is run, and every call of torch that it makes is recorded and given to the model: once with numbers, which
must give the real shape and dtype, and once with a symbol for each size, which must give the real shape when the sizes
are substituted, and again when the call is repeated with tensors of other sizes, if it runs. What a model demands of
sizes must hold too. Needs torch and expecttest.
"""

from __future__ import annotations

import argparse
import collections
import functools
import math
import sys
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import torch
from torch.overrides import TorchFunctionMode, resolve_name

from onnx_lint.semantics.catalogue import shapes
from onnx_lint.semantics.domain import dims
from onnx_lint.semantics.domain.dims import Dim, Symbol, UnknownSize, substitute, symbol
from onnx_lint.semantics.domain.equations import Constraint, Equation
from onnx_lint.semantics.domain.shapes import UNKNOWN, Number, Repeated, TensorType, Value, number_type

DTYPES = (torch.float32, torch.int64, torch.bool, torch.complex64, torch.float16)


class NotRepresentable(Exception):
    """A value that the models do not speak of, such as a sparse tensor."""


def value_of(real: object, size: Callable[[int], Dim] = lambda n: n) -> Value:
    """What the models are given for a real value; `size` gives the dim for a size of a tensor.

    Raises:
        NotRepresentable: models do not speak of it.
    """
    if isinstance(real, torch.Tensor):
        if real.layout is not torch.strided or real.is_nested or real.is_quantized:
            raise NotRepresentable
        return TensorType(tuple(size(n) for n in real.shape), str(real.dtype).removeprefix("torch."))
    if real is None or isinstance(real, bool | int | float | complex | str):
        return real
    if isinstance(real, torch.dtype | torch.device | torch.layout | torch.memory_format):
        return str(real)
    if isinstance(real, tuple | list):
        return tuple(value_of(v, size) for v in real)
    if isinstance(real, slice):
        return shapes.Slice(*(value_of(v) for v in (real.start, real.stop, real.step)))
    if real is Ellipsis:
        return shapes.ELLIPSIS
    return UNKNOWN


@dataclass
class Recorded:
    """One call of torch."""

    name: str
    function: Callable[..., Any]
    args: tuple[Any, ...]
    kwargs: dict[str, Any]
    types: tuple[tuple[Value, ...], dict[str, Value]]
    """The arguments as the models see them, taken before the call, which may change them."""
    result: Any
    settings: tuple[tuple[Value, ...], dict[str, Value]] = ((), {})
    """The arguments of the constructor, of a module."""


class Recorder(TorchFunctionMode):
    """Records the calls of torch that are made from outside of torch."""

    def __init__(self) -> None:
        super().__init__()
        self.calls: list[Recorded] = []

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        name = full_name(func)
        try:
            given = (tuple(value_of(a) for a in args), {k: value_of(v) for k, v in kwargs.items()})
        except NotRepresentable:
            return func(*args, **kwargs)
        result = func(*args, **kwargs)
        if name is not None:
            self.calls.append(Recorded(name, func, args, kwargs, given, as_meta(result)))
        return result


def as_meta(value: Any) -> Any:
    """A result with its tensors as they are now: a later call may change them in place."""
    if isinstance(value, torch.Tensor) and value.layout is torch.strided and not value.is_quantized:
        return torch.empty(value.shape, dtype=value.dtype, device="meta")
    return (
        tuple(map(as_meta, value)) if isinstance(value, tuple | list) and not isinstance(value, torch.Size) else value
    )


@functools.cache
def full_name(function: Any) -> str | None:
    """The public name of a function of torch: ``torch.cat``, ``torch.Tensor.view``."""
    name = resolve_name(function)
    if name is None:
        return None
    if name.endswith(".__get__"):
        if name.split(".")[-2] in ("device", "layout", "requires_grad"):
            return None  # not a matter of shapes
        return name.replace(".__get__", " (attribute)")
    return name.replace("torch.functional.", "torch.")


@dataclass
class Tally:
    """The outcome of the calls of one function."""

    proved: int = 0
    partly: int = 0
    unknown: int = 0
    symbolic: int = 0
    resized: int = 0
    wrong: list[str] = field(default_factory=list)


class Mismatch(Exception):
    """The model says something else than what torch does."""


def knowledge(said: Value, real: Any, sizes: dict[Symbol, Dim]) -> set[bool]:
    """Whether parts of a result are known, after substitution of sizes.

    Raises:
        Mismatch: something that is known is wrong.
    """
    if said is UNKNOWN:
        return {False}
    if isinstance(real, torch.Tensor):
        if not isinstance(said, TensorType):
            raise Mismatch(f"a tensor, not {said}")
        return _tensor_knowledge(said, real, sizes)
    if isinstance(real, tuple | list):
        if isinstance(said, Repeated):
            return {False}.union(*(knowledge(said.item, r, sizes) for r in real))
        if not isinstance(said, tuple) or len(said) != len(real):
            raise Mismatch(f"{len(real)} items, not {said}")
        return {True}.union(*(knowledge(s, r, sizes) for s, r in zip(said, real, strict=True)))
    if isinstance(said, Number):
        if number_type(real) != said.type:
            raise Mismatch(f"{real!r}, not a {said.type}")
        return {True}
    if isinstance(said, UnknownSize):
        return {False}
    if isinstance(said, dims.Expression):
        said = substitute(said, sizes)
    if isinstance(real, torch.dtype):
        real = str(real).removeprefix("torch.")
    if said != real or (isinstance(said, bool) != isinstance(real, bool)):
        raise Mismatch(f"{real!r}, not {said!r}")
    return {True}


def _tensor_knowledge(said: TensorType, real: torch.Tensor, sizes: dict[Symbol, Dim]) -> set[bool]:
    found = {said.shape is not None, said.dtype is not None}
    if said.dtype is not None and f"torch.{said.dtype}" != str(real.dtype):
        raise Mismatch(f"{real.dtype}, not {said.dtype}")
    if said.shape is not None:
        if len(said.shape) != real.dim():
            raise Mismatch(f"{list(real.shape)}, not {said}")
        for dim, n in zip(said.shape, real.shape, strict=True):
            value = substitute(dim, sizes)
            found.add(not isinstance(value, UnknownSize))
            if not isinstance(value, UnknownSize) and value != n:
                raise Mismatch(f"{list(real.shape)}, not {said}")
    return found


def check_constraints(constraints: tuple[Constraint, ...], sizes: dict[Symbol, Dim]) -> None:
    """Whether what a model demands holds.

    Raises:
        Mismatch: it does not, though the call ran.
    """
    for c in constraints:
        if isinstance(c, Equation):
            holds = dims.equal(substitute(c.left, sizes), substitute(c.right, sizes))
        else:
            holds = dims.equal(substitute(c.dim, sizes) % substitute(c.of, sizes), 0)
        if holds is False:
            raise Mismatch(f"demands {c} ({c.reason})")


def said_of(call: Recorded, args: tuple[Value, ...], kwargs: dict[str, Value]) -> shapes.Outcome:
    """What the models say of a call."""
    if isinstance(call.function, torch.nn.Module):
        return shapes.module(call.name, *call.settings, args, kwargs)
    if call.name.endswith(" (attribute)"):
        return shapes.attribute(call.name.removesuffix(" (attribute)").rpartition(".")[2], args[0])
    if call.name == "torch.Tensor.__getitem__":
        several = isinstance(call.args[1], tuple)  # a list is one index
        return shapes.index(args[0], *args[1]) if several and isinstance(args[1], tuple) else shapes.index(*args)
    if call.name.startswith("torch.Tensor."):
        return shapes.method(call.name.removeprefix("torch.Tensor."), args[0], args[1:], kwargs)
    return shapes.call(call.name, args, kwargs)


def prove(call: Recorded, tally: Tally) -> None:
    """Compares one call with its model, and counts."""
    args, kwargs = call.types
    try:
        outcome = said_of(call, args, kwargs)
        if outcome.error is not None:
            raise Mismatch(f"says it must fail: {outcome.error}")
        known = knowledge(outcome.result, call.result, {})
        check_constraints(outcome.constraints, {})
        if known == {True}:
            tally.proved += 1
        elif outcome.result is UNKNOWN:
            tally.unknown += 1
        else:
            tally.partly += 1
        if outcome.result is not UNKNOWN:
            prove_symbolic(call, tally)
    except Mismatch as error:
        tally.wrong.append(f"{call.name}({_shown(args, kwargs)}): {error}")


def _shown(args: tuple[Value, ...], kwargs: dict[str, Value]) -> str:
    return ", ".join([*map(_text, args), *(f"{k}={_text(v)}" for k, v in kwargs.items())])


def _text(value: Value) -> str:
    if isinstance(value, tuple):
        return f"({', '.join(map(_text, value))})"
    return str(value) if isinstance(value, TensorType) else repr(value)


def prove_symbolic(call: Recorded, tally: Tally) -> None:
    """Compares a call with what its model says of symbols, for its own sizes and for others."""
    used: dict[int, dims.Expression] = {}

    def size(n: int) -> Dim:
        return n if n < 2 else used.setdefault(n, symbol(f"s{n}", varies=True))

    args = tuple(map(functools.partial(_with_symbols, size), call.types[0]))
    kwargs = {k: _with_symbols(size, v) for k, v in call.types[1].items()}
    if not used:
        return
    outcome = said_of(call, args, kwargs)
    if outcome.error is not None:
        raise Mismatch(f"with symbols says it must fail: {outcome.error}")
    if outcome.result is UNKNOWN:
        return
    own = {s.symbol: n for n, s in used.items() if s.symbol is not None}
    if True in knowledge(outcome.result, call.result, dict(own)):
        tally.symbolic += 1
    check_constraints(outcome.constraints, dict(own))
    for change in (lambda n: 2 * n, lambda n: n + 1):
        changed = {n: change(n) for n in used}
        rerun = run_resized(call, changed)
        if rerun is not None:
            other: dict[Symbol, Dim] = {s: changed[n] for s, n in own.items()}
            try:
                knowledge(outcome.result, rerun[0], other)
                check_constraints(outcome.constraints, other)
            except Mismatch as error:
                raise Mismatch(f"for sizes {changed} {error} [{outcome.result}]") from error
            tally.resized += 1


def _with_symbols(size: Callable[[int], Dim], value: Value) -> Value:
    if isinstance(value, TensorType) and value.shape is not None:
        return TensorType(tuple(size(n) if isinstance(n, int) else n for n in value.shape), value.dtype)
    return tuple(_with_symbols(size, v) for v in value) if isinstance(value, tuple) else value


def run_resized(call: Recorded, changed: dict[int, int]) -> tuple[Any] | None:
    """The result of the call with tensors of other sizes; None if it does not run."""
    if call.name.endswith("_") or any(w in call.name for w in _UNSAFE_RESIZED):
        return None

    def resized(value: Any) -> Any:
        if isinstance(value, torch.Tensor):
            shape = [changed.get(n, n) for n in value.shape]
            if not 0 < math.prod(shape) <= 300_000:  # torch does not check everything of an empty tensor
                raise NotRepresentable
            return (
                torch.zeros(shape, dtype=value.dtype) if not value.is_floating_point() else torch.rand(shape).to(value)
            )
        return type(value)(map(resized, value)) if type(value) in (tuple, list) else value

    try:
        args = tuple(map(resized, call.args))
        kwargs = {k: resized(v) for k, v in call.kwargs.items() if k != "out"}
        return (call.function(*args, **kwargs),)
    except (RuntimeError, ValueError, IndexError, TypeError, NotRepresentable, AssertionError):
        return None  # with these sizes it is not a call that runs


_UNSAFE_RESIZED = (
    "nonzero", "unique", "masked_select", "bincount", "repeat_interleave", "ctc_loss", "sparse", "argwhere",
    "embedding_bag",
    "max_unpool", "as_strided", "_scaled", "histogram", "quantize", "multinomial",
)  # fmt: skip
"""Calls whose result depends on what the tensors hold, or that check it badly."""


def samples_of(op: Any, dtype: torch.dtype, most: int | None) -> Iterator[Any]:
    """Samples of an operator, spread over all of them if there are more than `most`."""
    try:
        found = list(op.sample_inputs("cpu", dtype))
    except (TypeError, RuntimeError, NotImplementedError, AssertionError, ValueError):
        return  # OpInfo has none for this type
    step = 1 if most is None else max(1, math.ceil(len(found) / most))
    yield from found[::step]


def record(op: Any, dtype: torch.dtype, most: int | None) -> tuple[int, list[Recorded]]:
    """The number of samples that ran, and the calls that they make, as function and as method."""
    calls: list[Recorded] = []
    count = 0
    for sample in samples_of(op, dtype, most):
        for variant in (op.op, op.method_variant, op.inplace_variant):
            if variant is None or (variant is op.inplace_variant and dtype != torch.float32):
                continue
            first = sample.input
            if variant is op.inplace_variant and isinstance(first, torch.Tensor):
                first = first.detach().clone()
            with warnings.catch_warnings(), torch.no_grad(), Recorder() as recorder:
                warnings.simplefilter("ignore")
                try:
                    variant(first, *sample.args, **sample.kwargs)
                except (
                    RuntimeError,
                    TypeError,
                    IndexError,
                    ValueError,
                    NotImplementedError,
                    AttributeError,
                    AssertionError,
                ):
                    continue  # this variant does not take the sample
            count += variant is op.op
            calls.extend(recorder.calls)
    return count, calls


def prove_operators(
    only: str | None = None, most: int | None = None, types: tuple[torch.dtype, ...] = DTYPES
) -> tuple[dict[str, Tally], dict[str, int]]:
    """Runs the samples of all operators: outcomes by the name of the function called, samples by operator."""
    from torch.testing._internal.common_methods_invocations import op_db

    tallies: dict[str, Tally] = collections.defaultdict(Tally)
    samples: dict[str, int] = collections.Counter()
    for op in op_db:
        if only is not None and only not in op.name:
            continue
        supported = op.supported_dtypes("cpu")
        chosen = [t for t in types if t in supported] or sorted(supported, key=str)[:1]
        for dtype in chosen:
            count, calls = record(op, dtype, most)
            samples[op.name] += count
            for call in calls:
                with warnings.catch_warnings():
                    warnings.simplefilter("ignore")
                    prove(call, tallies[call.name])
    return tallies, samples


def prove_modules(only: str | None = None, most: int | None = None) -> dict[str, Tally]:
    """Constructs and runs the samples of all classes of ``torch.nn``: outcomes by the name of the class."""
    from torch.testing._internal.common_modules import module_db

    tallies: dict[str, Tally] = collections.defaultdict(Tally)
    for info in module_db:
        name = f"torch.nn.{info.module_cls.__name__}"
        if (only is not None and only not in name) or not info.module_cls.__module__.startswith("torch.nn.modules"):
            continue
        for training in (False, True):
            samples = list(info.module_inputs_func(info, "cpu", torch.float32, False, training))
            step = 1 if most is None else max(1, math.ceil(len(samples) / most))
            for sample in samples[::step]:
                prove_module(name, info.module_cls, sample, training, tallies[name])
    return tallies


def prove_module(name: str, module_class: type[torch.nn.Module], sample: Any, training: bool, tally: Tally) -> None:
    """Compares one instance of a module and one call of it with the models."""
    made, given = sample.constructor_input, sample.forward_input
    with warnings.catch_warnings(), torch.no_grad():
        warnings.simplefilter("ignore")
        try:
            instance = module_class(*made.args, **made.kwargs).train(training)
            settings = (tuple(map(value_of, made.args)), {k: value_of(v) for k, v in made.kwargs.items()})
            if given is None:
                return
            types = (tuple(map(value_of, given.args)), {k: value_of(v) for k, v in given.kwargs.items()})
            result = instance(*given.args, **given.kwargs)
        except NotRepresentable:
            return
        except (RuntimeError, TypeError, ValueError):
            return  # a sample that is meant to fail
        tensors = dict([*instance.named_parameters(), *instance.named_buffers()])
        said = shapes.parameters_of(name, *settings)
        if said is not None and {n: value_of(t) for n, t in tensors.items()} != said:
            tally.wrong.append(f"{name}({_shown(*settings)}): tensors {said}")
        prove(Recorded(name, instance, given.args, given.kwargs, types, as_meta(result), settings), tally)


def main() -> int:
    """Prints the report; 1 if a model is wrong."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", help="operators whose name contains this")
    parser.add_argument("--samples", type=int, help="at most so many samples of each operator and dtype")
    parser.add_argument("--dtypes", nargs="*", help="dtypes of samples (float32 int64 …)")
    parser.add_argument("-v", "--verbose", action="store_true", help="all wrong calls, not two of each function")
    arguments = parser.parse_args()
    types = tuple(getattr(torch, n) for n in arguments.dtypes) if arguments.dtypes else DTYPES
    with torch.no_grad():
        tallies, samples = prove_operators(arguments.only, arguments.samples, types)
        modules = prove_modules(arguments.only, arguments.samples)
    report(tallies, arguments.verbose)
    sys.stdout.write(f"{len(samples)} operators, {sum(samples.values())} samples\n")
    report(modules, arguments.verbose)
    return 1 if any(t.wrong for t in [*tallies.values(), *modules.values()]) else 0


def report(tallies: dict[str, Tally], verbose: bool) -> None:
    """Prints what is wrong, what is not known, and the sums."""
    write = sys.stdout.write
    for _, t in sorted(tallies.items()):
        for line in t.wrong if verbose else t.wrong[:2]:
            write(f"WRONG {line}\n")
    partly = {n: t for n, t in tallies.items() if t.partly or (t.unknown and t.proved)}
    unknown = {n: t for n, t in tallies.items() if t.unknown and not t.proved and not t.partly}
    shares = (f"{n} {t.proved}/{t.proved + t.partly + t.unknown}" for n, t in sorted(partly.items()))
    write(f"\nPARTLY {', '.join(shares)}\n")
    write(f"\nUNKNOWN {', '.join(f'{n} {t.unknown}' for n, t in sorted(unknown.items()))}\n")
    total = Tally(
        *(sum(getattr(t, f) for t in tallies.values()) for f in ("proved", "partly", "unknown", "symbolic", "resized"))
    )
    wrong = sum(len(t.wrong) for t in tallies.values())
    write(
        f"\n{len(tallies)} functions, methods or classes called, "
        f"{sum(1 for t in tallies.values() if t.proved and not t.wrong)} proved; "
        f"calls proved {total.proved}, partly {total.partly}, "
        f"unknown {total.unknown}, wrong {wrong}; with symbols {total.symbolic}, at other sizes {total.resized}\n"
    )


if __name__ == "__main__":
    sys.exit(main())
