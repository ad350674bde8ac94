"""ONX206 python-builtin."""

from __future__ import annotations

from collections.abc import Iterator

from onnx_lint.rule import Finding, Rule
from onnx_lint.semantics.domain.sites import Conversion
from onnx_lint.target import Engine, Verdict, measured
from onnx_lint_rules.wording import described

_DYNAMO = {
    # (function, depends on data) -> verdict
    ("min", False): Verdict.FINE,
    ("min", True): Verdict.FINE,
    ("max", False): Verdict.FINE,
    ("max", True): Verdict.FINE,
    ("sorted", False): Verdict.SILENTLY_WRONG,
    ("sorted", True): Verdict.FAILS,
    ("in", False): Verdict.SILENTLY_WRONG,
    ("in", True): Verdict.FAILS,
    ("sorted by key", False): Verdict.SILENTLY_WRONG,
    ("sorted by key", True): Verdict.FAILS,
    ("min by key", False): Verdict.SILENTLY_WRONG,
    ("min by key", True): Verdict.FAILS,
    ("max by key", False): Verdict.SILENTLY_WRONG,
    ("max by key", True): Verdict.FAILS,
    ("repetition", False): Verdict.FAILS,
    ("repetition", True): Verdict.FAILS,
}


class PythonBuiltin(Rule[Conversion]):
    """A Python built-in that compares traced values or counts with them: `min`, `max`, `sorted`, `in`, `[x] * n`.

    ## Why it breaks export

    `min(n, 4)` compares and keeps one of its arguments: the exported model keeps the choice that was right for the
    example ("Converting a tensor to a Python boolean might cause the trace to be incorrect"). The dynamo engine follows
    `min` and `max`, but `sorted` and `in` compare one by one, and keep the example's answer. `[x] * n` repeats as often
    as the example says. `sum`, `any` and `all` of a tensor iterate over it: see `loop-over-tensor`.

    ## Example

    ```python
    def forward(self, x):
        rows = min(x.shape[0], 4)
        return x[:rows]
    ```

    Use instead:

    ```python
    def forward(self, x):
        return x[:4]
    ```

    ## References

    - PyTorch documentation, "TorchScript-based ONNX Exporter": "Avoid Python Built-in Types"
    """

    code = "ONX206"
    name = "python-builtin"
    verdicts = measured(torchscript=Verdict.SILENTLY_WRONG, dynamo=Verdict.FINE)

    def check(self, call: Conversion, /) -> Iterator[Finding]:
        data = call.depends_on_data
        verdict = _DYNAMO.get((call.converter, data))
        if verdict is None:
            return
        verdicts = {**self.verdicts, Engine.DYNAMO: verdict}
        if call.converter == "repetition":
            message = f"a list is repeated as often as {described(call.subject)} says for the example"
            help = "use `expand` or `repeat` on a tensor"
        else:
            seen = f"`{call.converter.removesuffix(' by key')}` compares {described(call.subject)} in Python"
            message = f"{seen}: the answer for the example is kept"
            help = (
                "use `torch.minimum`, `torch.maximum`, `clamp` or `torch.sort`"
                if data
                else "slices stop at the end by themselves; compute with `clamp`, or keep the dimension fixed"
            )
        yield self.at(call, message, verdicts=verdicts, help=help)
