"""The reading of messages: odd headers, broken ones, deep bodies."""

from __future__ import annotations

import os
import threading

import pytest

from onnx_lint_lsp import stdio


def read_all(data: bytes) -> list[bytes]:
    reader, writer = os.pipe()

    def write() -> None:
        with os.fdopen(writer, "wb") as file:
            file.write(data)

    thread = threading.Thread(target=write)
    thread.start()
    try:
        return list(stdio.bodies(reader))
    finally:
        thread.join()
        os.close(reader)


@pytest.mark.parametrize(
    "header",
    [
        b"Content-Length: 2\r\n\r\n",
        b"content-length:2\r\n\r\n",
        b"Content-Type: x; charset=utf8\r\nContent-Length: 2\r\n\r\n",
        b"Content-Length: 2\r\nContent-Type: x\r\n\r\n",
        b"Content-Length: 2\n\n",
        b"hello world\r\n\r\nContent-Length: 2\r\n\r\n",
        b"Content-Length: -5\r\n\r\nContent-Length: 2\r\n\r\n",
        b"Content-Length: abc\r\n\r\nContent-Length: 2\r\n\r\n",
        b"Content-Length: 0\r\n\r\nContent-Length: 2\r\n\r\n",
        b"Content-Length: 1000000000000000\r\n\r\nContent-Length: 2\r\n\r\n",
        b"Content-Length: " + b"9" * 5000 + b"\r\n\r\nContent-Length: 2\r\n\r\n",
        b"X" * (1 << 20) + b"\r\n\r\nContent-Length: 2\r\n\r\n",
    ],
    ids=lambda header: repr(header[:30]),
)
def test_headers_are_taken_leniently(header: bytes) -> None:
    assert read_all(header + b"{}" + b"Content-Length: 2\r\n\r\n[]") == [b"{}", b"[]"]


def test_a_body_that_is_cut_off_is_no_message() -> None:
    assert read_all(b"Content-Length: 50\r\n\r\n{}") == []
