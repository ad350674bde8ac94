"""The start of a worker process: ``python worker/__main__.py`` with a job in JSON on standard input.

Neither the current folder nor this one is on ``sys.path`` while torch is imported, so that a ``torch.py`` or
``json.py`` lying about is not taken for the real one.
"""

import importlib.util
import os
import sys
from types import ModuleType

PACKAGE = "_onnx_lint_worker"


def worker_package() -> ModuleType:
    """Load the folder of this file as a package under a name that nobody else uses."""
    here = os.path.dirname(os.path.abspath(__file__))
    sys.path[:] = [entry for entry in sys.path if entry and os.path.abspath(entry) != here]
    spec = importlib.util.spec_from_file_location(
        PACKAGE, os.path.join(here, "__init__.py"), submodule_search_locations=[here]
    )
    if spec is None or spec.loader is None:
        raise ImportError(f"cannot load the worker from {here}")
    package = importlib.util.module_from_spec(spec)
    sys.modules[PACKAGE] = package
    spec.loader.exec_module(package)
    return package


if __name__ == "__main__":
    worker_package()
    if sys.argv[1:2] == ["--serve"]:
        importlib.import_module(PACKAGE + ".server").serve(sys.argv[2])
    else:
        importlib.import_module(PACKAGE + ".main").main()
