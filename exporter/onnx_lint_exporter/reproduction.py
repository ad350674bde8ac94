"""A Python file that exports one torch call alone and compares it, with the user's own translations of it."""

from __future__ import annotations

import ast
import builtins
import inspect
import sys
import textwrap
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import FunctionType, ModuleType

import torch

from onnx_lint.target import Engine
from onnx_lint_exporter.worker.frames import UserCode

_SMALL = 256
"""Elements up to which a floating point argument is written out; integers always are."""
_LIBRARIES = ("torch", "onnx", "onnxscript", "numpy")
_PLAIN = (bool, int, float, complex, str, bytes, type(None))
_BUILT_IN = ("aten", "prim", "prims")


@dataclass
class Call:
    """One call of a torch function, and the translations of one's own that its export uses."""

    name: str
    """As it is written: ``torch.relu``."""
    function: Callable[..., object]
    args: tuple[object, ...]
    kwargs: dict[str, object]
    symbolics: dict[str, object] = field(default_factory=dict)
    """torchscript: ATen operator → symbolic function."""
    translations: dict[object, object] = field(default_factory=dict)
    """dynamo: operator overload → ONNX function."""


def write(call: Call, engine: Engine, opset: int | None, custom_opsets: Mapping[str, int] | None = None) -> str:
    """The text of the file. Raises `ValueError` when the call or a translation cannot be written out."""
    space = (
        getattr(call.function, "namespace", None)
        or getattr(call.function, "_qualified_op_name", "aten::").split("::")[0]
    )
    if space not in _BUILT_IN:
        raise ValueError(f"`{call.name}` is an operator of one's own: a file that does not define it cannot call it")
    tensors: list[str] = []

    def put(value: object) -> str:
        if isinstance(value, torch.Tensor):
            tensors.append(_literal(value))
            return f"given[{len(tensors) - 1}]"
        if isinstance(value, (list, tuple)):
            inner = ", ".join(map(put, value))
            return f"[{inner}]" if isinstance(value, list) else f"({inner}{',' if len(value) == 1 else ''})"
        if isinstance(value, slice):
            return f"slice({put(value.start)}, {put(value.stop)}, {put(value.step)})"
        return repr(value)

    parts = [put(value) for value in call.args] + [f"{key}={put(value)}" for key, value in call.kwargs.items()]
    body = f"return {call.name}({', '.join(parts)})"
    if call.name.endswith("__setitem__"):
        body = f"changed = {parts[0]}.clone()\n        changed[{parts[1]}] = {parts[2]}\n        return changed"
    options = f"dynamo={engine is Engine.DYNAMO}" + (f", opset_version={opset}" if opset else "")
    listed = "".join(f"    {text},\n" for text in tensors)
    own = _Definitions()
    registered = ""
    for kind, function in sorted(call.symbolics.items()):
        registered += f'torch.onnx.register_custom_op_symbolic("{kind}", {own.take(function)}, {opset})\n'
    if call.symbolics and custom_opsets:
        options += f", custom_opsets={dict(custom_opsets)!r}"
    if call.translations:
        table = ", ".join(f"torch.ops.{target}: {own.take(f)}" for target, f in call.translations.items())
        options += f", custom_translation_table={{{table}}}"
    return f'''"""The call `{call.name}` alone: exported and compared with itself."""

import numpy as np
import onnxruntime
import torch
{own.text()}
torch.manual_seed(0)
GIVEN = (
{listed})
{registered}

class Call(torch.nn.Module):
    def forward(self, *given):
        {body}


want = Call()(*[value.clone() for value in GIVEN])
torch.onnx.export(Call(), tuple(value.clone() for value in GIVEN), "call.onnx", {options})
session = onnxruntime.InferenceSession("call.onnx", providers=["CPUExecutionProvider"])
feed = {{entry.name: value.numpy() for entry, value in zip(session.get_inputs(), GIVEN)}}
got = session.run(None, feed)
wanted = want if isinstance(want, (tuple, list)) else [want]
for a, b in zip(got, wanted):
    np.testing.assert_allclose(a, b.numpy(), rtol=1e-3, atol=1e-5)
'''


def _literal(tensor: torch.Tensor) -> str:
    plain = tensor.detach().cpu()
    if plain.is_floating_point() and plain.numel() > _SMALL:
        return f"torch.randn({list(plain.shape)}).to({plain.dtype})"
    return f"torch.tensor({plain.tolist()}, dtype={plain.dtype})"


class _Definitions:
    """The source of functions of the user's, with what it needs: imports, constants and further functions."""

    def __init__(self) -> None:
        self._user = UserCode()
        self._imports: dict[str, str] = {}
        self._bodies: dict[str, str] = {}

    def text(self) -> str:
        imports = "".join(f"{line}\n" for line in sorted(set(self._imports.values())))
        return imports + "".join(f"\n\n{body.rstrip()}\n" for body in self._bodies.values()) + "\n"

    def take(self, function: object) -> str:
        """Add a function; the name under which it can be used."""
        plain: object = inspect.unwrap(function) if callable(function) else function
        name: str = getattr(plain, "__name__", "")
        if not isinstance(plain, FunctionType) or not name.isidentifier() or plain.__closure__:
            raise ValueError(f"`{function}` cannot be written out: only plain functions of a module can")
        if name in self._bodies:
            return name
        try:
            source = textwrap.dedent(inspect.getsource(plain))
        except (OSError, TypeError) as error:
            raise ValueError(f"the source of `{name}` cannot be read") from error
        self._bodies[name] = ""  # taken, should it call itself
        for used in sorted(_names(source)):
            if used != name and used in plain.__globals__:
                self._need(used, plain.__globals__[used])
        del self._bodies[name]
        self._bodies[name] = source  # behind what it needs
        return name

    def _need(self, name: str, value: object) -> None:
        if getattr(builtins, name, None) is value or name in ("np", "torch", "onnxruntime"):
            return
        if isinstance(value, ModuleType):
            self._imports[name] = f"import {value.__name__} as {name}" if value.__name__ != name else f"import {name}"
        elif isinstance(value, _PLAIN):
            self._bodies[name] = f"{name} = {value!r}"
        elif isinstance(value, FunctionType) and self._user.owns(value.__code__.co_filename):
            if self.take(value) != name:
                self._bodies[name] = f"{name} = {value.__name__}"
        else:
            self._imports[name] = _import_of(name, value)


def _names(source: str) -> set[str]:
    return {node.id for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Name)}


def _import_of(name: str, value: object) -> str:
    """The statement that imports a value under a name, wherever a library has it."""
    home, own_name = getattr(value, "__module__", None), getattr(value, "__name__", None)
    if home in sys.modules and own_name and getattr(sys.modules[home], own_name, None) is value:
        return f"from {home} import {own_name}" + (f" as {name}" if own_name != name else "")
    for module_name, module in sorted(sys.modules.items(), key=lambda pair: (pair[0].count("."), pair[0])):
        if module_name.split(".")[0] in _LIBRARIES and isinstance(module, ModuleType):
            for attribute, held in list(vars(module).items()):
                if held is value and attribute.isidentifier():
                    return f"from {module_name} import {attribute}" + (f" as {name}" if attribute != name else "")
    raise ValueError(f"`{name}` cannot be written out: it is a {type(value).__name__} that no library holds")
