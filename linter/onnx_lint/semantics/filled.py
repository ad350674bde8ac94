"""Tables of the top level (``LAYERS = {}``) that are filled after they were assigned: by statements that follow, which
are carried out, and by functions, which leave them open."""

from __future__ import annotations

import re

from onnx_lint.project.derived import ChunkMemo, NameIndex, Names
from onnx_lint.project.modules import SourceModule
from onnx_lint.project.project import Project

_FILLS = re.compile(
    r"\b([^\W\d]\w*)\s*"
    r"(?:\[[^\]\n]*\]\s*[-+|&]?=(?!=)|[-+|&]=|\.(?:update|append|extend|setdefault|add|insert|pop|popitem|clear|remove)\()"
)
_NAME = re.compile(r"[^\W\d]\w*")


class Filled(NameIndex):
    """The functions of a project by the names of the top level whose content they change."""

    def __init__(self, project: Project) -> None:
        super().__init__(project, self._changed)
        self._in_chunks = ChunkMemo(lambda text: frozenset(_FILLS.findall(text)))

    def _changed(self, module: SourceModule) -> Names:
        out: dict[str, tuple[str, ...]] = {}
        chunks = module.chunks
        functions = [chunk for chunk in chunks if chunk.kind != "statement"]
        found = self._in_chunks.of(module.path, [chunk.text for chunk in functions])
        if not any(found.values()):
            return out
        known = {name for chunk in chunks if chunk.kind == "statement" for name in _NAME.findall(chunk.text)}
        for chunk in functions:
            for name in sorted(found[chunk.text] & known):
                out[name] = (*out.get(name, ()), chunk.name)
        return out
