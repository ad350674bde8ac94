"""Functions and modules of torch, NumPy and the libraries around them: what they return, and what they freeze.

What a function returns comes from generated data (`torch_api`); here stands what no table says: which arguments make
a result traced, and where a value leaves the graph.
"""

from __future__ import annotations

from onnx_lint.semantics.catalogue import python_functions, torch_kinds
from onnx_lint.semantics.catalogue.torch_kinds import Questions, ReturnKind, canonical
from onnx_lint.semantics.domain.sites import Conversion, NumpyCall, TensorFrom, traced_parts
from onnx_lint.semantics.domain.values import (
    NONE,
    STATIC,
    UNKNOWN,
    Arguments,
    Array,
    Const,
    Dict,
    EngineFlag,
    ExternalInstance,
    ExternalValue,
    Frozen,
    Origin,
    RangeValue,
    Seq,
    Size,
    Static,
    Tensor,
    Unknown,
    Value,
    alternatives,
    is_live,
    join_all,
)
from onnx_lint.semantics.evaluation import calls, conditions, expressions, iteration
from onnx_lint.semantics.evaluation.frame import DYNAMO, TORCHSCRIPT, Frame
from onnx_lint.source import ir

CHECKS = frozenset({"torch._assert"})
"""Functions that only check their first argument, given a message."""

_FLAGS: dict[str, Value] = {
    "torch.jit.is_tracing": EngineFlag(TORCHSCRIPT),
    "torch._C._get_tracing_state": EngineFlag(TORCHSCRIPT),
    "torch.jit.is_scripting": Const(False),
    "torch.compiler.is_compiling": EngineFlag(DYNAMO),
    "torch.compiler.is_exporting": EngineFlag(DYNAMO),
    "torch.compiler.is_dynamo_compiling": Static("bool"),
    "torch._dynamo.is_compiling": EngineFlag(DYNAMO),
    "torch.onnx.is_in_onnx_export": Const(True),
    "torch.is_grad_enabled": Const(False),
    "torch.is_autocast_enabled": Static("bool"),
    "torch.cuda.is_available": Static("bool"),
}
"""What these say while a model is exported. Measured with torch 2.13: `is_tracing` holds under the torchscript engine
only, `is_exporting` under dynamo only, `is_in_onnx_export` under both."""

_FROM_PYTHON = frozenset(
    {"torch.tensor", "torch.as_tensor", "torch.asarray", "torch.Tensor", "torch.FloatTensor",
     "torch.LongTensor", "torch.IntTensor", "torch.BoolTensor"}
)  # fmt: skip
_CONTAINERS = frozenset(
    {"torch.nn.Sequential", "torch.nn.ModuleList", "torch.nn.ModuleDict", "torch.nn.ParameterList",
     "torch.nn.ParameterDict"}
)  # fmt: skip
_NUMPY = ("numpy.", "scipy.", "cv2.", "skimage.")
_WRAPPERS = frozenset(
    {"torch.jit.script", "torch.jit.trace", "torch.compile", "torch.no_grad", "torch.jit.ignore",
     "torch.nn.utils.weight_norm", "torch.nn.utils.spectral_norm", "torch.nn.utils.remove_weight_norm",
     "torch.nn.utils.remove_spectral_norm", "torch.nn.utils.parametrizations.weight_norm",
     "torch.nn.utils.parametrizations.spectral_norm", "torch.nn.utils.parametrizations.orthogonal"}
)  # fmt: skip
"""Functions that return their first argument, as far as it matters here."""


def is_tensor_only(name: str) -> bool:
    return torch_kinds.is_tensor_only_method(name)


def attribute_kind(name: str) -> str | None:
    """``tensor``, ``size``, ``method`` or a Python type for an attribute of `Tensor`; ``None`` if it has none."""
    return torch_kinds.attribute_kind(name)


def constant(name: str) -> Value | None:
    """The value of an attribute of an external module that is no function."""
    if name.startswith("math.") and name in ("math.pi", "math.e", "math.inf", "math.tau", "math.nan"):
        return Static("float")
    if name.startswith("numpy.") and name in ("numpy.pi", "numpy.inf", "numpy.newaxis"):
        return Static("float")
    if name.startswith("torch.") and torch_kinds.is_plain_constant(name):
        return STATIC
    return None


def check_call(frame: Frame, node: ir.Call, name: str) -> Value:
    """``torch._assert(condition, message)``: a check, and a message that formats what it checks."""
    frame.checks += 1
    if node.args:
        conditions.condition(frame, node.args[0], "torch._assert", node)
        for argument in node.args[1:]:
            expressions.evaluate(frame, argument)
    for _, value in node.keywords:
        expressions.evaluate(frame, value)
    frame.checks -= 1
    return NONE


