"""Where traced code begins: the ``forward`` of the project's modules. From here the interpreter follows every call."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from onnx_lint.project.classes import ClassInfo
from onnx_lint.project.modules import SourceModule
from onnx_lint.project.project import Project
from onnx_lint.project.unit import Unit
from onnx_lint.semantics import calls, constructions, instances, outputs, parameters, statements
from onnx_lint.semantics.frame import Analysis, Environment, Frame, Summary
from onnx_lint.semantics.sites import Site
from onnx_lint.semantics.values import Arguments, Function, Instance
from onnx_lint.source import ir

__all__ = ["analyse", "statements"]


def module_classes(project: Project) -> Iterator[ClassInfo]:
    """The modules of the project that have a ``forward``, importers before what they import, last class first: a model
    stands behind its parts, so that parts are seen as they are used."""
    for module in _in_order(project):
        for chunk in reversed(module.class_chunks()):
            info = module.class_of(chunk)
            if info.is_module and (info.has_own("forward") or _is_variant(info)):
                yield info
        if "torch" in module.source.text and "    class " in module.source.text:
            for bindings in module.bindings.values():
                for binding in bindings:
                    if isinstance(binding, ClassInfo) and binding.own("forward") is not None and binding.is_module:
                        yield binding


def _is_variant(info: ClassInfo) -> bool:
    """A class that inherits a ``forward`` of the project and puts it together anew: own ``__init__`` or methods."""
    names = set(info.member_names())
    return (
        bool(names - {"__repr__", "extra_repr", "reset_parameters", "from_pretrained"})
        and info.find("forward") is not None
    )


def _in_order(project: Project) -> list[SourceModule]:
    candidates = [m for m in project.modules.values() if "forward" in m.source.text]
    wanted = {id(m) for m in candidates}
    imported: dict[int, set[int]] = {}
    for module in candidates:
        imported[id(module)] = {id(t) for t in _imports(project, module) if id(t) in wanted and t is not module}
    order: list[SourceModule] = []
    state: dict[int, int] = {}
    by_id = {id(m): m for m in candidates}

    def visit(start: SourceModule) -> None:
        stack: list[tuple[int, Iterator[int]]] = [
            (id(start), iter(sorted(imported[id(start)], key=lambda i: by_id[i].path)))
        ]
        state[id(start)] = 1
        while stack:
            node, rest = stack[-1]
            for target in rest:
                if target not in state:
                    state[target] = 1
                    stack.append((target, iter(sorted(imported[target], key=lambda i: by_id[i].path))))
                    break
            else:
                stack.pop()
                order.append(by_id[node])

    for module in sorted(candidates, key=lambda m: m.path):
        if id(module) not in state:
            visit(module)
    return order[::-1]


_IMPORT = re.compile(r"^[ \t]*(?:from[ \t]+(\.*)([\w.]*)[ \t]+import[ \t]+|import[ \t]+([\w.]+))", re.M)


def _imports(project: Project, module: SourceModule) -> list[SourceModule]:
    """The project's modules that a file imports, read off its text: only for the order."""
    _ = project.by_name
    out: list[SourceModule] = []
    for dots, name, plain in _IMPORT.findall(module.source.text):
        target = plain or name
        if dots:
            package = module.package
            for _step in range(len(dots) - 1):
                package = package.rpartition(".")[0]
            target = ".".join(p for p in (package, name) if p)
        found = project.by_name.get(target)
        if found is not None:
            out.append(found)
    return out


def analyse(project: Project, *, progress: Callable[[int, int], None] | None = None) -> Iterator[Site]:
    """All sites of traced code that the entry points of the project reach. `progress` hears how many entry points
    are done, and of how many."""
    analysis = Analysis(project)
    seen: set[int] = set()
    classes = list(module_classes(project))
    for done, info in enumerate(classes):
        if progress is not None:
            progress(done, len(classes))
        summary = enter(analysis, info)
        if summary is not None:
            yield from collect(summary, seen)


def enter(analysis: Analysis, info: ClassInfo) -> Summary | None:
    """Interpret the ``forward`` of a class as an entry point, unless a caller was followed into it already."""
    found = info.find("forward")
    if found is None or calls.is_training_class(info.name):
        return None
    owner, (unit, statement) = found
    if not isinstance(statement, ir.FunctionDef):
        return None
    if (id(unit), id(statement)) in analysis.entered and owner is info:
        return None
    if info.is_subclass("torch.autograd.Function"):
        return None
    analysis.steps = 0
    made = constructions.of(analysis, info)
    summary: Summary | None = None
    choices: list[Arguments | None] = [*made] or [None]
    for args in choices:
        instance = instances.make(Frame(analysis, unit, Environment({}, None)), info, args)
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
    summary = Summary(args.positional[0], [], set(), [])
    frame.summary = summary
    calls.invoke(frame, None, function, None, args)
    analysis.entered.add((id(unit), id(statement)))
    outputs.report(analysis, summary, function, info)
    analysis.alive.append(summary)
    return summary


def collect(summary: Summary, seen: set[int]) -> Iterator[Site]:
    """The sites of a summary and of all that it called, each once."""
    stack = [summary]
    while stack:
        current = stack.pop()
        if id(current) in seen:
            continue
        seen.add(id(current))
        yield from current.sites
        stack.extend(current.children)
