"""Names and sources chosen by an attacker: a terminal, a workflow runner and a parser get nothing to obey."""

from __future__ import annotations

import json
import os
import re
from xml.etree import ElementTree

import pytest
from cli.conftest import DATA, Lint, Put

from .conftest import FORMATS, rendered, report_of
from .test_formats import valid_sarif

HOSTILE = {
    "escape sequence": "\x1b[31mred\x1b]8;;http://example.org\x07",
    "newline": "a\n::error title=x::b\r\n##[error]c",
    "percent": "%0A::error::%25",
    "quotes": "\"'`&<>]]>",
    "control bytes": "\x00\x08\x0b\x7f\x85\x9b31m",
    "odd bytes": os.fsdecode(b"\xff\x80"),
    "line separators": "\u2028::error::\u2029",
    "direction": "\u202egnp.\u2066",
    "no character": "\ufffe\uffff",
    "markup": "[bold red]x[/] :smile: [link=x]",
}
NEVER = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff\ufffe\uffff]")
"""What no output may hold as it is; a tab and the newline between lines may stand."""
hostile = pytest.mark.parametrize("said", HOSTILE.values(), ids=HOSTILE)


@pytest.mark.parametrize("name", FORMATS)
@hostile
def test_nothing_raw_comes_out(name: str, said: str) -> None:
    plain = report_of("y = x\n", "x", path="w.py", said="")
    report = report_of(f"y = ('{said}', x)\n", "x", path=f"w{said}.py", said=said)
    out = rendered(name, report)
    assert NEVER.search(out) is None
    assert len(out.splitlines()) == len(rendered(name, plain).splitlines()), "no line more than without it"


@hostile
def test_the_output_is_what_its_readers_take(said: str) -> None:
    report = report_of("y = x\n", "x", path=f"w{said}.py", said=said)
    valid_sarif(rendered("sarif", report))
    assert json.loads(rendered("json", report))["diagnostics"][0]["message"] == f"message {said}"
    assert json.loads(rendered("gitlab", report))[0]["description"].startswith("ONX101: message ")
    ElementTree.fromstring(rendered("junit", report))


@hostile
def test_a_workflow_command_has_the_properties_that_we_gave_it(said: str) -> None:
    report = report_of("y = x\n", "x", path=f"w,line=9{said}.py", said=said)
    lines = rendered("github", report).splitlines()
    assert len(lines) == 1
    properties = lines[0].split("::")[1].partition(" ")[2]
    assert [p.partition("=")[0] for p in properties.split(",")] == [
        "title",
        "file",
        "line",
        "col",
        "endLine",
        "endColumn",
    ]
    assert re.search("%(?!25|0A|0D|3A|2C)", lines[0]) is None


@hostile
def test_colour_takes_no_orders(said: str) -> None:
    """In colour, the only escapes are those that set colours."""
    report = report_of(f"y = ('{said}', x)\n", "x", path=f"w{said}.py", said=said, colour=True)
    plain = report_of(f"y = ('{said}', x)\n", "x", path=f"w{said}.py", said=said)
    uncoloured = re.sub("\x1b\\[[0-9;]*m", "", rendered("full", report))
    assert [line.rstrip() for line in uncoloured.split("\n")] == rendered("full", plain).split("\n")


NAMES = [
    b"a\n::error::b.py",
    b"\xff\x80.py",
    b"\x1b[31m.py",
    b"a%0Ab.py",
    b"a,line=1:b.py",
    b"a\"'<&>.py",
    b"[bold].py",
]


@pytest.mark.skipif(os.name == "nt", reason="such names cannot be made there")
@pytest.mark.parametrize("name", FORMATS)
def test_names_of_files(lint: Lint, put: Put, name: str) -> None:
    for path in NAMES:
        put(os.fsdecode(path), DATA)
    put(os.fsdecode(b"broken\n\x1b[2J\xff.py"), b"\xff\xff")
    done = lint(".", "--output-format", name)
    assert done.returncode == 2
    assert NEVER.search(done.stdout) is None and NEVER.search(done.stderr) is None
    assert done.stdout.count("is not followed") >= len(NAMES)
    assert not re.search(r"^(?:::error::|##(?!vso\[task\.logissue type=))", done.stdout, re.M)
    assert len(done.stderr.splitlines()) == 1
    if name == "sarif":
        results = valid_sarif(done.stdout)["results"]
        found = {r["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] for r in results}
        assert "%FF%80.py" in found and "a%0A%3A%3Aerror%3A%3Ab.py" in found
    if name == "json":
        diagnostics = json.loads(done.stdout)["diagnostics"]
        assert {os.fsencode(d["path"]) for d in diagnostics} == set(NAMES)


@pytest.mark.parametrize("name", FORMATS)
def test_a_source_with_a_program_in_its_strings(lint: Lint, put: Put, name: str) -> None:
    put("model.py", DATA.replace("x.data", 'x.data * len("\x1b[31m\x9b\u202e\u2028\x07::error::")'))
    done = lint("model.py", "--output-format", name)
    assert "ONX205" in done.stdout
    assert NEVER.search(done.stdout) is None
