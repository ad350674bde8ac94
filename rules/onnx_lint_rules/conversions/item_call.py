"""ONX202 item-call."""

from __future__ import annotations

from collections.abc import Iterator

from onnx_lint.diagnostic import Applicability, Fix
from onnx_lint.rule import Finding, Rule
from onnx_lint.semantics.domain.sites import TensorCall
from onnx_lint.source import ir
from onnx_lint.target import FINE, measured, wrong
from onnx_lint_rules.rewriting import Code, is_written_call, replacement
from onnx_lint_rules.wording import quoted


class ItemCall(Rule[TensorCall]):
    """`.item()` on a traced tensor.

    ## Why it breaks export

    `.item()` returns a Python number, which the trace records as a constant: "TracerWarning: Converting a tensor to a
    Python number might cause the trace to be incorrect". The input that it came from can vanish from the exported model
    altogether. One-element tensors convert implicitly wherever the number is needed, so `.item()` can mostly be left
    out. The dynamo engine follows the number into sizes, slices and arithmetic; what it cannot do is branch on it.

    ## Example

    ```python
    def forward(self, x):
        return x * x.max().item()
    ```

    Use instead:

    ```python
    def forward(self, x):
        return x * x.max()
    ```

    ## References

    - PyTorch documentation, "TorchScript-based ONNX Exporter": "Avoid Tensor.item()"
    - pytorch/pytorch#73388
    """

    code = "ONX202"
    name = "item-call"
    effects = measured(torchscript=wrong("keeps the example's number"), dynamo=FINE)
    messages = ("Converting a tensor to a Python number might cause the trace to be incorrect",)

    def check(self, call: TensorCall, /) -> Iterator[Finding]:
        if call.method != "item":
            return
        subject = f"{quoted(call)} is a Python number"
        help = "leave `.item()` out: one-element tensors convert where a number is needed"
        yield self.at(call, subject, help=help, fix=_fix(call))


def _fix(call: TensorCall) -> Fix | None:
    if call.receiver is None or not isinstance(call.node, ir.Call) or not is_written_call(call.node, "item", 0):
        return None
    edit = replacement(call, call.node, Code.of(call, call.receiver))
    return None if edit is None else Fix("Keep the tensor, without `.item()`", Applicability.UNSAFE, (edit,))
