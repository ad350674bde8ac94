"""ONX401 dict-output."""

from __future__ import annotations

from collections.abc import Iterator

from onnx_lint.rule import Finding, Rule
from onnx_lint.semantics.domain.sites import Output
from onnx_lint.target import Verdict, measured


class DictOutput(Rule[Output]):
    """A dict returned by the model.

    ## Why it breaks export

    An ONNX model has a flat list of outputs. Both engines flatten a dict without a word: the tensors are right, in the
    order of the dict, but the keys are lost unless you repeat them as `output_names`. Scripted models fail with
    "Couldn't export operator prim::DictConstruct".

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
    verdicts = measured(torchscript=Verdict.WARNS, dynamo=Verdict.WARNS)

    def check(self, output: Output, /) -> Iterator[Finding]:
        if output.kind == "dict":
            message = f"{output.where} is a dict: both engines flatten it, the keys are lost"
            yield self.at(output, message, help="return a tuple, or give `output_names` in the order of the dict")
