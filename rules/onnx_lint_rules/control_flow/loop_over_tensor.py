"""ONX104 loop-over-tensor."""

from __future__ import annotations

from collections.abc import Iterator

from onnx_lint.rule import Finding, Rule
from onnx_lint.semantics.domain.sites import Iteration
from onnx_lint.source import ir
from onnx_lint.source.enclosing import enclosing
from onnx_lint.target import fails, measured
from onnx_lint_rules.wording import depends_on_search, quoted

_UNROLLED = fails("unrolls it for the length of the example, so that another length fails")


class LoopOverTensor(Rule[Iteration]):
    """Iteration over the first dimension of a tensor.

    ## Why it breaks export

    The loop is unrolled for the length that the example input has: "TracerWarning: Iterating over a tensor might cause
    the trace to be incorrect. Passing a tensor of different shape won't change the number of iterations executed". With
    another length ONNX Runtime stops at the Split node. The dynamo engine unrolls too, which fixes the dimension, and
    stops with "conflicts between user-specified ranges and inferred ranges". `for`, comprehensions, `list()`,
    `tuple()`, `zip()`, `enumerate()`, `map()`, `sum()`, `any()` and `*x` all iterate. A dimension that never changes is
    safe.

    ## Example

    ```python
    def forward(self, x):
        out = []
        for row in x:
            out.append(row * 2)
        return torch.stack(out)
    ```

    Use instead:

    ```python
    def forward(self, x):
        return x * 2
    ```

    ## References

    - PyTorch documentation, "TorchScript-based ONNX Exporter": "Tracing vs Scripting"
    - pytorch/pytorch#29647
    """

    code = "ONX104"
    name = "loop-over-tensor"
    effects = measured(torchscript=_UNROLLED, dynamo=_UNROLLED)
    messages = ("Iterating over a tensor might cause the trace to be incorrect",)

    def check(self, iteration: Iteration, /) -> Iterator[Finding]:
        if iteration.how == "unpack" or _is_told_a_list(iteration):
            return
        how = {"for": "the loop", "comprehension": "the comprehension", "star": "`*`"}.get(iteration.how)
        subject = f"{how or f'`{iteration.how}`'} iterates over the tensor {quoted(iteration)}"
        help = "write it as one operation on the whole tensor, or loop over a fixed number"
        yield self.at(iteration, subject, help=help, by_size=not depends_on_search(iteration.subject))


def _is_told_a_list(iteration: Iteration) -> bool:
    """Whether an ``if`` around it asked whether the same expression is a list or tuple."""
    node = iteration.node
    text = iteration.text_of(node)
    for outer in enclosing(iteration.unit.chunk.lowered.body, node):
        test = outer.test if isinstance(outer, (ir.If, ir.IfExp)) else None
        for call in ir.walk(test) if test is not None else ():
            if isinstance(call, ir.Call) and ir.dotted(call.func) == "isinstance" and len(call.args) == 2:
                told = iteration.text_of(call.args[1])
                if iteration.text_of(call.args[0]) == text and ("list" in told or "tuple" in told.lower()):
                    return True
    return False