def call(frame: Frame, node: ir.Call | None, name: str, args: Arguments) -> Value:
    """Call an external function or class by its full name."""
    name = canonical(name)
    flag = _FLAGS.get(name)
    if flag is not None:
        return flag
    if name.startswith("torch."):
        special = _special(frame, node, name, args)
        if special is not None:
            return special
    elif name.startswith(_NUMPY):
        return _numpy(frame, node, name, args)
    kind = torch_kinds.function_kind(name)
    if kind is not None:
        return _result(frame, node, name, kind, args)
    if torch_kinds.module_kind(name) is not None or _looks_like_class(name):
        return _construct(frame, name, args)
    return calls.vague_result(args)


def _looks_like_class(name: str) -> bool:
    last = name.rpartition(".")[2]
    return last[:1].isupper() and not last.isupper()


def _special(frame: Frame, node: ir.Call | None, name: str, args: Arguments) -> Value | None:
    if name in _FROM_PYTHON:
        return tensor_from(frame, node, name, args)
    if name == "torch.from_numpy":
        return _from_numpy(frame, node, args)
    if name in _CONTAINERS:
        return _container(name, args)
    if name in ("torch.utils.checkpoint.checkpoint", "torch.func.functional_call") and args.positional:
        keyword = {k: v for k, v in args.keyword.items() if k not in ("use_reentrant", "preserve_rng_state")}
        return calls.apply(frame, node, args.positional[0], Arguments(args.positional[1:], keyword, args.star))
    if name in _WRAPPERS and args.positional:
        return args.positional[0]
    if name in ("torch.jit.annotate",) and len(args.positional) == 2:
        return args.positional[1]
    if name in ("torch.numel",) and args.positional:
        value = args.positional[0]
        return Size(value.origin) if value.is_traced else Static("int")
    if name.startswith("torch.Tensor.") and args.positional and isinstance(args.positional[0], Tensor):
        from onnx_lint.semantics.catalogue import methods

        rest = Arguments(args.positional[1:], args.keyword, args.star, args.double_star)
        return methods.call(frame, node, args.positional[0], name.rpartition(".")[2], rest)
    if name == "torch.Size" and args.positional:
        value = args.positional[0]
        return Seq("shape", value.elements, value.element, value.origin) if isinstance(value, Seq) else UNKNOWN
    return None


# ------------------------------------------------------------------------------------------- values into tensors
def _hazardous_parts(values: list[Value]) -> list[Value]:
    return [p for v in values for p in traced_parts(v) if python_functions.is_hazardous(p)]


def tensor_from(frame: Frame, node: ir.Call | None, name: str, args: Arguments) -> Value:
    """``torch.tensor(value)`` and the like: Python values become a constant of the graph."""
    given = args.get(0, "data") or args.keyword.get("obj")
    if given is None:
        return Tensor(False)
    copies = name in ("torch.as_tensor", "torch.asarray")
    if isinstance(given, Tensor) and (copies or not given.traced):
        if node is not None:  # right, but the tracer warns
            frame.emit(TensorFrom(*frame.base(node, given), name, False, ()))
        return given
    if isinstance(given, Unknown):
        return Tensor(True, True)
    if name[6:7].isupper() and name != "torch.Tensor":
        copies = False
    parts = _hazardous_parts([given])
    if isinstance(given, Tensor) and given.presumed:
        return Tensor(given.traced, True, given.origin)
    traced = bool(parts)
    subject = parts[0] if parts else given
    if node is not None:
        first = node.args[0] if node.args else None
        elements = first.elements if isinstance(first, ir.Sequence) else ()
        frame.emit(TensorFrom(*frame.base(node, subject), name, traced, elements, isinstance(given, Seq)))
    origin = parts[0].origin if parts else None
    is_shape = any(isinstance(p, Size) for p in parts)
    return Tensor(traced, False, origin, None, is_shape and isinstance(given, Seq))


def new_tensor(frame: Frame, node: ir.Call, tensor: Tensor, name: str, args: Arguments) -> Value:
    """``x.new_tensor(value)``, and ``x.new_zeros(size)``, which stays live."""
    if name == "new_tensor":
        return tensor_from(frame, node, "Tensor.new_tensor", args)
    traced = any(a.is_traced for a in args.all())
    return Tensor(traced, False, next((a.origin for a in args.all() if a.origin is not None), None))


