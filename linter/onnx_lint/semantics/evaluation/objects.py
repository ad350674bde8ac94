"""Objects of the project's classes: made, initialised, read and written."""

from __future__ import annotations

from collections.abc import Hashable

from onnx_lint.policy import is_export_flag
from onnx_lint.project.classes import ClassInfo
from onnx_lint.project.modules import Unit
from onnx_lint.semantics.domain.environment import Environment
from onnx_lint.semantics.domain.lattice import (
    alternatives,
    is_none,
    join,
    join_arguments,
    map_arguments,
    map_parts,
    of_any_width,
    type_name,
)
from onnx_lint.semantics.domain.renaming import Renaming
from onnx_lint.semantics.domain.store import EMPTY, Fields
from onnx_lint.semantics.domain.values import (
    STATIC,
    UNKNOWN,
    UNSEEN,
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
)
from onnx_lint.semantics.evaluation.frame import Frame
from onnx_lint.semantics.evaluation.state import MAX_EXACT_KINDS, MAX_OBJECT_KINDS, MAX_WIDENED, Effect, Made
from onnx_lint.semantics.known_names import BASE, CONTAINERS, MODULE_METHODS
from onnx_lint.source import ir

_ANY: Hashable = "any"
"""Made with one of so many kinds of arguments that they are not told apart any more."""
_BY_UNKNOWN_NAME = "[]"
"""The attribute that stands for all that were registered under names that are not known."""
_HOOKS = frozenset({"__dict__", "register_buffer", "register_parameter", "add_module", "register_module"})
_PROPERTIES = frozenset(
    {"property", "cached_property", "functools.cached_property", "torch.jit.unused_property", "lazy_property"}
)


# ---------------------------------------------------------------------------------------------------------- making
def make(frame: Frame, cls: ClassInfo, args: Arguments | None) -> Value:
    """An instance of a project class; `args` is ``None`` when it was not seen being made."""
    if cls.is_subclass("torch.autograd.Function"):
        return UNKNOWN
    if _is_enum(cls):
        return STATIC
    analysis = frame.analysis
    made = UNSEEN if args is None else args.key()
    if args is not None:
        if not frame.records_sites:
            frame.summary.made.append((cls, args))
            if analysis.wanted is not None:
                analysis.wanted.note(cls, args)
        kinds = frame.summary.kinds_of(cls)
        if made not in kinds and len(kinds) >= MAX_EXACT_KINDS:
            args = map_arguments(args, of_any_width)
            made = args.key()
        if made not in kinds:
            if len(kinds) >= MAX_OBJECT_KINDS:
                args, made = _of_all_further(frame, cls, args)
            else:
                kinds.add(made)
    if frame.records_sites:
        return Instance(cls, args, made, (analysis.address(frame.flow, many=frame.in_comprehension),))
    # parts of a model and other objects that are made once: those made alike are one
    address = analysis.objects.get((cls, made))
    if address is None:
        address = analysis.objects[(cls, made)] = analysis.address(None, many=True)
    return Instance(cls, args, made, (address,))


def _of_all_further(frame: Frame, cls: ClassInfo, args: Arguments) -> tuple[Arguments | None, Hashable]:
    """What stands for the arguments of all further objects of a class that one function makes, and the key of such an
    object: each may be what any of them was given. It is `_ANY` when that does not come to rest, or how many there are
    is not known, and begins with it when something known of them was lost."""
    found = cls.find("__init__")
    if found is None or not isinstance(found[1][1], ir.FunctionDef):
        return None, _ANY
    function = Function(found[1][0], found[1][1], None, found[0])
    given = frame.interp.filled(frame.analysis, function, map_arguments(args, of_any_width))
    widest = frame.summary.widest_of(cls)
    joined = given if not widest or given is None else join_arguments(widest[-1], given)
    if joined is None or given is None:
        return None, _ANY
    if not widest or joined.key() != widest[-1].key():
        if len(widest) == MAX_WIDENED:
            return None, _ANY
        widest.append(joined)
    lost = any(_is_vague(now) and not _is_vague(own) for now, own in zip(joined.all(), given.all(), strict=False))
    return widest[-1], (_ANY, joined.key()) if lost else joined.key()


def _is_enum(cls: ClassInfo) -> bool:
    return any(not isinstance(c, ClassInfo) and c.name.startswith("enum.") for c in cls.mro)


