"""ONX601 operator-not-exported."""

from __future__ import annotations

from collections.abc import Iterator

from onnx_lint.rule import Finding, Rule
from onnx_lint.semantics.domain.sites import OperatorCall
from onnx_lint.target import fails, measured
from onnx_lint_rules.operators.known import described, effects, entry_of, is_refused
from onnx_lint_rules.operators.replacements import instead_of

_FAILS = fails("fails to export it")


class OperatorNotExported(Rule[OperatorCall]):
    """An operator or module that an engine cannot export, or of which ONNX Runtime refuses what it exports.

    ## Why it breaks export

    Each engine has a table of operators that it can translate, and the tables differ. Torchscript stops with "Exporting
    the operator 'aten::cumprod' to ONNX opset version 20 is not supported", dynamo with "No ONNX function found for".
    What the rule knows was found by running operators and modules of torch, in everyday forms, through both engines and
    ONNX Runtime.

    ## Example

    ```python
    def forward(self, x):
        return torch.cumprod(x, 1)
    ```

    Use instead:

    ```python
    def forward(self, x):
        return x.abs().log().cumsum(1).exp()
    ```

    ## References

    - pytorch/pytorch#97262
    - pytorch/pytorch#57086
    """

    code = "ONX601"
    name = "operator-not-exported"
    effects = measured(torchscript=_FAILS, dynamo=_FAILS)
    messages = ("Exporting the operator 'aten::", "No ONNX function found for", "Unsupported: ONNX export of operator")

    def check(self, call: OperatorCall, /) -> Iterator[Finding]:
        entry = entry_of(call)
        if entry is not None:
            wanted = {engine: _FAILS if is_refused(outcome) else None for engine, outcome in entry.outcomes.items()}
            if held := effects(entry, wanted):
                yield self.at(call, described(call), effects=held, help=instead_of(call.name))
