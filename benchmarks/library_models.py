"""Models of libraries beside those of ``real_models.py``, whose exports fail in one engine or in both.

Each name in `MODELS` is an attribute of this module that builds the model. They need the libraries that they are named
after; weights are random, nothing is downloaded.
"""

from __future__ import annotations

from functools import partial
from importlib import import_module
from typing import Any

from export_torchvision import load
from real_models import Model


def _made(path: str, *args: Any, **options: Any) -> Any:
    """The object that a dotted path names, called."""
    load()  # some of the libraries import torchvision, which may need to be told of its own operators
    module, _, name = path.rpartition(".")
    return getattr(import_module(module), name)(*args, **options)


def _decoder(**options: Any) -> Any:
    x = import_module("x_transformers")
    layers = x.Decoder(dim=32, depth=2, heads=2, **options)
    return x.TransformerWrapper(num_tokens=100, max_seq_len=64, attn_layers=layers)


def _encoder(**options: Any) -> Any:
    x = import_module("x_transformers")
    layers = x.Encoder(dim=32, depth=1, heads=2, **options)
    return x.TransformerWrapper(num_tokens=100, max_seq_len=64, attn_layers=layers)


def _whisper_decoder() -> Any:
    model = import_module("whisper.model")
    return model.TextDecoder(n_vocab=100, n_ctx=32, n_state=32, n_head=2, n_layer=2)


def _quantizer(name: str = "VectorQuantize", **options: Any) -> Any:
    return _made(f"vector_quantize_pytorch.{name}", dim=16, codebook_size=32, **options).eval()


def _pna() -> Any:
    import torch

    nn = import_module("torch_geometric.nn")
    return nn.PNAConv(8, 8, ["mean", "max"], ["identity", "amplification"], torch.tensor([0, 1, 2, 1]))


_GRAPH = ("x:float32[n=5,8]", "edge_index:int64[2,e=7]=5")
_INDEXED = ("x:float32[n=5,8]", "index:int64[n]=2")
_WORDS = ("x:int64[n=2,s=7]=100",)
_SOUND = ("wav:float32[n=2,t=4000]",)

