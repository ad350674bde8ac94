"""What parameters hold: from the call first, else from annotation, default and use."""

from __future__ import annotations

from collections.abc import Hashable

from onnx_lint.project.classes import ClassInfo
from onnx_lint.project.meanings import External
from onnx_lint.project.modules import SourceModule, ValueBinding
from onnx_lint.semantics.catalogue import torch_functions
from onnx_lint.semantics.domain.values import (
    NONE,
    STATIC,
    UNKNOWN,
    Alternatives,
    Arguments,
    ClassValue,
    Const,
    Dict,
    ExternalValue,
    Function,
    Instance,
    Seq,
    Size,
    Static,
    Tensor,
    Value,
    alternatives,
    join,
    type_name,
)
from onnx_lint.semantics.evaluation import expressions
from onnx_lint.semantics.evaluation.frame import Analysis, Environment, Frame
from onnx_lint.source import ir


def bind(frame: Frame, function: Function, args: Arguments, caller: Frame | None, node: ir.Expr | None) -> None:
    """Bind the arguments of a call to the parameters of `function`, in `frame`."""
    assert frame.env is not None
    names = frame.env.names
    params = function.function.params
    keyword = dict(args.keyword)
    for index, param in enumerate(params.positional):
        if index < len(args.positional):
            value: Value | None = args.positional[index]
        else:
            value = keyword.pop(param.name, None)
            if value is None and args.star is not None:
                value = args.star
        names[param.name] = _bound(frame, function, param, value, args)
    if params.vararg is not None:
        rest = args.positional[len(params.positional) :]
        if args.star is not None:
            names[params.vararg.name] = Seq("tuple", None, args.star)
        else:
            names[params.vararg.name] = Seq("tuple", tuple(rest))
    for param in params.keyword:
        names[param.name] = _bound(frame, function, param, keyword.pop(param.name, None), args)
    if params.kwarg is not None:
        rest_by_name: dict[Hashable, Value] = {k: v for k, v in keyword.items() if k not in names}
        names[params.kwarg.name] = Dict(rest_by_name, args.double_star)


def _bound(frame: Frame, function: Function, param: ir.Param, value: Value | None, args: Arguments) -> Value:
    if value is not None and value is not UNKNOWN:
        return _passed(frame, param, value)
    if value is None and args.double_star is not None and args.double_star is not UNKNOWN:
        value = args.double_star
    if value is None and param.default is not None:
        return default_value(frame, function, param)
    if param.annotation is not None:
        typed = annotated(frame.analysis, function.unit.module, param.annotation)
        if typed is not None:
            return (
                typed
                if not isinstance(typed, Tensor)
                else Tensor(True, True, frame.origin(param, "argument", param.name))
            )
    return UNKNOWN


def _passed(frame: Frame, param: ir.Param, value: Value) -> Value:
    """An argument as the parameter sees it: with one more step in its origin."""
    if isinstance(value, Size) and value.origin is not None:
        origin = frame.origin(param, "argument", param.name, value.origin)
        return Size(origin, value.boolean, value.parameter, value.axis, value.presumed)
    return value


def default_value(frame: Frame, function: Function, param: ir.Param) -> Value:
    """The default of a parameter, as evaluated where the function is defined."""
    assert param.default is not None
    outer = Frame(frame.analysis, function.unit, Environment({}, function.closure), quiet=True, owner=function.owner)
    return expressions.evaluate(outer, param.default)


def constructor_arguments(analysis: Analysis, function: Function, skip: int = 1) -> Arguments:
    """Arguments for an ``__init__`` (or with `skip` 0 a factory) that nobody was seen calling: fixed values of the
    types that can be told."""
    outer = Frame(analysis, function.unit, Environment({}, None), quiet=True, owner=function.owner)
    params = function.function.params
    positional: list[Value] = []
    for param in params.positional[skip:]:
        positional.append(_configuration(outer, function, param))
    keyword = {p.name: _configuration(outer, function, p) for p in params.keyword}
    return Arguments(positional, keyword)


def _configuration(frame: Frame, function: Function, param: ir.Param) -> Value:
    if param.default is not None:
        value = expressions.evaluate(frame, param.default)
        if isinstance(value, Const):
            if value.value is None:
                return join(NONE, _static_type(frame.analysis, function, param))
            return Static(type_name(value))
        if isinstance(value, (ClassValue, ExternalValue, Function, Seq, Dict)):
            return value
        return value if value is not UNKNOWN else STATIC
    return _static_type(frame.analysis, function, param)


