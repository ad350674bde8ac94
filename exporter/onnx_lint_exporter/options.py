"""The options of ``onnx-lint --export``: those of a lint run, and the exporter's own."""

from __future__ import annotations

import argparse
import os
import sys
from typing import NoReturn

from onnx_lint.arguments import parser as lint_parser
from onnx_lint.config import engines_of
from onnx_lint.inputs import UsageError
from onnx_lint.source import json_text
from onnx_lint.target import BOTH, Engine
from onnx_lint_exporter import opsets, targets
from onnx_lint_exporter.child import Limits
from onnx_lint_exporter.processes import memory_of_machine
from onnx_lint_exporter.runs import Request
from onnx_lint_exporter.targets import TargetError
from onnx_lint_exporter.worker.protocol import Job, Target
from onnx_lint_exporter.worker.spec import SpecError
from onnx_lint_exporter.worker.spec import parse as parse_inputs
from onnx_lint_exporter.writer import OutputPath, WriteError, output_path

ENGINE_PLACE = "{engine}"
"""In ``--output``, stands for the engine's name, so that each engine writes a file of its own."""


def entries(given: argparse.Namespace) -> list[str]:
    """The entry points for the linter: those named, and the target, which is analysed whatever its name says."""
    if given.script is not None:
        return list(given.entry or ())
    target = targets.parse(given.export)
    module = target.module or os.path.splitext(os.path.basename(target.file or ""))[0]
    exported = [f"{module}:{target.attribute}"] if target.attribute and target.attribute.isidentifier() else []
    return [*(given.entry or ()), *exported]


_SCRIPTS = ("--export-from", "--observe")
"""Options that take a script with its arguments."""


def parse(argv: list[str]) -> argparse.Namespace:
    """The options of these arguments. What follows ``--export-from SCRIPT`` or ``--observe SCRIPT`` is the script's,
    whatever it looks like."""
    place = next((k for k, text in enumerate(argv) if text.partition("=")[0] in _SCRIPTS), None)
    if place is None:
        given = _with_one_opset(parser().parse_args(argv))
        given.script = None
        return given
    given = _with_one_opset(parser().parse_args(argv[:place]))
    option, _, joined = argv[place].partition("=")
    given.script = [*([joined] if joined else []), *argv[place + 1 :]]
    given.script_option = option
    return given


def _with_one_opset(given: argparse.Namespace) -> argparse.Namespace:
    """`opsets` is the range that was asked for, `opset` the only one of it, if it has but one."""
    given.opsets = given.opset or ()
    given.opset = given.opsets[0] if len(given.opsets) == 1 else None
    return given


