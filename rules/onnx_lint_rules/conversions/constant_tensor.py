"""ONX212 constant-tensor."""

from __future__ import annotations

from collections.abc import Iterator

from onnx_lint.rule import Finding, Rule
from onnx_lint.semantics.domain.sites import TensorFrom
from onnx_lint.target import FINE, measured, warns
from onnx_lint_rules.wording import quoted


class ConstantTensor(Rule[TensorFrom]):
    """A constant tensor built in traced code.

    ## Why it breaks export

    It does not: the tensor is a constant anyway. Torchscript cannot know that, and warns: "torch.tensor results are
    registered as constants in the trace". The warning is noise that hides others. A buffer says the same without it, is
    made once, and moves with the module to another device.

    ## Example

    ```python
    def forward(self, x):
        return x + torch.tensor([1.0, 2.0, 3.0, 4.0])
    ```

    Use instead:

    ```python
    def __init__(self):
        super().__init__()
        self.register_buffer("offset", torch.tensor([1.0, 2.0, 3.0, 4.0]))

    def forward(self, x):
        return x + self.offset
    ```

    ## References

    - PyTorch documentation, "torch.nn.Module.register_buffer"
    """

    code = "ONX212"
    name = "constant-tensor"
    effects = measured(torchscript=warns("warns about it"), dynamo=FINE)
    messages = ("torch.tensor results are registered as constants in the trace",)

    def check(self, made: TensorFrom, /) -> Iterator[Finding]:
        if made.is_traced or made.constructor.endswith("new_tensor"):
            return
        subject = f"{quoted(made)} makes a constant in traced code"
        yield self.at(made, subject, help="make it a buffer in `__init__` with `register_buffer`")
