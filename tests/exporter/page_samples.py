"""What the page of the TorchScript-based exporter shows, in models of our own: one file each, as a reader would run it.

On a line that must be told stands ``# engine: CODE``. `Sample.torchscript` and `Sample.dynamo` are what a run gives:
*right* on all inputs, *wrong* or *fails* on one, *error* when the export itself fails, *not run*, *random*.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Sample:
    """One sample of the page. `source` defines `Net`; `says` are words that stand in some message or help."""

    name: str
    source: str
    inputs: tuple[str, ...]
    torchscript: str
    dynamo: str
    says: tuple[str, ...] = ()
    status: int = 1


_HEAD = "import numpy as np\nimport torch\nfrom torch import nn\n\n\n"


def _net(parameters: str, *body: str) -> str:
    lines = "".join(f"        {line}\n" for line in body)
    return f"{_HEAD}class Net(nn.Module):\n    def forward(self, {parameters}):\n{lines}"


_X = ("x:float32[n,3]",)
_XY = ("x:float32[2,3]", "y:float32[2,3]")
_APART = ("x:float32[5,4,5]", "i:int64[3]=0..4", "j:int64[3]=0..4", "v:float32[3,4]")
_PAIR = ("x:float32[5,5,4]", "i:int64[3]=0..4")

SAMPLES = (
    Sample(
        "numpy",
        _net(
            "x, y",
            "first = x.numpy()  # torchscript: ONX204",
            "second = y.numpy()  # torchscript: ONX204",
            "both = np.concatenate((first, second))",
            "return torch.from_numpy(both)  # torchscript: ONX204",
        ),
        _XY,
        "wrong",
        "right",
        ("stay in torch", "The dynamo engine exports this right"),
    ),
    Sample("torch-instead", _net("x, y", "return torch.cat((x, y))"), _XY, "right", "right", status=0),
    Sample(
        "numpy-random",
        _net(
            "x",
            "noise = np.random.rand(3)  # both: ONX713",
            "return x + torch.from_numpy(noise).float()  # torchscript: ONX212",
        ),
        _X,
        "random",
        "random",
        ("the results cannot be compared", "draw it with torch"),
    ),
    Sample(
        "item",
        _net("x, k", "return x.reshape(k.item(), -1)  # torchscript: ONX202"),
        ("x:float32[12,6]", "k:int64[]=1..4"),
        "wrong",
        "right",
        ("leave `.item()` out",),
    ),
    Sample(
        "tensor-as-size",
        _net("x, k", "return x.reshape(k, -1)"),
        ("x:float32[12,6]", "k:int64[]=1..4"),
        "right",
        "right",
        status=0,
    ),
    Sample("data", _net("x", "return x.data * 2  # both: ONX205"), _X, "wrong", "error", ("use `.detach()`",)),
    Sample("detach", _net("x", "return x.detach() * 2"), _X, "right", "right", status=0),
    Sample(
        "size-in-place",
        _net(
            "x",
            "sizes = torch.tensor(x.shape)  # torchscript: ONX209",
            "sizes += 2  # torchscript: ONX301",
            "return sizes",
        ),
        _X,
        "wrong",
        "right",
        ("write `sizes = sizes + …`",),
    ),
    Sample("size-new", _net("x", "n = x.shape[0]", "n = n + 2", "return x.sum() * n"), _X, "right", "right", status=0),
    Sample(
        "dict-output",
        _net("x", 'return {"double": x * 2, "half": x / 2}  # both: ONX401'),
        _X,
        "right",
        "right",
        ("return a tuple",),
        status=0,
    ),
    Sample("nested-output", _net("x", "return x, [x + 1, (x + 2, x + 3)]"), _X, "right", "right", status=0),
    Sample("list-output", _net("x", "return [x + 1, x + 2]"), _X, "right", "right", status=0),
    Sample(
        "words",
        _net(
            "x, mode",
            'if mode == "double":',
            '    return x * 2, "doubled"  # both: ONX402',
            'return x, "same"  # both: ONX402',
        ),
        (*_X, "mode:str=double"),
        "right",
        "error",
        ("return tensors",),
    ),
    Sample(
        "read-negative",
        _net("x, i, j", "return x[i, j]  # torchscript: ONX906"),
        ("x:float32[5,6]", "i:int64[k=4|6]=-3..2", "j:int64[k]=-3..2"),
        "wrong",
        "right",
        ("% x.shape[",),
    ),
    Sample(
        "write-rank-two",
        _net("x, i", "x = x.clone()", "x[i, i] = 0.5", "return x"),
        ("x:float32[5,5,4]", "i:int64[2,3]=-2..4"),
        "right",
        "right",
        status=0,
    ),
    Sample(
        "write-apart",
        _net("x, i, j, v", "x = x.clone()", "x[i, :, j] = v  # torchscript: ONX802", "return x"),
        _APART,
        "error",
        "right",
        ("transpose",),
    ),
    Sample(
        "write-transposed",
        _net("x, i, j, v", "x = x.transpose(1, 2).clone()", "x[i, j] = v", "return x.transpose(1, 2)"),
        _APART,
        "right",
        "right",
        status=0,
    ),
    Sample(
        "write-broadcast",
        _net("x, i, v", "x = x.clone()", "x[i, i] = v  # torchscript: ONX905", "return x"),
        (*_PAIR, "v:float32[4]"),
        "fails",
        "right",
        ("expand",),
    ),
    Sample(
        "write-expanded",
        _net("x, i, v", "x = x.clone()", "x[i, i] = v.expand(i.shape[0], 4)", "return x"),
        (*_PAIR, "v:float32[4]"),
        "right",
        "right",
        status=0,
    ),
    Sample(
        "dict-input",
        _net("d", 'return d["a"] + d["b"]')
        + "\n\ndef given():\n    return ({'a': torch.ones(2, 3), 'b': torch.ones(2, 3)}, {})\n",
        ("--inputs-from", "net.py:given"),
        "right",
        "right",
        status=0,
    ),
    Sample(
        "own-elu",
        _net("x", "return nn.functional.elu(x, 0.5)")
        + """

