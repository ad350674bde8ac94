"""Generate what torch's functions, methods, attributes and modules return, from an installed torch.

    python tools/generate_torch_api.py            # writes linter/onnx_lint/semantics/catalogue/data/torch_api.json

Sources: the schemas of all ATen operators, the annotations of the Python functions, the attributes of `torch.Tensor`,
and what instances of `torch.nn` classes return when they are run. Run it with the torch version that the linter is to
know (see constraints.txt); the version is written into the file.
"""

from __future__ import annotations

import collections
import inspect
import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

TARGET = Path(__file__).parents[1] / "linter/onnx_lint/semantics/catalogue/data/torch_api.json"

_SCALARS = {"int": "int", "bool": "bool", "float": "float", "str": "str", "number": "number", "Scalar": "number"}


def _schema_kind(type_name: str) -> str:
    if type_name == "Tensor":
        return "tensor"
    if type_name in ("List[Tensor]", "Tensor[]"):
        return "list"
    return _SCALARS.get(type_name, "unknown")


def operator_kinds() -> dict[str, list[str]]:
    """Kinds of result of every ATen operator, over its overloads; ``tuple2`` for two tensors."""
    kinds: dict[str, set[str]] = collections.defaultdict(set)
    for schema in torch._C._jit_get_all_schemas():
        namespace, _, name = schema.name.partition("::")
        if namespace != "aten" or name.startswith("__") or "out" in schema.overload_name.split("_"):
            continue
        arguments = [str(a.type) for a in schema.arguments]
        if not any("Tensor" in a for a in arguments) and not any("Tensor" in str(r.type) for r in schema.returns):
            continue  # Python scalars and strings: `aten::add.str`
        returns = [_schema_kind(str(r.type)) for r in schema.returns]
        if not returns:
            kinds[name].add("none")
        elif len(returns) == 1:
            kinds[name].add(returns[0])
        elif all(r == "tensor" for r in returns):
            kinds[name].add(f"tuple{len(returns)}")
        else:
            kinds[name].add("tuple:" + ",".join(returns))
    return {name: sorted(found) for name, found in sorted(kinds.items())}


def annotation_kind(annotation: Any) -> str | None:
    """The kind of an annotated result."""
    text = str(annotation).replace("torch.", "").replace("typing.", "")
    if annotation is torch.Tensor or text in ("Tensor", "<class 'Tensor'>"):
        return "tensor"
    match = re.fullmatch(r"[Tt]uple\[(.*)\]", text)
    if match:
        parts = [p.strip() for p in match.group(1).split(",")]
        if len(parts) == 2 and parts[1] == "...":
            return "tuple*"
        if all(re.sub(r"Optional\[(.*)\]|(.*) \| None", r"\1\2", p) == "Tensor" for p in parts):
            return f"tuple{len(parts)}"
    if text in ("list[Tensor]", "List[Tensor]"):
        return "list"
    return {"<class 'bool'>": "bool", "bool": "bool", "<class 'int'>": "int", "int": "int"}.get(text)


def python_functions() -> dict[str, str]:
    """Functions written in Python: by annotation, by full name."""
    out: dict[str, str] = {}
    modules = {"torch": torch, "torch.nn.functional": nn.functional, "torch.nn.utils.rnn": nn.utils.rnn}
    for prefix, module in modules.items():
        for name in dir(module):
            function = getattr(module, name)
            if name.startswith("_") or not inspect.isfunction(function):
                continue
            try:
                returns = inspect.signature(function).return_annotation
            except (TypeError, ValueError):
                continue
            kind = annotation_kind(returns) if returns is not inspect.Signature.empty else None
            if kind is not None:
                out[f"{prefix}.{name}"] = kind
    return out


def _recipes() -> dict[str, tuple[tuple[Any, ...], tuple[Any, ...]]]:
    """Arguments of the constructor and of the call, for the classes of `torch.nn` that want special ones."""
    rows, labels = torch.rand(2, 4), torch.tensor([1, 2])
    sequence = torch.rand(5, 2, 8)
    return {
        "AdaptiveLogSoftmaxWithLoss": ((4, 10, [4]), (rows, labels)),
        "CTCLoss": ((), (torch.rand(5, 2, 4).log_softmax(2), torch.ones(2, 2).long(), labels + 3, labels)),
        "CosineEmbeddingLoss": ((), (rows, rows, torch.ones(2))),
        "Embedding": ((4, 4), (labels,)),
        "EmbeddingBag": ((4, 4), (labels[None],)),
        "Fold": (((4, 4), 2), (torch.rand(1, 4, 9),)),
        "MaxUnpool1d": ((2,), nn.MaxPool1d(2, return_indices=True)(torch.rand(1, 1, 8))),
        "MaxUnpool2d": ((2,), nn.MaxPool2d(2, return_indices=True)(torch.rand(1, 1, 8, 8))),
        "MaxUnpool3d": ((2,), nn.MaxPool3d(2, return_indices=True)(torch.rand(1, 1, 8, 8, 8))),
        "MultiLabelMarginLoss": ((), (rows, torch.zeros(2, 4).long())),
        "MultiMarginLoss": ((), (rows, labels)),
        "NLLLoss": ((), (rows, labels)),
        "NLLLoss2d": ((), (torch.rand(2, 4, 3, 3), torch.ones(2, 3, 3).long())),
        "TransformerDecoder": ((nn.TransformerDecoderLayer(8, 2), 1), (sequence, sequence)),
        "TransformerEncoder": ((nn.TransformerEncoderLayer(8, 2), 1), (sequence,)),
    }


