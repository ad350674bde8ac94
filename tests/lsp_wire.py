"""A client of the language server that keeps every message: for tests of what goes over the wire, and of processes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from pygls.protocol import default_converter
from pytest_lsp import client_capabilities
from systems import untraced

Json = dict[str, Any]
PROFILES = ("visual-studio-code", "neovim", "emacs")
_LIMIT = 60.0
"""Seconds after which a server that stays silent fails the test."""


def profile(name: str) -> Json:
    """What a real client says that it can."""
    capabilities: Json = default_converter().unstructure(client_capabilities(name))
    return capabilities


class Wire:
    """A server process and the messages that it sent, in order. Its requests are answered by `answers`, else with
    ``null``."""

    def __init__(self, stderr: Path, env: dict[str, str] | None = None, *, is_traced: bool = True) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "onnx_lint", "--lsp"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=stderr.open("wb"),
            env={**(os.environ if is_traced else untraced()), **(env or {})},
        )
        self.stderr = stderr
        self.received: list[Json] = []
        self.rest = b""
        """What came on standard output that is no message."""
        self.answers: dict[str, Callable[[Any], Any]] = {}
        self._news = threading.Condition()
        self._ident = 0
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        stream = self.process.stdout
        assert stream is not None
        while header := stream.readline():
            if not header.startswith(b"Content-Length: ") or stream.readline() != b"\r\n":
                self.rest += header
                continue
            message = json.loads(stream.read(int(header.split(b":")[1])))
            if "method" in message and "id" in message:
                answer = self.answers.get(message["method"], lambda params: None)(message.get("params"))
                self._send({"id": message["id"], "result": answer})
            with self._news:
                self.received.append(message)
                self._news.notify_all()

    def _send(self, message: Json) -> None:
        assert self.process.stdin is not None
        body = json.dumps({"jsonrpc": "2.0", **message}).encode()
        self.process.stdin.write(b"Content-Length: %d\r\n\r\n" % len(body) + body)
        self.process.stdin.flush()

    # ------------------------------------------------------------------------------------------------------ to it
    def tell(self, method: str, params: Any) -> None:
        self._send({"method": method, "params": params})

    def send(self, method: str, params: Any) -> int:
        """Send a request; its id."""
        self._ident += 1
        self._send({"id": self._ident, "method": method, "params": params})
        return self._ident

    def answer(self, ident: int) -> Json:
        return self.until(lambda message: message.get("id") == ident and "method" not in message)

    def ask(self, method: str, params: Any) -> Any:
        """The result of a request, which must succeed."""
        return self.answer(self.send(method, params))["result"]

    def command(self, name: str, *arguments: Any) -> Any:
        return self.ask("workspace/executeCommand", {"command": name, "arguments": list(arguments)})

    def initialize(
        self, capabilities: Json, folders: Iterable[Path] = (), options: Json | None = None, process: int | None = None
    ) -> Json:
        """Shake hands; the server's capabilities."""
        result = self.ask(
            "initialize",
            {
                "processId": process,
                "rootUri": None,
                "capabilities": capabilities,
                "workspaceFolders": [{"uri": f.as_uri(), "name": f.name} for f in folders],
                "initializationOptions": options,
            },
        )
        self.tell("initialized", {})
        found: Json = result["capabilities"]
        return found

    def open(self, path: Path, text: str | None = None) -> str:
        uri = path.as_uri()
        text = path.read_text() if text is None else text
        self.tell(
            "textDocument/didOpen",
            {"textDocument": {"uri": uri, "languageId": "python", "version": 1, "text": text}},
        )
        return uri

    def replace(self, uri: str, version: int, text: str) -> None:
        changes = [{"text": text}]
        self.tell(
            "textDocument/didChange", {"textDocument": {"uri": uri, "version": version}, "contentChanges": changes}
        )

    # ---------------------------------------------------------------------------------------------------- from it
    def until(self, wanted: Callable[[Json], Any], after: int = 0) -> Json:
        """The first message, of those behind the first `after`, that is wanted; waits for it."""
        end = time.monotonic() + _LIMIT
        seen = after
        with self._news:
            while True:
                for message in self.received[seen:]:
                    if wanted(message):
                        return message
                seen = len(self.received)
                if not self._news.wait(end - time.monotonic()):
                    raise AssertionError(
                        f"the server did not say it in {_LIMIT:g} s: {self.stderr.read_text()[-2000:]}"
                    )

    def of(self, method: str) -> list[Json]:
        """The parameters of all messages of that kind so far."""
        with self._news:
            return [m.get("params") or {} for m in self.received if m.get("method") == method]

    def published(self, uri: str, wanted: Callable[[list[Json]], Any], after: int = 0) -> list[Json]:
        """The first diagnostics of a document that are as wanted."""

        def fits(message: Json) -> Any:
            params = message.get("params") or {}
            return (
                message.get("method") == "textDocument/publishDiagnostics"
                and params["uri"] == uri
                and wanted(params["diagnostics"])
            )

        items: list[Json] = self.until(fits, after)["params"]["diagnostics"]
        return items

    def codes(self, uri: str, *codes: str, after: int = 0) -> list[Json]:
        """The first diagnostics of a document that have exactly these codes."""
        return self.published(uri, lambda items: [d["code"] for d in items] == list(codes), after)

    def end(self) -> int:
        """Leave in order; the exit status."""
        self.ask("shutdown", None)
        self.tell("exit", None)
        status = self.process.wait(60)
        self._reader.join(60)
        return status


@contextmanager
def connect(stderr: Path, env: dict[str, str] | None = None, *, is_traced: bool = True) -> Iterator[Wire]:
    """A server that is gone afterwards, whatever happened. One that is not traced runs without coverage."""
    wire = Wire(stderr, env, is_traced=is_traced)
    try:
        yield wire
    finally:
        wire.process.kill()
        wire.process.wait()


def is_alive(process: int) -> bool:
    """Whether a process runs; one that ended and that nobody has taken note of does not."""
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    try:
        state = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return Path("/proc/self").exists() is False
    return state != "Z"


def until_dead(*processes: int) -> bool:
    """Wait until processes have ended; whether they did."""
    end = time.monotonic() + 60
    while any(map(is_alive, processes)):
        if time.monotonic() > end:
            return False
        time.sleep(0.1)
    return True


def install(folder: Path, modules: dict[str, str]) -> dict[str, str]:
    """Install a package of rules; the environment in which it is found."""
    package = folder / "test_rules"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text("")
    for name, text in modules.items():
        (package / f"{name}.py").write_text(textwrap.dedent(text))
    info = folder / "test_rules-1.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: test-rules\nVersion: 1\n")
    (info / "entry_points.txt").write_text("[onnx_lint.rules]\ntest = test_rules\n")
    return {"PYTHONPATH": os.pathsep.join([str(folder), *filter(None, [os.environ.get("PYTHONPATH")])])}
