"""Classes of ``torch.nn`` over sequences: recurrent layers, attention, transformers."""

from __future__ import annotations

from onnx_lint.semantics.catalogue.shapes import arguments as read
from onnx_lint.semantics.catalogue.shapes.module_registry import (
    Settings,
    Tensors,
    dtype_of,
    module,
    unknown_tensors,
)  # fmt: skip
from onnx_lint.semantics.catalogue.shapes.registry import Call, NotKnown, Parameter
from onnx_lint.semantics.domain.dims import Dim
from onnx_lint.semantics.domain.shapes import Shape, TensorType, Value

_GATES = {"RNN": 1, "LSTM": 4, "GRU": 3}


def _recurrent_init(kind: str) -> tuple[Parameter, ...]:
    """The parameters of the constructor, which torch writes as ``*args`` (torch/nn/modules/rnn.py, 2.13)."""
    rows: list[tuple[str, Value]] = [("num_layers", 1), ("bias", True), ("batch_first", False), ("dropout", 0.0)]
    rows += [("bidirectional", False)]
    if kind == "RNN":
        rows.insert(1, ("nonlinearity", "tanh"))
    optional = [
        Parameter(n, v, required=False) for n, v in [*rows, ("proj_size", 0), ("device", None), ("dtype", None)]
    ]
    return (Parameter("input_size", None, required=True), Parameter("hidden_size", None, required=True), *optional)


def _directions(settings: Settings) -> int:
    return 2 if read.flag(settings["bidirectional"]) else 1


def _output_width(settings: Settings) -> Dim:
    projected = read.size(settings["proj_size"])
    return read.size(settings["hidden_size"]) if projected == 0 else projected


def _recurrent_tensors(kind: str, settings: Settings) -> Tensors:
    hidden, into, dtype = read.size(settings["hidden_size"]), read.size(settings["input_size"]), dtype_of(settings)
    gates, width = _GATES[kind] * hidden, _output_width(settings)
    tensors: Tensors = {}
    for layer in range(read.count(settings["num_layers"])):
        for suffix in ("", "_reverse")[: _directions(settings)]:
            width_in = into if layer == 0 else width * _directions(settings)
            tensors[f"weight_ih_l{layer}{suffix}"] = TensorType((gates, width_in), dtype)
            tensors[f"weight_hh_l{layer}{suffix}"] = TensorType((gates, width), dtype)
            if read.flag(settings["bias"]):
                tensors[f"bias_ih_l{layer}{suffix}"] = TensorType((gates,), dtype)
                tensors[f"bias_hh_l{layer}{suffix}"] = TensorType((gates,), dtype)
            if width != hidden:
                tensors[f"weight_hr_l{layer}{suffix}"] = TensorType((width, hidden), dtype)
    return tensors


def _recurrent(call: Call, kind: str, settings: Settings, input: Value) -> Value:
    x = read.tensor(input)
    shape = read.shape_of(x)
    call.equal(shape[-1], read.size(settings["input_size"]), "features of a recurrent layer")
    both, width = _directions(settings), _output_width(settings)
    stacked = read.size(settings["num_layers"]) * both
    batch: Shape = () if len(shape) == 2 else (shape[0 if read.flag(settings["batch_first"]) else 1],)
    output = TensorType((*shape[:-1], width * both), x.dtype)
    state = TensorType((stacked, *batch, width), x.dtype)
    if kind != "LSTM":
        return output, state
    return output, (state, TensorType((stacked, *batch, read.size(settings["hidden_size"])), x.dtype))


def _register_recurrent(kind: str) -> None:
    def tensors(settings: Settings) -> Tensors:
        return _recurrent_tensors(kind, settings)

    @module(kind, tensors=tensors, init=_recurrent_init(kind))
    def model(call: Call, settings: Settings, input: Value, hx: Value = None) -> Value:
        return _recurrent(call, kind, settings, input)


def _register_cell(kind: str) -> None:
    def tensors(settings: Settings) -> Tensors:
        hidden, into, dtype = read.size(settings["hidden_size"]), read.size(settings["input_size"]), dtype_of(settings)
        gates = _GATES[kind] * hidden
        found = {"weight_ih": TensorType((gates, into), dtype), "weight_hh": TensorType((gates, hidden), dtype)}
        if read.flag(settings["bias"]):
            found |= {"bias_ih": TensorType((gates,), dtype), "bias_hh": TensorType((gates,), dtype)}
        return found

    @module(f"{kind}Cell", tensors=tensors)
    def model(call: Call, settings: Settings, input: Value, hx: Value = None) -> Value:
        x = read.tensor(input)
        shape = read.shape_of(x)
        call.equal(shape[-1], read.size(settings["input_size"]), "features of a recurrent cell")
        state = TensorType((*shape[:-1], read.size(settings["hidden_size"])), x.dtype)
        return (state, state) if kind == "LSTM" else state


for _kind in _GATES:
    _register_recurrent(_kind)
    _register_cell(_kind)


def _attention_tensors(settings: Settings) -> Tensors:
    width, dtype = read.size(settings["embed_dim"]), dtype_of(settings)
    key, value = (width if settings[n] is None else read.size(settings[n]) for n in ("kdim", "vdim"))
    tensors: Tensors = {}
    if key == width and value == width:
        tensors["in_proj_weight"] = TensorType((3 * width, width), dtype)
    else:
        for name, of in (("q", width), ("k", key), ("v", value)):
            tensors[f"{name}_proj_weight"] = TensorType((width, of), dtype)
    tensors["out_proj.weight"] = TensorType((width, width), dtype)
    if read.flag(settings["bias"]):
        tensors |= {"in_proj_bias": TensorType((3 * width,), dtype), "out_proj.bias": TensorType((width,), dtype)}
    if read.flag(settings["add_bias_kv"]):
        tensors |= {"bias_k": TensorType((1, 1, width), dtype), "bias_v": TensorType((1, 1, width), dtype)}
    return tensors


