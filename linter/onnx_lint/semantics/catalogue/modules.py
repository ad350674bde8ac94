"""Modules of ``torch.nn``: containers and what they hold, calls, and the methods that every module has."""

from __future__ import annotations

from onnx_lint.semantics import torch_kinds
from onnx_lint.semantics.catalogue import conflicts, operator_calls, shaping, torch_results
from onnx_lint.semantics.catalogue.containers import appended
from onnx_lint.semantics.catalogue.registry import Call, models, models_method
from onnx_lint.semantics.domain.lattice import alternatives, general, is_none, join_all, vague_result
from onnx_lint.semantics.domain.parts import traced_parts
from onnx_lint.semantics.domain.shapes import UNTYPED
from onnx_lint.semantics.domain.values import (
    NONE,
    STATIC,
    UNKNOWN,
    Arguments,
    ClassValue,
    Dict,
    ExternalInstance,
    Function,
    Instance,
    Seq,
    Static,
    Tensor,
    Value,
)
from onnx_lint.semantics.evaluation.frame import Frame
from onnx_lint.semantics.known_names import BASE, CONTAINERS, RETURNS_SELF
from onnx_lint.semantics.torch_kinds import ReturnKind
from onnx_lint.source import ir

_MAX_RUN = 16
"""A ``Sequential`` of at most that many known modules is run one by one."""


# ------------------------------------------------------------------------------------------------------ containers
@models("torch.nn.ModuleDict", "torch.nn.ParameterDict")
def _dict(frame: Frame, call: Call) -> Value:
    held = call.first
    if not isinstance(held, Dict):
        held = Dict({}, STATIC if call.args.positional else None)
    return ExternalInstance(call.name, Dict(held.entries, held.rest))


@models("torch.nn.Sequential")
def _sequential(frame: Frame, call: Call) -> Value:
    given = call.args.positional
    if len(given) == 1 and isinstance(given[0], Dict):
        return ExternalInstance(call.name, Seq("list", given[0].values()))
    if call.args.star is not None:
        return ExternalInstance(call.name, Seq("list", None, join_all((*given, call.args.star))))
    return ExternalInstance(call.name, Seq("list", given))


@models("torch.nn.ModuleList")
def _list(frame: Frame, call: Call) -> Value:
    if not call.args.positional:
        return ExternalInstance(call.name, Seq("list", ()))
    first = call.first
    if isinstance(first, Seq):
        return ExternalInstance(call.name, Seq("list", first.elements, first.element))
    return ExternalInstance(call.name, Seq("list", None, STATIC))


@models("torch.nn.ParameterList")
def _parameters(frame: Frame, call: Call) -> Value:
    elements = call.first.elements if isinstance(call.first, Seq) else None
    return ExternalInstance(call.name, Seq("list", elements, Tensor(False) if elements is None else None))


def modules_in(value: Value) -> list[Value]:
    """The modules that a value holds, for containers made from it."""
    out: list[Value] = []
    for one in alternatives(value):
        if isinstance(one, Seq):
            for item in one.items():
                out.extend(modules_in(item))
        else:
            out.append(one)
    return out


# ----------------------------------------------------------------------------------------------------------- calls
def call_module(frame: Frame, node: ir.Call | None, module: Value, args: Arguments) -> Value:
    """Call an instance of an external class, such as ``nn.Conv2d``."""
    assert isinstance(module, ExternalInstance)
    if module.name.endswith("Sequential") and module.items is not None:
        return _run(frame, node, module.items, args)
    name = torch_kinds.canonical(module.name)
    operator_calls.note(frame, Call(name, node, args), args, module.args)
    kind = torch_kinds.module_kind(name)
    if kind is None:
        return vague_result(args)
    kind = kind.choose(args.positional, {**(module.args or {}), **args.keyword}, torch_results.QUESTIONS)
    parts = [p for a in args.all() for p in traced_parts(a)]
    traced = bool(parts) or any(a is UNKNOWN for a in args.all())
    if kind.kind == "tuple" and args.positional and args.positional[0] is UNKNOWN:
        # a recurrent layer that is given a packed sequence returns one
        kind = ReturnKind("tuple", (ReturnKind("presumed"), *kind.items[1:]))
    result = torch_results.of_kind(kind, traced, next((p.origin for p in parts if p.origin is not None), None))
    return shaping.module(frame, node, module, args, result)


def _run(frame: Frame, node: ir.Call | None, items: Seq | Dict, args: Arguments) -> Value:
    """``nn.Sequential``: what each module returns goes to the next."""
    value = args.positional[0] if args.positional else UNKNOWN
    if isinstance(items, Seq) and items.elements is not None and len(items.elements) <= _MAX_RUN:
        in_order = conflicts.InOrder(frame, node)
        for module in items.elements:
            value = frame.interp.apply(frame, node, module, Arguments((value,)))
            in_order.one_is_done()
        in_order.all_are_done()
        return value
    item = frame.interp.element(frame, items) if isinstance(items, Seq) else join_all(items.values()) or STATIC
    # any number of modules of these kinds, in any order: what one returns, another may be given
    with conflicts.in_any_order(frame):
        result = frame.interp.apply(frame, node, item, Arguments((value,)))
        if result is UNKNOWN:
            return vague_result(args)
        if isinstance(value, Tensor) and isinstance(result, Tensor) and result.type.rank is None:
            # they do not fit one and the same tensor, but maybe any tensor of its kind
            result = frame.interp.apply(frame, node, item, Arguments((general(value),)))
        if result.key() != value.key() and isinstance(result, Tensor):
            again = frame.interp.apply(frame, node, item, Arguments((result,)))
            return again if isinstance(again, Tensor) else result
    return result


