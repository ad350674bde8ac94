"""Where the nodes of a chunk stand: computed on demand, from one light code generation of its tree.

libcst's own `PositionProvider` costs 1.6 parses and deep metadata; this records token numbers only, and turns them
into lines and columns in one pass (0.2 parses).
"""

from __future__ import annotations

from types import TracebackType

import libcst as cst
from libcst._nodes.internal import CodegenState

from onnx_lint.source.lower import Tree

Place = tuple[int, int, int, int]
"""Line (from 1) and column (from 0) of the first character, line and column behind the last; within the chunk."""


class _Recorder:
    """The context in which libcst generates the part of a node that counts as its position."""

    __slots__ = ("end_node", "node", "start", "start_node", "state")

    def __init__(
        self, state: _TokenState, node: cst.CSTNode, start_node: cst.CSTNode | None, end_node: cst.CSTNode | None
    ) -> None:
        self.state, self.node, self.start_node, self.end_node = state, node, start_node, end_node

    def __enter__(self) -> None:
        state = self.state
        self.start = len(state.tokens)
        for edge in (self.start_node, self.end_node):
            if edge is not None:
                state.wanted.add(id(edge))

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        tokens, places = len(self.state.tokens), self.state.places
        start = places[id(self.start_node)][0] if self.start_node is not None else self.start
        end = places[id(self.end_node)][1] if self.end_node is not None else tokens
        places[id(self.node)] = (start, end)


class _Nothing:
    """The context for a node that nobody asks for."""

    __slots__ = ()

    def __enter__(self) -> None:
        pass

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        pass


_NOTHING = _Nothing()


class _TokenState(CodegenState):
    """Notes for every wanted node the numbers of its first token and of the token behind its last."""

    def __init__(self, tree: Tree) -> None:
        super().__init__(default_indent=tree.module.default_indent, default_newline=tree.module.default_newline)
        self.places: dict[int, tuple[int, int]] = {}
        self.wanted = {id(node) for node in tree.nodes}
        self.open: dict[int, int] = {}

    def before_codegen(self, node: cst.CSTNode) -> None:
        if id(node) in self.wanted:
            self.open[id(node)] = len(self.tokens)

    def after_codegen(self, node: cst.CSTNode) -> None:
        key = id(node)
        if key in self.wanted and key not in self.places:
            self.places[key] = (self.open[key], len(self.tokens))

    def record_syntactic_position(  # type: ignore[override]  # libcst declares a generator-based manager
        self,
        node: cst.CSTNode,
        *,
        start_node: cst.CSTNode | None = None,
        end_node: cst.CSTNode | None = None,
    ) -> _Recorder | _Nothing:
        return _Recorder(self, node, start_node, end_node) if id(node) in self.wanted else _NOTHING


def spans(tree: Tree, *, member: bool) -> list[Place]:
    """The place of every node that lowering numbered, by number."""
    state = _TokenState(tree)
    tree.module._codegen(state)
    starts: list[tuple[int, int]] = []
    line, column = 0 if member else 1, 0
    for token in state.tokens:
        starts.append((line, column))
        newlines = token.count("\n")
        if newlines:
            line += newlines
            column = len(token) - token.rfind("\n") - 1
        else:
            column += len(token)
    starts.append((line, column))
    out: list[Place] = []
    for node in tree.nodes:
        start, end = state.places[id(node)]
        out.append(starts[start] + starts[end])
    return out
