"""Where traced code begins: the ``forward`` of the project's modules. From here the interpreter follows every call."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from onnx_lint.project.classes import ClassInfo
from onnx_lint.project.imports import import_graph
from onnx_lint.project.modules import ClassBinding, SourceModule, Unit
from onnx_lint.project.project import Project
from onnx_lint.semantics import constructions, outputs
from onnx_lint.semantics.domain.sites import Site
from onnx_lint.semantics.domain.values import Arguments, Function, Instance
from onnx_lint.semantics.evaluation import calls, objects, parameters, statements
from onnx_lint.semantics.evaluation.frame import Analysis, Environment, Frame, Summary
from onnx_lint.source import ir

__all__ = ["analyse", "statements"]


def module_classes(project: Project, modules: Iterable[SourceModule]) -> Iterator[ClassInfo]:
    """The classes of `modules` that have a ``forward``, importers before what they import: parts are seen as they are
    used."""
    for module in in_order(project, modules):
        yield from classes_of(project, module)


def classes_of(project: Project, module: SourceModule) -> Iterator[ClassInfo]:
    """The classes of a file that have a ``forward``, the last one first: a model stands behind its parts."""
    for chunk in reversed(module.class_chunks()):
        info = project.class_of(module, chunk)
        if info.is_module and (info.has_own("forward") or _is_variant(info)):
            yield info
    if any(" class " in chunk.text for chunk in module.chunks if chunk.kind == "statement"):
        for bindings in module.bindings.values():
            for binding in bindings:
                if isinstance(binding, ClassBinding):
                    info = project.class_of_binding(binding)
                    if info.own("forward") is not None and info.is_module:
                        yield info


def _is_variant(info: ClassInfo) -> bool:
    """A class that inherits a ``forward`` of the project and puts it together anew: own ``__init__`` or methods."""
    names = set(info.member_names())
    return (
        bool(names - {"__repr__", "extra_repr", "reset_parameters", "from_pretrained"})
        and info.find("forward") is not None
    )


def mentions_forward(module: SourceModule) -> bool:
    """Whether a file may hold an entry point."""
    return "forward" in module.source.text


def in_order(project: Project, modules: Iterable[SourceModule]) -> list[SourceModule]:
    candidates = [m for m in modules if mentions_forward(m)]
    by_path = {m.path: m for m in candidates}
    graph = import_graph(project)
    imported = {m.path: sorted(t.path for t in graph.imported(m) if t.path in by_path) for m in candidates}
    order: list[SourceModule] = []
    seen: set[str] = set()

    def visit(start: str) -> None:
        seen.add(start)
        stack = [(start, iter(imported[start]))]
        while stack:
            path, rest = stack[-1]
            for target in rest:
                if target not in seen:
                    seen.add(target)
                    stack.append((target, iter(imported[target])))
                    break
            else:
                stack.pop()
                order.append(by_path[path])

    for path in sorted(by_path):
        if path not in seen:
            visit(path)
    return order[::-1]


def analyse(project: Project, *, progress: Callable[[int, int], None] | None = None) -> Iterator[Site]:
    """All sites of traced code that the entry points of the project reach. `progress` hears how many entry points
    are done, and of how many."""
    analysis = Analysis(project)
    seen: set[int] = set()
    entered: set[tuple[int, int]] = set()
    alive: list[Summary] = []
    classes = list(module_classes(project, project.modules.values()))
    for done, info in enumerate(classes):
        if progress is not None:
            progress(done, len(classes))
        if not is_entered(info, entered):
            summary = enter(analysis, info)
            if summary is not None:
                alive.append(summary)
                yield from collect(summary, seen, entered)


def is_entered(info: ClassInfo, entered: set[tuple[int, int]]) -> bool:
    """Whether a caller was followed into the ``forward`` of a class already: it is no entry point then."""
    return forward_of(info) in entered


def forward_of(info: ClassInfo) -> tuple[int, int] | None:
    """What identifies the ``forward`` that a class defines itself; ``None`` if it inherits it."""
    found = info.find("forward")
    return (id(found[1][0]), id(found[1][1])) if found is not None and found[0] is info else None


def enter(analysis: Analysis, info: ClassInfo) -> Summary | None:
    """Interpret the ``forward`` of a class as an entry point."""
    found = info.find("forward")
    if found is None or calls.is_training_class(info.name):
        return None
    owner, (unit, statement) = found
    if not isinstance(statement, ir.FunctionDef):
        return None
    if info.is_subclass("torch.autograd.Function") or info.is_subclass("torch.jit.ScriptModule"):
        return None  # scripted code is compiled, not traced: its branches and loops stay
    analysis.steps = 0
    made = constructions.of(analysis, info)
    summary: Summary | None = None
    choices: list[Arguments | None] = [*made] or [None]
    for args in choices:
        instance = objects.make(Frame(analysis, unit, Environment({}, None)), info, args)
        if isinstance(instance, Instance):
            one = _enter_instance(analysis, info, instance, owner, unit, statement)
            if summary is None:
                summary = one
            elif one is not None:
                summary.children.append(one)
    return summary


def _enter_instance(
    analysis: Analysis, info: ClassInfo, instance: Instance, owner: ClassInfo, unit: Unit, statement: ir.FunctionDef
) -> Summary | None:
    function = Function(unit, statement, None, owner)
    frame = Frame(analysis, unit, Environment({}, None), qualified=f"{info.name}.forward")
    value = calls.function_value_of(analysis, unit, statement, owner)
    if isinstance(value, Function):
        if value.opaque:
            return None
        function = value
    args = parameters.model_inputs(frame, Function(unit, statement, None, owner), instance)
    summary = Summary(args.positional[0], traced=(id(unit), id(statement)))
    frame.summary = summary
    calls.invoke(frame, None, function, None, args)
    outputs.report(analysis, summary, function, info)
    return summary


def collect(summary: Summary, seen: set[int], entered: set[tuple[int, int]]) -> Iterator[Site]:
    """The sites of a summary and of all that it called, each once; `entered` gets the functions that were traced."""
    for current in calls_below(summary, seen):
        if current.traced is not None:
            entered.add(current.traced)
        yield from current.sites


def calls_below(summary: Summary, seen: set[int]) -> Iterator[Summary]:
    """A summary and those of all calls below it, each once, without those that were `seen`."""
    stack = [summary]
    while stack:
        current = stack.pop()
        if id(current) not in seen:
            seen.add(id(current))
            yield current
            stack.extend(current.children)
