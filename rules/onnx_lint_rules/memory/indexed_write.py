"""ONX802 indexed-write."""

from __future__ import annotations

from collections.abc import Iterator

from onnx_lint.rule import Finding, Rule
from onnx_lint.semantics.domain.sites import IndexWrite
from onnx_lint.target import fails, measured
from onnx_lint_rules.wording import quoted

_FAILS = fails("fails to export it right")


class IndexedWrite(Rule[IndexWrite]):
    """A write into a tensor by indices of a form that torchscript does not export.

    ## Why it breaks export

    Torchscript stops at tensors as indices with a slice between them: "Only consecutive 1-d tensor indices are
    supported in exporting aten::index_put to ONNX". A number, or one row, that is written through a mask of rows, which
    has fewer dimensions than the tensor, exports, and ONNX Runtime fails in a ScatterND or Where node on the example
    already. The dynamo engine is right with both. Masks of the full shape and neighbouring indices are right in both
    engines.

    ## Example

    ```python
    def forward(self, x):
        y = x * 1
        y[x.sum(1) > 0] = 0.0
        return y
    ```

    Use instead:

    ```python
    def forward(self, x):
        return x.masked_fill(x.sum(1, keepdim=True) > 0, 0.0)
    ```

    ## References

    - PyTorch documentation, "TorchScript-based ONNX Exporter": "Indexing", "Writes / Sets"
    - pytorch/pytorch#80271
    """

    code = "ONX802"
    name = "indexed-write"
    effects = measured(torchscript=_FAILS)
    messages = ("Only consecutive 1-d tensor indices are supported in exporting aten::index_put to ONNX",)

    def check(self, write: IndexWrite, /) -> Iterator[Finding]:
        if write.form == "apart":
            subject, help = (
                f"{quoted(write)} has a slice between tensors as indices",
                "use `torch.where`, or transpose first",
            )
        else:
            subject, help = (
                f"{quoted(write)} writes one value through a mask of rows",
                "use `masked_fill` or `torch.where` with `mask[..., None]`",
            )
        yield self.at(write, subject, help=help)
