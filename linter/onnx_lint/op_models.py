"""What a package needs to say what its own functions and operators do: see "Your first op model" in CONTRIBUTING.md.

A package that offers the entry point ``onnx_lint.op_models`` registers with these decorators:

* `models` and `models_method`: what a function, class or method does, as a function of the frame and the `Call` that
  returns a `Value`. It may emit sites.
* `shape` and `result`: which shape and dtype the tensor has that it returns; `same`, `promoted` and `fixed` are rules
  for the dtype.
* `verdict`: that an export engine does not export it, or exports it wrong, which ONX601 and ONX603 then report.

Names are full names, as after ``import``: ``house_ops.gather_rows``. A name that has a model already is refused with
ValueError. Nothing of the linted code is imported or run.
"""

import onnx_lint.semantics.interpreter  # noqa: F401 - it loads our own models, which come before all others
from onnx_lint.semantics.catalogue.registry import Call, models, models_method
from onnx_lint.semantics.catalogue.shapes.arguments import shape_of
from onnx_lint.semantics.catalogue.shapes.dtype_rules import fixed, promoted, same
from onnx_lint.semantics.catalogue.shapes.registry import Call as ShapeCall
from onnx_lint.semantics.catalogue.shapes.registry import NotKnown, result, shape
from onnx_lint.semantics.catalogue.verdicts import verdict
from onnx_lint.semantics.domain.shapes import Shape, TensorType
from onnx_lint.semantics.domain.shapes import Value as ShapeValue
from onnx_lint.semantics.domain.values import UNKNOWN, Const, Seq, Size, Tensor, Value
from onnx_lint.semantics.evaluation.frame import Frame

__all__ = [
    "UNKNOWN",
    "Call",
    "Const",
    "Frame",
    "NotKnown",
    "Seq",
    "Shape",
    "ShapeCall",
    "ShapeValue",
    "Size",
    "Tensor",
    "TensorType",
    "Value",
    "fixed",
    "models",
    "models_method",
    "promoted",
    "result",
    "same",
    "shape",
    "shape_of",
    "verdict",
]
