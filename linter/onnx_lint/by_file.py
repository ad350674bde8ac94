"""A check file by file: what the entry points of each lead to, and how it is joined."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable
from dataclasses import dataclass, field
from itertools import chain
from typing import Any

from onnx_lint.applying import Group, has_safe_fix, of_site
from onnx_lint.coverage import Tally
from onnx_lint.diagnostic import Span
from onnx_lint.part import WHOLE_TEXT, Basis, Findings, Part, Parts, Place
from onnx_lint.project.modules import TEXT, SourceModule, Unit
from onnx_lint.project.project import Project
from onnx_lint.project.recording import Recorder
from onnx_lint.result_codec import basis_of, decode_part, encode_part
from onnx_lint.semantics import entry
from onnx_lint.semantics.constructions import Factories
from onnx_lint.semantics.domain.sites import OtherValue
from onnx_lint.semantics.duck_typing import Methods
from onnx_lint.semantics.evaluation.state import Analysis
from onnx_lint.semantics.export_calls import ExportFacts
from onnx_lint.semantics.exporter_uses import ExporterUses
from onnx_lint.semantics.filled import Filled
from onnx_lint.workers import Workers

_MANY = 40
"""Files from which on several workers are worth their start."""


@dataclass
class Joined:
    """What all parts say together; the findings are in the groups."""

    tally: Tally = field(default_factory=Tally)
    others: set[Hashable] = field(default_factory=set)
    entered: set[Place] = field(default_factory=set)

    def add(self, part: Part, groups: list[Group]) -> None:
        """One more part, in their order."""
        for group, findings in zip(groups, part.findings, strict=True):
            for diagnostic in findings.diagnostics:
                group.put(diagnostic)
            for place, code, span in findings.safe_at:
                group.safe_at.setdefault(place, []).append((code, span))
        self.others.update(part.others)
        self.entered.update(part.traced)
        self.tally.models += part.models
        self.tally.entry_points += part.entry_points
        self.tally.cut_offs.update(part.cut_offs)


def check_by_file(
    project: Project,
    groups: list[Group],
    facts: ExportFacts,
    parts: Parts,
    progress: Callable[[int, int], None] | None,
    workers: int = 1,
) -> Joined:
    """Look at all files; what is found is put into the groups. `progress` hears how many files are done, and of how
    many. Many files are looked at by several `workers`; the result does not depend on how many there are."""
    joined, analysis = Joined(), entry.new_analysis(project)
    paths = files_to_check(project, groups, parts)
    ahead: dict[str, Part] = {}
    if workers > 1 and parts.order() is None and len(paths) >= _MANY:
        ahead = _ahead(project, groups, facts, analysis, paths, workers, progress)
    for done, path in enumerate(paths):
        if progress is not None and not ahead:
            progress(done, len(paths))
        part = parts.known(path, joined.entered)
        if part is None:
            part = ahead.pop(path, None)
            if part is None or not part.fits(joined.entered):
                part = compute(project, groups, facts, analysis, path, joined.entered)
            parts.keep(part)
        joined.add(part, groups)
    joined.tally.functions = len(joined.entered)
    return joined


def _ahead(
    project: Project,
    groups: list[Group],
    facts: ExportFacts,
    analysis: Analysis,
    paths: list[str],
    workers: int,
    progress: Callable[[int, int], None] | None,
) -> dict[str, Part]:
    """The parts of files, computed side by side. A part is handed what others that are done have entered, which is
    all that counts but for those under way: it may not fit, and is computed again then."""
    for index in (project.derived.get(Methods), project.derived.get(Factories), project.derived.get(Filled)):
        index.fill()  # before there are several processes: else each would read all files
    found: dict[str, Part] = {}
    entered: dict[str, set[Place]] = {}
    told: set[tuple[str, int]] = set()

    numbers = {path: number for number, path in enumerate(project.modules)}

    def order(path: str) -> list[Place]:
        return sorted(entered.get(path, ()))

    def work(path: str, before: list[list[Any]]) -> dict[str, Any]:
        part = compute(project, groups, facts, analysis, path, [(file, chunk, at) for file, chunk, at in before])
        module = project.modules[path]
        module.faulty_units()
        new = _faulty(project) - told
        told.update(new)
        return {
            "part": encode_part(part, numbers),
            "parses": module.is_known_to_parse,
            "faulty": sorted(new),  # chunks that it has come to and that are not analysed
        }

    def done(path: str, answer: dict[str, Any]) -> None:
        part = found[path] = decode_part(answer["part"])
        if isinstance(project.tracker, Recorder):
            part.basis = basis_of(answer["part"], numbers)
        for place in part.traced:
            entered.setdefault(place[0], set()).add(place)
        if answer["parses"]:
            project.modules[path].take_for_parsed()
        for other, number in answer["faulty"]:
            _come_to(project, project.modules[other], number)
        if progress is not None:
            progress(len(found), len(paths))

    Workers(workers, work, order, done).run(paths)
    return found


def _faulty(project: Project) -> set[tuple[str, int]]:
    """The chunks that were come to and are not analysed in full, by file and number."""
    if not project.store.has_faults:
        return set()
    modules = project.modules.values()
    return {(each.path, each.number_of(unit)) for each in modules for unit in each.units() if unit.is_faulty}


def _come_to(project: Project, module: SourceModule, number: int) -> None:
    """Look at a chunk that is not analysed, as a worker has."""
    chunk, owner = module.chunk_of(number)
    unit = module.unit(chunk, member=owner is not None, header=owner is None and bool(chunk.members))
    _ = unit.chunk
    if chunk.kind == "class" and owner is None:
        _ = project.class_of(module, chunk).order


def files_to_check(project: Project, groups: list[Group], parts: Parts) -> list[str]:
    """The files that may lead to something: those with models, importers before what they import, and those that may
    use the exporter."""
    with_models = parts.order()
    if with_models is None:
        with_models = [module.path for module in entry.in_order(project, project.modules.values())]
    wanted = dict.fromkeys(with_models)
    uses = project.derived.get(ExporterUses)
    for path, module in project.modules.items():
        if path not in wanted and uses.may_use(module) and any(group.has(path) for group in groups):
            wanted[path] = None
    return list(wanted)


def compute(
    project: Project, groups: list[Group], facts: ExportFacts, analysis: Analysis, path: str, entered: Iterable[Place]
) -> Part:
    """What one file leads to, when of all models these were `entered` from others before."""

    def run() -> Part:
        return _compute(project, groups, facts, analysis, project.modules[path], set(entered))

    tracker = project.tracker
    if not isinstance(tracker, Recorder):
        return run()
    part, subjects = tracker.record(run)
    part.basis = _basis(subjects)
    return part


def _compute(
    project: Project,
    groups: list[Group],
    facts: ExportFacts,
    analysis: Analysis,
    module: SourceModule,
    entered: set[Place],
) -> Part:
    own = [Group(g.settings, g.paths, g.selection, is_ordinary=g.is_ordinary) for g in groups]
    safe_at: list[list[tuple[Place, str, Span]]] = [[] for _ in own]
    for one, group in zip(own, groups, strict=True):
        one.purposes = group.purposes
    tally, traced = Tally(), set[entry.Traced]()
    mine = list(entry.classes_of(project, module)) if entry.mentions_forward(module) else []
    forwards = {f: _place(f[0], f[1].at) for f in map(entry.forward_of, mine) if f is not None}
    before = {f for f, place in forwards.items() if place in entered}
    traced |= before
    is_wanted = any(group.has(module.path) for group in groups)
    uses = project.derived.get(ExporterUses).sites_in(module) if is_wanted else ()
    others: set[Place] = set()
    for site in chain(uses, entry.of_classes(project, mine, traced, tally, analysis)):
        if isinstance(site, OtherValue):
            others.add(_place(site.unit, site.node.at))
            continue
        for group, safe in zip(own, safe_at, strict=True):
            rules = group.by_site.get(type(site))
            if rules and group.has(site.unit.module.path):
                for diagnostic in of_site(site, rules, group, facts, None):
                    if has_safe_fix(diagnostic):
                        safe.append((_place(site.unit, site.node.at), diagnostic.code, diagnostic.span))
                    group.put(diagnostic)
    return Part(
        module.path,
        sorted(forwards[f] for f in before),
        [Findings(list(g.found.values()), safe) for g, safe in zip(own, safe_at, strict=True)],
        sorted(others),
        len(mine),
        sorted(forwards.values()),
        tally.entry_points,
        sorted(_place(unit, function.at) for unit, function in traced - before),
        sorted(tally.cut_offs, key=lambda c: (c.span, c.name, c.reason)),
    )


def _place(unit: Unit, at: int) -> Place:
    return unit.module.path, unit.module.number_of(unit), at


def _basis(subjects: set[Hashable]) -> Basis:
    """The facts in terms that another process understands."""
    chunks: dict[str, set[int]] = {}
    names: set[tuple[str, str]] = set()
    for subject in subjects:
        owner, name = subject if isinstance(subject, tuple) else (subject, "")
        if name is TEXT and isinstance(owner, SourceModule):
            chunks.setdefault(owner.path, set()).add(WHOLE_TEXT)
        elif isinstance(owner, Unit):
            read = chunks.setdefault(owner.module.path, set())
            if owner.module.is_function(owner):  # all else is part of the file as others see it
                read.add(owner.module.number_of(owner))
        elif isinstance(owner, SourceModule):
            chunks.setdefault(owner.path, set())
        else:
            names.add((str(owner), str(name)))
    return Basis({path: sorted(numbers) for path, numbers in sorted(chunks.items())}, sorted(names))
