"""argparse ends at `CheckOptions`: every option arrives there, typed and unchangeable."""

from __future__ import annotations

import io
from dataclasses import FrozenInstanceError, fields

import pytest

from onnx_lint.arguments import CheckOptions, parse, parser

NOT_OF_A_RUN = {"help", "export", "export_from", "observe", "lsp"}
"""Options that other commands take."""


def test_every_option_arrives() -> None:
    # --output-format and --config give two things each
    options = {action.dest for action in parser()._actions} - NOT_OF_A_RUN
    assert options | {"reports", "config_values"} == {field.name for field in fields(CheckOptions)}


def test_nothing_given_is_the_default() -> None:
    assert parse([]) == CheckOptions()


def test_what_is_given() -> None:
    given = parse(["a.py", "b", "--select", "ONX1,ONX2", "--select", "x", "--opset", "17", "--exclude", "a, b", "-q"])
    assert given == CheckOptions(
        paths=("a.py", "b"), select=("ONX1", "ONX2", "x"), opset=17, exclude=("a", "b"), quiet=True
    )
    assert hash(given)
    with pytest.raises(FrozenInstanceError):
        given.fix = True  # type: ignore[misc]  # the assignment is what is tested


def test_paths_may_stand_anywhere() -> None:
    assert parse(["a", "-q", "b", "--", "-c"]).paths == ("a", "b", "-c")
    assert parse(["--", "-c"]).paths == ("-c",) and parse(["-q"]).paths == ()
    assert parse(["a", "--select", "X", "b"]).paths == ("a", "b")


class _Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(
    ("options", "env", "expected"),
    [
        (CheckOptions(), {}, True),
        (CheckOptions(), {"NO_COLOR": "1"}, False),
        (CheckOptions(), {"TERM": "dumb"}, False),
        (CheckOptions(color="never"), {"FORCE_COLOR": "1"}, False),
        (CheckOptions(output_file="x"), {"FORCE_COLOR": "1"}, False),
        (CheckOptions(output_file="x", color="always"), {}, True),
    ],
)
def test_colour_on_a_terminal(
    monkeypatch: pytest.MonkeyPatch, options: CheckOptions, env: dict[str, str], expected: bool
) -> None:
    for name in ("NO_COLOR", "FORCE_COLOR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TERM", "xterm")
    for name, value in env.items():
        monkeypatch.setenv(name, value)
    assert options.wants_colour(_Terminal()) is expected
