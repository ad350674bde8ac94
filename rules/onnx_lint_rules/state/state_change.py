"""ONX701 state-change."""

from __future__ import annotations

from collections.abc import Iterator

from onnx_lint.rule import Finding, Rule
from onnx_lint.semantics.domain.sites import StateWrite
from onnx_lint.target import measured, wrong
from onnx_lint_rules.wording import quoted

_LOST = wrong("forgets it")


class StateChange(Rule[StateWrite]):
    """An attribute or buffer that `forward` changes and reads, so that the next call depends on this one.

    ## Why it breaks export

    An ONNX model keeps nothing from one call to the next. Both engines take what the attribute holds at the export for
    a constant, or compute the new value and drop it: every call of the exported model is the first one. What is only
    stored, and read by nobody, does no harm. Where a tensor that is not a buffer is changed in place, dynamo stops with
    "Constant mean is mutated in the forward method".

    ## Example

    ```python
    def __init__(self):
        super().__init__()
        self.register_buffer("mean", torch.zeros(4))

    def forward(self, x):
        self.mean = 0.9 * self.mean + 0.1 * x.mean(0)
        return x - self.mean
    ```

    Use instead:

    ```python
    def forward(self, x, mean):
        mean = 0.9 * mean + 0.1 * x.mean(0)
        return x - mean, mean
    ```

    ## References

    - pytorch/pytorch#130820
    - pytorch/pytorch#106217
    """

    code = "ONX701"
    name = "state-change"
    effects = measured(torchscript=_LOST, dynamo=_LOST)
    messages = ("is mutated in the forward method", "Mutating module attribute")

    def check(self, write: StateWrite, /) -> Iterator[Finding]:
        if write.kind != "global":
            subject = f"{quoted(write)} changes `{write.name}` for the next call"
            yield self.at(write, subject, help="take the old value as an input, and return the new one as an output")
