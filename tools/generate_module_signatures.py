"""Write the signatures of the classes of `torch.nn`: of the constructor, and of `forward`.

    python tools/generate_module_signatures.py   # writes linter/onnx_lint/semantics/catalogue/data/torch_nn.json

The version of torch is written into the file. A default that is not a number, a string, a truth value or None is left
out; the parameter then counts as one that is not known.
"""

from __future__ import annotations

import inspect
import json
from pathlib import Path
from typing import Any

import torch
from torch import nn

TARGET = Path(__file__).parents[1] / "linter/onnx_lint/semantics/catalogue/data/torch_nn.json"


def parameters(function: Any) -> list[dict[str, Any]] | None:
    """The parameters after ``self``; None if any number of them is taken."""
    out = []
    for p in list(inspect.signature(function).parameters.values())[1:]:
        if p.kind is p.VAR_POSITIONAL:
            return None
        if p.kind is p.VAR_KEYWORD:
            continue
        row: dict[str, Any] = {"name": p.name}
        if p.default is p.empty:
            row["required"] = True
        elif isinstance(p.default, tuple) or p.default is None or isinstance(p.default, bool | int | float | str):
            row["default"] = list(p.default) if isinstance(p.default, tuple) else p.default
        if p.kind is p.KEYWORD_ONLY:
            row["keyword_only"] = True
        out.append(row)
    return out


def table() -> dict[str, Any]:
    """The whole table."""
    classes = {}
    for name in sorted(vars(nn)):
        found = getattr(nn, name)
        if isinstance(found, type) and issubclass(found, nn.Module) and found is not nn.Module:
            init, forward = parameters(found.__init__), parameters(found.forward)
            if init is not None and forward is not None:
                classes[f"torch.nn.{name}"] = {"init": init, "forward": forward}
    return {"torch": torch.__version__.partition("+")[0], "classes": classes}


def serialised(made: dict[str, Any]) -> str:
    """The text of the data file."""
    return json.dumps(made, indent=0, sort_keys=True) + "\n"


if __name__ == "__main__":
    TARGET.write_text(serialised(table()))
