"""What is needed to see again that an export is wrong, in a file that ``torch.load`` reads without running code."""

from __future__ import annotations

import torch

from ..engines.engine import Options
from ..execution import Arguments

_PLAIN = (bool, int, float, str, type(None))


def save(path: str, example: Arguments, witness: Arguments, options: Options) -> bool:
    """Write a dict with ``args`` and ``kwargs`` of the example, those of the ``witness``, and the export's ``options``.

    False when something in it is neither a tensor nor plain data, so that no file could hold it.
    """
    kept = {name: value for name, value in options.items() if _is_plain(value)}
    content = {
        "args": example.args,
        "kwargs": example.kwargs,
        "witness": (*witness.args, witness.kwargs),
        "options": kept,
    }
    if not _is_plain(content):
        return False
    torch.save(content, path)
    return True


def _is_plain(value: object) -> bool:
    if isinstance(value, (tuple, list)):
        return type(value) in (tuple, list) and all(map(_is_plain, value))
    if isinstance(value, dict):
        return (
            type(value) is dict and all(isinstance(key, (str, int)) for key in value) and _is_plain([*value.values()])
        )
    return type(value) in _PLAIN or type(value) in (torch.Tensor, torch.nn.Parameter)
