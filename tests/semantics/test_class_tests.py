"""The table of modules that derive from one another, against the installed torch."""

from __future__ import annotations

import pytest

from onnx_lint.semantics.domain.values import Arguments, Const, ExternalInstance, ExternalValue, Partial
from onnx_lint.semantics.evaluation.class_tests import _DERIVED, is_callable_of, is_module_of

torch = pytest.importorskip("torch")


def test_the_table_of_derived_modules_is_that_of_torch() -> None:
    public = {n: c for n, c in vars(torch.nn).items() if isinstance(c, type) and issubclass(c, torch.nn.Module)}
    derived = {
        name: [n for n, base in public.items() if base is not cls and issubclass(cls, base) and n != "Module"]
        for name, cls in public.items()
    }
    assert {name: bases for name, bases in derived.items() if bases} == {k: [v] for k, v in _DERIVED.items()}


@pytest.mark.parametrize(
    ("made", "names", "answer"),
    [
        ("torch.nn.Conv2d", {"torch.nn.Conv2d"}, True),
        ("torch.nn.Conv2d", {"torch.nn.Module"}, True),
        ("torch.nn.Conv2d", {"torch.nn.Linear", "torch.nn.BatchNorm2d"}, False),
        ("torch.nn.LazyLinear", {"torch.nn.Linear"}, True),
        ("torch.nn.Conv2d", {"torch.nn.modules.conv._ConvNd"}, None),
        ("torch.nn.Module", {"torch.nn.Conv2d"}, None),
        ("torch.nn.Conv2d", {"?"}, None),
    ],
)
def test_a_module_is_an_instance_of_its_class_and_no_other(made: str, names: set[str], answer: bool | None) -> None:
    assert is_module_of(ExternalInstance(made), names) is answer


def test_a_class_a_function_and_a_partial_are_told_apart() -> None:
    layer, function = ExternalValue("torch.nn.ReLU"), ExternalValue("torch.nn.functional.relu")
    partial = Partial(layer, Arguments((Const(1),)))
    assert is_callable_of(layer, {"type"}) is True and is_callable_of(layer, {"torch.nn.Module"}) is False
    assert is_callable_of(function, {"str"}) is False and is_callable_of(function, {"typing.Callable"}) is True
    assert is_callable_of(partial, {"functools.partial"}) is True and is_callable_of(partial, {"type", "str"}) is False
    assert is_callable_of(ExternalValue("other.thing"), {"str"}) is None
