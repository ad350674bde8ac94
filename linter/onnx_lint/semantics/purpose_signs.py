"""What a ``forward`` shows of its purpose: signs that it trains, or works on something else than tensors."""

from __future__ import annotations

import re

from onnx_lint.project.meanings import External
from onnx_lint.project.modules import Unit
from onnx_lint.project.project import Project
from onnx_lint.source import ir

TARGETS = frozenset(
    {"target", "targets", "label", "labels", "gt", "gts", "ground_truth", "ground_truths", "y_true", "true_labels",
     "gt_boxes", "gt_bboxes", "gt_labels", "gt_masks", "gt_instances", "ys_pad", "class_labels"}
)  # fmt: skip
"""Parameters that hold what a model should say, not what it is given."""
_LOSS = re.compile(r"(?:^|_)loss(?:es)?(?:_|\d|$)|cross_entropy|(?:^|_)kl_div$|^Loss|Loss$")
_NO_TENSOR = re.compile(r"(?:(?:\w+\.)?(?:[Ll]ist|[Tt]uple|Sequence|Optional|Iterable)\[)*"
                        r"(?:str|(?:np\.|numpy\.)?ndarray)(?:,\s*\.\.\.)?\]*")  # fmt: skip
"""Annotations of texts and arrays, also of several."""
_READERS = frozenset(
    {"PIL.Image.open", "cv2.imread", "cv2.cvtColor", "requests.get", "librosa.load", "torchaudio.load",
     "soundfile.read", "builtins.open", "numpy.load"}
)  # fmt: skip
"""Functions that bring in what no tensor is."""


def judged(unit: Unit, function: ir.FunctionDef, name: str) -> str | None:
    """What the parameters and the results of a ``forward`` say against an export, as a clause."""
    params = [*function.params.positional[1:], *function.params.keyword]
    for param in params:
        if param.default is None and param.name in TARGETS:
            return f"`{name}.forward` takes the targets `{param.name}`"
        kind = "" if param.annotation is None else unit.module.source.slice(unit.span(param.annotation.at))
        if param.default is None and _NO_TENSOR.fullmatch(kind.strip("\"'")):
            return f"`{name}.forward` takes `{param.name}`, which is not a tensor"
        if param.default is None and _is_used_as_module(function, param.name):
            return f"`{name}.forward` takes the module `{param.name}`"
    if function.returns is not None:
        result = unit.module.source.slice(unit.span(function.returns.at))
        if _NO_TENSOR.fullmatch(result.strip("\"'")):
            return f"`{name}.forward` returns `{result}`, which is not a tensor"
    last = function.body[-1] if function.body else None
    is_loss = isinstance(last, ir.Return) and last.value is not None and _is_loss(_bound(function, last.value))
    if is_loss and isinstance(last, ir.Return) and _may_be_left_out(function, last.value):
        return None
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


def reads_file(project: Project, unit: Unit, function: ir.FunctionDef) -> str | None:
    """A function that a ``forward`` calls to open a file, or to convert an image that is no tensor."""
    for node in ir.walk(function.body):
        if isinstance(node, ir.Call) and (called := ir.dotted(node.func)):
            meaning = project.resolve(unit.module, node.func)
            full = meaning.name if isinstance(meaning, External) else f"builtins.{called}" if called == "open" else ""
            if full in _READERS:
                return called
    return None


def _bound(function: ir.FunctionDef, value: ir.Expr) -> ir.Expr:
    """What a name was bound to, if that happens once in the function; else the expression itself."""
    if not isinstance(value, ir.Name) or _LOSS.search(value.id):
        return value
    found = [
        s.value
        for s in ir.walk(function.body)
        if isinstance(s, ir.Assign)
        for target in s.targets
        if isinstance(target, ir.Name) and target.id == value.id
    ]
    return found[0] if len(found) == 1 and isinstance(found[0], (ir.Call, ir.Mapping)) else value


def _may_be_left_out(function: ir.FunctionDef, value: ir.Expr | None) -> bool:
    """Whether the loss that is returned is ``None`` at first: then there is a way without it."""
    if value is None:
        return False
    names = {n.id for n in ir.walk(_bound(function, value)) if isinstance(n, ir.Name) and _LOSS.search(n.id)}
    return any(
        isinstance(s.value, ir.Const) and s.value.value is None and isinstance(target, ir.Name) and target.id in names
        for s in ir.walk(function.body)
        if isinstance(s, ir.Assign)
        for target in s.targets
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
        given = dict(value.keywords).get("loss")
        if given is not None and not isinstance(given, ir.Const):
            return True
        return _LOSS.search(ir.dotted(value.func).rpartition(".")[2]) is not None or (
            isinstance(value.func, ir.Attribute) and _is_loss(value.func.value)
        )
    if isinstance(value, ir.BinOp):
        return _is_loss(value.left) or _is_loss(value.right)
    if isinstance(value, ir.Subscript):
        return _is_loss(value.value)
    return isinstance(value, (ir.Name, ir.Attribute)) and _LOSS.search(ir.dotted(value).rpartition(".")[2]) is not None