def parser() -> argparse.ArgumentParser:
    """All options. The linter's own keep their meaning; PATHs make it a combined run."""
    out = lint_parser()
    out.description = "Export a PyTorch model to ONNX, verify it, and pin every failure on its line."
    out.epilog = (
        "Exit status: 0 exported and right, nothing at the fail level; 1 a failed or wrong export, or diagnostics; "
        "2 usage, configuration or internal error."
    )
    inputs = out.add_argument_group("export: inputs")
    inputs.add_argument(
        "--input",
        action="append",
        default=[],
        metavar="SPEC",
        help="one input: x:float32[n=2,3,h=224]; a name is a dynamic axis; ids:int64[b,s]=30522",
    )
    inputs.add_argument(
        "--inputs-from",
        metavar="FILE.py:FN",
        help="a function or value that gives the inputs; of a list, the second is the second input",
    )
    inputs.add_argument("--dynamic-axes", metavar="JSON", help='{"x": {"0": "n"}}, or a file that holds it')
    inputs.add_argument(
        "--dynamic-shapes", metavar="JSON", help="dynamic_shapes for the dynamo engine, or a file that holds it"
    )
    inputs.add_argument(
        "--input-names", type=_names, metavar="NAMES", help="names of the graph's inputs, separated by commas"
    )
    inputs.add_argument("--output-names", type=_names, metavar="NAMES", help="names of the graph's outputs")
    made = out.add_argument_group("export: what is made")
    made.add_argument(
        "--output", metavar="FILE.onnx", help=f"where to put the model; {ENGINE_PLACE} stands for the engine"
    )
    made.add_argument(
        "--map", action="store_true", help="write FILE.onnxmap.json beside the model: ONNX node → source lines"
    )
    made.add_argument("--report", metavar="FILE.html", help="write a page with the source and what became of it")
    made.add_argument("--text", action="store_true", help="print the readable graph")
    made.add_argument(
        "--external-data", action="store_true", help="weights in a file of their own also when they would fit"
    )
    made.add_argument("--no-export-params", action="store_true", help="leave the weights out: they become inputs")
    made.add_argument("--keep-initializers-as-inputs", action="store_true", help="list the weights as inputs too")
    out.conflict_handler = "resolve"
    how = out.add_argument_group("export: how")
    how.add_argument(
        "--opset",
        type=opsets.asked,
        metavar="N",
        help="the ONNX opset; 17..23 exports at each and prints which are right",
    )
    how.add_argument(
        "--optimize",
        action=argparse.BooleanOptionalAction,
        default=True,
        help="optimise the graph, never for worse results",
    )
    how.add_argument("--custom-opsets", metavar="JSON", help='{"domain": version} of custom operators')
    how.add_argument(
        "--register",
        action="append",
        default=[],
        metavar="FILE.py",
        help="a file that registers symbolic functions or holds custom_translation_table",
    )
    how.add_argument(
        "--training", choices=("eval", "preserve", "train"), default="eval", help="the model's mode (default: eval)"
    )
    how.add_argument("--strict", action="store_true", help="dynamo: strict capture only")
    how.add_argument("--artifacts-dir", metavar="DIR", help="dynamo: write torch's own report and program there")
    how.add_argument("--profile", action="store_true", help="dynamo: profile the export (into the artifacts' report)")
    how.add_argument(
        "--convert", choices=("fp16", "int8"), help="convert the result, run it, and tell which lines it changes most"
    )
    how.add_argument("--measure", action="store_true", help="time the result beside the model")
    how.add_argument(
        "--differences", action="store_true", help="compare every value of the model with the graph's (JSON and page)"
    )
    how.add_argument(
        "--provider", default="", metavar="NAME", help="ONNX Runtime's execution provider, as CUDA (default: CPU)"
    )
    how.add_argument(
        "--custom-ops-library",
        action="append",
        default=[],
        metavar="FILE",
        help="a library of operators for ONNX Runtime",
    )
    how.add_argument("--no-verify", action="store_true", help="do not run the exported model")
    how.add_argument(
        "--effort",
        type=int,
        default=25,
        metavar="PERCENT",
        help="how much of the export's time the search for an input that goes wrong may add (default: 25; 0: none)",
    )
    how.add_argument(
        "--repair",
        action="store_true",
        help="try the rules' fixes, export again, and print the patch that makes an engine right",
    )
    how.add_argument(
        "--save-witness", metavar="FILE.py", help="write a pytest file that fails as long as the export is wrong"
    )
    run = out.add_argument_group("export: the process")
    run.add_argument(
        "--python", default=sys.executable, metavar="EXE", help="the interpreter that has torch (default: this one)"
    )
    run.add_argument("--timeout", type=float, metavar="SECONDS", help="time limit of one engine's export")
    run.add_argument(
        "--memory-limit",
        type=int,
        metavar="MB",
        help="memory limit of one engine's process (default: 90 %% of the machine's, shared by the engines)",
    )
    run.add_argument("--threads", type=int, default=1, metavar="N", help="torch threads in each process (default: 1)")
    run.add_argument(
        "--progress-format",
        choices=("text", "json"),
        default="text",
        help="text: on a terminal; json: one JSON line for each event, on standard error",
    )
    run.add_argument("--log", action="store_true", help="print what the model and the engines printed")
    return out


def _names(text: str) -> list[str]:
    return [name.strip() for name in text.split(",") if name.strip()]


