"""What a ``forward`` shows of its purpose: only what may be exported is more than information."""

from __future__ import annotations

from typing import Any

import pytest

from onnx_lint.diagnostic import Severity
from onnx_lint.policy import EntryPoint
from onnx_lint.settings import Settings
from onnx_lint.testing import check_source

HEAD = (
    "import numpy as np\nimport torch\nfrom PIL import Image\nimport torch.nn.functional as F\nfrom torch import nn\n\n"
)
NET = """
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(4, 4)

    def forward(self, x):
        if x.sum() > 0:
            return self.layer(x)
        return x
"""
TRAINING = {
    "returns a loss": ("x, y", "loss = F.mse_loss(x, y)\nreturn loss"),
    "returns a loss and more": ("x, y", "total_loss = F.mse_loss(x, y)\nreturn total_loss, x"),
    "returns a dict with the loss first": ("x, y", "return {'loss': F.mse_loss(x, y), 'x': x}"),
    "returns the call of a loss": ("x, y", "return F.cross_entropy(x, y).mean()"),
    "takes targets": ("x, targets", "return x - targets"),
    "takes arrays": ("x: np.ndarray, y: torch.Tensor", "return y + 1"),
    "takes several arrays": ("x: list[np.ndarray], y: torch.Tensor", "return y + 1"),
    "takes texts": ("x, words: Sequence[str]", "return x + 1"),
    "takes a text": ("x, mode: str", "return x + 1"),
    "takes a module": ("x, model", "held = dict(model.named_parameters())\nreturn x + held['w']"),
    "returns a named loss": ("x, y", "out = dict(x=x, loss=F.mse_loss(x, y))\nreturn out"),
    "returns an output with a loss": ("x, y", "out = Output(z=x, loss=F.mse_loss(x, y))\nreturn out"),
    "opens an image": ("x, y", "y = Image.open(y)\nreturn x"),
    "takes the outputs of a model": ("outputs, x", "return outputs + x"),
}


def severities(body: str, head: str = "x", rest: str = "", **kwargs: Any) -> set[Severity]:
    lines = "".join(f"        {line}\n" for line in f"if x.sum() > 0:\n    x = x + 1\n{body}".splitlines())
    source = f"{HEAD}class Model(nn.Module):\n    def forward(self, {head}):\n{lines}{rest}"
    if "ndarray" in head:
        source = source.replace("x.sum()", "y.sum()")
    return {d.severity for d in check_source(source, **kwargs)}


@pytest.mark.parametrize("name", TRAINING)
def test_what_shows_that_it_trains_is_information(name: str) -> None:
    head, body = TRAINING[name]
    assert severities(body, head) == {Severity.INFO}


@pytest.mark.parametrize("name", TRAINING)
def test_an_export_call_and_the_setting_overrule_it(name: str) -> None:
    head, body = TRAINING[name]
    call = "\n\ntorch.onnx.export(Model(), (torch.ones(3, 4), torch.ones(3, 4)), 'model.onnx', dynamo=False)\n"
    assert Severity.ERROR in severities(body, head, call)
    assert Severity.ERROR in severities(body, head, settings=Settings(entry=(EntryPoint("", "Model"),)))


@pytest.mark.parametrize(
    ("head", "body"),
    [
        ("x", "return x"),
        ("x, y", "return x, F.mse_loss(x, y)"),
        ("x, glossy", "return glossy + x"),
        ("x, labels=None", "loss = None\nif labels is not None:\n    loss = x.mean()\nreturn Out(loss=loss, x=x)"),
        ("outputs_of_old, x", "return x"),
        ("x, labels=None", "if labels is None:\n    return x\nloss = F.mse_loss(x, labels)\nreturn loss"),
        ("x, return_loss=False", "if not return_loss:\n    return x\nloss = x.mean()\nreturn loss"),
        ("x, mode: str = 'tensor'", "return x if mode == 'tensor' else {}"),
    ],
)
def test_what_may_be_exported_is_not(head: str, body: str) -> None:
    assert severities(body, head) == {Severity.ERROR}


@pytest.mark.parametrize("result", ["str", "list[str]", "np.ndarray", "tuple[str, ...]"])
def test_a_result_that_is_no_tensor_is_information(result: str) -> None:
    source = f"{HEAD}{NET}".replace("def forward(self, x):", f"def forward(self, x) -> {result}:")
    assert {d.severity for d in check_source(source)} == {Severity.INFO}
    source = f"{HEAD}{NET}".replace("def forward(self, x):", "def forward(self, x) -> dict[str, torch.Tensor]:")
    assert {d.severity for d in check_source(source)} == {Severity.ERROR}


def test_all_that_a_discriminator_leads_to_is_information() -> None:
    source = f"""{HEAD}{NET}

class PatchDiscriminator(nn.Module):
    def __init__(self):
        super().__init__()
        self.net = Net()

    def forward(self, x):
        return self.net(x)
"""
    assert {d.severity for d in check_source(source)} == {Severity.INFO}
    assert {d.severity for d in check_source(source.replace("Discriminator", "Encoder"))} == {Severity.ERROR}


def test_a_parameter_named_like_an_axis_is_a_number() -> None:
    source = f"""{HEAD}
class Model(nn.Module):
    def forward(self, x, dim, fold):
        if isinstance(fold, int) and fold > 0:
            return x
        if dim > 0:
            return x.mean(dim)
        return x
"""
    assert not check_source(source)
    assert check_source(source.replace("dim", "weight").replace("isinstance(fold, int) and ", ""))