def attributes_of(frame: Frame, instance: Instance) -> dict[str, Value]:
    """All attributes that an object has once it is made. While its own ``__init__`` runs, those assigned so far are in
    the store."""
    made = _made(frame, instance)
    renaming = _renaming(made, instance)
    out = {name: renaming.value(value) for name, value in made.attributes.items()}
    if frame.env is not None:
        for address in instance.addresses:
            for name in frame.env.store.fields.get(address, {}):
                written = frame.env.store.field(instance, name)
                if written is not None:
                    out[name] = written
    return out


def _made(frame: Frame, instance: Instance) -> Made:
    """Interpret ``__init__`` once, outside traced code, for what it assigns; objects of a class made with the same
    arguments begin alike."""
    key = (instance.cls, instance.made)
    # while it runs, others of the kind have no attributes yet
    analysis = frame.analysis
    nothing = Made({}, instance.args)
    made = analysis.once(analysis.initialised, key, lambda: _initialise(frame, instance), nothing)
    if made.writes and frame.env is not None:
        store, renaming = frame.env.store, _renaming(made, instance)
        for write in made.writes:
            address = renaming.address(write.address)
            if write.field not in store.fields.get(address, {}):
                store = store.put(address, write.field, write.before, renaming.value(write.now))
        frame.env.store = store
    return made


def _renaming(made: Made, instance: Instance) -> Renaming:
    if made.args is None or instance.args is None or made.args is instance.args:
        return Renaming()
    return Renaming.between(made.args.all(), instance.args.all())


def _initialise(frame: Frame, instance: Instance) -> Made:
    cls, flow = instance.cls, object()
    itself = Instance(cls, instance.args, instance.made, (frame.analysis.address(flow),))
    found = cls.find("__init__")
    runner = Frame(
        frame.analysis, cls.header_unit, Environment({}), records_sites=False, depth=frame.depth,
        summary=frame.summary, flow=flow,
    )  # fmt: skip
    if found is not None:
        owner, (unit, statement) = found
        if isinstance(statement, ir.FunctionDef):
            function = Function(unit, statement, None, owner)
            args = instance.args
            if args is None:
                args = frame.interp.constructor_arguments(frame.analysis, function)
            frame.interp.invoke(runner, None, function, itself, args)
    elif instance.args is not None and cls.torch_base is not None and cls.torch_base.endswith(CONTAINERS):
        frame.interp.call_method(runner, None, itself, "__init__", instance.args)
    elif instance.args is not None and cls.torch_base is not None:
        base = ExternalInstance(cls.torch_base, None, instance.args.keyword or None, (), instance.args)
        set_attribute(runner, itself, BASE, base)
    elif instance.args is not None:
        _initialise_dataclass(runner, itself)
    member = cls.find("__post_init__")
    if member is not None and isinstance(member[1][1], ir.FunctionDef):
        after = Function(member[1][0], member[1][1], None, member[0])
        frame.interp.invoke(runner, None, after, itself, Arguments())
    store = runner.env.store if runner.env is not None else EMPTY
    fields = store.fields.get(itself.addresses[0], Fields())
    onto = Renaming({itself.addresses[0]: instance.addresses[0]} if instance.addresses else {})
    attributes = {name: _settled(onto.value(store.read(cell.now))) for name, cell in fields.items()}
    writes = [
        Effect(address, name, cell.before, onto.value(store.read(cell.now)))
        for address, own in store.fields.items()
        if address.flow is not flow
        for name, cell in own.items()
    ]
    return Made(attributes, instance.args, tuple(writes))


def _settled(value: Value) -> Value:
    """What ``__init__`` assigned does not change any more, even where it is not known."""
    if value is UNKNOWN:
        return STATIC
    if isinstance(value, ExternalInstance) and value.items is not None:
        return map_parts(value, lambda items: map_parts(items, _settled))
    return value


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
            set_attribute(frame, instance, name, value)


# --------------------------------------------------------------------------------------------------------- reading
def instance_attribute(frame: Frame, node: ir.Expr, instance: Instance, name: str) -> Value:
    """``instance.name``, as it is during an export."""
    if name == "training":
        return Const(False)
    value = _attribute(frame, node, instance, name)
    is_flag = isinstance(value, Static) or (isinstance(value, Const) and value.value is False)
    return Const(True) if is_flag and instance.cls.is_module and is_export_flag(name) else value


