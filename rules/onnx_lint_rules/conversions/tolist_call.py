"""ONX203 tolist-call."""

from __future__ import annotations

from collections.abc import Iterator

from onnx_lint.rule import Finding, Rule
from onnx_lint.semantics.domain.sites import TensorCall
from onnx_lint.target import FINE, measured, wrong
from onnx_lint_rules.wording import quoted


class TolistCall(Rule[TensorCall]):
    """`.tolist()` on a traced tensor.

    ## Why it breaks export

    The list holds Python numbers, which become constants of the exported model: "TracerWarning: Converting a tensor to
    a Python list might cause the trace to be incorrect". Its length is fixed as well. The dynamo engine follows the
    numbers as long as nothing branches on them and the number of elements is fixed.

    ## Example

    ```python
    def forward(self, x):
        scale, shift = x[0, :2].tolist()
        return x * scale + shift
    ```

    Use instead:

    ```python
    def forward(self, x):
        scale, shift = x[0, :2].unbind(0)
        return x * scale + shift
    ```

    ## References

    - PyTorch documentation, "TorchScript-based ONNX Exporter": "Avoid Python Built-in Types"
    """

    code = "ONX203"
    name = "tolist-call"
    effects = measured(torchscript=wrong("keeps the example's numbers"), dynamo=FINE)
    messages = ("Converting a tensor to a Python list might cause the trace to be incorrect",)

    def check(self, call: TensorCall, /) -> Iterator[Finding]:
        if call.method != "tolist":
            return
        subject = f"{quoted(call)} is a list of Python numbers"
        yield self.at(call, subject, help="keep the tensor, or take it apart with `unbind`")
