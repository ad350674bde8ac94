"""Find the elementwise functions of torch by running PyTorch's own samples, and write how they give shape and dtype.

    python tools/generate_elementwise.py     # writes linter/onnx_lint/semantics/catalogue/data/elementwise.json

A function belongs to the table if, in all samples of OpInfo, its result is one tensor of the shape to which its first
one, two or three arguments broadcast, and its dtype follows one of the rules in `RULES`. The samples are varied: other
dtypes for each operand, and size 1 in its first dimension. Functions that have a model of their own are left out.
Needs torch and expecttest.
"""

from __future__ import annotations

import collections
import inspect
import json
import re
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import prove_shapes
import torch
from prove_shapes import NotRepresentable, Recorded, value_of

from onnx_lint.semantics.catalogue.shapes import elementwise
from onnx_lint.semantics.catalogue.shapes.registry import MODELS
from onnx_lint.semantics.domain.shapes import ShapeError, TensorType, Value, broadcast, number_type

TARGET = Path(__file__).parents[1] / "linter/onnx_lint/semantics/catalogue/data/elementwise.json"
_OTHER_TYPES = (torch.int64, torch.float64, torch.float32, torch.bool, torch.float16, torch.complex64)
_MOST = 15
"""Samples of each operator and dtype."""


def _schema_names() -> dict[str, list[list[str]]]:
    names: dict[str, list[list[str]]] = collections.defaultdict(list)
    for schema in torch._C._jit_get_all_schemas():
        namespace, _, name = schema.name.partition("::")
        if namespace == "aten" and "Tensor" in str(schema.arguments[0].type if schema.arguments else ""):
            names[name].append(["input" if a.name == "self" else a.name for a in schema.arguments])
    return names


SCHEMAS = _schema_names()


def parameter_names(call: Recorded) -> list[list[str]]:
    """The names of parameters, for each overload."""
    function = inspect.unwrap(call.function)
    if inspect.isfunction(function) and function.__module__.startswith("torch"):
        return [list(inspect.signature(function).parameters)]
    name = call.name.rpartition(".")[2]
    return SCHEMAS.get(name) or SCHEMAS.get(call.name.replace("torch.", "").replace(".", "_"), [])


def varied(call: Recorded) -> Iterator[tuple[tuple[Value, ...], Any]]:
    """The call and its variations that run: what the models see of the positional arguments, and the result."""
    yield call.types[0], call.result
    for at in range(min(len(call.args), 3)):
        x = call.args[at]
        if isinstance(x, torch.Tensor):
            others = [x.to(t) for t in _OTHER_TYPES if t != x.dtype]
            others += [x[:1]] if x.dim() else []
            others += [x.reshape(-1)[0]] if x.numel() and x.dim() else []
        elif isinstance(x, int | float) and not isinstance(x, bool) and at:
            others = [1, 1.5]
        else:
            continue
        for other in others:
            args = (*call.args[:at], other, *call.args[at + 1 :])
            try:
                result = call.function(*args, **call.kwargs)
            except (RuntimeError, TypeError, ValueError, IndexError, NotImplementedError):
                continue  # torch does not take this variation
            yield tuple(map(value_of, args)), result


def _fits(count: int, rule: str, given: tuple[Value, ...], result: torch.Tensor) -> bool:
    operands = [v for v in given[:count] if v is not None]
    tensors = [v for v in operands if isinstance(v, TensorType)]
    if not all(isinstance(v, TensorType) or number_type(v) is not None for v in operands) or not tensors:
        return False
    try:
        shape, _ = broadcast([v.shape for v in tensors if v.shape is not None])
    except ShapeError:
        return False
    dtype = elementwise.RULES[rule](operands)
    return shape == tuple(result.shape) and (dtype is None or f"torch.{dtype}" == str(result.dtype))


def classified(calls: list[Recorded]) -> tuple[int, str] | None:
    """How many operands a function has and the rule for its dtype; None if it is not elementwise."""
    if len(calls) < 2:
        return None
    left = [(count, rule) for count in (1, 2, 3) for rule in elementwise.RULES]
    for call in calls:
        try:
            for given, result in varied(call):
                if not isinstance(result, torch.Tensor) or result.layout is not torch.strided:
                    return None
                left = [(count, rule) for count, rule in left if _fits(count, rule, given, result)]
                if not left:
                    return None
        except NotRepresentable:
            continue
    return left[0]


def operand_names(call: Recorded, count: int) -> list[str] | None:
    """The names of the first `count` parameters: those of the overload that has the most of them."""
    found = [n[:count] for n in parameter_names(call) if len(n) >= count]
    return max(found, key=found.count) if found else None


def table() -> dict[str, Any]:
    """The whole table."""
    from torch.testing._internal.common_methods_invocations import op_db

    by_name: dict[str, list[Recorded]] = collections.defaultdict(list)
    for op in op_db:
        supported = op.supported_dtypes("cpu")
        for dtype in [t for t in prove_shapes.DTYPES if t in supported]:
            _, calls = prove_shapes.record(op, dtype, _MOST)
            for call in calls:
                known = MODELS.get(call.name)
                if not call.name.endswith(("_", ")")) or re.fullmatch(r".*\.__\w+__", call.name):
                    if known is None or known.is_generated:
                        by_name[call.name].append(call)
    out: dict[str, Any] = {}
    for name, calls in sorted(by_name.items()):
        plain = name.replace("torch.Tensor.", "torch.")
        if name.startswith("torch.Tensor.") and (plain in by_name or plain in MODELS):
            continue  # methods find the function
        found = classified(calls)
        if found is not None:
            names = operand_names(calls[0], found[0]) or ["input", "other", "third"][: found[0]]
            out[name] = {"operands": names, "dtype": found[1]}
    return {"torch": torch.__version__.partition("+")[0], "functions": out, "aliases": aliases()}


def aliases() -> dict[str, str]:
    """Other names of operators, as OpInfo has them: ``torch.absolute`` for ``torch.abs``."""
    from torch.testing._internal.common_methods_invocations import op_db

    found = {}
    for op in op_db:
        for alias in op.aliases:
            name, target = f"torch.{alias.name}", f"torch.{op.name}"
            known = MODELS.get(name)
            if known is None or known.is_generated:
                found[name] = target
    return found


def serialised(made: dict[str, Any]) -> str:
    """The text of the data file."""
    return json.dumps(made, indent=0, sort_keys=True) + "\n"


if __name__ == "__main__":
    with torch.no_grad(), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        TARGET.write_text(serialised(table()))
