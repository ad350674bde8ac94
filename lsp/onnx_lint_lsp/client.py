"""The other side of the connection, as the rest of the server sees it: what can be said to the client."""

from __future__ import annotations

from typing import Any, Protocol

Json = dict[str, Any]
"""An object of the protocol, as it is sent."""


class Client(Protocol):
    """What can be said to the client. All methods are called on the event loop."""

    @property
    def shows_progress(self) -> bool:
        """Whether the client shows work-done progress that the server begins."""

    def publish(self, uri: str, version: int | None, items: list[Json]) -> None:
        """Replace the diagnostics of a document."""

    def refresh(self, what: str) -> None:
        """Ask the client to ask again: ``diagnostics``, ``codeLens`` or ``inlayHint``."""

    def warn(self, message: str) -> None:
        """Show a warning to the person."""

    def log(self, message: str) -> None:
        """Add a line to the client's log."""

    def failed(self, error: BaseException) -> None:
        """Log an exception that should not be, once for each place where it is raised."""

    def status(self, state: str, message: str) -> None:
        """Say what the server is doing: ``indexing``, ``exporting`` or ``ready``."""

    async def apply(self, label: str, changes: dict[str, list[Json]]) -> bool:
        """Change documents, the edits by URI; whether the client did."""

    async def create_progress(self, token: str) -> bool:
        """Ask for a place to show progress under a token; whether the client took it."""

    def send_progress(self, token: str | int, value: Json) -> None:
        """Show a progress value, or a part of a result, under a token that the client took or gave."""
