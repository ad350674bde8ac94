"""ONX702 global-change."""

from __future__ import annotations

from collections.abc import Iterator

from onnx_lint.rule import Finding, Rule
from onnx_lint.semantics.domain.sites import StateWrite
from onnx_lint.target import measured, wrong
from onnx_lint_rules.wording import quoted

_LOST = wrong("silently forgets it")


class GlobalChange(Rule[StateWrite]):
    """A global variable, or what it holds, that `forward` changes and reads.

    ## Why it breaks export

    The next call of the eager model sees what this one left, a later call of the exported model does not: what the
    global holds during the export is a constant of the graph. Both engines are silent.

    ## Example

    ```python
    CALLS = {"count": 0}


    class Model(nn.Module):
        def forward(self, x):
            CALLS["count"] += 1
            return x * CALLS["count"]
    ```

    Use instead:

    ```python
    class Model(nn.Module):
        def forward(self, x, count):
            count = count + 1
            return x * count, count
    ```

    ## References

    - pytorch/pytorch#111676
    """

    code = "ONX702"
    name = "global-change"
    effects = measured(torchscript=_LOST, dynamo=_LOST)
    messages = ()

    def check(self, write: StateWrite, /) -> Iterator[Finding]:
        if write.kind == "global":
            subject = f"{quoted(write)} changes the global `{write.name}` for the next call"
            yield self.at(write, subject, help="take the old value as an input, and return the new one as an output")
