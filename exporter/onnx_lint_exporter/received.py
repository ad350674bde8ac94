"""The files that a worker leaves: only those that were asked for are taken, and only if they are what they should be.

The worker runs the user's model, so nothing that it says about its files is used. They have the names that the job
gave to them, in the folder that the job gave to the worker, and are looked at here before they are copied anywhere.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from typing import BinaryIO

from onnx_lint_exporter.outcome import Outcome
from onnx_lint_exporter.writer import NewModel, OutputPath, WriteError

SPARE_SUFFIX = ".spare"
"""As in ``worker.model_file``, which imports onnx."""
_IR_VERSION, _GRAPH = 1, 7
"""Numbers of the fields of ONNX's ``ModelProto`` that every model has (onnx/onnx.proto)."""
_FIXED_SIZES = {1: 8, 5: 4}
"""Bytes of a protobuf value by its wire type, for those of fixed size."""
_MAX_FIELD = 1_000


def model_of(outcome: Outcome, path: OutputPath) -> NewModel:
    """The files of an outcome, looked at. Raises `WriteError` when they are not a model."""
    model = os.path.join(outcome.folder, path.name)
    data = os.path.join(outcome.folder, path.data_name)
    _require_model(model)
    if not os.path.lexists(data):
        return NewModel(model)
    require_own_file(data)
    _require_model(f"{model}{SPARE_SUFFIX}")
    return NewModel(model, data, f"{model}{SPARE_SUFFIX}")


def require_own_file(path: str) -> None:
    """A regular file, not a link to one elsewhere, in a folder that is not a link either."""
    try:
        is_file = stat.S_ISREG(os.lstat(path).st_mode) and not os.path.islink(os.path.dirname(path))
    except OSError:
        is_file = False
    if not is_file:
        raise WriteError(f"{os.path.basename(path)}: the export left no such file, so nothing is written")


def _require_model(path: str) -> None:
    require_own_file(path)
    with open(path, "rb") as file:
        fields = set(_fields(file, os.path.getsize(path)))
    if 0 in fields or not {_IR_VERSION, _GRAPH} <= fields:
        raise WriteError(f"{os.path.basename(path)}: what the export left is not an ONNX model, so nothing is written")


def _fields(file: BinaryIO, size: int) -> Iterator[int]:
    """The numbers of the outermost fields of a protobuf message; 0 where it is not one."""
    while file.tell() < size:
        key = _varint(file)
        number, wire = key >> 3, key & 7
        length = _varint(file) if wire == 2 else _FIXED_SIZES.get(wire, 0)
        if wire == 0:
            _varint(file)
        if not 0 < number <= _MAX_FIELD or wire not in (0, 1, 2, 5) or file.tell() + length > size:
            yield 0
            return
        file.seek(length, os.SEEK_CUR)
        yield number


def _varint(file: BinaryIO) -> int:
    value = 0
    for shift in range(0, 70, 7):
        byte = file.read(1)
        if not byte:
            break
        value |= (byte[0] & 0x7F) << shift
        if byte[0] < 0x80:
            break
    return value
