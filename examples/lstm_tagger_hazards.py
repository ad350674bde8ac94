"""A sequence tagger with what one finds in real ones. Compare `lstm_tagger_repaired.py`."""
from __future__ import annotations

import torch
from torch import Tensor, nn


class Tagger(nn.Module):
    def __init__(self, words: int = 100, tags: int = 7, dim: int = 16) -> None:
        super().__init__()
        self.embedding = nn.Embedding(words, dim)
        self.lstm = nn.LSTM(dim, dim, batch_first=True, bidirectional=True)
        self.tags = nn.Linear(2 * dim, tags)
        self.scales = [1.0, 0.5, 0.25, 0.125] * 4

    def summarise(self, states: Tensor) -> Tensor:
        total = states.new_zeros(states.shape[-1])
        for state in states.transpose(0, 1):
            total = total + state.mean(0)
        return total / len(states)

    def forward(self, words: Tensor) -> tuple[Tensor, Tensor, Tensor, str]:
        longest = (words != 0).sum(1).max().item()
        words = words[:, :longest]
        states, _ = self.lstm(self.embedding(words))
        scores = self.tags(states)
        best = []
        for step in range(scores.shape[1]):
            best.append(scores[:, step].argmax(-1))
        scale = self.scales[words.shape[1]]
        if words.max() >= self.embedding.num_embeddings:
            raise ValueError(f"unknown word {words.max()}")
        numbers = torch.as_tensor([words.shape[0], words.shape[1]])
        return scores * scale, torch.stack(best, dim=1), self.summarise(states) + numbers.sum(), "tags"
