"""Import torchvision also where its native library does not fit the installed torch (a CUDA build beside a CPU torch).

The two operators that its Python part needs to know are then declared without an implementation; models without them
work.
"""

from __future__ import annotations

from typing import Any

_KEPT: list[Any] = []


def load() -> Any:
    """The module ``torchvision``."""
    import torch

    if not hasattr(torch.ops.torchvision, "nms"):
        try:
            import torchvision
        except RuntimeError:
            library = torch.library.Library("torchvision", "DEF")
            for name in ("nms", "qnms"):
                library.define(f"{name}(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
            _KEPT.append(library)
            import sys

            for name in [name for name in sys.modules if name.partition(".")[0] == "torchvision"]:
                del sys.modules[name]
    import torchvision

    return torchvision
