"""ONX211 unpack-tensor."""

from __future__ import annotations

from collections.abc import Iterator

from onnx_lint.rule import Finding, Rule
from onnx_lint.semantics.domain.sites import Iteration
from onnx_lint.target import FINE, measured, warns
from onnx_lint_rules.wording import quoted


class UnpackTensor(Rule[Iteration]):
    """A tensor unpacked into names.

    ## Why it breaks export

    Unpacking iterates over the first dimension, and torchscript warns: "Iterating over a tensor might cause the trace
    to be incorrect". As the number of names is fixed, so is the dimension, and the result is right: this is
    informational. `unbind` says the same without a warning.

    ## Example

    ```python
    def forward(self, x):
        first, second = x[:2]
        return first * second
    ```

    Use instead:

    ```python
    def forward(self, x):
        first, second = x[:2].unbind(0)
        return first * second
    ```

    ## References

    - PyTorch documentation, "torch.unbind"
    """

    code = "ONX211"
    name = "unpack-tensor"
    effects = measured(torchscript=warns("warns that its length is fixed"), dynamo=FINE)
    messages = ("Iterating over a tensor might cause the trace to be incorrect",)

    def check(self, iteration: Iteration, /) -> Iterator[Finding]:
        if iteration.how == "unpack":
            subject = f"the tensor {quoted(iteration)} is unpacked"
            yield self.at(iteration, subject, help="write `.unbind(0)`, which gives no warning")
