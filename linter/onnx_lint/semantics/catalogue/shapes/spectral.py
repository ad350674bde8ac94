"""``torch.fft`` and short-time transforms."""

from __future__ import annotations

from onnx_lint.semantics.catalogue.shapes import arguments as read
from onnx_lint.semantics.catalogue.shapes.dtype_rules import complex_, default_float, given, real, same
from onnx_lint.semantics.catalogue.shapes.registry import Call, NotKnown, shape
from onnx_lint.semantics.domain.dims import Dim
from onnx_lint.semantics.domain.shapes import Shape, TensorType, Value


def _one(input: Value, n: Value, dim: Value) -> tuple[Shape, int, Dim]:
    x = read.shape_of(input)
    at = read.axis(dim, len(x))
    return x, at, x[at] if n is None else read.size(n)


@shape("torch.fft.fft", "torch.fft.ifft", dtype=complex_(same()))
def fft(call: Call, input: Value, n: Value = None, dim: Value = -1, norm: Value = None) -> Shape:
    x, at, length = _one(input, n, dim)
    return read.replaced(x, at, length)


@shape("torch.fft.rfft", "torch.fft.ihfft", dtype=complex_(same()))
def rfft(call: Call, input: Value, n: Value = None, dim: Value = -1, norm: Value = None) -> Shape:
    x, at, length = _one(input, n, dim)
    return read.replaced(x, at, length // 2 + 1)


@shape("torch.fft.irfft", "torch.fft.hfft", dtype=real(complex_(same())))
def irfft(call: Call, input: Value, n: Value = None, dim: Value = -1, norm: Value = None) -> Shape:
    x, at, length = _one(input, n, dim)
    return read.replaced(x, at, 2 * (length - 1) if n is None else length)


def _many(input: Value, s: Value, dim: Value) -> tuple[list[Dim], tuple[int, ...]]:
    x = read.shape_of(input)
    lengths = None if s is None else read.sizes(s)
    if dim is not None:
        at = read.axes(dim, len(x))
    else:
        at = tuple(range(len(x) - (len(x) if lengths is None else len(lengths)), len(x)))
    found = list(x)
    for i, a in enumerate(at):
        if lengths is not None and lengths[i] != -1:
            found[a] = lengths[i]
    return found, at


@shape("torch.fft.fftn", "torch.fft.ifftn", dtype=complex_(same()))
def fftn(call: Call, input: Value, s: Value = None, dim: Value = None, norm: Value = None) -> Shape:
    return tuple(_many(input, s, dim)[0])


@shape("torch.fft.rfftn", "torch.fft.ihfftn", dtype=complex_(same()))
def rfftn(call: Call, input: Value, s: Value = None, dim: Value = None, norm: Value = None) -> Shape:
    found, at = _many(input, s, dim)
    if at:
        found[at[-1]] = found[at[-1]] // 2 + 1
    return tuple(found)


@shape("torch.fft.irfftn", "torch.fft.hfftn", dtype=real(complex_(same())))
def irfftn(call: Call, input: Value, s: Value = None, dim: Value = None, norm: Value = None) -> Shape:
    found, at = _many(input, s, dim)
    if at and (s is None or read.sizes(s)[-1] == -1):
        found[at[-1]] = 2 * (found[at[-1]] - 1)
    return tuple(found)


@shape("torch.fft.fft2", "torch.fft.ifft2", dtype=complex_(same()))
def fft2(call: Call, input: Value, s: Value = None, dim: Value = (-2, -1), norm: Value = None) -> Shape:
    return fftn(call, input, s, dim)


@shape("torch.fft.rfft2", "torch.fft.ihfft2", dtype=complex_(same()))
def rfft2(call: Call, input: Value, s: Value = None, dim: Value = (-2, -1), norm: Value = None) -> Shape:
    return rfftn(call, input, s, dim)


@shape("torch.fft.irfft2", "torch.fft.hfft2", dtype=real(complex_(same())))
def irfft2(call: Call, input: Value, s: Value = None, dim: Value = (-2, -1), norm: Value = None) -> Shape:
    return irfftn(call, input, s, dim)


@shape("torch.fft.fftshift", "torch.fft.ifftshift", dtype=same())
def fftshift(call: Call, input: Value, dim: Value = None) -> Shape:
    return read.shape_of(input)


@shape("torch.fft.fftfreq", dtype=given(default_float))
def fftfreq(call: Call, n: Value, d: Value = 1.0, *, dtype: Value = None) -> Shape:
    return (read.size(n),)


@shape("torch.fft.rfftfreq", dtype=given(default_float))
def rfftfreq(call: Call, n: Value, d: Value = 1.0, *, dtype: Value = None) -> Shape:
    return (read.size(n) // 2 + 1,)


@shape("torch.stft", dtype=lambda bound: _stft_dtype(bound["input"], bound["return_complex"]))
def stft(
    call: Call, input: Value, n_fft: Value, hop_length: Value = None, win_length: Value = None, window: Value = None,
    center: Value = True, pad_mode: Value = "reflect", normalized: Value = False, onesided: Value = None,
    return_complex: Value = None, align_to_window: Value = None,
) -> Shape:  # fmt: skip
    *batch, length = read.shape_of(input)
    width = read.size(n_fft)
    hop = width // 4 if hop_length is None else read.size(hop_length)
    dtype = input.dtype if isinstance(input, TensorType) else None
    if onesided is None and (
        dtype is None or (isinstance(window, TensorType) and (window.dtype or "c").startswith("c"))
    ):
        raise NotKnown
    half = not dtype.startswith("complex") if onesided is None and dtype is not None else read.flag(onesided)
    padded = length + 2 * (width // 2) if read.flag(center) else length
    found = (*batch, width // 2 + 1 if half else width, (padded - width) // hop + 1)
    return found if _gives_complex(dtype, return_complex) else (*found, 2)


def _stft_dtype(input: Value, return_complex: Value) -> str | None:
    if not isinstance(input, TensorType) or input.dtype is None:
        return None
    rule = complex_(same()) if _gives_complex(input.dtype, return_complex) else real(same())
    return rule({"input": input})


def _gives_complex(dtype: str | None, return_complex: Value) -> bool:
    """A complex signal gives complex numbers unless it is asked otherwise."""
    if return_complex is None and dtype is None:
        raise NotKnown
    return read.flag(return_complex) or (return_complex is None and dtype is not None and dtype.startswith("complex"))


@shape("torch.istft", dtype=lambda bound: _stft_dtype(bound["input"], bound["return_complex"]))
def istft(
    call: Call, input: Value, n_fft: Value, hop_length: Value = None, win_length: Value = None, window: Value = None,
    center: Value = True, normalized: Value = False, onesided: Value = None, length: Value = None,
    return_complex: Value = False,
) -> Shape:  # fmt: skip
    *batch, _, frames = read.shape_of(input)
    width = read.size(n_fft)
    hop = width // 4 if hop_length is None else read.size(hop_length)
    if length is not None:
        return (*batch, read.size(length))
    whole = width + hop * (frames - 1)
    return (*batch, whole - 2 * (width // 2) if read.flag(center) else whole)
