"""ONX101 data-dependent-branch."""

from __future__ import annotations

from collections.abc import Iterator

from onnx_lint.rule import Finding, Rule
from onnx_lint.semantics.domain.sites import Branch
from onnx_lint.semantics.domain.values import Array, Frozen
from onnx_lint.target import FINE, fails, measured, warns, wrong
from onnx_lint_rules.wording import construct, described

_ONE_WAY = wrong("keeps only the branch taken for the example input")
_CHECK_DROPPED = warns("drops the check")
_FAILS = fails("fails to export it", help="dynamo exports `torch.cond` as well")


class DataDependentBranch(Rule[Branch]):
    """Python control flow that depends on the values of a tensor.

    ## Why it breaks export

    Tracing runs `forward` once and records what the example input made it do, so the exported model always takes the
    branch of the example: "TracerWarning: Converting a tensor to a Python boolean might cause the trace to be
    incorrect". The dynamo engine does not know the value at all and stops with `GuardOnDataDependentSymNode: Could not
    guard on data-dependent expression`. This holds for `if`, `while`, the conditional expression, `and`, `or`, `not`,
    `match`, filters of comprehensions, `any()` and `all()`. A number that `.item()` or `int()` has read already is
    reported where it is read for torchscript, and here for dynamo. A branch that only raises loses its check under
    torchscript and fails under dynamo.

    ## Example

    ```python
    def forward(self, x):
        if x.sum() > 0:
            return x + 1
        return x - 1
    ```

    Use instead:

    ```python
    def forward(self, x):
        return torch.where(x.sum() > 0, x + 1, x - 1)
    ```

    ## References

    - PyTorch documentation, "TorchScript-based ONNX Exporter": "Tracing vs Scripting"
    - PyTorch documentation, "torch.cond" and "torch.where"
    - pytorch/pytorch#84692
    """

    code = "ONX101"
    name = "data-dependent-branch"
    effects = measured(torchscript=_ONE_WAY, dynamo=_FAILS)
    messages = (
        "Converting a tensor to a Python boolean might cause the trace to be incorrect",
        "Could not guard on data-dependent expression",
        "GuardOnDataDependentSymNode",
    )

    def check(self, branch: Branch, /) -> Iterator[Finding]:
        if branch.keyword in ("assert", "torch._assert") or not branch.depends_on_data:
            return
        torchscript = _CHECK_DROPPED if branch.only_checks else _ONE_WAY
        if isinstance(branch.subject, (Frozen, Array)):
            torchscript = FINE  # the value was frozen where it was read, and is reported there
        subject = f"{construct(branch.keyword)} depends on {described(branch.subject)}"
        effects = measured(torchscript=torchscript, dynamo=_FAILS)
        help = "choose with `torch.where`; move checks out of `forward`"
        yield self.at(branch, subject, effects=effects, help=help)
