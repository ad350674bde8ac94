"""Every place that is reported indexes the original text exactly, whatever its newlines, encoding or form feeds."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from robustness.oracle import nodes
from source.forms import ALL

from onnx_lint.checker import check
from onnx_lint.project.project import Project
from onnx_lint.settings import Settings
from onnx_lint.source import ir
from onnx_lint.source.text import SourceText

NEWLINES = ["\n", "\r\n", "\r"]
ENCODINGS = {
    "utf-8": ("", "ü中\U0001f600"),
    "utf-8-sig": ("", "ü中\U0001f600"),
    "latin-1": ("# coding: latin-1\n", "üé"),
    "cp1252": ("# coding: cp1252\n", "€"),
    "shift_jis": ("# coding: shift_jis\n", "中"),
    "koi8-r": ("# coding: koi8-r\n", "щ"),
}


def places_are_exact(source: SourceText) -> int:
    """Compare each name with the text at its place, and the edges of what is made of names; how many were compared."""
    project = Project()
    count = 0
    for unit in project.add(source).all_units():
        for node in nodes(unit.chunk.lowered.body):
            if isinstance(node, (ir.Name, ir.Param, ir.FunctionDef, ir.ClassDef)):
                count += 1
                said = node.id if isinstance(node, ir.Name) else node.name
                assert source.slice(unit.span(node.at)) == said
            elif isinstance(node, ir.Attribute):
                text = source.slice(unit.span(node.at))
                assert text.rstrip(" )\n\r\f\t").endswith(node.attr), text
            elif isinstance(node, ir.Call):
                text = source.slice(unit.span(node.at))
                assert text[-1] == ")" and text.count("(") <= text.count(")") + text.count("'") + text.count("#"), text
            elif isinstance(node, (ir.Return, ir.If, ir.Assert, ir.Raise, ir.While, ir.For, ir.With, ir.Try)):
                text = source.slice(unit.span(node.at))
                keyword = {"Return": "return", "If": "(?:el)?if", "For": "(?:async )?for", "With": "(?:async )?with"}
                assert re.match(keyword.get(type(node).__name__, type(node).__name__.lower()), text), text
    return count


@settings(max_examples=60)
@given(
    st.lists(st.sampled_from(sorted(ALL.values())), min_size=1, max_size=4),
    st.sampled_from(sorted(ENCODINGS)),
    st.lists(st.sampled_from(NEWLINES), min_size=1, max_size=3),
    st.booleans(),
)
def test_names_stand_where_they_are_said_to(forms: list[str], encoding: str, newlines: list[str], feed: bool) -> None:
    cookie, special = ENCODINGS[encoding]
    text = cookie
    for form in forms:
        text += f"\n\nbefore = '{special}'; behind = '{special}'\n{form}\n\nlast = 1\n"
    if feed:
        text = text.replace("\n\nbefore", "\n\n\f\nbefore").replace("\nlast", "\n\flast")
    lines = text.split("\n")
    mixed = "".join(line + newlines[number % len(newlines)] for number, line in enumerate(lines))
    try:
        data = mixed.encode(encoding)
    except UnicodeEncodeError:  # a form with characters that this encoding lacks
        data = mixed.encode("ascii", "replace")
    source = SourceText.decode("a.py", data)
    assert source.encode(source.text) == data
    assert places_are_exact(source) >= 3 * len(forms)


HAZARD = """\
from torch import nn


class Net(nn.Module):
    '''A net: üü'''

    def forward(self, x):
        y = {'ü中\U0001f600': x}; z = x.sum() if y['ü中\U0001f600'].max() > 0 else x
        if (x
            .sum() > 0):
            return z
        return x
"""


@pytest.mark.parametrize("newline", NEWLINES)
@pytest.mark.parametrize("bom", [b"", b"\xef\xbb\xbf"])
@pytest.mark.parametrize("indent", ["    ", "\t", "\f    ", "  \f    "])
@pytest.mark.parametrize("last", ["", "\n", "# end"])
def test_a_diagnostic_stands_where_it_is_said_to(newline: str, bom: bytes, indent: str, last: str) -> None:
    text = re.sub("^    ", lambda m: indent, HAZARD, flags=re.M)
    if indent == "\t":
        text = re.sub("^\t((?:    )+)", lambda m: "\t" + "\t" * (len(m[1]) // 4), text, flags=re.M)
    data = bom + (text.rstrip("\n") + "\n" + last).replace("\n", newline).encode()
    source = SourceText.decode("model.py", data)
    project = Project()
    project.add(source)
    said = [(d.code, source.slice(d.span)) for d in check(project, Settings())]
    below = source.text[source.text.index("(x" + newline) + 1 : source.text.index(" > 0):") + 4]
    assert said == [("ONX101", "y['ü中\U0001f600'].max() > 0"), ("ONX101", below)]
