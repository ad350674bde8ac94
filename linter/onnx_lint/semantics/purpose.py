"""What a ``forward`` is for: whether what its code shows speaks against an export of it.

Models are trained by modules too: a wrapper returns the loss, a matcher takes the targets, a transform takes an image
as an array of NumPy. Nobody exports these, but their code may be reached. What speaks against an export is read off the
``forward`` itself; an export call, or the setting ``entry``, overrules it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from onnx_lint.project.classes import ClassInfo
from onnx_lint.project.meanings import External
from onnx_lint.project.modules import Unit
from onnx_lint.project.project import Project
from onnx_lint.semantics.domain.sites import Site
from onnx_lint.source import ir

TARGETS = frozenset(
    {"target", "targets", "label", "labels", "gt", "gts", "ground_truth", "ground_truths", "y_true", "true_labels",
     "gt_boxes", "gt_bboxes", "gt_labels", "gt_masks", "gt_instances", "ys_pad", "class_labels"}
)  # fmt: skip
"""Parameters that hold what a model should say, not what it is given."""
_LOSS = re.compile(r"(?:^|_)loss(?:es)?(?:_|\d|$)|cross_entropy|(?:^|_)kl_div$|^Loss|Loss$")
_PLACES = frozenset(
    {"loss", "losses", "criterion", "criterions", "metric", "metrics", "transform", "transforms", "augment",
     "augmentation", "augmentations", "dataset", "datasets", "preprocessing", "postprocess", "postprocessing",
     "post_processing"}
)  # fmt: skip
"""Folders and files of code that stands beside models."""
_NO_MODULES = ("torch.nn.functional.", "torch.nn.init.", "torch.nn.utils.", "torch.nn.Parameter")


class Purposes:
    """The purposes of the modules of a project, each judged once for each text of its ``forward``."""

    def __init__(self, project: Project) -> None:
        self._project = project
        self._found: dict[tuple[ir.FunctionDef, str], str | None] = {}

    def begin(self) -> None:
        """A check begins: what texts said before does not count."""
        self._found.clear()

    def against_export(self, site: Site) -> str | None:
        """What speaks against an export of the code in which a site stands, as a clause about a class; ``None`` if
        nothing does. The ``forward`` around the site counts, and the one at which traced code begins where those
        between have no layers, and so are no models."""
        forwards = list(_forwards(site))
        if not forwards:
            return None
        unit, name = forwards[0]
        reason = self._of(unit, name)
        if reason is not None and len(forwards) == 1:
            return reason
        outer = self._of(*forwards[-1])
        if outer is None or (reason is None and any(self._has_layers(*inner) for inner in forwards[:-1])):
            return None
        return outer

    def _of(self, unit: Unit, name: str) -> str | None:
        unit.module.tracker.read(unit.dependency)
        function = _forward_in(unit)
        if function is None or self._project.policy.is_exported(unit.module.name, name):
            return None
        key = (function, name)
        if key not in self._found:
            self._found[key] = _judged(unit, function, name) or self._of_place(unit, name)
        return self._found[key]

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


def _judged(unit: Unit, function: ir.FunctionDef, name: str) -> str | None:
    params = [*function.params.positional[1:], *function.params.keyword]
    for param in params:
        if param.default is None and param.name in TARGETS:
            return f"`{name}.forward` takes the targets `{param.name}`"
        kind = "" if param.annotation is None else unit.module.source.slice(unit.span(param.annotation.at))
        if param.default is None and kind in ("np.ndarray", "numpy.ndarray", "ndarray", "str"):
            return f"`{name}.forward` takes `{param.name}`, which is not a tensor"
        if param.default is None and _is_used_as_module(function, param.name):
            return f"`{name}.forward` takes the module `{param.name}`"
    last = function.body[-1] if function.body else None
    is_loss = isinstance(last, ir.Return) and last.value is not None and _is_loss(last.value)
    if is_loss and not any(_infers(node, params) for node in ir.walk(function.body)):
        return f"`{name}.forward` returns a loss"
    return None


_OF_MODULES = frozenset({"named_parameters", "named_buffers", "named_modules", "state_dict", "load_state_dict"})
"""Methods that modules have, and nothing that an export takes as input."""


def _is_used_as_module(function: ir.FunctionDef, name: str) -> bool:
    return any(
        isinstance(node, ir.Attribute)
        and node.attr in _OF_MODULES
        and isinstance(node.value, ir.Name)
        and node.value.id == name
        for node in ir.walk(function.body)
    )


def _infers(node: object, params: list[ir.Param]) -> bool:
    """Whether a statement returns something else than a loss where an optional parameter is not given: ``if labels is
    None: return logits``."""
    if not isinstance(node, ir.If):
        return False
    test = node.test
    is_absence = isinstance(test, ir.UnaryOp) and test.op == "not"
    if isinstance(test, ir.Compare):
        is_absence = len(test.rest) == 1 and test.rest[0][0] == "is"
    optional = {p.name for p in params if isinstance(p.default, ir.Const) and not p.default.value}
    if not is_absence or not optional & {n.id for n in ir.walk(test) if isinstance(n, ir.Name)}:
        return False
    returned = [n.value for n in ir.walk(node.body) if isinstance(n, ir.Return)]
    return any(value is not None and not _is_loss(value) for value in returned)


def _is_loss(value: ir.Expr) -> bool:
    """Whether an expression is a loss by the names in it; of a tuple or dict the first element counts."""
    if isinstance(value, ir.Sequence):
        return bool(value.elements) and _is_loss(value.elements[0])
    if isinstance(value, ir.Mapping):
        keys = [key.value for key, _ in value.items if isinstance(key, ir.Const)]
        return bool(keys) and isinstance(keys[0], str) and _LOSS.search(keys[0]) is not None
    if isinstance(value, ir.Call):
        return _LOSS.search(ir.dotted(value.func).rpartition(".")[2]) is not None or (
            isinstance(value.func, ir.Attribute) and _is_loss(value.func.value)
        )
    if isinstance(value, ir.BinOp):
        return _is_loss(value.left) or _is_loss(value.right)
    if isinstance(value, ir.Subscript):
        return _is_loss(value.value)
    return isinstance(value, (ir.Name, ir.Attribute)) and _LOSS.search(ir.dotted(value).rpartition(".")[2]) is not None
