"""What a ``forward`` is for: whether what its code shows speaks against an export of it.

Models are trained by modules too: a wrapper returns the loss, a matcher takes the targets, a transform takes an image
as an array of NumPy. Nobody exports these, but their code may be reached. What speaks against an export is read off the
``forward`` itself; an export call, or the setting ``entry``, overrules it.
"""

from __future__ import annotations

from collections.abc import Iterator

from onnx_lint.project.classes import ClassInfo
from onnx_lint.project.dependencies import Memo
from onnx_lint.project.meanings import External
from onnx_lint.project.modules import Unit
from onnx_lint.project.project import Project
from onnx_lint.semantics.domain.sites import Site
from onnx_lint.semantics.purpose_signs import judged, reads_file
from onnx_lint.source import ir

_PLACES = frozenset(
    {"loss", "losses", "criterion", "criterions", "metric", "metrics", "transform", "transforms", "augment",
     "augmentation", "augmentations", "dataset", "datasets", "preprocessing", "postprocess", "postprocessing",
     "post_processing", "regularizer", "regularizers", "evaluation", "trainer", "trainers", "specaug", "specaugment",
     "spec_augment"}
)  # fmt: skip
"""Folders and files of code that stands beside models."""
_OUTPUTS = frozenset({"outputs", "predictions", "preds", "model_outputs"})
"""First parameters that hold what a model has said."""
_NO_MODULES = ("torch.nn.functional.", "torch.nn.init.", "torch.nn.utils.", "torch.nn.Parameter")


class Purposes:
    """The purposes of the modules of a project, each judged once for as long as what its ``forward`` says holds."""

    def __init__(self, project: Project) -> None:
        self._project = project
        self._found: Memo[tuple[Unit, str], str | None] = Memo(project.tracker)

    def begin(self) -> None:
        """A check begins: what no longer holds is let go."""
        self._found.prune()

    def against_export(self, site: Site) -> str | None:
        """What speaks against an export of the code in which a site stands, as a clause about a class; ``None`` if
        nothing does. The ``forward`` around the site counts, and the one at which traced code begins where those
        between have no layers, and so are no models."""
        forwards = list(_forwards(site))
        if not forwards:
            return None
        trains = next((f"`{n}` is a discriminator" for u, n in forwards if self._discriminates(u, n)), None)
        if trains is not None:
            return trains
        unit, name = forwards[0]
        reason = self._of(unit, name)
        if reason is not None and len(forwards) == 1:
            return reason
        outer = self._of(*forwards[-1])
        if outer is None or (reason is None and any(self._has_layers(*inner) for inner in forwards[:-1])):
            return None
        return outer

    def _of(self, unit: Unit, name: str) -> str | None:
        if self._project.policy.is_exported(unit.module.name, name):
            return None
        return self._found.value((unit, name), lambda: self._judged(unit, name))

    def _judged(self, unit: Unit, name: str) -> str | None:
        unit.module.tracker.read(unit.dependency)
        function = _forward_in(unit)
        if function is None:
            return None
        reason = judged(unit, function, name) or self._of_place(unit, name)
        if reason is not None:
            return reason
        opens = reads_file(self._project, unit, function)
        if opens is not None:
            return f"`{name}.forward` calls `{opens}`"
        first = next((p.name for p in function.params.positional[1:]), "")
        if first in _OUTPUTS and not self._has_layers(unit, name):
            return f"`{name}` has no layers and takes the `{first}` of a model"
        return None

    def _discriminates(self, unit: Unit, name: str) -> bool:
        """Whether a class is a discriminator, which judges the results of a model while that is trained; nothing else
        than its name says so."""
        return "Discriminator" in name and not self._project.policy.is_exported(unit.module.name, name)

    def _of_place(self, unit: Unit, name: str) -> str | None:
        """Code in a folder of losses or transforms that has no layers."""
        place = next(iter(sorted(_places(unit.module.path))), None)
        if place is None or self._has_layers(unit, name):
            return None
        return f"`{name}` has no layers and stands in `{place}`"

    def _has_layers(self, unit: Unit, name: str) -> bool:
        """Whether a class makes modules of torch or of the project as its parts; one that is not found counts as if."""
        info = self._project.resolve_name(unit.module, name)
        if not isinstance(info, ClassInfo):
            return True
        found = info.find_method("__init__")
        if found is None:
            return False
        _, own, function = found
        return any(self._makes_module(own, node) for node in ir.walk(function.body) if isinstance(node, ir.Call))

    def _makes_module(self, unit: Unit, call: ir.Call) -> bool:
        meaning = self._project.resolve(unit.module, call.func) if ir.dotted(call.func) else None
        if isinstance(meaning, ClassInfo):
            return meaning.is_module and not _places(meaning.module.path)
        if not isinstance(meaning, External):
            return False
        return meaning.name.startswith("torch.nn.") and not meaning.name.startswith(_NO_MODULES)


def _places(path: str) -> frozenset[str]:
    """The parts of a path that name code beside models."""
    return _PLACES & {part.removesuffix(".py") for part in path.replace("\\", "/").split("/")}


def _forwards(site: Site) -> Iterator[tuple[Unit, str]]:
    """Unit and class of every ``forward`` on the way to a site, the innermost first."""
    unit, function, step = site.unit, site.function, site.step
    while True:
        name, _, method = function.partition(".")
        if method == "forward":
            yield unit, name
        if step is None:
            return
        unit, function, step = step.unit, step.caller, step.parent


def _forward_in(unit: Unit) -> ir.FunctionDef | None:
    return next((s for s in unit.chunk.lowered.body if isinstance(s, ir.FunctionDef) and s.name == "forward"), None)
