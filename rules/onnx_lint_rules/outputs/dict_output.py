"""ONX401 dict-output."""

from __future__ import annotations

from collections.abc import Iterator

from onnx_lint.rule import Finding, Rule
from onnx_lint.semantics.domain.sites import Output
from onnx_lint.target import measured, warns

_FLATTENED = warns("flattens it without its keys")


class DictOutput(Rule[Output]):
    """A dict returned by the model.

    ## Why it breaks export

    An ONNX model has a flat list of outputs. Both engines flatten a dict silently: the tensors are right, in the order
    of the dict, but the keys are lost unless you repeat them as `output_names`. Scripted models fail with "Couldn't
    export operator prim::DictConstruct".

    ## Example

    ```python
    def forward(self, x):
        return {"scores": x.softmax(-1), "logits": x}
    ```

    Use instead:

    ```python
    def forward(self, x):
        return x.softmax(-1), x
    ```

    ## References

    - PyTorch documentation, "TorchScript-based ONNX Exporter": "Types"
    - pytorch/pytorch#13040
    """

    code = "ONX401"
    name = "dict-output"
    effects = measured(torchscript=_FLATTENED, dynamo=_FLATTENED)
    messages = ("Only tuples, lists and Variables are supported as JIT inputs/outputs",)

    def check(self, output: Output, /) -> Iterator[Finding]:
        if output.kind == "dict":
            help = "return a tuple, or give `output_names` in the order of the dict"
            yield self.at(output, f"{output.where} is a dict", help=help)
