"""HOUSE101 no-python-lists."""

from __future__ import annotations

from collections.abc import Iterator

from onnx_lint.rule import Finding, Rule
from onnx_lint.semantics.domain.sites import TensorCall
from onnx_lint.target import measured, warns


class NoPythonLists(Rule[TensorCall]):
    """`.tolist()` or `.numpy()` on a traced tensor, which our runtime never takes.

    ## Why it breaks export

    Our models run in a runtime of our own, and are reviewed for tensors only. A Python list hides what is computed.

    ## Example

    ```python
    def forward(self, x):
        return x * x.sum(0).tolist()[0]
    ```

    Use instead:

    ```python
    def forward(self, x):
        return x * x.sum(0)[0]
    ```
    """

    code = "HOUSE101"
    name = "no-python-lists"
    effects = measured(torchscript=warns("hides what is computed"), dynamo=warns("hides what is computed"))

    def check(self, call: TensorCall, /) -> Iterator[Finding]:
        if call.method in ("tolist", "numpy"):
            yield self.at(call, f"`.{call.method}()` is not allowed in our models", help="index the tensor")
