"""Python's text: methods of strings, and the functions that make text of values."""

from __future__ import annotations

from onnx_lint.semantics import torch_kinds
from onnx_lint.semantics.catalogue import torch_results
from onnx_lint.semantics.catalogue.registry import Call, Model, models, models_method
from onnx_lint.semantics.domain.lattice import alternatives, is_certain, is_live, type_name, vague_result
from onnx_lint.semantics.domain.parts import traced_parts
from onnx_lint.semantics.domain.sites import Formatting
from onnx_lint.semantics.domain.text import method_of_text, text_of
from onnx_lint.semantics.domain.values import NONE, STATIC, Const, Seq, Static, Tensor, Value
from onnx_lint.semantics.evaluation.frame import Frame


def _text(how: str) -> Model:
    def model(frame: Frame, call: Call) -> Value:
        for value in call.args.positional:
            for one in alternatives(value):
                if is_certain(one) and is_live(one) and call.node is not None:
                    if how != "print":
                        frame.emit(Formatting, call.node, one, how=how)
                        return Static("str")
        if how == "print":
            return NONE
        text = text_of(call.first) if how == "str" and len(call.args.all()) == 1 else None
        return Static("str") if text is None else Const(text)

    return model


for _name in ("str", "repr", "format", "print"):
    models(f"builtins.{_name}")(_text(_name))


@models_method(Const)
def _constant(frame: Frame, call: Call, receiver: Const) -> Value:
    if not isinstance(receiver.value, str):
        return STATIC
    known = method_of_text(receiver.value, call.name, call.args)
    return known if known is not None else _of_text(frame, call)


@models_method(Static)
def _static(frame: Frame, call: Call, receiver: Static) -> Value:
    if type_name(receiver) == "str":
        return _of_text(frame, call)
    if receiver.type is None:
        if torch_kinds.is_tensor_only_method(call.name):
            return torch_results.method_result(frame, call, Tensor(False)) or STATIC
        named = frame.interp.named_method(frame, call.node, call.name, call.args)
        return named if named is not None else vague_result(call.args)
    return STATIC


def _of_text(frame: Frame, call: Call) -> Value:
    traced = next((p for a in call.args.all() for p in traced_parts(a)), None)
    if call.name == "format" and traced is not None and call.node is not None:
        frame.emit(Formatting, call.node, traced, how="format")
    if call.name in ("startswith", "endswith", "isdigit", "islower", "isupper"):
        return Static("bool")
    if call.name in ("split", "rsplit"):
        return Seq("list", None, Static("str"))
    is_text = call.name in ("format", "join", "lower", "upper", "strip", "replace", "title")
    return Static("str" if is_text else None)
