"""What the linted code says of its own export: calls of ``torch.onnx.export`` that name a class of the project."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial

from onnx_lint.diagnostic import Span
from onnx_lint.project.classes import ClassInfo
from onnx_lint.project.dependencies import Node
from onnx_lint.project.derived import FileIndex
from onnx_lint.project.meanings import External
from onnx_lint.project.modules import SourceModule, Unit
from onnx_lint.project.project import Project
from onnx_lint.semantics.domain.sites import Site
from onnx_lint.source import ir
from onnx_lint.target import BOTH, Engine

Axes = Mapping[str, tuple[int, ...]]
"""Dynamic dimensions by input; an empty mapping says that every dimension is fixed."""


@dataclass(frozen=True)
class ExportCall:
    """One call of the exporter: the engines that it may use, the class that it names, the dynamic axes it gives
    (``None`` when they cannot be read)."""

    engines: tuple[Engine, ...]
    model: str | None
    axes: Axes | None
    opset: int | None = None
    """``opset_version``, where it is a number."""


@dataclass
class ExportFacts:
    """What the export calls of a project say, together."""

    calls: tuple[ExportCall, ...] = ()
    engines: tuple[Engine, ...] = ()
    """The engines of all calls; empty when there is no call. A call that does not say which takes torch's default,
    which is torchscript before 2.9 and dynamo since: it counts for both."""
    by_model: dict[str, tuple[Engine, ...]] = field(default_factory=dict)
    axes: dict[str, Axes] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.engines = _together(self.calls)
        for model in {c.model for c in self.calls if c.model is not None}:
            mine = [c for c in self.calls if c.model == model]
            self.by_model[model] = _together(mine)
            for call in mine:
                if call.axes is not None:
                    self.axes[model] = _union(self.axes.get(model), call.axes)

    def engines_for(self, model: str) -> tuple[Engine, ...]:
        """The engines by which a model is exported: as the calls say that name it, else as all calls say."""
        return self.by_model.get(model) or self.engines

    def opset_for(self, model: str) -> int | None:
        """The lowest opset that calls for a model ask for, else those that name no class; ``None`` if none says it."""
        said = [c for c in self.calls if c.opset is not None]
        mine = [c for c in said if c.model == model] or [c for c in said if c.model is None]
        return min((c.opset for c in mine if c.opset is not None), default=None)

    def dynamic_axes_for(self, site: Site) -> Axes | None:
        """The dynamic axes of the model in which a site stands; ``None`` when no call names it."""
        return self.axes.get(site.model) if self.axes else None


def _together(calls: Iterable[ExportCall]) -> tuple[Engine, ...]:
    named = {engine for call in calls for engine in call.engines}
    return tuple(e for e in Engine if e in named)


class ExportCalls:
    """The export calls of a project, file by file."""

    def __init__(self, project: Project) -> None:
        self._project = project
        self._files = FileIndex(project, self._read, lambda found: not found[0].stale)
        self._facts: tuple[tuple[ExportCall, ...], ExportFacts] | None = None
        self.is_complete = True
        """Whether the last facts are all that there are."""

    def facts(
        self, *, open_files_only: bool = False, progress: Callable[[int, int], None] | None = None
    ) -> ExportFacts:
        """What they say now; with `open_files_only`, without files that were never read. `progress` is called before
        each file that is read; it may raise, and what was read is kept."""
        project, files = self._project, self._files
        files.drop_removed()
        self.is_complete = True
        calls: list[ExportCall] = []
        for done, (path, module) in enumerate(project.modules.items()):
            if not files.is_read(module):
                if open_files_only and self._facts is not None and files.last(path) is None:
                    self.is_complete = False
                    continue
                if progress is not None:
                    progress(done, len(project.modules))
            calls += files.of(module)[1]
        if self._facts is None or self._facts[0] != tuple(calls):
            self._facts = (tuple(calls), ExportFacts(tuple(calls)))
        return self._facts[1]

    def _read(self, module: SourceModule) -> tuple[Node, tuple[ExportCall, ...]]:
        """The export calls of a file, and what they rest on."""
        text, dependency = module.source.text, self._project.tracker.node()
        calls: tuple[ExportCall, ...] = ()
        if "onnx" in text and "export(" in text:
            tracker = self._project.tracker
            read = partial(_calls_of, self._project, module)
            calls = tracker.compute(dependency, read)
        return dependency, calls


def collect(
    project: Project, *, open_files_only: bool = False, progress: Callable[[int, int], None] | None = None
) -> ExportFacts:
    """What all export calls of the project say; see `ExportCalls.facts`."""
    return project.derived.get(ExportCalls).facts(open_files_only=open_files_only, progress=progress)


def in_script(project: Project, module: SourceModule) -> list[Span]:
    """The places of the calls that running the file may come by: those outside of functions, and all of a file that
    says what it does as the main program."""
    is_main = "__main__" in module.source.text
    return [
        unit.span(call.at)
        for unit, call, scope in _calls(project, module)
        if unit.has_place(call.at) and (is_main or scope is unit.chunk.lowered.body)
    ]


def _calls_of(project: Project, module: SourceModule) -> tuple[ExportCall, ...]:
    found: list[ExportCall] = []
    for unit, call, scope in _calls(project, module):
        engines, axes = _read(call)
        model = call.args[0] if call.args else next((v for k, v in call.keywords if k == "model"), None)
        found.append(ExportCall(engines, _class_of(project, unit.module, model, scope, 3), axes, _opset(call)))
    return tuple(found)


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


def _read(call: ir.Call) -> tuple[tuple[Engine, ...], Axes | None]:
    """Engines and dynamic axes of one call."""
    engines = BOTH
    axes: Axes | None = {}
    for name, value in call.keywords:
        if name == "dynamo" and isinstance(value, ir.Const):
            engines = (Engine.DYNAMO,) if value.value else (Engine.TORCHSCRIPT,)
        elif name in ("dynamic_axes", "dynamic_shapes"):
            axes = _axes(value)
        elif name is None:
            axes = None
    return engines, axes


def _opset(call: ir.Call) -> int | None:
    value = next((v for k, v in call.keywords if k == "opset_version"), None)
    is_number = isinstance(value, ir.Const) and isinstance(value.value, int) and not isinstance(value.value, bool)
    return value.value if is_number and isinstance(value, ir.Const) and isinstance(value.value, int) else None


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