def _json(option: str, text: str | None) -> object:
    """The value of an option that is JSON or a file that holds JSON. Raises `UsageError`."""
    if text is None:
        return None
    try:
        if not text.lstrip().startswith(("{", "[")):
            with open(text, encoding="utf-8") as file:
                text = file.read()
        read: object = json_text.loads(text)
        return read
    except (OSError, ValueError) as error:
        raise UsageError(f"{option}: neither JSON nor a file with JSON: {error}") from error


def engines(options: argparse.Namespace) -> tuple[Engine, ...]:
    """The engines that are asked for: both by default."""
    return engines_of(options.engine) if options.engine else BOTH


def request(options: argparse.Namespace) -> Request:
    """What the options ask for. Raises `UsageError`."""
    try:
        target = _script_target(options) if options.script is not None else targets.parse(options.export)
        source = targets.parse(options.inputs_from, name_needed=True) if options.inputs_from else None
        parse_inputs(options.input)
    except (TargetError, SpecError) as error:
        raise UsageError(str(error)) from error
    if options.input and source:
        raise UsageError("--input and --inputs-from exclude each other")
    for path in options.register:
        if not os.path.isfile(path):
            raise UsageError(f"--register {path}: no such file")
    for path in options.custom_ops_library:
        if not os.path.isfile(path):
            raise UsageError(f"--custom-ops-library {path}: no such file")
    if options.convert and options.no_verify:
        raise UsageError("--convert: what it changes is only known by running it: leave --no-verify out")
    if options.opsets and options.opsets[0] < 7:
        raise UsageError(f"--opset {options.opsets[0]}: 7 is the oldest that torch exports")
    for name in ("timeout", "memory_limit"):
        if getattr(options, name) is not None and getattr(options, name) <= 0:
            raise UsageError(f"--{name.replace('_', '-')}: must be more than 0")
    if options.effort < 0:
        raise UsageError("--effort: must be 0 or more")
    if options.save_witness:
        _writable("--save-witness", options.save_witness)
    if options.map and not (options.output or options.report):
        raise UsageError("--map: written beside a model or a page: give --output or --report as well")
    if options.report:
        _writable("--report", options.report)
    job = Job(
        target,
        "",
        threads=options.threads,
        strict=options.strict,
        input_specs=tuple(options.input),
        inputs_from=source,
        axes=_axes(options.dynamic_axes),
        dynamic_shapes=_json("--dynamic-shapes", options.dynamic_shapes),
        input_names=tuple(options.input_names or ()),
        output_names=tuple(options.output_names or ()),
        opset_version=options.opset,
        register=tuple(os.path.abspath(path) for path in options.register),
        script=tuple(options.script[1:]) if options.script is not None else None,
        observe=_is_observed(options),
        linted=tuple(os.path.abspath(path) for path in options.paths if os.path.exists(path)),
        custom_opsets=_opsets(options.custom_opsets),
        training=options.training,
        external_data=options.external_data,
        weights_left_out=options.no_export_params,
        keep_initializers_as_inputs=options.keep_initializers_as_inputs,
        optimize=options.optimize,
        artifacts_dir=_artifacts(options),
        profile=options.profile,
        verify=not options.no_verify,
        effort=options.effort,
        measure=options.measure,
        differences=options.differences,
        convert=options.convert or "",
        provider=options.provider,
        libraries=tuple(os.path.abspath(path) for path in options.custom_ops_library),
        want_map=bool(options.map or options.report or options.output),
        want_text=options.text,
        want_witness=bool(options.save_witness),
    )
    limits = Limits(options.timeout, options.memory_limit or _default_memory(len(engines(options))))
    own = options.script is not None and options.engine is None and not _is_observed(options)
    chosen = (Engine.DYNAMO,) if own else engines(options)
    return Request(job, chosen, _python(options.python), limits, _outputs(options), own)


def _is_observed(options: argparse.Namespace) -> bool:
    return options.script is not None and options.script_option == "--observe"


