"""Statements that define and import. Assignments and control flow have modules of their own."""

from __future__ import annotations

from onnx_lint.project.modules import ImportBinding
from onnx_lint.semantics.domain.values import STATIC, Function, ModuleValue, Value
from onnx_lint.semantics.evaluation.frame import Frame
from onnx_lint.source import ir


def expression_statement(frame: Frame, node: ir.ExprStmt) -> None:
    frame.interp.evaluate(frame, node.value)


def function_definition(frame: Frame, node: ir.FunctionDef) -> None:
    """``def`` inside a function: a closure."""
    if frame.env is None:
        return
    value: Value = Function(frame.unit, node, frame.env, None)
    if node.decorators:
        value = frame.interp.decorated(frame, value, node.decorators)
    frame.env.names[node.name] = value


def class_definition(frame: Frame, node: ir.ClassDef) -> None:
    """``class`` inside a function: fixed, and not looked into."""
    if frame.env is not None:
        frame.env.names[node.name] = STATIC


def import_(frame: Frame, node: ir.Import) -> None:
    """``import a.b as c`` inside a function."""
    if frame.env is None:
        return
    analysis = frame.analysis
    for name, alias in node.names:
        bound = name if alias else name.partition(".")[0]
        found = analysis.project.load(frame.module, bound)
        value = ModuleValue(bound, found.source) if found is not None else frame.interp.external(bound)
        frame.env.names[alias or bound] = value


def import_from(frame: Frame, node: ir.ImportFrom) -> None:
    """``from a import b as c`` inside a function."""
    if frame.env is None or node.names is None:
        return
    analysis = frame.analysis
    for name, alias in node.names:
        meaning = analysis.project.resolve_import(frame.module, ImportBinding(node.module, node.level, name))
        frame.env.names[alias or name] = frame.interp.meaning_value(analysis, meaning)


def scope(frame: Frame, node: ir.Scope) -> None:
    """``global`` and ``nonlocal`` bind nothing."""
