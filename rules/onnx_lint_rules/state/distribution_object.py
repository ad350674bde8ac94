"""ONX714 distribution-object."""

from __future__ import annotations

from collections.abc import Iterator

from onnx_lint.rule import Finding, Rule
from onnx_lint.semantics.domain.sites import OperatorCall
from onnx_lint.semantics.domain.values import Const
from onnx_lint.source import ir
from onnx_lint.source.block_text import BlockText
from onnx_lint.source.enclosing import enclosing
from onnx_lint.target import fails, measured, warns, wrong
from onnx_lint_rules.state.drawing import augments, only_told

_SAMPLES = ("sample", "rsample", "sample_n")
_DRAWS = wrong("drops the check, and draws other numbers in each call")
_FAILS = fails("fails at the check of its parameters")


class DistributionObject(Rule[OperatorCall]):
    """A distribution of `torch.distributions` made in `forward`.

    ## Why it breaks export

    Its constructor checks the values of its parameters, in Python: dynamo stops at that branch with "Could not guard on
    data-dependent expression". With `validate_args=False` it exports. The torchscript engine warns "Converting a tensor
    to a Python boolean" and drops the check; a sample is drawn anew in each call of the exported model.

    ## Example

    ```python
    def forward(self, x):
        return torch.distributions.Normal(x, 1.0).log_prob(x + 1)
    ```

    Use instead:

    ```python
    def forward(self, x):
        return -((x + 1 - x) ** 2) / 2 - math.log(math.sqrt(2 * math.pi))
    ```

    ## References

    - PyTorch documentation, "torch.distributions"
    """

    code = "ONX714"
    name = "distribution-object"
    effects = measured(torchscript=warns("drops the check of its parameters"), dynamo=_FAILS)
    messages = ("Could not guard on data-dependent expression",)

    def check(self, call: OperatorCall, /) -> Iterator[Finding]:
        short = call.name.removeprefix("torch.distributions.").rpartition(".")[2]
        if not call.name.startswith("torch.distributions.") or not short[:1].isupper():
            return
        if not isinstance(call.args.keyword.get("validate_args"), Const):
            subject = f"`{short}` checks the values of its parameters"
            effects = measured(torchscript=_DRAWS, dynamo=_FAILS) if _is_drawn_from(call) else self.effects
            yield self.at(
                call,
                subject,
                effects=only_told(effects) if augments(call) else effects,
                help="give `validate_args=False`",
            )


def _is_drawn_from(call: OperatorCall) -> bool:
    """Whether what is made is asked for a sample: at once, or under the name that it gets."""
    body = call.unit.chunk.lowered.body
    around = enclosing(body, call.node)
    made = around[-1] if around else None
    if isinstance(made, ir.Attribute):
        return made.attr in _SAMPLES
    if not isinstance(made, ir.Assign) or not isinstance(name := made.targets[0], ir.Name):
        return False
    return any((name.id, sample) in BlockText.of(body).members for sample in _SAMPLES)
