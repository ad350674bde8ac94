"""Exports: run in a child process, shown with progress, cancelled on request, their results kept."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from onnx_lint.source.text import SourceError, read
from onnx_lint_lsp import patches, signature
from onnx_lint_lsp.client import Json
from onnx_lint_lsp.export_process import ExportEnd, ExportPlan, ExportProcess
from onnx_lint_lsp.export_result import describe, evidence_of, outputs_of
from onnx_lint_lsp.options import ClientOptions
from onnx_lint_lsp.progress import Progress
from onnx_lint_lsp.session import Session
from onnx_lint_lsp.uris import of_path, to_path

FOLDER = "onnx-lint-export"
"""Where models go when no folder is set, in the workspace folder: it ignores itself in git."""


class Refused(Exception):
    """An export that is not begun; the message is for the person."""


@dataclass(frozen=True)
class Target:
    """A class of a file; without a name what the file exports when it is run, by its own calls of the exporter."""

    uri: str
    path: str
    name: str

    @property
    def key(self) -> str:
        """What identifies it."""
        return _key(self.path, self.name)

    @property
    def shown(self) -> str:
        """What it is called."""
        return self.name or os.path.basename(self.path)


@dataclass
class Last:
    """The last result of a target."""

    summary: str
    report: str | None
    inputs: tuple[str, ...]
    outputs: list[str] = field(default_factory=list)
    ok: bool = False
    """Whether every engine's export was right."""


