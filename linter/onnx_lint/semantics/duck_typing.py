"""Methods of parts that are only known by how they are used: ``self.corr_block.build_pyramid(…)``.

When a module was handed in from outside, and just one or two classes of the project define a method of that name, it
is one of these that is meant.
"""

from __future__ import annotations

import re

from onnx_lint.project.classes import ClassInfo
from onnx_lint.project.derived import NameIndex, Names
from onnx_lint.project.modules import SourceModule
from onnx_lint.project.project import Project
from onnx_lint.semantics.domain.lattice import join_all
from onnx_lint.semantics.domain.values import UNKNOWN, Arguments, Bound, Function, Instance, Value
from onnx_lint.semantics.evaluation.frame import Frame
from onnx_lint.semantics.evaluation.state import Analysis
from onnx_lint.source import ir
from onnx_lint.source.split import Chunk

_MAX_CLASSES = 2
_COMMON = frozenset(
    {"forward", "get", "set", "reset", "update", "build", "compute", "step", "run", "apply", "call", "encode", "decode",
     "transform", "predict", "loss", "init_weights", "load", "save", "train", "eval", "copy", "items", "keys", "values",
     "append", "extend", "log", "close", "to", "cuda", "cpu", "parameters", "state_dict", "sample", "generate"}
)  # fmt: skip


class Methods(NameIndex):
    """The classes of the project's modules by the methods that they define."""

    def __init__(self, project: Project) -> None:
        super().__init__(project, _methods_of)

    def classes_with(self, name: str) -> list[ClassInfo]:
        """The classes that define a method `name`."""
        return [
            self._project.class_of(module, chunk)
            for module, class_name in self.lookup(name)
            for chunk in module.definitions.get(class_name, ())
            if chunk.kind == "class"
        ]


def _methods_of(module: SourceModule) -> Names:
    """The classes of a file by the methods that they define."""
    out: dict[str, tuple[str, ...]] = {}
    if "forward" in module.source.text:
        pairs = ((m.name, c.name) for c in module.chunks if c.kind == "class" for m in c.members if _is_method(m))
        for method, name in dict.fromkeys(pairs):
            out[method] = (*out.get(method, ()), name)
    return out


def _is_method(member: Chunk) -> bool:
    return member.kind == "def" and not member.name.startswith("_")


class Attributes(NameIndex):
    """The classes of the project's modules by the attributes that their constructors assign."""

    def __init__(self, project: Project) -> None:
        super().__init__(project, _attributes_of)


_ASSIGNED = re.compile(r"\bself\.([A-Za-z]\w{3,}) *(?:: *[^=\n]+)?=(?!=)")


def _attributes_of(module: SourceModule) -> Names:
    """The classes of a file by the attributes that their constructors assign."""
    out: dict[str, tuple[str, ...]] = {}
    if "forward" in module.source.text:
        for chunk in module.chunks:
            for member in chunk.members if chunk.kind == "class" else ():
                if member.name == "__init__" and member.kind == "def":
                    for name in dict.fromkeys(_ASSIGNED.findall(member.text)):
                        out[name] = (*out.get(name, ()), chunk.name)
    return out


def classes_with(analysis: Analysis, name: str) -> list[ClassInfo]:
    """The modules of the project that define a method `name`."""
    return analysis.project.derived.get(Methods).classes_with(name)


def is_distinctive(analysis: Analysis, name: str) -> bool:
    """Whether a method name says which class is meant. It does not where constructors keep a module or a number under
    that name: an object that is not known may as well be one of theirs."""
    if name in _COMMON or name.startswith("_") or len(name) < 4:
        return False
    if not 0 < len(classes_with(analysis, name)) <= _MAX_CLASSES:
        return False
    return not analysis.project.derived.get(Attributes).lookup(name)


def call(frame: Frame, node: ir.Call | None, name: str, args: Arguments) -> Value | None:
    """Call the method on an instance of each class that has it; ``None`` when the name does not say which."""
    if not any(a.is_traced for a in args.all()) or not is_distinctive(frame.analysis, name):
        return None
    results: list[Value] = []
    for info in classes_with(frame.analysis, name):
        found = info.find_method(name)
        if found is None:
            continue
        owner, unit, statement = found
        instance = frame.interp.make(frame, info, None)
        function = frame.interp.function_value(frame.analysis, unit, statement, owner)
        if isinstance(instance, Instance):
            method = Bound(function, instance) if isinstance(function, Function) else function
            results.append(frame.interp.apply(frame, node, method, args))
    return join_all([r for r in results if r is not UNKNOWN])
