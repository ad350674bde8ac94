"""ONX402 non-tensor-output."""

from __future__ import annotations

from collections.abc import Iterator

from onnx_lint.rule import Finding, Rule
from onnx_lint.semantics.domain.sites import Output
from onnx_lint.semantics.domain.values import Frozen
from onnx_lint.target import FINE, fails, measured, warns

_FAILS = fails("fails, since outputs must be tensors")
_DROPPED = warns("drops it, so that later outputs move up")
_KINDS = {
    "str": ("a str", measured(torchscript=warns("drops it silently"), dynamo=_FAILS)),
    "none": ("None", measured(torchscript=_DROPPED, dynamo=_DROPPED)),
    "number": ("a Python number", measured(torchscript=_FAILS, dynamo=_FAILS)),
    "object": ("an object that is not a tensor", measured(torchscript=_FAILS, dynamo=_FAILS)),
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
    effects = measured(torchscript=_FAILS, dynamo=_FAILS)
    messages = (
        "did not have observable data dependence with trace inputs",
        "Only tuples, lists and Variables are supported as JIT inputs/outputs",
        "'int' object has no attribute 'name'",
    )

    def check(self, output: Output, /) -> Iterator[Finding]:
        if output.kind not in _KINDS:
            return
        what, effects = _KINDS[output.kind]
        if isinstance(output.subject, Frozen):  # dynamo follows it
            what, effects = f"{what} read from a tensor", measured(torchscript=_FAILS, dynamo=FINE)
        help = "return tensors, or tuples and lists of them"
        yield self.at(output, f"{output.where} is {what}", effects=effects, help=help)
