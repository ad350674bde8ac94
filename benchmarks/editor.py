"""How quickly the language server answers: ``python benchmarks/editor.py FILE [--workspace FOLDER] [--helper FILE]``.

Types into FILE (a real model file, best of a few thousand lines) key by key, each after the diagnostics of the one
before, and prints the time from a change to its diagnostics as the client measures it, without a pause for typing. With
a workspace, its index is built meanwhile, and the time until it is ready is printed. With a helper, both files are
open; a function at the end of the helper, which a model at the end of FILE calls, begins and ceases to read a number
from a tensor, and the time from that edit to the diagnostics of FILE that tell so is printed. With ``--warm``, FILE is
opened by another server before, and left alone until it is analysed in full and the result lies in the cache. With
``--growth``, so many more keys are typed, and the resident memory of the server is printed after the first 1,000 and at
the end. On disk nothing changes.
"""

from __future__ import annotations

import argparse
import contextlib
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
        began = time.perf_counter()
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
        self.startup = time.perf_counter() - began
        """Seconds from the start of the process to its answer."""
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

    def wait_for(self, uri: str, line: int, shown: bool) -> float:
        """The time at which diagnostics came that have one on that line, or none there."""
        while True:
            when, params = self.published.get(timeout=120)
            if params["uri"] == uri:
                lines = {d["range"]["start"]["line"] for d in params["diagnostics"]}
                if (line in lines) == shown:
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


def typing(
    client: Client, uri: str, lines: list[str], keys: int, version: int, seed: int = 7
) -> tuple[list[float], int]:
    """Type statements behind lines of functions, key by key, and take them away again."""
    chance = random.Random(seed)
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


PROBE = "\n\n\ndef _benchmark_probe(value):\n    return "
FIXED, READ = "3", "int(value.sum())"
PROBED = """


from {module} import _benchmark_probe
from torch import nn as _benchmark_nn


class _BenchmarkProbe(_benchmark_nn.Module):
    def forward(self, x):
        if _benchmark_probe(x) > 2:
            x = x + 1
        return x
"""
QUIET = 10
"""Seconds without a message after which a server is taken to have nothing more to say."""
BRANCH = 9
"""The line of `PROBED` that is a hazard when the helper reads a tensor."""


def module_name(path: Path, helper: Path) -> str:
    """How the file at `path` imports the helper: by its place in the same package, else by its file name."""
    parents = [folder for folder in path.parents if (folder / "__init__.py").is_file()]
    for level, folder in enumerate(parents, 1):
        if folder in helper.parents:
            return "." * level + ".".join(helper.relative_to(folder).with_suffix("").parts)
    return helper.stem


def helper_edits(client: Client, path: Path, text: str, version: int, helper: Path, count: int = 40) -> list[float]:
    """Seconds from edits of the helper to the diagnostics of the file at `path` that change with them."""
    uri, helper_uri = path.as_uri(), helper.as_uri()
    probed = PROBED.format(module=module_name(path, helper))
    line, before = text.count("\n") + BRANCH, helper.read_text(encoding="utf-8") + PROBE
    place = (before.count("\n"), len("    return "))
    client.open(helper_uri, before + FIXED + "\n")
    client.wait(helper_uri, 1)
    last = text.rpartition("\n")[2]
    change(client, uri, version + 1, text.count("\n"), len(last), probed)
    client.wait(uri, version + 1)
    times: list[float] = []
    held = FIXED
    for number in range(2, 2 + count):
        new = READ if held == FIXED else FIXED
        began = change(client, helper_uri, number, *place, new, removed=len(held))
        times.append(client.wait_for(uri, line, shown=new == READ) - began)
        held = new
    return times


def warm(workspace: str, uri: str, text: str) -> None:
    """Open the file in a server of its own, until nothing is published any more."""
    client = Client(workspace)
    client.ready.wait(600)
    client.open(uri, text)
    client.wait(uri, 1)
    with contextlib.suppress(queue.Empty):
        while True:
            client.published.get(timeout=QUIET)
    client.ask("shutdown", None)
    client.tell("exit", None)
    client.process.wait(20)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("file")
    parser.add_argument("--workspace", help="the workspace folder (default: that of FILE)")
    parser.add_argument("--helper", help="a file of the workspace that FILE imports from")
    parser.add_argument("--keys", type=int, default=500)
    parser.add_argument("--growth", type=int, default=0, metavar="N", help="type N more keys and watch the memory")
    parser.add_argument("--warm", action="store_true", help="open FILE once before, in another server")
    parser.add_argument("--settled", action="store_true", help="type only when the index is ready")
    given = parser.parse_args()
    path = Path(given.file).resolve()
    workspace = Path(given.workspace).resolve() if given.workspace else path.parent
    if given.helper and workspace not in Path(given.helper).resolve().parents:
        parser.error("the helper lies outside of the workspace: files are analysed together within one")
    text = path.read_text(encoding="utf-8")
    uri = path.as_uri()
    if given.warm:
        warm(str(workspace), uri, text)
    client = Client(str(workspace))
    print(f"start to the answer of initialize: {client.startup * 1000:.0f} ms", flush=True)
    began = time.perf_counter()
    if given.settled:
        client.ready.wait(600)
        print(f"index ready after {time.perf_counter() - began:.1f} s, {client.memory():.0f} MB", flush=True)
    began, spent = time.perf_counter(), client.seconds()
    client.open(uri, text)
    elapsed = (client.wait(uri, 1) - began) * 1000
    spent = (client.seconds() - spent) * 1000
    print(f"open ({text.count(chr(10))} lines): {elapsed:.0f} ms, {spent:.0f} of the processor", flush=True)
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
    if given.growth:
        times, version = typing(client, uri, text.split("\n"), min(given.growth, 1000), version, seed=8)
        first = client.memory()
        print(f"memory after {len(times)} edits: {first:.0f} MB", flush=True)
        more, version = typing(client, uri, text.split("\n"), given.growth - len(times), version, seed=9)
        edits = len(times) + len(more)
        print(f"memory after {edits} edits: {client.memory():.0f} MB, {client.memory() - first:+.1f} MB", flush=True)
        report("keystroke to diagnostics", times + more)
    if given.helper:
        times = helper_edits(client, path, text, version, Path(given.helper).resolve())
        report("edit of the helper to the diagnostics of the file that calls it", times)
    client.ask("shutdown", None)
    client.tell("exit", None)
    client.process.wait(20)


if __name__ == "__main__":
    main()
