"""Keyword arguments of ``torch.onnx.export`` that are the same for every engine."""

from __future__ import annotations

import inspect

import torch

from ..protocol import Job
from .engine import Options


def accepted(wanted: Options) -> Options:
    """The keyword arguments that this version of torch knows."""
    known = inspect.signature(torch.onnx.export).parameters
    return {key: value for key, value in wanted.items() if key in known}


def shared(job: Job) -> Options:
    """Opset and output names, where they are given."""
    options: Options = {}
    if job.opset_version:
        options["opset_version"] = job.opset_version
    if job.output_names:
        options["output_names"] = list(job.output_names)
    return options
