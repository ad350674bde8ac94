"""Diagnostics for clients that ask for them."""

from __future__ import annotations

import hashlib
import json
from typing import Any

from lsprotocol import types

from onnx_lint_lsp.session import Session


async def document_diagnostics(session: Session, params: types.DocumentDiagnosticParams) -> dict[str, Any]:
    """The report about one document, or that nothing changed since the one with the client's result id."""
    uri = params.text_document.uri
    await session.result(uri)
    items = session.wire.get(uri, [])
    ident = hashlib.sha256(json.dumps(items).encode()).hexdigest()[:16]
    if params.previous_result_id == ident:
        return {"kind": "unchanged", "resultId": ident}
    return {"kind": "full", "resultId": ident, "items": items}
