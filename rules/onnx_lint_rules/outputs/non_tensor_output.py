"""ONX402 non-tensor-output."""

from __future__ import annotations

from collections.abc import Iterator

from onnx_lint.rule import Finding, Rule
from onnx_lint.semantics.domain.sites import Output
from onnx_lint.semantics.domain.values import Frozen
from onnx_lint.target import Verdict, measured

_VERDICTS = {
    # kind -> torchscript, dynamo
    "str": (Verdict.WARNS, Verdict.FAILS),
    "none": (Verdict.WARNS, Verdict.WARNS),
    "number": (Verdict.FAILS, Verdict.FAILS),
    "object": (Verdict.FAILS, Verdict.FAILS),
}
_TEXTS = {
    "str": "a str: torchscript drops it without a word, dynamo fails",
    "none": "None: both engines drop it, later outputs move up",
    "number": "a Python number: outputs must be tensors, both engines fail",
    "object": "an object that is no tensor: both engines fail",
}


class NonTensorOutput(Rule[Output]):
    """Something other than tensors returned by the model: a number, a str, `None`, an object.

    ## Why it breaks export

    Outputs of an ONNX model are tensors. A Python number stops torchscript with "output 1 of traced region did not have
    observable data dependence with trace inputs", an object with "Only tuples, lists and Variables are supported as JIT
    inputs/outputs", and dynamo with "'int' object has no attribute 'name'". A str is dropped by torchscript and fails
    under dynamo. `None` is dropped by both, so that later outputs move up. A size (`x.shape[0]`) is a live value of the
    graph and right.

    ## Example

    ```python
    def forward(self, x):
        return x + 1, 3
    ```

    Use instead:

    ```python
    def forward(self, x):
        return x + 1
    ```

    ## References

    - PyTorch documentation, "TorchScript-based ONNX Exporter": "Types"
    - pytorch/pytorch#42391
    """

    code = "ONX402"
    name = "non-tensor-output"
    verdicts = measured(torchscript=Verdict.FAILS, dynamo=Verdict.FAILS)

    def check(self, output: Output, /) -> Iterator[Finding]:
        if output.kind not in _VERDICTS:
            return
        torchscript, dynamo = _VERDICTS[output.kind]
        text = _TEXTS[output.kind]
        if isinstance(output.subject, Frozen):
            dynamo = Verdict.FINE
            text = "a Python number read from a tensor: outputs must be tensors, torchscript fails"
        verdicts = measured(torchscript=torchscript, dynamo=dynamo)
        help = "return tensors, or tuples and lists of them"
        yield self.at(output, f"{output.where} is {text}", verdicts=verdicts, help=help)
