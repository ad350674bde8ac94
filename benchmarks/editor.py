"""How quickly the language server answers: ``python benchmarks/editor.py FILE [--workspace FOLDER] [--helper FILE]``.

Types into FILE (a real model file, best of a few thousand lines) key by key, each after the diagnostics of the one
before, and prints the time from a change to its diagnostics as the client measures it, without a pause for typing. With
a workspace, its index is built meanwhile, and the time until it is ready is printed; with a helper that FILE imports,
the time from an edit of the helper to the diagnostics of FILE.
"""

from __future__ import annotations

import argparse
import json
import os
import queue
import random
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any


class Client:
    """A minimal client: sends, and queues what comes."""

    def __init__(self, folder: str) -> None:
        command = [sys.executable, "-m", "onnx_lint", "--lsp"]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.published: queue.Queue[tuple[float, dict[str, Any]]] = queue.Queue()
        self.answers: queue.Queue[dict[str, Any]] = queue.Queue()
        self.ready = threading.Event()
        self._ident = 0
        threading.Thread(target=self._read, daemon=True).start()
        workspace = {"uri": Path(folder).as_uri(), "name": "w"}
        capabilities = {"textDocument": {"publishDiagnostics": {"relatedInformation": True}}}
        self.ask(
            "initialize",
            {"processId": os.getpid(), "rootUri": None, "capabilities": capabilities, "workspaceFolders": [workspace]},
        )
        self.tell("initialized", {})

    def _read(self) -> None:
        assert self.process.stdout is not None
        while header := self.process.stdout.readline():
            length = int(header.split(b":")[1])
            self.process.stdout.readline()
            message = json.loads(self.process.stdout.read(length))
            now = time.perf_counter()
            method = message.get("method")
            if method == "textDocument/publishDiagnostics":
                self.published.put((now, message["params"]))
            elif method == "onnx-lint/status" and message["params"]["state"] == "ready":
                self.ready.set()
            elif method is None:
                self.answers.put(message)

    def _send(self, message: dict[str, Any]) -> None:
        assert self.process.stdin is not None
        body = json.dumps({"jsonrpc": "2.0", **message}).encode()
        self.process.stdin.write(b"Content-Length: %d\r\n\r\n" % len(body) + body)
        self.process.stdin.flush()

    def tell(self, method: str, params: Any) -> None:
        self._send({"method": method, "params": params})

    def ask(self, method: str, params: Any) -> dict[str, Any]:
        self._ident += 1
        self._send({"id": self._ident, "method": method, "params": params})
        return self.answers.get(timeout=120)

    def open(self, uri: str, text: str) -> None:
        item = {"uri": uri, "languageId": "python", "version": 1, "text": text}
        self.tell("textDocument/didOpen", {"textDocument": item})

    def wait(self, uri: str, version: int) -> float:
        """The time at which diagnostics of that version came."""
        while True:
            when, params = self.published.get(timeout=120)
            if params["uri"] == uri and params.get("version") == version:
                return when

    def seconds(self) -> float:
        """CPU time of the server so far; not a number where the system does not tell."""
        try:
            fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        except OSError:
            return float("nan")
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def memory(self) -> float:
        """Resident memory in MB; not a number where the system does not tell."""
        try:
            status = Path(f"/proc/{self.process.pid}/status").read_text()
        except OSError:
            return float("nan")
        return int(status.split("VmRSS:")[1].split()[0]) / 1024


def change(client: Client, uri: str, version: int, line: int, column: int, text: str, removed: int = 0) -> float:
    start, end = {"line": line, "character": column}, {"line": line, "character": column + removed}
    event = {"range": {"start": start, "end": end}, "text": text}
    began = time.perf_counter()
    client.tell("textDocument/didChange", {"textDocument": {"uri": uri, "version": version}, "contentChanges": [event]})
    return began


def quantile(values: list[float], share: float) -> float:
    return sorted(values)[min(int(len(values) * share), len(values) - 1)]


def report(name: str, times: list[float]) -> None:
    shown = ", ".join(f"p{int(q * 100)} {quantile(times, q) * 1000:.1f}" for q in (0.5, 0.95, 0.99))
    print(f"{name}: {shown}, max {max(times) * 1000:.1f} ms ({len(times)})", flush=True)


def typing(client: Client, uri: str, lines: list[str], keys: int, version: int) -> tuple[list[float], int]:
    """Type statements behind lines of functions, key by key, and take them away again."""
    chance = random.Random(7)
    places = [n for n, line in enumerate(lines) if line.startswith("        ") and line.rstrip().endswith(")")]
    times: list[float] = []
    while len(times) < keys:
        line = chance.choice(places)
        indent = len(lines[line]) - len(lines[line].lstrip())
        statement = "\n" + " " * indent + f"value_{chance.randrange(99)} = self.call(x, [1, 2])"
        at, column = line, len(lines[line])
        for key in statement:
            version += 1
            began = change(client, uri, version, at, column, key)
            at, column = (at + 1, 0) if key == "\n" else (at, column + 1)
            times.append(client.wait(uri, version) - began)
        version += 1
        client.tell(
            "textDocument/didChange",
            {
                "textDocument": {"uri": uri, "version": version},
                "contentChanges": [
                    {
                        "range": {
                            "start": {"line": line, "character": len(lines[line])},
                            "end": {"line": at, "character": column},
                        },
                        "text": "",
                    }
                ],
            },
        )
        client.wait(uri, version)
    return times, version


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("file")
    parser.add_argument("--workspace", help="the workspace folder (default: an empty one)")
    parser.add_argument("--helper", help="a file that FILE imports from")
    parser.add_argument("--keys", type=int, default=500)
    parser.add_argument("--settled", action="store_true", help="type only when the index is ready")
    given = parser.parse_args()
    path = Path(given.file).resolve()
    text = path.read_text(encoding="utf-8")
    uri = path.as_uri()
    client = Client(given.workspace or str(path.parent))
    began = time.perf_counter()
    if given.settled:
        client.ready.wait(600)
        print(f"index ready after {time.perf_counter() - began:.1f} s, {client.memory():.0f} MB", flush=True)
    began = time.perf_counter()
    client.open(uri, text)
    print(f"open ({text.count(chr(10))} lines): {(client.wait(uri, 1) - began) * 1000:.0f} ms", flush=True)
    times, version = typing(client, uri, text.split("\n"), given.keys, 1)
    report("keystroke to diagnostics", times)
    if not given.settled:
        client.ready.wait(600)
        print(f"index ready after {time.perf_counter() - began:.1f} s", flush=True)
    before, spent = client.memory(), client.seconds()
    times, version = typing(client, uri, text.split("\n"), given.keys, version)
    report("keystroke to diagnostics, index ready", times)
    print(f"CPU time of the server: {(client.seconds() - spent) / len(times) * 1000:.1f} ms a keystroke", flush=True)
    print(f"memory: {client.memory():.0f} MB, {client.memory() - before:+.1f} MB over {len(times)} edits", flush=True)
    if given.helper:
        helper = Path(given.helper).resolve()
        client.open(helper.as_uri(), helper.read_text(encoding="utf-8"))
        client.wait(helper.as_uri(), 1)
        times = []
        for number in range(2, 22):
            start = change(client, helper.as_uri(), number, 0, 0, "\n" if number % 2 else "#\n")
            times.append(client.wait(helper.as_uri(), number) - start)
        report("edit of the helper to diagnostics", times)
    client.ask("shutdown", None)
    client.tell("exit", None)
    client.process.wait(20)


if __name__ == "__main__":
    main()
