"""ONX207 len-of-tensor."""

from __future__ import annotations

from collections.abc import Iterator

from onnx_lint.diagnostic import Applicability, Fix
from onnx_lint.rule import Finding, Rule
from onnx_lint.semantics.domain.sites import Length
from onnx_lint.source import ir
from onnx_lint.target import FINE, measured, wrong
from onnx_lint_rules.rewriting import Code, is_written_call, replacement
from onnx_lint_rules.wording import depends_on_search, quoted


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
    messages = ("Using len to get tensor shape might cause the trace to be incorrect",)

    def check(self, length: Length, /) -> Iterator[Finding]:
        subject = f"{quoted(length)} is a Python number"
        help, by_size = "use `.shape[0]`, which stays a value of the graph", not depends_on_search(length.subject)
        yield self.at(length, subject, help=help, fix=_fix(length), by_size=by_size)


def _fix(length: Length) -> Fix | None:
    """Never a safe one: a tensor without dimensions raises another exception, and a subclass may count otherwise."""
    node, argument = length.node, length.argument
    if argument is None or not isinstance(node, ir.Call) or not is_written_call(node, "len"):
        return None
    edit = replacement(length, node, Code.of(length, argument).attribute("shape[0]"))
    return None if edit is None else Fix("Use `.shape[0]`", Applicability.UNSAFE, (edit,))
