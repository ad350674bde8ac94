"""Start onnx-lint with the packages that came with the extension.

::

    python -I run_server.py [--from-environment] [arguments of onnx-lint]     default: --lsp
    python -I run_server.py --probe                                           one line of JSON about the interpreter

``libs/linter`` holds onnx-lint alone, so that a child process can be given that folder without meeting other versions
of its own packages; ``libs/server`` holds what the server needs besides. libcst, a native package, comes from the
interpreter's environment.

Read by whatever Python a person has chosen: ``--probe`` must work in versions that onnx-lint itself does not support.
"""

import json
import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
LIBS = [os.path.join(HERE, "libs", "linter"), os.path.join(HERE, "libs", "server")]


def add_user_site():
    """Packages installed with ``pip install --user``. ``-I`` leaves them out together with PYTHONPATH.

    PYTHONPATH may name folders of the workspace, and what lies there must not run by itself; the user's packages may.
    """
    if sys.prefix != sys.base_prefix:
        return  # a virtual environment does not see them
    import site

    folder = site.getusersitepackages()
    if os.path.isdir(folder):
        site.addsitedir(folder)


def is_installed(name):
    """Whether a package can be imported; it is not imported."""
    from importlib.util import find_spec

    return find_spec(name) is not None


def probe():
    """What the client must know of this interpreter before it starts the server with it."""
    answer = {
        "version": list(sys.version_info[:3]),
        "executable": sys.executable,
        "libcst": is_installed("libcst"),
        "pip": is_installed("pip"),
        "onnxLint": is_installed("onnx_lint_lsp") and is_installed("pygls"),
    }
    sys.stdout.write("\n" + json.dumps(answer) + "\n")


def main(arguments):
    """Put the packages in their place and hand over to onnx-lint. Returns its exit status."""
    add_user_site()
    if arguments == ["--probe"]:
        probe()
        return 0
    if arguments[:1] == ["--from-environment"]:
        sys.path.extend(LIBS)
        arguments = arguments[1:]
    else:
        sys.path[:0] = LIBS
    from onnx_lint.cli import main as onnx_lint

    return onnx_lint(arguments or ["--lsp"])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