@torch.onnx.symbolic_helper.parse_args("v", "f", "f", "f")
def translated(g, x, alpha, scale, input_scale):
    return g.op("Elu", x, alpha_f=alpha)


torch.onnx.register_custom_op_symbolic("aten::elu", translated, 9)
""",
        _X,
        "right",
        "right",
        status=0,
    ),
    Sample(
        "own-function",
        _HEAD
        + """class Shifted(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        return (x + 1).abs().log()


class Clamped(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        return x.clamp(min=0)

    @staticmethod
    def symbolic(g, x):
        return g.op("Relu", x)


class Net(nn.Module):
    def forward(self, x):
        return Shifted.apply(Clamped.apply(x))
""",
        _X,
        "right",
        "right",
        status=0,
    ),
    Sample(
        "own-operator",
        _HEAD
        + """@torch.library.custom_op("onnx_lint_page::mixed", mutates_args=())
def mixed(x: torch.Tensor) -> torch.Tensor:
    return x * 3


@mixed.register_fake
def _(x):
    return torch.empty_like(x)


def translated(g, x):
    return g.op("onnx_lint_page::Mixed", x).setType(x.type())


torch.onnx.register_custom_op_symbolic("onnx_lint_page::mixed", translated, 9)
custom_opsets = {"onnx_lint_page": 2}


class Net(nn.Module):
    def forward(self, x):
        return torch.ops.onnx_lint_page.mixed(x)  # dynamo: ONX903
""",
        _X,
        "not run",
        "error",
        ("ONNX Runtime has no operator `onnx_lint_page::Mixed`", "`custom_translation_table`"),
    ),
    Sample(
        "unregistered-operator",
        _HEAD
        + """@torch.library.custom_op("onnx_lint_page::plain", mutates_args=())
def plain(x: torch.Tensor) -> torch.Tensor:
    return x * 3


@plain.register_fake
def _(x):
    return torch.empty_like(x)


class Net(nn.Module):
    def forward(self, x):
        y = torch.ops.onnx_lint_page.plain(x)  # both: ONX606
        return torch.ops.onnx_lint_page.plain(y + 1)  # both: ONX606
""",
        _X,
        "error",
        "error",
        ("register_custom_op_symbolic", "custom_translation_table"),
    ),
    Sample(
        "sum-with-axes",
        _net("x", "return torch.sum(x, dim=1)"),
        ("--input", "x:float32[2,2]", "--dynamic-axes", '{"x": {"0": "first", "1": "second"}}'),
        "right",
        "right",
        status=0,
    ),
    Sample(
        "scripted-loop",
        _HEAD
        + """@torch.jit.script
def repeated(x, n: torch.Tensor):
    for _ in range(int(n)):  # dynamo: ONX105
        x = x + 1
    return x


class Net(nn.Module):
    def forward(self, x, n):
        return repeated(x, n)
""",
        ("x:float32[2,3]", "n:int64[]=1..6"),
        "right",
        "error",
        ("The torchscript engine exports this right",),
    ),
    Sample(
        "lstm",
        _HEAD
        + """class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.lstm = nn.LSTM(4, 5)

    def forward(self, x):
        return self.lstm(x)[0]  # dynamo: ONX906
""",
        ("x:float32[t,b,4]",),
        "right",
        "wrong",
        ("The torchscript engine exports this right",),
    ),
    Sample("scalar-types", _net("x", "return (x > 0) * 2 + x.int() / 3, 1 - x"), _X, "right", "right", status=0),
)