def _attribute(frame: Frame, node: ir.Expr, instance: Instance, name: str) -> Value:
    written = frame.env.store.field(instance, name) if frame.env is not None else None
    if written is not None:
        return written
    cls = instance.cls
    member = cls.find(name)
    if member is None or not isinstance(member[1][1], ir.FunctionDef):
        held = _initial(frame, instance, name)
        if held is not None:
            if frame.records_sites and not isinstance(held, (ExternalInstance, Instance)):
                frame.summary.initial.add((cls, name))
                if _is_crowded(instance.made) and _is_vague(held) and cls.header is not None:
                    frame.summary.crowded |= {(cls.header_unit, cls.header, cls.name)}
            return held
    if member is not None:
        return _member(frame, node, instance, member[0], name)
    if name == "__class__":
        return ClassValue(cls)
    if name in _HOOKS:
        return Bound(name, instance)
    base = base_module(frame, instance)
    inherited = None if base is None else frame.interp.attribute_of_module(base, name)
    if inherited is not None:
        return inherited
    if cls.find("__getattr__") is not None and not cls.is_module:
        return UNKNOWN
    # outside of what is linted: configuration and sub-modules of an unknown base, fixed when the export starts
    return Bound(name, instance) if cls.is_module and (name in MODULE_METHODS or name == "_modules") else STATIC


def _is_crowded(made: Hashable) -> bool:
    return made == _ANY or (isinstance(made, tuple) and made[0] == _ANY)


def base_module(frame: Frame, instance: Instance) -> ExternalInstance | None:
    """What ``super().__init__(…)`` made of an object whose class derives from a module of torch."""
    if not instance.cls.is_module:
        return None
    held = _initial(frame, instance, BASE)
    return held if isinstance(held, ExternalInstance) else None


def sequence_of(frame: Frame, instance: Instance) -> ExternalInstance:
    """What a subclass of ``Sequential`` calls: in their order if it has only those that its constructor was given."""
    made = base_module(frame, instance)
    if made is not None and isinstance(made.items, Seq) and made.items.elements is not None:
        named = [v for k, v in attributes_of(frame, instance).items() if k not in (BASE, _BY_UNKNOWN_NAME)]
        if not any(isinstance(one, (Instance, ExternalInstance)) for v in named for one in alternatives(v)):
            return made
    return ExternalInstance("torch.nn.Sequential", Seq("list", None, frame.interp.parts_of_module(frame, instance)))


def _initial(frame: Frame, instance: Instance, name: str) -> Value | None:
    """What ``__init__`` assigned to an attribute."""
    made = _made(frame, instance)
    value = made.attributes.get(name)
    return None if value is None else _renaming(made, instance).value(value)


def _member(frame: Frame, node: ir.Expr, instance: Instance, owner: ClassInfo, name: str) -> Value:
    """A member of the class, seen through the instance."""
    for unit, statement in owner.own_all(name):
        if isinstance(statement, ir.FunctionDef):
            if _decorators(statement) & _PROPERTIES:
                function = Function(unit, statement, None, owner)
                return frame.interp.invoke(frame, node, function, instance, Arguments())
    return class_attribute(frame, owner, name, instance)


def _decorators(function: ir.FunctionDef) -> set[str]:
    return {ir.dotted(d) for d in function.decorators}


def class_attribute(frame: Frame, cls: ClassInfo, name: str, receiver: Instance | None) -> Value:
    """A name of the class body, bound to `receiver` when it is a method."""
    found = cls.find(name)
    if found is None:
        if name == "__name__":
            return Const(cls.name)
        return Bound(name, ClassValue(cls)) if cls.is_subclass("torch.autograd.Function") else STATIC
    owner, (unit, statement) = found
    if isinstance(statement, ir.FunctionDef):
        return _method(frame, owner, unit, statement, cls, receiver)
    if isinstance(statement, ir.ClassDef):
        return ClassValue(frame.analysis.project.class_of_statement(unit, statement))
    if isinstance(statement, ir.Assign):
        key = (unit, statement, "class")
        analysis = frame.analysis
        return analysis.once(analysis.memo, key, lambda: _class_value(frame, unit, statement, owner))
    if isinstance(statement, ir.Declare):
        typed = frame.interp.annotated(frame.analysis, owner.module, statement.annotation)
        if typed is not None and cls.is_module:
            # an attribute of a module that is declared only: a buffer, or configuration
            return Tensor(False) if isinstance(typed, Tensor) else STATIC if isinstance(typed, Instance) else typed
        if typed is not None:
            return typed
    return STATIC