def _attempts() -> list[tuple[tuple[Any, ...], tuple[Any, ...]]]:
    """Ways to make and run a module of `torch.nn` that has no recipe; the first that works counts."""
    shapes = [(2, 4), (2, 4, 8), (2, 4, 8, 8), (2, 4, 8, 8, 8)]
    arguments: list[tuple[Any, ...]] = [
        (), (4,), (4, 4), (2,), (4, 4, 3), (2, 4), (4, 2), (1, (2, 2)), (4, 4, 4), ((2, 2),), ((2, 2), (2, 2)),
    ]  # fmt: skip
    out = []
    for args in arguments:
        for shape in shapes:
            for count in (1, 2, 3):
                out.append((args, (torch.rand(shape),) * count))
    return out


def _value_kind(value: Any) -> str:
    if isinstance(value, torch.Tensor):
        return "tensor"
    if isinstance(value, tuple):
        return "tuple(" + ",".join(_value_kind(v) for v in value) + ")"
    if isinstance(value, list):
        return "list"
    return "none" if value is None else "unknown"


def module_kinds() -> dict[str, str]:
    """What calling an instance of each `torch.nn` class returns, found by running one.

    Raises `RuntimeError` for a class that no arguments run: a newer torch has one that wants a recipe."""
    out: dict[str, str] = {}
    skip = {
        "Module", "Parameter", "UninitializedParameter", "UninitializedBuffer", "Buffer", "Container", "Sequential",
        "ModuleList", "ModuleDict", "ParameterList", "ParameterDict", "DataParallel", "RNNBase", "RNNCellBase",
    }  # fmt: skip
    recipes, attempts = _recipes(), _attempts()
    for name in sorted(dir(nn)):
        cls = getattr(nn, name)
        if not isinstance(cls, type) or not issubclass(cls, nn.Module) or name in skip:
            continue
        kind: str | None = None
        for args, inputs in [recipes[name]] if name in recipes else attempts:
            try:
                with torch.no_grad():
                    kind = _value_kind(cls(*args).eval()(*inputs))
                break
            except Exception:  # noqa: BLE001 - a wrong guess of arguments; the next one is tried
                continue
        if kind is None:
            raise RuntimeError(f"torch.nn.{name} ran with none of the arguments tried: give it a recipe")
        out[f"torch.nn.{name}"] = kind
    return out


def _is_function(name: str, value: Any) -> bool:
    """Whether a public name of a module is a function of torch, not a class nor something imported from elsewhere."""
    home = getattr(value, "__module__", None) or "torch"
    return not name.startswith("_") and callable(value) and not isinstance(value, type) and home.startswith("torch")


def serialised(data: dict[str, Any]) -> str:
    """The text of the file: compact and sorted, so that a regenerated one can be compared."""
    return json.dumps(data, separators=(",", ":"), sort_keys=True) + "\n"


def table() -> dict[str, Any]:
    """Everything the file holds."""
    other_names: set[str] = set()
    for kind in (list, dict, str, int, float, set, tuple, bytes, complex, np.ndarray, collections.OrderedDict,
                 nn.Module, nn.ModuleList, nn.ModuleDict, nn.Sequential):  # fmt: skip
        other_names |= set(dir(kind))
    public = [n for n in dir(torch.Tensor) if not n.startswith("_")]
    methods = [n for n in public if callable(getattr(torch.Tensor, n, None))]
    sample = torch.rand(2, 2)
    attributes: dict[str, str] = {}
    for name in public:
        if name in methods:
            continue
        if name in ("grad", "imag"):
            attributes[name] = "tensor"
            continue
        value = getattr(sample, name, None)
        is_tensor = isinstance(value, torch.Tensor)
        attributes[name] = "tensor" if is_tensor else "size" if name == "shape" else type(value).__name__
    namespaces = {
        "torch": torch, "torch.nn.functional": nn.functional, "torch.linalg": torch.linalg, "torch.fft": torch.fft,
        "torch.special": torch.special, "torch.nn.utils.rnn": nn.utils.rnn,
    }  # fmt: skip
    functions = {
        prefix: sorted(n for n in dir(m) if _is_function(n, getattr(m, n))) for prefix, m in namespaces.items()
    }
    plain = sorted(
        f"torch.{n}" for n in dir(torch)
        if isinstance(getattr(torch, n), (torch.dtype, torch.layout, torch.memory_format, float, int))
    )  # fmt: skip
    return {
        "torch": torch.__version__.partition("+")[0],
        "operators": operator_kinds(),
        "annotated": python_functions(),
        "functions": functions,
        "methods": sorted(methods),
        "attributes": attributes,
        "tensor_only_methods": sorted(n for n in methods if n not in other_names),
        "modules": module_kinds(),
        "constants": plain,
    }


def main() -> None:
    TARGET.write_text(serialised(table()))


if __name__ == "__main__":
    main()
