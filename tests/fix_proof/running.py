"""Runs the same program before and after `--fix`, and says how they differ."""

from __future__ import annotations

import copy
import linecache
import math
import warnings
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import torch
from cli.conftest import run_here


def fixed(source: str, folder: Path, *options: str) -> tuple[str, str]:
    """What the command's `--fix` makes of a file, and what it says on standard error."""
    path = folder / "program.py"
    path.write_text(source, encoding="utf-8")
    _, _, said = run_here(("--isolated", "--fix", "-q", *options, "program.py"), b"", folder, {})
    return path.read_text(encoding="utf-8"), said.decode()


def outcomes(source: str, calls: Iterable[str]) -> list[object]:
    """The value of each expression, or the type of the exception that it raises; each in a fresh run of the module."""
    found: list[object] = []
    for call in calls:
        namespace: dict[str, object] = {"__name__": "program"}
        linecache.checkcache()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            try:
                exec(compile(source, "program.py", "exec"), namespace)
                found.append(copy.copy(eval(call, namespace)))
            except Exception as error:  # noqa: BLE001 - which exception it is, is what is compared
                found.append(type(error))
    return found


def same(one: object, other: object) -> bool:
    """Whether two values are equal, tensors bit by bit with their gradients; objects of the program by their state."""
    if isinstance(one, torch.Tensor) and isinstance(other, torch.Tensor):
        kinds = (one.dtype, one.shape, one.requires_grad, type(one).__name__)
        if kinds != (other.dtype, other.shape, other.requires_grad, type(other).__name__):
            return False
        ours, theirs = (tensor.detach().as_subclass(torch.Tensor).numpy() for tensor in (one, other))
        return np.array_equal(ours, theirs, equal_nan=one.is_floating_point())
    if isinstance(one, np.ndarray) and isinstance(other, np.ndarray):
        return one.dtype == other.dtype and np.array_equal(one, other, equal_nan=one.dtype.kind == "f")
    if isinstance(one, (list, tuple)) and isinstance(other, (list, tuple)):
        alike = type(one).__name__ == type(other).__name__ and len(one) == len(other)
        return alike and all(map(same, one, other))
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(same(one[key], other[key]) for key in one)
    if type(one).__name__ != type(other).__name__:
        return False
    if type(one).__module__ == "program":
        return same(vars(one), vars(other))
    if isinstance(one, float) and isinstance(other, float) and math.isnan(one):
        return math.isnan(other)
    return bool(one == other)
