"""The page of ``--report``, the map, and what the model keeps of the machine it was made on."""

from __future__ import annotations

import html
import json
import re
import shutil
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
from commands import Ran, export

pytestmark = pytest.mark.torch

MODEL = '''"""A net with <script>alert("x")</script> & a frozen value."""

import torch
from torch import nn


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.body = nn.Linear(4, 8)

    def unused(self, x):
        return -x

    def forward(self, image):
        y = torch.relu(self.body(image))
        largest = y.max()
        return y / largest.item()  # <b>frozen</b>
'''
VOID = {"meta", "input"}


class Page(HTMLParser):
    """Reads a page, checks that its elements are closed in order, and keeps its text and its attributes."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: set[str] = set()
        self.links: list[str] = []
        self.words: list[str] = []
        self.classes: dict[str, list[str]] = {}
        self._rows: list[str] = []
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        for name, value in attributes:
            if name in ("src", "href", "data", "action") or name.startswith("on"):
                self.links.append(f"{tag} {name}={value}")
        self._rows.append(dict(attributes).get("class") or "")
        if tag not in VOID:
            self.open.append(tag)
        else:
            self._rows.pop()

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag
        self._rows.pop()

    def handle_data(self, data: str) -> None:
        self.words.append(data)
        for classes in self._rows:
            for name in classes.split():
                self.classes.setdefault(name, []).append(data)

    def text_of(self, name: str) -> str:
        return "".join(self.classes.get(name, []))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("report")
    (made / "net.py").write_text(MODEL)
    return made


@pytest.fixture(scope="module")
def ran(folder: Path, warm_python: str) -> Ran:
    options = ["--input", "image:float32[n,4]", "--report", "page.html", "--output", "net-{engine}.onnx", "--map"]
    return export(folder, warm_python, ["net.py:Net", *options, "--output-format", "json", "--progress-format", "json"])


@pytest.fixture(scope="module")
def page(folder: Path, ran: Ran) -> Page:
    return Page((folder / "page.html").read_text())


def test_the_document_names_what_was_written(folder: Path, ran: Ran) -> None:
    assert ran.status == 1
    wrong, right = ran.export("torchscript"), ran.export("dynamo")
    assert (wrong["ok"], wrong["input1"]["state"], wrong["input2"]["state"]) == (False, "right", "wrong")
    assert (right["ok"], right["input1"]["state"], right["input2"]["state"]) == (True, "right", "right")
    assert wrong["output"] is None and not (folder / "net-torchscript.onnx").exists()
    assert (right["output"], right["map"], right["report"]) == (
        "net-dynamo.onnx",
        "net-dynamo.onnxmap.json",
        "page.html",
    )
    assert wrong["map"] == "page.torchscript.onnxmap.json"
    assert ("ONX202", 18, "torchscript") in ran.said


def test_progress_goes_on_to_the_end(ran: Ran) -> None:
    events = [json.loads(line) for line in ran.err.splitlines()]
    for engine in ("torchscript", "dynamo"):
        mine = [event for event in events if event["engine"] == engine]
        assert all(event["event"] == "progress" for event in mine)
        done = [event["done"] for event in mine]
        assert done == sorted(done) and done[-1] == mine[-1]["of"] == 7
        assert [e["stage"] for e in mine][:1] == ["load"] and mine[-1]["stage"] == "done"


def test_the_map_leads_from_nodes_to_lines(folder: Path, ran: Ran) -> None:
    assert ran.status == 1
    written = json.loads((folder / "net-dynamo.onnxmap.json").read_text())
    assert (written["engine"], written["target"]) == ("dynamo", "net.py:Net")
    places = {node["op"]: node["stack"][0] for node in written["nodes"] if node["stack"]}
    assert (places["Relu"]["file"], places["Relu"]["line"]) == ("net.py", 16)
    assert (places["Div"]["file"], places["Div"]["line"]) == ("net.py", 18)
    assert next(n for n in written["nodes"] if n["op"] == "Relu")["outputs"][0]["shape"][1] == 8
    assert all(not frame["file"].startswith("/") for node in written["nodes"] for frame in node["stack"])


def test_the_model_holds_no_path_of_this_machine(folder: Path, ran: Ran) -> None:
    assert ran.status == 1
    data = (folder / "net-dynamo.onnx").read_bytes()
    for words in (str(folder).encode(), b"net.py", b"site-packages", str(Path.home()).encode() + b"/"):
        assert words not in data


def test_the_page_stands_alone(folder: Path, page: Page) -> None:
    text = (folder / "page.html").read_text()
    targets = {link.partition("href=")[2] for link in page.links}
    assert targets and all(target.startswith("#") for target in targets)
    assert {target[1:] for target in targets} <= set(re.findall(r' id="([^"]+)"', text))
    assert not page.tags & {"script", "link", "img", "iframe", "object", "base"}
    assert not re.search(r"https?:|url\(|@import", text)
    assert "default-src 'none'" in text and "prefers-color-scheme: dark" in text


def test_the_page_shows_source_operators_and_what_is_said(page: Page) -> None:
    table = page.text_of("engines")
    assert all(words in table for words in ("torchscript", "dynamo", "right", "wrong", "input 2"))
    source = page.text_of("source")
    assert '<script>alert("x")</script>' in source and "# <b>frozen</b>" in source
    assert "Relu" in page.text_of("chip") and "[n, 8]" in page.text_of("chip")
    assert "ONX202" in page.text_of("note") and "confirmed" in page.text_of("badge")
    assert "first value that differs" in page.text_of("first-difference")
    assert page.text_of("error").count("largest.item()") >= 1
    ran = page.text_of("ran")
    assert "y = torch.relu" in ran and "return -x" not in ran


MARKED = """import torch
from torch import nn
from torch.onnx import register_custom_op_symbolic


