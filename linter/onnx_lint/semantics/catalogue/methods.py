"""Methods by name: of tensors, sizes, Python containers, external modules."""

from __future__ import annotations

from onnx_lint.semantics import duck_typing
from onnx_lint.semantics.catalogue import torch_functions
from onnx_lint.semantics.domain.sites import Conversion, Formatting, ListIndex, NumpyCall, TensorCall, traced_parts
from onnx_lint.semantics.domain.values import (
    NONE,
    STATIC,
    UNKNOWN,
    Arguments,
    Array,
    ClassValue,
    Const,
    Dict,
    ExternalInstance,
    Frozen,
    Instance,
    Origin,
    Seq,
    Size,
    Static,
    Tensor,
    Value,
    element_of,
    is_live,
    join,
    join_all,
    type_name,
)
from onnx_lint.semantics.evaluation import attributes, iteration, objects
from onnx_lint.semantics.evaluation.frame import Frame
from onnx_lint.source import ir
from onnx_lint.target import Engine

_READERS = {"item": None, "tolist": None}
_EMPTIED = frozenset({"data_ptr", "storage", "untyped_storage", "backward", "register_hook", "retain_grad"})


def call(frame: Frame, node: ir.Call | None, receiver: Value, name: str, args: Arguments) -> Value:
    """Call method `name` of something that is no project object."""
    if isinstance(receiver, Tensor):
        return _tensor(frame, node, receiver, name, args)
    if isinstance(receiver, Seq):
        return _sequence(frame, node, receiver, name, args)
    if isinstance(receiver, Dict):
        return _dict(frame, node, receiver, name, args)
    if isinstance(receiver, Size):
        return _size(frame, node, receiver, name, args)
    if isinstance(receiver, Array):
        return _array(frame, node, receiver, name)
    if isinstance(receiver, (Const, Static)):
        return _plain(frame, node, receiver, name, args)
    if isinstance(receiver, Frozen):
        return receiver
    if isinstance(receiver, Instance):
        return _module_hook(frame, receiver, name, args)
    if isinstance(receiver, ExternalInstance):
        return _external_module(frame, receiver, name, args)
    if isinstance(receiver, ClassValue):
        if name == "apply" and receiver.cls.is_subclass("torch.autograd.Function"):
            return _autograd(frame, node, receiver, args)
        return UNKNOWN
    return _unknown(frame, node, receiver, name, args)


def _expression(node: ir.Call | None) -> ir.Expr | None:
    return node.func.value if node is not None and isinstance(node.func, ir.Attribute) else None


# --------------------------------------------------------------------------------------------------------- tensors
def _tensor(frame: Frame, node: ir.Call | None, tensor: Tensor, name: str, args: Arguments) -> Value:
    if name == "size":
        return _size_of(frame, node, tensor, args)
    if name in _READERS or name == "numpy":
        return read(frame, node, tensor, name, args)
    if name in ("numel", "nelement"):
        if not tensor.traced:
            return Static("int")
        return Size(_origin(frame, node, tensor))
    if name in ("dim", "ndimension", "get_device", "element_size"):
        return Static("int")
    if name in _EMPTIED:
        return UNKNOWN
    if name.startswith("new_") and node is not None:
        return torch_functions.new_tensor(frame, node, tensor, name, args)
    if name in ("__len__", "__bool__", "__int__", "__float__"):
        return UNKNOWN
    result = torch_functions.method_result(frame, node, tensor, name, args)
    if result is not None:
        return result
    return Tensor(True, True, tensor.origin) if tensor.presumed and tensor.traced else UNKNOWN


def _origin(frame: Frame, node: ir.Call | None, value: Value) -> Origin | None:
    return value.origin if node is None else frame.origin(node, "size", "", value.origin)


def _size_of(frame: Frame, node: ir.Call | None, tensor: Tensor, args: Arguments) -> Value:
    index = args.get(0, "dim")
    if not tensor.traced:
        return Static("int") if index is not None else Seq("shape", None, Static("int"))
    if index is None:
        origin = _origin(frame, node, tensor)
        return Seq("shape", None, Size(origin), origin, tensor.parameter)
    axis = index.value if isinstance(index, Const) and isinstance(index.value, int) else None
    return Size(_origin(frame, node, tensor), parameter=tensor.parameter if axis is not None else None, axis=axis)


def read(frame: Frame, node: ir.Call | None, value: Value, name: str, args: Arguments) -> Value:
    """``item``, ``tolist``, ``numpy``: a traced value leaves the graph."""
    traced = value.is_traced
    if traced and node is not None:
        base = frame.base(node, value)
        if name == "numpy":
            frame.emit(NumpyCall(*base, "torch.Tensor.numpy"))
        else:
            frame.emit(TensorCall(*base, name, _expression(node), len(args.positional)))
    if not traced:
        return STATIC
    origin = (
        value.origin if node is None else frame.origin(node, "array" if name == "numpy" else "read", "", value.origin)
    )
    if name == "numpy":
        return Array(origin)
    data = not isinstance(value, Size)
    if name == "tolist":
        return Seq("list", None, Frozen(data, None, origin, Engine.DYNAMO.bit))
    return Frozen(data, None, origin, Engine.DYNAMO.bit)


