"""ONX102 shape-dependent-branch."""

from __future__ import annotations

from collections.abc import Iterator

from onnx_lint.rule import Finding, Rule
from onnx_lint.semantics.domain.sites import Branch
from onnx_lint.source import ir
from onnx_lint.target import FINE, fails, measured, warns, wrong
from onnx_lint_rules.control_flow.emptiness import asks_whether_empty
from onnx_lint_rules.wording import construct, depends_on_search, described, where_live

_ONE_WAY = wrong("keeps only the branch taken for the example input")
_ONE_WAY_SILENTLY = wrong("silently keeps only the branch taken for the example input", after="does so silently")
_UNKNOWN_SIZE = fails("fails, since that size depends on data")
_CHECK_DROPPED = warns("drops the check with a warning")

_NOT_EMPTY = measured(torchscript=warns("keeps that it is not empty"), dynamo=warns("takes it for not empty"))


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
        elif not branch.only_checks and asks_whether_empty(branch):
            effects = _NOT_EMPTY
        subject = f"{construct(branch.keyword)} depends on {described(branch.subject)}"
        help = "compute with the size instead of branching on it, or keep the dimension fixed"
        effects, by_size = where_live(branch.subject, effects), False if is_searched else None
        fixed = _is_of_the_format(branch.node)
        yield self.at(branch, subject, effects=effects, help=help, by_size=by_size, presumed_fixed=fixed)


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
