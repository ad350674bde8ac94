"""Methods of parts that are only known by how they are used: ``self.corr_block.build_pyramid(…)``.

When a module was handed in from outside, and just one or two classes of the project define a method of that name, it
is one of these that is meant.
"""

from __future__ import annotations

from onnx_lint.project.classes import ClassInfo
from onnx_lint.project.modules import SourceModule
from onnx_lint.project.project import Project
from onnx_lint.semantics.domain.values import UNKNOWN, Arguments, Instance, Value, join_all
from onnx_lint.semantics.evaluation import calls, objects
from onnx_lint.semantics.evaluation.frame import Analysis, Frame
from onnx_lint.source import ir
from onnx_lint.source.split import Chunk

_MAX_CLASSES = 2
_COMMON = frozenset(
    {"forward", "get", "set", "reset", "update", "build", "compute", "step", "run", "apply", "call", "encode", "decode",
     "transform", "predict", "loss", "init_weights", "load", "save", "train", "eval", "copy", "items", "keys", "values",
     "append", "extend", "log", "close", "to", "cuda", "cpu", "parameters", "state_dict", "sample", "generate"}
)  # fmt: skip


class Methods:
    """The modules of a project by the methods that they define."""

    def __init__(self, project: Project) -> None:
        self._project = project
        self._generation = -1
        self._files: dict[str, tuple[list[Chunk], list[tuple[str, str]]]] = {}
        """By path: the chunks, and methods with the name of their class."""
        self._by_method: dict[str, list[tuple[SourceModule, str]]] = {}
        self._facts = project.tracker.facts()

    def classes_with(self, name: str) -> list[ClassInfo]:
        """The classes that define a method `name`."""
        self._facts.read(name)
        if self._generation != self._project.generation:
            self.update()
        out: list[ClassInfo] = []
        for module, class_name in self._by_method.get(name, ()):
            for chunk in module.definitions.get(class_name, ()):
                if chunk.kind == "class":
                    out.append(self._project.class_of(module, chunk))
        return out

    def refresh(self) -> None:
        """Look at what has changed, if anybody has asked before."""
        if self._generation != -1:
            self.update()

    def update(self) -> None:
        """Look at what has changed since the last time."""
        project = self._project
        changed: set[str] = set()
        if self._generation != project.generation:
            self._generation = project.generation
            for path in self._files.keys() - project.modules.keys():
                changed.update(method for method, _ in self._files.pop(path)[1])
        for path, module in project.modules.items():
            if "forward" not in module.source.text:
                chunks: list[Chunk] = []
            else:
                chunks = module.chunks
            held = self._files.get(path)
            if held is not None and (held[0] is chunks or (not held[0] and not chunks)):
                continue
            pairs = [(m, c.name) for c in chunks if c.kind == "class" for m in _method_names(c)]
            before = held[1] if held is not None else []
            changed.update(m for m, _ in set(pairs) ^ set(before))
            self._files[path] = (chunks, pairs)
        if changed:
            self._by_method = {}
            for path, (_, pairs) in self._files.items():
                for method, class_name in dict.fromkeys(pairs):
                    self._by_method.setdefault(method, []).append((project.modules[path], class_name))
        for name in changed:
            self._facts.invalidate(name)


def _method_names(chunk: Chunk) -> list[str]:
    return [m.name for m in chunk.members if m.kind == "def" and not m.name.startswith("_")]


def methods(project: Project) -> Methods:
    """The methods of a project, kept with it."""
    held = project.derived.get("methods")
    if isinstance(held, Methods):
        return held
    made = Methods(project)
    project.derived["methods"] = made
    return made


def classes_with(analysis: Analysis, name: str) -> list[ClassInfo]:
    """The modules of the project that define a method `name`."""
    return methods(analysis.project).classes_with(name)


def is_telling(analysis: Analysis, name: str) -> bool:
    """Whether a method name says which class is meant."""
    if name in _COMMON or name.startswith("_") or len(name) < 4:
        return False
    return 0 < len(classes_with(analysis, name)) <= _MAX_CLASSES


def call(frame: Frame, node: ir.Call | None, name: str, args: Arguments) -> Value | None:
    """Call the method on an instance of each class that has it; ``None`` when the name does not say which."""
    if not any(a.is_traced for a in args.all()) or not is_telling(frame.analysis, name):
        return None
    results: list[Value] = []
    for info in classes_with(frame.analysis, name):
        found = info.find_method(name)
        if found is None:
            continue
        owner, unit, statement = found
        instance = objects.make(frame, info, None)
        function = calls.function_value_of(frame.analysis, unit, statement, owner)
        if isinstance(instance, Instance):
            results.append(calls.apply(frame, node, _bound(function, instance), args))
    known = [r for r in results if r is not UNKNOWN]
    return join_all(known) if known else None


def _bound(function: Value, instance: Instance) -> Value:
    from onnx_lint.semantics.domain.values import Bound, Function

    return Bound(function, instance) if isinstance(function, Function) else function