def _static_type(analysis: Analysis, function: Function, param: ir.Param) -> Value:
    if param.annotation is None:
        return STATIC
    value = annotated(analysis, function.unit.module, param.annotation)
    if value is None:
        return STATIC
    kept = [v for v in alternatives(value) if not isinstance(v, Tensor)]
    if isinstance(value, Tensor) or not kept:
        return Tensor(False)
    if any(isinstance(v, Instance) for v in kept):
        return STATIC  # a configuration object: its fields are as fixed as itself
    return kept[0] if len(kept) == 1 else Alternatives(tuple(kept))


# ----------------------------------------------------------------------------------------------------- annotations
_PLAIN = {"int", "float", "str", "bool", "bytes", "complex"}
_LISTS = {
    "list": "list", "List": "list", "typing.List": "list", "Sequence": "list", "typing.Sequence": "list",
    "collections.abc.Sequence": "list", "Iterable": "list", "typing.Iterable": "list",
    "set": "set", "typing.Set": "set",
}  # fmt: skip
_DICTS = {
    "dict",
    "Dict",
    "typing.Dict",
    "Mapping",
    "typing.Mapping",
    "OrderedDict",
    "typing.OrderedDict",
    "collections.OrderedDict",
}
_OPTIONAL = {"Optional", "typing.Optional"}
_UNIONS = {"Union", "typing.Union"}
_WRAPPERS = {
    "Annotated",
    "typing.Annotated",
    "Final",
    "typing.Final",
    "typing.ClassVar",
    "ClassVar",
    "Unpack",
    "Required",
}


def annotated(analysis: Analysis, module: SourceModule, annotation: ir.Expr, depth: int = 6) -> Value | None:
    """What an annotation promises: a traced tensor for ``Tensor``, fixed values for ``int`` and the like; ``None``
    if nothing can be told."""
    if depth == 0:
        return None
    if isinstance(annotation, ir.Const):
        if annotation.value is None:
            return NONE
        if isinstance(annotation.value, str) and len(annotation.value) < 500:
            from onnx_lint.source.lower import lower_expression

            inner = lower_expression(annotation.value)
            return None if inner is None else annotated(analysis, module, inner, depth - 1)
        return None
    if isinstance(annotation, ir.BinOp) and annotation.op == "|":
        return _union(analysis, module, (annotation.left, annotation.right), depth)
    if isinstance(annotation, ir.Subscript):
        return _generic(analysis, module, annotation, depth)
    name = _annotation_name(analysis, module, annotation)
    if isinstance(name, ValueBinding):  # an alias such as `Size_ = Tuple[int, int]`
        return annotated(analysis, name.unit.module, name.value, depth - 1)
    if name is None:
        return None
    if isinstance(name, ClassInfo):
        return Instance(name, None, "annotated") if not name.is_module else None
    return _by_name(name)


def _by_name(name: str) -> Value | None:
    if name in _PLAIN:
        return Static(name)
    if name in (
        "torch.Tensor",
        "torch.FloatTensor",
        "torch.LongTensor",
        "torch.IntTensor",
        "torch.BoolTensor",
        "torch.HalfTensor",
    ):
        return Tensor(True)
    if name.startswith("jaxtyping.") or name in ("torchtyping.TensorType",):
        return Tensor(True)
    if name in ("torch.Size",):
        return Seq("shape", None, Static("int"))
    if name in ("torch.dtype", "torch.device", "torch.Generator", "torch.memory_format"):
        return STATIC
    if name in _LISTS:
        return Seq(_LISTS[name], None, UNKNOWN)
    if name in ("tuple", "typing.Tuple"):
        return Seq("tuple", None, UNKNOWN)
    if name in _DICTS:
        return Dict({}, UNKNOWN)
    if name in ("typing.Callable", "collections.abc.Callable"):
        return STATIC
    return None


def _union(analysis: Analysis, module: SourceModule, parts: tuple[ir.Expr, ...], depth: int) -> Value | None:
    values = [annotated(analysis, module, p, depth - 1) for p in parts]
    known = [v for v in values if v is not None]
    if not known:
        return None
    out = known[0]
    for value in known[1:]:
        out = join(out, value)
    if len(known) < len(values) and out is NONE:
        return None
    return out


