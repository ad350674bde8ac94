"""ONX711 active-dropout."""

from __future__ import annotations

from collections.abc import Iterator

from onnx_lint.rule import Finding, Rule
from onnx_lint.semantics.domain.sites import OperatorCall
from onnx_lint.semantics.domain.values import Const
from onnx_lint.target import measured, wrong
from onnx_lint_rules.state.dropouts import KNOWN
from onnx_lint_rules.wording import quoted

_RANDOM = wrong("draws at random in each call")


class ActiveDropout(Rule[OperatorCall]):
    """Dropout that does not ask whether the model is training.

    ## Why it breaks export

    `F.dropout(x)` drops values unless `training=False` is given, `eval()` does not change that, and `dropout_p` of
    `F.scaled_dot_product_attention` is applied always. The exported model is random: outputs differ from call to call
    and from those of a model in evaluation mode.

    ## Example

    ```python
    def forward(self, x):
        return F.dropout(x, 0.5)
    ```

    Use instead:

    ```python
    def forward(self, x):
        return F.dropout(x, 0.5, training=self.training)
    ```

    ## References

    - pytorch/pytorch#41231
    - microsoft/onnxruntime#4589
    """

    code = "ONX711"
    name = "active-dropout"
    effects = measured(torchscript=_RANDOM, dynamo=_RANDOM)
    messages = ()

    def check(self, call: OperatorCall, /) -> Iterator[Finding]:
        known = KNOWN.get(call.name)
        if known is None or call.args.star is not None or call.args.double_star is not None:
            return
        chance = call.given(known.chance, known.chance_name) or Const(known.default_chance)
        switch = None if known.switch is None else call.given(known.switch, known.switch_name)
        is_active = switch.value is True if isinstance(switch, Const) else switch is None
        if is_active and isinstance(chance, Const) and isinstance(chance.value, (int, float)) and chance.value > 0:
            yield self.at(call, f"{quoted(call)} is active in evaluation mode too", help=known.help)