MODELS: dict[str, Model] = {
    "kornia_bilateral_blur": Model(
        partial(_made, "kornia.filters.BilateralBlur", (3, 3), 0.1, (1.5, 1.5)), ("input:float32[n=2,3,h=16,w=20]",)
    ),
    "kornia_median_blur": Model(
        partial(_made, "kornia.filters.MedianBlur", (3, 3)), ("input:float32[n=2,3,h=16,w=20]",)
    ),
    "kornia_canny": Model(partial(_made, "kornia.filters.Canny"), ("input:float32[n=2,3,h=16,w=20]=0..1",)),
    "kornia_unsharp": Model(
        partial(_made, "kornia.filters.UnsharpMask", (3, 3), (1.5, 1.5)), ("input:float32[n=2,3,h=16,w=20]",)
    ),
    "kornia_sift": Model(partial(_made, "kornia.feature.SIFTDescriptor", 32), ("input:float32[n=2,1,32,32]",)),
    "kornia_harris": Model(partial(_made, "kornia.feature.CornerHarris", 0.04), ("input:float32[n=2,1,h=16,w=20]",)),
    "geometric_gat": Model(partial(_made, "torch_geometric.nn.GATConv", 8, 4, heads=2), _GRAPH),
    "geometric_pna": Model(_pna, _GRAPH),
    "geometric_topk": Model(partial(_made, "torch_geometric.nn.TopKPooling", 8), _GRAPH),
    "geometric_sag": Model(partial(_made, "torch_geometric.nn.SAGPooling", 8), _GRAPH),
    "geometric_asap": Model(partial(_made, "torch_geometric.nn.ASAPooling", 8), _GRAPH),
    "geometric_set2set": Model(
        partial(_made, "torch_geometric.nn.aggr.Set2Set", 8, 2), ("x:float32[n=5,8]", "index:int64[n]=1")
    ),
    "geometric_sort": Model(
        partial(_made, "torch_geometric.nn.aggr.SortAggregation", 3), ("x:float32[n=5,8]", "index:int64[n]=1")
    ),
    "geometric_median": Model(partial(_made, "torch_geometric.nn.aggr.MedianAggregation"), _INDEXED),
    "geometric_softmax": Model(partial(_made, "torch_geometric.nn.aggr.SoftmaxAggregation", learn=True), _INDEXED),
    "kornia_joint_bilateral": Model(
        partial(_made, "kornia.filters.JointBilateralBlur", (3, 3), 0.1, (1.5, 1.5)),
        ("input:float32[n=2,3,h=16,w=20]", "guidance:float32[n,3,h,w]"),
    ),
    "kornia_laf_orienter": Model(
        partial(_made, "kornia.feature.LAFOrienter", 32), ("laf:float32[1,k=3,2,3]", "img:float32[1,1,h=48,w=48]")
    ),
    "x_transformers_t5_bias": Model(partial(_encoder, rel_pos_bias=True), _WORDS),
    "x_transformers_dynamic_bias": Model(partial(_encoder, dynamic_pos_bias=True), _WORDS),
    "residual_quantize": Model(partial(_quantizer, "ResidualVQ", num_quantizers=2), ("x:float32[n=2,s=7,16]",)),
    "random_quantize": Model(
        partial(_quantizer, "RandomProjectionQuantizer", num_codebooks=2, codebook_dim=8), ("x:float32[n=2,s=7,16]",)
    ),
    "sim_quantize": Model(
        partial(_made, "vector_quantize_pytorch.SimVQ", dim=16, codebook_size=32), ("x:float32[n=2,s=7,16]",)
    ),
    "nnaudio_mfcc": Model(
        partial(_made, "nnAudio.features.MFCC", sr=8000, n_fft=256, hop_length=64), ("x:float32[n=2,t=4000]",)
    ),
    "monai_unetr": Model(
        partial(
            _made,
            "monai.networks.nets.UNETR",
            in_channels=1,
            out_channels=2,
            img_size=32,
            spatial_dims=2,
            hidden_size=48,
            mlp_dim=48,
            num_heads=4,
            feature_size=4,
        ),
        ("x_in:float32[n=1,1,h=32,w=32]",),
    ),
    "monai_basic_unet": Model(
        partial(_made, "monai.networks.nets.BasicUNet", spatial_dims=2, features=(4, 4, 8, 8, 8, 4)),
        ("x:float32[n=1,1,h=32,w=32]",),
    ),
    "x_transformers_rotary": Model(partial(_decoder, rotary_pos_emb=True), _WORDS),
    "x_transformers_alibi": Model(partial(_decoder, alibi_pos_bias=True), _WORDS),
    "asteroid_convtasnet": Model(
        partial(
            _made,
            "asteroid.models.ConvTasNet",
            2,
            n_filters=16,
            bn_chan=8,
            hid_chan=16,
            skip_chan=8,
            n_blocks=2,
            n_repeats=1,
        ),
        _SOUND,
    ),
    "asteroid_dprnn": Model(
        partial(
            _made, "asteroid.models.DPRNNTasNet", 2, n_filters=16, bn_chan=8, hid_size=8, chunk_size=20, n_repeats=1
        ),
        _SOUND,
    ),
    "asteroid_sudormrf": Model(partial(_made, "asteroid.models.SuDORMRFNet", 2, bn_chan=8, num_blocks=1), _SOUND),
    "whisper_decoder": Model(_whisper_decoder, ("x:int64[n=2,s=7]=100", "xa:float32[n,9,32]")),
    "snac": Model(
        partial(
            _made,
            "snac.SNAC",
            encoder_dim=8,
            encoder_rates=[2, 2],
            decoder_dim=16,
            decoder_rates=[2, 2],
            vq_strides=[2, 1],
            attn_window_size=None,
            noise=False,
            codebook_size=16,
        ),
        ("audio_data:float32[n=2,1,t=64]",),
    ),
    "perceiver": Model(
        partial(
            _made,
            "perceiver_pytorch.Perceiver",
            num_freq_bands=2,
            depth=1,
            max_freq=4.0,
            input_channels=3,
            num_latents=4,
            latent_dim=16,
            cross_dim_head=8,
            latent_dim_head=8,
            num_classes=5,
        ),
        ("data:float32[n=2,h=8,w=9,3]",),
    ),
    "vector_quantize": Model(_quantizer, ("x:float32[n=2,s=7,16]",)),
    "lfq": Model(partial(_made, "vector_quantize_pytorch.LFQ", codebook_size=16, dim=4), ("x:float32[n=2,s=7,4]",)),
    "nnaudio_cqt": Model(partial(_made, "nnAudio.features.CQT1992v2", sr=8000, n_bins=24), ("x:float32[n=2,t=4000]",)),
    "nnaudio_vqt": Model(partial(_made, "nnAudio.features.VQT", sr=8000, n_bins=24), ("x:float32[n=2,t=4000]",)),
    "vit_pytorch_cct": Model(
        partial(
            _made,
            "vit_pytorch.cct.CCT",
            img_size=(32, 32),
            embedding_dim=32,
            n_conv_layers=1,
            num_layers=1,
            num_heads=2,
            num_classes=5,
        ),
        ("x:float32[n=2,3,32,32]",),
    ),
    "vit_pytorch_regionvit": Model(
        partial(
            _made,
            "vit_pytorch.regionvit.RegionViT",
            dim=(8, 16, 24, 32),
            depth=(1, 1, 1, 1),
            window_size=2,
            num_classes=5,
        ),
        ("x:float32[n=2,3,64,64]",),
    ),
    "vit_pytorch_twins": Model(
        partial(
            _made,
            "vit_pytorch.twins_svt.TwinsSVT",
            num_classes=5,
            s1_emb_dim=8,
            s2_emb_dim=8,
            s3_emb_dim=8,
            s4_emb_dim=8,
            s3_depth=1,
        ),
        ("x:float32[n=2,3,h=64,w=64]",),
    ),
}


def __getattr__(name: str) -> Any:
    """Each model's factory under the model's name."""
    if name in MODELS:
        return MODELS[name].build
    raise AttributeError(name)
