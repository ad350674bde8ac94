"""ONX712 random-operator."""

from __future__ import annotations

from collections.abc import Iterator

from onnx_lint.rule import Finding, Rule
from onnx_lint.semantics.domain.sites import OperatorCall
from onnx_lint.target import fails, measured, wrong
from onnx_lint_rules.state.drawing import as_read, augments, is_for_training, only_told
from onnx_lint_rules.wording import quoted

_RANDOM = wrong("draws other ones in each call")
_FAILS = fails("fails to export it")
_BOTH = measured(torchscript=_RANDOM, dynamo=_RANDOM)
_DRAWS = {
    **dict.fromkeys(
        ("rand", "randn", "randint", "rand_like", "randn_like", "randint_like", "bernoulli", "multinomial", "normal_",
         "uniform_", "bernoulli_"),
        _BOTH,
    ),
    "randperm": measured(torchscript=_FAILS, dynamo=_FAILS),
    "normal": measured(torchscript=_RANDOM, dynamo=_FAILS),
    "gumbel_softmax": measured(torchscript=_FAILS, dynamo=_RANDOM),
}  # fmt: skip
"""Functions and methods that draw, each measured (torch 2.13)."""


class RandomOperator(Rule[OperatorCall]):
    """A random tensor that is drawn in `forward`.

    ## Why it breaks export

    Random operators of ONNX draw other numbers than those of PyTorch, whatever the seed, so that the exported model
    cannot be compared with the eager one and two calls of it differ. Where Python reads the number, by `.item()` or in
    a condition, torchscript keeps the one that the export drew, and dynamo mostly stops. `torch.randperm` is exported
    by no engine, `F.gumbel_softmax` and others not by torchscript, `torch.normal` of a tensor not by dynamo.

    ## Example

    ```python
    def forward(self, x):
        return x + torch.randn_like(x)
    ```

    Use instead:

    ```python
    def forward(self, x, noise):
        return x + noise
    ```

    ## References

    - pytorch/pytorch#61208
    - pytorch/pytorch#112512
    """

    code = "ONX712"
    name = "random-operator"
    effects = measured(torchscript=_RANDOM, dynamo=_RANDOM)
    messages = ("Exporting the operator 'aten::exponential'", "Exporting the operator 'aten::randperm'")

    def check(self, call: OperatorCall, /) -> Iterator[Finding]:
        short = call.name.rpartition(".")[2]
        if short in _DRAWS and call.name.startswith("torch.") and not is_for_training(call):
            subject, effects = f"{quoted(call)} draws random numbers", as_read(call, _DRAWS[short])
            if augments(call):
                subject, effects = f"{subject} to augment data", only_told(effects)
            yield self.at(call, subject, effects=effects, help="take the noise as an input", by_size=True)
