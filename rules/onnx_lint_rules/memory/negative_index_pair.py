"""ONX803 negative-index-pair."""

from __future__ import annotations

from collections.abc import Iterator

from onnx_lint.rule import Finding, Rule
from onnx_lint.semantics.domain.sites import IndexRead
from onnx_lint.target import measured, wrong
from onnx_lint_rules.wording import quoted


class NegativeIndexPair(Rule[IndexRead]):
    """A tensor read by several lists of indices of which one holds negative numbers.

    ## Why it breaks export

    PyTorch counts negative indices from the end. Torchscript makes one number of the indices of all dimensions, and
    does not look whether they are negative: the exported model reads other elements, for the example already, and
    nothing warns about it. One list alone is right, and the dynamo engine is right with all of them. What an index
    *tensor* holds is data that no linter knows.

    ## Example

    ```python
    def forward(self, x):
        return x[[0, -1], [-1, 0]]
    ```

    Use instead:

    ```python
    def forward(self, x):
        return torch.stack((x[0, -1], x[-1, 0]))
    ```

    ## References

    - PyTorch documentation, "TorchScript-based ONNX Exporter": "Indexing", "Reads / Gets"
    - pytorch/pytorch#85127
    """

    code = "ONX803"
    name = "negative-index-pair"
    effects = measured(torchscript=wrong("silently reads other elements"))
    messages = ()

    def check(self, read: IndexRead, /) -> Iterator[Finding]:
        subject = f"{quoted(read)} has several lists of indices, with negative ones"
        yield self.at(read, subject, help="count from the start, or read one element after the other", by_size=False)
