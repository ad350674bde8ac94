"""Fixes are proved by running them: eager results stay equal, and the fixed model exports right."""

from __future__ import annotations

import textwrap

import pytest
from rules.proofs import Case, Measured, measure

from onnx_lint.diagnostic import Applicability
from onnx_lint.target import BOTH, Engine, Verdict
from onnx_lint.testing import as_module, check_source, fixed

INIT = """
def __init__(self):
    super().__init__()
    self.linear = nn.Linear(4, 4)
    self.extra = 3
"""

# name: (body, line after the fix, engines that export it right afterwards)
SAFE: dict[str, tuple[str, str, tuple[Engine, ...]]] = {
    "data in an expression": ("return x.data * 2 + x", "return x.detach() * 2 + x", BOTH),
    "data of a call": ("return F.relu(x).data.sum(1)", "return F.relu(x).detach().sum(1)", BOTH),
    "data as an argument": ("return torch.cat([x.data, x])", "return torch.cat([x.detach(), x])", BOTH),
    "data in parentheses": ("return (x + 1).data.relu()", "return (x + 1).detach().relu()", BOTH),
    "data over lines": ("return x * 2 + (x\n    .abs()\n    .data)", ".detach())", BOTH),
    "int of a size call": ("return x + int(x.size(0))", "return x + x.size(0)", BOTH),
    "int of a name": ("b, c = x.shape\nreturn x * (int(b) + c)", "return x * (b + c)", BOTH),
    "int before a keyword": (
        "return x * int(x.shape[0])if self.extra else x",
        "return x * x.shape[0]if self.extra else x",
        BOTH,
    ),
    "int of a name before a keyword": (
        "n = x.shape[0]\nreturn x * int(n)if self.extra else x",
        "return x * (n)if self.extra else x",
        BOTH,
    ),
    "int of a sum": ("return x + 2 * int(x.shape[0] + 1)", "return x + 2 * (x.shape[0] + 1)", BOTH),
    "int of a quotient": ("return x * int(x.shape[0] // 2)", "return x * (x.shape[0] // 2)", BOTH),
    "floor of a size": ("return x * math.floor(x.shape[0])", "return x * x.shape[0]", BOTH),
    "index": ("return x + operator.index(x.shape[0])", "return x + x.shape[0]", BOTH),
    "alias": ("n = x.shape[0]\nm = n\nn += 2\nreturn x * n + m", "n = n + 2", BOTH),
    "alias, a sum behind": (
        "n = m = x.shape[0]\nn *= self.extra + 1\nreturn x * n + m",
        "n = n * (self.extra + 1)",
        BOTH,
    ),
    "alias, halved": (
        "rows, columns = x.shape\nfull = rows\nrows //= 2\nreturn x[:rows] + full",
        "rows = rows // 2",
        BOTH,
    ),
    "alias, a choice behind": (
        "n = x.shape[0]\nm = n\nn -= 1 if self.extra else 2\nreturn x * n + m",
        "n = n - (1 if self.extra else 2)",
        BOTH,
    ),
}

UNSAFE: dict[str, tuple[str, str, tuple[Engine, ...]]] = {
    "item": ("return x * x.max().item()", "return x * x.max()", BOTH),
    "item of a sum": ("return x * (x + 1).max().item()", "return x * (x + 1).max()", BOTH),
    "float": ("return x * float(x.max())", "return x * x.max()", BOTH),
    "root of a size": ("return x / math.sqrt(x.shape[0])", "return x / (x.shape[0] ** 0.5)", BOTH),
    "length": ("return x.sum(0) / len(x)", "return x.sum(0) / x.shape[0]", BOTH),
    "length of a sum": ("return x * len(x + 1)", "return x * (x + 1).shape[0]", BOTH),
    "length of a slice": ("return x * len(x[1:])", "return x * x[1:].shape[0]", BOTH),
    "length of a negative": ("return x * len(-x)", "return x * (-x).shape[0]", BOTH),
    "length over lines": ("y = len(x\n    .abs()\n)\nreturn x * y", ".abs()).shape[0]", BOTH),
    "int of a size": ("return x.reshape(int(x.shape[0]) * 4)", "return x.reshape(x.shape[0] * 4)", BOTH),
    "int of a division": ("return x[: int(x.shape[0] / 2)]", "return x[: (x.shape[0] // 2)]", BOTH),
    "floor": ("return x[: math.floor(x.shape[0] / 2)]", "return x[: (x.shape[0] // 2)]", BOTH),
    "ceil": ("return x[: math.ceil(x.shape[0] / 2)]", "return x[: ((x.shape[0] + 1) // 2)]", BOTH),
    "ceil in a product": (
        "return x + math.ceil(x.numel() / 3) * 2",
        "return x + ((x.numel() + 2) // 3) * 2",
        BOTH,
    ),
    "data of a module's result": ("return self.linear(x).data.sum(1)", "return self.linear(x).detach().sum(1)", BOTH),
    "numpy root": ("return x * np.sqrt(x.abs().max())", "return x * torch.sqrt(x.abs().max())", BOTH),
    "deepcopy": ("y = copy.deepcopy(x * 2)\nreturn y + 1", "y = (x * 2).clone()", BOTH),
    "data that is named": ("y = x.data\nreturn y * 2 + x", "y = x.detach()", BOTH),
}