def _script_target(options: argparse.Namespace) -> Target:
    """The script of ``--export-from`` or ``--observe``. Raises `UsageError`."""
    option = options.script_option
    if not options.script or not os.path.isfile(options.script[0]):
        raise UsageError(f"{option} {' '.join(options.script[:1])}: no such file")
    if len(options.opsets) > 1:
        raise UsageError(f"--opset: with {option}, give one opset, not a range")
    if options.repair:
        raise UsageError(f"--repair: with {option} the model is the script's; give it to --export")
    counts = (
        "how the script calls its models" if _is_observed(options) else "what the script gives to torch.onnx.export"
    )
    taken = ("input_names", "output_names") if _is_observed(options) else ()
    for name in ("input", "inputs_from", "output", "dynamic_axes", "dynamic_shapes", "input_names", "output_names"):
        if getattr(options, name) and name not in taken:
            raise UsageError(f"--{name.replace('_', '-')}: with {option}, {counts} counts")
    return Target(options.script[0], os.path.abspath(options.script[0]))


def _axes(text: str | None) -> dict[str, dict[int, str]] | None:
    """``--dynamic-axes`` in one form: name → dimension → axis name; a list of dimensions has names made for it."""
    given = _json("--dynamic-axes", text)
    if given is None:
        return None
    axes: dict[str, dict[int, str]] = {}
    try:
        for name, dims in given.items() if isinstance(given, dict) else _refused():
            if isinstance(dims, list):
                dims = {dim: f"{name}_dynamic_axes_{k + 1}" for k, dim in enumerate(dims)}
            pairs = dims.items() if isinstance(dims, dict) else _refused()
            axes[name] = {int(dim): str(axis) for dim, axis in pairs}
    except (TypeError, ValueError) as error:
        raise UsageError('--dynamic-axes: write {"input": {"0": "axis"}} or {"input": [0]}') from error
    return axes


def _refused() -> NoReturn:
    raise TypeError


def _opsets(text: str | None) -> dict[str, int] | None:
    given = _json("--custom-opsets", text)
    if given is None:
        return None
    if not isinstance(given, dict) or not all(type(version) is int for version in given.values()):
        raise UsageError('--custom-opsets: write {"domain": version}')
    return given


def _writable(option: str, path: str) -> None:
    """Look at an output path before anything is exported. Raises `UsageError`."""
    folder = os.path.dirname(os.path.realpath(path))
    if not os.path.isdir(folder):
        raise UsageError(f"{option} {path}: the folder {folder} does not exist; make it first")
    if os.path.isdir(path):
        raise UsageError(f"{option} {path}: a folder; name a file in it")
    if not os.access(folder, os.W_OK):
        raise UsageError(f"{option} {path}: the folder {folder} cannot be written to")


def _artifacts(options: argparse.Namespace) -> str | None:
    if not options.artifacts_dir:
        if options.profile:
            raise UsageError("--profile: written into torch's report: give --artifacts-dir as well")
        return None
    folder = os.path.abspath(str(options.artifacts_dir))
    try:
        os.makedirs(options.artifacts_dir, exist_ok=True)
    except OSError as error:
        raise UsageError(f"--artifacts-dir {options.artifacts_dir}: {error.strerror}") from error
    return folder


def _python(text: str) -> str:
    from shutil import which

    found = which(text)
    if found is None:
        raise UsageError(f"--python {text}: no such program")
    return found


def _outputs(options: argparse.Namespace) -> dict[Engine, OutputPath]:
    """Where each engine's model goes; one path for all of them is looked at later, when the results are known."""
    if not options.output:
        return {}
    try:
        return {engine: output_path(options.output.replace(ENGINE_PLACE, engine.value)) for engine in engines(options)}
    except WriteError as error:
        raise UsageError(str(error)) from error


def _default_memory(workers: int) -> int | None:
    """Megabytes for each worker, so that all of them together leave the machine room to live."""
    whole = memory_of_machine()
    return int(whole * 0.9 / workers) if whole else None
