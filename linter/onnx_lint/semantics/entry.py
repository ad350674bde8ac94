"""Where traced code begins: the ``forward`` of the project's modules. From here the interpreter follows every call."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import replace

from onnx_lint.coverage import CutOff, Tally
from onnx_lint.diagnostic import Span
from onnx_lint.project.classes import ClassInfo
from onnx_lint.project.imports import ImportGraph
from onnx_lint.project.modules import ClassBinding, SourceModule, Unit
from onnx_lint.project.project import Project
from onnx_lint.semantics import constructions, input_shapes, model_inputs, outputs
from onnx_lint.semantics.domain.environment import Environment
from onnx_lint.semantics.domain.sites import Site
from onnx_lint.semantics.domain.values import Function, Instance
from onnx_lint.semantics.evaluation.frame import Frame
from onnx_lint.semantics.evaluation.state import MAX_ALL_CONTEXTS, MAX_OBJECT_KINDS, Analysis, Call, Summary
from onnx_lint.semantics.interpreter import INTERPRETER
from onnx_lint.semantics.reach import Reached, calls_below, sites_of
from onnx_lint.source import ir

Traced = tuple[Unit, ir.FunctionDef]
"""What identifies a function that was interpreted as traced code."""


def module_classes(project: Project, modules: Iterable[SourceModule]) -> Iterator[ClassInfo]:
    """The classes of `modules` that have a ``forward``, importers before what they import: parts are seen as they are
    used."""
    for module in in_order(project, modules):
        yield from classes_of(project, module)


def classes_of(project: Project, module: SourceModule) -> Iterator[ClassInfo]:
    """The classes of a file that have a ``forward``, the last one first: a model is defined after its parts. Those
    inside ``if`` and ``try`` statements come behind the others."""
    for chunk in reversed(module.class_chunks()):
        info = project.class_of(module, chunk)
        if _may_enter(project, info):
            yield info
    if any(" class " in chunk.text for chunk in module.chunks if chunk.kind == "statement"):
        inside = [b for bindings in module.bindings.values() for b in bindings if isinstance(b, ClassBinding)]
        for binding in reversed(inside):
            info = project.class_of_binding(binding)
            if _may_enter(project, info):
                yield info


def _may_enter(project: Project, info: ClassInfo) -> bool:
    """Whether a class is a module, or configured as an entry point, and has a ``forward`` of its own making."""
    is_entry = project.policy.is_entry(info.module.name, info.name)
    return (info.is_module or is_entry) and (info.has_own("forward") or _is_variant(info))


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


def order_rests_on(project: Project, module: SourceModule) -> object:
    """What `in_order` looks at in a file."""
    return project.derived.get(ImportGraph).scan(module) if mentions_forward(module) else None


def in_order(project: Project, modules: Iterable[SourceModule]) -> list[SourceModule]:
    candidates = [m for m in modules if mentions_forward(m)]
    by_path = {m.path: m for m in candidates}
    graph = project.derived.get(ImportGraph)
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


def new_analysis(project: Project) -> Analysis:
    """An analysis of which nothing is remembered yet."""
    return Analysis(project, INTERPRETER)


def analyse(
    project: Project, *, progress: Callable[[int, int], None] | None = None, analysis: Analysis | None = None
) -> Iterator[Site]:
    """All sites of traced code that the entry points of the project reach. `progress` hears how many files are done,
    and of how many; `analysis` is one to use, and to look at afterwards."""
    entered: set[Traced] = set()
    files = in_order(project, project.modules.values())
    for done, module in enumerate(files):
        if progress is not None:
            progress(done, len(files))
        yield from of_classes(project, list(classes_of(project, module)), entered, Tally(), analysis)


def of_classes(
    project: Project,
    classes: Iterable[ClassInfo],
    entered: set[Traced],
    tally: Tally,
    analysis: Analysis | None = None,
) -> Iterator[Site]:
    """The sites that these classes of a file reach as entry points, each of them once. Those that callers were followed
    into are not entered; `entered` gets what was followed. `tally` counts entry points and the limits that they met.

    What the `analysis` was used for before makes it faster and nothing else: what rests on a bound is forgotten before
    each entry point.
    """
    analysis = Analysis(project, INTERPRETER) if analysis is None else analysis
    seen: set[int] = set()
    alive: list[Summary] = []
    for info in classes:
        if not is_entered(project, info, entered):
            summary = enter(analysis, info)
            if summary is not None:
                alive.append(summary)
                tally.entry_points += 1
                calls = list(calls_below(summary, seen))
                tally.cut_offs |= cut_offs(info, calls)
                yield from collect(calls, entered, summary)


def cut_offs(info: ClassInfo, calls: Collection[Reached]) -> set[CutOff]:
    """The limits that an entry point met in these calls, and the functions that did."""
    crowded = {function for c in calls for function in c.summary.crowded}
    found = {_too_many_kinds(*one) for one in crowded}
    reasons = {c.summary.cut_off for c in calls if c.summary.cut_off is not None}
    if reasons and info.header is not None:
        span = _first_line(info.header_unit, info.header)
        found |= {CutOff(span, info.name, reason) for reason in reasons}
    return found


def _too_many_kinds(unit: Unit, statement: ir.FunctionDef | ir.ClassDef, name: str) -> CutOff:
    if isinstance(statement, ir.FunctionDef):
        too_many = f"calls beyond {MAX_ALL_CONTEXTS} kinds of arguments are not followed"
        return CutOff(_first_line(unit, statement), name, too_many, "function")
    too_many = f"beyond {MAX_OBJECT_KINDS} kinds of arguments in one function, it is not known how objects are made"
    return CutOff(_first_line(unit, statement), name, too_many, "class")


def _first_line(unit: Unit, statement: ir.Stmt) -> Span:
    span = unit.span(statement.at)
    line = unit.module.source.line(span.line)
    return replace(span, end_line=span.line, end_column=len(line.rstrip()) + 1)


def is_entered(project: Project, info: ClassInfo, entered: set[Traced]) -> bool:
    """Whether a caller was followed into the ``forward`` of a class already: it is not an entry point then, unless it
    is configured as one."""
    return forward_of(info) in entered and not project.policy.is_entry(info.module.name, info.name)


def forward_of(info: ClassInfo) -> Traced | None:
    """What identifies the ``forward`` that a class defines itself; ``None`` if it inherits it."""
    found = info.find("forward")
    if found is None or found[0] is not info:
        return None
    unit, statement = found[1]
    return (unit, statement) if isinstance(statement, ir.FunctionDef) else None


def enter(analysis: Analysis, info: ClassInfo) -> Summary | None:
    """Interpret the ``forward`` of a class as an entry point. One that takes more memory or stack than there is costs
    no other: its summary says so."""
    try:
        return _enter(analysis, info)
    except MemoryError:
        return Summary(cut_off="its analysis took more memory than there is")
    except RecursionError:
        return Summary(cut_off="its code is nested too deeply")


def _enter(analysis: Analysis, info: ClassInfo) -> Summary | None:
    found = info.find("forward")
    if found is None:
        return None
    if analysis.shown is None and analysis.project.policy.is_training_class(info.module.name, info.name):
        return None  # nobody exports it, but what its names hold may be asked
    owner, (unit, statement) = found
    if not isinstance(statement, ir.FunctionDef):
        return None
    if info.is_subclass("torch.autograd.Function") or info.is_subclass("torch.jit.ScriptModule"):
        return None  # scripted code is compiled, not traced: its branches and loops stay
    if not analysis.project.policy.is_exported(unit.module.name, info.name) and _is_scripted(info):
        return None
    analysis.begin()
    made = constructions.of(analysis, info)
    summary: Summary | None = None
    for args in made or [None]:
        frame = Frame(analysis, unit, Environment({}), qualified=f"{info.name}.forward")
        instance = frame.interp.make(frame, info, args)
        if isinstance(instance, Instance):
            one = _enter_instance(frame, info, instance, owner, statement)
            if summary is None:
                summary = one
            elif one is not None:
                summary.calls += [Call(one, (), unit, None, frame.qualified)]
    return summary


def _is_scripted(info: ClassInfo) -> bool:
    """Whether its file makes it only to hand it to ``torch.jit.script``."""
    module, made = info.module, f"{info.name}("
    if not module.mentions(f"torch.jit.script({made}"):
        return False
    text = module.source.text
    return len(re.findall(rf"(?<![\w.]){info.name}\(", text)) - len(re.findall(rf"class {info.name}\(", text)) == len(
        re.findall(rf"torch\.jit\.script\({info.name}\(", text)
    )


def _enter_instance(
    frame: Frame,
    info: ClassInfo,
    instance: Instance,
    owner: ClassInfo,
    statement: ir.FunctionDef,
) -> Summary | None:
    analysis, unit = frame.analysis, frame.unit
    function = Function(unit, statement, None, owner)
    value = frame.interp.function_value(analysis, unit, statement, owner)
    if isinstance(value, Function):
        if value.opaque:
            return None
        function = value
    args = model_inputs.model_inputs(frame, Function(unit, statement, None, owner), instance)
    args = input_shapes.with_shapes(analysis, unit, function, args, frame.qualified)
    summary = Summary(value=args.positional[0], traced=(unit, statement))
    frame.summary = summary
    if analysis.roots is not None:
        analysis.roots[unit] = summary
    summary.sites += analysis.demanded[-1].others
    frame.interp.invoke(frame, None, function, None, args)
    outputs.report(analysis, summary, function, info, unit, statement)
    return summary


def collect(calls: Sequence[Reached], entered: set[Traced], root: Summary) -> Iterator[Site]:
    """The sites of calls below the entry point `root`; `entered` gets the functions that were traced."""
    entered.update(c.summary.traced for c in calls if c.summary.traced is not None)
    yield from sites_of(calls, root)
