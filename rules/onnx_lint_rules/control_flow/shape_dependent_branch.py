"""ONX102 shape-dependent-branch."""

from __future__ import annotations

from collections.abc import Iterator

from onnx_lint.rule import Finding, Rule
from onnx_lint.semantics.domain.sites import Branch
from onnx_lint.semantics.domain.values import Size
from onnx_lint.source import ir
from onnx_lint.target import FINE, fails, measured, warns, wrong
from onnx_lint_rules.wording import construct, depends_on_search, described, where_live

_ONE_WAY = wrong("keeps only the branch taken for the example input")
_ONE_WAY_SILENTLY = wrong("silently keeps only the branch taken for the example input", after="does so silently")
_UNKNOWN_SIZE = fails("fails, since that size depends on data")
_CHECK_DROPPED = warns("drops the check with a warning")

_NOT_EMPTY = measured(torchscript=warns("keeps that it is not empty"), dynamo=warns("takes it for not empty"))
_EMPTINESS = {("==", 0), ("!=", 0), (">", 0), ("<=", 0), ("<", 1), (">=", 1)}
"""Comparisons of a size that only an empty tensor answers otherwise."""


class ShapeDependentBranch(Rule[Branch]):
    """Python control flow that depends on a size of a tensor.

    ## Why it breaks export

    A size is part of the input: with a dynamic dimension it changes, but the branch does not. Tracing records the
    branch that the example input takes: "TracerWarning: Converting a tensor to a Python boolean might cause the trace
    to be incorrect". The dynamo engine silently keeps the branch of the example too, under a guard on the size
    that the ONNX model does not check; a comparison for equality that holds for the example fails with "conflicts
    between user-specified ranges and inferred ranges". A size that depends on data, as that of `nonzero` or of a mask,
    is unknown to dynamo, which stops with "Could not guard on data-dependent expression". Where the dimension is fixed,
    the branch is right. A branch that only raises is harmless: torchscript warns and drops the check. A test of
    emptiness is information, since both engines take an input for not empty. A number that
    `int()` or `len()` has made of a size is reported where it is made for torchscript, and here for dynamo, which goes
    on computing with it.

    ## Example

    ```python
    def forward(self, x):
        if x.shape[0] > 4:
            return x + 1
        return x - 1
    ```

    Use instead:

    ```python
    def forward(self, x):
        rows = torch.full((1,), x.shape[0])
        return torch.where(rows > 4, x + 1, x - 1)
    ```

    ## References

    - PyTorch documentation, "TorchScript-based ONNX Exporter": "Tracing vs Scripting"
    - PyTorch documentation, "torch.export": "Control Flow - Static vs. Dynamic"
    - pytorch/pytorch#18647
    """

    code = "ONX102"
    name = "shape-dependent-branch"
    effects = measured(torchscript=_ONE_WAY, dynamo=_ONE_WAY_SILENTLY)
    messages = (
        "Converting a tensor to a Python boolean might cause the trace to be incorrect",
        "conflicts between user-specified ranges and inferred ranges",
    )

    def check(self, branch: Branch, /) -> Iterator[Finding]:
        if branch.keyword in ("assert", "torch._assert") or branch.depends_on_data:
            return
        effects = measured(torchscript=_CHECK_DROPPED, dynamo=FINE) if branch.only_checks else self.effects
        is_searched = depends_on_search(branch.subject)
        if is_searched:
            torchscript = _CHECK_DROPPED if branch.only_checks else _ONE_WAY
            effects = measured(torchscript=torchscript, dynamo=_UNKNOWN_SIZE)
        elif not branch.only_checks and (
            _is_bare(branch) or (_asks_whether_empty(branch.node) and not _is_remainder(branch))
        ):
            effects = _NOT_EMPTY
        subject = f"{construct(branch.keyword)} depends on {described(branch.subject)}"
        help = "compute with the size instead of branching on it, or keep the dimension fixed"
        effects, by_size = where_live(branch.subject, effects), False if is_searched else None
        fixed = _is_of_the_format(branch.node)
        yield self.at(branch, subject, effects=effects, help=help, by_size=by_size, presumed_fixed=fixed)


def _is_bare(branch: Branch) -> bool:
    """Whether a dimension stands there as it is: it is true where it is not 0. One that was computed with may be 0 for
    some inputs: a padding, a remainder."""
    size = branch.subject
    is_size = isinstance(size, Size) and size.parameter is not None and size.axis is not None and not size.boolean
    return is_size and isinstance(branch.node, (ir.Name, ir.Subscript))


def _is_remainder(branch: Branch) -> bool:
    """Whether a test asks if a named size that was computed, such as a padding, is more than 0: it may well be 0 for
    inputs that are not empty."""
    size, node = branch.subject, branch.node
    if not isinstance(size, Size) or size.parameter is not None or size.axis is not None or size.origin is None:
        return False
    if not isinstance(node, ir.Compare) or not isinstance(node.left, ir.Name) or node.rest[0][0] not in (">", "<="):
        return False
    origin = size.origin
    return "numel" not in origin.unit.module.source.slice(origin.unit.span(origin.at))


def _is_of_the_format(node: ir.Expr | ir.Stmt) -> bool:
    """Whether a test asks for the format of data: the last dimension is compared with a number for equality, or the
    second one with the three channels of an image."""
    if isinstance(node, ir.BoolOp):
        return _is_of_the_format(node.left) or _is_of_the_format(node.right)
    if not isinstance(node, ir.Compare) or len(node.rest) != 1:
        return False
    op, right = node.rest[0]
    left = node.left
    if not isinstance(left, ir.Subscript) or not isinstance(left.index, ir.Const) or not isinstance(right, ir.Const):
        return False
    is_channels = left.index.value == 1 and right.value == 3
    return op in ("==", "!=") and (left.index.value == -1 or is_channels)


def _asks_whether_empty(node: ir.Expr | ir.Stmt) -> bool:
    """Whether all that a test compares with numbers is compared with none or one: ``x.numel() == 0 or x is None``."""
    if isinstance(node, ir.BoolOp):
        compared = [n for n in (node.left, node.right) if not _is_other(n)]
        return bool(compared) and all(_asks_whether_empty(n) for n in compared)
    if isinstance(node, ir.UnaryOp) and node.op == "not":
        return _asks_whether_empty(node.value)
    if isinstance(node, ir.Call):
        return isinstance(node.func, ir.Attribute) and node.func.attr in ("numel", "nelement")
    if not isinstance(node, ir.Compare) or len(node.rest) != 1 or isinstance(node.left, ir.BinOp):
        return False
    op, right = node.rest[0]
    return isinstance(right, ir.Const) and (op, right.value) in _EMPTINESS


def _is_other(node: ir.Expr) -> bool:
    """Whether an operand asks no size: a comparison with a text or ``None``, a call of ``isinstance``."""
    if isinstance(node, ir.Compare):
        return all(isinstance(v, ir.Const) and not isinstance(v.value, (int, float)) for _, v in node.rest)
    return isinstance(node, ir.Call) and ir.dotted(node.func) == "isinstance"
