"""Run ``onnx-lint --export`` in this process, with workers forked from a warm interpreter."""

from __future__ import annotations

import contextlib
import io
import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from onnx_lint_exporter.command import run


@dataclass
class Ran:
    """How a run ended and what it wrote."""

    status: int
    out: str
    err: str

    @property
    def document(self) -> dict[str, Any]:
        document: dict[str, Any] = json.loads(self.out)
        return document

    def export(self, engine: str) -> dict[str, Any]:
        found: dict[str, Any] = next(entry for entry in self.document["exports"] if entry["engine"] == engine)
        return found

    @property
    def said(self) -> list[tuple[str, int, str]]:
        """Code, line and engines of every diagnostic of the document."""
        return [(d["code"], d["line"], "+".join(d["engines"])) for d in self.document["diagnostics"]]


def export(folder: Path, python: str, arguments: Sequence[str]) -> Ran:
    """The command in a folder, with its cache there too."""
    return _command(folder, ["--isolated", "--python", python, "--export", *arguments])


def export_from(folder: Path, python: str, arguments: Sequence[str], script: Sequence[str]) -> Ran:
    """The command with ``--export-from``, in a folder."""
    return _command(folder, ["--isolated", "--python", python, *arguments, "--export-from", *script])


def observe(folder: Path, python: str, arguments: Sequence[str], script: Sequence[str]) -> Ran:
    """The command with ``--observe``, in a folder."""
    return _command(folder, ["--isolated", "--python", python, *arguments, "--observe", *script])


def _command(folder: Path, arguments: list[str]) -> Ran:
    out, err = io.StringIO(), io.StringIO()
    before, cache = os.getcwd(), os.environ.get("XDG_CACHE_HOME")
    os.chdir(folder)
    os.environ["XDG_CACHE_HOME"] = str(folder / "cache")
    try:
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            try:
                status = run(arguments)
            except SystemExit as end:  # argparse
                status = int(end.code or 0)
    finally:
        os.chdir(before)
        if cache is None:
            del os.environ["XDG_CACHE_HOME"]
        else:
            os.environ["XDG_CACHE_HOME"] = cache
    return Ran(status, out.getvalue(), err.getvalue())
