"""Diagnostics that the client asks for: where it prefers that, and then no others."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from lsp_wire import PROFILES, Json, Wire, connect, profile

HELPER = "def scale(v):\n    return {}\n"
USER = """\
from torch import nn
from helper import scale


class Net(nn.Module):
    def forward(self, x):
        s = "\U0001f984é"; n = x.sum().item()
        if scale(x) > 1:
            x = x * n
        return x
"""
COLUMN = {"utf-8": 26, "utf-16": 23, "utf-32": 22}


def pull(wire: Wire, uri: str, before: str | None = None) -> Any:
    params: Json = {"textDocument": {"uri": uri}}
    if before is not None:
        params["previousResultId"] = before
    return wire.ask("textDocument/diagnostic", params)


@pytest.mark.parametrize("name", PROFILES)
def test_a_client_is_sent_diagnostics_or_asks_for_them_never_both(name: str, tmp_path: Path) -> None:
    (tmp_path / "helper.py").write_text(HELPER.format("2"))
    (tmp_path / "user.py").write_text(USER)
    capabilities = profile(name)
    if name == "visual-studio-code":  # the recorded profile is older than the request
        capabilities["textDocument"]["diagnostic"] = {"dynamicRegistration": True, "relatedDocumentSupport": True}
        capabilities["workspace"]["diagnostics"] = {"refreshSupport": True}
    asks = "diagnostic" in capabilities["textDocument"]
    refreshes = "diagnostics" in capabilities["workspace"]
    with connect(tmp_path / "stderr") as wire:
        server = wire.initialize(capabilities, [tmp_path], {"diagnostics": "pull"})
        uri = wire.open(tmp_path / "user.py")
        if not asks:  # a wish that its own capabilities do not bear out
            assert "diagnosticProvider" not in server
            wire.codes(uri, "ONX202")
            assert wire.end() == 0
            return
        assert server["diagnosticProvider"]["interFileDependencies"] is True
        assert server["diagnosticProvider"]["workspaceDiagnostics"] is True
        first = pull(wire, uri)
        assert (first["kind"], [d["code"] for d in first["items"]]) == ("full", ["ONX202"])
        assert first["items"][0]["range"]["start"]["character"] == COLUMN[server.get("positionEncoding", "utf-16")]
        assert pull(wire, uri, first["resultId"]) == {"kind": "unchanged", "resultId": first["resultId"]}

        helper = wire.open(tmp_path / "helper.py")
        assert pull(wire, helper)["items"] == []
        before = len(wire.received)
        wire.replace(helper, 2, HELPER.format("v.sum()"))
        if refreshes:  # nobody edited the file that changed: the client is told to ask again
            wire.until(lambda message: message.get("method") == "workspace/diagnostic/refresh", before)
        else:
            assert pull(wire, helper)["items"] == []
        second = pull(wire, uri, first["resultId"])
        assert (second["kind"], [d["code"] for d in second["items"]]) == ("full", ["ONX202", "ONX101"])
        assert wire.of("textDocument/publishDiagnostics") == []
        assert wire.end() == 0


@pytest.mark.parametrize("publishes", [True, False])
def test_without_a_wish_diagnostics_are_sent_to_clients_that_take_them(publishes: bool, tmp_path: Path) -> None:
    (tmp_path / "user.py").write_text(USER.replace("scale(x) > 1", "n"))
    capabilities = profile("neovim")
    if not publishes:
        del capabilities["textDocument"]["publishDiagnostics"]
    with connect(tmp_path / "stderr") as wire:
        server = wire.initialize(capabilities, [tmp_path])
        uri = wire.open(tmp_path / "user.py")
        if publishes:
            wire.codes(uri, "ONX202", "ONX101")
            assert "diagnosticProvider" not in server
        else:
            assert [d["code"] for d in pull(wire, uri)["items"]] == ["ONX202", "ONX101"]
            assert wire.of("textDocument/publishDiagnostics") == []
        assert wire.end() == 0
