"""ONX511 unknown-export-argument."""

from __future__ import annotations

from collections.abc import Iterator

from onnx_lint.rule import Finding, Rule
from onnx_lint.semantics.export_script import ExporterCall
from onnx_lint.target import fails, measured
from onnx_lint_rules.exporter_api import exporter_api

_REFUSED = fails("raises a `TypeError`")


class UnknownExportArgument(Rule[ExporterCall]):
    """An argument that `torch.onnx.export` does not take.

    ## Why it breaks export

    Arguments of older versions raise "export() got an unexpected keyword argument" with torch 2.13. The deprecated ones
    `training`, `operator_export_type`, `do_constant_folding`, `custom_opsets`, `export_modules_as_functions` and
    `autograd_inlining` are still taken, and dynamo ignores them.

    ## Example

    ```python
    class Model(nn.Module):
        def forward(self, x):
            return x + 1


    torch.onnx.export(
        Model().eval(), (torch.randn(3, 4),), "model.onnx", dynamo=False, use_external_data_format=True,
        input_names=["x"], dynamic_axes={"x": {0: "batch"}},
    )
    ```

    Use instead:

    ```python
    class Model(nn.Module):
        def forward(self, x):
            return x + 1


    torch.onnx.export(
        Model().eval(), (torch.randn(3, 4),), "model.onnx", dynamo=False,
        input_names=["x"], dynamic_axes={"x": {0: "batch"}},
    )
    ```

    ## References

    - PyTorch documentation, "torch.onnx.export"
    """

    code = "ONX511"
    name = "unknown-export-argument"
    effects = measured(torchscript=_REFUSED, dynamo=_REFUSED)
    messages = ("export() got an unexpected keyword argument",)

    def check(self, call: ExporterCall, /) -> Iterator[Finding]:
        api = exporter_api()
        if call.is_versioned:
            return
        for name, value in call.arguments.items():
            if name not in api.parameters:
                help = api.removed_parameters.get(name, "leave it out")
                yield self.at(call.at(value), f"`torch.onnx.export` takes no argument `{name}`", help=help)