def wrong_relu(g, given):
    return g.op("Abs", given)


register_custom_op_symbolic("aten::relu", wrong_relu, 9)


class Frozen(nn.Module):
    def forward(self, x):
        y = x + 1
        largest = y.max()
        scale = largest.item()
        return y / scale


class Translated(nn.Module):
    def forward(self, x):
        y = x * 2
        return torch.relu(y) + 1


class Leaving(nn.Module):
    def forward(self, x):
        while x.sum() < 100:
            x = x * 2
        return x


def growing():
    return [(torch.full((2, 3), 1.0),), (torch.full((2, 3), 6.0),)]
"""


@pytest.mark.parametrize(
    ("name", "marks"),
    [
        ("Frozen", {17: "frozen here", 18: "first value that differs"}),
        ("Translated", {24: "first value that differs"}),
        ("Leaving", {29: "frozen here", 30: "first value that differs"}),
    ],
)
def test_the_marks_stand_on_the_lines_to_blame(
    tmp_path: Path, warm_python: str, name: str, marks: dict[int, str]
) -> None:
    """The frozen line is the cause, the first differing value shows it; what Python alone reads differs for nothing."""
    (tmp_path / "nets.py").write_text(MARKED)
    inputs = ["--inputs-from", "nets.py:growing"] if name == "Leaving" else ["--input", "x:float32[n,3]"]
    arguments = [f"nets.py:{name}", *inputs, "--engine", "torchscript", "--report", "page.html"]
    assert export(tmp_path, warm_python, arguments).status == 1
    rows = re.findall(
        r'<td class="number">(\d+)</td>|<td></td><td colspan="\d+"><span class="badge">([^<]*)</span> ([^<]*)',
        (tmp_path / "page.html").read_text(),
    )
    found, line = {}, 0
    for number, badge, words in rows:
        line = int(number or line)
        if badge:
            assert words.startswith("torchscript: ")
            found[line] = badge
    assert found == marks


def test_the_page_of_a_target_elsewhere_has_no_absolute_path(tmp_path: Path, warm_python: str) -> None:
    package, here = tmp_path / "src" / "family", tmp_path / "here"
    package.mkdir(parents=True)
    here.mkdir()
    (package / "__init__.py").write_text("")
    (package / "parts.py").write_text("def scaled(x):\n    return x * x.max().item()\n")
    (package / "net.py").write_text(
        "from torch import nn\n\nfrom .parts import scaled\n\n\n"
        "class Net(nn.Module):\n    def forward(self, x):\n        return scaled(x)\n"
    )
    target = f"{package / 'net.py'}:Net"
    arguments = [target, "--input", "x:float32[n,3]", "--engine", "torchscript", "--report", "page.html", "--map"]
    assert export(here, warm_python, arguments).status == 1
    text = (here / "page.html").read_text()
    assert str(tmp_path) not in text
    assert "<title>family/net.py:Net: export report</title>" in text and "<h1>family/net.py:Net</h1>" in text
    assert re.findall("<h2><code>(.*?)</code></h2>", text) == ["family/net.py", "family/parts.py"]
    written = json.loads((here / "page.torchscript.onnxmap.json").read_text())
    assert written["target"] == "../src/family/net.py:Net"


def test_chromium_draws_the_page(folder: Path, page: Page) -> None:
    """The browser lays it out with its style, and finds nothing to complain of; without one the tests above must do."""
    assert page.words
    browser = shutil.which("chromium") or shutil.which("chromium-browser")
    if browser is None:
        return
    base = [browser, "--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={folder / 'browser'}"]
    address = (folder / "page.html").as_uri()
    drawn = subprocess.run([*base, "--dump-dom", address], capture_output=True, text=True, timeout=180, check=True)
    assert "largest.item()" in drawn.stdout and "<script" not in drawn.stdout
    sizes = []
    for name, scheme in (("light", "1"), ("dark", "0")):
        picture = folder / f"{name}.png"
        options = [
            f"--blink-settings=preferredColorScheme={scheme}",
            "--window-size=1200,900",
            f"--screenshot={picture}",
        ]
        subprocess.run([*base, *options, address], capture_output=True, timeout=180, check=True)
        data = picture.read_bytes()
        assert data[:4] == b"\x89PNG" and int.from_bytes(data[16:20], "big") == 1200
        sizes.append(data)
    assert sizes[0] != sizes[1]


PARTS = """import torch
from torch import nn


