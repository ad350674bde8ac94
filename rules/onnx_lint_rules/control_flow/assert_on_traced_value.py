"""ONX103 assert-on-traced-value."""

from __future__ import annotations

from collections.abc import Iterator

from onnx_lint.rule import Finding, Rule
from onnx_lint.semantics.domain.sites import Branch
from onnx_lint.target import FINE, fails, measured, warns
from onnx_lint_rules.wording import construct, described

_DROPPED = warns("drops the check with a warning", help="guard it with `if not torch.jit.is_tracing():`")
_FAILS = fails("fails to export it", help="guard it with `if not torch.compiler.is_exporting():`")


class AssertOnTracedValue(Rule[Branch]):
    """A check by `assert` or `torch._assert` of a tensor or a size.

    ## Why it breaks export

    The check runs once, while the model is traced, and is not part of the exported model: other inputs are not checked.
    Torchscript warns: "Converting a tensor to a Python boolean might cause the trace to be incorrect". The result is
    right, so this is informational. The dynamo engine turns `assert` on a comparison into a check of the graph; it
    fails on `torch._assert` of a tensor with `GuardOnDataDependentSymNode`.

    ## Example

    ```python
    def forward(self, x):
        assert x.shape[0] <= 4096, "at most 4096 rows"
        return x * 2
    ```

    Use instead:

    ```python
    def forward(self, x):
        return x * 2

    def check(self, x):
        assert x.shape[0] <= 4096, "at most 4096 rows"
    ```

    ## References

    - PyTorch documentation, "TorchScript-based ONNX Exporter": "Tracing vs Scripting"
    """

    code = "ONX103"
    name = "assert-on-traced-value"
    effects = measured(torchscript=_DROPPED, dynamo=FINE)

    def check(self, branch: Branch, /) -> Iterator[Finding]:
        if branch.keyword not in ("assert", "torch._assert"):
            return
        subject = f"{construct(branch.keyword)} checks {described(branch.subject)}"
        fails_too = branch.keyword == "torch._assert" and branch.depends_on_data
        effects = measured(torchscript=_DROPPED, dynamo=_FAILS) if fails_too else self.effects
        yield self.at(branch, subject, effects=effects, help="check the inputs before the model is called")
