"""Which rules may be the cause of what an export saw: a place in common is not enough.

Rules are known by the folder that they lie in; rules of others' packages may be the cause of anything.
"""

from __future__ import annotations

from functools import cache

from onnx_lint.registry import load
from onnx_lint_exporter.codes import ExportCode
from onnx_lint_exporter.outcome import Outcome
from onnx_lint_exporter.worker.protocol import Fault, Kind, Observation, Read, State

_FREEZING = {"control_flow", "conversions", "containers"}
"""Rules about values that a recording keeps as they are for the example."""
_ABOUT_VALUES = _FREEZING | {"shapes"}
_READ_BY: dict[Read, set[str]] = {
    Read.BOOLEAN: {"control_flow", "conversions"},
    Read.CONSTANT: {"conversions"},
    Read.IN_PLACE: {"shapes"},
}
_OF_THE_OPERATOR = {ExportCode.TRANSLATE.code, ExportCode.CHECK.code}
_OF_A_RUN = {ExportCode.RUN.code, ExportCode.MISMATCH.code}
_CONSTANT = "constant-tensor"
"""The rule about tensors made of constants, which change nothing by themselves."""


def may_explain(rule: str, item: Observation, outcome: Outcome) -> bool:
    """Whether the rule with a code may be the cause of an observation."""
    folder, name = _folders().get(rule, ("", ""))
    if not folder:
        return True
    if item.kind is Kind.TRACER_WARNING and item.read in _READ_BY:
        return folder in _READ_BY[item.read]
    if name == _CONSTANT:
        return item.kind is Kind.TRACER_WARNING
    if item.kind in (Kind.TRANSLATE_ERROR, Kind.UNSUPPORTED_OPERATOR, Kind.CHECK_ERROR):
        return folder not in _ABOUT_VALUES
    if item.kind in (Kind.RUN_ERROR, Kind.OUTPUT_MISMATCH):
        return folder not in _FREEZING or _frozen(outcome)
    return True


def may_cause(rule: str, code: str, outcome: Outcome) -> bool:
    """Whether the rule with a code may be the cause of a diagnostic of an export with another one."""
    folder, name = _folders().get(rule, ("", ""))
    if not folder or rule == code:
        return True
    if code == ExportCode.CONVERSION.code:
        return False
    if code in _folders() or name == _CONSTANT:
        return False  # another rule explains it
    if code in _OF_THE_OPERATOR:
        return folder not in _ABOUT_VALUES
    return code not in _OF_A_RUN or folder not in _FREEZING or _frozen(outcome)


def _frozen(outcome: Outcome) -> bool:
    """Whether a wrong result may come of a value that was frozen: then the input that was recorded is right."""
    mismatch = outcome.result.mismatch
    converter = mismatch is not None and mismatch.fault is Fault.CONVERTER
    return outcome.result.input1.state not in (State.WRONG, State.FAILED) and not converter


@cache
def _folders() -> dict[str, tuple[str, str]]:
    """Code → the folder and the name of each rule of our own."""
    return {
        rule.code: (type(rule).__module__.split(".")[1], rule.name)
        for rule in load()
        if type(rule).__module__.startswith("onnx_lint_rules.")
    }
