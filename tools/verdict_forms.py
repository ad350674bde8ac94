"""Everyday forms of operators and modules, each with dynamic dimensions and a second input of other sizes.

The key of a form names the operator or module first, and after ``:`` what of its arguments matters. Variables: ``x``
is of shape (2, 4, 6), then (3, 4, 9); ``i`` (image) (2, 4, 8, 6), then (3, 4, 12, 10); ``t`` (tokens) (2, 6, 8), then
(3, 9, 8). The first axis and those that differ are dynamic.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F
from torch import nn

_INPUTS: dict[str, tuple[Callable[[], Any], Callable[[], Any], tuple[int, ...]]] = {
    "x": (lambda: torch.randn(2, 4, 6), lambda: torch.randn(3, 4, 9), (0, 2)),
    "y": (lambda: torch.randn(2, 4, 6), lambda: torch.randn(3, 4, 9), (0, 2)),
    "i": (lambda: torch.randn(2, 4, 8, 6), lambda: torch.randn(3, 4, 12, 10), (0, 2, 3)),
    "o": (lambda: torch.randn(2, 4, 8, 6), lambda: torch.randn(3, 4, 13, 9), (0, 2, 3)),
    "b": (lambda: torch.randn(2, 4, 8, 6), lambda: torch.randn(3, 4, 8, 6), (0,)),
    "t": (lambda: torch.randn(2, 6, 8), lambda: torch.randn(3, 9, 8), (0, 1)),
    "s": (lambda: torch.randn(2, 6, 8), lambda: torch.randn(3, 6, 8), (0,)),
    "v": (lambda: torch.randn(6), lambda: torch.randn(9), (0,)),
    "q": (lambda: torch.randn(2, 2, 6, 4), lambda: torch.randn(3, 2, 9, 4), (0, 2)),
    "n": (lambda: torch.tensor([0, 2, 2, 1, 0]), lambda: torch.tensor([1, 1, 0, 2, 2, 2, 0]), (0,)),
    "r": (lambda: torch.randn(5, 4), lambda: torch.randn(7, 4), (0,)),
    "m": (lambda: torch.tensor([True, False, True, True, False]), lambda: torch.tensor([True, False] * 3 + [True]), (0,)),
    "l": (lambda: torch.tensor([6, 4]), lambda: torch.tensor([9, 5, 2]), (0,)),
    "p": (lambda: torch.eye(3) * 2 + torch.full((2, 3, 3), 0.1), lambda: torch.eye(3) * 3 + torch.full((3, 3, 3), 0.2), (0,)),
    "g": (lambda: torch.rand(2, 5, 5, 2) - 0.5, lambda: torch.rand(3, 7, 4, 2) - 0.5, (0, 1, 2)),
    "a": (lambda: torch.randn(2, 2, 3), lambda: torch.randn(3, 2, 3), (0,)),
    "w": (lambda: torch.randn(2, 400), lambda: torch.randn(3, 640), (0, 1)),
}  # fmt: skip


class _Expression(nn.Module):
    def __init__(self, function: Callable[..., Any], module: nn.Module | None) -> None:
        super().__init__()
        self.module, self.function = module, function

    def forward(self, *given: torch.Tensor) -> Any:
        return self.function(*given) if self.module is None else self.function(self.module, *given)


@dataclass(frozen=True)
class Form:
    """A model in one expression of `inputs`, and of the module ``m`` where there is one."""

    key: str
    function: Callable[..., Any]
    inputs: str
    module: Callable[[], nn.Module] | None = None

    def model(self) -> nn.Module:
        """The model, with the weights of a fixed seed; its parameters bear names, since dynamo asks for them."""
        made = self.module() if self.module is not None else None
        return _named(len(self.inputs))(self.function, made).eval()

    def first(self) -> tuple[Any, ...]:
        return tuple(_INPUTS[name][0]() for name in self.inputs)

    def second(self) -> tuple[Any, ...]:
        return tuple(_INPUTS[name][1]() for name in self.inputs)

    @property
    def dynamic(self) -> tuple[tuple[int, ...], ...]:
        return tuple(_INPUTS[name][2] for name in self.inputs)


class _One(_Expression):
    def forward(self, a: torch.Tensor) -> Any:
        return super().forward(a)


class _Two(_Expression):
    def forward(self, a: torch.Tensor, b: torch.Tensor) -> Any:
        return super().forward(a, b)


class _Three(_Expression):
    def forward(self, a: torch.Tensor, b: torch.Tensor, c: torch.Tensor) -> Any:
        return super().forward(a, b, c)


def _named(count: int) -> type[_Expression]:
    return (_One, _Two, _Three)[count - 1]


def _packed(lstm: nn.Module, t: torch.Tensor, lengths: torch.Tensor) -> torch.Tensor:
    packed = nn.utils.rnn.pack_padded_sequence(t, lengths, batch_first=True, enforce_sorted=False)
    return nn.utils.rnn.pad_packed_sequence(lstm(packed)[0], batch_first=True)[0]


def _index_write(x: torch.Tensor, write: Callable[[torch.Tensor], None]) -> torch.Tensor:
    y = x * 1.0
    write(y)
    return y


def _ior(r: torch.Tensor) -> torch.Tensor:
    flag = r > 0
    flag |= r < -1
    return flag


def _set(y: torch.Tensor, index: Any, value: Any) -> None:
    y[index] = value


def _complex_rope(q: torch.Tensor) -> torch.Tensor:
    pairs = torch.view_as_complex(q.reshape(*q.shape[:-1], -1, 2))
    angles = torch.outer(torch.arange(q.shape[2]), torch.ones(2))
    return torch.view_as_real(pairs * torch.polar(torch.ones_like(angles), angles)).flatten(3)


def _layer() -> nn.Module:
    return nn.TransformerEncoderLayer(8, 2, 16, batch_first=True)


FORMS = tuple(
    Form(*given)
    for given in (
        # attention
        ("torch.nn.MultiheadAttention", lambda m, t: m(t, t, t)[0], "t", lambda: nn.MultiheadAttention(8, 2, batch_first=True)),
        ("torch.nn.MultiheadAttention@batch", lambda m, s: m(s, s, s)[0], "s", lambda: nn.MultiheadAttention(8, 2, batch_first=True)),
        ("torch.nn.MultiheadAttention:need_weights=False", lambda m, t: m(t, t, t, need_weights=False)[0], "t", lambda: nn.MultiheadAttention(8, 2, batch_first=True)),
        ("torch.nn.TransformerEncoderLayer", lambda m, t: m(t), "t", _layer),
        ("torch.nn.TransformerEncoderLayer@batch", lambda m, s: m(s), "s", _layer),
        ("torch.nn.TransformerEncoder", lambda m, t: m(t), "t", lambda: nn.TransformerEncoder(_layer(), 2)),
        ("torch.nn.TransformerDecoderLayer", lambda m, t: m(t, t), "t", lambda: nn.TransformerDecoderLayer(8, 2, 16, batch_first=True)),
        ("torch.nn.TransformerDecoder", lambda m, t: m(t, t), "t", lambda: nn.TransformerDecoder(nn.TransformerDecoderLayer(8, 2, 16, batch_first=True), 1)),
        ("torch.nn.Transformer", lambda m, t: m(t, t), "t", lambda: nn.Transformer(8, 2, 1, 1, 16, batch_first=True)),
        ("torch.nn.functional.multi_head_attention_forward", lambda t: F.multi_head_attention_forward(t, t, t, 8, 2, torch.ones(24, 8), torch.ones(24), None, None, False, 0.0, torch.ones(8, 8), torch.ones(8))[0], "t"),
        ("torch.nn.functional.scaled_dot_product_attention", lambda q: F.scaled_dot_product_attention(q, q, q), "q"),
        ("torch.nn.functional.scaled_dot_product_attention:is_causal=True", lambda q: F.scaled_dot_product_attention(q, q, q, is_causal=True), "q"),
        ("torch.nn.functional.scaled_dot_product_attention:enable_gqa=True", lambda q: F.scaled_dot_product_attention(q, q[:, :1], q[:, :1], enable_gqa=True), "q"),
        # pooling, resizing
        ("torch.nn.AdaptiveAvgPool2d:output_size=1", lambda m, i: m(i), "i", lambda: nn.AdaptiveAvgPool2d(1)),
        ("torch.nn.AdaptiveAvgPool2d", lambda m, i: m(i), "i", lambda: nn.AdaptiveAvgPool2d(2)),
        ("torch.nn.AdaptiveAvgPool2d@batch", lambda m, b: m(b), "b", lambda: nn.AdaptiveAvgPool2d(2)),
        ("torch.nn.AdaptiveMaxPool2d:output_size=1", lambda m, i: m(i), "i", lambda: nn.AdaptiveMaxPool2d(1)),
        ("torch.nn.AdaptiveMaxPool2d", lambda m, i: m(i), "i", lambda: nn.AdaptiveMaxPool2d(2)),
        ("torch.nn.AdaptiveAvgPool1d:output_size=1", lambda m, x: m(x), "x", lambda: nn.AdaptiveAvgPool1d(1)),
        ("torch.nn.AdaptiveAvgPool1d", lambda m, x: m(x), "x", lambda: nn.AdaptiveAvgPool1d(3)),
        ("torch.nn.AdaptiveMaxPool1d", lambda m, x: m(x), "x", lambda: nn.AdaptiveMaxPool1d(3)),
        ("torch.nn.functional.interpolate:mode='nearest'", lambda i: F.interpolate(i, scale_factor=2.0), "i"),
        ("torch.nn.functional.interpolate:mode='bilinear'", lambda i: F.interpolate(i, scale_factor=2.0, mode="bilinear", align_corners=False), "i"),
        ("torch.nn.functional.interpolate:mode='bilinear',align_corners=True", lambda i: F.interpolate(i, scale_factor=2.0, mode="bilinear", align_corners=True), "i"),
        ("torch.nn.functional.interpolate:mode='bicubic'", lambda i: F.interpolate(i, size=(7, 5), mode="bicubic"), "i"),
        ("torch.nn.functional.interpolate:mode='bicubic',antialias=True", lambda i: F.interpolate(i, size=(7, 5), mode="bicubic", antialias=True), "i"),
        ("torch.nn.functional.interpolate:mode='bilinear',antialias=True", lambda i: F.interpolate(i, size=(7, 5), mode="bilinear", antialias=True), "i"),
        ("torch.nn.functional.interpolate:mode='nearest-exact'", lambda i: F.interpolate(i, scale_factor=2.0, mode="nearest-exact"), "i"),
        ("torch.nn.functional.interpolate:mode='area'", lambda i: F.interpolate(i, size=(4, 3), mode="area"), "i"),
        ("torch.nn.functional.interpolate:mode='linear'", lambda x: F.interpolate(x, scale_factor=2.0, mode="linear"), "x"),
        ("torch.nn.functional.grid_sample", lambda i, g: F.grid_sample(i, g, align_corners=False), "ig"),
        ("torch.nn.functional.affine_grid", lambda a: F.affine_grid(a, [a.shape[0], 4, 5, 6], align_corners=False), "a"),
        ("torch.nn.MaxUnpool2d", lambda m, i: m(*F.max_pool2d(i, 2, return_indices=True)), "i", lambda: nn.MaxUnpool2d(2)),
        ("torch.nn.LPPool2d", lambda m, i: m(i), "i", lambda: nn.LPPool2d(2, 2)),
        ("torch.nn.functional.fold", lambda i: F.fold(F.unfold(i, 3, padding=1), i.shape[2:], 3, padding=1), "i"),
        ("torch.nn.functional.unfold", lambda i: F.unfold(i, 3, padding=1), "i"),
        ("torch.Tensor.unfold", lambda x: x.unfold(2, 3, 1), "x"),
        ("torch.nn.PixelShuffle", lambda m, i: m(i), "i", lambda: nn.PixelShuffle(2)),
        ("torch.nn.PixelUnshuffle", lambda m, i: m(i), "i", lambda: nn.PixelUnshuffle(2)),
        # recurrent
        ("torch.nn.LSTM", lambda m, t: m(t)[0], "t", lambda: nn.LSTM(8, 5, batch_first=True)),
        ("torch.nn.LSTM:bidirectional=True", lambda m, t: m(t)[0], "t", lambda: nn.LSTM(8, 5, 2, batch_first=True, bidirectional=True)),
        ("torch.nn.LSTM:proj_size", lambda m, t: m(t)[0], "t", lambda: nn.LSTM(8, 5, proj_size=3, batch_first=True)),
        ("torch.nn.GRU", lambda m, t: m(t)[0], "t", lambda: nn.GRU(8, 5, batch_first=True)),
        ("torch.nn.RNN", lambda m, t: m(t)[0], "t", lambda: nn.RNN(8, 5, batch_first=True)),
        ("torch.nn.LSTMCell", lambda m, s: m(s[:, 0])[0], "s", lambda: nn.LSTMCell(8, 5)),
        ("torch.nn.GRUCell", lambda m, s: m(s[:, 0]), "s", lambda: nn.GRUCell(8, 5)),
        ("torch.nn.utils.rnn.pack_padded_sequence", _packed, "tl", lambda: nn.LSTM(8, 5, batch_first=True)),
        # norms and layers
        ("torch.nn.InstanceNorm2d", lambda m, i: m(i), "i", lambda: nn.InstanceNorm2d(4)),
        ("torch.nn.InstanceNorm2d:track_running_stats=True", lambda m, i: m(i), "i", lambda: nn.InstanceNorm2d(4, track_running_stats=True)),
        ("torch.nn.InstanceNorm1d", lambda m, x: m(x), "x", lambda: nn.InstanceNorm1d(4)),
        ("torch.nn.GroupNorm", lambda m, i: m(i), "i", lambda: nn.GroupNorm(2, 4)),
        ("torch.nn.LayerNorm", lambda m, t: m(t), "t", lambda: nn.LayerNorm(8)),
        ("torch.nn.RMSNorm", lambda m, t: m(t), "t", lambda: nn.RMSNorm(8)),
        ("torch.nn.BatchNorm2d", lambda m, i: m(i), "i", lambda: nn.BatchNorm2d(4)),
        ("torch.nn.LocalResponseNorm", lambda m, i: m(i), "i", lambda: nn.LocalResponseNorm(2)),
        ("torch.nn.ConvTranspose2d", lambda m, i: m(i), "i", lambda: nn.ConvTranspose2d(4, 2, 3, stride=2)),
        ("torch.nn.ConvTranspose2d:output_size", lambda m, o: m(F.max_pool2d(o, 3, 2, 1), output_size=o.shape[2:]), "o", lambda: nn.ConvTranspose2d(4, 2, 3, stride=2, padding=1)),
        ("torch.nn.Conv2d:padding='same'", lambda m, i: m(i), "i", lambda: nn.Conv2d(4, 2, 3, padding="same")),
        ("torch.nn.Conv2d:padding_mode='circular'", lambda m, i: m(i), "i", lambda: nn.Conv2d(4, 2, 3, padding=1, padding_mode="circular")),
        ("torch.nn.EmbeddingBag", lambda m, n: m(n.reshape(1, -1)), "n", lambda: nn.EmbeddingBag(5, 3)),
        ("torch.nn.Bilinear", lambda m, s: m(s, s), "s", lambda: nn.Bilinear(8, 8, 3)),
        ("torch.nn.RReLU", lambda m, x: m(x), "x", lambda: nn.RReLU()),
        ("torch.nn.functional.gumbel_softmax", lambda x: F.gumbel_softmax(x), "x"),
        ("torch.nn.functional.one_hot:num_classes", lambda n: F.one_hot(n, 3), "n"),
        ("torch.nn.functional.one_hot", lambda n: F.one_hot(n), "n"),
        ("torch.nn.functional.normalize", lambda x: F.normalize(x, dim=1), "x"),
        ("torch.nn.functional.cosine_similarity", lambda x, y: F.cosine_similarity(x, y), "xy"),
        ("torch.nn.functional.pairwise_distance", lambda x, y: F.pairwise_distance(x, y), "xy"),
        ("torch.nn.functional.pad:mode='reflect'", lambda x: F.pad(x, (1, 2), mode="reflect"), "x"),
        ("torch.nn.functional.pad:mode='circular'", lambda x: F.pad(x, (1, 2), mode="circular"), "x"),
        ("torch.nn.functional.pad:mode='replicate'", lambda x: F.pad(x, (1, 2), mode="replicate"), "x"),
        ("torch.nn.functional.glu", lambda b: F.glu(b, 1), "b"),
        ("torch.nn.functional.softmax", lambda x: F.softmax(x, -1), "x"),
        # indexed writes
        ("torch.Tensor.index_add_", lambda r, n: torch.zeros(3, 4).index_add_(0, n, r), "rn"),
        ("torch.index_add", lambda r, n: torch.index_add(torch.zeros(3, 4), 0, n, r), "rn"),
        ("torch.scatter_add", lambda r, n: torch.zeros(3, 4).scatter_add(0, n[:, None].expand(-1, 4), r), "rn"),
        ("torch.scatter_reduce", lambda r, n: torch.zeros(3, 4).scatter_reduce(0, n[:, None].expand(-1, 4), r, "amax"), "rn"),
        ("torch.scatter_reduce:reduce='mean'", lambda r, n: torch.zeros(3, 4).scatter_reduce(0, n[:, None].expand(-1, 4), r, "mean"), "rn"),
        ("torch.Tensor.index_put_:accumulate=True", lambda r, n: torch.zeros(3, 4).index_put_((n,), r, accumulate=True), "rn"),
        ("torch.index_copy", lambda r: torch.index_copy(r * 1.0, 0, torch.tensor([0, 2]), r[:2]), "r"),
        ("torch.index_fill", lambda r: torch.index_fill(r, 0, torch.tensor([0, 2]), 1.0), "r"),
        ("torch.masked_scatter", lambda r, m: r.masked_scatter(m[:, None].expand(-1, 4), r * 2), "rm"),
        ("torch.masked_fill", lambda r, m: r.masked_fill(m[:, None], 0.0), "rm"),
        ("setitem@mask of rows, scalar", lambda r, m: _index_write(r, lambda y: _set(y, m, 0.0)), "rm"),
        ("setitem@mask of rows, tensor", lambda r, m: _index_write(r, lambda y: _set(y, m, y[m] * 2)), "rm"),
        ("setitem@full mask, scalar", lambda r: _index_write(r, lambda y: _set(y, y < 0, 0.0)), "r"),
        ("setitem@index, broadcast value", lambda r, n: _index_write(r, lambda y: _set(y, n, torch.ones(4))), "rn"),
        ("setitem@index, scalar", lambda r, n: _index_write(r, lambda y: _set(y, n, 1.0)), "rn"),
        ("setitem@two indices apart", lambda i: _index_write(i, lambda y: _set(y, (torch.tensor([0, 1]), slice(None), torch.tensor([1, 2])), 0.0)), "i"),
        ("getitem@two negative indices", lambda r: r[torch.tensor([-1, -2]), torch.tensor([-1, -3])], "r"),
        ("getitem@mask", lambda r, m: r[m], "rm"),
        ("torch.Tensor.__ior__", _ior, "r"),
        ("torch.Tensor.__iand__", lambda r: (r > 0).__iand__(r < 1), "r"),
        ("torch.Tensor.__ixor__", lambda r: (r > 0).__ixor__(r < 1), "r"),
        ("torch.Tensor.__ilshift__", lambda r: (r > 0).int().__ilshift__(1), "r"),
        ("torch.Tensor.__irshift__", lambda n: (n * 8).__irshift__(1), "n"),
        ("torch.Tensor.__ifloordiv__", lambda r: (r * 3).__ifloordiv__(2.0), "r"),
        ("torch.take_along_dim", lambda r: torch.take_along_dim(r, r.argsort(1), 1), "r"),
        ("torch.put", lambda r: torch.put(r, torch.tensor([0, 2]), torch.tensor([1.0, 2.0])), "r"),
        ("torch.take", lambda r: torch.take(r, torch.tensor([0, 2])), "r"),
        ("torch.Tensor.fill_diagonal_", lambda p: (p * 1.0)[0].fill_diagonal_(0.0), "p"),
        ("torch.diagonal_scatter", lambda p: torch.diagonal_scatter(p, p[:, 0], 0, 1, 2), "p"),
        ("torch.select_scatter", lambda r: torch.select_scatter(r, r[0], 0, 1), "r"),
        ("torch.slice_scatter", lambda r: torch.slice_scatter(r, r[:2], 0, 1, 3), "r"),
        # sizes and order
        ("torch.linspace@size", lambda r: torch.linspace(0, 1, r.shape[0]) * 1.0, "r"),
        ("torch.arange@size", lambda r: torch.arange(r.shape[0]) * 1.0, "r"),
        ("torch.chunk@dynamic dimension", lambda x: x.chunk(2, 2)[0], "x"),
        ("torch.tensor_split@dynamic dimension", lambda x: torch.tensor_split(x, 2, 2)[0], "x"),
        ("torch.split@dynamic dimension", lambda x: x.split(3, 2)[0], "x"),
        ("torch.unbind", lambda x: torch.unbind(x, 1)[0], "x"),
        ("torch.roll@dynamic dimension", lambda x: torch.roll(x, 1, 2), "x"),
        ("torch.flip", lambda x: torch.flip(x, [2]), "x"),
        ("torch.rot90", lambda x: torch.rot90(x, 1, [1, 2]), "x"),
        ("torch.repeat_interleave", lambda x: torch.repeat_interleave(x, 2, 2), "x"),
        ("torch.repeat_interleave@no dim", lambda x: torch.repeat_interleave(x, 2), "x"),
        ("torch.repeat_interleave@tensor", lambda r, n: torch.repeat_interleave(r, n, 0), "rn"),
        ("torch.tile", lambda x: torch.tile(x, (1, 1, 2)), "x"),
        ("torch.unflatten", lambda x: x.unflatten(1, (2, 2)), "x"),
        ("torch.meshgrid", lambda v: torch.meshgrid(v, v, indexing="ij")[0], "v"),
        ("torch.cartesian_prod", lambda v: torch.cartesian_prod(v, v), "v"),
        ("torch.combinations", lambda v: torch.combinations(v), "v"),
        ("torch.tril_indices", lambda v: torch.tril_indices(v.shape[0], v.shape[0]), "v"),
        ("torch.triu", lambda x: torch.triu(x), "x"),
        ("torch.block_diag", lambda r: torch.block_diag(r, r), "r"),
        ("torch.diag_embed", lambda r: torch.diag_embed(r), "r"),
        ("torch.Tensor.as_strided", lambda v: v.as_strided((v.shape[0] - 2, 3), (1, 1)), "v"),
        ("torch.Tensor.stride", lambda x: x * x.stride(1), "x"),
        ("torch.Tensor.new", lambda x: x.new(*x.size()).fill_(1.0), "x"),
        ("torch.Tensor.expand_as", lambda x: x[:1].expand_as(x), "x"),
        ("torch.Tensor.type_as", lambda x: torch.arange(3).type_as(x), "x"),
        # data-dependent sizes
        ("torch.nonzero", lambda r: torch.nonzero(r > 0), "r"),
        ("torch.where@one argument", lambda r: torch.where(r > 0)[0], "r"),
        ("torch.masked_select", lambda r: torch.masked_select(r, r > 0), "r"),
        ("torch.unique", lambda n: torch.unique(n), "n"),
        ("torch.unique:return_counts=True", lambda n: torch.unique(n, return_counts=True)[1], "n"),
        ("torch.unique_consecutive", lambda n: torch.unique_consecutive(n), "n"),
        ("torch.bincount", lambda n: torch.bincount(n, minlength=3), "n"),
        ("torch.histc", lambda v: torch.histc(v, 4, -3.0, 3.0), "v"),
        ("torch.bucketize", lambda v: torch.bucketize(v, torch.tensor([-1.0, 0.0, 1.0])), "v"),
        ("torch.searchsorted", lambda v: torch.searchsorted(torch.tensor([-1.0, 0.0, 1.0]), v), "v"),
        ("torch.nn.utils.rnn.pad_sequence", lambda v: nn.utils.rnn.pad_sequence([v, v[:3]], batch_first=True), "v"),
        # reductions
        ("torch.std", lambda x: torch.std(x, 2), "x"),
        ("torch.var", lambda x: torch.var(x, 2), "x"),
        ("torch.var_mean", lambda x: torch.var_mean(x, 2)[0], "x"),
        ("torch.median", lambda x: torch.median(x, 2)[0], "x"),
        ("torch.median@all", lambda x: torch.median(x), "x"),
        ("torch.mode", lambda n: torch.mode(n)[0], "n"),
        ("torch.kthvalue", lambda x: torch.kthvalue(x, 2, 2)[0], "x"),
        ("torch.quantile", lambda x: torch.quantile(x, 0.3, dim=1), "x"),
        ("torch.nanmean", lambda x: torch.nanmean(x, 2), "x"),
        ("torch.nansum", lambda x: torch.nansum(x, 2), "x"),
        ("torch.nan_to_num", lambda x: torch.nan_to_num(x / x.abs().clamp(min=1)), "x"),
        ("torch.logsumexp", lambda x: torch.logsumexp(x, 2), "x"),
        ("torch.logcumsumexp", lambda x: torch.logcumsumexp(x, 1), "x"),
        ("torch.cumsum", lambda x: torch.cumsum(x, 2), "x"),
        ("torch.cumsum@int32", lambda n: torch.cumsum(n.int(), 0, dtype=torch.int32), "n"),
        ("torch.cumprod", lambda x: torch.cumprod(x, 1), "x"),
        ("torch.cummax", lambda x: torch.cummax(x, 1)[0], "x"),
        ("torch.diff", lambda x: torch.diff(x), "x"),
        ("torch.trapezoid", lambda x: torch.trapezoid(x), "x"),
        ("torch.aminmax", lambda x: torch.aminmax(x, dim=2)[0], "x"),
        ("torch.count_nonzero", lambda x: torch.count_nonzero(x > 0, dim=2), "x"),
        ("torch.any@dim", lambda r: (r > 0).any(1), "r"),
        ("torch.argsort", lambda x: torch.argsort(x, 2), "x"),
        ("torch.sort@stable", lambda x: torch.sort(x, stable=True, dim=2)[0], "x"),
        ("torch.topk", lambda x: torch.topk(x, 2, 2)[0], "x"),
        ("torch.msort", lambda x: torch.msort(x), "x"),
        # linear algebra, distances
        ("torch.cdist", lambda t: torch.cdist(t, t + 1), "t"),
        ("torch.bmm", lambda t: torch.bmm(t, t.transpose(1, 2)), "t"),
        ("torch.einsum", lambda t: torch.einsum("bik,bjk->bij", t, t), "t"),
        ("torch.baddbmm", lambda t: torch.baddbmm(torch.zeros(1), t, t.transpose(1, 2)), "t"),
        ("torch.tensordot", lambda t: torch.tensordot(t, torch.ones(8, 2), dims=1), "t"),
        ("torch.cross", lambda p: torch.cross(p[:, 0], p[:, 1], dim=1), "p"),
        ("torch.linalg.inv", lambda p: torch.linalg.inv(p), "p"),
        ("torch.inverse", lambda p: torch.inverse(p), "p"),
        ("torch.linalg.solve", lambda p: torch.linalg.solve(p, p[:, :, :1]), "p"),
        ("torch.linalg.cholesky", lambda p: torch.linalg.cholesky(p), "p"),
        ("torch.linalg.svd", lambda p: torch.linalg.svdvals(p), "p"),
        ("torch.linalg.eigh", lambda p: torch.linalg.eigvalsh(p), "p"),
        ("torch.linalg.qr", lambda p: torch.linalg.qr(p)[1].abs(), "p"),
        ("torch.linalg.det", lambda p: torch.linalg.det(p), "p"),
        ("torch.linalg.norm", lambda p: torch.linalg.norm(p, dim=1), "p"),
        ("torch.linalg.vector_norm", lambda p: torch.linalg.vector_norm(p, dim=1), "p"),
        ("torch.linalg.matrix_norm", lambda p: torch.linalg.matrix_norm(p), "p"),
        ("torch.norm", lambda p: torch.norm(p, dim=1), "p"),
        ("torch.sparse.mm", lambda r: torch.sparse.mm(torch.eye(4).to_sparse(), r.T), "r"),
        # complex, spectral
        ("torch.fft.fft", lambda x: torch.fft.fft(x).real, "x"),
        ("torch.fft.rfft", lambda x: torch.fft.rfft(x).abs(), "x"),
        ("torch.fft.irfft", lambda x: torch.fft.irfft(torch.fft.rfft(x)), "x"),
        ("torch.fft.fft2", lambda i: torch.fft.fft2(i).real, "i"),
        ("torch.fft.rfft2", lambda i: torch.fft.rfft2(i).real, "i"),
        ("torch.stft", lambda w: torch.stft(w, 64, 16, window=torch.ones(64), return_complex=False), "w"),
        ("torch.stft:return_complex=True", lambda w: torch.stft(w, 64, 16, window=torch.ones(64), return_complex=True).abs(), "w"),
        ("torch.istft", lambda w: torch.istft(torch.stft(w, 64, 16, window=torch.ones(64), return_complex=True), 64, 16, window=torch.ones(64)), "w"),
        ("torch.view_as_complex", _complex_rope, "q"),
        ("torch.polar", lambda x: torch.polar(x.abs(), x).real, "x"),
        ("torch.angle", lambda x: torch.angle(torch.complex(x, x)), "x"),
        # arithmetic
        ("torch.floor_divide", lambda x: torch.floor_divide(x, 2.0), "x"),
        ("torch.fmod", lambda x: torch.fmod(x, 1.5), "x"),
        ("torch.remainder", lambda x: torch.remainder(x, 1.5), "x"),
        ("torch.remainder@int", lambda n: torch.remainder(n - 2, 3), "n"),
        ("torch.div:rounding_mode='floor'", lambda n: torch.div(n - 3, 2, rounding_mode="floor"), "n"),
        ("torch.div:rounding_mode='trunc'", lambda n: torch.div(n - 3, 2, rounding_mode="trunc"), "n"),
        ("torch.round:decimals", lambda x: torch.round(x, decimals=2), "x"),
        ("torch.bitwise_and", lambda n: n & 1, "n"),
        ("torch.bitwise_left_shift", lambda n: n << 1, "n"),
        ("torch.logical_xor", lambda r: torch.logical_xor(r > 0, r < 1), "r"),
        ("torch.erfinv", lambda x: torch.erfinv(x.tanh()), "x"),
        ("torch.lgamma", lambda x: torch.lgamma(x.abs() + 1), "x"),
        ("torch.digamma", lambda x: torch.digamma(x.abs() + 1), "x"),
        ("torch.special.i0", lambda x: torch.special.i0(x), "x"),
        ("torch.sinc", lambda x: torch.sinc(x), "x"),
        ("torch.log1p", lambda x: torch.log1p(x.abs()), "x"),
        ("torch.expm1", lambda x: torch.expm1(x), "x"),
        ("torch.atan2", lambda x, y: torch.atan2(x, y), "xy"),
        ("torch.hypot", lambda x, y: torch.hypot(x, y), "xy"),
        ("torch.logaddexp", lambda x, y: torch.logaddexp(x, y), "xy"),
        ("torch.lerp", lambda x, y: torch.lerp(x, y, 0.3), "xy"),
        ("torch.addcmul", lambda x, y: torch.addcmul(x, x, y), "xy"),
        ("torch.copysign", lambda x, y: torch.copysign(x, y), "xy"),
        ("torch.heaviside", lambda x: torch.heaviside(x, torch.tensor(0.5)), "x"),
        ("torch.isclose", lambda x, y: torch.isclose(x, y), "xy"),
        ("torch.isin", lambda n: torch.isin(n, torch.tensor([0, 2])), "n"),
        ("torch.renorm", lambda x: torch.renorm(x, 2, 1, 1.0), "x"),
        ("torch.clamp@tensors", lambda x, y: torch.clamp(x, y.amin(), y.amax()), "xy"),
        ("torch.frac", lambda x: torch.frac(x), "x"),
        ("torch.rsub", lambda x: 1 - x, "x"),
        # random
        ("torch.rand_like", lambda x: torch.rand_like(x), "x"),
        ("torch.randn@size", lambda x: torch.randn(x.shape[0], 4), "x"),
        ("torch.bernoulli", lambda x: torch.bernoulli(x.sigmoid()), "x"),
        ("torch.multinomial", lambda r: torch.multinomial(r.softmax(1), 1), "r"),
        ("torch.randperm", lambda r: r[torch.randperm(r.shape[0])], "r"),
        ("torch.nn.functional.dropout", lambda x: F.dropout(x, 0.5), "x"),
    )
)  # fmt: skip
