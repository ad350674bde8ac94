"""`detection_head_hazards.py`, repaired: same results, and right for every image size after export."""
from __future__ import annotations

import torch
from torch import Tensor, nn


def grid_of(feature: Tensor, stride: int) -> Tensor:
    """The centre of every cell, in pixels."""
    ys = torch.arange(feature.shape[2])[:, None].expand(feature.shape[2], feature.shape[3])
    xs = torch.arange(feature.shape[3])[None, :].expand(feature.shape[2], feature.shape[3])
    return (torch.stack((xs, ys), dim=-1).reshape(-1, 2).float() + 0.5) * stride


class DetectionHead(nn.Module):
    def __init__(self, channels: int = 16, classes: int = 5, stride: int = 8, keep: int = 10) -> None:
        super().__init__()
        self.stride = stride
        self.keep = keep
        self.boxes = nn.Conv2d(channels, 4, 1)
        self.scores = nn.Conv2d(channels, classes, 1)

    def decode(self, offsets: Tensor, grid: Tensor) -> Tensor:
        left, top, right, bottom = offsets.unbind(-1)
        x1, y1 = grid[:, 0] - left, grid[:, 1] - top
        x2, y2 = grid[:, 0] + right, grid[:, 1] + bottom
        return torch.stack((x1, y1, x2, y2), dim=-1)

    def forward(self, feature: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        offsets = self.boxes(feature).flatten(2).transpose(1, 2).exp() * self.stride
        scores = self.scores(feature).flatten(2).transpose(1, 2).sigmoid()
        grid = grid_of(feature, self.stride)
        boxes = self.decode(offsets, grid)
        limit = (grid.amax(dim=0) + 0.5 * self.stride).repeat(2)
        boxes = torch.minimum(boxes.clamp(min=0), limit)
        best = scores.amax(dim=1)
        top = scores.amax(-1).argsort(dim=1, descending=True)[:, : self.keep]
        boxes = boxes.gather(1, top[..., None].expand(-1, -1, 4))
        return boxes, best, top