def _from_numpy(frame: Frame, node: ir.Call | None, args: Arguments) -> Value:
    value = args.positional[0] if args.positional else UNKNOWN
    if isinstance(value, (Array, Frozen)) and node is not None:
        frame.emit(NumpyCall(*frame.base(node, value), "torch.from_numpy"))
        return Tensor(True, False, value.origin)
    if value is not UNKNOWN and node is not None:
        frame.emit(TensorFrom(*frame.base(node, value), "torch.from_numpy", False, ()))
    return Tensor(False) if value is not UNKNOWN else Tensor(True, True)


def _numpy(frame: Frame, node: ir.Call | None, name: str, args: Arguments) -> Value:
    parts = _hazardous_parts(args.all())
    hazards = [p for p in parts if not isinstance(p, Array) and is_live(p)]
    live = next((p for p in hazards if not isinstance(p, Frozen)), hazards[0] if hazards else None)
    if live is not None and node is not None:
        frame.emit(NumpyCall(*frame.base(node, live), name))
    if parts:
        part = live if live is not None else parts[0]
        origin = part.origin if node is None else frame.origin(node, "array", "", part.origin)
        if all(isinstance(p, Size) or (isinstance(p, Frozen) and not p.from_data) for p in parts):
            return Frozen(False, None, origin)
        return Array(origin)
    return STATIC if not any(a is UNKNOWN for a in args.all()) else UNKNOWN


# ----------------------------------------------------------------------------------------------------- results
def method_result(frame: Frame, node: ir.Call | None, tensor: Tensor, name: str, args: Arguments) -> Value | None:
    """What a tensor's method returns; ``None`` if tensors have no such method."""
    kind = torch_kinds.method_kind(name)
    if kind is None:
        return None
    given = Arguments([tensor, *args.positional], args.keyword, args.star, args.double_star)
    result = _result(frame, node, f"torch.Tensor.{name}", kind, given)
    if torch_kinds.is_in_place(name) and not tensor.traced and isinstance(result, Tensor) and result.traced:
        tensor.traced, tensor.origin = True, result.origin  # a constant buffer that receives computed values
    if isinstance(result, Tensor) and tensor.presumed and not is_tensor_only(name):
        result.presumed = result.presumed or name in ("copy", "clone", "to", "float", "sum", "max", "min", "mean")
    return result


def _result(frame: Frame, node: ir.Call | None, name: str, kind: ReturnKind, args: Arguments) -> Value:
    """The value of a call that returns `kind`: traced as soon as one argument is."""
    kind = kind.choose(args.positional, args.keyword, _QUESTIONS)
    traced, origin = False, None
    for value in args.all():
        for part in traced_parts(value):
            traced = True
            origin = origin or part.origin
        traced = traced or isinstance(value, Unknown)
    if node is not None and name.rpartition(".")[2] in _COUNTS:
        _count_argument(frame, node, name, args)
    if name in _COMPARISONS:
        compared = _hazardous_parts(args.all())
        if compared and node is not None:
            frame.emit(Conversion(*frame.base(node, compared[0]), name.replace("torch.Tensor.", "torch."), None))
            return Frozen(True, "bool", frame.origin(node, "read", "", compared[0].origin))
    if torch_kinds.is_factory(name) and not traced:
        return Tensor(False)
    if torch_kinds.data_dependent_size(name) and traced:
        origin = frame.origin(node, "tensor", "", origin) if node is not None else origin
    return _of_kind(kind, traced, origin)


_COUNTS = {"split": 1, "chunk": 1, "roll": 1, "tensor_split": 1}
"""Functions that turn a size given at that position into a Python integer, and so freeze it; all others that were
tried keep it live. Measured with torch 2.13."""


_COMPARISONS = frozenset({"torch.equal", "torch.allclose", "torch.Tensor.equal", "torch.Tensor.allclose"})
"""Functions that answer with a Python ``bool``. The tracer does not warn; dynamo stops with
``DataDependentOutputException``. Measured with torch 2.13."""


def _count_argument(frame: Frame, node: ir.Call, name: str, args: Arguments) -> None:
    short = name.rpartition(".")[2]
    position = _COUNTS[short]
    if len(args.positional) > position:
        given = args.positional[position]
        hazard = next((v for v in alternatives(given) if isinstance(v, Size)), None)
        if hazard is not None:
            frame.emit(Conversion(*frame.base(node, hazard), short, None))


def _is_true(value: object) -> bool | None:
    if isinstance(value, Const):
        return bool(value.value)
    return None


_QUESTIONS = Questions(_is_true, lambda value: isinstance(value, Tensor))


