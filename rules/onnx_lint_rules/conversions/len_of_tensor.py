"""ONX207 len-of-tensor."""

from __future__ import annotations

from collections.abc import Iterator

from onnx_lint.diagnostic import Applicability, Edit, Fix
from onnx_lint.rule import Finding, Rule
from onnx_lint.semantics.domain.sites import Length
from onnx_lint.target import FINE, measured, wrong
from onnx_lint_rules.wording import is_atom, quoted


class LenOfTensor(Rule[Length]):
    """`len()` of a traced tensor.

    ## Why it breaks export

    `len()` can only return a Python integer, so the length of the example becomes a constant: "TracerWarning: Using len
    to get tensor shape might cause the trace to be incorrect. Recommended usage would be tensor.shape[0]". The dynamo
    engine goes on computing with it; a branch on it is reported as `shape-dependent-branch` there.

    ## Example

    ```python
    def forward(self, x):
        return x.sum(0) / len(x)
    ```

    Use instead:

    ```python
    def forward(self, x):
        return x.sum(0) / x.shape[0]
    ```

    ## References

    - PyTorch documentation, "TorchScript-based ONNX Exporter": "Avoid Python Built-in Types"
    """

    code = "ONX207"
    name = "len-of-tensor"
    effects = measured(torchscript=wrong("keeps the example's length"), dynamo=FINE)

    def check(self, length: Length, /) -> Iterator[Finding]:
        fix = None
        if length.argument is not None:
            text = length.text_of(length.argument)
            size = f"{text}.shape[0]" if is_atom(length.argument) else f"({text}).shape[0]"
            fix = Fix("Use `.shape[0]`", Applicability.SAFE, (Edit(length.span, size),))
        subject = f"{quoted(length)} is a Python number"
        yield self.at(length, subject, help="use `.shape[0]`, which stays a value of the graph", fix=fix)
