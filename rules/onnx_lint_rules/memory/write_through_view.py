"""ONX801 write-through-view."""

from __future__ import annotations

from collections.abc import Iterator

from onnx_lint.rule import Finding, Rule
from onnx_lint.semantics.domain.sites import ViewWrite
from onnx_lint.target import measured, wrong


class WriteThroughView(Rule[ViewWrite]):
    """A tensor changed in place while another name for the same memory is read afterwards.

    ## Why it breaks export

    `y.transpose(0, 1)`, `y[:, 0]`, `y.view(-1)` and `y.chunk(2)` are views: in eager mode a write to one shows in the
    other. The torchscript engine records the write for the name that was written to only, without a warning, and the
    exported model is wrong on the example itself. The dynamo engine is right. Writing to a subscript of the tensor
    itself, `y[:, 0] += 1`, is right in both.

    ## Example

    ```python
    def forward(self, x):
        y = x * 3
        first = y[:, 0]
        first.add_(10)
        return y
    ```

    Use instead:

    ```python
    def forward(self, x):
        y = x * 3
        y[:, 0] += 10
        return y
    ```

    ## References

    - pytorch/pytorch#19948
    - pytorch/pytorch#80271
    """

    code = "ONX801"
    name = "write-through-view"
    effects = measured(torchscript=wrong("silently leaves the other one as it was"))
    messages = ()

    def check(self, write: ViewWrite, /) -> Iterator[Finding]:
        if write.is_view:
            what = f"`{write.name}`, a view of `{write.other}`," if write.name else f"a view of `{write.other}`"
            subject, help = f"{what} is changed in place", f"write to `{write.other}` itself, by a subscript"
        else:
            subject = f"`{write.name}` is changed in place while `{write.other}` is a view of it"
            help = f"make `{write.other}` a copy with `.clone()`, or a new tensor of the result"
        yield self.at(write, subject, help=help)
