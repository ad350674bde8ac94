"""ONX301 aliased-shape-change."""

from __future__ import annotations

from collections.abc import Iterator

from onnx_lint.diagnostic import Applicability, Edit, Fix
from onnx_lint.rule import Finding, Rule
from onnx_lint.semantics.certainty import Certainty
from onnx_lint.semantics.domain.sites import AliasedChange
from onnx_lint.source import ir
from onnx_lint.target import FINE, measured, wrong
from onnx_lint_rules.rewriting import Binding, Code


class AliasedShapeChange(Rule[AliasedChange]):
    """A size changed by `+=` or the like while another name holds it too.

    ## Why it breaks export

    In Python a size is an integer, and `n += 2` binds a new one. While torchscript traces, a size is a tensor, and
    `n += 2` changes it **in place**: every other name, list or shape that holds the same size changes with it. There is
    no warning, and the result is wrong even for the example input. Without a second name the statement is right. The
    dynamo engine is right in both cases.

    ## Example

    ```python
    def forward(self, x):
        rows = x.shape[0]
        padded = rows
        padded += 2
        return x + rows * 10 + padded
    ```

    Use instead:

    ```python
    def forward(self, x):
        rows = x.shape[0]
        padded = rows + 2
        return x + rows * 10 + padded
    ```

    ## References

    - PyTorch documentation, "TorchScript-based ONNX Exporter": "Avoid in-place operations when using tensor.shape"
    - pytorch/pytorch#56162
    """

    code = "ONX301"
    name = "aliased-shape-change"
    effects = measured(torchscript=wrong("silently changes both"), dynamo=FINE)

    def check(self, change: AliasedChange, /) -> Iterator[Finding]:
        subject = f"`{change.name} {change.operator}= …` changes a tensor of sizes"
        effects = measured(torchscript=wrong("silently changes it in place"), dynamo=FINE)
        if change.alias:
            subject = f"`{change.name} {change.operator}= …` changes a size that `{change.alias}` holds too"
            effects = self.effects
        plain = f"{change.name} = {change.name} {change.operator} …"
        yield self.at(change, subject, effects=effects, help=f"write `{plain}`", fix=_fix(change))


def _fix(change: AliasedChange) -> Fix | None:
    statement = change.node
    if not isinstance(statement, ir.AugAssign):
        return None
    old = change.text_of(statement)
    value = Code.of(change, statement.value).within(Binding.SIGN)
    text = f"{change.name} = {change.name} {change.operator} {value}"
    if old.count("#") > text.count("#"):
        return None  # a comment would go with what is replaced
    # a number is never changed in place: for it the two say the same, whatever stands behind
    certain = Certainty(change.unit, statement)
    is_number = isinstance(statement.target, ir.Name) and certain.is_number(statement.target)
    edit = Edit(change.span, text, old)
    return Fix("Bind a new value", Applicability.SAFE if is_number else Applicability.UNSAFE, (edit,))
