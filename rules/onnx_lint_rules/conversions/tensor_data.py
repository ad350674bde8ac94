"""ONX205 tensor-data."""

from __future__ import annotations

import re
from collections.abc import Iterator

from onnx_lint.diagnostic import Applicability, Edit, Fix
from onnx_lint.rule import Finding, Rule
from onnx_lint.semantics.domain.sites import AttributeRead
from onnx_lint.target import fails, measured, wrong
from onnx_lint_rules.wording import quoted

_WRITES = re.compile(r"\s*(?:\[[^\n]*\]\s*)?(?:[-+*/@&|^%]|//|\*\*|<<|>>)?=(?!=)|\s*(?:\[[^\n]*\]\s*)?\.\s*\w+_\s*\(")
"""What follows when the data are changed in place: an assignment, or a method whose name ends in an underscore."""

_CONSTANT = wrong("silently makes it a constant")


class TensorData(Rule[AttributeRead]):
    """`.data` of a traced tensor.

    ## Why it breaks export

    `.data` hands out a tensor that the tracer does not follow: it is recorded as a constant, and the input that it came
    from can vanish from the model. There is **no** warning. The dynamo engine fails, in some models with a crash of the
    interpreter. `.detach()` does the same for the values and is recorded.

    ## Example

    ```python
    def forward(self, x):
        return x.data * 2
    ```

    Use instead:

    ```python
    def forward(self, x):
        return x.detach() * 2
    ```

    ## References

    - PyTorch documentation, "TorchScript-based ONNX Exporter": "Avoid Tensor.data"
    - pytorch/pytorch#30987
    """

    code = "ONX205"
    name = "tensor-data"
    effects = measured(torchscript=_CONSTANT, dynamo=fails("fails to export it"))

    def check(self, read: AttributeRead, /) -> Iterator[Finding]:
        if read.attribute != "data":
            return
        subject = f"{quoted(read)} is not followed"
        yield self.at(read, subject, help="use `.detach()`", fix=_fix(read))


def _fix(read: AttributeRead) -> Fix | None:
    text = read.text_of(read.node)
    if not text.endswith("data"):
        return None
    source = read.unit.module.source
    end = source.offset(read.span.end_line, read.span.end_column)
    start = source.offset(read.span.line, read.span.column)
    line_before = re.split(r"[\r\n]", source.text[:start])[-1]
    behind = source.text[end : end + 400]
    # Autograd notices writes through `.detach()`, not those through `.data`: safe only where none can follow.
    named = line_before.rstrip().endswith("=") and re.match(r"[ \t]*(?:#|[\r\n;]|$)", behind) is not None
    written = _WRITES.match(behind) is not None or named
    edit = Edit(read.span, f"{text[: -len('data')]}detach()")
    return Fix("Use `.detach()`", Applicability.UNSAFE if written else Applicability.SAFE, (edit,))
