"""A script around an export: what the expressions in a call of the exporter stand for.

Names are followed where they are bound once, in the function or module of the call; anything else is unknown. Nothing
is interpreted: scripts read files and arguments, and what an analysis of values could say of them is little.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from onnx_lint.project.classes import ClassInfo
from onnx_lint.project.meanings import External
from onnx_lint.project.modules import SourceModule
from onnx_lint.project.project import Project
from onnx_lint.semantics.domain.sites import Site
from onnx_lint.source import ir
from onnx_lint.target import Engine

_MAX_STEPS = 4
"""Names that are followed one after the other."""
_SAME_MODEL = frozenset({"eval", "train", "to", "cpu", "cuda", "half", "float", "double", "requires_grad_"})
"""Methods of `torch.nn.Module` that return the module itself."""
_FACTORIES = frozenset({"randn", "rand", "zeros", "ones", "empty", "randint", "full"})
"""Functions of torch that make a tensor of the size that they are given."""
_SAME_SHAPE = frozenset({"to", "cuda", "cpu", "half", "float", "double", "long", "int", "requires_grad_", "contiguous"})
"""Methods of tensors that keep the size."""


@dataclass(frozen=True, slots=True)
class Example:
    """One value of the example input: what was written, and its size where a factory of torch says it."""

    node: ir.Expr
    shape: tuple[int | None, ...] | None = None
    text: str | None = None
    """The value, where it is a string."""


class Script:
    """What the names in one function, or at the top level of a module, stand for."""

    def __init__(self, project: Project, module: SourceModule, function: ir.FunctionDef | None) -> None:
        self._project, self._module = project, module
        self.statements: tuple[ir.Stmt, ...] = tuple(_flat(_top_level(module) if function is None else function.body))
        """In order, with those inside of ``if``, ``with``, ``for`` and ``try``."""
        self._parameters = frozenset() if function is None else frozenset(p.name for p in _parameters(function.params))
        self._around = None if function is None else Script(project, module, None)

    def value_of(self, name: str) -> ir.Expr | None:
        """The expression that a name is bound to; ``None`` when it is bound more than once, or otherwise."""
        if name in self._parameters:
            return None
        found = [s for s in self.statements if name in _names_bound(s)]
        if not found and self._around is not None:
            return self._around.value_of(name)
        if len(found) != 1 or not isinstance(found[0], ir.Assign) or name not in map(_id, found[0].targets):
            return None
        return found[0].value

    def follow(self, node: ir.Expr | None) -> ir.Expr | None:
        """The expression behind a name; other expressions are themselves."""
        for _ in range(_MAX_STEPS):
            if not isinstance(node, ir.Name):
                break
            bound = self.value_of(node.id)
            if bound is None:
                break
            node = bound
        return node

    def meaning(self, node: ir.Expr) -> ClassInfo | str | None:
        """The class of the project, or the full name of something outside, that an expression is."""
        found = self._project.resolve(self._module, node)
        if isinstance(found, External):
            return found.name
        return found if isinstance(found, ClassInfo) else None

    # ------------------------------------------------------------------------------------------------------- literals
    def texts(self, node: ir.Expr | None) -> tuple[ir.Const, ...] | None:
        """The strings of a list or tuple; ``None`` when one of them is not known."""
        node = self.follow(node)
        if not isinstance(node, ir.Sequence):
            return None
        found = tuple([e for e in node.elements if isinstance(e, ir.Const) and isinstance(e.value, str)])
        return found if len(found) == len(node.elements) else None

    def keys(self, node: ir.Expr | None) -> tuple[ir.Const, ...] | None:
        """The string keys of a dict; ``None`` when one of them is not known."""
        node = self.follow(node)
        if not isinstance(node, ir.Mapping):
            return None
        found = tuple([k for k, _ in node.items if isinstance(k, ir.Const) and isinstance(k.value, str)])
        return found if len(found) == len(node.items) else None

    def entry(self, node: ir.Expr | None, key: str) -> ir.Expr | None:
        """What stands under a string in a dict; ``None`` when there is no such key."""
        node = self.follow(node)
        if not isinstance(node, ir.Mapping):
            return None
        return next((v for k, v in node.items if isinstance(k, ir.Const) and k.value == key), None)

    def axes(self, node: ir.Expr | None) -> tuple[int, ...]:
        """The axes that an entry of ``dynamic_axes`` or ``dynamic_shapes`` says to be dynamic."""
        node = self.follow(node)
        wanted: list[ir.Expr | None] = []
        if isinstance(node, ir.Mapping):
            wanted = [k for k, v in node.items if not self.is_none(v)]
        elif isinstance(node, ir.Sequence):  # axes, or in a tuple of `dynamic_shapes` one entry for each
            wanted = list(node.elements) if node.kind == "list" else []
        values = [k.value for k in wanted if isinstance(k, ir.Const)]
        return tuple([v for v in values if isinstance(v, int) and v >= 0])

    def is_none(self, node: ir.Expr | None) -> bool:
        """Whether ``None`` is written."""
        node = self.follow(node)
        return isinstance(node, ir.Const) and node.value is None

    def constant(self, node: ir.Expr | None) -> object:
        """The value of a literal; ``None`` for anything else."""
        node = self.follow(node)
        return node.value if isinstance(node, ir.Const) else None

    # --------------------------------------------------------------------------------------- example and model
    def examples(self, node: ir.Expr | None) -> tuple[Example, ...] | None:
        """The values of ``args``: of a tuple each, of anything else that is no dict the one that it is; ``None`` when
        how many there are is not known."""
        node = self.follow(node)
        if isinstance(node, ir.Sequence) and node.kind == "tuple":
            if any(isinstance(e, ir.Starred) for e in node.elements):
                return None
            return tuple([self._example(e) for e in node.elements])
        if isinstance(node, ir.Call) and self._factory_shape(node) is not None:
            return (self._example(node),)
        return None

    def _example(self, node: ir.Expr) -> Example:
        value = self.follow(node)
        if isinstance(value, ir.Const) and isinstance(value.value, str):
            return Example(node, text=value.value)
        return Example(node, self._factory_shape(value) if isinstance(value, ir.Call) else None)

    def _factory_shape(self, call: ir.Call) -> tuple[int | None, ...] | None:
        while (
            isinstance(call.func, ir.Attribute)
            and call.func.attr in _SAME_SHAPE
            and isinstance(call.func.value, ir.Call)
        ):
            call = call.func.value
        name = self.meaning(call.func)
        if not isinstance(name, str) or not name.startswith("torch.") or name[6:] not in _FACTORIES:
            return None
        args = [*call.args, *(v for k, v in call.keywords if k == "size")]
        sizes = next((given for a in args if isinstance(given := self.follow(a), ir.Sequence)), None)
        if sizes is not None:
            args = list(sizes.elements)
        elif name in ("torch.randint", "torch.full"):
            return None
        if any(isinstance(a, ir.Starred) for a in args):
            return None
        values = [self.constant(a) for a in args]
        return tuple([v if isinstance(v, int) and not isinstance(v, bool) else None for v in values])

    def constructor(self, node: ir.Expr | None) -> ir.Call | None:
        """The call that makes the model: ``Net(…)`` behind names and behind ``.eval()`` and the like."""
        node = self.follow(node)
        while isinstance(node, ir.Call) and isinstance(node.func, ir.Attribute) and node.func.attr in _SAME_MODEL:
            node = self.follow(node.func.value)
        return node if isinstance(node, ir.Call) else None

    def is_in_training(self, node: ir.Expr | None) -> bool:
        """Whether a model that is made here surely trains when it is exported: nobody calls ``eval`` or ``train``, and
        nobody else is handed it who might."""
        names: set[str] = set()
        for _ in range(_MAX_STEPS):
            if isinstance(node, ir.Name):
                names.add(node.id)
                node = self.value_of(node.id)
            elif isinstance(node, ir.Call) and isinstance(node.func, ir.Attribute) and node.func.attr in _SAME_MODEL:
                if node.func.attr in ("eval", "train"):
                    return False
                node = node.func.value
        if not isinstance(node, ir.Call) or not isinstance(self.meaning(node.func), ClassInfo):
            return False
        for call in (call for statement in self.statements for call in _calls_in(statement)):
            method = call.func
            if isinstance(method, ir.Attribute) and method.attr in ("eval", "train") and _id(method.value) in names:
                return False
            if self._hands_on(call, names):
                return False
        return True

    def _hands_on(self, call: ir.Call, names: set[str]) -> bool:
        """Whether a function that is not the exporter is given the model."""
        given = [*call.args, *(value for _, value in call.keywords)]
        if not any(isinstance(g, ir.Name) and g.id in names for g in given):
            return False
        return self.meaning(call.func) not in ("torch.onnx.export", "torch.onnx.utils.export", "builtins.print")


@dataclass(frozen=True, slots=True, eq=False)
class ExporterCall(Site):
    """A call of ``torch.onnx.export``. The subject is unknown: no traced value takes part."""

    script: Script
    arguments: Mapping[str, ir.Expr]
    """By the name of the parameter, positional ones too."""
    is_complete: bool
    """Whether these are all; not with ``*`` or ``**``."""

    def get(self, name: str) -> ir.Expr | None:
        """An argument, if it is given."""
        return self.arguments.get(name)

    @property
    def engine(self) -> Engine | None:
        """The engine that the call asks for; ``None`` where ``dynamo`` is not written or not a literal."""
        value = self.script.constant(self.get("dynamo"))
        return None if not isinstance(value, bool) else Engine.DYNAMO if value else Engine.TORCHSCRIPT

    @property
    def says_engine(self) -> bool:
        """Whether ``dynamo`` is written, or may be behind ``**``."""
        return "dynamo" in self.arguments or not self.is_complete

    @property
    def model_class(self) -> ClassInfo | None:
        """The class of the model, if it is in the project."""
        made = self.script.constructor(self.get("model"))
        cls = None if made is None else self.script.meaning(made.func)
        return cls if isinstance(cls, ClassInfo) else None

    @property
    def forward(self) -> ir.FunctionDef | None:
        """The ``forward`` of the model, if its class is in the project."""
        cls = self.model_class
        found = cls.find("forward") if cls is not None else None
        return found[1][1] if found is not None and isinstance(found[1][1], ir.FunctionDef) else None

    @property
    def makes_parts(self) -> bool:
        """Whether the model may have weights: its class makes something, or is not known."""
        cls = self.model_class
        return cls is None or cls.find("__init__") is not None

    @property
    def changes_in_training(self) -> bool:
        """Whether the model has parts, and the file of its class names a layer that does something else in training."""
        return self.makes_parts and any(
            self.model_mentions(word) for word in ("ropout", "BatchNorm", "DropPath", ".training")
        )

    def model_mentions(self, word: str) -> bool:
        """Whether the file of the model's class holds a text."""
        cls = self.model_class
        return cls is not None and cls.module.mentions(word)

    def dynamic_axes_of(self, index: int, name: str) -> tuple[int, ...]:
        """The axes that the call says to be dynamic of an input, by its place in ``args`` and its name."""
        script, shapes = self.script, self.script.follow(self.get("dynamic_shapes"))
        if isinstance(shapes, ir.Sequence):
            return script.axes(shapes.elements[index]) if index < len(shapes.elements) else ()
        if isinstance(shapes, ir.Mapping):
            forward = self.forward
            parameters = forward.params.positional[1:] if forward is not None else ()
            name = parameters[index].name if index < len(parameters) else ""
            return script.axes(script.entry(shapes, name))
        return script.axes(script.entry(self.get("dynamic_axes"), name))

    def at(self, node: ir.Expr) -> ExporterCall:
        """The same call, reported at one of its parts; at the whole where that stands in another statement."""
        return replace(self, node=node) if any(n is node for n in ir.walk(self.unit.chunk.lowered.body)) else self

    @property
    def is_versioned(self) -> bool:
        """Whether the file asks for the version of torch: then the call may be for another one."""
        return asks_for_version(self.unit.module.source.text)


