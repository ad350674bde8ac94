"""The server as clients see it, over three client profiles that choose three position encodings."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
import pytest_lsp
from lsprotocol import types
from pygls.exceptions import JsonRpcException
from pytest_lsp import ClientServerConfig, LanguageClient, client_capabilities

CONFIG = ClientServerConfig(server_command=[sys.executable, "-m", "onnx_lint", "--lsp"])
MODEL = """\
import torch
from torch import nn


class Net(nn.Module):
    def forward(self, x: torch.Tensor):
        s = "\U0001f984é"; n = x.sum().item()
        return x.data * 2 * n
"""
COLUMN = {"utf-8": 26, "utf-16": 23, "utf-32": 22}
HELPER = "def scale(v):\n    return v * {}\n"
USER = """\
from torch import nn
from helper import scale


class Net(nn.Module):
    def forward(self, x):
        return scale(x)
"""


@pytest_lsp.fixture(params=["visual-studio-code", "neovim", "emacs"], config=CONFIG)
async def client(request: pytest.FixtureRequest, lsp_client: LanguageClient, tmp_path: Path) -> AsyncIterator[None]:
    for method in (
        types.CLIENT_REGISTER_CAPABILITY,
        types.WORKSPACE_CODE_LENS_REFRESH,
        types.WORKSPACE_INLAY_HINT_REFRESH,
    ):
        lsp_client.feature(method)(lambda params: None)
    (tmp_path / "helper.py").write_text(HELPER.format("2"))
    (tmp_path / "user.py").write_text(USER)
    params = types.InitializeParams(
        capabilities=client_capabilities(request.param),
        process_id=os.getpid(),
        workspace_folders=[types.WorkspaceFolder(tmp_path.as_uri(), "w")],
        initialization_options={"trusted": False},
    )
    lsp_client.answer = await lsp_client.initialize_session(params)
    lsp_client.folder = tmp_path
    yield
    await lsp_client.shutdown_session()


def uri_of(client: LanguageClient, name: str) -> str:
    return str((client.folder / name).as_uri())


def open_text(client: LanguageClient, name: str, text: str) -> str:
    uri = uri_of(client, name)
    client.text_document_did_open(types.DidOpenTextDocumentParams(types.TextDocumentItem(uri, "python", 1, text)))
    return uri


def change(client: LanguageClient, uri: str, version: int, text: str, where: types.Range | None = None) -> None:
    event: Any = types.TextDocumentContentChangeWholeDocument(text)
    if where is not None:
        event = types.TextDocumentContentChangePartial(text=text, range=where)
    client.text_document_did_change(
        types.DidChangeTextDocumentParams(types.VersionedTextDocumentIdentifier(version, uri), [event])
    )


async def until(found: Callable[[], Any]) -> Any:
    """Wait for a condition; bounded so that a server that stays silent fails the test and does not hang it."""
    for _ in range(1200):
        value = found()
        if value:
            return value
        await asyncio.sleep(0.05)
    raise AssertionError("the server did not do it within a minute")


def codes(client: LanguageClient, uri: str) -> list[str]:
    return [str(d.code) for d in client.diagnostics.get(uri, [])]


async def text_of(client: LanguageClient, uri: str) -> str | None:
    answer: str | None = await client.protocol.send_request_async("onnx-lint/viewText", {"uri": uri})
    return answer


def whole(text: str) -> types.Range:
    return types.Range(types.Position(0, 0), types.Position(len(text.split("\n")), 0))


async def actions(client: LanguageClient, uri: str, where: types.Range, only: list[str] | None = None) -> list[Any]:
    context = types.CodeActionContext(diagnostics=[], only=only)
    params = types.CodeActionParams(types.TextDocumentIdentifier(uri), where, context)
    return list(await client.text_document_code_action_async(params) or ())


def edits(action: types.CodeAction, uri: str) -> list[types.TextEdit]:
    """The edits of an action, in the form that the client understands; those of a document name its version."""
    assert action.edit is not None
    if action.edit.document_changes is None:
        return list((action.edit.changes or {})[uri])
    (change,) = action.edit.document_changes
    assert isinstance(change, types.TextDocumentEdit)
    assert (change.text_document.uri, change.text_document.version) == (uri, 1)
    return [edit for edit in change.edits if isinstance(edit, types.TextEdit)]


@pytest.mark.asyncio
async def test_diagnostics_fixes_hover_and_lenses(client: LanguageClient) -> None:
    uri = open_text(client, "model.py", MODEL)
    await until(lambda: codes(client, uri) == ["ONX202", "ONX205"])
    item, data = client.diagnostics[uri]
    encoding = client.answer.capabilities.position_encoding
    start = COLUMN[encoding]
    assert (item.range.start, item.range.end) == (types.Position(6, start), types.Position(6, start + 14))
    assert item.source == "onnx-lint"
    assert data.data["fix"]["safe"] is True

    found = {a.title: a for a in await actions(client, uri, item.range)}
    unsafe = next(a for title, a in found.items() if title.endswith("(may change behaviour)"))
    assert not unsafe.is_preferred
    assert "Disable ONX202 (item-call) for this line" in found
    assert "Disable ONX202 (item-call) for this file" in found
    assert "Explain ONX202 (item-call)" in found
    (fix_all,) = await actions(client, uri, whole(MODEL), ["source.fixAll"])
    (preferred,) = [a for a in await actions(client, uri, data.range) if getattr(a, "is_preferred", False)]
    assert edits(preferred, uri) == edits(fix_all, uri)
    assert edits(fix_all, uri)

    place = types.HoverParams(types.TextDocumentIdentifier(uri), item.range.start)
    hover = await client.text_document_hover_async(place)
    assert "ONX202 item-call" in hover.contents.value
    lenses = await client.text_document_code_lens_async(types.CodeLensParams(types.TextDocumentIdentifier(uri)))
    assert [(lens.command.title, lens.range.start.line) for lens in lenses] == [("Export to ONNX and verify", 4)]

    text = await client.workspace_execute_command_async(types.ExecuteCommandParams("onnx-lint.explainRule", ["ONX202"]))
    assert text.startswith("# ONX202")
    refused = await client.workspace_execute_command_async(
        types.ExecuteCommandParams("onnx-lint.export", [lenses[0].command.arguments[0]])
    )
    assert not refused["ok"] and "not trusted" in refused["message"]
    spec = await client.workspace_execute_command_async(
        types.ExecuteCommandParams("onnx-lint.inputSpec", [{"uri": uri, "name": "Net"}])
    )
    assert spec == {"inputs": ["x:float32[n=2,4]"], "remembered": False}


@pytest.mark.asyncio
async def test_edits_are_followed_and_a_broken_text_too(client: LanguageClient) -> None:
    odd = MODEL.replace("import torch\n", "import torch  # \x0c\x85\u2028 odd\r\n", 1)
    uri = open_text(client, "model.py", odd)
    await until(lambda: codes(client, uri) == ["ONX202", "ONX205"])
    here = types.Position(1, 0)
    change(client, uri, 2, "y = (\n", types.Range(here, here))
    assert await text_of(client, uri) == odd.replace("from torch", "y = (\nfrom torch", 1)
    await until(lambda: "ONX000" in codes(client, uri) and "ONX202" in codes(client, uri))
    change(client, uri, 3, "", types.Range(here, types.Position(2, 0)))
    await until(lambda: codes(client, uri) == ["ONX202", "ONX205"])
    change(client, uri, 4, "x = 1\n")
    await until(lambda: codes(client, uri) == [])
    client.text_document_did_close(types.DidCloseTextDocumentParams(types.TextDocumentIdentifier(uri)))
    assert await text_of(client, uri) is None


@pytest.mark.asyncio
async def test_a_helper_in_another_file_is_followed(client: LanguageClient) -> None:
    uri = open_text(client, "user.py", USER)
    helper = open_text(client, "helper.py", HELPER.format("2"))
    await until(lambda: uri in client.diagnostics and helper in client.diagnostics)
    assert codes(client, helper) == []
    change(client, helper, 2, HELPER.format("v.sum().item()"))
    await until(lambda: codes(client, helper) == ["ONX202"])
    (related,) = [d.related_information for d in client.diagnostics[helper]]
    assert related is None or any(r.location.uri == uri for r in related)
    client.text_document_did_close(types.DidCloseTextDocumentParams(types.TextDocumentIdentifier(helper)))
    await until(lambda: codes(client, helper) == [])


@pytest.mark.parametrize("client", ["visual-studio-code"], indirect=True)
@pytest.mark.asyncio
async def test_configuration_files_are_followed(client: LanguageClient) -> None:
    uri = open_text(client, "model.py", MODEL)
    await until(lambda: codes(client, uri) == ["ONX202", "ONX205"])
    (client.folder / "pyproject.toml").write_text('[tool.onnx-lint]\nignore = ["ONX202"]\n')
    event = types.FileEvent(uri_of(client, "pyproject.toml"), types.FileChangeType.Created)
    client.workspace_did_change_watched_files(types.DidChangeWatchedFilesParams([event]))
    await until(lambda: codes(client, uri) == ["ONX205"])


@pytest.mark.parametrize("client", ["visual-studio-code"], indirect=True)
@pytest.mark.asyncio
async def test_untitled_documents_and_notebooks(client: LanguageClient) -> None:
    client.text_document_did_open(
        types.DidOpenTextDocumentParams(types.TextDocumentItem("untitled:Untitled-1", "python", 1, MODEL))
    )
    await until(lambda: codes(client, "untitled:Untitled-1") == ["ONX202", "ONX205"])
    head, body = MODEL.split("\n\n\n")
    notebook = uri_of(client, "n.ipynb")
    cells = [f"vscode-notebook-cell:{notebook[5:]}#{i}" for i in range(2)]
    client.notebook_document_did_open(
        types.DidOpenNotebookDocumentParams(
            types.NotebookDocument(
                notebook,
                "jupyter-notebook",
                1,
                [types.NotebookCell(types.NotebookCellKind.Code, cell) for cell in cells],
            ),
            [
                types.TextDocumentItem(cells[0], "python", 1, f"%matplotlib inline\n{head}"),
                types.TextDocumentItem(cells[1], "python", 1, body),
            ],
        )
    )
    await until(lambda: codes(client, cells[1]) == ["ONX202", "ONX205"])
    assert codes(client, cells[0]) == []
    assert client.diagnostics[cells[1]][0].range.start.line == 2
    identifier = types.NotebookDocumentIdentifier(notebook)
    client.notebook_document_did_close(
        types.DidCloseNotebookDocumentParams(identifier, [types.TextDocumentIdentifier(c) for c in cells])
    )
    await until(lambda: codes(client, cells[1]) == [])


@pytest.mark.parametrize("client", ["visual-studio-code"], indirect=True)
@pytest.mark.asyncio
async def test_odd_requests_are_answered(client: LanguageClient) -> None:
    uri = open_text(client, "model.py", MODEL)
    for method, params, code in (
        ("onnx-lint/none", None, -32601),
        ("initialize", {"processId": None, "rootUri": None, "capabilities": {}}, -32600),
        ("textDocument/hover", "x", -32602),
        ("workspace/executeCommand", {"command": "rm -rf"}, -32602),
        ("workspace/executeCommand", {"command": "onnx-lint.export", "arguments": [5]}, -32602),
    ):
        with pytest.raises(JsonRpcException) as error:
            await raw(client, method, params)
        assert error.value.code == code
    await until(lambda: codes(client, uri) == ["ONX202", "ONX205"])


async def raw(client: LanguageClient, method: str, params: Any) -> Any:
    """Send a request as it is, past the checks of the client's own types."""
    future: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
    ident = f"raw-{method}-{params}"
    client.protocol._request_futures[ident] = future
    client.protocol._result_types[ident] = None
    data = {"jsonrpc": "2.0", "id": ident, "method": method, **({} if params is None else {"params": params})}
    client.protocol._send_data(data)
    return await asyncio.wait_for(future, 60)


@pytest.mark.parametrize("client", ["visual-studio-code"], indirect=True)
@pytest.mark.parametrize(
    ("command", "arguments"),
    [
        ("onnx-lint.export", [{"uri": "file:///m.py", "name": "Net"}, 1]),
        ("onnx-lint.showReport", [1, 2]),
        ("onnx-lint.inputSpec", [{}, {}, {}]),
        ("onnx-lint.explainRule", ["ONX101", "ONX102"]),
        ("onnx-lint.reload", [True]),
        ("onnx-lint.cancelExport", [1, 2]),
    ],
)
@pytest.mark.asyncio
async def test_a_command_with_a_wrong_number_of_arguments_is_refused(
    client: LanguageClient, command: str, arguments: list[Any]
) -> None:
    with pytest.raises(JsonRpcException) as error:
        await raw(client, "workspace/executeCommand", {"command": command, "arguments": arguments})
    assert error.value.code == -32602
    assert "Traceback" not in str(error.value.data) + error.value.message
