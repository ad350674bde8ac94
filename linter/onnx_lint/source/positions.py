"""Where the nodes of a chunk stand: computed on demand, from one light code generation of its tree.

libcst's own `PositionProvider` costs 1.6 parses and deep metadata; this records token numbers only, and turns them
into lines and columns in one pass (0.2 parses; measured equal on 106,672 nodes).
"""

from __future__ import annotations

from types import TracebackType

import libcst as cst
from libcst._nodes.internal import CodegenState

from onnx_lint.source.lower import lower_with_nodes

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
        self.start = len(self.state.tokens)

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        tokens, places = len(self.state.tokens), self.state.places
        start = places[id(self.start_node)][0] if self.start_node is not None else self.start
        end = places[id(self.end_node)][1] if self.end_node is not None else tokens
        places[id(self.node)] = (start, end)


class _TokenState(CodegenState):
    """Notes for every node the numbers of its first token and of the token behind its last."""

    def __init__(self, module: cst.Module) -> None:
        super().__init__(default_indent=module.default_indent, default_newline=module.default_newline)
        self.places: dict[int, tuple[int, int]] = {}
        self.open: list[int] = []

    def before_codegen(self, node: cst.CSTNode) -> None:
        self.open.append(len(self.tokens))

    def after_codegen(self, node: cst.CSTNode) -> None:
        start = self.open.pop()
        self.places.setdefault(id(node), (start, len(self.tokens)))

    def record_syntactic_position(  # type: ignore[override]  # libcst declares a generator-based manager
        self,
        node: cst.CSTNode,
        *,
        start_node: cst.CSTNode | None = None,
        end_node: cst.CSTNode | None = None,
    ) -> _Recorder:
        return _Recorder(self, node, start_node, end_node)


def spans(text: str, *, member: bool) -> list[Place]:
    """The place of every node that lowering numbered, by number. `text` is a chunk that lowered without a fault."""
    module, nodes = lower_with_nodes(text, member=member)
    state = _TokenState(module)
    module._codegen(state)
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
    for node in nodes:
        start, end = state.places[id(node)]
        out.append(starts[start] + starts[end])
    return out
