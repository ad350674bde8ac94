"""How much of an exported model was proved, and what was not, in words and as data."""

from __future__ import annotations

from collections.abc import Iterator

from onnx_lint_exporter.worker.protocol import Kind, PlaceRead, Proof, Result, State
from onnx_lint_exporter.worker.wire import plain


def proof_as_json(proof: Proof) -> dict[str, object] | None:
    """The entry of the JSON output; ``None`` when nothing was searched."""
    if not proof.searched:
        return None
    return {
        "inputs": proof.inputs,
        "refused": proof.refused,
        "unstable": proof.unstable,
        "branches": proof.branches,
        "both_ways": proof.both_ways,
        "axes": proof.axes,
        "axes_varied": proof.axes_varied,
        "failed": {"state": proof.failed.state.value, "text": proof.failed.text},
        "witness": plain(proof.witness),
        "turned": list(proof.turned),
        "open_branches": [
            {"path": r.file, "line": r.line, "text": r.text, "values": r.values} for r in proof.open_branches
        ],
        "outputs": list(proof.dull),
    }


def proved_words(proof: Proof) -> str:
    """How much was proved, in a line; empty when nothing was searched."""
    if not proof.searched:
        return ""
    words = [f"right on {_count(proof.inputs, 'input')}"]
    varied = []
    if proof.branches:
        varied.append(f"{proof.both_ways} of {_count(proof.branches, 'branch', 'branches')} both ways")
    if proof.axes:
        varied.append(f"{proof.axes_varied} of {_count(proof.axes, 'size')} varied")
    if varied:
        words.append(", ".join(varied))
    if proof.unstable:
        words.append(f"{_count(proof.unstable, 'more', 'more')} within the rounding of the model itself")
    return "; ".join(words)


def _count(number: int, word: str, several: str = "") -> str:
    return f"{number} {word if number == 1 else several or word + 's'}"


def open_words(proof: Proof) -> Iterator[str]:
    """What no input has tested, a line for each."""
    for branch in proof.open_branches[:5]:
        yield f"not tested: `{branch.text}` (line {branch.line}) was {branch.values} on every input"
    if len(proof.open_branches) > 5:
        yield f"not tested: {len(proof.open_branches) - 5} more branches"
    yield from proof.dull


def shortfalls(result: Result) -> list[str]:
    """What an export that is nowhere seen to be wrong leaves unproved of what was asked for."""
    found = []
    if result.input1.state is State.NOT_RUN:
        found.append(f"not run: {result.input1.text or 'the exported model was not run'}")
    elif result.input2.state is State.NOT_RUN:
        found.append(f"only one input was run: {result.input2.text or 'there is no second one'}")
    if result.asked_opset is not None and result.opset is not None and result.opset != result.asked_opset:
        found.append(f"opset {result.asked_opset} was asked for, the file has {result.opset}")
    for item in result.observations:
        if item.kind in (Kind.NARROWED_AXIS, Kind.STATIC_AXIS):
            found.append(item.message)
    return list(dict.fromkeys(found))


def reads_by_file(proof: Proof) -> dict[str, list[PlaceRead]]:
    """The places where Python read values, by file."""
    found: dict[str, list[PlaceRead]] = {}
    for read in proof.reads:
        found.setdefault(read.file, []).append(read)
    return found
