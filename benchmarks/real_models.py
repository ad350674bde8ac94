"""Models of timm, torchvision and transformers with random weights, small where the default is huge.

Each name in `MODELS` is an attribute of this module that builds the model, so that it can be exported by
``onnx-lint --export benchmarks/real_models.py:NAME --input …``.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any


@dataclass(frozen=True)
class Model:
    """How to build a model, and its inputs as ``--input`` takes them."""

    build: Callable[[], Any]
    inputs: tuple[str, ...]


def _import_torchvision() -> Any:
    """Both other libraries import it; see there what it needs."""
    from export_torchvision import load

    return load()


def _torchvision(name: str, **options: Any) -> Any:
    models: Any = _import_torchvision().models
    for part in name.split("."):
        models = getattr(models, part)
    return models(weights=None, **options)


def _timm(name: str, **options: Any) -> Any:
    _import_torchvision()
    import timm

    return timm.create_model(name, pretrained=False, **options)


def _transformers(name: str, config: str, **options: Any) -> Any:
    _import_torchvision()
    import transformers

    return getattr(transformers, name)(getattr(transformers, config)(**{"return_dict": False, **options}))


_SMALL = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 4, "intermediate_size": 64}
_WORDS = {**_SMALL, "vocab_size": 100, "max_position_embeddings": 64}
_CAUSAL = {**_WORDS, "use_cache": False}
_INSIDE = {**_CAUSAL, "return_dict": True}  # the head reads an attribute of what the model below returns
_GROUPED = {**_INSIDE, "num_key_value_heads": 2}
_PICTURE = {**_SMALL, "image_size": 64, "patch_size": 16}
_IDS = ("input_ids:int64[n=2,s=7]=100",)
_IDS_AND_MASK = (*_IDS, "attention_mask:int64[n,s]=1..2")
_PIXELS = ("pixel_values:float32[n=2,3,64,64]",)


def _picture(side: int, name: str = "x") -> tuple[str, ...]:
    return (f"{name}:float32[n=2,3,{side},{side}]",)


_VISION: dict[str, tuple[int, dict[str, Any]]] = {
    "alexnet": (96, {}),
    "resnet18": (64, {}),
    "resnet50": (64, {}),
    "densenet121": (64, {}),
    "googlenet": (96, {"init_weights": False}),
    "inception_v3": (128, {"init_weights": False}),
    "squeezenet1_1": (64, {}),
    "mobilenet_v2": (64, {}),
    "mobilenet_v3_small": (64, {}),
    "mnasnet0_5": (64, {}),
    "shufflenet_v2_x0_5": (64, {}),
    "efficientnet_b0": (64, {}),
    "regnet_y_400mf": (64, {}),
    "convnext_tiny": (64, {}),
    "vit_b_32": (64, {"image_size": 64}),
    "swin_t": (64, {}),
    "segmentation.lraspp_mobilenet_v3_large": (64, {"weights_backbone": None}),
    "segmentation.fcn_resnet50": (64, {"weights_backbone": None}),
    "segmentation.deeplabv3_mobilenet_v3_large": (64, {"weights_backbone": None}),
}
_TIMM: dict[str, tuple[int, dict[str, Any]]] = {
    "resnet26d": (64, {}),
    "efficientnet_lite0": (64, {}),
    "ghostnet_050": (64, {}),
    "tinynet_e": (64, {}),
    "repvgg_a0": (64, {}),
    "hrnet_w18_small": (64, {}),
    "mobilevit_xxs": (64, {}),
    "levit_128s": (224, {}),
    "deit_tiny_patch16_224": (64, {"img_size": 64, "depth": 3}),
    "vit_tiny_patch16_224": (64, {"img_size": 64, "depth": 3}),
    "beit_base_patch16_224": (64, {"img_size": 64, "depth": 2}),
    "eva02_tiny_patch14_224": (56, {"img_size": 56, "depth": 2}),
    "cait_xxs24_224": (64, {"img_size": 64, "depth": 2}),
    "xcit_nano_12_p16_224": (64, {"depth": 2}),
    "coat_lite_tiny": (64, {"img_size": 64}),
    "crossvit_tiny_240": (240, {}),
    "pit_ti_224": (224, {}),
    "visformer_tiny": (64, {"img_size": 64}),
    "mixer_s32_224": (64, {"img_size": 64}),
    "poolformer_s12": (64, {}),
    "edgenext_xx_small": (64, {}),
    "mambaout_femto": (64, {}),
    "swinv2_cr_tiny_224": (64, {"img_size": 64, "window_size": 2}),
}
_WORD_MODELS: dict[str, tuple[str, str, dict[str, Any], tuple[str, ...]]] = {
    "bert": ("BertModel", "BertConfig", _WORDS, _IDS_AND_MASK),
    "roberta": ("RobertaModel", "RobertaConfig", _WORDS, _IDS),
    "electra": ("ElectraModel", "ElectraConfig", {**_WORDS, "embedding_size": 32}, _IDS),
    "albert": ("AlbertModel", "AlbertConfig", {**_WORDS, "embedding_size": 16}, _IDS),
    "distilbert": (
        "DistilBertModel",
        "DistilBertConfig",
        {"vocab_size": 100, "dim": 32, "n_layers": 2, "n_heads": 4, "hidden_dim": 64},
        _IDS_AND_MASK,
    ),
    "mpnet": ("MPNetModel", "MPNetConfig", _WORDS, _IDS),
    "deberta_v2": ("DebertaV2Model", "DebertaV2Config", {**_WORDS, "relative_attention": True}, _IDS_AND_MASK),
    "fnet": ("FNetModel", "FNetConfig", {**_WORDS, "max_position_embeddings": 16}, _IDS),
    "gpt2": (
        "GPT2LMHeadModel",
        "GPT2Config",
        {"vocab_size": 100, "n_positions": 64, "n_embd": 32, "n_layer": 2, "n_head": 4, "use_cache": False},
        _IDS,
    ),
    "gpt_neox": ("GPTNeoXForCausalLM", "GPTNeoXConfig", _INSIDE, _IDS),
    "opt": (
        "OPTForCausalLM",
        "OPTConfig",
        {**_CAUSAL, "ffn_dim": 64, "word_embed_proj_dim": 32},
        _IDS_AND_MASK,
    ),
    "llama": ("LlamaForCausalLM", "LlamaConfig", _GROUPED, _IDS),
    "mistral": ("MistralForCausalLM", "MistralConfig", _GROUPED, _IDS),
    "qwen2": ("Qwen2ForCausalLM", "Qwen2Config", _GROUPED, _IDS_AND_MASK),
    "gemma": ("GemmaForCausalLM", "GemmaConfig", {**_GROUPED, "head_dim": 8}, _IDS),
    "phi": ("PhiForCausalLM", "PhiConfig", _INSIDE, _IDS),
    "t5_encoder": (
        "T5EncoderModel",
        "T5Config",
        {"vocab_size": 100, "d_model": 32, "d_kv": 8, "d_ff": 64, "num_layers": 2, "num_heads": 4},
        _IDS_AND_MASK,
    ),
    "clip_text": ("CLIPTextModel", "CLIPTextConfig", {**_WORDS, "eos_token_id": 2}, _IDS),
    "clip_vision": ("CLIPVisionModel", "CLIPVisionConfig", _PICTURE, _PIXELS),
    "vit": ("ViTModel", "ViTConfig", _PICTURE, _PIXELS),
    "dinov2": ("Dinov2Model", "Dinov2Config", _PICTURE, _PIXELS),
    "segformer": (
        "SegformerModel",
        "SegformerConfig",
        {"hidden_sizes": [8, 16, 40, 64], "depths": [1, 1, 1, 1]},
        _PIXELS,
    ),
    "wav2vec2": (
        "Wav2Vec2Model",
        "Wav2Vec2Config",
        {**_SMALL, "conv_dim": [16] * 7, "num_conv_pos_embeddings": 16, "num_conv_pos_embedding_groups": 4},
        ("input_values:float32[n=2,t=1600|2000]",),
    ),
}

MODELS: dict[str, Model] = {
    **{
        f"torchvision_{name.rpartition('.')[2]}": Model(
            partial(_torchvision, name, **options), _picture(side, "input" if "lraspp" in name else "x")
        )
        for name, (side, options) in _VISION.items()
    },
    **{
        f"timm_{name}": Model(partial(_timm, name, **options), _picture(side))
        for name, (side, options) in _TIMM.items()
    },
    **{
        f"transformers_{name}": Model(partial(_transformers, kind, config, **options), inputs)
        for name, (kind, config, options, inputs) in _WORD_MODELS.items()
    },
}


def __getattr__(name: str) -> Any:
    """Each model's factory under the model's name."""
    if name in MODELS:
        return MODELS[name].build
    raise AttributeError(name)
