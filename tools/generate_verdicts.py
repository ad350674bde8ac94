"""Run PyTorch's own operator samples, and everyday forms, through both export engines and ONNX Runtime.

python tools/generate_verdicts.py run RESULTS.jsonl [--only NAME ...] [--seconds N]   # resumes where it stopped
python tools/generate_verdicts.py write RESULTS.jsonl                                 # the table that is packaged

Every operator of PyTorch's test suite (OpInfo) is called with some of its samples; tensors among the arguments
are inputs of the model, all else is constant. Each form of `verdict_forms` is a model with dynamic dimensions and a
second input of other sizes. A case counts as fine if ONNX Runtime agrees with eager mode on the example and on a second
input. An operator has a verdict if all its samples agree on one. For torchscript the lowest opset is looked for.

Operators are run one by one in forked children of a warm process, since some of them kill it.
"""

from __future__ import annotations

import argparse
import copy
import io
import json
import logging
import os
import re
import signal
import sys
import time
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import torch
from torch.export import Dim
from torch.utils import _pytree as pytree
from verdict_forms import FORMS
from verdict_samples import Starred, Trial, Trials, by_use, grown, modules, of_form, operators

TABLE = Path(__file__).parents[1] / "linter" / "onnx_lint" / "semantics" / "catalogue" / "data" / "verdicts.json"
DEFAULT_OPSET = 20
LOWER_OPSETS = (18, 17, 16, 14, 13, 11, 9)
DYNAMO_OPSETS = (17, 23)
"""Below 18, what dynamo makes is converted by ONNX's version converter, where that can."""
ENOUGH = 2
"""So many samples that are right are enough; so are two that disagree."""
WITHOUT_EVERYDAY = frozenset(
    {"torch.nn.AdaptiveAvgPool3d", "torch.nn.AdaptiveMaxPool1d", "torch.nn.AdaptiveMaxPool3d", "torch.nn.Threshold"}
)
"""Modules of which no sample has the setting that models use most: pooling to one element, a threshold of 0."""
TIME_LIMIT = 90
"""Seconds of processor time for one operator with all its samples."""


