"""Where a project uses the exporter: calls of ``torch.onnx.export``, and other names below ``torch.onnx``."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from functools import partial

from onnx_lint.project.dependencies import Node
from onnx_lint.project.derived import FileIndex
from onnx_lint.project.meanings import External
from onnx_lint.project.modules import SourceModule, Unit
from onnx_lint.project.project import Project
from onnx_lint.semantics.domain.sites import Site
from onnx_lint.semantics.domain.values import UNKNOWN
from onnx_lint.semantics.export_script import ExporterCall, ExporterName, Script
from onnx_lint.source import ir
from onnx_lint.target import BOTH, Engine

_CALLS = frozenset({"torch.onnx.export", "torch.onnx.utils.export"})
_POSITIONAL = ("model", "args", "f")
"""The parameters of ``torch.onnx.export`` that may be given without their name (torch 2.13; before 2.5 all could)."""


class ExporterUses:
    """The uses of the exporter in each file."""

    def __init__(self, project: Project) -> None:
        self._project = project
        self._files = FileIndex(project, self._read, lambda found: not found[0].stale)

    def sites(self, paths: Collection[str] | None) -> Iterator[Site]:
        """Those in these files, or in all."""
        self._files.drop_removed()
        for path, module in list(self._project.modules.items()):
            if paths is None or path in paths:
                yield from self.sites_in(module)

    def sites_in(self, module: SourceModule) -> tuple[Site, ...]:
        """Those in one file."""
        dependency, found = self._files.of(module)
        self._project.tracker.read(dependency)
        return found

    def may_use(self, module: SourceModule) -> bool:
        """Whether a file says something that a use of the exporter says."""
        return "onnx" in module.source.text and "torch" in module.source.text

    def _read(self, module: SourceModule) -> tuple[Node, tuple[Site, ...]]:
        tracker = self._project.tracker
        dependency = tracker.node()
        if not self.may_use(module):
            return dependency, ()
        return dependency, tracker.compute(dependency, partial(_uses, self._project, module))


def _uses(project: Project, module: SourceModule) -> tuple[Site, ...]:
    found: list[Site] = []
    aliases = _aliases(module)
    for unit in module.all_units():
        if any(alias in unit.text for alias in aliases):
            project.tracker.read(unit.dependency)
            found += _uses_in(project, module, unit)
    return tuple(found)


def _aliases(module: SourceModule) -> set[str]:
    """What the text of a statement that uses the exporter holds: ``onnx``, or a name that is imported from there."""
    names = {"onnx"}
    for unit in module.all_units():
        if "onnx" in unit.text and "import" in unit.text:
            for node in ir.walk(unit.chunk.lowered.body):
                if isinstance(node, ir.ImportFrom) and node.module.startswith("torch.onnx") and node.names:
                    names.update(alias or name for name, alias in node.names)
    return names


def _uses_in(project: Project, module: SourceModule, unit: Unit) -> Iterator[Site]:
    scopes: dict[int, Script] = {}
    for node, function in _with_function(unit.chunk.lowered.body, None):
        if isinstance(node, ir.ImportFrom) and node.level == 0 and node.module.startswith("torch.onnx"):
            for name, _ in node.names or ():
                yield ExporterName(unit, node, UNKNOWN, "", None, BOTH, False, f"{node.module}.{name}")
        elif isinstance(node, ir.Attribute) and isinstance(node.value, (ir.Attribute, ir.Name)):
            full = _full(project, module, node)
            if full is not None:
                yield ExporterName(unit, node, UNKNOWN, "", None, BOTH, False, full)
        if isinstance(node, ir.Call) and isinstance(node.func, (ir.Attribute, ir.Name)):
            if _full(project, module, node.func) in _CALLS:
                script = scopes.get(id(function))
                if script is None:
                    script = scopes[id(function)] = Script(project, module, function)
                yield _call(unit, node, script)


def _full(project: Project, module: SourceModule, node: ir.Expr) -> str | None:
    meaning = project.resolve(module, node)
    return meaning.name if isinstance(meaning, External) and meaning.name.startswith("torch.onnx.") else None


def _call(unit: Unit, node: ir.Call, script: Script) -> ExporterCall:
    arguments = dict(zip(_POSITIONAL, node.args, strict=False))
    arguments.update({name: value for name, value in node.keywords if name is not None})
    is_complete = not any(isinstance(a, ir.Starred) for a in node.args) and all(k is not None for k, _ in node.keywords)
    site = ExporterCall(unit, node, UNKNOWN, "", None, BOTH, False, script, arguments, is_complete)
    engines: tuple[Engine, ...] = BOTH if site.engine is None else (site.engine,)
    return ExporterCall(unit, node, UNKNOWN, "", None, engines, False, script, arguments, is_complete)


def _with_function(body: ir.Block, function: ir.FunctionDef | None) -> Iterator[tuple[ir.Node, ir.FunctionDef | None]]:
    """All nodes below statements, each with the function in which it stands."""
    pending: list[tuple[ir.Node, ir.FunctionDef | None]] = [(s, function) for s in reversed(body)]
    while pending:
        node, around = pending.pop()
        yield node, around
        inner = node if isinstance(node, ir.FunctionDef) and not node.is_lambda else around
        pending.extend((child, inner) for child in reversed(list(ir.children(node))))
