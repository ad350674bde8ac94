"""The functions of torch that drop values, and how they are told whether to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Dropout:
    """Where a function takes the chance to drop a value, and whether it is to do so at all: active by default."""

    chance: int
    chance_name: str
    default_chance: float
    switch: int | None = None
    switch_name: str = "training"
    help: str = "give `training=self.training`"


_USUAL = Dropout(1, "p", 0.5, 2)
KNOWN: Mapping[str, Dropout] = {
    "torch.nn.functional.dropout": _USUAL,
    "torch.nn.functional.dropout1d": _USUAL,
    "torch.nn.functional.dropout2d": _USUAL,
    "torch.nn.functional.dropout3d": _USUAL,
    "torch.dropout": Dropout(1, "p", 0.5, 2, "train", "give `train=self.training`"),
    "torch.nn.functional.scaled_dot_product_attention": Dropout(
        4, "dropout_p", 0.0, help="give `dropout_p=p if self.training else 0.0`"
    ),
}
"""By full name; `F.alpha_dropout` and the like are off by default."""