def _generic(analysis: Analysis, module: SourceModule, annotation: ir.Subscript, depth: int) -> Value | None:
    name = _annotation_name(analysis, module, annotation.value)
    if not isinstance(name, str):
        return Instance(name, None, "annotated") if isinstance(name, ClassInfo) and not name.is_module else None
    index = annotation.index
    parts = index.elements if isinstance(index, ir.Sequence) else (index,)
    if name in _OPTIONAL:
        inner = annotated(analysis, module, parts[0], depth - 1)
        return join(NONE, inner) if inner is not None else None
    if name in _UNIONS:
        return _union(analysis, module, parts, depth)
    if name in _WRAPPERS:
        return annotated(analysis, module, parts[0], depth - 1)
    if name in _LISTS:
        inner = annotated(analysis, module, parts[0], depth - 1)
        return Seq(_LISTS[name], None, inner if inner is not None else UNKNOWN)
    if name in ("tuple", "Tuple", "typing.Tuple"):
        if len(parts) == 2 and isinstance(parts[1], ir.Const) and parts[1].value is ...:
            return Seq("tuple", None, annotated(analysis, module, parts[0], depth - 1) or UNKNOWN)
        return Seq("tuple", tuple([annotated(analysis, module, p, depth - 1) or UNKNOWN for p in parts]))
    if name in _DICTS:
        inner = annotated(analysis, module, parts[-1], depth - 1)
        return Dict({}, inner if inner is not None else UNKNOWN)
    if name in ("typing.Literal", "Literal", "typing_extensions.Literal"):
        kinds = {type_name(Const(p.value)) for p in parts if isinstance(p, ir.Const)}
        return Static(kinds.pop() if len(kinds) == 1 else None)
    if name in ("Callable", "typing.Callable", "collections.abc.Callable", "type", "typing.Type"):
        return STATIC
    return _by_name(name)


def _annotation_name(
    analysis: Analysis, module: SourceModule, node: ir.Expr, hops: int = 4
) -> str | ClassInfo | ValueBinding | None:
    """The full name of an annotation, through aliases of the project (``Tensor = torch.Tensor``); an alias of more
    than a name is handed back as it is bound."""
    meaning = analysis.project.resolve(module, node)
    if isinstance(meaning, ClassInfo):
        return meaning
    if isinstance(meaning, External):
        return torch_functions.canonical(meaning.name)
    if isinstance(meaning, ValueBinding) and hops:
        if isinstance(meaning.value, (ir.Name, ir.Attribute)):
            return _annotation_name(analysis, meaning.unit.module, meaning.value, hops - 1)
        return meaning if isinstance(meaning.value, (ir.Subscript, ir.BinOp)) else None
    if isinstance(node, ir.Name):
        return node.id
    return None


# --------------------------------------------------------------------------------------------- inputs of `forward`
def model_inputs(frame: Frame, function: Function, receiver: Value) -> Arguments:
    """Arguments for a ``forward`` that nobody was seen calling: the inputs of the model."""
    params = function.function.params
    use = _use_of(frame.analysis, function.function)
    positional: list[Value] = [receiver]
    for param in params.positional[1:]:
        positional.append(_input(frame, function, param, use))
    keyword = {p.name: _input(frame, function, p, use) for p in params.keyword}
    star: Value | None = None
    if params.vararg is not None:
        star = None
        positional.append(Tensor(True, True, frame.origin(params.vararg, "input", params.vararg.name)))
    return Arguments(positional, keyword, star, STATIC if params.kwarg is not None else None)


def _input(frame: Frame, function: Function, param: ir.Param, use: _Use) -> Value:
    origin = frame.origin(param, "input", param.name)
    if param.annotation is not None:
        value = annotated(frame.analysis, function.unit.module, param.annotation)
        if value is not None:
            value = _with_origin(value, param.name, origin)
            default = param.default
            if isinstance(default, ir.Const) and default.value is None:
                return join(value, NONE)
            return value
    if param.default is not None:
        default_is = default_value(frame, function, param)
        if isinstance(default_is, Const):
            if default_is.value is None:
                return join(_by_use(param.name, origin, use, optional=True), NONE)
            return Static(type_name(default_is))
        return default_is if default_is is not UNKNOWN else STATIC
    if param.annotation is not None:
        return UNKNOWN
    return _by_use(param.name, origin, use, optional=False)


def _with_origin(value: Value, name: str, origin: object) -> Value:
    from onnx_lint.semantics.domain.values import Origin

    assert isinstance(origin, Origin)
    if isinstance(value, Tensor):
        return Tensor(value.traced, value.presumed, origin, name)
    if isinstance(value, Seq) and value.elements is not None:
        return Seq(value.kind, tuple([_with_origin(e, name, origin) for e in value.elements]))
    if isinstance(value, Seq) and value.element is not None:
        return Seq(value.kind, None, _with_origin(value.element, name, origin))
    if isinstance(value, Dict) and value.rest is not None:
        return Dict({}, _with_origin(value.rest, name, origin))
    if isinstance(value, Alternatives):
        return Alternatives(tuple([_with_origin(v, name, origin) for v in value.values]))
    return value


