"""Parts of a model that are reached by a name: a method that one class has, an attribute that a text names."""

from __future__ import annotations

from semantics.programs import reports

ONE_METHOD = """
class Prior(nn.Module):
    def embed_words(self, conditions):
        for condition in conditions:
            if condition.sum() > 0:
                return condition
        return conditions
    def forward(self, x: torch.Tensor):
        return x

class Model(nn.Module):
    def __init__(self, decoder):
        super().__init__()
        self.decoder = decoder
    def forward(self, x: torch.Tensor):
        return self.decoder.embed_words(x)
"""
ATTRIBUTE = """
class Decoder(nn.Module):
    def __init__(self):
        super().__init__()
        self.embed_words = nn.Embedding(10, 4)
    def forward(self, x: torch.Tensor):
        return self.embed_words(x)
"""
NAMED_BY_CLASS = """
class Layers(nn.Module):
    def forward(self, x: torch.Tensor):
        return x, x

class Decoder(nn.Module):
    words = {name}
    def __init__(self):
        super().__init__()
        self.layers = Layers()
        self.table = nn.Embedding(10, 4)
    def forward(self, x: torch.Tensor):
        return getattr(self, self.words)(x)[(x > 0).unsqueeze(-1)]
"""


def test_the_only_class_with_a_method_is_meant() -> None:
    assert [code for code, _, _ in reports(ONE_METHOD)] == ["ONX104", "ONX101"]


def test_a_name_that_constructors_keep_a_module_under_says_no_class() -> None:
    assert reports(ONE_METHOD + ATTRIBUTE) == []


def test_a_text_of_the_class_names_the_attribute() -> None:
    assert [code for code, _, _ in reports(NAMED_BY_CLASS.format(name='"layers"'))] == ["ONX210"]
    assert reports(NAMED_BY_CLASS.format(name='"table"')) == []


def test_a_member_of_an_enumeration_is_not_its_text() -> None:
    program = """
import enum

class Mode(enum.Enum):
    SUM = "sum"

class Net(nn.Module):
    def forward(self, x: torch.Tensor):
        if Mode.SUM == "sum":
            return x
        return x + 1 if x.sum() > 0 else x
"""
    assert [code for code, _, _ in reports(program)] == ["ONX101"]