# ---------------------------------------------------------------------------------------------------- measuring
def measured(trial: Trial, engine: str, opset: int) -> tuple[str, str, str]:
    """Verdict, stage and message of one trial."""
    model = trial.model.eval()
    try:
        with torch.no_grad():
            expected = [_flat(copy.deepcopy(model)(*copy.deepcopy(given))) for given in (trial.first, trial.second)]
            again = _flat(copy.deepcopy(model)(*copy.deepcopy(trial.first)))
    except Exception as error:  # noqa: BLE001 - a sample that eager mode refuses says nothing
        return "not run", "eager", _line(error)
    is_random = not all(_same(a, b) for a, b in zip(expected[0], again, strict=True))
    try:
        data = _export(model, copy.deepcopy(trial.first), trial.dynamic, engine, opset)
    except Exception as error:  # noqa: BLE001 - whatever stops an export is what is measured
        while isinstance(error.__cause__, Exception):
            error = error.__cause__
        text = _line(error)
        is_translation = re.search(r"Exporting the operator|No ONNX function|Unsupported: ONNX export|dispatch", text)
        return "fails", "translate" if is_translation else "capture", text
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    try:
        session = onnxruntime.InferenceSession(data, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # noqa: BLE001 - likewise
        return "fails", "check", _line(error)
    if is_random:
        return "random", "", ""
    for which, given, wanted in zip(("example", "other size"), (trial.first, trial.second), expected, strict=True):
        tensors = [t for t in pytree.tree_leaves(given) if isinstance(t, torch.Tensor)]
        names = [i.name for i in session.get_inputs()]
        numbers = [int(m[1]) if (m := re.search(r"(\d+)$", n)) else i for i, n in enumerate(names)]
        try:
            feed = {n: _array(tensors[k]) for n, k in zip(names, numbers, strict=True)}
            got = session.run(None, feed)
        except Exception as error:  # noqa: BLE001 - likewise
            return "fails", f"run, {which}", _line(error)
        if len(got) != len(wanted) or not all(_close(g, w) for g, w in zip(got, wanted, strict=True)):
            return "silently wrong", which, ""
    return "fine", "", ""


def _export(
    model: torch.nn.Module, first: tuple[Any, ...], dynamic: tuple[tuple[int, ...], ...], engine: str, opset: int
) -> bytes:
    names = [f"in{i}" for i in range(len(first))]
    axes = {n: {a: f"{n}_{a}" for a in d} for n, d in zip(names, dynamic, strict=False) if d}
    buffer = io.BytesIO()
    if engine == "torchscript":
        torch.onnx.export(model, first, buffer, dynamo=False, opset_version=opset, input_names=names, dynamic_axes=axes)
    else:
        shapes = tuple(dict.fromkeys(d, Dim.DYNAMIC) if d else None for d in dynamic) if any(dynamic) else None
        if shapes is not None and isinstance(model, Starred):
            shapes = (shapes,)
        program = torch.onnx.export(
            model, first, dynamo=True, opset_version=opset, input_names=names, dynamic_shapes=shapes, verbose=False
        )
        assert program is not None
        made = next(i.version for i in program.model_proto.opset_import if not i.domain)
        if made != opset:
            raise RuntimeError(f"The model has opset {made} where {opset} was asked for")
        onnx.save(program.model_proto, buffer)
    return buffer.getvalue()


def _flat(value: Any) -> list[torch.Tensor]:
    return [v if isinstance(v, torch.Tensor) else torch.tensor(v) for v in pytree.tree_leaves(value) if v is not None]


def _same(a: torch.Tensor, b: torch.Tensor) -> bool:
    return a.shape == b.shape and torch.allclose(_real(a), _real(b), equal_nan=True)


def _real(value: torch.Tensor) -> torch.Tensor:
    value = torch.view_as_real(value.resolve_conj()) if value.is_complex() else value
    return value.to(torch.float64)


def _array(value: torch.Tensor) -> Any:
    return torch.view_as_real(value.resolve_conj()).numpy() if value.is_complex() else value.numpy()


def _close(got: Any, wanted: torch.Tensor) -> bool:
    expected = _real(wanted).numpy()
    return np.shape(got) == expected.shape and np.allclose(
        np.asarray(got, np.float64), expected, 1e-2, 2e-3, equal_nan=True
    )


def _line(error: BaseException) -> str:
    text = re.sub(r"\x1b\[[0-9;]*m", "", f"{type(error).__name__}: {error}")
    return text.strip().partition("\n")[0][:240]


# ---------------------------------------------------------------------------------------------------- running
def judge(make: Trials) -> dict[str, Any]:
    """All that is measured of one operator, module or form."""
    trials = list(make())
    out: dict[str, Any] = {"samples": len(trials), "runs": 0}
    counted = _Counted(out)
    for engine in ("torchscript", "dynamo"):
        results: list[tuple[str, str, str]] = []
        for trial in trials:
            results.append(counted(trial, engine, DEFAULT_OPSET))
            seen = [r[0] for r in results if r[0] != "not run"]
            if len(set(seen)) > 1 or (len(seen) >= ENOUGH and seen[0] == "fine"):
                break
        out[engine] = results
        if len(trials) == 1 and any(trials[0].dynamic) and results[0][0] in ("fails", "silently wrong"):
            fixed = Trial(trials[0].model, trials[0].first, trials[0].first)
            out[f"{engine}, fixed"] = counted(fixed, engine, DEFAULT_OPSET)
        good = next((t for t, r in zip(trials, results, strict=False) if r[0] == "fine"), None)
        if good is None:
            continue
        larger = None if any(good.dynamic) else grown(good)
        if larger is not None:
            out[f"{engine}, dynamic"] = counted(larger, engine, DEFAULT_OPSET)
        if engine == "torchscript":
            out["lowest"], out["below"] = _lowest(good, counted)
        else:
            out["opsets"] = {str(opset): counted(good, engine, opset) for opset in DYNAMO_OPSETS}
    return out


class _Counted:
    """`measured`, which counts the runs."""

    def __init__(self, out: dict[str, Any]) -> None:
        self._out = out

    def __call__(self, trial: Trial, engine: str, opset: int) -> tuple[str, str, str]:
        self._out["runs"] += 1
        return measured(trial, engine, opset)


def _lowest(trial: Trial, counted: _Counted) -> tuple[int, tuple[str, str, str] | None]:
    """The lowest opset at which torchscript exports a trial, and what it says at the next lower one."""
    works, fails = DEFAULT_OPSET, None
    low, high = 0, len(LOWER_OPSETS)  # those at and above `low` are tried by halves; lower ones fail where one fails
    while low < high:
        middle = (low + high) // 2
        verdict = counted(trial, "torchscript", LOWER_OPSETS[middle])
        if verdict[0] == "fine":
            works, low = LOWER_OPSETS[middle], middle + 1
        else:
            fails, high = verdict, middle
    return works, fails


def in_child(make: Trials) -> dict[str, Any]:
    """`judge` in a forked child; what it dies of is told."""
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reader)
        signal.setitimer(signal.ITIMER_PROF, TIME_LIMIT)
        null = os.open(os.devnull, os.O_WRONLY)
        os.dup2(null, 1)
        os.dup2(null, 2)
        try:
            result = judge(make)
        except BaseException as error:  # noqa: BLE001 - told to the parent
            result = {"broken": _line(error)}
        os.write(writer, json.dumps(result).encode())
        os._exit(0)
    os.close(writer)
    with os.fdopen(reader, "rb") as pipe:
        answer = pipe.read()
    _, status = os.waitpid(child, 0)
    return json.loads(answer) if answer else {"broken": f"signal {os.WTERMSIG(status)}"}