@module("MultiheadAttention", tensors=_attention_tensors)
def multihead_attention(
    call: Call, settings: Settings, query: Value, key: Value, value: Value, key_padding_mask: Value = None,
    need_weights: Value = True, attn_mask: Value = None, average_attn_weights: Value = True, is_causal: Value = False,
) -> Value:  # fmt: skip
    x = read.tensor(query)
    output = x
    if x.shape is not None:
        call.equal(x.shape[-1], read.size(settings["embed_dim"]), "features of attention")
    if not read.flag(need_weights):
        return output, None
    return output, TensorType(_weights_shape(settings, x, read.tensor(key), average_attn_weights), x.dtype)


def _weights_shape(settings: Settings, query: TensorType, key: TensorType, average: Value) -> Shape | None:
    try:
        q, k = read.shape_of(query), read.shape_of(key)
        at = 1 if len(q) == 3 and read.flag(settings["batch_first"]) else 0
        extra = int(read.flag(settings["add_bias_kv"])) + int(read.flag(settings["add_zero_attn"]))
        batch: Shape = (q[1 - at],) if len(q) == 3 else ()
        heads: Shape = () if read.flag(average) else (read.size(settings["num_heads"]),)
        return (*batch, *heads, q[at], k[at] + extra)
    except NotKnown:
        return None


def _last_is(call: Call, settings: Settings, value: Value) -> TensorType:
    x = read.tensor(value)
    if x.shape is None or "d_model" not in settings:
        return x
    call.equal(x.shape[-1], read.size(settings["d_model"]), "features of a transformer")
    return x


def _prefixed(prefix: str, tensors: Tensors) -> Tensors:
    return {f"{prefix}.{name}": t for name, t in tensors.items()}


def _layer_tensors(settings: Settings, norms: int, attentions: tuple[str, ...]) -> Tensors:
    width, inner, dtype = read.size(settings["d_model"]), read.size(settings["dim_feedforward"]), dtype_of(settings)
    bias = read.flag(settings["bias"])
    attention: Settings = {
        "embed_dim": width, "kdim": None, "vdim": None, "bias": bias, "add_bias_kv": False,
        "dtype": settings.get("dtype")
    }  # fmt: skip
    tensors: Tensors = {}
    for name in attentions:
        tensors |= _prefixed(name, _attention_tensors(attention))
    tensors |= {
        "linear1.weight": TensorType((inner, width), dtype),
        "linear2.weight": TensorType((width, inner), dtype),
    }
    for i in range(1, norms + 1):
        tensors[f"norm{i}.weight"] = TensorType((width,), dtype)
        if bias:
            tensors[f"norm{i}.bias"] = TensorType((width,), dtype)
    if bias:
        tensors |= {"linear1.bias": TensorType((inner,), dtype), "linear2.bias": TensorType((width,), dtype)}
    return tensors


def _encoder_layer_tensors(settings: Settings) -> Tensors:
    return _layer_tensors(settings, 2, ("self_attn",))


def _decoder_layer_tensors(settings: Settings) -> Tensors:
    return _layer_tensors(settings, 3, ("self_attn", "multihead_attn"))


@module("TransformerEncoderLayer", tensors=_encoder_layer_tensors)
def encoder_layer(
    call: Call, settings: Settings, src: Value, src_mask: Value = None, src_key_padding_mask: Value = None,
    is_causal: Value = False,
) -> Value:  # fmt: skip
    return _last_is(call, settings, src)


@module("TransformerDecoderLayer", tensors=_decoder_layer_tensors)
def decoder_layer(
    call: Call, settings: Settings, tgt: Value, memory: Value, tgt_mask: Value = None, memory_mask: Value = None,
    tgt_key_padding_mask: Value = None, memory_key_padding_mask: Value = None, tgt_is_causal: Value = False,
    memory_is_causal: Value = False,
) -> Value:  # fmt: skip
    return _last_is(call, settings, tgt)


@module("TransformerEncoder", tensors=unknown_tensors)
def encoder(
    call: Call, settings: Settings, src: Value, mask: Value = None, src_key_padding_mask: Value = None,
    is_causal: Value = None,
) -> Value:  # fmt: skip
    return read.tensor(src)


@module("TransformerDecoder", tensors=unknown_tensors)
def decoder(
    call: Call, settings: Settings, tgt: Value, memory: Value, tgt_mask: Value = None, memory_mask: Value = None,
    tgt_key_padding_mask: Value = None, memory_key_padding_mask: Value = None, tgt_is_causal: Value = None,
    memory_is_causal: Value = False,
) -> Value:  # fmt: skip
    return read.tensor(tgt)


@module("Transformer", tensors=unknown_tensors)
def transformer(
    call: Call, settings: Settings, src: Value, tgt: Value, src_mask: Value = None, tgt_mask: Value = None,
    memory_mask: Value = None, src_key_padding_mask: Value = None, tgt_key_padding_mask: Value = None,
    memory_key_padding_mask: Value = None, src_is_causal: Value = None, tgt_is_causal: Value = None,
    memory_is_causal: Value = False,
) -> Value:  # fmt: skip
    _last_is(call, settings, src)
    return _last_is(call, settings, tgt)
