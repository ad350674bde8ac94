"""Rules for dtypes of results, used beside `registry.shape`."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from onnx_lint.semantics.catalogue.shapes.registry import Arguments, DtypeRule, NotKnown
from onnx_lint.semantics.domain import dtypes
from onnx_lint.semantics.domain.dtypes import DEFAULT_FLOAT, dtype_named, result_type
from onnx_lint.semantics.domain.shapes import Repeated, TensorType, Value, operand


def same(name: str = "input") -> DtypeRule:
    """The dtype of an argument."""
    return lambda bound: dtype_of(bound[name])


def fixed(dtype: str) -> DtypeRule:
    """Always the same dtype."""
    return lambda bound: dtype


def promoted(*names: str) -> DtypeRule:
    """What ``torch.result_type`` makes of tensors and numbers in arguments; None and missing ones take no part."""

    def rule(bound: Arguments) -> str | None:
        operands = [operand(v) for n in names for v in _flat(bound[n]) if v is not None]
        known = [o for o in operands if o is not None]
        if not operands or len(known) < len(operands):
            return None
        return result_type(known)

    return rule


def floated(*names: str) -> DtypeRule:
    """The promoted dtype; integers become the default floating-point type."""
    rule = promoted(*names)
    return lambda bound: _mapped(dtypes.as_float, rule(bound))


def real(of: DtypeRule) -> DtypeRule:
    """The real type of a rule's dtype: ``float32`` for ``complex64``."""
    return lambda bound: _mapped(dtypes.as_real, of(bound))


def complex_(of: DtypeRule) -> DtypeRule:
    """The complex type of a rule's dtype: ``complex64`` for ``float32``."""

    def rule(bound: Arguments) -> str | None:
        dtype = of(bound)
        return None if dtype is None else dtypes.as_complex(dtype)

    return rule


def summed(name: str = "input") -> DtypeRule:
    """The dtype of a sum: integers become ``int64``."""

    def rule(bound: Arguments) -> str | None:
        dtype = dtype_of(bound[name])
        return "int64" if dtype is not None and dtypes.is_integral(dtype) else dtype

    return rule


def given(otherwise: DtypeRule, name: str = "dtype") -> DtypeRule:
    """The dtype that an argument names, or that of another rule if the argument is None."""

    def rule(bound: Arguments) -> str | None:
        value = bound[name]
        return otherwise(bound) if value is None else named(value)

    return rule


def default_float(bound: Arguments) -> str | None:
    """The default floating-point type."""
    return DEFAULT_FLOAT


def named(value: Value) -> str | None:
    """The dtype that a string names; None if it is not a name of one."""
    return dtype_named(value) if isinstance(value, str) else None


def dtype_of(value: Value) -> str | None:
    """The dtype of a tensor.

    Raises:
        NotKnown: it is not a tensor.
    """
    if isinstance(value, TensorType):
        return value.dtype
    raise NotKnown


def _mapped(function: Callable[[str], str], dtype: str | None) -> str | None:
    return None if dtype is None else function(dtype)


def _flat(value: Value) -> Iterator[Value]:
    if isinstance(value, tuple):
        for item in value:
            yield from _flat(item)
    elif isinstance(value, Repeated):
        yield from _flat(value.item)
    else:
        yield value