def module(body: str) -> str:
    text = as_module(INIT + "\ndef forward(self, x: torch.Tensor):\n" + textwrap.indent(body, "    "))
    return text.replace("import math\n", "import copy\nimport math\nimport operator\n")


@pytest.mark.parametrize("name", SAFE)
def test_a_safe_fix_writes_this(name: str) -> None:
    body, wanted, _ = SAFE[name]
    text = fixed(module(body))
    assert is_written(text, wanted), text
    assert fixed(text) == text, "a second round changes nothing"


def is_written(text: str, wanted: str) -> bool:
    """Whether a line is this, or ends so."""
    return any(
        line == wanted or (wanted.startswith(".") and line.endswith(wanted))
        for line in map(str.strip, text.splitlines())
    )


@pytest.mark.parametrize("name", UNSAFE)
def test_an_unsafe_fix_is_applied_only_on_request(name: str) -> None:
    body, wanted, _ = UNSAFE[name]
    assert fixed(module(body)) == module(body)
    assert is_written(text := fixed(module(body), unsafe=True), wanted), text


@pytest.mark.parametrize(
    "body",
    [
        "y = x.clone()\ny.data[:, 0] = 0\nreturn y",
        "y = x.clone()\ny.data.mul_(2)\nreturn y",
        "y = x.clone()\ny.data += 1\nreturn y",
        "y = x.clone()\nz = y.data\nz += 1\nreturn y",
        "y = x.clone()\ny.data[0].add_(1)\nreturn y",
    ],
)
def test_data_that_is_written_through_is_not_changed(body: str) -> None:
    found = [d.fix for d in check_source(module(body)) if d.code == "ONX205" and d.fix is not None]
    assert all(fix.applicability is Applicability.UNSAFE for fix in found)
    assert fixed(module(body)) == module(body)


@pytest.mark.parametrize(
    "body",
    [
        "return x * int(x.shape[0] * 0.5)",
        "return x * int(x.shape[0] / self.extra)",
        "return x * int((x.shape[0] - 4) / 2)",
        "return x * math.ceil((x.shape[0] - 4) / 2)",
        "return x * int(x.shape[0] / -2)",
        "return x * int(x.shape[0] ** 0.5)",
        "return x * float(x.shape[0])",
        "return x * bool(x.shape[0])",
        "return x * int(x.max())",
        "h = x.shape[0] / 2\nreturn x * int(h)",
        "return x * round(x.shape[0] / 2)",
        "a = torch.tensor(x.shape)\na += 2\nreturn x.sum() * a",
    ],
)
def test_what_integer_arithmetic_cannot_say_is_left(body: str) -> None:
    assert fixed(module(body)) == module(body)


@pytest.fixture(scope="module")
def measured() -> dict[str, dict[Engine, Measured]]:
    cases = [Case(name, fixed(module(b)), engines=e, before=module(b)) for name, (b, _, e) in SAFE.items()]
    cases += [Case(name, fixed(module(b), unsafe=True), engines=e) for name, (b, _, e) in UNSAFE.items()]
    return measure(cases)


@pytest.mark.torch
@pytest.mark.parametrize("name", [*SAFE, *UNSAFE])
def test_what_is_fixed_exports_right(name: str, measured: dict[str, dict[Engine, Measured]]) -> None:
    """For safe fixes the worker has also compared the eager results before and after, bit by bit."""
    found = measured[name]
    assert {m.verdict for m in found.values()} == {Verdict.FINE}, found
