"""Objects of the project's classes: made, initialised, read and written."""

from __future__ import annotations

from onnx_lint.project.classes import ClassInfo
from onnx_lint.project.modules import Unit
from onnx_lint.semantics.domain.values import (
    NONE,
    STATIC,
    UNKNOWN,
    Alternatives,
    Arguments,
    Bound,
    ClassValue,
    Const,
    ExternalInstance,
    Function,
    Instance,
    Seq,
    Static,
    Super,
    Tensor,
    Value,
    alternatives,
    join,
    type_name,
)
from onnx_lint.semantics.evaluation import calls, expressions, parameters
from onnx_lint.semantics.evaluation.frame import Environment, Frame
from onnx_lint.source import ir

_MAX_INSTANCE_CONTEXTS = 8


def make(frame: Frame, cls: ClassInfo, args: Arguments | None) -> Value:
    """An instance of a project class."""
    if cls.is_subclass("torch.autograd.Function"):
        return UNKNOWN
    if _is_enum(cls):
        return STATIC
    if args is not None and frame.quiet:
        frame.summary.made.append((cls, args))
    key = None if args is None else args.key()
    contexts = frame.analysis.contexts
    if args is not None:
        known = ("made", id(cls), key)
        if known not in frame.analysis.active:
            count = contexts.get(id(cls), 0)
            if count >= _MAX_INSTANCE_CONTEXTS:
                args, key = None, "any"
                frame.analysis.budget_exhausted = True
            else:
                contexts[id(cls)] = count + 1
                frame.analysis.active.add(known)
    return Instance(cls, args, key)


def _is_enum(cls: ClassInfo) -> bool:
    return any(not isinstance(c, ClassInfo) and c.name.startswith("enum.") for c in cls.mro)


def initialise(frame: Frame, instance: Instance) -> None:
    """Interpret ``__init__`` once, outside traced code, for what it assigns."""
    remembered = frame.analysis.initialised
    if instance.initialised:
        dependency = instance.dependency
        if dependency is None:
            return
        if not dependency.stale:
            remembered.read(dependency)
            return
        instance.attributes = {}
    instance.initialised = True
    key = ("initialised", id(instance.cls), instance.ctor_key)
    held = remembered.get(key)
    if held is None:
        # while it runs, others of the kind are as far as this one
        remembered.compute(key, lambda: _initialise(frame, instance), instance.attributes)
    else:
        instance.attributes = {**held[0], **instance.attributes}
    instance.dependency = remembered.dependency(key)


def _initialise(frame: Frame, instance: Instance) -> dict[str, Value]:
    """What ``__init__`` assigns; objects of a class made with the same arguments begin alike."""
    cls = instance.cls
    found = cls.find("__init__")
    if found is not None:
        owner, (unit, statement) = found
        if isinstance(statement, ir.FunctionDef):
            function = Function(unit, statement, None, owner)
            args = instance.args
            if args is None:
                args = parameters.constructor_arguments(frame.analysis, function)
            _run_quietly(frame, function, instance, args)
    elif instance.args is not None:
        _initialise_dataclass(frame, instance)
    member = cls.find("__post_init__")
    if member is not None and isinstance(member[1][1], ir.FunctionDef):
        _run_quietly(frame, Function(member[1][0], member[1][1], None, member[0]), instance, Arguments([], {}))
    return dict(instance.attributes)


def _run_quietly(frame: Frame, function: Function, instance: Instance, args: Arguments) -> None:
    quiet = Frame(
        frame.analysis, function.unit, Environment({}, None), quiet=True, depth=frame.depth, summary=frame.summary
    )
    calls.invoke(quiet, None, function, instance, args)


def _initialise_dataclass(frame: Frame, instance: Instance) -> None:
    """A dataclass or named tuple: fields in order of declaration."""
    assert instance.args is not None
    fields: list[tuple[str, ir.Expr | None, ClassInfo]] = []
    for info in reversed([c for c in instance.cls.mro if isinstance(c, ClassInfo)]):
        for name, members in info.statements.items():
            for _unit, statement in members:
                if isinstance(statement, ir.Declare) or (
                    isinstance(statement, ir.Assign) and statement.annotation is not None
                ):
                    fields.append((name, statement.annotation, info))
    for index, (name, annotation, info) in enumerate(fields):
        value = instance.args.get(index, name)
        if value is None and annotation is not None:
            value = class_attribute(frame, info, name, None)
        if value is not None:
            instance.attributes[name] = value


def attribute(frame: Frame, node: ir.Expr, instance: Instance, name: str) -> Value:
    """``instance.name``."""
    if name == "training":
        return Const(False)
    if instance.initialised:
        initialise(frame, instance)  # what it was initialised from may have changed
        held = instance.attributes.get(name)
        if held is not None:
            return held
    cls = instance.cls
    member = cls.find(name)
    if member is None or not isinstance(member[1][1], ir.FunctionDef):
        initialise(frame, instance)
        held = instance.attributes.get(name)
        if held is not None:
            return held
    if member is not None:
        return _member(frame, node, instance, member[0], name)
    if name == "__class__":
        return ClassValue(cls)
    if name in _HOOKS:
        return Bound(name, instance)
    if cls.find("__getattr__") is not None and not cls.is_module:
        return UNKNOWN
    # outside of what is linted: configuration and sub-modules of an unknown base, fixed when the export starts
    return Bound(name, instance) if cls.is_module and name in _MODULE_METHODS else STATIC


_HOOKS = frozenset({"__dict__", "register_buffer", "register_parameter", "add_module", "register_module"})
_MODULE_METHODS = frozenset(
    {"parameters", "named_parameters", "buffers", "modules", "children", "named_children", "named_modules",
     "state_dict", "append", "extend", "insert", "eval", "train", "to", "get_submodule", "_modules",
     "requires_grad_", "apply"}
)  # fmt: skip


