"""What the linted code says of its own export: calls of ``torch.onnx.export`` that name a class of the project."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from onnx_lint.project.classes import ClassInfo
from onnx_lint.project.modules import SourceModule
from onnx_lint.project.project import External, Project
from onnx_lint.project.unit import Unit
from onnx_lint.semantics.sites import Site
from onnx_lint.source import ir
from onnx_lint.target import Engine

Axes = Mapping[str, tuple[int, ...]]
"""Dynamic dimensions by input; an empty mapping says that every dimension is fixed."""


@dataclass
class ExportFacts:
    """The engines that the calls name, and the dynamic axes by class name."""

    engines: tuple[Engine, ...] = ()
    axes: dict[str, Axes] = field(default_factory=dict)

    def dynamic_axes_for(self, site: Site) -> Axes | None:
        """The dynamic axes of the model in which a site stands; ``None`` when no call names it."""
        return self.axes.get(site.model) if self.axes else None


def collect(project: Project) -> ExportFacts:
    """Read all export calls of the project."""
    facts = ExportFacts()
    engines: set[Engine] = set()
    for module in project.modules.values():
        text = module.source.text
        if "onnx" not in text or "export(" not in text:
            continue
        for unit, call, scope in _calls(project, module):
            engine, axes = _read(call)
            if engine is not None:
                engines.add(engine)
            model = call.args[0] if call.args else next((v for k, v in call.keywords if k == "model"), None)
            name = _class_of(project, unit.module, model, scope, 3)
            if name is not None and axes is not None:
                facts.axes[name] = _union(facts.axes.get(name), axes)
    facts.engines = tuple(e for e in Engine if e in engines)
    return facts


def _union(first: Axes | None, second: Axes) -> Axes:
    if first is None:
        return second
    return {k: tuple(sorted({*first.get(k, ()), *second.get(k, ())})) for k in {**first, **second}}


def _calls(project: Project, module: SourceModule) -> Iterator[tuple[Unit, ir.Call, ir.Block]]:
    """Calls of the exporter, each with the block of statements in which it stands."""
    for unit in module.all_units():
        if "export(" not in unit.text:
            continue
        body = unit.chunk.lowered.body
        for call, scope in _walk(body, body):
            meaning = project.resolve(module, call.func)
            if isinstance(meaning, External) and meaning.name in ("torch.onnx.export", "torch.onnx.utils.export"):
                yield unit, call, scope


def _walk(node: object, scope: ir.Block) -> Iterator[tuple[ir.Call, ir.Block]]:
    if isinstance(node, tuple):
        for part in node:
            yield from _walk(part, scope)
        return
    if isinstance(node, ir.FunctionDef):
        scope = node.body
    if isinstance(node, ir.Call):
        yield node, scope
    for slot in getattr(node, "__slots__", ()):
        value = getattr(node, slot)
        if isinstance(value, tuple) or hasattr(value, "__slots__"):
            yield from _walk(value, scope)


def _read(call: ir.Call) -> tuple[Engine | None, Axes | None]:
    """Engine and dynamic axes of one call; axes ``None`` when they are given in a way that cannot be read."""
    engine: Engine | None = None
    axes: Axes | None = {}
    for name, value in call.keywords:
        if name == "dynamo" and isinstance(value, ir.Const):
            engine = Engine.DYNAMO if value.value else Engine.TORCHSCRIPT
        elif name in ("dynamic_axes", "dynamic_shapes"):
            axes = _axes(value)
        elif name is None:
            axes = None
    return engine, axes


def _axes(value: ir.Expr) -> Axes | None:
    if isinstance(value, ir.Const) and value.value is None:
        return {}
    if not isinstance(value, ir.Mapping):
        return None
    out: dict[str, tuple[int, ...]] = {}
    for key, dims in value.items:
        if not isinstance(key, ir.Const) or not isinstance(key.value, str):
            return None
        found: list[int] = []
        keys: list[ir.Expr | None] = []
        if isinstance(dims, ir.Mapping):
            keys = [k for k, v in dims.items if not (isinstance(v, ir.Const) and v.value is None)]
        elif isinstance(dims, ir.Sequence):
            keys = list(dims.elements)
        elif not (isinstance(dims, ir.Const) and dims.value is None):
            return None
        for axis in keys:
            if not isinstance(axis, ir.Const) or not isinstance(axis.value, int):
                return None
            found.append(axis.value)
        out[key.value] = tuple(found)
    return out


def _class_of(project: Project, module: SourceModule, node: ir.Expr | None, scope: ir.Block, depth: int) -> str | None:
    """The class of which the exported expression is an instance: ``Net()``, ``Net().eval()``, or a name bound so."""
    if node is None or depth == 0:
        return None
    if isinstance(node, ir.Call):
        if isinstance(node.func, ir.Attribute) and node.func.attr in ("eval", "to", "cpu", "cuda", "half", "float"):
            return _class_of(project, module, node.func.value, scope, depth)
        meaning = project.resolve(module, node.func)
        return meaning.name if isinstance(meaning, ClassInfo) else None
    if isinstance(node, ir.Name):
        for statement in scope:
            if isinstance(statement, ir.Assign) and any(
                isinstance(t, ir.Name) and t.id == node.id for t in statement.targets
            ):
                return _class_of(project, module, statement.value, scope, depth - 1)
        for binding in module.lookup(node.id):
            value = getattr(binding, "value", None)
            if value is not None and not isinstance(value, str):
                return _class_of(project, module, value, scope, depth - 1)
    return None
