"""A one-level detection head with what one finds in real ones. Compare `detection_head_repaired.py`."""
from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn


def grid_of(feature: Tensor, stride: int) -> Tensor:
    """The centre of every cell, in pixels."""
    height, width = int(feature.shape[2]), int(feature.shape[3])
    ys, xs = np.meshgrid(np.arange(height), np.arange(width), indexing="ij")
    centres = np.stack((xs, ys), axis=-1).reshape(-1, 2) + 0.5
    return torch.from_numpy(centres).float() * stride


class DetectionHead(nn.Module):
    def __init__(self, channels: int = 16, classes: int = 5, stride: int = 8) -> None:
        super().__init__()
        self.classes = classes
        self.stride = stride
        self.boxes = nn.Conv2d(channels, 4, 1)
        self.scores = nn.Conv2d(channels, classes, 1)

    def decode(self, offsets: Tensor, grid: Tensor) -> Tensor:
        left, top, right, bottom = offsets.permute(2, 0, 1)
        x1, y1 = grid[:, 0] - left, grid[:, 1] - top
        x2, y2 = grid[:, 0] + right, grid[:, 1] + bottom
        return torch.stack((x1, y1, x2, y2), dim=-1)

    def forward(self, feature: Tensor) -> tuple[Tensor, Tensor, Tensor, int]:
        batch, _, height, width = feature.shape
        cells = height
        cells *= width
        offsets = self.boxes(feature).flatten(2).transpose(1, 2).exp() * self.stride
        scores = self.scores(feature).flatten(2).transpose(1, 2).sigmoid()
        boxes = self.decode(offsets, grid_of(feature, self.stride))
        limit = torch.tensor([width, height, width, height]) * self.stride
        boxes = torch.minimum(boxes.clamp(min=0), limit.to(boxes.dtype))
        best = []
        for image in scores:
            best.append(image.max(dim=0).values)
        keep = min(cells, 10)
        top = scores.amax(-1).topk(keep, dim=1).indices
        boxes = boxes.gather(1, top[..., None].expand(-1, -1, 4))
        return boxes, torch.stack(best), top, self.classes
