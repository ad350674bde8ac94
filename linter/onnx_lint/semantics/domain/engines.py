"""Sets of export engines as bits: what the interpreter carries along each way through the code."""

from __future__ import annotations

from onnx_lint.target import Engine

TORCHSCRIPT, DYNAMO = Engine.TORCHSCRIPT.bit, Engine.DYNAMO.bit
ALL_ENGINES = TORCHSCRIPT | DYNAMO

ENGINES: dict[int, tuple[Engine, ...]] = {
    0: (),
    TORCHSCRIPT: (Engine.TORCHSCRIPT,),
    DYNAMO: (Engine.DYNAMO,),
    ALL_ENGINES: (Engine.TORCHSCRIPT, Engine.DYNAMO),
}
"""The engines of a bit set, in the order in which they are named."""