def asks_for_version(text: str) -> bool:
    """Whether a file looks at the version of torch, or at what it offers."""
    return any(word in text for word in ("torch.__version__", "hasattr(torch.onnx", 'version("torch")'))


@dataclass(frozen=True, slots=True, eq=False)
class ExporterName(Site):
    """A name below ``torch.onnx`` that is read or imported; `name` is the full one. The subject is unknown."""

    name: str


def _id(node: ir.Expr) -> str | None:
    return node.id if isinstance(node, ir.Name) else None


def _top_level(module: SourceModule) -> ir.Block:
    return tuple([s for unit in module.all_units() if not unit.member for s in unit.chunk.lowered.body])


def _flat(body: ir.Block) -> Iterator[ir.Stmt]:
    for statement in body:
        yield statement
        if not isinstance(statement, (ir.FunctionDef, ir.ClassDef)):
            for slot in ("body", "orelse", "final"):
                yield from _flat(getattr(statement, slot, ()))
            for handler in getattr(statement, "handlers", ()):
                yield from _flat(handler.body)


def _parameters(params: ir.Params) -> Iterator[ir.Param]:
    yield from (*params.positional, *params.keyword)
    yield from (p for p in (params.vararg, params.kwarg) if p is not None)


def _names_bound(statement: ir.Stmt) -> set[str]:
    """The names that a statement binds, those in a tuple of targets included."""
    match statement:
        case ir.Assign():
            targets = list(statement.targets)
        case ir.AugAssign() | ir.For():
            targets = [statement.target]
        case ir.With():
            targets = [target for _, target in statement.items if target is not None]
        case _:
            targets = []
    parts = [part for t in targets for part in (t.elements if isinstance(t, ir.Sequence) else (t,))]
    return {name for part in parts if (name := _id(part)) is not None}


def _calls_in(statement: ir.Stmt) -> Iterator[ir.Call]:
    """The calls that stand in the expressions of a statement itself."""
    if isinstance(statement, (ir.FunctionDef, ir.ClassDef)):
        return
    for part in ir.children(statement):
        if isinstance(part, ir.Expr):
            yield from (n for n in ir.walk(part) if isinstance(n, ir.Call))
