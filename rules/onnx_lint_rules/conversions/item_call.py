"""ONX202 item-call."""

from __future__ import annotations

import re
from collections.abc import Iterator

from onnx_lint.diagnostic import Applicability, Edit, Fix
from onnx_lint.rule import Finding, Rule
from onnx_lint.semantics.domain.sites import TensorCall
from onnx_lint.target import FINE, measured, wrong
from onnx_lint_rules.wording import quoted

_CALL = re.compile(r"\s*\.\s*item\s*\(\s*\)$")


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

    def check(self, call: TensorCall, /) -> Iterator[Finding]:
        if call.method != "item":
            return
        text = call.text_of(call.node)
        fix = None
        if call.receiver is not None and _CALL.search(text):
            edit = Edit(call.span, _CALL.sub("", text))
            fix = Fix("Keep the tensor, without `.item()`", Applicability.UNSAFE, (edit,))
        subject = f"{quoted(call)} is a Python number"
        help = "leave `.item()` out: one-element tensors convert where a number is needed"
        yield self.at(call, subject, help=help, fix=fix)
