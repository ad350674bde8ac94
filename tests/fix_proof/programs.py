"""Random models: statements over tensors, sizes, numbers, lists and boxes, with helpers that several kinds reach."""

from __future__ import annotations

from fix_proof.attacks import HEAD, Attack
from hypothesis import strategies as st

_HELPERS = """\
def twice({v}):
    return v.data * 2


def rows({v}):
    return int(v.shape[0]) + v * 1


def count({v}):
    n = len(v)
    return n


def grow({v}):
    n = v.shape[0]
    m = n
    n += 2
    return [n, m]


def cast({v}):
    return 1 + int(v)
"""
_PARAMETERS = [
    "v",
    "v: Tensor",
    "v: Optional[Tensor] = None",
    "v: torch.Tensor",
    "v: 'Tensor'",
    "v: Union[Tensor, list]",
]
_TENSORS = st.sampled_from(["x", "y", "a", "x.relu()", "(x * 2)", "y[0]", "torch.ones(2, 4)", "F.relu(y)"])
_SIZES = st.sampled_from(["x.shape[0]", "n", "m", "y.size(0)", "x.numel()", "(x.shape[0] + n)", "2", "n // 2", "n / 2"])
_OPERATORS = ["+", "-", "*", "/", "//", "%", "**"]
_FORMS = ["int({})", "len({})", "({}).data", "math.floor({})", "math.ceil({} / 2)", "float({})", "({}).shape[0]",
                 "torch.cat([({}).data, x])", "({}).relu()", "-({}).data", "({}).data[0]", "({}).data.sum()",
                 "int(\n            {}\n        )", "twice({})", "rows({})", "count({})", "grow({})", "cast({})",
                 "({})if n else x", "[int(i) for i in ({})]", "sum(map(int, ({})))", "f'{{int({})=}}'", "math.sqrt({})",
                 "({}).sum().item()", "(k := {})", "(lambda v: int(v))({})"]  # fmt: skip
_NAMES = st.sampled_from(["x", "y", "a", "b", "n", "m"])


def _formed(form: str, inner: str) -> str:
    """The form around an expression; an f-string inside another needs Python 3.12."""
    return f"({inner})" if form.startswith("f'") and "f'" in inner else form.format(inner)


def _expressions(depth: int) -> st.SearchStrategy[str]:
    leaf = st.one_of(
        _NAMES,
        st.sampled_from(["1", "2.5", "x.shape[0]", "x.size(1)", "x.shape", "[x, y]", "Box(2.5, 3)", "x.numel()"]),
    )
    if depth == 0:
        return leaf
    inner = _expressions(depth - 1)
    return st.one_of(
        leaf,
        st.tuples(inner, st.sampled_from(_OPERATORS), inner).map(lambda t: f"({t[0]} {t[1]} {t[2]})"),
        st.tuples(inner, st.sampled_from(["+", "*", "-"]), inner).map(lambda t: f"{t[0]} {t[1]} {t[2]}"),
        st.tuples(st.sampled_from(_FORMS), inner).map(lambda t: _formed(*t)),
    )


def _statements() -> st.SearchStrategy[str]:
    expression = _expressions(2)
    return st.one_of(
        st.tuples(_NAMES, expression).map(lambda t: f"{t[0]} = {t[1]}"),
        st.tuples(_NAMES, st.sampled_from(["+", "-", "*", "//"]), expression).map(lambda t: f"{t[0]} {t[1]}= {t[2]}"),
        st.tuples(_NAMES, _NAMES).map(lambda t: f"{t[0]} = {t[1]}"),
        st.tuples(_NAMES, _NAMES).map(lambda t: f"{t[0]}, {t[1]} = x.shape"),
        st.tuples(expression, _NAMES, expression).map(
            lambda t: f"try:\n            {t[1]} = {t[2]}\n        except Exception:\n            {t[1]} = {t[0]}"
        ),
        st.tuples(_NAMES, expression, expression).map(
            lambda t: f"if self.training:\n            {t[0]} = {t[1]}\n        else:\n            {t[0]} = {t[2]}"
        ),
        st.tuples(_NAMES, expression).map(lambda t: f"for _ in range(2):\n            {t[0]} = {t[1]}"),
        st.tuples(_NAMES, _TENSORS, st.sampled_from("+-*/"), _SIZES).map(
            lambda t: f"{t[0]} = {t[1]} {t[2]} int({t[3]})"
        ),
        st.tuples(_NAMES, _TENSORS, _TENSORS).map(lambda t: f"{t[0]} = ({t[1]}).data + {t[2]}"),
        st.tuples(_NAMES, _TENSORS, _TENSORS).map(lambda t: f"{t[0]} = torch.cat([({t[1]}).data, {t[2]}])"),
        st.tuples(_NAMES, _SIZES, _SIZES).map(lambda t: f"m = {t[0]} = {t[1]}\n        {t[0]} += {t[2]}"),
        _NAMES.map(lambda name: f"{name}.add_(1)"),
        _NAMES.map(lambda name: f"{name}.data.mul_(2)"),
    )


@st.composite
def programs(draw: st.DrawFn) -> Attack:
    """A module with a ``Model``, made as ``m``. Where an annotation says `Tensor`, no caller from outside gives
    an array or a box instead: an annotation is believed."""
    parameter = draw(st.sampled_from(["x, y", "x: Tensor, y: Tensor", "x: Tensor, y", "x: torch.Tensor, y: 'Tensor'"]))
    parameters = st.just("v") if draw(st.booleans()) else st.sampled_from(_PARAMETERS)
    helpers = "".join(
        part.format(v=draw(parameters)) for part in _HELPERS.replace("{}", "{{}}").split("\n\n\n")
    ).replace("def ", "\n\ndef ")
    body = draw(st.lists(_statements(), min_size=1, max_size=7))
    lines = "\n        ".join(body)
    source = f"""{HEAD}{helpers}

class Model(nn.Module):
    def forward(self, {parameter}):
        a = x * 1
        b = [x, y]
        n = m = 3
        {lines}
        return a, b, n, m, x, y


torch.manual_seed(0)
m = Model()
"""
    is_annotated = "Tensor" in helpers + parameter
    return Attack(source, _CALLS if is_annotated else _CALLS + _OTHERS)


_CALLS = (
    "m(x, x + 1)", "m([x, x], x)", "m(x, [1, 2])", "m(x, 'ab')", "m(x, 2)", "m(torch.tensor(2.0), x)",
    "(given := x.clone().requires_grad_(), out := m(given * 1, x)[0], out.sum().backward(), given.grad)",
)  # fmt: skip
_OTHERS = ("m(Box(2.5, 3), x)", "m(np.ones((3, 2)), 2)", "m(x, Box(1.5))")
