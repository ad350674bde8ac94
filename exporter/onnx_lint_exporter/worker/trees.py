"""Classes that are registered as pytree nodes: what an object of one consists of, and how it is made anew.

Caches of keys and values are such classes. What is registered is known to ``torch.export``; the recorder of the
torchscript engine knows none of them.
"""

from __future__ import annotations

import dataclasses
import sys
from collections.abc import Iterable, Sequence
from enum import Enum
from typing import Any, cast

import torch
from torch.utils import _pytree as pytree

_BUILT_IN = (tuple, list, dict)
_PLAIN = (torch.Tensor, bool, int, float, complex, str, Enum, torch.dtype, torch.device, torch.layout)
"""Classes of arguments that need no taking apart."""
_PARTS = ("key_cache", "value_cache")
"""What transformers calls the parts of a cache where it registers it itself."""


def is_node(value: object) -> bool:
    """Whether an object is of a registered class, other than those that Python has."""
    return type(value) in pytree.SUPPORTED_NODES and not isinstance(value, _BUILT_IN)


def parts(value: object) -> list[tuple[str, object]]:
    """What an object of a registered class consists of, each part with its name or number."""
    try:
        found, _ = pytree.tree_flatten_with_path(value, is_leaf=lambda node: node is not value)
    except ValueError:  # registered without names
        items, _ = pytree.tree_flatten(value, is_leaf=lambda node: node is not value)
        return [(str(number), item) for number, item in enumerate(items)]
    return [("_".join(map(_key, path)), item) for path, item in found]


def _key(entry: object) -> str:
    for name in ("name", "key", "idx"):
        if hasattr(entry, name):
            return str(getattr(entry, name))
    return str(entry)


def with_parts(value: object, new: Sequence[object]) -> object:
    """An object like `value` of other parts."""
    _, form = pytree.tree_flatten(value, is_leaf=lambda node: node is not value)
    return pytree.tree_unflatten(list(new), form)


def unregistered(named: Sequence[tuple[str, object]]) -> list[str]:
    """What to say of the arguments that are objects which no engine can take apart; empty when there are none."""
    found = []
    for name, value in named:
        if value is None or isinstance(value, _PLAIN):
            continue
        cls = type(value).__name__
        how = (
            f"torch.export.register_dataclass({cls})"
            if dataclasses.is_dataclass(value)
            else f"torch.utils._pytree.register_pytree_node({cls}, …)"
        )
        found.append(f"the argument `{name}` is a {cls}, which nothing takes apart into tensors: call {how} first")
    return found


def holds_nodes(value: object) -> bool:
    """Whether an object of a registered class is among nested arguments."""
    if isinstance(value, dict):
        return any(map(holds_nodes, value.values()))
    return any(map(holds_nodes, value)) if isinstance(value, (tuple, list)) else is_node(value)


def register_known() -> None:
    """Register the caches of libraries that are imported and that have not done it themselves.

    transformers 4.54 to 4.57 registers ``DynamicCache`` only when asked, and in a form that makes empty tensors anew
    inside the graph, which torch's exporter then misses among its constants.
    """
    module = sys.modules.get("transformers.cache_utils")
    cache, layer = (getattr(module, name, None) for name in ("DynamicCache", "DynamicLayer"))
    if cache is None or layer is None or cache in pytree.SUPPORTED_NODES:
        return

    def taken_apart(value: Any) -> tuple[list[object], list[str]]:
        if any(type(each) is not layer for each in value.layers):
            raise TypeError(f"a {cache.__name__} with layers other than {layer.__name__} is not taken apart")
        filled = [each for each in value.layers if each.is_initialized]
        return [[each.keys for each in filled], [each.values for each in filled]], list(_PARTS)

    def named(value: Any) -> tuple[list[tuple[pytree.KeyEntry, Any]], list[str]]:
        children, names = taken_apart(value)
        return [(pytree.MappingKey(name), child) for name, child in zip(names, children, strict=True)], names

    def put_together(children: Iterable[object], names: list[str]) -> object:
        made = cache()
        keys, values = cast("tuple[list[Any], list[Any]]", tuple(children))
        for key, value in zip(keys, values, strict=True):
            each = layer()
            each.keys, each.values, each.is_initialized = key, value, True
            each.dtype, each.device = getattr(key, "dtype", None), getattr(key, "device", None)
            made.layers.append(each)
        return made

    pytree.register_pytree_node(
        cache,
        taken_apart,
        put_together,
        serialized_type_name=f"{cache.__module__}.{cache.__name__}",
        flatten_with_keys_fn=named,
    )
