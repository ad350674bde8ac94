"""The test that ``--save-witness`` writes: pytest, failing as long as an export goes wrong on the input found."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from onnx_lint_exporter.outcome import Outcome
from onnx_lint_exporter.received import require_own_file
from onnx_lint_exporter.worker.protocol import WITNESS_FILE, State, Target
from onnx_lint_exporter.writer import WriteError, write_text

_TEST = '''\
"""The export of {target} gives something else than the model. Written by onnx-lint.

{why}
"""

import sys
from pathlib import Path

import torch
from onnx_lint_exporter import export, verify

HERE = Path(__file__).parent
sys.path.insert(0, str((HERE / {root!r}).resolve()))


def build():
    from {module} import {name}

    model = {name}{call}
    return model.eval() if isinstance(model, torch.nn.Module) else model


def test_the_export_is_right_on_the_witness(tmp_path):
    model, path = build(), tmp_path / "model.onnx"
    # the example, the input that goes wrong, and the options of the export
    given = torch.load(HERE / {data!r}, weights_only=True)
    export(model, given["args"], str(path), kwargs=given["kwargs"], **given["options"])
{again}    result = verify(model, path, given["args"], given["witness"], kwargs=given["kwargs"])
    assert result.ok, [comparison.text for comparison in result.results]
'''


def write_witness(path: str, outcome: Outcome, target: Target) -> None:
    """Write the test and, beside it, the tensors it needs. Raises `WriteError`."""
    folder, proof = os.path.dirname(os.path.abspath(path)), outcome.result.proof
    data = Path(path).with_suffix(".pt")
    root, module = _import_of(target)
    name = outcome.result.attribute
    again = ""
    if proof.calls > 1:
        again = f"    for _ in range({proof.calls - 1}):  # a graph has no state, the model has\n"
        again += '        model(*given["args"], **given["kwargs"])\n'
    text = _TEST.format(
        target=target.text,
        why=_why(outcome),
        root=os.path.relpath(root, folder).replace(os.sep, "/"),
        module=module,
        name=name.partition(".")[0],
        call=("." + name.partition(".")[2] if "." in name else "") + ("" if outcome.result.is_instance else "()"),
        data=data.name,
        again=again,
    )
    source = os.path.join(outcome.folder, WITNESS_FILE)
    try:
        require_own_file(source)
        shutil.copyfile(source, data)
    except OSError as error:
        raise WriteError(f"{data}: {error.strerror}") from error
    write_text(path, lambda: text)


def _why(outcome: Outcome) -> str:
    proof = outcome.result.proof
    bad = (State.WRONG, State.FAILED)
    said = next((run.text for run in (*outcome.runs, proof.failed) if run.state in bad), "")
    return "\n".join([f"{outcome.engine}: {said}", *proof.turned]).replace("\\", "\\\\").replace('"""', "'''")


def _import_of(target: Target) -> tuple[str, str]:
    """The folder to import from, and the dotted name of the target's module."""
    if target.file is None:
        return os.getcwd(), target.module or ""
    folder, name = os.path.split(os.path.abspath(target.file))
    parts = [os.path.splitext(name)[0]]
    while os.path.exists(os.path.join(folder, "__init__.py")):
        folder, above = os.path.split(folder)
        parts.insert(0, above)
    return folder, ".".join(part for part in parts if part != "__init__")
