"""ONX512 args-not-a-tuple."""

from __future__ import annotations

from collections.abc import Iterator

from onnx_lint.rule import Finding, Rule
from onnx_lint.semantics.export_script import ExporterCall
from onnx_lint.source import ir
from onnx_lint.target import fails, measured

_FAILS = fails("gives the list to the first input")


class ArgsNotATuple(Rule[ExporterCall]):
    """Example inputs in a list instead of a tuple.

    ## Why it breaks export

    A tuple holds one value for each input. A list is taken for one input that is a list: torchscript hands it to the
    first parameter as it is, and dynamo stops with "Expecting `args` to be a tuple of example positional inputs".

    ## Example

    ```python
    class Model(nn.Module):
        def forward(self, x):
            return x + 1


    torch.onnx.export(
        Model().eval(), [torch.randn(3, 4)], "model.onnx", dynamo=True, dynamic_shapes=({0: "batch"},)
    )
    ```

    Use instead:

    ```python
    class Model(nn.Module):
        def forward(self, x):
            return x + 1


    torch.onnx.export(
        Model().eval(), (torch.randn(3, 4),), "model.onnx", dynamo=True, dynamic_shapes=({0: "batch"},)
    )
    ```

    ## References

    - PyTorch documentation, "torch.onnx.export": `args`
    """

    code = "ONX512"
    name = "args-not-a-tuple"
    effects = measured(torchscript=_FAILS, dynamo=fails("refuses a list"))
    messages = ("Expecting `args` to be a tuple of example positional inputs", "must be Tensor, not list")

    def check(self, call: ExporterCall, /) -> Iterator[Finding]:
        args = call.script.follow(call.get("args"))
        if isinstance(args, ir.Sequence) and args.kind == "list":
            yield self.at(call.at(args), "the example inputs are in a list", help="write a tuple: `(x,)`")
