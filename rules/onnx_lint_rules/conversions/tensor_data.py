"""ONX205 tensor-data."""

from __future__ import annotations

from collections.abc import Iterator

from onnx_lint.diagnostic import Applicability, Fix
from onnx_lint.rule import Finding, Rule
from onnx_lint.semantics.domain.sites import AttributeRead
from onnx_lint.source import ir
from onnx_lint.source.enclosing import enclosing
from onnx_lint.target import fails, measured, wrong
from onnx_lint_rules.conversions.detached_read import is_only_read
from onnx_lint_rules.rewriting import other_attribute
from onnx_lint_rules.wording import quoted

_CONSTANT = wrong("silently makes it a constant")


class TensorData(Rule[AttributeRead]):
    """`.data` of a traced tensor.

    ## Why it breaks export

    `.data` hands out a tensor that the tracer does not follow: it is recorded as a constant, and the input that it came
    from can vanish from the model. There is **no** warning. The dynamo engine fails, in some models with a crash of the
    interpreter. `.detach()` does the same for the values and is recorded. (`torch.func.vmap` refuses `.data` with an
    error, and takes `.detach()`.)

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
        effects = measured(torchscript=_CONSTANT) if _is_asked_for_its_shape(read) else self.effects
        yield self.at(read, subject, effects=effects, help="use `.detach()`", fix=_fix(read))


def _is_asked_for_its_shape(read: AttributeRead) -> bool:
    """Whether no more is read of it than what every tensor says of itself, which dynamo follows."""
    around = enclosing(read.unit.chunk.lowered.body, read.node)
    outer = around[-1] if around else None
    return isinstance(outer, ir.Attribute) and outer.attr in ("shape", "size", "dtype", "device", "ndim", "dim")


def _fix(read: AttributeRead) -> Fix | None:
    if not isinstance(read.node, ir.Attribute):
        return None
    edit = other_attribute(read, read.node, "detach()")
    if edit is None:
        return None
    return Fix("Use `.detach()`", Applicability.SAFE if is_only_read(read) else Applicability.UNSAFE, (edit,))
