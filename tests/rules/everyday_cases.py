"""What models do every day and an export does not survive: one model each, with the code that speaks of it, how severe
it is, and what each engine makes of it. The inputs of a case differ in values and in every dynamic size."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping
from dataclasses import dataclass, field

from onnx_lint.target import Verdict
from onnx_lint.testing import as_module

FINE, WARNS, FAILS, WRONG = Verdict.FINE, Verdict.WARNS, Verdict.FAILS, Verdict.SILENTLY_WRONG


@dataclass(frozen=True)
class Everyday:
    """`layers` is the body of ``__init__``, `body` that of ``forward``, or `body` is a whole module."""

    body: str
    codes: str
    """The codes that are reported."""
    severity: str
    """That of the most severe diagnostic."""
    torchscript: Verdict
    dynamo: Verdict
    layers: str = ""
    head: str = "x"
    first: str = "(torch.randn(3, 4) + 2,)"
    second: str = "(torch.randn(5, 4) - 2,)"
    dynamic: Mapping[str, tuple[int, ...]] = field(default_factory=lambda: {"x": (0,)})
    opset: int | None = None
    is_sequence: bool = False

    @property
    def source(self) -> str:
        if "class Model" in self.body:
            return as_module(self.body)
        parts = [f"def forward(self, {self.head}):\n{textwrap.indent(self.body, '    ')}\n"]
        if self.layers:
            layers = textwrap.indent(self.layers, "    ")
            parts.insert(0, f"def __init__(self):\n    super().__init__()\n{layers}\n")
        return as_module("\n".join(parts))


SEQUENCE = {"first": "(torch.randn(2, 5, 16),)", "second": "(torch.randn(3, 7, 16),)", "dynamic": {"x": (0, 1)}}
IMAGE = {
    "first": "(torch.randn(2, 4, 8, 8),)",
    "second": "(torch.randn(3, 4, 12, 10),)",
    "dynamic": {"x": (0, 2, 3)},
}
SIGNAL = {"first": "(torch.randn(2, 64),)", "second": "(torch.randn(3, 96),)", "dynamic": {"x": (0, 1)}}
SQUARE = {"first": "(torch.randn(2, 4, 4),)", "second": "(torch.randn(3, 4, 4),)"}

# fmt: off
CASES: dict[str, Everyday] = {
    "attention at another length": Everyday(
        "return self.attention(x, x, x)[0]", "ONX604", "warning", FAILS, FINE,
        "self.attention = nn.MultiheadAttention(16, 4, batch_first=True)", **SEQUENCE,
    ),
    "attention across two sequences": Everyday(
        "return self.attention(x, memory, memory, need_weights=False)[0]", "ONX604", "warning", FAILS, FINE,
        "self.attention = nn.MultiheadAttention(16, 4, batch_first=True)", "x, memory",
        "(torch.randn(2, 5, 16), torch.randn(2, 6, 16))", "(torch.randn(3, 7, 16), torch.randn(3, 8, 16))",
        {"x": (0, 1), "memory": (0, 1)},
    ),
    "encoder without a mask": Everyday(
        "return self.encoder(x)", "ONX604", "warning", FAILS, FINE,
        "layer = nn.TransformerEncoderLayer(16, 4, 32, batch_first=True)\n"
        "self.encoder = nn.TransformerEncoder(layer, 2)", **SEQUENCE,
    ),
    "decoder": Everyday(
        "return self.decoder(x, memory)", "ONX604", "warning", FAILS, FINE,
        "layer = nn.TransformerDecoderLayer(16, 4, 32, batch_first=True)\n"
        "self.decoder = nn.TransformerDecoder(layer, 2)", "x, memory",
        "(torch.randn(2, 5, 16), torch.randn(2, 6, 16))", "(torch.randn(3, 7, 16), torch.randn(3, 8, 16))",
        {"x": (0, 1), "memory": (0, 1)},
    ),
    "adding into repeated rows": Everyday(
        "rows = torch.arange(x.shape[0], device=x.device) % 2\n"
        "return torch.zeros(2, 4, device=x.device).index_add(0, rows, x)", "ONX603", "warning", WRONG, FINE,
    ),
    "adding into repeated rows, in place": Everyday(
        "out = torch.zeros(3, 4)\nout.index_add_(0, which, x)\nreturn out", "ONX603", "warning", WRONG, FINE,
        head="x, which", first="(torch.randn(3, 4), torch.tensor([0, 0, 1]))",
        second="(torch.randn(5, 4), torch.tensor([0, 2, 1, 1, 2]))", dynamic={"x": (0,), "which": (0,)},
    ),
    "scatter_add at a low opset": Everyday(
        "return torch.zeros(2, 4).scatter_add(0, which, x)", "ONX602", "error", WRONG, FINE,
        head="x, which", first="(torch.randn(3, 4), torch.tensor([[0, 0, 1, 1]] * 3))",
        second="(torch.randn(5, 4), torch.tensor([[0, 1, 1, 0]] * 5))", dynamic={"x": (0,), "which": (0,)}, opset=15,
    ),
    "dropout that is always active": Everyday("return F.dropout(x, 0.5)", "ONX711", "error", WRONG, WRONG),
    "attention with a dropout that is always active": Everyday(
        "q = x[:, None]\nreturn F.scaled_dot_product_attention(q, q, q, dropout_p=0.5)[:, 0]", "ONX711", "error",
        WRONG, WRONG,
        **SEQUENCE,
    ),
    "a distribution": Everyday(
        "return torch.distributions.Normal(x, 1.0 + x.abs()).log_prob(x * 2)", "ONX714", "error", WARNS, FAILS,
    ),
    "a sample of a distribution": Everyday(
        "return torch.distributions.Normal(x, 1.0 + x.abs()).rsample()", "ONX714", "error", WRONG, FAILS,
    ),
    "packed sequence": Everyday(
        "packed = nn.utils.rnn.pack_padded_sequence(x, lengths, batch_first=True, enforce_sorted=False)\n"
        "out, _ = self.rnn(packed)\n"
        "return nn.utils.rnn.pad_packed_sequence(out, batch_first=True)[0]", "ONX601", "error", FINE, FAILS,
        "self.rnn = nn.LSTM(16, 8, batch_first=True)", "x, lengths",
        "(torch.randn(2, 5, 16), torch.tensor([5, 3]))", "(torch.randn(3, 7, 16), torch.tensor([7, 2, 4]))",
        {"x": (0, 1), "lengths": (0,)},
    ),
    "a buffer that is updated": Everyday(
        "self.mean.copy_(0.9 * self.mean + 0.1 * x.mean(0))\nreturn x - self.mean", "ONX701", "warning", FAILS, WRONG,
        "self.register_buffer('mean', torch.zeros(4))", is_sequence=True,
    ),
    "a cache in an attribute": Everyday(
        "out = x if self.cache is None else x + self.cache\nself.cache = x.mean(0)\nreturn out",
        "ONX701", "warning", WRONG, WRONG, "self.cache = None", is_sequence=True,
    ),
    "a counter in an attribute": Everyday(
        "self.n += 1\nreturn x * self.n", "ONX701", "warning", WRONG, WRONG, "self.n = 0", is_sequence=True,
    ),
    "a write through a view": Everyday(
        "y = x * 2\nz = y.transpose(0, 1)\nz[0] += 1\nreturn y", "ONX801", "error", WRONG, FINE,
    ),
    "a write through a slice": Everyday(
        "y = x * 2\nhead = y[:, :2]\nhead.mul_(3)\nreturn y", "ONX801", "error", WRONG, FINE,
    ),
    "rows set by a mask": Everyday(
        "y = x * 2\nmask = x.sum(1) > 0\ny[mask] = 0.0\nreturn y", "ONX802", "error", FAILS, FINE,
        first="(torch.tensor([[1.0, 2], [3, -9], [2, 2]]),)",
        second="(torch.tensor([[1.0, -2], [3, -9], [2, 2], [1, 1]]),)",
    ),
    "rows replaced by a token": Everyday(
        "y = x * 2\nmask = x.sum(1) > 0\ny[mask] = self.token\nreturn y", "ONX802", "error", FAILS, FINE,
        "self.token = nn.Parameter(torch.ones(2))",
        first="(torch.tensor([[1.0, 2], [3, -9], [2, 2]]),)",
        second="(torch.tensor([[1.0, -2], [3, -9], [2, 2], [1, 1]]),)",
    ),
    "a tensor made by new": Everyday("return x.new(*x.size()).zero_() + x", "ONX604", "warning", FAILS, FINE),
    "a mask joined in place": Everyday(
        "found = x > 1\nfound |= x < -1\nreturn found", "ONX601", "error", FAILS, FINE,
    ),
    "real FFT": Everyday("return torch.fft.rfft(x).abs()", "ONX601", "error", FAILS, FINE, **SIGNAL),
    "complex rotation": Everyday(
        "pairs = torch.view_as_complex(x.reshape(x.shape[0], -1, 2))\n"
        "turned = pairs * torch.polar(torch.ones(2), torch.arange(2.0))\n"
        "return torch.view_as_real(turned).flatten(1)", "ONX601", "error", FAILS, FINE,
    ),
    "gumbel softmax": Everyday("return F.gumbel_softmax(x, tau=1.0)", "ONX712", "warning", FAILS, WRONG),
    "a random number read by Python": Everyday(
        "return x * float(torch.rand(1))", "ONX712", "warning", WRONG, WRONG,
    ),
    "a random number that decides": Everyday(
        "draw = torch.rand(1)\nreturn x if draw < 0.5 else x * 2", "ONX712", "warning", WRONG, FAILS,
    ),
    "windows from the end": Everyday(
        "return x.unfold(-1, 2, 1) * 1", "ONX603 ONX604", "error", WRONG, FINE,
    ),
    "counts": Everyday(
        "return torch.bincount(x, minlength=4)", "ONX601", "error", FAILS, FINE,
        first="(torch.tensor([0, 1, 1]),)", second="(torch.tensor([3, 1, 1, 2]),)",
    ),
    "mean without NaN": Everyday("return torch.nanmean(x, 1)", "ONX601", "error", FAILS, FINE),
    "sum without NaN": Everyday("return x.nansum(1)", "ONX601", "error", FAILS, FINE),
    "quantile": Everyday("return torch.quantile(x, 0.5, dim=1)", "ONX601", "error", FAILS, FINE),
    "differences": Everyday("return torch.diff(x, dim=1)", "ONX601", "error", FAILS, FINE),
    "block diagonal": Everyday("return torch.block_diag(x, x)", "ONX601", "error", FAILS, FINE),
    "resize with antialiasing": Everyday(
        "return F.interpolate(x, size=(4, 4), mode='bilinear', antialias=True)", "ONX601", "error", FAILS, FINE,
        **IMAGE,
    ),
    "resize to the exact nearest": Everyday(
        "return F.interpolate(x, scale_factor=2, mode='nearest-exact')", "ONX601", "error", FAILS, FINE, **IMAGE,
    ),
    "Cholesky": Everyday(
        "return torch.linalg.cholesky(x @ x.mT + 4 * torch.eye(4))", "ONX601", "error", FAILS, FAILS, **SQUARE,
    ),
    "inverse": Everyday("return torch.linalg.inv(x + 4 * torch.eye(4))", "ONX601", "error", FAILS, FAILS, **SQUARE),
    "linear equations": Everyday(
        "return torch.linalg.solve(x + 4 * torch.eye(4), x)", "ONX601", "error", FAILS, FAILS, **SQUARE,
    ),
    "median": Everyday("return x.median(1).values", "ONX601", "error", FAILS, FAILS),
    "runs of equal values": Everyday(
        "return torch.unique_consecutive(x)", "ONX601", "error", FAILS, FINE,
        first="(torch.tensor([0, 1, 1]),)", second="(torch.tensor([3, 1, 1, 2]),)",
    ),
    "sparse product": Everyday(
        "return torch.sparse.mm(self.adjacency, x)", "ONX601", "error", FAILS, FAILS,
        "self.register_buffer('adjacency', torch.eye(4).to_sparse())",
        first="(torch.randn(4, 3),)", second="(torch.randn(4, 5),)", dynamic={"x": (1,)},
    ),
    "distances": Everyday("return torch.cdist(x, x + 1)", "ONX601", "error", FINE, FAILS),
    "experts": Everyday(
        "out = torch.zeros_like(x)\n"
        "top = self.gate(x).argmax(1)\n"
        "for i, expert in enumerate(self.experts):\n"
        "    idx = torch.where(top == i)[0]\n"
        "    if idx.numel() == 0:\n"
        "        continue\n"
        "    out[idx] = expert(x[idx])\n"
        "return out", "ONX102", "error", WRONG, FAILS,
        "self.gate = nn.Linear(4, 3)\nself.experts = nn.ModuleList(nn.Linear(4, 4) for _ in range(3))",
        first="(torch.ones(3, 4),)", second="(torch.randn(9, 4) * 5,)",
    ),
    "pooling to a grid": Everyday("return self.pool(x)", "ONX604", "warning", FAILS, WRONG,
        "self.pool = nn.AdaptiveAvgPool2d(4)", **IMAGE),
    "pooling to a length": Everyday(
        "return F.adaptive_avg_pool1d(x, 4)", "ONX604", "warning", FAILS, WRONG,
        first="(torch.randn(2, 4, 8),)", second="(torch.randn(3, 4, 13),)", dynamic={"x": (0, 2)},
    ),
    "pooling by maximum to a grid": Everyday(
        "return F.adaptive_max_pool2d(x, (2, 2))", "ONX604", "warning", FAILS, WRONG,
        first="(torch.randn(2, 4, 8, 8),)", second="(torch.randn(3, 4, 13, 11),)", dynamic={"x": (0, 2, 3)},
    ),
    "lengths as a list": Everyday(
        "packed = nn.utils.rnn.pack_padded_sequence(x, lengths.tolist(), batch_first=True, enforce_sorted=False)\n"
        "return self.rnn(packed)[1][0]", "ONX203 ONX601", "error", FAILS, FAILS,
        "self.rnn = nn.LSTM(16, 8, batch_first=True)", "x, lengths",
        "(torch.randn(2, 5, 16), torch.tensor([5, 3]))", "(torch.randn(3, 7, 16), torch.tensor([7, 2, 4]))",
        {"x": (0, 1), "lengths": (0,)},
    ),
    "spectrogram": Everyday(
        "return torch.stft(x, 16, window=torch.hann_window(16), return_complex=True).abs()",
        "ONX601", "error", FAILS, FINE, **SIGNAL,
    ),
    "inverse spectrogram": Everyday(
        "window = torch.hann_window(16)\n"
        "return torch.istft(torch.complex(x, x), 16, window=window)", "ONX601", "error", FAILS, FAILS,
        first="(torch.randn(2, 9, 6),)", second="(torch.randn(3, 9, 8),)", dynamic={"x": (0, 2)},
    ),
    "sliding windows": Everyday("return x.unfold(1, 8, 4)", "ONX604", "warning", FAILS, FINE, **SIGNAL),
    "strides": Everyday(
        "return x * x.stride(0)", "ONX604", "warning", WRONG, FINE,
        first="(torch.randn(3, 4),)", second="(torch.randn(3, 6),)", dynamic={"x": (1,)},
    ),
    "strides of a view": Everyday(
        "return torch.as_strided(x, (x.shape[0], x.shape[1] - 1, 2), (x.stride(0), 1, 1))", "ONX604", "warning",
        WRONG, FINE, **SIGNAL,
    ),
    "LSTM with a projection": Everyday(
        "return self.rnn(x)[0]", "ONX601", "error", FAILS, FAILS,
        "self.rnn = nn.LSTM(16, 8, batch_first=True, proj_size=4)", **SEQUENCE,
    ),
    "instance norm with statistics": Everyday(
        "return self.norm(x)", "ONX604", "warning", FAILS, FINE,
        "self.norm = nn.InstanceNorm2d(4, track_running_stats=True)", **IMAGE,
    ),
    "fold to the size of the input": Everyday(
        "b, c, h, w = x.shape\nreturn F.fold(F.unfold(x, 2, stride=2), (h, w), 2, stride=2)", "ONX601",
        "error", FAILS, FINE, **IMAGE,
    ),
    "unpooling": Everyday(
        "y, where = F.max_pool2d(x, 2, return_indices=True)\nreturn F.max_unpool2d(y, where, 2)", "ONX601",
        "error", FAILS, FINE, **IMAGE,
    ),
    "transposed convolution to a size": Everyday(
        "return self.up(x, output_size=skip.shape[2:])", "ONX605", "warning", WRONG, FAILS,
        "self.up = nn.ConvTranspose2d(4, 4, 3, stride=2, padding=1)", "x, skip",
        "(torch.randn(2, 4, 8, 8), torch.randn(2, 4, 16, 16))",
        "(torch.randn(2, 4, 12, 10), torch.randn(2, 4, 23, 19))",
        {"x": (0, 2, 3), "skip": (2, 3)},
    ),
    "affine grid at a low opset": Everyday(
        "return F.affine_grid(x, [2, 3, 8, 8], align_corners=False)", "ONX602", "error", FAILS, FINE,
        first="(torch.randn(2, 2, 3),)", second="(torch.randn(2, 2, 3),)", dynamic={}, opset=18,
    ),
    "a line of points, one for each row": Everyday(
        "return x * torch.linspace(0, 1, x.shape[0])[:, None]", "ONX605", "warning", FINE, FAILS,
    ),
    "rows repeated by another size": Everyday(
        "return x.repeat_interleave(y.shape[0], dim=0)", "ONX605", "warning", FINE, FAILS,
        head="x, y", first="(torch.randn(3, 4), torch.randn(4, 2))", second="(torch.randn(5, 4), torch.randn(6, 2))",
        dynamic={"x": (0,), "y": (0,)},
    ),
    "rows repeated as often as there are rows": Everyday(
        "return x.repeat_interleave(x.shape[0], dim=0)", "ONX605", "warning", FINE, WRONG,
    ),
    "a scripted function that branches": Everyday(
        "@torch.jit.script\n"
        "def scripted(x: torch.Tensor) -> torch.Tensor:\n"
        "    if x.sum() > 0:\n"
        "        return x + 1\n"
        "    return x\n\n"
        "class Model(nn.Module):\n"
        "    def forward(self, x):\n"
        "        return scripted(x)\n",
        "ONX101", "error", FINE, FAILS,
    ),
    "chunks of a dynamic dimension": Everyday(
        "a, b = x.chunk(2, dim=0)\nreturn a + b", "ONX604", "warning", FINE, FAILS,
        first="(torch.randn(4, 4),)", second="(torch.randn(6, 4),)",
    ),
}
# fmt: on
