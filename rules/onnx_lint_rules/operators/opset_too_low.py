"""ONX602 opset-too-low."""

from __future__ import annotations

from collections.abc import Iterator

from onnx_lint.rule import Finding, Rule
from onnx_lint.semantics.domain.sites import OperatorCall
from onnx_lint.target import fails, measured
from onnx_lint_rules.operators.known import described, entry_of

_FAILS = fails("fails to export it at a lower one")


class OpsetTooLow(Rule[OperatorCall]):
    """An operator or module that needs a higher opset than the export asks for.

    ## Why it breaks export

    Operators came to ONNX one by one: `grid_sample` with opset 16, `unflatten` with 13, attention with 14. Torchscript
    stops with "Exporting the operator 'aten::grid_sampler' to ONNX opset version 11 is not supported. Support for this
    operator was added in version 16", or, for `scatter_add`, writes a model that is wrong. The opset is that of
    `--opset`, of the configuration, or of the export call for the model; old scripts often ask for 11. The dynamo
    engine builds opset 18 and converts the model down.

    ## Example

    ```python
    class Model(nn.Module):
        def forward(self, x):
            grid = x[:, :2].permute(0, 2, 3, 1).tanh()
            return F.grid_sample(x, grid, align_corners=False)


    torch.onnx.export(
        Model().eval(), (torch.randn(2, 4, 8, 6),), "model.onnx", dynamo=False, opset_version=11,
        input_names=["x"], dynamic_axes={"x": {0: "batch"}},
    )
    ```

    Use instead:

    ```python
    class Model(nn.Module):
        def forward(self, x):
            grid = x[:, :2].permute(0, 2, 3, 1).tanh()
            return F.grid_sample(x, grid, align_corners=False)


    torch.onnx.export(
        Model().eval(), (torch.randn(2, 4, 8, 6),), "model.onnx", dynamo=False, opset_version=17,
        input_names=["x"], dynamic_axes={"x": {0: "batch"}},
    )
    ```

    ## References

    - pytorch/pytorch#27212
    - pytorch/pytorch#124716
    """

    code = "ONX602"
    name = "opset-too-low"
    effects = measured(torchscript=_FAILS)
    messages = ("Support for this operator was added in version", "to ONNX opset version")

    def check(self, call: OperatorCall, /) -> Iterator[Finding]:
        entry = entry_of(call)
        if entry is not None and entry.lowest is not None:
            subject, help = (
                f"{described(call)} needs opset {entry.lowest}",
                f"export with `opset_version={entry.lowest}` or later",
            )
            yield self.at(call, subject, help=help, needs_opset=entry.lowest)
