"""The codes of what only an export can find, ``ONX9xx``. What a rule of the linter explains has that rule's code."""

from __future__ import annotations

from enum import Enum
from textwrap import fill

from onnx_lint.codes import Code, Origin


class ExportCode(Enum):
    """A code of the exporter's own: ``(code, name, meaning)``."""

    LOAD = (
        "ONX901",
        "export-load-failed",
        "The target cannot be imported, built, or run by itself, before any export.",
    )
    CAPTURE = (
        "ONX902",
        "export-capture-failed",
        "The engine cannot record the model: tracing or torch.export fails here.",
    )
    TRANSLATE = (
        "ONX903",
        "unconvertible-operator",
        "The engine recorded this operator but has no translation to ONNX for it, or the translation refuses it.",
    )
    CHECK = ("ONX904", "invalid-model", "The exported file is refused by the ONNX checker.")
    RUN = ("ONX905", "export-run-failed", "The exported model fails in ONNX Runtime where the model itself runs.")
    MISMATCH = (
        "ONX906",
        "output-mismatch",
        "The exported model gives other results than the model; this value is the first that differs.",
    )
    BAKED = ("ONX907", "baked-value", "A value that depends on the input stands as a constant in the exported graph.")
    VANISHED = ("ONX908", "vanished-input", "An input is not in the exported graph, or reaches no output.")
    STATIC = (
        "ONX909",
        "static-axis",
        "An axis that was asked to be dynamic is fixed, or holds only for a range of sizes.",
    )
    DROPPED = ("ONX910", "dropped-output", "An output is lost, or loses its form: dict keys, strings, None.")
    CRASH = ("ONX911", "export-crash", "The engine or the model ended the process without an answer.")
    TIMEOUT = ("ONX912", "export-timeout", "The export did not end within its time limit; this line was running.")
    MEMORY = ("ONX913", "export-out-of-memory", "The memory limit was reached here.")
    RANDOM = (
        "ONX914",
        "random-output",
        "The model gives other values at each run, so that results cannot be compared.",
    )
    ENGINE_WARNING = ("ONX915", "engine-warning", "The engine warned about this line.")
    FROZEN_ARGUMENT = (
        "ONX916",
        "frozen-argument",
        "An argument that is not a tensor stands in the graph with the example's value.",
    )
    STRICT = (
        "ONX917",
        "strict-capture",
        "Only strict capture took the model; torch.onnx.export falls back to it silently.",
    )
    ENGINE = ("ONX918", "wrong-engine", "This engine cannot export a target of this kind.")
    FORGED = (
        "ONX919",
        "untrusted-result",
        "The model's code reported results in the exporter's name, or attacked the exporter; nothing is trusted.",
    )

    STATE = (
        "ONX920",
        "lost-state",
        "The model keeps something from call to call, and gives another result when called again; a graph does not.",
    )
    CONVERSION = (
        "ONX925",
        "conversion",
        "A conversion to another number format fails, takes the results too far off, or changes this value most.",
    )

    @property
    def code(self) -> str:
        return self.value[0]

    @property
    def title(self) -> str:
        return self.value[1]

    @property
    def meaning(self) -> str:
        return self.value[2]


_HOW_FOUND = """\
Only an export finds this: `onnx-lint --export` runs the model and pins what it saw on a line of the code.
`# onnx-lint: ignore[{code}]` on that line suppresses it, like any other diagnostic."""


def _page(each: ExportCode) -> str:
    return f"{fill(each.meaning, 120)}\n\n{_HOW_FOUND.format(code=each.code)}"


CODES = tuple(Code(each.code, each.title, each.meaning, _page(each), Origin.EXPORT) for each in ExportCode)
"""The exporter's own codes, as `onnx_lint.codes` has them (entry-point group ``onnx_lint.codes``)."""
