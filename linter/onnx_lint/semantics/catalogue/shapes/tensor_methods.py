"""Methods and attributes of ``torch.Tensor`` that no function of ``torch`` has, and conversions."""

from __future__ import annotations

from onnx_lint.semantics.catalogue.shapes import arguments as read
from onnx_lint.semantics.catalogue.shapes.dtype_rules import named, promoted, real, same
from onnx_lint.semantics.catalogue.shapes.registry import Arguments, Call, NotKnown, result, shape
from onnx_lint.semantics.domain.dims import UNKNOWN_SIZE
from onnx_lint.semantics.domain.dtypes import DTYPES, category, dtype_named
from onnx_lint.semantics.domain.shapes import Number, Repeated, Shape, TensorType, Value


def attribute(name: str) -> str:
    """The name under which the model of an attribute is registered."""
    return f"torch.Tensor.{name} (attribute)"


@result(attribute("shape"))
def shape_attribute(call: Call, input: Value) -> Value:
    x = read.tensor(input)
    return Repeated(UNKNOWN_SIZE) if x.shape is None else x.shape


@result("torch.Tensor.size")
def size(call: Call, input: Value, dim: Value = None) -> Value:
    x = read.tensor(input)
    if dim is None:
        return shape_attribute(call, input)
    if x.shape is None:
        return x.last if dim == -1 and x.last is not None else UNKNOWN_SIZE
    return x.shape[read.axis(dim, len(x.shape))]


@result("torch.Tensor.dim", "torch.Tensor.ndimension", attribute("ndim"))
def dim(call: Call, input: Value) -> Value:
    return len(read.shape_of(input))


@result("torch.numel", "torch.Tensor.nelement")
def numel(call: Call, input: Value) -> Value:
    return read.tensor(input).numel


@result("torch.Tensor.__len__")
def length(call: Call, input: Value) -> Value:
    x = read.tensor(input)
    return UNKNOWN_SIZE if not x.shape else x.shape[0]


@result(attribute("dtype"))
def dtype(call: Call, input: Value) -> Value:
    found = read.tensor(input).dtype
    if found is None:
        raise NotKnown
    return found


@shape(attribute("T"), attribute("H"), dtype=same())
def transposed(call: Call, input: Value) -> Shape:
    return read.shape_of(input)[::-1]


@shape(attribute("mT"), attribute("mH"), dtype=same())
def matrix_transposed(call: Call, input: Value) -> Shape:
    x = read.shape_of(input)
    return (*x[:-2], x[-1], x[-2])


@shape(attribute("real"), attribute("imag"), "torch.real", "torch.imag", dtype=real(same()))
def part(call: Call, input: Value) -> Shape:
    return read.shape_of(input)


@shape(attribute("data"), dtype=same())
def data(call: Call, input: Value) -> Shape:
    return read.shape_of(input)


_NUMBERS = ("bool", "int", "float", "complex")


@result("torch.Tensor.item")
def item(call: Call, input: Value) -> Value:
    found = read.tensor(input).dtype
    if found is None:
        raise NotKnown
    kind = _NUMBERS[category(found)]
    return UNKNOWN_SIZE if kind == "int" else Number(kind)  # type: ignore[arg-type]  # a member of `_NUMBERS`


_CONVERSIONS = ("float", "double", "half", "bfloat16", "long", "int", "short", "bool", "cfloat", "cdouble", "chalf")
_BY_NAME = {"char": "int8", "byte": "uint8"}


def _register_conversions() -> None:
    for name in (*_CONVERSIONS, *_BY_NAME):
        target = _BY_NAME.get(name) or dtype_named(name)
        assert target in DTYPES

        def rule(bound: object, target: str = target) -> str | None:
            return target

        shape(f"torch.Tensor.{name}", dtype=rule)(keep)


def keep(call: Call, input: Value) -> Shape:
    """A tensor of the same shape."""
    return read.shape_of(input)


_register_conversions()


@result("torch.Tensor.to")
def to(call: Call, input: Value, *args: Value, dtype: Value = None, device: Value = None) -> Value:
    x = read.tensor(input)
    for value in (*args, dtype):
        if isinstance(value, TensorType):
            return TensorType(x.shape, value.dtype)
        if isinstance(value, str) and named(value) is not None:
            return TensorType(x.shape, named(value))
        if not isinstance(value, str | bool | None | int):
            return TensorType(x.shape)  # it may be a dtype
    return x


@result("torch.Tensor.type")
def type_(call: Call, input: Value, dtype: Value = None) -> Value:
    x = read.tensor(input)
    if dtype is None:
        raise NotKnown
    return TensorType(x.shape, named(dtype))


@result("torch.Tensor.type_as")
def type_as(call: Call, input: Value, other: Value) -> Value:
    return TensorType(read.tensor(input).shape, read.tensor(other).dtype)


@shape("torch.Tensor.contiguous", "torch.Tensor.cpu", "torch.Tensor.cuda", "torch.Tensor.requires_grad_",
       "torch.Tensor.detach_", "torch.Tensor.pin_memory", dtype=same())  # fmt: skip
def same_tensor(call: Call, input: Value, *ignored: Value) -> Shape:
    return read.shape_of(input)


@shape("torch.clone", "torch.detach", "torch.detach_copy", "torch.alias_copy", dtype=same())
def clone(call: Call, input: Value) -> Shape:
    return read.shape_of(input)


def _sum_dtype(bound: Arguments) -> str | None:
    """Integers may become ``int64``, when there is something to add."""
    dtype = same()(bound)
    return None if dtype is None or category(dtype) < 2 else dtype


@shape("torch.Tensor.sum_to_size", dtype=_sum_dtype)
def sum_to_size(call: Call, input: Value, *size: Value) -> Shape:
    return read.sizes(size)


@result("torch.is_tensor", "torch.is_storage")
def is_tensor(call: Call, obj: Value) -> Value:
    if isinstance(obj, TensorType):
        return True
    raise NotKnown


@result("torch.result_type")
def result_type(call: Call, tensor1: Value, tensor2: Value) -> Value:
    found = promoted("a", "b")({"a": tensor1, "b": tensor2})
    if found is None:
        raise NotKnown
    return found
