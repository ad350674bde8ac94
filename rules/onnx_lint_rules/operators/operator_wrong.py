"""ONX603 operator-wrong."""

from __future__ import annotations

from collections.abc import Iterator

from onnx_lint.rule import Finding, Rule
from onnx_lint.semantics.domain.sites import OperatorCall
from onnx_lint.semantics.domain.values import Const
from onnx_lint.target import measured, wrong
from onnx_lint_rules.operators.distinct import cannot_repeat
from onnx_lint_rules.operators.known import described, effects, entry_of, is_wrong
from onnx_lint_rules.operators.replacements import instead_of
from onnx_lint_rules.wording import quoted

_WRONG = wrong("silently computes something else")
_SWAPPED = measured(torchscript=wrong("silently swaps its axes"))
_REPEATS = wrong("silently keeps one value where an index is repeated")


class OperatorWrong(Rule[OperatorCall]):
    """An operator that an engine exports wrong, for the example input already.

    ## Why it breaks export

    The export succeeds without a warning, and ONNX Runtime computes something else than PyTorch: with `index_add`,
    torchscript keeps one of several values for the same index instead of their sum. Indices that cannot repeat, such as
    those of `argsort`, `topk` or `torch.where` of one dimension, are right. `unfold` with a dimension that is counted
    from the end has its axes swapped by torchscript. What the rule knows was found by running operators and modules of
    torch, in everyday forms, through both engines and ONNX Runtime.

    ## Example

    ```python
    def forward(self, x):
        index = x.argmax(1)
        return torch.zeros(4, 4).index_add(0, index, x)
    ```

    Use instead:

    ```python
    def forward(self, x):
        index = x.argmax(1)
        return F.one_hot(index, 4).to(x.dtype).T @ x
    ```

    ## References

    - PyTorch documentation, "torch.index_add"
    """

    code = "ONX603"
    name = "operator-wrong"
    effects = measured(torchscript=_REPEATS)
    messages = ()

    def check(self, call: OperatorCall, /) -> Iterator[Finding]:
        if call.name == "torch.Tensor.unfold":
            number = call.given(1, "dimension")
            if isinstance(number, Const) and isinstance(number.value, int) and number.value < 0:
                said = f"{quoted(call)} counts the dimension from the end"
                yield self.at(
                    call, said, effects=_SWAPPED, help="count it from the start, or stack slices", by_size=False
                )
            return
        entry = entry_of(call)
        if entry is not None and not (_takes_index(call) and cannot_repeat(call)):
            repeats = _takes_index(call)
            harm = _REPEATS if repeats else _WRONG
            wanted = {engine: harm if is_wrong(outcome) else None for engine, outcome in entry.outcomes.items()}
            if held := effects(entry, wanted):
                help = instead_of(call.name)
                yield self.at(call, described(call), effects=held, help=help, by_size=repeats or None)


def _takes_index(call: OperatorCall) -> bool:
    return "index_add" in call.name or "index_put" in call.name
