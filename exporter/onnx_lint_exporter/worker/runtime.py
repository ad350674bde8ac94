"""Where the exported model runs: the execution provider of ONNX Runtime, and libraries of custom operators."""

from __future__ import annotations

from dataclasses import dataclass

CPU = "CPUExecutionProvider"


@dataclass(frozen=True)
class Runtime:
    """How sessions are made."""

    provider: str = CPU
    """As ONNX Runtime names it."""
    libraries: tuple[str, ...] = ()
    """Paths of shared libraries that hold operators."""


DEFAULT = Runtime()


def full_name(provider: str) -> str:
    """The name of a provider, of which ``ExecutionProvider`` may be left out."""
    return provider if provider.endswith("ExecutionProvider") else f"{provider}ExecutionProvider"


def matching(provider: str, available: list[str]) -> str | None:
    """The available provider that is meant, whatever its capitals."""
    return next((name for name in available if name.lower() == full_name(provider).lower()), None)
