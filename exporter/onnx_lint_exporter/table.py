"""The table of the engines, as text: exported, right on both inputs and on those of the search, nodes, opset, size."""

from __future__ import annotations

from collections.abc import Sequence

from onnx_lint.target import Engine
from onnx_lint_exporter.figures import figure_words, size
from onnx_lint_exporter.outcome import Outcome
from onnx_lint_exporter.proved import open_words, proved_words
from onnx_lint_exporter.worker.protocol import Proof, State

HEADINGS = ("engine", "exported", "input 1", "input 2", "search", "nodes", "opset", "size", "time", "file")


def rows(outcomes: Sequence[Outcome]) -> list[tuple[str, ...]]:
    """One row for each engine."""
    return [
        (
            _named(outcome),
            "yes" if outcome.exported else f"no: {outcome.stage}",
            *(run.state.value if outcome.exported else "-" for run in outcome.runs),
            _searched(outcome.result.proof),
            str(outcome.result.nodes if outcome.result.nodes is not None else "-"),
            str(outcome.result.opset if outcome.result.opset is not None else "-"),
            size(outcome.result.size),
            f"{outcome.seconds:.1f} s",
            outcome.written or "-",
        )
        for outcome in outcomes
    ]


def _searched(proof: Proof) -> str:
    if not proof.searched:
        return "-"
    return proof.failed.state.value if proof.failed.state is not State.NOT_RUN else f"{proof.inputs} right"


def _named(outcome: Outcome) -> str:
    place = outcome.result.called_at
    strict = " (strict)" if outcome.result.strict else ""
    return f"line {place.line}, {outcome.engine}{strict}" if place is not None else f"{outcome.engine}{strict}"


def lines(outcomes: Sequence[Outcome]) -> list[str]:
    """The table as aligned text, and below it what the columns cannot say."""
    table = [HEADINGS, *rows(outcomes)]
    advice = other_engine(outcomes)
    widths = [max(len(row[k]) for row in table) for k in range(len(HEADINGS))]
    aligned = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in table]
    return [*advice, *aligned, *remarks(outcomes)]


def repairs(outcomes: Sequence[Outcome]) -> list[str]:
    """What ``--repair`` found, with the patch."""
    out: list[str] = []
    for outcome in outcomes:
        found = outcome.repair
        if found is not None:
            told = f"right on {found.inputs} inputs, on which the model gives what it gave before"
            out += ["", f"{outcome.engine} is repaired by this: {told}"]
            if found.scripted:
                out.append("export the compiled model: torch.onnx.export(torch.jit.script(model), …, dynamo=False)")
            out += found.patch.split("\n")[:-1]
        elif not outcome.verified and not outcome.cancelled:
            out += ["", f"{outcome.engine}: no fix of the rules, and no other change that was tried, makes it right"]
    return out


def other_engine(outcomes: Sequence[Outcome]) -> list[str]:
    """What to do first when one engine is right and another is not: take the one that is."""
    right = [outcome for outcome in outcomes if outcome.verified and not outcome.shortfalls]
    bad = [outcome for outcome in outcomes if not outcome.ok and not outcome.cancelled]
    if not right or not bad or len({outcome.target for outcome in outcomes}) > 1:
        return []
    engine = right[-1].engine
    count = max(right[-1].result.proof.inputs, 2)
    strict = ", with strict capture" if right[-1].result.strict else ""
    option = f"dynamo={engine is Engine.DYNAMO}"
    return [
        f"The {engine} engine exports this right, on {count} inputs{strict}: use torch.onnx.export(…, {option}).",
        "",
    ]


def remarks(outcomes: Sequence[Outcome]) -> list[str]:
    """What the columns cannot say: the inputs, and why a run is not right."""
    out: list[str] = []
    told: set[str] = set()
    for outcome in outcomes:
        arguments = outcome.result.arguments
        if arguments and outcome.target not in told:
            told.add(outcome.target)
            first = ", ".join(f"{a.name}:{a.kind}" for a in arguments)
            second = ", ".join(f"{a.name}:{a.second}" for a in arguments)
            out.append(f"input 1: {first}   input 2: {second}   ({outcome.result.inputs_origin})")
    for outcome in outcomes:
        said = [
            (number, f"{run.state}: {run.text}")
            for number, run in enumerate(outcome.runs, 1)
            if outcome.exported and run.state is not State.RIGHT and run.text
        ]
        for words in dict.fromkeys(words for _, words in said):
            numbers = [str(number) for number, each in said if each == words]
            inputs = f"input{'s' if len(numbers) > 1 else ''} {' and '.join(numbers)}"
            out.append(f"{outcome.engine}, {inputs}: {words}")
        if outcome.result.optimised:
            out.append(f"{outcome.engine}: {outcome.result.optimised}")
        out += [f"{outcome.engine}: {words}" for words in figure_words(outcome.result)]
        proof = outcome.result.proof
        if proof.failed.state is not State.NOT_RUN:
            shapes = ", ".join(f"{a.name}:{a.second}" for a in proof.witness)
            out.append(f"{outcome.engine}, search: {proof.failed.text}" + (f"; with {shapes}" if shapes else ""))
            out += [f"{outcome.engine}, search: {turned}" for turned in proof.turned]
        elif proof.searched:
            out.append(f"{outcome.engine}: {proved_words(proof)}")
            out += [f"{outcome.engine}: {words}" for words in open_words(proof)]
        out += [f"{outcome.engine}: not proved: {words}" for words in outcome.shortfalls]
        if outcome.cancelled:
            out.append(f"{outcome.engine}: cancelled")
    return out