# ---------------------------------------------------------------------------------------- methods of external modules
@models_method(ExternalInstance, "append", "extend", "insert")
def _append(frame: Frame, call: Call, module: ExternalInstance) -> Value:
    items = module.items
    if call.args.positional and isinstance(items, Seq):
        for part in modules_in(call.args.positional[-1]):
            items = appended(items, part)
        frame.write(module, ExternalInstance(module.name, items, module.args, module.addresses))
    return frame.read(module)


@models_method(ExternalInstance, "add_module", "register_module")
def _add(frame: Frame, call: Call, module: ExternalInstance) -> Value:
    if isinstance(module.items, Seq) and len(call.args.positional) == 2:
        items = appended(module.items, call.args.positional[1])
        frame.write(module, ExternalInstance(module.name, items, module.args, module.addresses))
        return NONE
    return STATIC


@models_method(ExternalInstance, "parameters", "buffers")
def _tensors(frame: Frame, call: Call, module: ExternalInstance) -> Value:
    return Seq("generator", None, Tensor(False))


@models_method(ExternalInstance, "children", "modules", "values")
def _children(frame: Frame, call: Call, module: ExternalInstance) -> Value:
    return Seq("generator", None, frame.interp.parts_of_module(frame, module))


@models_method(ExternalInstance, "items", "named_children", "named_modules")
def _named(frame: Frame, call: Call, module: ExternalInstance) -> Value:
    part = frame.interp.parts_of_module(frame, module) or STATIC
    return Seq("generator", None, Seq("tuple", (Static("str"), part)))


@models_method(ExternalInstance, "keys")
def _keys(frame: Frame, call: Call, module: ExternalInstance) -> Value:
    return Seq("list", None, Static("str"))


@models_method(ExternalInstance, *sorted(RETURNS_SELF))
def _itself(frame: Frame, call: Call, module: ExternalInstance) -> Value:
    return module


@models_method(ExternalInstance)
def _other(frame: Frame, call: Call, module: ExternalInstance) -> Value:
    return STATIC


# ------------------------------------------------------------------------- what nn.Module gives the project's modules
@models_method(Instance)
def _inherited(frame: Frame, call: Call, instance: Instance) -> Value:
    """What `nn.Module` itself brings: registering parts, and moving the module about."""
    args, name = call.args, call.name.removeprefix("super.")
    if name in ("register_buffer", "register_parameter"):
        value = args.get(1, "tensor") or args.get(1, "param") or STATIC
        type_ = value.type if isinstance(value, Tensor) else UNTYPED
        buffer = value if is_none(value) else frame.owned(Tensor(False, type=type_))
        frame.interp.register(frame, instance, args.get(0, "name") or UNKNOWN, buffer)
        return NONE
    if name in ("add_module", "register_module"):
        frame.interp.register(frame, instance, args.get(0, "name") or UNKNOWN, args.get(1, "module") or STATIC)
        return NONE
    if name == "__init__" and (args.positional or args.keyword):
        base = instance.cls.torch_base
        if base is not None and not base.endswith(CONTAINERS):
            frame.interp.set_attribute(
                frame, instance, BASE, ExternalInstance(base, None, args.keyword or None, (), args)
            )
            return NONE
    if name in ("__init__", "append", "extend", "insert"):
        _keep_order(frame, instance, name, args)
        given = args.positional if name == "__init__" else args.positional[-1:]
        if name == "__init__" and args.star is not None:
            given = (*given, args.star)
        for part in given:
            for module in modules_in(part):
                frame.interp.register(frame, instance, UNKNOWN, module)
        return NONE
    if name in ("parameters", "buffers"):
        return Seq("generator", None, Tensor(False))
    if name in RETURNS_SELF:
        return instance
    if name in ("forward", "__call__"):
        return _forward_of_base(frame, instance, args)
    if name == "children":
        held = frame.interp.attributes_of(frame, instance).values()
        modules = [one for v in held for one in alternatives(v) if isinstance(one, (Instance, ExternalInstance))]
        return Seq("generator", None, join_all(modules) or STATIC)
    if name == "modules":
        return Seq("generator", None, STATIC)
    return vague_result(args)


def _keep_order(frame: Frame, instance: Instance, name: str, args: Arguments) -> None:
    """What a subclass of ``Sequential`` is made with is called in that order, unless others are added later."""
    base = instance.cls.torch_base
    if base is not None and base.endswith("Sequential"):
        made = frame.interp.call_external(frame, None, "torch.nn.Sequential", args) if name == "__init__" else None
        frame.interp.set_attribute(frame, instance, BASE, made or ExternalInstance(base, Seq("list", None, STATIC)))


def _forward_of_base(frame: Frame, instance: Instance, args: Arguments) -> Value:
    """``super().forward(x)`` of a base outside the project."""
    base = instance.cls.torch_base
    if base is not None and base.endswith("Sequential"):
        return call_module(frame, None, frame.interp.sequence_of(frame, instance), args)
    if base is not None:
        return call_module(frame, None, frame.interp.base_module(frame, instance) or ExternalInstance(base), args)
    return vague_result(args)


@models_method(ClassValue, "apply")
def _autograd(frame: Frame, call: Call, receiver: ClassValue) -> Value:
    """``Function.apply``: the tracer goes into its ``forward``, with a context before the arguments."""
    if not receiver.cls.is_subclass("torch.autograd.Function"):
        return UNKNOWN
    found = receiver.cls.find_method("forward")
    if found is None:
        return vague_result(call.args)
    owner, unit, statement = found
    with_context = receiver.cls.find("setup_context") is None
    given = call.args.after(STATIC) if with_context else call.args
    return frame.interp.invoke(frame, call.node, Function(unit, statement, None, owner), None, given)
