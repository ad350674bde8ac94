"""ONX604 fixed-to-example-size."""

from __future__ import annotations

from collections.abc import Iterator

from onnx_lint.rule import Finding, Rule
from onnx_lint.semantics.domain.sites import OperatorCall
from onnx_lint.target import Effect, Engine, fails, measured, wrong
from onnx_lint_rules.operators.known import depends_on_size, described, effects, entry_of
from onnx_lint_rules.operators.replacements import instead_of

_FAILS = fails("keeps the size of the example, so that another one fails")
_REFUSED = fails("fails to export it where that size is dynamic")
_WRONG = wrong("keeps the size of the example, so that another one is wrong")


class FixedToExampleSize(Rule[OperatorCall]):
    """An operator or module that is exported for the size of the example.

    ## Why it breaks export

    The example is right, another size fails or is wrong: inside these functions of torch a size is a Python number.
    `nn.MultiheadAttention` and all layers that contain one are exported by torchscript for the length of the example,
    and ONNX Runtime fails in a Reshape node for any other; another batch size is fine. Adaptive pooling to more than
    one element keeps the window of the example under dynamo.

    ## Example

    ```python
    def __init__(self):
        super().__init__()
        self.attention = nn.MultiheadAttention(4, 2, batch_first=True)

    def forward(self, x):
        return self.attention(x, x, x)[0]
    ```

    Use instead:

    ```python
    def __init__(self):
        super().__init__()
        self.project = nn.Linear(4, 12)

    def forward(self, x):
        q, k, v = self.project(x)[:, None].chunk(3, dim=-1)
        return F.scaled_dot_product_attention(q, k, v)[:, 0]
    ```

    ## References

    - pytorch/pytorch#99613
    - pytorch/pytorch#42653
    """

    code = "ONX604"
    name = "fixed-to-example-size"
    effects = measured(torchscript=_FAILS)
    messages = ("Non-zero status code returned while running Reshape node", "The input tensor cannot be reshaped")

    def check(self, call: OperatorCall, /) -> Iterator[Finding]:
        entry = entry_of(call)
        if entry is None:
            return
        wanted: dict[Engine, Effect | None] = {}
        for engine, outcome in entry.outcomes.items():
            harm = _WRONG if outcome.verdict != "fails" else _FAILS if outcome.stage.startswith("run") else _REFUSED
            wanted[engine] = harm if depends_on_size(outcome) else None
        help = instead_of(call.name)
        yield self.at(call, described(call), effects=effects(entry, wanted), help=help, by_size=True)
