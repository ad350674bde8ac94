"""ONX206 python-builtin."""

from __future__ import annotations

from collections.abc import Iterator

from onnx_lint.rule import Finding, Rule
from onnx_lint.semantics.domain.sites import Conversion
from onnx_lint.target import FINE, Effect, fails, measured, wrong
from onnx_lint_rules.wording import described, where_live

_KEPT = wrong("keeps the answer for the example input")
_FAILS = fails("fails to export it")
_DYNAMO: dict[tuple[str, bool], Effect] = {
    # function, depends on data
    ("min", False): FINE,
    ("min", True): FINE,
    ("max", False): FINE,
    ("max", True): FINE,
    ("sorted", False): _KEPT,
    ("sorted", True): _FAILS,
    ("in", False): _KEPT,
    ("in", True): _FAILS,
    ("sorted by key", False): _KEPT,
    ("sorted by key", True): _FAILS,
    ("min by key", False): _KEPT,
    ("min by key", True): _FAILS,
    ("max by key", False): _KEPT,
    ("max by key", True): _FAILS,
    ("repetition", False): _FAILS,
    ("repetition", True): _FAILS,
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
    effects = measured(torchscript=_KEPT, dynamo=FINE)

    def check(self, call: Conversion, /) -> Iterator[Finding]:
        dynamo = _DYNAMO.get((call.converter, call.depends_on_data))
        if dynamo is None:
            return
        effects = measured(torchscript=_KEPT, dynamo=dynamo)
        if call.converter == "repetition":
            subject = f"a list is repeated as often as {described(call.subject)} says"
            effects = measured(torchscript=wrong("keeps the example's count"), dynamo=dynamo)
            help = "use `expand` or `repeat` on a tensor"
        else:
            subject = f"`{call.converter.removesuffix(' by key')}` compares {described(call.subject)} in Python"
            help = (
                "use `torch.minimum`, `torch.maximum`, `clamp` or `torch.sort`"
                if call.depends_on_data
                else "slices stop at the end by themselves; compute with `clamp`, or keep the dimension fixed"
            )
        yield self.at(call, subject, effects=where_live(call.subject, effects), help=help)
