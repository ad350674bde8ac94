"""Sizes that a model was built for, as its layers and its configuration have them."""

from __future__ import annotations

from collections.abc import Iterator

import torch

from .execution import Model

_SETTINGS = ("img_size", "image_size", "input_size", "input_resolution")
"""Attributes by which vision models, their configurations and their parts say for which size of picture they are."""


def layer_sizes(model: Model, rank: int) -> Iterator[tuple[int, int]]:
    """Axis and size that the layers take of an input of `rank` dimensions, in the order of the layers."""
    nn = torch.nn
    convolutions = (nn.Conv1d, nn.Conv2d, nn.Conv3d, nn.ConvTranspose1d, nn.ConvTranspose2d, nn.ConvTranspose3d)
    for module in model.modules() if isinstance(model, nn.Module) else ():
        if isinstance(module, convolutions) and len(module.kernel_size) == rank - 2:
            yield 1, module.in_channels
        elif isinstance(module, (nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d)):
            yield 1, module.num_features
        elif isinstance(module, nn.Linear):
            yield rank - 1, module.in_features
        elif isinstance(module, nn.LayerNorm):
            yield rank - 1, module.normalized_shape[-1]
        elif isinstance(module, nn.RNNBase):
            yield rank - 1, module.input_size


def picture_sizes(model: Model) -> Iterator[int]:
    """The widths of the pictures that it says it is for."""
    modules = list(model.modules()) if isinstance(model, torch.nn.Module) else []
    holders: list[object] = [model, *(getattr(model, name, None) for name in ("config", "pretrained_cfg"))]
    for holder in (*holders, *modules):
        for name in _SETTINGS:
            found = holder.get(name) if isinstance(holder, dict) else getattr(holder, name, None)
            if isinstance(found, int) and name != "input_size" and found > 4:
                yield found
            elif isinstance(found, (tuple, list)) and found and isinstance(found[-1], int) and found[-1] > 4:
                yield found[-1]
