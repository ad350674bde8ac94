"""The rule, on its own example and on code with expectations."""

from house_rules.no_python_lists import NoPythonLists

from onnx_lint.settings import Settings
from onnx_lint.testing import assert_examples, assert_expectations


def test_the_examples_of_the_page() -> None:
    # by this rule alone: a built-in one speaks of `.tolist()` too
    assert_examples(NoPythonLists(), settings=Settings(select=("HOUSE101",)))


def test_where_it_speaks() -> None:
    assert_expectations(
        """
        from torch import nn


        class Net(nn.Module):
            def forward(self, x):
                first = x.tolist()  # expect: HOUSE101
                return x + 1


        def outside(x):
            return x.tolist()
        """,
        rules=[NoPythonLists()],
    )
