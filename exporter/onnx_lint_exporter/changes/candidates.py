"""The changes for the lines of some diagnostics, each as a diagnostic with the change in place of its fix."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from dataclasses import replace

from onnx_lint.diagnostic import Applicability, Diagnostic, Edit, Fix, Severity
from onnx_lint_exporter.source_code import Placed, SourceFile

from . import branches, loops, numbers, numpy_use, views
from .sizes import Change, Sizes, blocks

_IMPORTED = ("torch", "math")


def candidates(file: SourceFile, diagnostics: Sequence[Diagnostic]) -> Iterator[Diagnostic]:
    """The diagnostics of a file with changes in place of their fixes, each change once."""
    if file.tree is None:
        return
    seen: set[tuple[Edit, ...]] = set()
    for d in diagnostics:
        if d.span.path != file.path or d.severity < Severity.WARNING:
            continue
        for title, changes in _changes(file.tree, d.span.line):
            edits = tuple(_edit(file, node, text) for node, text in changes)
            for module in _IMPORTED:
                if any(f"{module}." in edit.text for edit in edits):
                    edits += _import_of(module, file, file.tree)
            if edits not in seen:
                seen.add(edits)
                yield replace(d, fix=Fix(title, Applicability.UNSAFE, edits))


def _edit(file: SourceFile, node: Placed, text: str) -> Edit:
    span = file.span(node)
    margin = " " * (span.column - 1)
    return Edit(span, text.replace("\n", f"\n{margin}"), _segment(file, node))


def _import_of(module: str, file: SourceFile, tree: ast.Module) -> tuple[Edit, ...]:
    """The import that what is written needs, before the first one; none where the module has it."""
    imports = [node for node in tree.body if isinstance(node, (ast.Import, ast.ImportFrom))]
    if any(
        name.asname in (None, module) and name.name.split(".")[0] == module and isinstance(node, ast.Import)
        for node in imports
        for name in node.names
    ):
        return ()
    first = next((node for node in imports if getattr(node, "module", "") != "__future__"), None)
    if first is None:
        return ()
    start = file.span(first)
    return (Edit(replace(start, end_line=start.line, end_column=start.column), f"import {module}\n"),)


def _segment(file: SourceFile, node: Placed) -> str:
    return ast.get_source_segment(file.source.normal, node) or ""


def _changes(tree: ast.Module, line: int) -> Iterator[Change]:
    """What may be changed in the statements that a line belongs to, and in their expressions on the line."""
    for function in [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)]:
        if not function.lineno <= line <= (function.end_lineno or line):
            continue
        sizes = Sizes(function)
        for block in blocks(function):
            for place, statement in enumerate(block):
                if statement.lineno <= line <= (statement.end_lineno or line):
                    yield from _statement(statement, block[:place], block[place + 1 :], line, sizes)
        yield from numpy_use.all_in_torch(function)
        calls = [node for node in ast.walk(function) if isinstance(node, ast.Call)]
        for node in ast.walk(function):
            if isinstance(node, ast.expr) and node.lineno <= line <= (node.end_lineno or line):
                yield from _expression(node, calls, sizes)


def _statement(
    statement: ast.stmt, before: Sequence[ast.stmt], rest: Sequence[ast.stmt], line: int, sizes: Sizes
) -> Iterator[Change]:
    value = getattr(statement, "value", None)
    stayed = numpy_use.in_torch(value) if isinstance(value, ast.expr) else None
    if stayed is not None and isinstance(value, ast.expr):
        yield "Stay in torch", [(value, stayed)]
    if isinstance(statement, ast.If) and statement.lineno == line:
        yield from branches.branch(statement, rest, sizes)
    if isinstance(statement, ast.For):
        yield from loops.loop(statement, rest)
        yield from loops.mapped_loop(statement, rest)
    yield from loops.assigned_list(statement, rest)
    yield from numbers.repeated_list(statement, rest)
    yield from views.write(statement, before, sizes)


def _expression(node: ast.expr, calls: Sequence[ast.Call], sizes: Sizes) -> Iterator[Change]:
    yield from branches.choice(node, sizes)
    if isinstance(node, (ast.Call, ast.ListComp, ast.GeneratorExp)):
        yield from loops.stacked(node)
    if isinstance(node, ast.Subscript):
        yield from numbers.looked_up(node, calls, sizes)
    if isinstance(node, ast.Call):
        yield from loops.mapped_comprehension(node)
        yield from views.copied(node)
        yield from numbers.number(node, sizes)
