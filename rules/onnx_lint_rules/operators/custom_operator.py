"""ONX606 custom-operator."""

from __future__ import annotations

from collections.abc import Iterator

from onnx_lint.rule import Finding, Rule
from onnx_lint.semantics.domain.sites import OperatorCall
from onnx_lint.target import fails, measured
from onnx_lint_rules.wording import quoted

_FAILS = fails("fails to export it")
_REGISTRATIONS = ("register_custom_op_symbolic", "custom_translation_table")


class CustomOperator(Rule[OperatorCall]):
    """A custom operator, made with `torch.library.custom_op` or called by `torch.ops`, that no engine can translate.

    ## Why it breaks export

    The engines know the operators of torch. Of another one torchscript says "ONNX export failed on an operator with
    unrecognized namespace", unless `torch.onnx.register_custom_op_symbolic` has told it what to write; the dynamo
    engine says "No ONNX function found for", unless the export is given a `custom_translation_table`. Only an operator
    that is registered as made of others (`CompositeImplicitAutograd`) is taken apart by dynamo. A plain function, or a
    `torch.autograd.Function`, is followed by both engines.

    ## Example

    ```python
    @torch.library.custom_op("example::twice", mutates_args=())
    def twice(x: torch.Tensor) -> torch.Tensor:
        return x * 2

    @twice.register_fake
    def _(x):
        return torch.empty_like(x)

    class Model(nn.Module):
        def forward(self, x):
            return twice(x)
    ```

    Use instead:

    ```python
    def twice(x: torch.Tensor) -> torch.Tensor:
        return x * 2

    class Model(nn.Module):
        def forward(self, x):
            return twice(x)
    ```

    ## References

    - PyTorch documentation, "TorchScript-based ONNX Exporter": "Custom operators"
    - PyTorch documentation, "torch.onnx.export": `custom_translation_table`
    """

    code = "ONX606"
    name = "custom-operator"
    effects = measured(torchscript=_FAILS, dynamo=_FAILS)
    messages = ("ONNX export failed on an operator with unrecognized namespace", "No ONNX function found for")

    def check(self, call: OperatorCall, /) -> Iterator[Finding]:
        if call.name != "torch.library.custom_op" and not call.name.startswith("torch.ops."):
            return
        if not any(call.unit.module.mentions(words) for words in _REGISTRATIONS):
            subject = f"{quoted(call)} calls a custom operator"
            help = (
                "call a plain function while exporting, or give the export a translation of the operator: "
                "`register_custom_op_symbolic` or `custom_translation_table`"
            )
            yield self.at(call, subject, help=help, by_size=False)
