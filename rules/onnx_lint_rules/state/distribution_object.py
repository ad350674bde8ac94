"""ONX714 distribution-object."""

from __future__ import annotations

from collections.abc import Iterator

from onnx_lint.rule import Finding, Rule
from onnx_lint.semantics.domain.sites import OperatorCall
from onnx_lint.semantics.domain.values import Const
from onnx_lint.target import fails, measured, warns
from onnx_lint_rules.state.drawing import of_augmentation


class DistributionObject(Rule[OperatorCall]):
    """A distribution of `torch.distributions` made in `forward`.

    ## Why it breaks export

    Its constructor checks the values of its parameters, in Python: dynamo stops at that branch with "Could not guard on
    data-dependent expression". With `validate_args=False` it exports. The torchscript engine warns "Converting a tensor
    to a Python boolean" and drops the check.

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
    effects = measured(
        torchscript=warns("drops the check of its parameters"), dynamo=fails("fails at the check of its parameters")
    )
    messages = ("Could not guard on data-dependent expression",)

    def check(self, call: OperatorCall, /) -> Iterator[Finding]:
        short = call.name.removeprefix("torch.distributions.").rpartition(".")[2]
        if not call.name.startswith("torch.distributions.") or not short[:1].isupper():
            return
        if not isinstance(call.args.keyword.get("validate_args"), Const):
            subject, effects = f"`{short}` checks the values of its parameters", of_augmentation(call, self.effects)
            yield self.at(call, subject, effects=effects, help="give `validate_args=False`")