def _autograd(frame: Frame, node: ir.Call | None, receiver: ClassValue, args: Arguments) -> Value:
    """``Function.apply``: the tracer goes into its ``forward``, with a context before the arguments."""
    from onnx_lint.semantics.domain.values import Function
    from onnx_lint.semantics.evaluation import calls

    found = receiver.cls.find_method("forward")
    if found is None:
        return calls.vague_result(args)
    owner, unit, statement = found
    with_context = receiver.cls.find("setup_context") is None
    given = Arguments(
        [STATIC, *args.positional] if with_context else args.positional, args.keyword, args.star, args.double_star
    )
    return calls.invoke(frame, node, Function(unit, statement, None, owner), None, given)


# ------------------------------------------------------------------------------------------------ sizes and arrays
def _size(frame: Frame, node: ir.Call | None, size: Size, name: str, args: Arguments) -> Value:
    if name in ("item", "tolist"):
        return read(frame, node, size, "item", args)
    if name in ("is_integer", "bit_length"):
        return Static()
    return Tensor(True, True, size.origin)


def _array(frame: Frame, node: ir.Call | None, array: Array, name: str) -> Value:
    if name in ("item", "tolist"):
        return Frozen(True, None, array.origin)
    return array


def _plain(frame: Frame, node: ir.Call | None, receiver: Const | Static, name: str, args: Arguments) -> Value:
    if type_name(receiver) == "str":
        traced = [p for a in args.all() for p in traced_parts(a)]
        if name == "format" and traced and node is not None:
            frame.emit(Formatting(*frame.base(node, traced[0]), "format"))
        if name in ("startswith", "endswith", "isdigit", "islower", "isupper"):
            return Static("bool")
        if name in ("split", "rsplit"):
            return Seq("list", None, Static("str"))
        return Static("str" if name in ("format", "join", "lower", "upper", "strip", "replace", "title") else None)
    if isinstance(receiver, Static) and receiver.type is None:
        from onnx_lint.semantics.evaluation import calls

        if torch_functions.is_tensor_only(name):
            return torch_functions.method_result(frame, node, Tensor(False), name, args) or STATIC
        named = duck_typing.call(frame, node, name, args)
        return named if named is not None else calls.vague_result(args)
    return STATIC


# ------------------------------------------------------------------------------------------------------ containers
def _sequence(frame: Frame, node: ir.Call | None, value: Seq, name: str, args: Arguments) -> Value:
    given = args.positional[0] if args.positional else None
    if name == "append" and given is not None:
        iteration.append(frame, value, given)
        return NONE
    if name in ("extend", "update") and given is not None:
        if isinstance(given, Seq) and given.elements is not None and not frame.exits and value.elements is not None:
            value.elements = (*value.elements, *given.elements)
        else:
            iteration.widen(value, iteration.element(frame, given, None, None))
        return NONE
    if name in ("insert", "add") and args.positional:
        iteration.widen(value, args.positional[-1])
        return NONE
    if name == "pop":
        if value.elements and not frame.exits and (given is None or isinstance(given, Const)):
            index = given.value if isinstance(given, Const) and isinstance(given.value, int) else -1
            if -len(value.elements) <= index < len(value.elements):
                elements = list(value.elements)
                popped = elements.pop(index)
                value.elements = tuple(elements)
                return popped
        return element_of(value) if value.items() else UNKNOWN
    if name == "numel":
        part = next(traced_parts(value), None)
        if part is None or node is None:
            return Static("int")
        frame.emit(Conversion(*frame.base(node, part), "numel", None))
        return Frozen(False, "int", frame.origin(node, "read", "", part.origin), Engine.DYNAMO.bit)
    if name in ("index", "count"):
        return Static("int")
    if name in ("copy", "union"):
        return Seq(value.kind, value.elements, value.element, value.origin)
    return NONE if name in ("sort", "reverse", "clear", "remove", "discard") else UNKNOWN