class Exports:
    """The exports of a connection: those that run, and the last result of each target. Lives on the event loop."""

    def __init__(self, session: Session) -> None:
        self._session, self._client = session, session.client
        self._running: dict[str, ExportProcess] = {}
        self._tokens: dict[str | int, str] = {}
        self._last: dict[str, Last] = {}
        self._inputs: dict[str, tuple[str, ...]] = {}

    # ------------------------------------------------------------------------------------------------------- state
    def is_running(self, uri: str, name: str) -> bool:
        """Whether a class, or what a script exports, is being exported."""
        return _key(to_path(uri), name) in self._running

    def last(self, target: Target) -> Last | None:
        """The last result of a target."""
        return self._last.get(target.key)

    def summary(self, uri: str, name: str) -> str | None:
        """The last result of a class or a script in one line; ``None`` if there is none."""
        last = self._last.get(_key(to_path(uri), name))
        return last.summary if last is not None else None

    def to_repair(self, path: str | None) -> list[tuple[str, tuple[str, ...]]]:
        """The classes of a file of which the last export was not right, with the inputs of it."""
        found = [(key, last) for key, last in self._last.items() if not last.ok]
        return [(key[len(path) + 1 :], last.inputs) for key, last in found if path and key.startswith(f"{path}:")]

    def cancel(self, target: Target | None) -> bool:
        """Cancel the export of a target, or all; whether there was one."""
        found = [p for key, p in self._running.items() if target is None or key == target.key]
        for process in found:
            process.cancel()
        return bool(found)

    def cancel_token(self, token: str | int) -> None:
        """The person pressed *cancel* on the progress."""
        process = self._running.get(self._tokens.get(token, ""))
        if process is not None:
            process.cancel()

    def stop(self) -> None:
        """Cancel all exports."""
        self.cancel(None)

    # ------------------------------------------------------------------------------------------------------ inputs
    async def inputs(self, target: Target) -> tuple[list[str], bool]:
        """The inputs to propose, and whether they were used or configured before."""
        known = self._inputs.get(target.key) or self._configured(target)
        if known:
            return list(known), True
        guessed = await self._session.ask(
            target.uri, lambda workspace, view: signature.guess(workspace, view, target.name)
        )
        return guessed or [], False

    def _configured(self, target: Target) -> tuple[str, ...]:
        configuration = self._session.configuration
        given = configuration.options(target.path).export.inputs
        folder = configuration.folder_of(target.path) or os.path.dirname(target.path)
        relative = os.path.relpath(target.path, folder).replace(os.sep, "/")
        for name in (f"{relative}:{target.name}", f"{os.path.basename(target.path)}:{target.name}", target.key):
            if name in given:
                return given[name]
        return ()

    # --------------------------------------------------------------------------------------------------------- run
    async def run(
        self, target: Target, inputs: Sequence[str] | None, engine: str | None, *, repair: bool = False
    ) -> Json:
        """Export, verify, publish the evidence; the result as the command gives it. To `repair`, a change is looked
        for that makes it right and leaves the model as it is, and put into the documents. Raises `Refused`."""
        options = self._check(target)
        chosen = tuple(inputs) if inputs is not None else tuple((await self.inputs(target))[0])
        plan = self._plan(target, chosen, engine or options.export.engine, options)
        if repair:
            plan = replace(plan, repair=True)
        end = await self._run(target, plan)
        result = self._finish(target, plan, end)
        if repair and result["exports"] and not result["ok"]:
            result["message"] += f"; {await self._repair(target, plan, result['exports'])}"
        return result

    async def run_script(self, target: Target) -> Json:
        """Run a script, verify what it exports, publish the evidence; the result as the command gives it. Raises
        `Refused`."""
        plan = self._plan(target, (), "both", self._check(target))
        return self._finish(target, plan, await self._run(target, plan))

    async def _repair(self, target: Target, plan: ExportPlan, exports: list[Json]) -> str:
        """Put the change into the documents that was found for the first engine that has one; what came of it."""
        found = next((e["repair"] for e in exports if not e.get("ok") and e.get("repair")), None)
        if found is None:
            return "no repair was found"
        try:
            changes = patches.edits(found["patch"], plan.working_folder, self._text)
        except patches.Outdated:
            return "a repair was found, but the text has changed meanwhile: run it again"
        label = f"Repair {target.name}: {', '.join(found['fixes'])}"
        uris = {target.path: target.uri}
        wire = {uris.get(path) or of_path(path): [_edit(each) for each in made] for path, made in changes.items()}
        if not await self._client.apply(label, wire):
            return "a repair was found, and not applied"
        return f"repaired, and right on {found['inputs']} inputs: {', '.join(found['fixes'])}; look at it, then save"

    def _text(self, path: str) -> str | None:
        try:
            return self._session.documents_by_path().get(path) or read(path).text
        except SourceError:
            return None

    def _check(self, target: Target) -> ClientOptions:
        session = self._session
        if not session.trusted:
            raise Refused("an export runs the code of the workspace, which is not trusted; trust it first")
        if target.key in self._running:
            raise Refused(f"{target.shown} is being exported already")
        document = session.document(target.uri)
        try:
            on_disk = read(target.path).text
        except SourceError as error:
            raise Refused(f"save the file first: {error}") from error
        if document is not None and document.text.text.removeprefix("\ufeff") != on_disk:
            raise Refused("save the file first: an export runs what is on disk")
        return session.configuration.options(target.path)

    def _plan(self, target: Target, inputs: tuple[str, ...], engine: str, options: ClientOptions) -> ExportPlan:
        working = self._session.configuration.folder_of(target.path) or os.path.dirname(target.path)
        folder = options.export.output_folder
        if folder is None:
            folder = os.path.join(working, FOLDER)
            _make_private(folder)
        folder = os.path.join(working, os.path.expanduser(folder))
        try:
            os.makedirs(folder, exist_ok=True)
        except OSError as error:
            raise Refused(f"{folder}: {error.strerror}; set onnxLint.export.outputFolder") from error
        return ExportPlan(target.path, target.name, inputs, engine, folder, working, options.export)

    async def _run(self, target: Target, plan: ExportPlan) -> ExportEnd:
        client = self._client
        progress = Progress(client)

        def report(engine: str, stage: str, share: float) -> None:
            progress.report(f"{engine}: {stage}", share)

        process = self._running[target.key] = ExportProcess(plan, report)
        token: str | None = None
        try:
            await progress.begin(f"Exporting {target.shown}", cancellable=True)
            token = progress.token
            if token is not None:
                self._tokens[token] = target.key
            client.status("exporting", target.shown)
            client.refresh("codeLens")
            return await process.run()
        except OSError as error:
            raise Refused(f"the export could not be started: {error}") from error
        finally:
            del self._running[target.key]
            if token is not None:
                self._tokens.pop(token, None)
            progress.end()
            client.status("ready", "")
            client.refresh("codeLens")

    def _finish(self, target: Target, plan: ExportPlan, end: ExportEnd) -> Json:
        document = end.document or {}
        exports = [e for e in document.get("exports") or () if isinstance(e, dict)]
        ok = bool(exports) and all(e.get("ok") for e in exports)
        report = plan.report if exports and os.path.isfile(plan.report) else None
        outputs = outputs_of(exports, plan.working_folder)
        if end.cancelled:
            return _result(False, [], None, [], f"the export of {target.shown} was cancelled")
        if not exports:
            problems = [str(e) for e in document.get("errors") or ()] or [end.said.strip() or f"status {end.status}"]
            return _result(False, [], None, [], f"{target.shown} was not exported: {'; '.join(problems)}")
        self._inputs[target.key] = plan.inputs
        summary = describe(exports)
        self._last[target.key] = Last(summary, report, plan.inputs, outputs, ok)
        session = self._session
        texts = session.documents_by_path()
        session.evidence.put(target.key, evidence_of(document, exports, plan.working_folder, texts))
        session.check_all()
        self._client.refresh("codeLens")
        message = f"{target.shown}: {summary}"
        return _result(ok, exports, of_path(report) if report else None, [of_path(o) for o in outputs], message)


def _key(path: str | None, name: str) -> str:
    return f"{path}:{name}" if name else str(path)


def _result(ok: bool, exports: list[Json], report: str | None, outputs: list[str], message: str) -> Json:
    return {"ok": ok, "exports": exports, "report": report, "outputs": outputs, "message": message}


def _edit(edit: patches.LineEdit) -> Json:
    start, end = {"line": edit.first, "character": 0}, {"line": edit.last, "character": 0}
    return {"range": {"start": start, "end": end}, "newText": edit.text}


def refused(reason: Refused) -> Json:
    """The result of an export that was not begun."""
    return _result(False, [], None, [], str(reason))


def _make_private(folder: str) -> None:
    """Make the folder with a file that makes git ignore it. One that exists stays as it is."""
    with contextlib.suppress(OSError):  # a folder that cannot be made is reported when it is used
        os.makedirs(folder)
        with open(os.path.join(folder, ".gitignore"), "w", encoding="utf-8") as file:
            file.write("*\n")