def run(results: Path, only: list[str], seconds: float, used_in: Path | None) -> None:
    """Append one line for each operator and form that has none yet."""
    warnings.simplefilter("ignore")
    logging.disable(logging.CRITICAL)
    torch.set_num_threads(1)
    torch.onnx.export(torch.nn.ReLU(), (torch.randn(2, 2),), dynamo=True, verbose=False)
    done = set()
    if results.exists():
        done = {json.loads(line)["name"] for line in results.read_text(encoding="utf-8").splitlines()}
    work = list(modules())
    work += operators() if used_in is None else by_use(operators(), used_in)
    work += [(f"form {form.key}", lambda form=form: of_form(form)) for form in FORMS]
    end = time.monotonic() + seconds
    with results.open("a", encoding="utf-8") as out:
        for name, make in work:
            if name in done or (only and not any(o in name for o in only)):
                continue
            if time.monotonic() > end:
                break
            out.write(json.dumps({"name": name, **in_child(make)}) + "\n")
            out.flush()


# ---------------------------------------------------------------------------------------------------- writing
def table(results: Path) -> dict[str, Any]:
    """What is packaged: what was there, if it was made with the same versions, and each form of these results anew.

    What PyTorch's samples gave stands under ``samples``, which is there to be read: a sample says little of a call that
    is written otherwise. Rules look up only modules of which no sample could be translated.
    """
    versions = {m.__name__: m.__version__.partition("+")[0] for m in (torch, onnx, onnxruntime)}
    made: dict[str, Any] = json.loads(TABLE.read_text(encoding="utf-8")) if TABLE.exists() else {}
    if made.get("versions") != versions:
        made = {}
    parts: dict[str, dict[str, Any]] = {part: made.get(part, {}) for part in ("operators", "forms", "samples")}
    for line in results.read_text(encoding="utf-8").splitlines():
        found = json.loads(line)
        name = found.pop("name").removeprefix("module ")
        entry = _entry(found)
        if entry is None:
            continue
        if name.startswith("form "):
            parts["forms"][name[5:]] = entry
            continue
        parts["samples"][name] = entry | {"runs": found["runs"]} | _varied(found)
        is_module = name.startswith("torch.nn.") and name[9].isupper() and name not in WITHOUT_EVERYDAY
        if is_module and _is_untranslated(entry):
            parts["operators"][name] = entry
    return {"versions": versions, "opset": DEFAULT_OPSET, **{part: _sorted(parts[part]) for part in parts}}


def _is_untranslated(entry: dict[str, Any]) -> bool:
    """Whether some engine translated no sample, and the samples agree for the other."""
    verdicts = [tuple(entry[engine][:2]) for engine in ("torchscript", "dynamo")]
    return ("fails", "translate") in verdicts and all(v[0] in ("fails", "fine") for v in verdicts)


def _varied(found: dict[str, Any]) -> dict[str, Any]:
    """What was different with a dynamic first axis, and at other opsets under dynamo."""
    dynamic = {e: r[:2] for e in ("torchscript", "dynamo") if (r := found.get(f"{e}, dynamic")) and r[0] != "fine"}
    opsets = {opset: r[:2] for opset, r in found.get("opsets", {}).items() if r[0] != "fine"}
    return {key: value for key, value in (("dynamic", dynamic), ("opsets", opsets)) if value}


def _sorted(entries: dict[str, Any]) -> dict[str, Any]:
    return {name: entries[name] for name in sorted(entries)}


def _entry(found: dict[str, Any]) -> dict[str, Any] | None:
    if "broken" in found or not found["samples"]:
        return None
    entry: dict[str, Any] = {}
    for engine in ("torchscript", "dynamo"):
        results = [r for r in found[engine] if r[0] != "not run"]
        verdicts = {r[0] for r in results}
        if len(verdicts) != 1:
            entry[engine] = ["mixed"]
        else:
            verdict, stage, message = results[0]
            entry[engine] = [verdict, stage, message] if message else [verdict, stage] if stage else [verdict]
        fixed = found.get(f"{engine}, fixed")
        if fixed is not None and fixed[0] == "fine":
            entry.setdefault("fixed", []).append(engine)
    if "lowest" in found and found["lowest"] > min(LOWER_OPSETS):
        entry["lowest"] = found["lowest"]
        entry["below"] = found["below"][2]
    return entry


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=("run", "write"))
    parser.add_argument("results", type=Path)
    parser.add_argument("--only", nargs="*", default=[], help="parts of names")
    parser.add_argument("--seconds", type=float, default=1e9)
    parser.add_argument("--used-in", type=Path, help="operators that these sources call most come first")
    given = parser.parse_args()
    if given.what == "run":
        run(given.results, given.only, given.seconds, given.used_in)
    else:
        TABLE.write_text(json.dumps(table(given.results), indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