def test_what_an_entry_hands_on_as_keywords_is_empty() -> None:
    source = f"""{HEAD}
class Inner(nn.Module):
    def forward(self, x, p=0.0):
        return torch.bernoulli(x) if p > 0 else x


class Model(nn.Module):
    def __init__(self):
        super().__init__()
        self.inner = Inner()

    def forward(self, x, **kwargs):
        return self.inner(x, **kwargs)
"""
    assert not check_source(source)
    assert [d.code for d in check_source(source.replace("(x, **kwargs)\n", "(x, p=kwargs['p'])\n"))] == ["ONX712"]


@pytest.mark.parametrize(
    "check", ["assert n == self.k", "if n != self.k:\n            raise ValueError", "assert 4 == n"]
)
def test_a_size_that_has_to_be_that_of_the_model_is_fixed(check: str) -> None:
    source = f"""{HEAD}
class Model(nn.Module):
    def __init__(self, k):
        super().__init__()
        self.k = k

    def forward(self, x):
        b, n, d = x.shape
        {check}
        return sum(x[:, i] for i in range(n))
"""
    assert {d.severity for d in check_source(source)} == {Severity.INFO}
    assert Severity.WARNING in {d.severity for d in check_source(source.replace(check, "pass"))}


@pytest.mark.parametrize("layer", ["Linear", "LayerNorm", "Conv1d"])
def test_a_size_that_weights_of_unknown_size_contract_is_fixed(layer: str) -> None:
    source = f"""{HEAD}
class Model(nn.Module):
    def __init__(self, config):
        super().__init__()
        self.layer = nn.{layer}(config.a, config.b)

    def forward(self, x):
        b, n, d = x.shape
        size = n if {layer == "Conv1d"} else d
        if size > 4:
            x = x * 2
        return self.layer(x)
"""
    assert {d.severity for d in check_source(source)} == {Severity.INFO}
    assert {d.severity for d in check_source(source.replace("size > 4", "b > 4"))} == {Severity.WARNING}


def test_a_method_named_update_of_something_unknown_changes_no_state() -> None:
    source = f"""{HEAD}
class Model(nn.Module):
    def __init__(self, regularizer):
        super().__init__()
        self.regularizer = regularizer
        self.seen = {{}}

    def forward(self, x):
        self.regularizer.update(x)
        return x
"""
    assert not check_source(source)
    own = source.replace("self.regularizer.update(x)\n", "x = x + len(self.seen)\n        self.seen.update(x=x)\n")
    assert [d.code for d in check_source(own)] == ["ONX701"]


def test_a_model_inside_a_wrapper_that_returns_a_loss_stays_what_it_is() -> None:
    source = f"""{HEAD}{NET}

class Wrapper(nn.Module):
    def __init__(self):
        super().__init__()
        self.net = Net()

    def forward(self, x):
        if x.max() > 3:
            x = x / 3
        return F.mse_loss(self.net(x), x)
"""
    found = {(d.span.line, d.severity) for d in check_source(source)}
    assert found == {(14, Severity.ERROR), (25, Severity.INFO)}


def test_a_part_without_layers_is_what_its_wrapper_is() -> None:
    source = f"""{HEAD}
class Queue(nn.Module):
    def forward(self, x):
        return x[: int(x.max())]


class Contrast(nn.Module):
    def __init__(self):
        super().__init__()
        self.queue = Queue()

    def forward(self, x, y):
        return F.mse_loss(self.queue(x), y)
"""
    assert {d.severity for d in check_source(source)} == {Severity.INFO}


def test_transforms_without_layers_are_information_and_models_beside_them_are_not() -> None:
    assert severities("return x") == {Severity.ERROR}
    assert severities("return x", path="pkg/models/specaug/mask.py") == {Severity.INFO}
    assert severities("return x", path="pkg/transforms/crop.py") == {Severity.INFO}
    found = check_source(HEAD + NET, path="pkg/transforms/crop.py")
    assert {d.severity for d in found} == {Severity.ERROR}


def test_a_flag_is_what_its_default_says() -> None:
    assert not check_source(HEAD + "class Model(nn.Module):\n    def forward(self, x, loud: bool = False):\n"
                            "        if loud:\n            print(x.max().item())\n        return x + 1\n")  # fmt: skip


def test_a_model_is_exported_without_its_targets() -> None:
    assert not check_source(HEAD + "class Model(nn.Module):\n    def forward(self, x, labels=None):\n"
                            "        loss = None\n        if labels is not None and labels.sum() > 0:\n"
                            "            loss = float(x.sum())\n        return x + 1\n")  # fmt: skip


def test_the_help_says_why() -> None:
    (found,) = check_source(
        HEAD
        + "class Model(nn.Module):\n    def forward(self, x, target):\n        return x * x.max().item() - target\n"
    )
    assert found.help is not None
    assert "`Model.forward` takes the targets `target`" in found.help


def test_losses_inside_a_loss_are_no_layers() -> None:
    source = f"""{HEAD}
class Noise(nn.Module):
    def forward(self, x):
        return x.mean()


class Task(nn.Module):
    def __init__(self):
        super().__init__()
        self.noise = Noise()

    def forward(self, x):
        if x.sum() > 0:
            return self.noise(x)
        return x.mean()
"""
    assert {d.severity for d in check_source(source)} == {Severity.ERROR}
    assert {d.severity for d in check_source(source, path="pkg/losses/task.py")} == {Severity.INFO}


def test_an_input_that_picks_a_layer_is_a_number() -> None:
    layers = (
        "    def __init__(self):\n        super().__init__()\n"
        "        self.norms = nn.ModuleList(nn.LayerNorm(4) for _ in range(3))\n\n"
    )
    model = f"{HEAD}class Model(nn.Module):\n{layers}    def forward(self, x, index):\n"
    assert not check_source(f"{model}        return self.norms[index](x)\n")
    assert check_source(f"{model}        return self.norms[index](x) + index.float()\n")
