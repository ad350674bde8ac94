"""ONX105 loop-over-traced-range."""

from __future__ import annotations

from collections.abc import Iterator

from onnx_lint.rule import Finding, Rule
from onnx_lint.semantics.domain.sites import RangeLoop
from onnx_lint.target import fails, measured, wrong
from onnx_lint_rules.wording import described, where_live

_REPEATED = wrong("silently repeats the iterations of the example input")
_FAILS_OR_SAME = fails("fails or silently repeats the iterations of the example input", after="fails or does the same")
_FAILS = fails("fails to export it")


class LoopOverTracedRange(Rule[RangeLoop]):
    """A loop over `range()` of a size or of a value read from a tensor.

    ## Why it breaks export

    Python runs the loop while the model is traced, and every iteration is recorded: the exported model repeats the
    iterations of the example input, whatever it is given. The tracer does **not** warn about it. The dynamo engine
    unrolls the loop too, which fixes the dimension, and stops with "conflicts between user-specified ranges and
    inferred ranges"; a bound such as `x.shape[0] // 2` goes through and is silently wrong. A bound that is read from a
    tensor stops it with "Could not extract specialized integer from data-dependent expression".

    ## Example

    ```python
    def forward(self, x):
        total = torch.zeros(4)
        for i in range(x.shape[0]):
            total = total + x[i] * i
        return total
    ```

    Use instead:

    ```python
    def forward(self, x):
        positions = torch.arange(x.shape[0], dtype=x.dtype)
        return (x * positions.unsqueeze(1)).sum(0)
    ```

    ## References

    - PyTorch documentation, "TorchScript-based ONNX Exporter": "Tracing vs Scripting"
    - pytorch/pytorch#122588
    """

    code = "ONX105"
    name = "loop-over-traced-range"
    effects = measured(torchscript=_REPEATED, dynamo=_FAILS_OR_SAME)

    def check(self, loop: RangeLoop, /) -> Iterator[Finding]:
        effects = measured(torchscript=_REPEATED, dynamo=_FAILS if loop.depends_on_data else _FAILS_OR_SAME)
        subject = f"the loop runs over a range bounded by {described(loop.subject)}"
        help = "compute with `torch.arange`, `cumsum` or a batched operation instead of the loop"
        yield self.at(loop, subject, effects=where_live(loop.subject, effects), help=help)
