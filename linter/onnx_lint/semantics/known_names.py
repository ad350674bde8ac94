"""Names of torch that several parts of the analysis must agree on: one set for each concept."""

from __future__ import annotations

_KINDS = ("Float", "Double", "Half", "BFloat16", "Byte", "Char", "Short", "Int", "Long", "Bool")

TYPED_TENSORS = frozenset(f"{prefix}.{kind}Tensor" for prefix in ("torch", "torch.cuda") for kind in _KINDS)
"""The legacy constructors, one for each type of element; also used as annotations and in ``isinstance``."""

ANY_TENSOR = frozenset({"torch.Tensor", "torch.autograd.Variable"})
"""The classes of which every tensor is an instance."""

TENSOR_CLASSES = TYPED_TENSORS | ANY_TENSOR
"""The classes whose instances are tensors."""

MODULE_CONTAINERS = frozenset(
    {"torch.nn.Sequential", "torch.nn.ModuleList", "torch.nn.ModuleDict", "torch.nn.ParameterList",
     "torch.nn.ParameterDict"}
)  # fmt: skip
"""The modules that hold others by number or name."""

RETURNS_SELF = frozenset({"to", "eval", "train", "requires_grad_", "half", "float", "cuda", "cpu", "apply"})
"""Methods of `torch.nn.Module` that return the module itself."""

MODULE_METHODS = frozenset(
    {"parameters", "named_parameters", "buffers", "named_buffers", "modules", "children", "named_children",
     "named_modules", "state_dict", "register_buffer", "register_parameter", "add_module", "register_module", "type",
     "append", "extend", "insert", "get_submodule"}
) | RETURNS_SELF  # fmt: skip
"""Methods of `torch.nn.Module` and its containers."""

CONTAINER_METHODS = MODULE_METHODS | {"keys", "values", "items"}
"""The same with those of `torch.nn.ModuleDict`."""

BASE = "<base>"
"""The attribute that holds what a module's ``super().__init__`` made it, when its base is a module of torch."""

CONTAINERS = ("Sequential", "ModuleList", "ModuleDict", "ParameterList", "ParameterDict")
"""How the names of modules that hold others end."""
