"""Lists, dictionaries and sets that meet a size or a tensor."""

from __future__ import annotations

import torch
from torch import nn


class Alternate(nn.Module):
    def __init__(self):
        super().__init__()
        self.scales = [1.0, 4.0]

    def forward(self, x):
        return x * self.scales[x.shape[0] % 2]  # wrong

    @staticmethod
    def example():
        return (torch.randn(2, 4),), (torch.randn(3, 4),)


class HeadBySize(nn.Module):
    def __init__(self):
        super().__init__()
        self.heads = nn.ModuleList([nn.Linear(4, 4), nn.Linear(4, 4)])

    def forward(self, x):
        return self.heads[x.size(1) % 2](x)  # wrong

    @staticmethod
    def example():
        return (torch.randn(2, 2, 4),), (torch.randn(2, 3, 4),)


class TableByName(nn.Module):
    def __init__(self):
        super().__init__()
        self.tables = {str(n): torch.full((1,), float(n)) for n in range(16)}

    def forward(self, x):
        return x * self.tables[f"{x.shape[1]}"]  # wrong

    @staticmethod
    def example():
        return (torch.randn(2, 4),), (torch.randn(2, 7),)


class TableByText(nn.Module):
    def __init__(self):
        super().__init__()
        self.gain = nn.ParameterDict({f"size_{n}": nn.Parameter(torch.full((1,), n / 4)) for n in (4, 8)})

    def forward(self, x):
        return x * self.gain["size_" + str(int(x.shape[-1]))]  # wrong

    @staticmethod
    def example():
        return (torch.randn(2, 4),), (torch.randn(2, 8),)


class GetOrDefault(nn.Module):
    def __init__(self):
        super().__init__()
        self.scale = {4: 0.5, 8: 0.25}

    def forward(self, x):
        return x * self.scale.get(x.shape[1], 1.0)  # wrong

    @staticmethod
    def example():
        return (torch.randn(2, 4),), (torch.randn(2, 8),)


class KnownSizes(nn.Module):
    def __init__(self):
        super().__init__()
        self.known = {4, 8}

    def forward(self, x):
        if x.shape[-1] in self.known:  # wrong
            return x * 2
        return x

    @staticmethod
    def example():
        return (torch.randn(2, 4),), (torch.randn(2, 8),)


class OneOf(nn.Module):
    def forward(self, x):
        if x.shape[1] in (1, 3):  # wrong
            x = x.flip(1)
        return x.cumsum(1)

    @staticmethod
    def example():
        return (torch.randn(2, 3),), (torch.randn(2, 4),)


class RepeatList(nn.Module):
    def forward(self, x):
        weights = [0.5] * x.shape[1]  # wrong
        return x * x.new_tensor(weights)

    @staticmethod
    def example():
        return (torch.randn(2, 4),), (torch.randn(2, 6),)


class PyramidDepth(nn.Module):
    def __init__(self):
        super().__init__()
        self.stages = [2.0, 3.0, 5.0, 7.0]

    def forward(self, x):
        for factor in self.stages[: x.shape[1] // 4]:  # wrong
            x = x * factor
        return x

    @staticmethod
    def example():
        return (torch.randn(2, 4),), (torch.randn(2, 12),)


class RowsByIndex(nn.Module):
    def forward(self, x):
        rows = {index: row.sum() for index, row in enumerate(x)}  # wrong
        return torch.stack([rows[index] for index in sorted(rows)])

    @staticmethod
    def example():
        return (torch.randn(2, 4),), (torch.randn(5, 4),)


class SortRows(nn.Module):
    def forward(self, x):
        rows = sorted([x[0], x[1], x[2]], key=lambda row: float(row.sum()))  # wrong
        return torch.stack(rows)

    @staticmethod
    def example():
        first = torch.arange(6.0).reshape(3, 2)
        return (first,), (first.flip(0).contiguous(),)


class KeptBoxes(nn.Module):
    def forward(self, boxes, keep):
        return torch.stack([boxes[i] for i in keep.tolist()])  # wrong

    @staticmethod
    def example():
        return (torch.rand(4, 4), torch.tensor([0, 2])), (torch.rand(4, 4), torch.tensor([3, 1, 0]))


class ListOfRows(nn.Module):
    def forward(self, x):
        rows = list(x)  # wrong
        rows.reverse()
        return torch.stack(rows)

    @staticmethod
    def example():
        return (torch.randn(3, 4),), (torch.randn(5, 4),)


class StarredRest(nn.Module):
    def forward(self, levels):
        first, *rest = levels  # wrong
        for level in rest:
            first = torch.maximum(first, level)
        return first

    @staticmethod
    def example():
        return (torch.randn(3, 4),), (torch.randn(5, 4),)


class LongestAxis(nn.Module):
    def forward(self, x):
        axis = list(x.shape).index(max(x.shape))  # wrong
        return x.cumsum(dim=axis)

    @staticmethod
    def example():
        return (torch.randn(2, 3, 6),), (torch.randn(2, 7, 4),)


class ClassNames(nn.Module):
    def __init__(self):
        super().__init__()
        self.offsets = [0.0, 10.0, 20.0]

    def forward(self, logits):
        return logits + self.offsets[logits.sum(0).argmax()]  # wrong

    @staticmethod
    def example():
        return (torch.tensor([[9.0, 0.0, 1.0]]),), (torch.tensor([[0.0, 0.0, 8.0], [0.0, 1.0, 2.0]]),)


class Features(nn.Module):
    """Right: containers of tensors, indexed by plain names and numbers."""

    def __init__(self):
        super().__init__()
        self.layers = nn.ModuleDict({"low": nn.Linear(4, 4), "high": nn.Linear(4, 4)})
        self.scales = [1.0, 2.0]

    def forward(self, x):
        features = {}
        for index, (name, layer) in enumerate(self.layers.items()):
            features[name] = layer(x) * self.scales[index % 2]
        if "low" in features and len(features) == 2:
            features["low"] = features["low"] + 1
        return torch.cat([features["low"], features["high"]], dim=-1)

    @staticmethod
    def example():
        return (torch.randn(2, 4),), (torch.randn(5, 4),)


class GrowingList(nn.Module):
    """Right: the list's length is the depth of the model."""

    def __init__(self):
        super().__init__()
        self.blocks = nn.ModuleList([nn.Linear(4, 4) for _ in range(3)])

    def forward(self, x):
        outputs = [x]
        for block in self.blocks:
            outputs.append(block(torch.stack(outputs).mean(0)))
        return torch.cat(outputs[-2:], dim=-1) / len(outputs)

    @staticmethod
    def example():
        return (torch.randn(2, 4),), (torch.randn(5, 4),)
