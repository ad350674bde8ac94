# ruff: noqa: RUF012
"""E6–E8, P15, P16: operators of one's own, with and without a translation."""

import onnxscript
import torch
from onnxscript import opset20 as op
from torch import nn, randn


def one():
    return [(randn(4, 6),), (randn(4, 6),)]


@torch.library.custom_op("onnx_lint_corpus::twice_plus", mutates_args=())
def twice_plus(x: torch.Tensor, bias: float) -> torch.Tensor:
    return x * 2 + bias


@twice_plus.register_fake
def _(x, bias):
    return torch.empty_like(x)


@torch.library.custom_op("onnx_lint_corpus::unknown", mutates_args=())
def unknown(x: torch.Tensor) -> torch.Tensor:
    return x * 3


@unknown.register_fake
def _(x):
    return torch.empty_like(x)


def symbolic_twice_plus(g, x, bias):
    two = g.op("Constant", value_t=torch.tensor(2.0))
    return g.op("Add", g.op("Mul", x, two), bias)


torch.onnx.register_custom_op_symbolic("onnx_lint_corpus::twice_plus", symbolic_twice_plus, 9)

SELU = onnxscript.values.Opset("onnx_lint_corpus.script", 1)


@onnxscript.script(SELU)
def Selu(x):
    alpha = 1.67326
    gamma = 1.0507
    positive = op.Max(x, op.CastLike(op.Constant(value_float=0.0), x))
    negative = op.Min(x, op.CastLike(op.Constant(value_float=0.0), x))
    return gamma * (positive + alpha * (op.Exp(negative) - 1.0))


def symbolic_selu(g, x):
    return g.onnxscript_op(Selu, x).setType(x.type())


torch.onnx.register_custom_op_symbolic("aten::selu", symbolic_selu, 9)


@torch.onnx.symbolic_helper.parse_args("v", "f", "f", "f")
def symbolic_elu(g, x, alpha, scale, input_scale):
    """CELU is ELU for an alpha of 1, and another operator than torch's own translation."""
    return g.op("Celu", x, alpha_f=alpha)


torch.onnx.register_custom_op_symbolic("aten::elu", symbolic_elu, 9)


def symbolic_erf(g, x):
    return g.op("onnx_lint_corpus.mine::MyErf", x).setType(x.type())


torch.onnx.register_custom_op_symbolic("aten::erf", symbolic_erf, 9)
custom_opsets = {"onnx_lint_corpus.mine": 3}


def dynamo_twice_plus(x, bias: float):
    return op.Add(op.Mul(x, op.Constant(value_float=2.0)), op.Constant(value_float=bias))


def dynamo_selu(x):
    """A plain function with the body of the script: dynamo cannot inline an ``onnxscript.script`` function."""
    zero = op.Constant(value_float=0.0)
    negative = op.Sub(op.Exp(op.Min(x, zero)), op.Constant(value_float=1.0))
    scaled = op.Mul(op.Constant(value_float=1.67326), negative)
    return op.Mul(op.Constant(value_float=1.0507), op.Add(op.Max(x, zero), scaled))


custom_translation_table = {
    torch.ops.onnx_lint_corpus.twice_plus.default: dynamo_twice_plus,
    torch.ops.aten.selu.default: dynamo_selu,
}


class CustomOperator(nn.Module):
    """Registered for both engines, in the module of the target itself."""

    result = {"torchscript": "right", "dynamo": "right"}
    inputs = staticmethod(one)

    def forward(self, x):
        return torch.ops.onnx_lint_corpus.twice_plus(torch.relu(x), 0.5)


class UnknownOperator(nn.Module):
    result = {"torchscript": "error translate", "dynamo": "error translate"}
    inputs = staticmethod(one)

    def forward(self, x):
        y = torch.relu(x)
        return torch.ops.onnx_lint_corpus.unknown(y)  # torchscript: ONX903 dynamo: ONX903


class ScriptedSelu(nn.Module):
    """torchscript takes the onnxscript function, whose opset must be the model's; dynamo a plain one."""

    result = {"torchscript": "right", "dynamo": "right"}
    inputs = staticmethod(one)

    def forward(self, x):
        return torch.selu(x)


class OwnElu(nn.Module):
    result = {"torchscript": "right", "dynamo": "right"}
    inputs = staticmethod(one)

    def forward(self, x):
        return torch.nn.functional.elu(x)


class OwnDomain(nn.Module):
    """An operator that ONNX Runtime does not have: exported, and not compared."""

    result = {"torchscript": "not run", "dynamo": "right"}
    inputs = staticmethod(one)

    def forward(self, x):
        return torch.erf(torch.relu(x))


class OwnDomainSymbolic(nn.Module):
    """dynamo's way to it; torchscript knows nothing of the operator."""

    result = {"torchscript": "error capture", "dynamo": "not run"}
    inputs = staticmethod(one)

    def forward(self, x):
        y = torch.relu(x)
        return torch.onnx.ops.symbolic(  # torchscript: ONX902
            "onnx_lint_corpus.mine::MyErf", (y,), dtype=y.dtype, shape=y.shape, version=3
        )
