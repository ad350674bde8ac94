"""The protocol between exporter and worker: what is written is read back, and nothing else is taken."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import fields, replace
from pathlib import Path

import pytest

import onnx_lint_exporter.worker
from onnx_lint_exporter.worker.protocol import (
    Argument,
    Comparison,
    Done,
    EnvironmentLacks,
    Exiting,
    Fault,
    ForeignSender,
    Frame,
    GraphValue,
    InternalError,
    Job,
    Kind,
    Message,
    Mismatch,
    ModelLoaded,
    NodeOutput,
    NodeRow,
    Observation,
    PlaceRead,
    Proof,
    Read,
    Ready,
    Result,
    ResultSoFar,
    Stage,
    StageBegun,
    State,
    Step,
    StepState,
    Target,
    Unwritable,
    Worst,
)
from onnx_lint_exporter.worker.wire import ProtocolError, decode, decode_job, encode, encode_job

FRAME = Frame("C:\\models\\net.py", 7, "forward", 3, 7, 9)
RESULT = Result(
    "dynamo",
    torch="2.13",
    python="3.11",
    strict=True,
    stage=Stage.COMPARE,
    exported=True,
    checked=True,
    complete=True,
    retry_strict=True,
    input1=Comparison(State.RIGHT, "1 output agrees"),
    input2=Comparison(State.WRONG, "differs", "y", Worst((0, 2), "1.0", "nan", 1, 4)),
    observations=(
        Observation(Kind.TRACER_WARNING, "»", (FRAME,), read=Read.BOOLEAN, count=2),
        Observation(Kind.STRUCTURE, "", lines=(3, 4), fault=Fault.TRACING, step=StepState.DIFFERS, nodes=("Add a",)),
    ),
    asked_opset=17,
    proof=Proof(
        True,
        inputs=40,
        branches=2,
        both_ways=1,
        witness=(Argument("x", "float32[2,3]", "float32[17,3]"),),
        failed=Comparison(State.FAILED, "Reshape"),
        turned=("`n > 16` is True",),
        open_branches=(PlaceRead("net.py", 3, 4, 3, 9, "n > 16", False, "False"),),
    ),
    calls=2,
    called_at=FRAME,
    attribute="Net",
    is_instance=True,
    seconds={"load": 1.5, "run": 2},
    usage="no such file",
    definition=replace(FRAME, inside=True),
    root="C:\\models",
    inputs_origin="--input",
    arguments=(Argument("x", "float32[2,3]", "float32[3,3]"),),
    executed={"C:\\models\\net.py": (6, 7)},
    nodes=3,
    opset=18,
    size=1000,
    inputs=(GraphValue("x", "float", ("n", 3)),),
    outputs=(GraphValue("y", "sequence", None),),
    operators={"Add": 2},
    mismatch=Mismatch(
        Fault.CONVERTER, ("Add a",), Step("add", StepState.DIFFERS, "", (FRAME,)), (Step("mul", StepState.EQUAL),)
    ),
    node_map=(NodeRow("a", "Add", (NodeOutput("y", (2, "n")),), (FRAME,)),),
    text="graph",
    old_data=("net.onnx.data",),
    notes=("twin trace: no",),
)
MESSAGES: list[Message] = [
    Ready("2.13", "python3"),
    StageBegun(Stage.TWIN),
    ModelLoaded(None),
    ModelLoaded(FRAME),
    Exiting("os._exit", -6, (FRAME,)),
    ForeignSender(()),
    EnvironmentLacks(("torch",), "python3"),
    Unwritable("/made", "no room"),
    InternalError("ValueError", "text"),
    ResultSoFar(RESULT),
    Done(),
]
JOB = Job(
    Target("net.py:Net", "C:\\models\\net.py", None, "Net"),
    "dynamo",
    axes={"x": {0: "n"}},
    dynamic_shapes={"x": [None, {"0": "n"}]},
    input_specs=("x:float32[n,3]",),
    inputs_from=Target("net.py:inputs", "net.py", None, "inputs"),
    custom_opsets={"own": 1},
    script=("--out", "here"),
    call=1,
)


@pytest.mark.parametrize("message", MESSAGES, ids=lambda m: type(m).__name__)
def test_a_message_is_read_as_it_was_written(message: Message) -> None:
    assert decode(encode(message, 5)) == (5, message)


def test_every_field_of_a_result_takes_part() -> None:
    """So that no field is left at its default in the test above."""
    assert not [f.name for f in fields(Result) if getattr(RESULT, f.name) == f.default]


def test_a_job_is_read_as_it_was_written() -> None:
    line = encode_job(JOB)
    assert line.endswith(b"\n") and line.count(b"\n") == 1
    assert decode_job(line) == JOB


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"kind": "Reday"}, "unknown kind"),
        ({"number": "0"}, "unknown kind"),
        ({"number": True}, "unknown kind"),
        ({"more": 1}, "not a message"),
        ({"message": {"torch": "2", "python": 3}}, "Ready.python"),
        ({"message": {"torch": "2"}}, "python"),
        ({"message": {"torch": "2", "python": "3", "files": ["/etc/passwd"]}}, "unknown fields"),
        ({"message": []}, "Ready"),
        ({"kind": "StageBegun", "message": {"stage": "lunch"}}, "StageBegun.stage"),
        ({"kind": "ModelLoaded", "message": {"definition": {"file": "a", "line": 1.5}}}, "ModelLoaded.definition"),
        ({"kind": "ResultSoFar", "message": {"result": {"engine": "x", "executed": {"a": ["1"]}}}}, "executed"),
    ],
)
def test_what_does_not_fit_its_type_is_refused(change: dict[str, object], words: str) -> None:
    body = {"number": 0, "kind": "Ready", "message": {"torch": "2", "python": "3"}, **change}
    with pytest.raises(ProtocolError, match=words):
        decode(json.dumps(body).encode())


@pytest.mark.parametrize("text", [b"", b"{", b"[]", b"\xff", b"[" * 100_000])
def test_what_is_not_a_message_is_refused(text: bytes) -> None:
    with pytest.raises(ProtocolError):
        decode(text)


@pytest.mark.parametrize("text", [b"[" * 100_000, b'{"a":' * 100_000, b'"\\"' + b"[" * 100_000, b'["]"' + b"[" * 300])
def test_a_deep_message_is_refused_whatever_the_recursion_limit_is(text: bytes) -> None:
    before = sys.getrecursionlimit()
    sys.setrecursionlimit(60_000)
    try:
        with pytest.raises(ProtocolError):
            decode(text)
    finally:
        sys.setrecursionlimit(before)


def test_brackets_in_text_are_not_nesting() -> None:
    body = {"number": 0, "kind": "Ready", "message": {"torch": "[{" * 500 + '"[\\"[', "python": "3"}}
    number, message = decode(json.dumps(body).encode())
    assert number == 0 and getattr(message, "torch") == "[{" * 500 + '"[\\"['  # noqa: B009


def test_the_protocol_imports_nothing_of_the_project() -> None:
    """It is loaded in an interpreter that may have neither the linter nor torch."""
    folder = Path(onnx_lint_exporter.worker.__file__).parent.parent
    script = (
        f"import sys; sys.path.insert(0, {str(folder)!r}); before = set(sys.modules); "
        "import worker.protocol; "
        "new = {name.split('.')[0] for name in set(sys.modules) - before}; "
        "print(*sorted(new - set(sys.stdlib_module_names) - {'worker'}))"
    )
    ran = subprocess.run([sys.executable, "-I", "-c", script], capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout.split() == []