def _of_kind(kind: ReturnKind, traced: bool, origin: Origin | None) -> Value:
    name = kind.kind
    if name == "tensor":
        return Tensor(traced, False, origin)
    if name == "presumed":
        return Tensor(traced, True, origin)
    if name == "tuple":
        return Seq("tuple", tuple([_of_kind(i, traced, origin) for i in kind.items]))
    if name in ("list", "tuple*"):
        inner = kind.element if kind.element is not None else ReturnKind("tensor")
        return Seq("list" if name == "list" else "tuple", None, _of_kind(inner, traced, origin))
    if name == "size":
        return Seq("shape", None, Size(origin) if traced else Static("int"), origin)
    if name == "dim":
        return Size(origin) if traced else Static("int")
    if name == "none":
        return NONE
    if name in ("int", "float", "bool", "str"):
        return Static(name)
    if name == "number":
        return Frozen(True, None, origin) if traced else Static()
    return UNKNOWN if name == "unknown" and traced else STATIC


# ----------------------------------------------------------------------------------------------------- modules
def _container(name: str, args: Arguments) -> ExternalInstance:
    """A container of modules, with what it is made of."""
    given = args.positional
    if name.endswith(("ModuleDict", "ParameterDict")):
        held = given[0] if given and isinstance(given[0], Dict) else Dict({}, STATIC if given else None)
        return ExternalInstance(name, Dict(dict(held.entries), held.rest))
    if name.endswith("Sequential"):
        if len(given) == 1 and isinstance(given[0], Dict):
            return ExternalInstance(name, Seq("list", tuple(given[0].values())))
        if args.star is not None:
            return ExternalInstance(name, Seq("list", None, join_all([*given, args.star])))
        return ExternalInstance(name, Seq("list", tuple(given)))
    parameters = Tensor(False) if name.endswith("ParameterList") else None
    if not given:
        return ExternalInstance(name, Seq("list", () if parameters is None else None, parameters))
    first = given[0]
    if isinstance(first, Seq):
        return ExternalInstance(name, Seq("list", first.elements, first.element if parameters is None else parameters))
    return ExternalInstance(name, Seq("list", None, parameters or STATIC))


def _construct(frame: Frame, name: str, args: Arguments) -> Value:
    if name in ("torch.nn.Parameter", "torch.nn.parameter.Buffer", "torch.nn.Buffer"):
        return Tensor(False)
    if name.startswith(("torch.nn.", "torch.")) or torch_kinds.module_kind(name) is not None:
        return ExternalInstance(name, None, args.keyword or None)
    if any(a.is_traced for a in args.all()):
        return UNKNOWN  # an object that holds traced values
    return ExternalInstance(name, None, None)


def call_module(frame: Frame, node: ir.Call | None, module: ExternalInstance, args: Arguments) -> Value:
    """Call an instance of an external class, such as ``nn.Conv2d``."""
    if module.name.endswith("Sequential") and module.items is not None:
        return run_sequential(frame, node, module.items, args, module.name)
    kind = torch_kinds.module_kind(canonical(module.name))
    if kind is None:
        return calls.vague_result(args)
    constructed = module.args or {}
    kind = kind.choose(args.positional, {**constructed, **args.keyword}, _QUESTIONS)
    parts = [p for a in args.all() for p in traced_parts(a)]
    traced = bool(parts) or any(a is UNKNOWN for a in args.all())
    if kind.kind == "tuple" and args.positional and args.positional[0] is UNKNOWN:
        # a recurrent layer that is given a packed sequence returns one
        kind = ReturnKind("tuple", (ReturnKind("presumed"), *kind.items[1:]))
    return _of_kind(kind, traced, next((p.origin for p in parts if p.origin is not None), None))


def run_sequential(frame: Frame, node: ir.Call | None, items: Value, args: Arguments, name: str) -> Value:
    """``nn.Sequential``: what each module returns goes to the next."""
    value = args.positional[0] if args.positional else UNKNOWN
    if isinstance(items, Seq) and items.elements is not None and len(items.elements) <= 16:
        for module in items.elements:
            value = calls.apply(frame, node, module, Arguments([value], {}))
        return value
    item = iteration.element(frame, items, None, None) if isinstance(items, Seq) else items
    # any number of modules of these kinds, in any order: what one returns, another may be given
    result = calls.apply(frame, node, item, Arguments([value], {}))
    if result is UNKNOWN:
        return calls.vague_result(args)
    if result.key() != value.key() and isinstance(result, Tensor):
        again = calls.apply(frame, node, item, Arguments([result], {}))
        return again if isinstance(again, Tensor) else result
    return result


__all__ = [
    "CHECKS", "ExternalValue", "RangeValue", "alternatives", "attribute_kind", "call", "call_module", "canonical",
    "check_call", "constant", "is_tensor_only", "method_result", "new_tensor", "run_sequential", "tensor_from",
]  # fmt: skip