def _member(frame: Frame, node: ir.Expr, instance: Instance, owner: ClassInfo, name: str) -> Value:
    """A member of the class, seen through the instance."""
    members = owner.own_all(name)
    for unit, statement in members:
        if isinstance(statement, ir.FunctionDef):
            kinds = {calls.decorator_name(d) for d in statement.decorators}
            if kinds & _PROPERTIES:
                function = Function(unit, statement, None, owner)
                return calls.invoke(frame, node, function, instance, Arguments([], {}))
    return class_attribute(frame, owner, name, instance)


_PROPERTIES = frozenset(
    {"property", "cached_property", "functools.cached_property", "torch.jit.unused_property", "lazy_property"}
)


def class_attribute(frame: Frame, cls: ClassInfo, name: str, receiver: Instance | None) -> Value:
    """A name of the class body, bound to `receiver` when it is a method."""
    found = cls.find(name)
    if found is None:
        if name == "__name__":
            return Static("str")
        return Bound(name, ClassValue(cls)) if cls.is_subclass("torch.autograd.Function") else STATIC
    owner, (unit, statement) = found
    if isinstance(statement, ir.FunctionDef):
        kinds = {calls.decorator_name(d) for d in statement.decorators}
        function: Value = calls.function_value_of(frame.analysis, unit, statement, owner)
        if "staticmethod" in kinds:
            return function
        if "classmethod" in kinds:
            return (
                Bound(function, ClassValue(receiver.cls if receiver is not None else cls))
                if isinstance(function, Function)
                else function
            )
        if receiver is None:
            return function
        return Bound(function, receiver) if isinstance(function, Function) else function
    if isinstance(statement, ir.ClassDef):
        return ClassValue(frame.analysis.project.class_of_statement(unit, statement))
    if isinstance(statement, ir.Assign):
        remembered = frame.analysis.memo
        key = (id(unit), (id(statement), "class"))
        held = remembered.get(key)
        if held is not None:
            return held[0]
        return remembered.compute(key, lambda: _class_value(frame, unit, statement, owner))
    if isinstance(statement, ir.Declare):
        typed = parameters.annotated(frame.analysis, owner.module, statement.annotation)
        if typed is not None and cls.is_module:
            # an attribute of a module that is declared only: a buffer, or configuration
            return Tensor(False) if isinstance(typed, Tensor) else STATIC if isinstance(typed, Instance) else typed
        if typed is not None:
            return typed
    return STATIC


def _class_value(frame: Frame, unit: Unit, statement: ir.Assign, owner: ClassInfo) -> Value:
    """What an assignment in a class body gives its name, interpreted once, outside traced code."""
    frame.analysis.tracker.read(unit.dependency)
    quiet = Frame(frame.analysis, unit, Environment({}, None), quiet=True, owner=owner)
    value = expressions.evaluate(quiet, statement.value)
    if statement.annotation is not None and (value is UNKNOWN or (isinstance(value, Const) and value.value is None)):
        return STATIC
    if isinstance(value, Const) and not isinstance(value.value, (bool, type(None))):
        return Static(type_name(value))
    return value


def super_attribute(frame: Frame, value: Super, name: str) -> Value:
    receiver = value.receiver
    cls = receiver.cls if isinstance(receiver, Instance) else value.owner
    found = cls.find(name, after=value.owner)
    if found is None:
        return Bound(f"super.{name}", receiver)
    owner, (unit, statement) = found
    if isinstance(statement, ir.FunctionDef):
        function = calls.function_value_of(frame.analysis, unit, statement, owner)
        return Bound(function, receiver) if isinstance(function, Function) else function
    return STATIC


def set_attribute(frame: Frame, instance: Instance, name: str, value: Value) -> None:
    """``instance.name = value``. What an attribute may hold only grows: ways of ``__init__`` are not told apart."""
    if frame.env is not None:
        for key in [k for k in frame.env.names if k.endswith(f".{name}")]:
            del frame.env.names[key]
        if frame.function is not None and not frame.quiet and frame.function.params.positional:
            # what was just written is what the same function reads next
            frame.env.names[f"{frame.function.params.positional[0].name}.{name}"] = value
    old = instance.attributes.get(name)
    if old is None or old is NONE or (isinstance(old, Const) and old.value is None and not frame.quiet):
        instance.attributes[name] = value if old is None else join(old, value)
        return
    if value is UNKNOWN or (_is_vague(value) and not _is_vague(old)):
        return
    instance.attributes[name] = value if _is_vague(old) or old is UNKNOWN else join(old, value)


def _is_vague(value: Value) -> bool:
    return isinstance(value, Static) and value.type is None


def register(instance: Instance, name: Value, value: Value) -> None:
    """``register_buffer`` and the like: an attribute by a name that is known when it is a constant."""
    if isinstance(name, Const) and isinstance(name.value, str):
        old = instance.attributes.get(name.value)
        instance.attributes[name.value] = value if old is None else join(old, value)
    else:
        instance.attributes.setdefault(f"[{len(instance.attributes)}]", value)


def is_container(value: Value) -> bool:
    return isinstance(value, ExternalInstance) and value.items is not None


def modules_in(value: Value) -> list[Value]:
    """The modules that a value holds, for containers made from it."""
    out: list[Value] = []
    for one in alternatives(value):
        if isinstance(one, Seq):
            for item in one.items():
                out.extend(modules_in(item))
        elif isinstance(one, Alternatives):
            out.extend(one.values)
        else:
            out.append(one)
    return out