class Part(nn.Module):
    def __init__(self):
        super().__init__()
        self.norm, self.linear = nn.LayerNorm(4), nn.Linear(4, 4)

    def forward(self, x):
        return torch.relu(self.linear(self.norm(x)))


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.first, self.second = Part(), Part()

    def forward(self, x):
        y = self.second(self.first(x) + 1)
        a = x[0, 0].item()
        b = x[0, 1].item()
        if x.max() > 8:
            return y * a
        return y * b
"""


@pytest.fixture(scope="module")
def parts(tmp_path_factory: pytest.TempPathFactory, warm_python: str) -> str:
    """The page of a model with modules, a repeated hazard, and a branch that only the search turns."""
    made = tmp_path_factory.mktemp("parts")
    (made / "net.py").write_text(PARTS)
    options = ["--input", "x:float32[n,4]", "--engine", "torchscript", "--differences", "--report", "page.html"]
    assert export(made, warm_python, ["net.py:Net", *options]).status == 1
    return (made / "page.html").read_text()


def test_the_index_leads_to_files_lines_and_parts(parts: str) -> None:
    index = parts.partition("<nav>")[2].partition("</nav>")[0]
    targets = re.findall(r'href="#([^"]+)"', index)
    assert {"file-1", "proof", "graph"} <= set(targets) and any(name.startswith("file-1-") for name in targets)
    assert all(f'id="{name}"' in parts for name in targets)
    assert "<code>net.py</code>" in index


def test_what_is_said_again_is_folded(parts: str) -> None:
    """The same words on another line stand once; the second place leads to the first, and so does its evidence."""
    assert (
        len(re.findall(r'<details class="note \w+"><summary><span class="severity">\w+</span> <code>ONX202', parts))
        == 1
    )
    assert re.search(r'<a href="#file-1-\d+">the same as above</a>', parts)
    assert ": as above</div>" in parts


def test_the_graph_is_drawn_by_module(parts: str) -> None:
    graph = parts.partition('<section id="graph">')[2].partition("</section>")[0]
    assert re.findall(r"<summary><code>([\w.]+)</code>", graph) == ["first", "second"]
    top = graph.partition("</svg>")[0]
    found = re.findall(r'<g class="(\w+)"><title>([^<:]*)', top)
    drawn = [box for box in found if not box[1].startswith("Identity")]  # what equal weights share
    assert drawn[:3] == [("module", "first"), ("operators", "Add"), ("module", "second")]
    assert top.count("<path") >= 2


def test_differences_have_histograms_and_lead_to_lines(parts: str) -> None:
    proof = parts.partition('<section id="proof">')[2].partition("</section>")[0]
    assert "<code>layer_norm</code>" in proof and 'class="bars"' in proof and "&lt;1e-8" in proof
    assert re.search(r'<a href="#file-1-\d+">net.py:\d+</a>', proof)


@pytest.mark.parametrize("width", [400, 900, 1500])
def test_the_page_fits_the_window(width: int, folder: Path, page: Page) -> None:
    """With two engines, nothing stands beyond the right edge; without a browser the tests above must do."""
    assert page.words
    browser = shutil.which("chromium") or shutil.which("chromium-browser")
    if browser is None:
        return
    probe = "<script>document.title = document.documentElement.scrollWidth + ' ' + "
    probe += "Math.max(...[...document.querySelectorAll('.scroll')].map(e => e.scrollWidth - e.clientWidth))</script>"
    text = (folder / "page.html").read_text()
    text = re.sub('<meta http-equiv="Content-Security-Policy"[^>]*>', "", text).replace("</body>", f"{probe}</body>")
    frame = f'<iframe style="width: {width}px; height: 900px; border: 0" srcdoc="{html.escape(text)}"></iframe>'
    (folder / "frame.html").write_text(
        f"<body>{frame}<script>onload = () => document.title = frames[0].document.title</script></body>"
    )
    options = ["--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={folder / f'browser{width}'}"]
    drawn = subprocess.run(
        [browser, *options, "--window-size=1600,1000", "--dump-dom", (folder / "frame.html").as_uri()],
        capture_output=True,
        text=True,
        timeout=180,
        check=True,
    )
    whole, inner = map(int, re.findall(r"<title>(-?\d+) (-?\d+)</title>", drawn.stdout)[0])
    assert whole <= width and inner <= 0
