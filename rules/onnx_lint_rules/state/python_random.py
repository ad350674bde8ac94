"""ONX713 python-random."""

from __future__ import annotations

from collections.abc import Iterator

from onnx_lint.rule import Finding, Rule
from onnx_lint.semantics.domain.sites import OperatorCall
from onnx_lint.target import measured, wrong
from onnx_lint_rules.state.drawing import augments, is_for_training, only_told
from onnx_lint_rules.wording import quoted

_KEPT = wrong("silently keeps the number that the export drew")


class PythonRandom(Rule[OperatorCall]):
    """A random number of Python or NumPy that is drawn in `forward`.

    ## Why it breaks export

    The number is drawn once, when the model is exported, and is a constant of the graph. Both engines are silent.

    ## Example

    ```python
    def forward(self, x):
        return x * float(np.random.rand())
    ```

    Use instead:

    ```python
    def forward(self, x, scale):
        return x * scale
    ```

    ## References

    - PyTorch documentation, "TorchScript-based ONNX Exporter": "Avoid NumPy and built-in Python operators"
    """

    code = "ONX713"
    name = "python-random"
    effects = measured(torchscript=_KEPT, dynamo=_KEPT)
    messages = ()

    def check(self, call: OperatorCall, /) -> Iterator[Finding]:
        is_drawn = call.name.startswith(("random.", "numpy.random.")) and not call.name.endswith("seed")
        if is_drawn and not is_for_training(call):
            subject, effects = f"{quoted(call)} is drawn by Python", self.effects
            if augments(call):
                subject, effects = f"{subject} to augment data", only_told(effects)
            help = "take it as an input, or draw it with torch"
            yield self.at(call, subject, effects=effects, help=help)