def _by_use(name: str, origin: object, use: _Use, *, optional: bool) -> Value:
    """An input without annotation: a tensor, unless it is used like a list, a dict or a number."""
    from onnx_lint.semantics.domain.values import Origin

    assert isinstance(origin, Origin)
    kind = use.kind_of(name)
    presumed = Tensor(True, True, origin, name)
    if kind == "list":
        return Seq("list", None, presumed)
    if kind == "dict":
        return Dict({}, presumed)
    if kind == "object":
        return UNKNOWN
    if kind == "number":
        return STATIC
    return Tensor(True, optional and kind is None, origin, name)


def _use_of(analysis: Analysis, function: ir.FunctionDef) -> _Use:
    held = analysis.uses.get(id(function))
    if held is None:
        held = analysis.uses[id(function)] = (function, _Use(function))
    use = held[1]
    assert isinstance(use, _Use)
    return use


class _Use:
    """How the parameters of a function are used in its body: evidence for what they are."""

    def __init__(self, function: ir.FunctionDef) -> None:
        self.evidence: dict[str, set[str]] = {
            p.name: set() for p in (*function.params.positional, *function.params.keyword)
        }
        self._walk(function.body)

    def kind_of(self, name: str) -> str | None:
        found = self.evidence.get(name, set())
        if "tensor" in found:
            return "tensor"
        for kind in ("dict", "list", "number", "object"):
            if kind in found:
                return kind
        return None

    def _note(self, node: object, kind: str) -> None:
        if isinstance(node, ir.Name) and node.id in self.evidence:
            self.evidence[node.id].add(kind)

    def _walk(self, node: object) -> None:
        if isinstance(node, tuple):
            for part in node:
                self._walk(part)
            return
        slots = getattr(node, "__slots__", None)
        if slots is None:
            return
        if isinstance(node, ir.Attribute):
            self._attribute(node)
        elif isinstance(node, ir.Subscript):
            if isinstance(node.index, ir.Const):
                if isinstance(node.index.value, str):
                    self._note(node.value, "dict")
                elif isinstance(node.index.value, int) and isinstance(node.value, ir.Name) and _plural(node.value.id):
                    self._note(node.value, "list")
            elif isinstance(node.index, ir.Sequence):
                self._note(node.value, "tensor")
        elif isinstance(node, ir.Starred):
            if isinstance(node.value, ir.Name) and _plural(node.value.id):
                self._note(node.value, "list")
        elif isinstance(node, ir.Call):
            self._call(node)
        elif isinstance(node, (ir.For, ir.Generator)):
            if isinstance(node.iter, ir.Name) and _plural(node.iter.id):
                self._note(node.iter, "list")
        elif isinstance(node, ir.BinOp) and node.op in ("*", "/", "-", "@", "**"):
            other = {id(node.left): node.right, id(node.right): node.left}
            for side in (node.left, node.right):
                if not isinstance(other[id(side)], ir.Name) or node.op == "@":
                    self._note(side, "arithmetic")
        for slot in slots:
            self._walk(getattr(node, slot))

    def _attribute(self, node: ir.Attribute) -> None:
        if node.attr in ("shape", "ndim", "dtype", "device", "T") or torch_functions.is_tensor_only(node.attr):
            self._note(node.value, "tensor")
        elif node.attr in ("append", "extend", "insert"):
            self._note(node.value, "list")
        elif node.attr in ("keys", "items", "values", "get", "update"):
            self._note(node.value, "dict")
        elif torch_functions.attribute_kind(node.attr) is None:
            self._note(node.value, "object")

    def _call(self, node: ir.Call) -> None:
        name = _call_name(node.func)
        for argument in node.args:  # `f(*x)` hands on a list of arguments; `[*x]` may take a tensor apart
            if isinstance(argument, ir.Starred):
                self._note(argument.value, "list")
        if name == "range":
            for argument in node.args:
                self._note(argument, "number")
        elif name in ("torch.cat", "torch.stack", "torch.concat", "torch.hstack", "torch.vstack") and node.args:
            self._note(node.args[0], "list")
        elif name in ("len", "enumerate", "zip", "reversed"):
            for argument in node.args:
                if isinstance(argument, ir.Name) and _plural(argument.id):
                    self._note(argument, "list")
        elif name.startswith(("F.", "torch.", "nn.functional.")):
            for argument in node.args[:1]:
                self._note(argument, "tensor")
        elif isinstance(node.func, ir.Attribute) and node.func.attr in ("view", "reshape", "expand", "repeat"):
            for argument in node.args:
                self._note(argument, "number")


def _plural(name: str) -> bool:
    """A name that says that it holds several things."""
    return (name.endswith("s") and len(name) > 2 and not name.endswith("ss")) or name.endswith(("list", "tuple"))


def _call_name(node: ir.Expr) -> str:
    if isinstance(node, ir.Name):
        return node.id
    if isinstance(node, ir.Attribute):
        return f"{_call_name(node.value)}.{node.attr}"
    return "?"