def _dict(frame: Frame, node: ir.Call | None, value: Dict, name: str, args: Arguments) -> Value:
    given = args.positional[0] if args.positional else None
    every = join_all(value.values())
    if name == "get" and isinstance(given, (Size, Frozen)) and is_live(given) and node is not None:
        frame.emit(ListIndex(*frame.base(node, given), "dict.get"))
    if name in ("get", "pop", "setdefault"):
        default = args.positional[1] if len(args.positional) > 1 else NONE
        if isinstance(given, Const) and isinstance(given.value, (str, int)) and given.value in value.entries:
            return value.entries[given.value]
        if name == "setdefault" and isinstance(given, Const) and isinstance(given.value, str):
            value.entries[given.value] = default
        if value.rest is None and isinstance(given, Const):
            return default
        return join(default, every) if every is not None else default
    if name == "items":
        if value.rest is None and value.entries:
            return Seq("list", tuple([Seq("tuple", (Const(k), v)) for k, v in value.entries.items()]))
        return Seq("list", None, Seq("tuple", (Static("str"), every if every is not None else UNKNOWN)))
    if name == "values":
        if value.rest is None and value.entries:
            return Seq("list", tuple(value.entries.values()))
        return Seq("list", None, every)
    if name == "keys":
        return Seq("list", None, Static("str"))
    if name == "update":
        if isinstance(given, Dict):
            value.entries.update(given.entries)
            value.rest = given.rest if value.rest is None else value.rest
        for key, entry in args.keyword.items():
            value.entries[key] = entry
        return NONE
    if name == "copy":
        return Dict(dict(value.entries), value.rest)
    if name == "to_tuple":
        return Seq("tuple", None, every)
    return UNKNOWN


# --------------------------------------------------------------------------------------------------------- modules
def _module_hook(frame: Frame, instance: Instance, name: str, args: Arguments) -> Value:
    """What `nn.Module` itself brings: registering parts, and moving the module about."""
    name = name.removeprefix("super.")
    if name in ("register_buffer", "register_parameter"):
        value = args.get(1, "tensor") or args.get(1, "param") or STATIC
        buffer = Tensor(False) if not (isinstance(value, Const) and value.value is None) else value
        objects.register(instance, args.get(0, "name") or UNKNOWN, buffer)
        return NONE
    if name in ("add_module", "register_module"):
        objects.register(instance, args.get(0, "name") or UNKNOWN, args.get(1, "module") or STATIC)
        return NONE
    if name == "__init__":
        for part in args.positional:
            for module in objects.modules_in(part):
                objects.register(instance, UNKNOWN, module)
        return NONE
    if name in ("append", "extend", "insert") and args.positional:
        for module in objects.modules_in(args.positional[-1]):
            objects.register(instance, UNKNOWN, module)
        return NONE
    if name in ("parameters", "buffers"):
        return Seq("generator", None, Tensor(False))
    if name in ("to", "eval", "train", "requires_grad_", "half", "float", "cuda", "cpu", "apply"):
        return instance
    if name in {"forward", "__call__"}:
        return _forward_of_base(frame, instance, args)
    if name in ("children", "modules"):
        return Seq("generator", None, STATIC)
    from onnx_lint.semantics.evaluation import calls

    return calls.vague_result(args)


def _forward_of_base(frame: Frame, instance: Instance, args: Arguments) -> Value:
    """``super().forward(x)`` of a base outside the project."""
    from onnx_lint.project.classes import ClassInfo
    from onnx_lint.semantics.evaluation import calls

    base = next((c for c in instance.cls.mro if not isinstance(c, ClassInfo) and c.name != "torch.nn.Module"), None)
    if base is not None and base.name.endswith("Sequential"):
        items = iteration.container_items(frame, instance)
        return torch_functions.run_sequential(frame, None, Seq("list", None, items), args, "Sequential")
    if base is not None and base.name.startswith("torch.nn."):
        return torch_functions.call_module(frame, None, ExternalInstance(base.name), args)
    return calls.vague_result(args)


def _external_module(frame: Frame, value: ExternalInstance, name: str, args: Arguments) -> Value:
    if name in ("append", "extend", "insert") and args.positional:
        parts = objects.modules_in(args.positional[-1])
        if isinstance(value.items, Seq):
            for part in parts:
                iteration.append(frame, value.items, part)
        return value
    if name in ("add_module", "register_module") and isinstance(value.items, Seq) and len(args.positional) == 2:
        iteration.append(frame, value.items, args.positional[1])
        return NONE
    if name in ("parameters", "buffers"):
        return Seq("generator", None, Tensor(False))
    if name in ("children", "modules", "values"):
        return Seq("generator", None, iteration.module_items(frame, value))
    if name in ("items", "named_children", "named_modules"):
        return Seq("generator", None, Seq("tuple", (Static("str"), iteration.module_items(frame, value))))
    if name == "keys":
        return Seq("list", None, Static("str"))
    return (
        value if name in ("to", "eval", "train", "requires_grad_", "half", "float", "cuda", "cpu", "apply") else STATIC
    )


def _unknown(frame: Frame, node: ir.Call | None, receiver: Value, name: str, args: Arguments) -> Value:
    """A method of something unknown: its name can tell that it is a tensor."""
    if name == "size" and node is not None and receiver is UNKNOWN:
        if args.positional:
            return Size(frame.origin(node, "size")) if isinstance(args.positional[0], Const) else UNKNOWN
        if not args.keyword:
            return attributes.presumed_shape(frame, node)
    if receiver is UNKNOWN and torch_functions.is_tensor_only(name):
        return torch_functions.method_result(frame, node, Tensor(True, True), name, args) or UNKNOWN
    return UNKNOWN
