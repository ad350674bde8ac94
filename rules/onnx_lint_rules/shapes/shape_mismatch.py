"""ONX302 shape-mismatch."""

from __future__ import annotations

from collections.abc import Iterator

from onnx_lint.rule import Finding, Rule
from onnx_lint.semantics.domain.sites import ShapeConflict
from onnx_lint.target import fails, measured
from onnx_lint_rules.wording import quoted

_RAISES = fails("stops there")


class ShapeMismatch(Rule[ShapeConflict]):
    """An operator that is given sizes that never fit.

    ## Why it breaks export

    PyTorch itself raises here, for every input, so that no engine gets further: "mat1 and mat2 shapes cannot be
    multiplied", "Given groups=1, weight of size …, expected input to have …", "The size of tensor a must match the size
    of tensor b", "shape … is invalid for input of size …". It is said where the sizes are numbers and every way by
    which the model comes there disagrees: sizes that are not known fit.

    ## Example

    ```python
    def __init__(self):
        super().__init__()
        self.features = nn.Conv2d(3, 32, 3)
        self.classify = nn.Linear(64, 4)

    def forward(self, x):
        return self.classify(self.features(x).mean((2, 3)))
    ```

    Use instead:

    ```python
    def __init__(self):
        super().__init__()
        self.features = nn.Conv2d(3, 32, 3)
        self.classify = nn.Linear(32, 4)

    def forward(self, x):
        return self.classify(self.features(x).mean((2, 3)))
    ```

    ## References

    - PyTorch documentation, "torch.nn.Linear": "Shape"
    """

    code = "ONX302"
    name = "shape-mismatch"
    preview = True
    effects = measured(torchscript=_RAISES, dynamo=_RAISES)
    messages = (
        "mat1 and mat2 shapes cannot be multiplied",
        "must match the size of tensor b",
        "is invalid for input of size",
    )

    def check(self, conflict: ShapeConflict, /) -> Iterator[Finding]:
        subject = f"{quoted(conflict)} raises, {conflict.reason}"
        help = "correct one of the two sizes: the model does not run in PyTorch either"
        yield self.at(conflict, subject, help=help, by_size=False)
