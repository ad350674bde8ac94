"""Options of ``torch.onnx.export`` that the engine of a call takes and does not use, which torch itself does not tell.

Found by exporting with each of them in torch 2.13.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import torch

_IGNORED_BY_DYNAMO = {
    "custom_opsets": (None,),
    "training": (None, torch.onnx.TrainingMode.EVAL),
    "autograd_inlining": (None, True),
    "export_modules_as_functions": (None, False),
    "operator_export_type": (None, torch.onnx.OperatorExportTypes.ONNX),
    "do_constant_folding": (None, True),
}
"""Option → the values that ask for nothing."""
_IGNORED_BY_TORCHSCRIPT = {"report": (None, False), "verify": (None, False), "profile": (None, False)}


def unused(options: Mapping[str, object], dynamo: bool) -> Iterator[str]:
    """What is without effect, in words."""
    table: Mapping[str, tuple[object, ...]] = _IGNORED_BY_DYNAMO if dynamo else _IGNORED_BY_TORCHSCRIPT
    engine = "dynamo" if dynamo else "torchscript"
    for name, plain in table.items():
        if name in options and options[name] not in plain:
            yield f"`{name}` has no effect in the {engine} engine"


def unused_names(options: Mapping[str, object], program: object) -> Iterator[str]:
    """Names beyond the inputs of what dynamo has exported (`program`): torchscript gives them to parameters."""
    names, model = options.get("input_names"), getattr(program, "model", None)
    if not isinstance(names, Sequence) or isinstance(names, str) or model is None:
        return
    taken = {value.name for value in model.graph.inputs}  # `model_proto` would copy all weights
    left = [str(name) for name in names if name not in taken]
    if left:
        yield f"{len(left)} of the `input_names` name no input in the dynamo engine, first `{left[0]}`"


def unused_registrations(program: object) -> Iterator[str]:
    """Symbolic functions of one's own for operators of what dynamo has exported (`program`)."""
    exported = getattr(program, "exported_program", None)
    if exported is None:
        return
    try:
        from torch.onnx._internal.torchscript_exporter.registration import registry
    except ImportError:  # another version of torch, which keeps them elsewhere: they stay unknown
        return
    nodes = [node for node in exported.graph.nodes if node.op == "call_function"]
    for name in dict.fromkeys(getattr(node.target, "name", str)().split(".")[0] for node in nodes):
        group = registry.get_function_group(name)
        if group is not None and getattr(group, "_functions", None) and group._functions._overrides:
            yield (
                f"the symbolic function registered for `{name}` has no effect in the dynamo engine: "
                "give an entry of `custom_translation_table`"
            )