def _method(
    frame: Frame, owner: ClassInfo, unit: Unit, statement: ir.FunctionDef, cls: ClassInfo, receiver: Instance | None
) -> Value:
    function = frame.interp.function_value(frame.analysis, unit, statement, owner)
    if not statement.decorators and isinstance(function, Function):
        return function if receiver is None else Bound(function, receiver)
    kinds = _decorators(statement)
    if "staticmethod" in kinds or not isinstance(function, Function):
        return function
    if "classmethod" in kinds:
        return Bound(function, ClassValue(receiver.cls if receiver is not None else cls))
    return function if receiver is None else Bound(function, receiver)


def _class_value(frame: Frame, unit: Unit, statement: ir.Assign, owner: ClassInfo) -> Value:
    """What an assignment in a class body gives its name, interpreted once, outside traced code."""
    frame.analysis.tracker.read(unit.dependency)
    outside = Frame(frame.analysis, unit, Environment({}), records_sites=False, owner=owner)
    value = frame.interp.evaluate(outside, statement.value)
    if statement.annotation is not None and (value is UNKNOWN or is_none(value)):
        return STATIC
    if isinstance(value, Const) and isinstance(value.value, str) and owner.is_subclass("enum.Enum"):
        return Static("str")  # a member, which is not equal to its text
    if isinstance(value, Const) and not isinstance(value.value, (bool, str, type(None))):
        return Static(type_name(value))
    return value


def super_attribute(frame: Frame, value: Super, name: str) -> Value:
    """``super().name``."""
    receiver = value.receiver
    cls = receiver.cls if isinstance(receiver, Instance) else value.owner
    found = cls.find(name, after=value.owner)
    if found is None:
        return Bound(f"super.{name}", receiver)
    owner, (unit, statement) = found
    if isinstance(statement, ir.FunctionDef):
        function = frame.interp.function_value(frame.analysis, unit, statement, owner)
        return Bound(function, receiver) if isinstance(function, Function) else function
    return STATIC


# --------------------------------------------------------------------------------------------------------- writing
def set_attribute(frame: Frame, instance: Instance, name: str, value: Value) -> None:
    """``instance.name = value``. Something of which nothing is known does not replace what is known better: most
    often it is the same thing, wrapped."""
    if frame.env is None:
        return
    ending = f".{name}"
    for key in [k for k in frame.env.names if k.endswith(ending)]:
        del frame.env.names[key]
    before = _before(frame, instance, name)
    if before is not None and _is_vague(value) and not _is_vague(before) and not is_none(before):
        return
    if frame.function is not None and frame.records_sites and frame.function.params.positional:
        if isinstance(frame.receiver, Instance) and frame.receiver.addresses == instance.addresses:
            # what was just written is what the same function reads next, also where the object stands for several
            frame.env.names[f"{frame.function.params.positional[0].name}.{name}"] = value
    frame.env.store = frame.env.store.with_field(instance, name, value, before, frame.flow)


def _before(frame: Frame, instance: Instance, name: str) -> Value | None:
    """What an attribute holds before it is written."""
    assert frame.env is not None
    written = frame.env.store.field(instance, name)
    if written is not None:
        return written
    if instance.addresses and instance.addresses[0].flow is frame.flow and not frame.records_sites:
        return None  # it is being made
    return _initial(frame, instance, name)


def _is_vague(value: Value) -> bool:
    return value is UNKNOWN or (isinstance(value, Static) and value.type is None)


def register(frame: Frame, instance: Instance, name: Value, value: Value) -> None:
    """``register_buffer`` and the like: an attribute by a name that is known when it is a constant."""
    if frame.env is None:
        return
    attribute = name.value if isinstance(name, Const) and isinstance(name.value, str) else _BY_UNKNOWN_NAME
    before = _before(frame, instance, attribute)
    joined = value if before is None or is_none(before) else join(before, value)
    set_attribute(frame, instance, attribute, joined)
