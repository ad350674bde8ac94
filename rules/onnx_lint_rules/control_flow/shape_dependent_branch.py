"""ONX102 shape-dependent-branch."""

from __future__ import annotations

from collections.abc import Iterator

from onnx_lint.rule import Finding, Rule
from onnx_lint.semantics.domain.sites import Branch
from onnx_lint.semantics.domain.values import Frozen
from onnx_lint.target import Verdict, measured
from onnx_lint_rules.wording import construct, described


class ShapeDependentBranch(Rule[Branch]):
    """Python control flow that depends on a size of a tensor.

    ## Why it breaks export

    A size is part of the input: with a dynamic dimension it changes, but the branch does not. Tracing records the way
    that the example input takes: "TracerWarning: Converting a tensor to a Python boolean might cause the trace to be
    incorrect". The dynamo engine says nothing and keeps the branch of the example too, under a guard on the size that
    the ONNX model does not check; a comparison for equality that holds for the example fails with "conflicts between
    user-specified ranges and inferred ranges". Where the dimension is fixed, the branch is right. A branch that only
    raises is harmless: torchscript warns and drops the check. A size that `int()` has turned into a Python number is
    reported where `int()` stands, not at the branch.

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
    verdicts = measured(torchscript=Verdict.SILENTLY_WRONG, dynamo=Verdict.SILENTLY_WRONG)

    def check(self, branch: Branch, /) -> Iterator[Finding]:
        if branch.keyword in ("assert", "torch._assert") or branch.depends_on_data:
            return
        if isinstance(branch.subject, Frozen):
            return
        where = f"{construct(branch.keyword)} depends on {described(branch.subject)}"
        if branch.only_checks:
            verdicts = measured(torchscript=Verdict.WARNS, dynamo=Verdict.FINE)
            message = f"{where}: torchscript warns and drops the check"
        else:
            verdicts = dict(self.verdicts)
            message = f"{where}: both engines keep only the way taken for the example input, dynamo without a word"
        help = "compute with the size instead of branching on it, or keep the dimension fixed"
        yield self.at(branch, message, verdicts=verdicts, help=help)
